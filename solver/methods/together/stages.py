"""The steps of `auto`: each a function of problem, options and the best so far."""

from __future__ import annotations

from dataclasses import replace

from ...bounds.linear import linear_bound
from ...bounds.modes.linear import divided_bound, why_relaxation_infeasible
from ...engines.limits import CP_SAT
from ...engines.process import await_warm
from ...kernels.build.ready import is_ready
from ...model.proofs import Proof
from ...model.result import Termination
from ...problem.problem import Problem
from ..base import Options, Outcome
from ..best import Best
from ..column_generation import prove
from ..cp_sat import cp_sat
from ..local_search import local_search, search_plainly
from ..plain_search import plain_search
from ..whole.bulk import place_in_bulk

__all__ = [
    "await_exact",
    "bound",
    "columns",
    "divide",
    "exact",
    "place",
    "plain",
    "search",
    "search_on",
    "wait_plainly",
]


def bound(problem: Problem, options: Options, best: Best) -> Outcome | None:
    """The linear bound; of whole models also whether the relaxation has a solution at all."""
    known = problem.modes is not None and any(proof is Proof.LINEAR for _, proof in best.claims)
    if not known:  # a search of a whole model may have begun from the relaxation

        def is_enough(found: int) -> bool:
            best.bounded(found, Proof.LINEAR)
            return best.settled()

        linear_bound(problem, options.seconds_left(), is_enough)
    if problem.modes is None or best.node_index is not None:
        return None
    reason = why_relaxation_infeasible(problem, options.seconds_left())
    if reason is None:
        return None
    return Outcome(Termination.PROVEN, infeasible_because=reason, proof=Proof.LINEAR)


def divide(problem: Problem, options: Options, best: Best) -> None:
    """The bound with whole numbers of nodes that are on."""
    if problem.modes is None:
        return
    found = divided_bound(problem, options.seconds_left())
    if found is not None:
        best.bounded(found, Proof.LINEAR)


def await_exact(problem: Problem, options: Options, best: Best) -> None:
    """Wait for the solver of the exact model, which is being loaded."""
    await_warm(CP_SAT, options.seconds_left())


def exact(problem: Problem, options: Options, best: Best) -> Outcome:
    """The assignment model by CP-SAT."""
    return cp_sat(problem, best.within(options))


def columns(problem: Problem, options: Options, best: Best) -> None:
    """Column generation, if its code is compiled."""
    if is_ready():
        prove(problem, options, best)


def place(problem: Problem, options: Options, best: Best) -> None:
    """Place a whole model by classes, if there is no allocation yet."""
    if best.node_index is None and problem.modes is not None:
        node_index = place_in_bulk(problem, options.seconds_left())
        if node_index is not None:
            best.incumbent(node_index)


def plain(problem: Problem, options: Options, best: Best) -> None:
    """A search without compiled code, until that is there."""
    plain_search(problem, options, best, is_ready)


def wait_plainly(problem: Problem, options: Options, best: Best) -> None:
    """The same, and then wait for the code."""
    search_plainly(problem, options, best)


def search(problem: Problem, options: Options, best: Best) -> Outcome:
    """Local search from the best allocation."""
    return local_search(problem, best.within(options))


def search_on(problem: Problem, options: Options, best: Best) -> Outcome:
    """The same with other random choices."""
    return local_search(problem, replace(best.within(options), seed=options.seed + 1))
