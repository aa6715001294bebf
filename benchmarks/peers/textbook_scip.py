"""The textbook model (`plain`, or `whole`) in PySCIPOpt. SCIP as packaged runs on one thread."""

from __future__ import annotations

import math
from typing import Any

import pyscipopt

from .plain import BeyondPlain, Plain, plain
from .protocol import Answer, Job, serve, version_of
from .whole import Program, Whole

_STATUS = {"optimal": "optimal", "infeasible": "infeasible"}


class _History(pyscipopt.Eventhdlr):
    def __init__(self, job: Job) -> None:
        self._job = job
        self.points: list[tuple[float, float | None, float | None]] = []

    def eventinit(self) -> None:
        self.model.catchEvent(pyscipopt.SCIP_EVENTTYPE.BESTSOLFOUND, self)

    def eventexec(self, event: Any) -> None:
        cost, bound = self.model.getPrimalbound(), self.model.getDualbound()
        point = _finite(self.model, cost), _finite(self.model, bound)
        self.points.append((self._job.elapsed(), *point))


def solve(job: Job) -> Answer:
    """Build and solve."""
    instance = job.instance()
    data: Plain | Whole
    try:
        data = plain(instance)
        model, x = build(data)
    except BeyondPlain:
        data = Whole(instance)
        model, variables = build_whole(data.program)
    history = _History(job)
    model.includeEventhdlr(history, "history", "incumbents as they come")
    built = job.elapsed()
    model.setParam("limits/time", job.left())
    model.setParam("limits/gap", 0.0)
    model.setParam("randomization/randomseedshift", job.seed)
    model.optimize()
    answer = Answer(
        status=_STATUS.get(model.getStatus(), "unknown"),
        termination=model.getStatus(),
        bound=_finite(model, model.getDualbound()),
        build_seconds=built,
        solve_seconds=job.elapsed() - built,
        history=history.points,
        versions={"pyscipopt": version_of("pyscipopt"), "scip": str(model.version())},
    )
    if model.getNSols() and answer.status != "infeasible":
        best = model.getBestSol()
        found: Any
        if isinstance(data, Whole):
            found = data.placement(lambda number: model.getSolVal(best, variables[number]) > 0.5)
            if found is None:
                raise RuntimeError("SCIP: the solution is no placement")
        else:
            found = [
                max(nodes, key=lambda i, j=j: model.getSolVal(best, x[i, j]))  # type: ignore[misc]
                for j, nodes in enumerate(data.hosts)
            ]
        answer.status = "optimal" if answer.status == "optimal" else "feasible"
        answer.allocation = data.allocation(found)
        answer.cost = data.cost(found)
        answer.history.append((job.elapsed(), answer.cost, answer.bound))
    return answer


def build(data: Plain) -> tuple[pyscipopt.Model, dict[tuple[int, int], Any]]:
    """The model and its x_ij."""
    model = pyscipopt.Model("textbook")
    model.hideOutput()
    x = {(i, j): model.addVar(vtype="B") for j, nodes in enumerate(data.hosts) for i in nodes}
    objective = pyscipopt.Expr() + data.constant()
    for nodes in data.hosts:
        if not nodes:
            model.addCons(model.addVar(lb=0, ub=0) >= 1)
    for j, nodes in enumerate(data.hosts):
        model.addCons(pyscipopt.quicksum(x[i, j] for i in nodes) == 1)
    for i, tasks in enumerate(data.tasks_of()):
        load = pyscipopt.quicksum(data.demand[j] * x[i, j] for j in tasks)
        z = model.addVar(vtype="C", lb=data.capacity[i])
        model.addCons(load <= z)
        objective = objective + data.overload_price[i] * z
        for limit in data.limits:
            if not math.isinf(limit.have[i]) and tasks:
                need = pyscipopt.quicksum(limit.need[j] * x[i, j] for j in tasks)
                model.addCons(need <= limit.have[i])
        if data.power_off:
            on = model.addVar(vtype="B")
            for j in tasks:
                model.addCons(x[i, j] <= on)
            objective = objective + data.price[i] * data.capacity[i] * on
    model.setObjective(objective, "minimize")
    return model, x


def build_whole(program: Program) -> tuple[pyscipopt.Model, list[Any]]:
    """The model and its variables."""
    model = pyscipopt.Model("textbook")
    model.hideOutput()
    variables = [
        model.addVar(
            vtype="I" if one.integer else "C",
            lb=float(one.low),
            ub=None if one.high is None else float(one.high),
        )
        for one in program.variables
    ]
    for terms, low, high in program.rows:
        total = pyscipopt.quicksum(float(a) * variables[number] for number, a in terms.items())
        if low is not None:
            model.addCons(total >= float(low))
        if high is not None:
            model.addCons(total <= float(high))
    cost = pyscipopt.quicksum(float(a) * variables[n] for n, a in program.cost.items() if a)
    model.setObjective(cost + float(program.constant), "minimize")
    return model, variables


def _finite(model: pyscipopt.Model, value: float) -> float | None:
    return None if model.isInfinity(abs(value)) else float(value)


if __name__ == "__main__":
    serve(solve)
