"""The default: cheap answers first, then proof, then search as far as it pays."""

from __future__ import annotations

from dataclasses import replace

from ..bounds import linear_bound
from ..engines.process import EngineCrash, warm_up
from ..errors import BackendUnavailableError
from ..formulation import count_cells
from ..presolve import Problem
from ..result import Termination
from .base import Options, Outcome
from .cp_sat import ENGINE, cp_sat
from .warm_start import Best, run_baselines

__all__ = ["EXACT_CELLS", "auto"]

EXACT_CELLS = 60_000
"""Largest exact model, in cells (task class, node), that `auto` builds."""


def auto(problem: Problem, options: Options) -> Outcome:
    """Run the baselines, the linear bound and, on small instances, CP-SAT.

    Stops as soon as the cost meets the bound.
    """
    best = Best(problem, options)
    baseline = run_baselines(best, problem, options)
    if best.settled():
        return best.outcome(Termination.FINISHED)
    message = None
    try:
        small = count_cells(problem) <= EXACT_CELLS
        if small:
            warm_up(ENGINE)  # it starts while the bound is computed
        best.bounded(linear_bound(problem, options.seconds_left()))
        if small and not best.settled() and options.seconds_left() > 0:
            exact = cp_sat(problem, best.within(options))
            if exact.infeasible_because is not None:
                return exact
            return replace(best.outcome(exact.termination), message=exact.message)
    except (BackendUnavailableError, EngineCrash) as error:
        message = str(error).splitlines()[0]
    late = options.seconds_left() <= 0
    outcome = best.outcome(Termination.TIME_LIMIT if late else Termination.FINISHED)
    if best.node_index is None:
        return replace(baseline, termination=outcome.termination)
    return replace(outcome, message=message)
