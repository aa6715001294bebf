"""The tuned numbers of the search among listed columns; `solver.settings` has the others."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PARTITION"]


@dataclass(frozen=True)
class PartitionSettings:
    """Listing all columns within the gap, and the search for the cheapest choice among them.

    From few trials on few_per_node with all nodes different and independent storage of 0.97.
    """

    share: float = 0.3
    """Share of the time left, in every step."""
    again: float = 0.5
    """It is tried again where the gap has come down to this part of what it was."""
    most_members: int = 4096
    """Up to so many tasks and nodes together; all sums then stay in 64 bits."""
    most_columns: int = 300_000
    """Up to so many columns are listed."""
    listing_branches: int = 5_000_000
    """Branches of listing those of a node class."""
    most_listings: int = 6
    """How often they may be too many."""
    narrower: int = 2
    """Part of the distance that is tried then."""
    first_part: int = 256
    """Part of the distance that is searched first."""
    growth: float = 1.6
    """By how much the distance grows where nothing is found."""
    batch: int = 20_000_000
    """How often columns are looked at between looks at the clock, about."""


PARTITION = PartitionSettings()
