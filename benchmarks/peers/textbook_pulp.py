"""The textbook model (`plain`, or `whole`) through PuLP, solved by HiGHS or CBC out of process.

Nothing is set but the limits, the seed and a gap of 0. What a solver says of its bound and of
optimality is taken as it stands; a point at the time limit that is no allocation is none.
"""

from __future__ import annotations

import math
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import cbcbox
import highsbox
import pulp

from .plain import BeyondPlain, Plain, plain
from .protocol import Answer, Job, serve, version_of
from .whole import Program, Whole

_Status = pulp.constants.LpSolveStatus
_NUMBER = r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?"
_BOUND = {
    "HiGHS": rf"^\s*Dual bound\s+({_NUMBER})\s*$",
    "CBC": rf"^Lower bound:\s+({_NUMBER})\s*$",
}
_ROUNDING = {"HiGHS": 1e-9, "CBC": 5e-6}
"""What the digits of a bound in the log may hide, relative to it."""

_ROW = {  # cost, bound and seconds, as the groups named
    # ... BestBound BestSol Gap% | Cuts InLp Confl. | LpIters 12.3s
    "HiGHS": rf"^ .*?%\s+(?P<bound>{_NUMBER})\s+(?P<cost>{_NUMBER})\s+\S+%.*?(?P<at>\d+\.\d+)s$",
    # Nodes OnTree Depth BestSol Method BestBound Gap% Time
    "CBC": rf"^\s+(?:\d+\s+){{3}}(?P<cost>{_NUMBER})\s.*?(?P<bound>{_NUMBER})"
    r"\s+[\d.]+%\s+(?P<at>[\d.]+)\s*$",
}


def solve(job: Job) -> Answer:
    """Build and solve by the solver that the method is named after."""
    instance = job.instance()
    data: Plain | Whole
    try:
        data = plain(instance)
        program, x = build(data)
        constant = data.constant()
    except BeyondPlain:
        data = Whole(instance)
        program, variables = build_whole(data.program)
        constant = float(data.program.constant)
    built = job.elapsed()
    name = job.method.removeprefix("textbook-")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        solver = _solver(name, job, log)
        solver.tmpDir = folder
        stats = program.solve(solver)
        text = log.read_text(errors="replace") if log.exists() else ""
    solved = job.elapsed() - built
    answer = Answer(
        termination=stats.status.name,
        bound=_bound(text, name, stats, constant),
        build_seconds=built,
        solve_seconds=solved,
        versions={"pulp": version_of("pulp"), name: version_of(f"{name.lower()}box")},
    )
    found: Any = None
    if stats.has_solution and isinstance(data, Whole):
        found = data.placement(lambda number: (variables[number].varValue or 0.0) > 0.5)
    elif stats.has_solution:
        found = _node_of(data, x)
    if found is not None:
        answer.status = "optimal" if stats.status == _Status.Optimal else "feasible"
        answer.allocation = data.allocation(found)
        answer.cost = data.cost(found)
        answer.history = _history(text, name, built, answer.cost, constant)
        answer.history.append((built + solved, answer.cost, answer.bound))
    elif stats.status == _Status.Infeasible:
        answer.status = "infeasible"
        answer.bound = None
    return answer


def build(data: Plain) -> tuple[pulp.LpProblem, dict[tuple[int, int], Any]]:
    """The model, without the constant, which the solvers' files do not carry, and its x_ij."""
    program = pulp.LpProblem("textbook", pulp.LpMinimize)
    x = {
        (i, j): program.add_variable(f"x_{i}_{j}", cat="Binary")
        for j, nodes in enumerate(data.hosts)
        for i in nodes
    }
    z = [program.add_variable(f"z_{i}", lowBound=C) for i, C in enumerate(data.capacity)]
    y = []
    if data.power_off:
        y = [program.add_variable(f"y_{i}", cat="Binary") for i in range(len(data.node_ids))]
    cost = pulp.lpSum(o * z[i] for i, o in enumerate(data.overload_price))
    cost += pulp.lpSum(data.price[i] * data.capacity[i] * on for i, on in enumerate(y))
    program += cost
    for j, nodes in enumerate(data.hosts):
        program += pulp.lpSum(x[i, j] for i in nodes) == 1
    for i, tasks in enumerate(data.tasks_of()):
        program += pulp.lpSum(data.demand[j] * x[i, j] for j in tasks) <= z[i]
        for limit in data.limits:
            if not math.isinf(limit.have[i]):
                program += pulp.lpSum(limit.need[j] * x[i, j] for j in tasks) <= limit.have[i]
        for on in y[i : i + 1]:
            for j in tasks:
                program += x[i, j] <= on
    return program, x


def build_whole(whole: Program) -> tuple[pulp.LpProblem, list[Any]]:
    """The model, without the constant, and its variables."""
    program = pulp.LpProblem("textbook", pulp.LpMinimize)
    variables = [
        program.add_variable(
            f"v_{number}",
            lowBound=float(one.low),
            upBound=None if one.high is None else float(one.high),
            cat="Integer" if one.integer else "Continuous",
        )
        for number, one in enumerate(whole.variables)
    ]
    program += pulp.lpSum(float(a) * variables[number] for number, a in whole.cost.items() if a)
    for terms, low, high in whole.rows:
        total = pulp.lpSum(float(a) * variables[number] for number, a in terms.items())
        if low is not None and low == high:
            program += total == float(low)
            continue
        if low is not None:
            program += total >= float(low)
        if high is not None:
            program += total <= float(high)
    return program, variables


def _solver(name: str, job: Job, log: Path) -> Any:
    shared = {
        "msg": False,
        "timeLimit": max(0.1, job.left()),
        "threads": job.workers,
        "gapRel": 0.0,
        "logPath": str(log),
    }
    if name == "HiGHS":
        libraries = [highsbox.highs_lib_dir(), os.environ.get("LD_LIBRARY_PATH", "")]
        os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, libraries))
        options = [f"random_seed={job.seed}"]
        return pulp.HiGHS_CMD(path=highsbox.highs_bin_path(), options=options, **shared)
    return pulp.COIN_CMD(path=str(cbcbox.cbc_bin_path()), randomSeed=job.seed, **shared)


def _node_of(data: Plain, x: dict[tuple[int, int], Any]) -> list[int] | None:
    """The node of each task, None where a task is not on exactly one."""
    found = []
    for j, nodes in enumerate(data.hosts):
        chosen = [i for i in nodes if (x[i, j].varValue or 0.0) > 0.5]
        if len(chosen) != 1:
            return None
        found.append(chosen[0])
    return found


def _bound(log: str, name: str, stats: Any, constant: float) -> float | None:
    """The bound as the log reports it at the end, less what its digits may hide."""
    if stats.status == _Status.Optimal and stats.objective is not None:
        return float(stats.objective) + constant
    found = re.findall(_BOUND[name], log, flags=re.MULTILINE)
    if not found:
        return None
    bound = float(found[-1])
    return bound - _ROUNDING[name] * abs(bound) + constant


def _history(
    log: str, name: str, built: float, final: float, constant: float
) -> list[tuple[float, float | None, float | None]]:
    """Incumbents and bounds from the table of the log; no rounded cost below the final one."""
    return [
        (
            built + float(row["at"]),
            max(final, float(row["cost"]) + constant),
            float(row["bound"]) + constant,
        )
        for row in re.finditer(_ROW[name], log, flags=re.MULTILINE)
    ]


if __name__ == "__main__":
    serve(solve)
