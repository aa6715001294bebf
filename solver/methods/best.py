"""Baselines first: what every method that starts from an allocation begins with."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from ..engines.process import EngineCrash
from ..judge.cost import cost_in_units
from ..model.exact import Array
from ..model.proofs import Proof
from ..model.result import Termination
from ..problem.problem import Problem
from ..programs.assignment import require_buildable
from .base import Method, Options, Outcome
from .fit import best_fit, first_fit
from .greedy import greedy
from .placing.construction import is_large

__all__ = ["Best", "run_baselines", "warm_started"]


class Best:
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
            if self.bound is not None and cost < self.bound:
                self.bound = None  # refuted
            self._options.on_incumbent(node_index)

    def bounded(self, bound: int, proof: Proof) -> None:
        """Keep and pass on a bound if it is better.

        One above the cost of an allocation is refuted: it is passed on, to be reported, but
        nothing is concluded from it.
        """
        if self.bound is None or bound > self.bound:
            if self.cost is None or bound <= self.cost:
                self.bound = bound
            self._options.on_bound(bound, proof)

    def within(self, options: Options) -> Options:
        """The options for a method whose finds are to go through this."""
        return replace(
            options,
            start=self.node_index,
            bound=self.bound,
            on_incumbent=self.incumbent,
            on_bound=self.bounded,
        )

    def settled(self) -> bool:
        """Whether the gap is closed, or as small as was asked for."""
        if self.cost is None or self.bound is None:
            return False
        return self.cost - self.bound <= Fraction(self._options.rel_gap) * self.cost

    def outcome(self, otherwise: Termination) -> Outcome:
        """How the run ended."""
        if self.cost is not None and self.cost == self.bound:
            return Outcome(Termination.PROVEN)
        return Outcome(Termination.GAP_REACHED if self.settled() else otherwise)


def run_baselines(best: Best, problem: Problem, options: Options) -> Outcome:
    """Run greedy, best fit and first fit until one meets the bound; only greedy if large.

    Returns
    -------
    Outcome
        That of the last one that ran.
    """
    within = best.within(options)
    outcome = Outcome(Termination.FINISHED)
    for heuristic in (greedy,) if is_large(problem) else (greedy, best_fit, first_fit):
        if best.settled() or options.seconds_left() <= 0:
            break
        outcome = heuristic(problem, within)
    return outcome


def warm_started(exact: Method) -> Method:
    """An exact method that begins from the best baseline, and stops where that is optimal."""

    def run(problem: Problem, options: Options) -> Outcome:
        require_buildable(problem)
        best = Best(problem, options)
        run_baselines(best, problem, options)
        if best.settled():
            return best.outcome(Termination.FINISHED)
        try:
            outcome = exact(problem, best.within(options))
        except EngineCrash as error:
            if best.node_index is None:
                raise
            return Outcome(Termination.FINISHED, message=str(error).splitlines()[0])
        if outcome.infeasible_because is not None:
            return outcome
        return replace(best.outcome(outcome.termination), message=outcome.message)

    run.__doc__ = exact.__doc__
    return run
