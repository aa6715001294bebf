"""What a bound, or the proof that there is no allocation, rests on; see docs/proofs.md."""

from __future__ import annotations

import enum

__all__ = ["Proof", "mip_proof"]


class Proof(enum.Enum):
    """The code and the solver that a claim rests on, weakest assumptions first."""

    LIMITS = "necessary conditions, checked in exact integers"
    CLOSED_FORM = "closed form, in exact integers"
    MOVES = "what nodes can gain by the moves that there may be, in exact integers"
    LINEAR = "linear relaxation: prices of a linear program, evaluated in exact integers"
    COLUMNS = "column generation: prices by GLOP, pricing and evaluation of nodewise"
    BRANCHING = "branch and price: prices by GLOP, pricing and evaluation of nodewise"
    CP_SAT = "exhaustive search by OR-Tools CP-SAT, in integers"
    LISTED_CBC = (
        "all columns within the gap listed by nodewise, the best of them chosen by CBC in floating "
        "point, lowered by its tolerances"
    )
    HIGHS = "branch and bound by HiGHS in floating point, lowered by its tolerances"
    CBC = "branch and bound by CBC in floating point, lowered by its tolerances"
    OTHER_MIP = (
        "branch and bound by a solver of the user's choice in floating point, lowered by the "
        "tolerances usual for such solvers"
    )


def mip_proof(solver: str) -> Proof:
    """What a claim of a mixed-integer solver rests on.

    >>> mip_proof("HiGHS") is Proof.HIGHS
    True
    """
    return {"HiGHS": Proof.HIGHS, "CBC": Proof.CBC}.get(solver, Proof.OTHER_MIP)
