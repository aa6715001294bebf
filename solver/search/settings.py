"""The tuned numbers of searches with a part of their own; `solver.settings` has the others."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PACKING", "SWITCHING"]


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


@dataclass(frozen=True)
class SwitchingSettings:
    """Annealing where nodes may be off.

    Set by trials on few_per_node with 100 nodes, all different, and on clusters of computers of
    different sizes and prices with three tasks each, one worker.
    """

    most_tasks: int = 20_000
    """Largest number of tasks."""
    most_a_node: float = 12.0
    """Most tasks a node."""
    after: int = 3
    """Rounds of the search without an improvement before a run."""
    tries_a_task: int = 20_000
    """Tries of the first run for each task."""
    growth: int = 3
    """So many times as many in the next one."""
    dry: int = 3
    """Runs without an improvement after which there are no more."""
    least_share: float = 0.3
    """No run begins that would have less than this share of the seconds of the one before."""
    nodes_a_part: int = 100
    """Nodes of a part at least, of parts that are annealed side by side."""
    of_time_left: float = 0.9
    """Share of the time left in which a run ends at last."""
    stages: int = 64
    """Parts of a run at least, between which it looks at the clock."""
    tries_together: int = 500_000
    """Tries of a part at most."""
    heat: tuple[float, float] = (0.03, 3e-5)
    """First and last temperature, as a share of the mean cost of a node that is on."""
    steep: tuple[float, float] = (0.3, 10.0)
    """First and last slope of the idle cost over how full a node is."""
    steep_until: float = 0.6
    """The share of a run at which the last one is reached."""
    weight: float = 1.75
    """Price of a unit beyond a limit to begin with, in units of the cost for each unit needed."""
    control: float = 0.005
    """By what share it changes at a time."""
    range: float = 1e6
    """By what factor it may differ from the first one."""
    control_from: float = 0.5
    """The share of a run from which it does."""


SWITCHING = SwitchingSettings()
