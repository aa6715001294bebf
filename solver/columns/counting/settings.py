"""The numbers that were tuned for branching on how many nodes of each class are on."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["COUNTING"]


@dataclass(frozen=True)
class CountingSettings:
    """The program of the numbers, packing, and column generation with given numbers.

    Set by trials on the family `fleet` with 50 to 1,000 tasks, and on rentals of eighths of GPUs.
    """

    counted_classes: int = 16
    """Up to so many classes of nodes it is branched on how many of each are on."""
    number_branches: int = 50_000
    """Branches of the program of these numbers."""
    near: float = 2e-4
    """How near to the master's value its bound has to come, where only nodes have a cost."""
    counted_effort: int = 2_000_000
    """Branches of an exact pricing at most, with given numbers of nodes."""
    cut_effort: int = 300_000
    """Branches of a pricing that makes a cut for them."""
    packing_tries: int = 1_000_000
    """Moves and exchanges that pack all tasks onto given nodes, to begin with."""
    longer_packing: int = 8
    """Times as many where there is time for column generation with given numbers."""
    tries_a_pair: float = 5e-5
    """The same as a share, for each pair of task and node, if that is more than 1."""
    approaches: int = 10
    """Numbers with room to spare that are tried first."""
    first_slack: float = 0.01
    """Room that the first of them has to spare, as a share; three times as much if it is needed."""
    least_slack: float = 0.0002
    """Least difference of room between them."""
    most_packs: int = 4
    """Numbers that are tried by packing alone."""
    most_packed: int = 50_000_000
    """Most pairs of task and node in that."""
    probe_share: float = 0.2
    """Share of the time left for the relaxation with given numbers."""
    number_dive_share: float = 0.2
    """The same for dives with them."""
    number_dives: int = 4
    """Dives with them at most."""


COUNTING = CountingSettings()
