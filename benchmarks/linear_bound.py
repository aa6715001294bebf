"""The linear bound beside the value of the relaxation, from a hundred nodes to ten thousand.

    python -m benchmarks.linear_bound [--most 1000000] [--time-limit 60]

Every node and every task is different, and storage is independent of compute. The relaxation's
value is between its best bound and what the program over ever more pools of tasks costs; up to
100,000 pairs of task and node it is GLOP's. Each bound is computed in a process of its own, whose
peak memory is added to that of its solver processes; the values take longer than the bounds.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

from instances import from_spec
from solver import close_engines
from solver.bounds.closed_form import closed_form_bound
from solver.bounds.large.relaxation import pooled_bounds
from solver.bounds.linear import linear_bound
from solver.engines.limits import GLOP
from solver.engines.process import run_job
from solver.problem.problem import Problem
from solver.programs.relaxation import Relaxation

SIZES = [(100, 1_000), (300, 3_000), (1_000, 10_000), (10_000, 1_000_000)]
SHAPES = ["load=1.0", "load=1.1", "load=1.1,spread=0.9", "load=1.0,spread=0.9,correlation=positive"]
GLOP_CELLS = 100_000
NEAR = 1e-7
WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def measured(spec: str, time_limit: float) -> dict[str, float]:
    """The closed form, the linear bound, its times and peak GiB, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.linear_bound", "--one", spec]
    command += ["--time-limit", str(time_limit)]
    done = subprocess.run(command, check=True, text=True, capture_output=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(spec: str, time_limit: float) -> dict[str, float]:
    """The same in this process."""
    problem = Problem(from_spec(spec))
    begun, used = time.perf_counter(), _processor_seconds()
    closed = closed_form_bound(problem)
    first = time.perf_counter()
    bound = linear_bound(problem, time_limit)
    ended = time.perf_counter()
    close_engines()
    peak = sum(resource.getrusage(each).ru_maxrss for each in WHO) / 2**20
    return {"closed": closed, "first": first - begun, "bound": bound, "seconds": ended - begun,
            "processor": _processor_seconds() - used, "peak": peak}  # fmt: skip


def _processor_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    usage = [resource.getrusage(each) for each in WHO]
    return sum(each.ru_utime + each.ru_stime for each in usage)


def value(spec: str, time_limit: float) -> float:
    """The value of the relaxation in exact units, or a little more."""
    problem = Problem(from_spec(spec))
    if problem.instance.num_nodes * problem.instance.num_tasks <= GLOP_CELLS:
        model, grid = Relaxation(problem).model, problem.grid
        payload = {"model": model, "time_limit": 600.0}
        answer = run_job(GLOP, "solve_relaxation", payload, hard_limit=660.0)
        if answer["status"] == "optimal":
            return float(answer["values"] @ model.objective) * grid.cost_unit + grid.offset
    found = pooled_bounds(problem, closed_form_bound(problem), time_limit, NEAR)
    return min((each.bound * (1 + each.above) for each in found), default=math.nan)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=SIZES[-1][1])
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one, given.time_limit)))
        return
    table = Table("nodes", "tasks", "shape", "closed form", "bound", "closed form low",
                  "bound low", "first s", "seconds", "processor s",
                  "peak GiB")  # fmt: skip
    for nodes, tasks in SIZES:
        for shape in SHAPES if tasks <= given.most else []:
            spec = f"uniform:nodes={nodes},tasks={tasks},node_types=all,storage=0.9"
            spec += f",independent=true,capacity=1000000,seed=1,{shape}"
            found = measured(spec, given.time_limit)
            true = value(spec, 3 * given.time_limit)
            low = [100 * (1 - found[name] / true) for name in ("closed", "bound")]
            table.add_row(f"{nodes:,}", f"{tasks:,}", shape, f"{found['closed']:.9g}",
                          f"{found['bound']:.9g}", f"{low[0]:.4f} %", f"{low[1]:.6f} %",
                          f"{found['first']:.2f}", f"{found['seconds']:.1f}",
                          f"{found['processor']:.1f}", f"{found['peak']:.2f}")  # fmt: skip
    Console(width=200).print(table)


if __name__ == "__main__":
    main()
