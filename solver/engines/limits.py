"""The solvers as modules that a child runs, and when a child is ended that does not end itself."""

from __future__ import annotations

__all__ = ["CP_SAT", "GLOP", "INTERIOR", "MIP", "hard_limit"]

CP_SAT = "solver.engines.cp_sat"
GLOP = "solver.engines.glop"
INTERIOR = "solver.bounds.large.interior"
MIP = "solver.engines.mip"


def hard_limit(seconds: float) -> float:
    """When a child that should stop after `seconds` is killed."""
    return 1.05 * seconds + 0.7
