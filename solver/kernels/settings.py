"""The tuned numbers of the compiled code; `settings` has the others."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LOOPS"]


@dataclass(frozen=True)
class LoopSettings:
    """How far the inner loops look. They are constants to the compiler.

    Set by trials on grid_50, textbook and `uniform` with up to a million tasks; those of pricing on
    grid_20, grid_50 and triplets.
    """

    greedy_looks: int = 32
    """Freest nodes that greedy looks at for a task before it looks at all."""
    greedy_sample: int = 64
    """Random nodes that the quick greedy looks at instead."""
    parked_for: int = 4096
    """Tasks for which the quick greedy leaves out a node that could not take one."""
    free_first: float = 0.7
    """A draw between `anywhere` and this chooses a partner with free compute, one above a cheaper
    one."""
    anywhere: float = 0.1
    """A draw below this chooses any partner at all."""
    remembered: int = 8
    """Partners tried in vain, of which others alike are passed over."""
    pairs_every: int = 4
    """With every so manyth partner sets of two tasks and subset sums are tried."""
    group_tasks: int = 24
    """Tasks of a group that is solved exactly."""
    split_work: int = 2_000_000
    """Steps of the dynamic program that splits two loads."""
    emptying_sample: int = 48
    """Random nodes that a task of a node to be emptied may go to."""
    emptying_tasks: int = 2_000
    """Tasks of a node that is emptied at most."""
    sets: int = 512
    """Sets of tasks of either side of an exchange."""
    singles: int = 256
    """Of these, sets of one task."""
    walk: int = 12
    """Partners of a set that are looked at around the best load."""
    chain_sample: int = 24
    """Tasks of either node that a chain may move."""
    multiplier_steps: int = 60
    """Steps of the search for the multipliers of a pricing."""
    filling_passes: int = 20
    """Passes of exchanges over the tasks of a node that is filled for pricing, at most."""
    table_cells: int = 8_000_000
    """Cells of the tables of a pricing."""
    most_buckets: int = 2048
    """Buckets that a capacity is divided into, at most."""
    fewest_buckets: int = 64
    """The same at least."""
    least_space: int = 4
    """Room that the list of a node has to grow, at least."""
    partition_steps: int = 12
    """Steps by which the prices are moved, in a choice among listed columns."""
    partition_list: int = 200
    """They are moved where more columns than this are left."""
    partition_levels: int = 16
    """How often on the way to a solution, and once more."""
    partition_room: int = 8
    """Room for the columns left at all depths, in those listed."""
    partition_least_room: int = 4_000_000
    """The same at least, in columns, as far as it may be needed."""
    breakout_looks: int = 20_000
    """Exchanges of an overfull node that a step of breakout looks at, about."""
    breakout_tabu: int = 3
    """Steps for which a task that has moved stays, at least."""
    breakout_tabu_spread: int = 10
    """How many more, at random."""
    breakout_forget: float = 0.0005
    """How often, at a local minimum, the weights go half of the way back."""
    annealed_exchanges: float = 0.5
    """Share of exchanges of two tasks among the tries of an annealing."""
    annealed_moves: float = 0.48
    """Share of moves of a task; in the others two nodes exchange all they hold."""
    annealed_near: float = 0.3
    """Share of exchanges that are with a task of nearly the same demand."""
    annealed_reach: int = 10
    """Tasks that count as such."""


LOOPS = LoopSettings()
