"""The textbook model, as one would write it by hand with OR-Tools' own interface.

    minimise   sum_i p_i z_i
    subject to z_i >= C_i,  z_i >= sum_j D_j x_ij,  sum_i x_ij = 1,
               sum_j s_j x_ij <= S_i,  x_ij in {0, 1}

Run as ``python -m benchmarks.textbook SPEC TIME_LIMIT WORKERS`` it prints one JSON line; the
time is that of building and solving, without the import of OR-Tools.
"""

from __future__ import annotations

import json
import math
import sys
import time
from typing import Any

from ortools.sat.python import cp_model

from instances import from_spec
from solver.model import Instance


def solve_textbook(instance: Instance, time_limit: float, workers: int) -> dict[str, Any]:
    """Build and solve the x_ij model; integer instances without further features only."""
    begun = time.perf_counter()
    model = cp_model.CpModel()
    nodes, tasks = range(instance.num_nodes), range(instance.num_tasks)
    demand = instance.task_compute.tolist()
    capacity = instance.node_compute.tolist()
    need = instance.task_storage.tolist()
    x = [[model.new_bool_var("") for _ in tasks] for _ in nodes]
    z = [model.new_int_var(C, max(C, sum(demand)), "") for C in capacity]
    for j in tasks:
        model.add_exactly_one(x[i][j] for i in nodes)
    for i in nodes:
        model.add(sum(demand[j] * x[i][j] for j in tasks) <= z[i])
        storage = instance.node_storage.tolist()[i]
        if math.isfinite(storage):
            model.add(sum(need[j] * x[i][j] for j in tasks) <= int(storage))
    model.minimize(sum(p * z[i] for i, p in enumerate(instance.node_price.tolist())))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers
    solver.parameters.max_time_in_seconds = time_limit
    status = solver.solve(model)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return {
        "status": solver.status_name(status).lower(),
        "cost": round(solver.objective_value) if found else None,
        "bound": solver.best_objective_bound if found else None,
        "seconds": time.perf_counter() - begun,
    }


if __name__ == "__main__":
    spec, limit, workers = sys.argv[1:]
    print(json.dumps(solve_textbook(from_spec(spec), float(limit), int(workers))))
