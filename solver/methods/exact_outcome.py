"""What the exact methods share: their limits and how they end."""

from __future__ import annotations

from ..model.proofs import Proof
from ..model.result import Termination
from ..problem.problem import Problem
from .base import Options, Outcome

__all__ = ["hard_limit", "outcome_of"]


def hard_limit(seconds: float) -> float:
    """When a child that should stop after `seconds` is killed."""
    return 1.05 * seconds + 0.7


def outcome_of(problem: Problem, options: Options, status: str) -> Outcome:
    """How a run ended, from the engine's word for it.

    "infeasible" is believed of CP-SAT, which computes in integers, on the outer grid only.
    """
    if status == "optimal":
        return Outcome(Termination.GAP_REACHED if options.rel_gap else Termination.PROVEN)
    if status == "infeasible":
        limits = ", ".join(("eligibility", *problem.instance.exact.dimensions))
        return Outcome(
            Termination.PROVEN,
            infeasible_because=(
                f"no assignment of whole tasks keeps every limit at once ({limits}): "
                "proved by exhaustive search"
            ),
            proof=Proof.CP_SAT,
        )
    # A little before the deadline or after: nothing but the limit ends these searches early.
    return Outcome(Termination.TIME_LIMIT)
