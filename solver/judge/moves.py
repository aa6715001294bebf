"""Which parts move: those of tasks that are somewhere now, and are not where they were."""

from __future__ import annotations

import numpy as np

from ..model.allocation import Allocation
from ..model.exact import Array
from .placed import Placed

__all__ = ["count_moves", "moved_rows", "moves_of"]


def count_moves(allocation: Allocation) -> int:
    """How many parts move, from where they are now.

    A part that is not on a node where it is now, or whose task is in another variant now, moves.
    Equal parts may change places. A task that is nowhere now, or is left out, does not move.

    Examples
    --------
    >>> from solver.model.instance import Instance
    >>> instance = Instance.from_arrays(
    ...     node_compute=[4, 4], task_compute=[3, 2], current={"task-0": "node-0"})
    >>> count_moves(Allocation(instance, [1, 1]))
    1
    """
    return moved_rows(allocation).size


def moved_rows(allocation: Allocation) -> Array:
    """The rows of the parts that move, ascending; see `count_moves`."""
    placed = Placed(allocation.instance, allocation.node_index)
    return placed.row[placed.moved]


def moves_of(placed: Placed) -> int:
    """The number of parts that move."""
    return int(np.count_nonzero(placed.moved))
