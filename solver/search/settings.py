"""The tuned numbers of the search for a first allocation; `solver.settings` has the others."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PACKING"]


@dataclass(frozen=True)
class PackingSettings:
    """The search for an allocation that keeps all limits, where there is little room.

    Set by trials on the suite vector_packing, one worker.
    """

    steps: int = 200
    """Steps of breakout in a round at least."""
    steps_per_task: int = 20
    """The same for every task, further."""
    looks: int = 20_000_000
    """Exchanges it looks at in a round, about."""
    seconds_a_task: float = 0.001
    """Seconds of a round of several workers, for each task."""
    most_seconds: float = 0.5
    """The same in all at most."""
    steps_together: int = 50
    """Steps between looks at the clock."""
    most_tasks: int = 5_000
    """Largest number of tasks for which nodes are filled exactly."""
    most_kinds: int = 4
    """Most capacities of nodes for which overload is avoided by exact fills."""
    rounds: int = 60
    """Rounds of that at most."""
    listed_a_node: float = 7.0
    """Most tasks a node for which all sets that fill one are listed."""
    listed_tasks: int = 600
    """Largest number of tasks for which they are."""
    most_fills: int = 200_000
    """Sets that are listed for a kind of node at most."""
    sets_a_part: int = 2**19
    """Halves of such sets that are held at once, about."""
    covers: int = 60
    """Attempts at an exact cover, each in another order."""
    cover_branches: int = 100_000
    """Branches of each."""
    halves_a_round: int = 2**20
    """Halves of sets that are tried in a round, about."""
    budgets: tuple[int, ...] = (2**14, 2**16, 2**18, 2**20)
    """Halves of sets that are tried to fill a node, first few and then more."""
    emptied: int = 7
    """Nodes that are emptied at most where one cannot be filled."""
    eject_every: int = 64
    """With every so manyth round of the search tasks are ejected as well, which takes long."""


PACKING = PackingSettings()
