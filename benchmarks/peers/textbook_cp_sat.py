"""The textbook model (`plain`, or `whole`) in OR-Tools CP-SAT, as by hand: nothing clever."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from ortools.sat.python import cp_model

from .plain import BeyondPlain, Plain, integers_only, plain
from .protocol import Answer, Job, Unsupported, serve, version_of
from .whole import Program, Whole, scale_of

_STATUS = {
    cp_model.OPTIMAL: "optimal",
    cp_model.FEASIBLE: "feasible",
    cp_model.INFEASIBLE: "infeasible",
    cp_model.UNKNOWN: "unknown",
}
_WIDEST = 2**62


class _History(cp_model.CpSolverSolutionCallback):
    def __init__(self, job: Job, scale: int) -> None:
        super().__init__()
        self._job, self._scale = job, scale
        self.points: list[tuple[float, float | None, float | None]] = []

    def on_solution_callback(self) -> None:
        cost = in_units(round(self.objective_value), self._scale)
        bound = self.best_objective_bound / self._scale
        self.points.append((self._job.elapsed(), cost, bound))


def solve(job: Job) -> Answer:
    """Build and solve; the plain model refuses decimals, as CP-SAT takes integers only."""
    instance = job.instance()
    try:
        data: Plain | Whole = integers_only(plain(instance))
    except BeyondPlain:
        data = Whole(instance)
    scale = 1
    if isinstance(data, Whole):
        model, variables, scale = build_whole(data.program)
    else:
        model, x = build(data)
    built = job.elapsed()
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = job.workers
    solver.parameters.random_seed = job.seed
    solver.parameters.max_time_in_seconds = job.left()
    history = _History(job, scale)
    status = solver.solve(model, history)
    if status == cp_model.MODEL_INVALID and isinstance(data, Whole):
        raise Unsupported("CP-SAT does not take numbers as wide")
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
    if answer.status not in ("optimal", "feasible"):
        return answer
    if isinstance(data, Whole):
        found = data.placement(lambda number: solver.value(variables[number]))
        if found is None:
            raise RuntimeError("CP-SAT: the solution is no placement")
        answer.allocation, answer.cost = data.allocation(found), data.cost(found)
    else:
        node_of = [
            next(i for i in nodes if solver.value(x[i, j])) for j, nodes in enumerate(data.hosts)
        ]
        # z_i may lie above what it has to be
        answer.allocation, answer.cost = data.allocation(node_of), data.cost(node_of)
    answer.bound = in_units(solver.best_objective_bound, scale)
    answer.history.append((job.elapsed(), answer.cost, answer.bound))
    return answer


def in_units(value: float, scale: int) -> int | float:
    """The user's unit of a number in integers of CP-SAT."""
    return value / scale if scale != 1 else value


def build_whole(program: Program) -> tuple[cp_model.CpModel, list[Any], int]:
    """The model in integers, its variables, and the factor of its objective."""
    model = cp_model.CpModel()
    units = [1] * len(program.variables)
    most = [variable.high for variable in program.variables]
    for terms, low, high in program.rows:
        for number in terms:
            if not program.variables[number].integer:  # it stands in this row alone
                units[number] = scale_of([*terms.values(), low, high])
                most[number] = sum(a for a in terms.values() if a > 0)
    tops = [int((high or 0) * unit) for high, unit in zip(most, units, strict=True)]
    if max(tops, default=0) > _WIDEST:
        raise Unsupported("a load passes 64 bits")
    variables = [
        model.new_int_var(int(variable.low * unit), top, "")
        for variable, unit, top in zip(program.variables, units, tops, strict=True)
    ]
    for terms, low, high in program.rows:
        scale = scale_of([*terms.values(), low, high])
        row = [int(a * scale) // units[number] for number, a in terms.items()]
        if sum(abs(a) * tops[number] for a, number in zip(row, terms, strict=True)) > _WIDEST:
            raise Unsupported("a row passes 64 bits")
        total = sum(a * variables[number] for a, number in zip(row, terms, strict=True))
        if low == high:
            model.add(total == int(low * scale))
            continue
        if low is not None:
            model.add(total >= int(low * scale))
        if high is not None:
            model.add(total <= int(high * scale))
    prices = {number: Fraction(a, units[number]) for number, a in program.cost.items() if a}
    scale = scale_of([*prices.values(), program.constant])
    span = sum(abs(a * scale) * tops[number] for number, a in prices.items())
    if span + abs(program.constant * scale) > _WIDEST:
        raise Unsupported("costs pass 64 bits")
    cost = sum(int(a * scale) * variables[number] for number, a in prices.items())
    model.minimize(cost + int(program.constant * scale))
    return model, variables, scale


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
