"""What the exact methods share: their limits and how they end."""

from __future__ import annotations

from ..presolve import Problem
from ..proofs import Proof
from ..result import Termination
from .base import Options, Outcome

__all__ = ["hard_limit", "outcome_of"]

_NOT_PROVED = (
    "the solver finds no allocation, but the numbers have more digits than it can hold; "
    "nothing is proved"
)


def hard_limit(seconds: float) -> float:
    """When a child that should stop after `seconds` is killed."""
    return 1.05 * seconds + 0.7


def outcome_of(
    problem: Problem, options: Options, status: str, proof: Proof, *, trusted: bool
) -> Outcome:
    """How a run ended, from the engine's word for it.

    Parameters
    ----------
    proof : Proof
        What a claim of the engine rests on.
    trusted : bool
        Whether "infeasible" for the engine's model is so for the instance.
    """
    if status == "optimal":
        return Outcome(Termination.GAP_REACHED if options.rel_gap else Termination.PROVEN)
    if status == "infeasible":
        if not trusted:
            return Outcome(Termination.FINISHED, message=_NOT_PROVED)
        limits = ", ".join(("eligibility", *problem.instance.exact.dimensions))
        return Outcome(
            Termination.PROVEN,
            infeasible_because=(
                f"no assignment of whole tasks keeps every limit at once ({limits}): "
                "proved by exhaustive search"
            ),
            proof=proof,
        )
    # A little before the deadline or after: nothing but the limit ends these searches early.
    return Outcome(Termination.TIME_LIMIT)
