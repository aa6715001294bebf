"""The assignment model solved to proven optimality by OR-Tools CP-SAT."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..engines.limits import CP_SAT, hard_limit
from ..engines.process import HardLimitReached, run_job
from ..judge.cost import cost_in_units
from ..model.exact import Array
from ..model.proofs import Proof
from ..model.result import Termination
from ..problem.grid import make_grid
from ..problem.problem import Problem
from ..programs.assignment import AssignmentModel, assignment_model
from .base import Options, Outcome, keeps_rules, outcome_of

__all__ = ["cp_sat"]


def cp_sat(problem: Problem, options: Options) -> Outcome:
    """Solve the model over task classes and nodes; warm-started, incumbents as they come.

    Where costs are rounded, what is found leaves room for more digits: then once more with these.

    Raises
    ------
    ModelTooLargeError
        If the model would have too many variables.
    """
    outcome, found = _solve(problem, options)
    while found is not None and outcome.termination is Termination.PROVEN:
        options = replace(options, start=found)
        outcome, found = _solve(problem, options)
    return outcome


def _solve(problem: Problem, options: Options) -> tuple[Outcome, Array | None]:
    """Solve the model once; the outcome, and what was found below the start at rounded costs."""
    built = _model(problem, options)
    grid = built.grid
    hint = built.hint(options.start)
    lower, upper = _objective_limits(options, built, hint)
    rounded: list[tuple[int, Array]] = []
    if not grid.exact_cost and options.start is not None:
        rounded.append((cost_in_units(problem.instance, options.start), options.start))

    def offer(values: Array) -> None:
        node_index = built.decode(values)
        assert node_index is not None  # CP-SAT's values are whole
        if (grid.exact_limits and built.exact_budget) or keeps_rules(problem, node_index):
            options.on_incumbent(node_index)
            if not grid.exact_cost:
                cost = cost_in_units(problem.instance, node_index)
                if not rounded or cost < rounded[-1][0]:
                    rounded.append((cost, node_index))

    def news(item: tuple[str, Any]) -> None:
        kind, content = item
        if kind == "solution":
            offer(content)
        else:
            options.on_bound(grid.bound_in_units(content), Proof.CP_SAT)

    left = options.seconds_left()
    try:
        answer = run_job(
            CP_SAT,
            "solve_model",
            {
                "model": built.model,
                "hint": hint,
                "objective_lower": lower,
                "objective_upper": upper,
                "time_limit": left,
                "seed": options.seed,
                "num_workers": options.num_workers,
                "rel_gap": options.rel_gap,
                "deterministic_limit": None,
            },
            hard_limit=hard_limit(left),
            on_news=news,
        )
    except HardLimitReached:
        return Outcome(Termination.TIME_LIMIT), None
    if answer["values"] is not None:
        offer(answer["values"])
    if answer["bound"] is not None:
        news(("bound", answer["bound"]))
    better = [node_index for _, node_index in rounded if node_index is not options.start]
    return outcome_of(problem, options, answer["status"]), better[-1] if better else None


def _model(problem: Problem, options: Options) -> AssignmentModel:
    """The model to prove on; where costs are rounded, that on the grid which loses less.

    With an allocation to begin from, dearer ones need not fit into the numbers, which often
    leaves room for every digit. Else what it costs on a grid shows how much is rounded away.
    """
    built = assignment_model(problem, problem.outer_grid, outer=True)
    start = options.start
    if built.grid.exact_cost or start is None:
        return built
    upper = cost_in_units(problem.instance, start)
    grid = make_grid(problem.instance, outer=True, upper=upper)
    closer = assignment_model(problem, grid, outer=True)
    if grid.exact_cost:
        return closer
    return max(built, closer, key=lambda model: _rounded_cost(model, start))


def _rounded_cost(built: AssignmentModel, node_index: Array) -> int:
    """What an allocation costs on the grid of a model, in exact units."""
    return built.grid.bound_in_units(built.objective_of(node_index))


def _objective_limits(
    options: Options, built: AssignmentModel, hint: Array | None
) -> tuple[int, int]:
    """Limits on the objective that some optimal solution keeps, known beforehand."""
    grid, model = built.grid, built.model
    most = int((model.objective.astype(object) * model.upper.astype(object)).sum())
    lower = 0
    if options.bound is not None and grid.exact_cost:
        lower = max(0, -(-(options.bound - grid.offset) // grid.cost_unit))
    if hint is not None:
        objective = (model.objective.astype(object) * hint.astype(object)).sum()
        most = min(most, int(objective))
    return min(lower, most), most
