"""The textbook model (see `plain`) through PuLP, solved by HiGHS or CBC out of process.

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

from .plain import Plain, plain
from .protocol import Answer, Job, serve, version_of

_Status = pulp.constants.LpSolveStatus
_NUMBER = r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?"
_BOUND = {
    "HiGHS": rf"^\s*Dual bound\s+({_NUMBER})\s*$",
    "CBC": rf"^Lower bound:\s+({_NUMBER})\s*$",
}
# ... BestBound BestSol Gap% | Cuts InLp Confl. | LpIters 12.3s
_HIGHS_ROW = rf"^ .*?%\s+({_NUMBER})\s+({_NUMBER})\s+\S+%.*?(\d+\.\d+)s$"


def solve(job: Job) -> Answer:
    """Build and solve by the solver that the method is named after."""
    data = plain(job.instance())
    program, x = build(data)
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
        bound=_shifted(_bound(text, name, stats), data.constant()),
        build_seconds=built,
        solve_seconds=solved,
        history=_history(text, built, data.constant()) if name == "HiGHS" else [],
        versions={"pulp": version_of("pulp"), name: version_of(f"{name.lower()}box")},
    )
    node_of = _node_of(data, x) if stats.has_solution else None
    if node_of is not None:
        answer.status = "optimal" if stats.status == _Status.Optimal else "feasible"
        answer.allocation = data.allocation(node_of)
        answer.cost = data.cost(node_of)
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


def _bound(log: str, name: str, stats: Any) -> float | None:
    """The bound as the log reports it at the end, or the objective where it is proved."""
    found = re.findall(_BOUND[name], log, flags=re.MULTILINE)
    if found:
        return float(found[-1])
    if stats.status == _Status.Optimal and stats.objective is not None:
        return float(stats.objective)
    bound = stats.best_bound
    return None if bound is None or not math.isfinite(bound) else float(bound)


def _shifted(value: float | None, constant: float) -> float | None:
    return None if value is None else value + constant


def _history(
    log: str, built: float, constant: float
) -> list[tuple[float, float | None, float | None]]:
    """Incumbents and bounds from HiGHS' table, with the time of each row."""
    rows = re.findall(_HIGHS_ROW, log, flags=re.MULTILINE)
    return [
        (built + float(seconds), float(cost) + constant, float(bound) + constant)
        for bound, cost, seconds in rows
    ]


if __name__ == "__main__":
    serve(solve)
