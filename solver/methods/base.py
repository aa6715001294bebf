"""What a method gets and returns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..model.exact import Array
from ..model.proofs import Proof
from ..model.result import Termination
from ..problem.problem import Problem

__all__ = ["Method", "Options", "Outcome", "outcome_of"]


def _ignore(*_: object) -> None:
    """Default for the callbacks."""


@dataclass(frozen=True)
class Options:
    """How a method is to run.

    Attributes
    ----------
    deadline : float
        Value of ``time.monotonic()`` at which to stop.
    seed, num_workers : int
    rel_gap : float
        Stop once (cost - bound) / cost is at most this.
    start : (m,) int64 or None
        A feasible allocation to begin from.
    bound : int or None
        A proven bound in exact cost units, known beforehand.
    mip_solver : str
        The solver that method "mip" uses.
    round_limit : int or None
        Rounds after which a local search ends, for runs that can be repeated exactly.
    best : Best or None
        That of the method around this one, if there is one: see `best.Best.of`.
    on_incumbent, on_bound : callables
        Told of every better allocation (node positions) and every better bound (exact cost
        units, and what it rests on) as soon as they are found.
    """

    deadline: float
    seed: int = 0
    num_workers: int = 1
    rel_gap: float = 0.0
    start: Array | None = None
    bound: int | None = None
    mip_solver: str = "HiGHS"
    round_limit: int | None = None
    best: object | None = None
    on_incumbent: Callable[[Array], None] = field(default=_ignore)
    on_bound: Callable[[int, Proof], None] = field(default=_ignore)

    def seconds_left(self) -> float:
        """Seconds until the deadline, 0 if it has passed."""
        return max(0.0, self.deadline - time.monotonic())


@dataclass(frozen=True)
class Outcome:
    """What a method found; incumbents and bounds have gone through the callbacks already.

    Attributes
    ----------
    termination : Termination
    infeasible_because : str or None
        A proof, in words, that there is no allocation.
    proof : Proof or None
        What that proof rests on.
    unplaced : tuple of int
        Positions of the tasks that a heuristic could not place.
    message : str or None
    """

    termination: Termination
    infeasible_because: str | None = None
    proof: Proof | None = None
    unplaced: tuple[int, ...] = ()
    message: str | None = None


Method = Callable[[Problem, Options], Outcome]


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
