"""The default: cheap answers first, then proof, then search as far as it pays."""

from __future__ import annotations

from dataclasses import replace

from ..bounds import linear_bound
from ..cost import cost_in_units
from ..engines.process import EngineCrash
from ..errors import BackendUnavailableError
from ..exact import Array
from ..formulation import count_cells
from ..presolve import Problem
from ..result import Termination
from .base import Options, Outcome
from .cp_sat import cp_sat
from .fit import best_fit, first_fit
from .greedy import greedy

__all__ = ["EXACT_CELLS", "auto"]

EXACT_CELLS = 60_000
"""Largest exact model, in cells (task class, node), that `auto` builds."""

_LARGE = 20_000_000


class _Best:
    """The best allocation and bound so far, passed on as they improve."""

    def __init__(self, problem: Problem, options: Options) -> None:
        self._problem, self._options = problem, options
        self.node_index = options.start
        self.cost = (
            None if options.start is None else cost_in_units(problem.instance, options.start)
        )
        self.bound = options.bound

    def incumbent(self, node_index: Array) -> None:
        """Keep and pass on an allocation if it is better."""
        cost = cost_in_units(self._problem.instance, node_index)
        if self.cost is None or cost < self.cost:
            self.node_index, self.cost = node_index.copy(), cost
            self._options.on_incumbent(node_index)

    def bounded(self, bound: int) -> None:
        """Keep and pass on a bound if it is better."""
        if self.bound is None or bound > self.bound:
            self.bound = bound
            self._options.on_bound(bound)

    def settled(self) -> bool:
        """Whether the gap is closed, or as small as was asked for."""
        if self.cost is None or self.bound is None:
            return False
        return self.cost - self.bound <= self._options.rel_gap * self.cost

    def outcome(self, otherwise: Termination) -> Outcome:
        """How the run ended."""
        if self.cost is not None and self.cost == self.bound:
            return Outcome(Termination.PROVEN)
        return Outcome(Termination.GAP_REACHED if self.settled() else otherwise)


def auto(problem: Problem, options: Options) -> Outcome:
    """Run the baselines, the linear bound and, on small instances, CP-SAT.

    Stops as soon as the cost meets the bound.
    """
    best = _Best(problem, options)
    within = replace(options, on_incumbent=best.incumbent, on_bound=best.bounded)
    last = Outcome(Termination.FINISHED)
    large = problem.instance.num_tasks * problem.instance.num_nodes > _LARGE
    for heuristic in (greedy,) if large else (greedy, best_fit, first_fit):
        if best.settled():
            return best.outcome(Termination.FINISHED)
        last = heuristic(problem, within)
    if best.settled():
        return best.outcome(Termination.FINISHED)
    message = None
    try:
        best.bounded(linear_bound(problem, options.seconds_left()))
        if (
            not best.settled()
            and count_cells(problem) <= EXACT_CELLS
            and options.seconds_left() > 0
        ):
            exact = replace(within, start=best.node_index, bound=best.bound)
            return _merged(best, cp_sat(problem, exact))
    except (BackendUnavailableError, EngineCrash) as error:
        message = str(error).splitlines()[0]
    late = options.seconds_left() <= 0
    outcome = best.outcome(Termination.TIME_LIMIT if late else Termination.FINISHED)
    if best.node_index is None:
        return replace(last, termination=outcome.termination)
    return replace(outcome, message=message)


def _merged(best: _Best, exact: Outcome) -> Outcome:
    if exact.infeasible_because is not None:
        return exact
    return replace(best.outcome(exact.termination), message=exact.message)
