"""The numbers that were tuned, as data: what each does, and what it was set by.

What a proof rests on is not among them; such limits stand beside the code that needs them. Those
of the compiled code are in `kernels.settings`, because a change there means compiling anew; those
of counting nodes are in `columns.counting.settings`, those of ordering moves in `plan.settings`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .whole_settings import PATTERNS, WHOLE_SEARCH

__all__ = [
    "AUTO",
    "COLUMNS",
    "COLUMN_GENERATION",
    "LINEAR",
    "LOCAL_SEARCH",
    "PATTERNS",
    "PLACING",
    "PLAIN_SEARCH",
    "SEARCH",
    "WHOLE_SEARCH",
]


@dataclass(frozen=True)
class AutoSettings:
    """Which methods `auto` runs, in which order and how long. Its schedule is `methods.auto`.

    Set by trials on the suites grid_10, grid_20, grid_50 and textbook and on the openb trace, two
    workers, limits of 2 to 60 seconds; the sizes are where a step began to take its whole share.
    """

    exact_cells: int = 60_000
    """Largest exact model, in cells (task class, node), that is built."""
    column_pairs: int = 60_000
    """Up to so many pairs of task class and node class columns are generated."""
    small_cells: int = 2_000
    """Up to so many cells the exact model comes before the local search."""
    opening_cells: int = 1_000
    """Up to so many cells all workers begin with the exact model, before any search."""
    few_tasks: int = 6
    """Up to so many tasks a node, column generation proves more than the exact model."""
    repair_share: float = 0.02
    """Share of the time for the repair of a baseline, once there is compiled code."""
    glance: float = 0.04
    """Share of the time for what settles easy instances at once."""
    exact_share: float = 0.4
    """Share of the time for the exact model of a small instance, before the rest."""
    first_share: float = 0.5
    """Share of the time to search on where that has found no allocation."""
    search_share: float = 0.3
    """Share of the time for the first search of a large instance."""
    small_search_share: float = 0.1
    """The same of a small instance with many tasks a node."""
    column_share: float = 0.9
    """Share of the time for column generation where nodes hold few tasks."""
    column_share_of_many: float = 0.4
    """The same where they hold many."""
    later_share: float = 0.5
    """Share of the time for the exact model or a second search after column generation."""
    divide_share: float = 0.1
    """Share of the time for a bound with whole numbers of nodes that are on."""
    plain_share: float = 0.15
    """Share of the time for a plain search of a small instance, which rarely takes it."""
    least_plain: float = 1.0
    """Seconds for it at least, where there is time."""
    until_compiled: float = 0.5
    """Share of the time for a plain search while code is being compiled."""
    least_search: float = 2.0
    """Seconds for the first search at least, where there is time: loading it takes one."""
    await_share: float = 0.5
    """Share of the time for loading the solver of the exact model, which takes half a second."""
    least_glance: float = 1.0
    """Seconds for the first look at a small instance at least, where there is time."""
    early_share: float = 0.1
    """Share of the time for the exact model before the columns, beside a search."""
    least_early: float = 3.0
    """Seconds for it at least, where there is time."""
    longest_slice: float = 60.0
    """Seconds that a step of the proof takes at most when it runs for the first time."""
    least_stale: float = 2.0
    """Seconds without a gain after which the search makes way for a proof, at least."""
    stale_share: float = 0.5
    """The same as a share of the time until its last gain."""
    lately: float = 3.0
    """Seconds over which the gains of the search are measured."""
    worth: float = 1e-5
    """What columns are taken to gain a second, as a share of the cost, before they are tried."""
    in_vain: float = 3.0
    """How many times as long it is before a step that gained nothing when it last ran."""
    least_patience: float = 6.0
    """Seconds after which a step of the proof that gains nothing makes way for a search that does,
    at least."""
    patience_share: float = 0.3
    """The same as a share of the time."""
    dry_searches: int = 3
    """Searches without a gain after which the search helps to prove."""
    longest_pause: float = 1.0
    """Seconds between searches that have found nothing, at most."""
    trail: int = 200
    """Allocations that the search keeps for the proof, at most."""
    trail_rows: int = 5_000
    """Up to so many rows they are kept."""


@dataclass(frozen=True)
class ColumnGenerationSettings:
    """The method's shares of the time left, and its steps.

    Set by trials on grid_20 and grid_50, two workers, 60 seconds.
    """

    search_share: float = 0.05
    """For a local search, in the beginning and in every step."""
    mode_search: float = 2.0
    """Seconds for it at least where tasks have modes, up to half of what is left."""
    mode_gap: float = 0.02
    """Widest gap at which columns of modes are listed though the relaxation is not solved."""
    generate_share: float = 0.5
    """For the relaxation."""
    pack_share: float = 0.15
    """For packing all tasks onto the cheapest nodes that may do, where only nodes have a cost."""
    count_share: float = 0.7
    """For branching on how many nodes are on, where only nodes have a cost."""
    count_share_of_other: float = 0.2
    """The same where other things have a cost too."""
    try_share: float = 0.1
    """For the integer program over all columns known."""
    proof_share: float = 0.3
    """For the program over listed columns below a cost that is not the last."""
    dive_share: float = 0.3
    """For the dives of a step."""
    branch_share: float = 0.6
    """For branching."""
    dives: int = 4
    """Dives in the first step, twice as many with every step."""
    most_columns: int = 150_000
    """Up to so many columns of a node class are listed for a proof."""
    few_columns: int = 8_000
    """The same for trying to improve where a proof has too many."""
    steps: int = 12
    """Steps at most."""
    idle_steps: int = 3
    """Steps without any gain after which it ends."""
    branch_at: int = 2
    """The step in which it branches."""


@dataclass(frozen=True)
class LinearSettings:
    """The linear relaxation of many classes, whose tasks are pooled.

    Set by trials on `uniform` with independent storage, 100 x 1,000 to 10,000 x 1,000,000.
    """

    slow_cells: int = 10_000
    """From so many pairs of classes on the linear program over them takes longer than pools."""
    slow_cells_off: int = 2_000
    """The same where nodes may be off."""
    pools: int = 128
    """Pools of tasks, to begin with."""
    most_pools: int = 512
    """The same where classes of nodes are few."""
    few_cells: int = 100_000
    """Up to so many pairs of pool and class of nodes there are more pools to begin with."""
    fewest_pools: int = 32
    """Pools at least, however many classes of nodes there are."""
    finer: int = 3
    """So many times as many pools the next time."""
    cells: int = 4_000_000
    """Pairs of pool and class of nodes at most."""
    close: float = 8e-6
    """It ends this near, as a share of the bound, to the value of the relaxation."""
    tolerance: float = 1e-8
    """The interior-point method ends at this gap, as a share of the bound."""
    fit_cells: int = 20_000_000
    """Up to so many pairs of classes it is seen where tasks fit."""
    block_cells: int = 500_000
    """Pairs of classes that are looked at together."""


@dataclass(frozen=True)
class LocalSearchSettings:
    """How the local search divides its work and when it gives up.

    Set by trials on the suite textbook and on `uniform` with up to a million tasks, two workers.
    """

    nodes_per_part: int = 8
    """Nodes of a part at least, of parts that are searched side by side."""
    rounds_together: int = 3
    """Rounds of the parts before they are merged, to begin with."""
    most_together: int = 64
    """The same at most, where rounds are quick."""
    stalled: int = 12
    """Rounds without an improvement after which groups are solved by CP-SAT."""
    eject_after: int = 8
    """Rounds with hard limits exceeded after which tasks are ejected."""
    group_tasks: tuple[int, ...] = (30, 45, 60, 90)
    """Tasks of a group, in turn."""
    least_patience: int = 20
    """Rounds without an improvement after which it ends, at least."""
    most_patience: int = 300
    """The same at most."""
    share_of_checks: float = 0.1
    """Share of the time for passing allocations on, each of which is checked."""


@dataclass(frozen=True)
class PlainSearchSettings:
    """The search without compiled code.

    Set by trials on few_per_node with 10 to 50 nodes at 2 seconds.
    """

    sampled_nodes: int = 32
    """Nodes that a node is compared with, and as many of the freest."""
    ruined: tuple[int, ...] = (2, 3, 4)
    """Nodes that are emptied at once, one of these."""
    most_ruined_tasks: int = 120
    """Tasks that are taken off at once."""
    least_patience: int = 200
    """Attempts without an improvement after which it ends, at least."""
    most_patience: int = 3_000
    """The same at most."""
    share_of_checks: float = 0.1
    """Share of the time for passing allocations on."""


@dataclass(frozen=True)
class PlacingSettings:
    """Placing tasks one by one, repair and the tie-break.

    Set by trials on the suite textbook and on `uniform` with up to a million tasks.
    """

    large: int = 2_000_000
    """Above so many pairs of task and node the compiled greedy pays."""
    clock_every: int = 256
    """Tasks between looks at the clock."""
    block: int = 10_000
    """Tasks that the compiled greedy places between looks at the clock."""
    very_many: int = 100_000
    """Above so many tasks loading the compiled greedy pays even in a hurry."""
    plain_looks: int = 8
    """Freest nodes that the plain greedy looks at for a task."""
    plain_sample: int = 64
    """Random nodes it looks at where none of those can take the task."""
    plain_parked_for: int = 4_096
    """Tasks for which a node that could not take one is left out."""
    many_per_node: int = 20
    """Above so many tasks a node they are dealt out by the handful first."""
    hands: int = 8
    """Handfuls that a round of dealing is divided into."""
    sampled_tasks: int = 64
    """Tasks of a node whose moves are looked at."""
    steps_per_task: int = 100
    """Ejections for each task that fits nowhere."""
    least_steps: int = 1_000
    """Ejections at least."""
    repair_nodes: int = 24
    """Nodes on which room for a task is looked for."""
    repair_tasks: int = 16
    """Tasks of each that might leave."""
    bulk_share: float = 0.5
    """Share of its time that the greedy takes for a relaxation, to place tasks by classes."""
    baseline_share: float = 0.1
    """Share of the time for a baseline of a whole model before other methods."""
    large_share: float = 0.5
    """The same of a large one, which has one baseline."""
    few_hosts: int = 2
    """Tasks of whole models that at most so many nodes can take come first."""
    balance_steps: int = 1_000
    """Moves of the tie-break."""
    balance_nodes: int = 64
    """Nodes that each looks at."""
    moves_cells: int = 60_000
    """Largest exact model, in cells, that is built to save moves at the same cost."""


@dataclass(frozen=True)
class SearchSettings:
    """The rounds of the compiled search, and groups solved by CP-SAT.

    Set by trials on grid_50, textbook and `uniform` with up to a million tasks.
    """

    batch: int = 40_000
    """Tries that a kernel makes between looks at the clock, about."""
    regrouped: int = 200
    """Groups that are solved exactly in a round with effort."""
    branches: int = 10_000
    """Branches of each."""
    effort: int = 30
    """What a try costs in a round with effort, in those of a quick round."""
    turns: int = 4
    """Batches of nodes that have their turn in a round with effort."""
    sizes: tuple[int, ...] = (2, 3, 4, 5)
    """Nodes of such a group; each size has its share of them."""
    partners: tuple[int, ...] = (8, 32)
    """Partners tried in vain before a node is left: in a quick round, and in one with effort."""
    most_cells: int = 2_000
    """Largest model of a group, in cells (task class, node)."""
    deterministic_limit: float = 1.0
    """CP-SAT's deterministic time for a group."""


@dataclass(frozen=True)
class ColumnSettings:
    """The relaxation over columns, the dives and the listing, in the child.

    Set by trials on grid_20, grid_50 and triplets.
    """

    slack: float = 0.1
    """A pricing may be off by so much cost in all, at the end."""
    relative: float = 1e-9
    """The same as a share of the bound."""
    gap_share: float = 0.2
    """The same, before the end, as a share of the distance of bound and master."""
    most_penalty: float = 1e6
    """Highest price of leaving a task out, in units of the dearest column."""
    kept: int = 4
    """Columns taken from one pricing."""
    longest: int = 200
    """Tasks of a column that pricing looks for; longer ones keep it from being exact."""
    heuristic_branches: int = 100_000
    """Branches of a pricing that only looks for further columns."""
    deep: int = 20_000
    """Branches of an exact pricing beyond which the next one of the class is heuristic first."""
    many_items: int = 400
    """With more items only those that a best column may have enter the tables of a pricing."""
    effort: int = 100_000
    """Branches of an exact pricing, to begin with."""
    most_effort: int = 1_000_000_000
    """The same at most."""
    least_effort: int = 10_000
    """The same at least, when time is nearly up."""
    speed: float = 1e7
    """Branches a second, about."""
    turns: int = 12
    """Further columns of a node class that are looked for in a round."""
    first_cells: tuple[int, int] = (500, 60_000)
    """From so many pairs of classes to so many the assignment relaxation gives the first prices."""
    smoothing: float = 0.7
    """Share of the best prices in those that are tried (Wentges 1997)."""
    a_little: float = 1e-5
    """By what share more and less is covered to find central prices."""
    rounds_inwards: int = 40
    """Rounds for either."""
    least_inwards: float = 1.0
    """Seconds for both at least."""
    dive_rounds: int = 12
    """Rounds of column generation after each choice of a dive."""
    mode_dive_rounds: tuple[int, ...] = (3, 9, 27)
    """The same where tasks have modes: a few, and more while a rule is not kept."""
    dive_effort: int = 300_000
    """Branches of their exact pricings."""
    discrepancies: int = 2
    """Choices of a dive that may be forbidden."""
    depth: int = 3
    """Down to this depth, doubled when all is tried."""
    noise: float = 0.2
    """Random part in the choice of a column, with another seed than 0."""
    listing_branches: int = 40_000_000
    """Branches of listing the columns of a node class."""


AUTO = AutoSettings()
COLUMN_GENERATION = ColumnGenerationSettings()
LINEAR = LinearSettings()
LOCAL_SEARCH = LocalSearchSettings()
PLAIN_SEARCH = PlainSearchSettings()
PLACING = PlacingSettings()
SEARCH = SearchSettings()
COLUMNS = ColumnSettings()
