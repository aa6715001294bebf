"""A method run on the instance in which tasks that must share a node are one task."""

from __future__ import annotations

from dataclasses import replace

from ...problem.merging import merged
from ...problem.problem import Problem
from ..base import Method, Options, Outcome

__all__ = ["run_on_merged"]


def run_on_merged(method: Method, problem: Problem, options: Options) -> Outcome:
    """Run a method, on the merged instance if there is one; its finds are those of the whole."""
    found = None if problem.modes is None else merged(problem.instance)
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
