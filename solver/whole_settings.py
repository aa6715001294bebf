"""The tuned numbers of the search on whole models; `settings` has the others, and these too."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PATTERNS", "REBALANCING", "WHOLE_SEARCH"]


@dataclass(frozen=True)
class PatternSettings:
    """Patterns of what nodes hold, where there are many tasks of few classes.

    Set by trials on `serving` with 400 to 100,000 tasks.
    """

    tasks_per_class: int = 8
    """Tasks a class at least, on the average."""
    nodes_per_class: int = 2
    """Nodes a class at least, on the average."""
    pairs: int = 20_000
    """Up to so many pairs of mode and node class."""
    share: float = 0.7
    """Share of the time for them."""
    relaxation_share: float = 0.6
    """Of this, the share for the relaxation."""
    remainder: float = 24.0
    """Nodes that are left to an exact model."""
    spare: int = 1
    """Nodes of each class beyond what the relaxation wants that it may use."""
    exact_share: float = 0.7
    """Share of the time left for it."""
    exact_gap: float = 3e-4
    """Relative gap at which it may stop."""
    rounds: int = 5
    """Rounds of column generation between looks at the value."""
    near: float = 2e-4
    """How near to the bound the value has to come, relatively."""
    at_once: float = 0.2
    """Share of the nodes left dealt with at once, where columns are used less than once."""
    later_rounds: int = 6
    """Rounds after some patterns are chosen."""
    kept: int = 6
    """Columns taken from one pricing."""
    factors: int = 7
    """Multipliers that are tried in one."""
    factor_step: float = 0.3
    """By what share the second differs from the first, which is the Lagrangian's."""
    buckets: int = 2048
    """Buckets of the capacity that is kept."""


@dataclass(frozen=True)
class WholeSearchSettings:
    """The search on models with variants, parts, rules or moves."""

    batch: int = 500
    """Tasks that a pass works on between looks at the clock, to begin with."""
    seconds: float = 0.1
    """Seconds between them, about."""
    tasks_a_round: int = 10_000
    """Tasks that are put anew in a round."""
    pairs: int = 400_000
    """Pairs of parts looked at between looks at the clock, about, in exchanges."""
    partners: int = 8
    """Nodes with which exchanges are tried in vain before a node is left."""
    emptied: int = 128
    """Nodes that a round tries to empty."""
    ruins: int = 4_000
    """Tasks that a round takes off and puts back, about."""
    efforts: tuple[int, ...] = (3, 6, 4, 12, 3, 24, 8, 5)
    """Tasks of a ruin, in turn."""
    guided_rows: int = 500
    """From so many rows on the linear relaxation tells where to begin."""
    deals: int = 20
    """How often what it says is dealt to the nodes, to fewer or more of each class."""
    dealing_share: float = 0.4
    """Share of the time for that."""
    first_deals: int = 8
    """Of these the first ones are to fewer or more nodes of every class at once."""
    last_deals: int = 2
    """Of these the last ones are to as few nodes as were enough for each class before."""
    shifted: int = 100
    """Parts that change domains to keep a spread in whole numbers, at most."""
    repairs: int = 5
    """Passes over all parts that a deal is mended in."""
    spare_nodes: float = 0.01
    """Share of nodes beyond what the sums of needs ask for, at first."""
    dealing_steps: int = 400
    """By which part of its nodes a class that needed no more gets fewer the next time."""
    relaxation_share: float = 0.4
    """Share of the time for that."""
    near: float = 5e-3
    """Within this of the bound, patterns are not tried again."""
    few_tasks: int = 5_000
    """Up to so many tasks a round may go through dearer allocations."""
    slack: float = 0.5
    """How much dearer, in mean costs of a task."""
    least_patience: int = 60
    """Rounds without an improvement after which it ends, at least."""
    most_patience: int = 600
    """The same at most."""


@dataclass(frozen=True)
class RebalancingSettings:
    """What `rebalance` does before and after it solves.

    Set by trials on the openb trace with a twentieth of the demands changed, caps of 5 to 400
    moves, two workers, 30 seconds.
    """

    mending_share: float = 0.2
    """Share of the time for a start in which as much stays as can."""
    share: float = 0.5
    """Share of the time for searches in which moves have a price."""
    tasks_a_move: int = 20
    """Where moves are not capped, one of so many tasks may move in them."""
    most_of_saving: float = 0.99
    """From this share of the saving on a plan of far fewer moves is told of."""
    far_fewer: float = 0.5
    """Share of the moves that are far fewer."""
    steps: int = 4
    """Searches, each with another price."""
    first_price: int = 6
    """How many times the moves of the cap would pay for all there is to gain, at first."""
    rise: int = 2
    """By how much the price rises where more move than may, or falls where nearly as many do."""
    fall: int = 4
    """By how much it falls where fewer do."""
    near: float = 0.7
    """From which share of the cap on that is."""
    fewer_share: float = 0.25
    """Share of the time for fewer moves at the same cost."""
    order_share: float = 0.15
    """Share of the time for the order of the moves."""
    least_order: float = 0.5
    """Seconds for the first attempt at least."""
    most_order: float = 10.0
    """Seconds for it at most."""


PATTERNS = PatternSettings()
REBALANCING = RebalancingSettings()
WHOLE_SEARCH = WholeSearchSettings()
