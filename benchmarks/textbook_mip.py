"""The textbook model (see `benchmarks.textbook`) through PuLP, solved by HiGHS or CBC.

Run as ``python -m benchmarks.textbook_mip SPEC TIME_LIMIT WORKERS SOLVER`` it prints one JSON
line, with the time of building and solving. Nothing is set but the time limit, the threads and
a relative gap of 0; what the solver says of its bound is taken as it stands.
"""

from __future__ import annotations

import json
import math
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cbcbox
import numpy as np
import pulp

from instances import from_spec
from solver import check, cost_of
from solver.model import Instance

SOLVERS = ("HiGHS", "CBC")


def build(instance: Instance) -> tuple[pulp.LpProblem, list[list[pulp.LpVariable]]]:
    """The model and its x_ij; plain instances only."""
    nodes, tasks = range(instance.num_nodes), range(instance.num_tasks)
    demand = instance.task_compute.tolist()
    need = instance.task_storage.tolist()
    program = pulp.LpProblem("textbook", pulp.LpMinimize)
    x = [[program.add_variable(f"x_{i}_{j}", cat="Binary") for j in tasks] for i in nodes]
    z = [
        program.add_variable(f"z_{i}", lowBound=capacity)
        for i, capacity in enumerate(instance.node_compute.tolist())
    ]
    program += pulp.lpSum(p * z[i] for i, p in enumerate(instance.node_price.tolist()))
    for j in tasks:
        program += pulp.lpSum(x[i][j] for i in nodes) == 1
    for i, storage in enumerate(instance.node_storage.tolist()):
        program += pulp.lpSum(demand[j] * x[i][j] for j in tasks) <= z[i]
        if math.isfinite(storage):
            program += pulp.lpSum(need[j] * x[i][j] for j in tasks) <= storage
    return program, x


def solve_textbook(
    instance: Instance, time_limit: float, workers: int, solver: str
) -> dict[str, Any]:
    """Build and solve; the x_ij are checked and their cost taken, the bound is the solver's own."""
    begun = time.perf_counter()
    program, x = build(instance)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        left = time_limit - (time.perf_counter() - begun)
        shared = {"msg": False, "timeLimit": left, "threads": workers, "gapRel": 0.0}
        if solver == "HiGHS":
            answer = program.solve(pulp.HiGHS(**shared))
            bound = program.solverModel.getInfo().mip_dual_bound
        else:
            path = str(cbcbox.cbc_bin_path())
            answer = program.solve(pulp.COIN_CMD(path=path, logPath=str(log), **shared))
            bound = cbc_bound(log.read_text(), answer.objective)
    values = np.array([[var.value() or 0.0 for var in row] for row in x])
    node_index = values.argmax(axis=0)
    placed = bool((values.max(axis=0) > 0.5).all()) and not check(instance, node_index)
    proved = answer.status == pulp.constants.LpSolveStatus.Optimal
    return {
        "status": "optimal" if proved and placed else "feasible" if placed else "unknown",
        "cost": cost_of(instance, node_index) if placed else None,
        "bound": bound,
        "seconds": time.perf_counter() - begun,
    }


def cbc_bound(log: str, objective: float | None) -> float | None:
    """The lower bound that CBC reports at its end; the objective where it is proved."""
    found = re.findall(r"^Lower bound:\s+(\S+)", log, flags=re.MULTILINE)
    if found:
        return float(found[-1])
    return objective if "Optimal solution found" in log else None


if __name__ == "__main__":
    spec, limit, threads, name = sys.argv[1:]
    print(json.dumps(solve_textbook(from_spec(spec), float(limit), int(threads), name)))
