"""A method run on a simpler instance: tasks merged that share a node, idle limits left out."""

from __future__ import annotations

from dataclasses import replace

from ...problem.merging import merged, without_implied
from ...problem.problem import Problem
from ..base import Method, Options, Outcome

__all__ = ["run_on_merged"]


def run_on_merged(method: Method, problem: Problem, options: Options) -> Outcome:
    """Run a method, on a simpler instance if there is one; its finds are those of the given one."""
    if problem.modes is None:
        simpler = without_implied(problem.instance)
        return method(problem if simpler is None else Problem(simpler), options)
    found = merged(problem.instance)
    if found is None:
        return method(problem, options)
    within = replace(
        options,
        start=None if options.start is None else found.reduce(options.start),
        bound=found.bound_in_merged(options.bound),
        best=None,
        on_incumbent=lambda place: options.on_incumbent(found.expand(place)),
        on_bound=lambda bound, proof: options.on_bound(found.bound_in_whole(bound), proof),
    )
    outcome = method(Problem(found.instance), within)
    return replace(outcome, unplaced=found.tasks_in(outcome.unplaced))
