"""The textbook model (see `plain`) in OR-Tools CP-SAT, written as by hand: nothing clever."""

from __future__ import annotations

import math
from typing import Any

from ortools.sat.python import cp_model

from .plain import Plain, integers_only, plain
from .protocol import Answer, Job, Unsupported, serve, version_of

_STATUS = {
    cp_model.OPTIMAL: "optimal",
    cp_model.FEASIBLE: "feasible",
    cp_model.INFEASIBLE: "infeasible",
    cp_model.UNKNOWN: "unknown",
}
_WIDEST = 2**62


class _History(cp_model.CpSolverSolutionCallback):
    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job
        self.points: list[tuple[float, float | None, float | None]] = []

    def on_solution_callback(self) -> None:
        bound = self.best_objective_bound
        self.points.append((self._job.elapsed(), round(self.objective_value), bound))


def solve(job: Job) -> Answer:
    """Build and solve; decimals are refused, as CP-SAT takes integers only."""
    data = integers_only(plain(job.instance()))
    model, x = build(data)
    built = job.elapsed()
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = job.workers
    solver.parameters.random_seed = job.seed
    solver.parameters.max_time_in_seconds = job.left()
    history = _History(job)
    status = solver.solve(model, history)
    if status not in _STATUS:
        raise RuntimeError(f"CP-SAT: {solver.status_name(status)}: {model.validate()}")
    answer = Answer(
        status=_STATUS[status],
        termination=solver.status_name(status).lower(),
        build_seconds=built,
        solve_seconds=job.elapsed() - built,
        history=history.points,
        versions={"ortools": version_of("ortools")},
    )
    if answer.status in ("optimal", "feasible"):
        node_of = [
            next(i for i in nodes if solver.value(x[i, j])) for j, nodes in enumerate(data.hosts)
        ]
        answer.allocation = data.allocation(node_of)
        answer.cost = data.cost(node_of)  # z_i may lie above what it has to be
        answer.bound = solver.best_objective_bound
        answer.history.append((job.elapsed(), answer.cost, answer.bound))
    return answer


def build(data: Plain) -> tuple[cp_model.CpModel, dict[tuple[int, int], Any]]:
    """The model and its x_ij."""
    model = cp_model.CpModel()
    x = {(i, j): model.new_bool_var("") for j, nodes in enumerate(data.hosts) for i in nodes}
    for j, nodes in enumerate(data.hosts):
        model.add_exactly_one(x[i, j] for i in nodes)
    objective = []
    for i, tasks in enumerate(data.tasks_of()):
        C, load = data.capacity[i], sum(data.demand[j] for j in tasks)
        if data.overload_price[i] * max(C, load) > _WIDEST:
            raise Unsupported("costs pass 64 bits")
        z = model.new_int_var(int(C), int(max(C, load)), "")
        model.add(sum(data.demand[j] * x[i, j] for j in tasks) <= z)
        objective.append(data.overload_price[i] * z)
        for limit in data.limits:
            if not math.isinf(limit.have[i]):
                model.add(sum(limit.need[j] * x[i, j] for j in tasks) <= limit.have[i])
        if data.power_off:
            on = model.new_bool_var("")
            for j in tasks:
                model.add_implication(x[i, j], on)
            objective.append(data.price[i] * data.capacity[i] * on)
    model.minimize(sum(objective) + data.constant())
    return model, x


if __name__ == "__main__":
    serve(solve)
