"""All tasks on given numbers of nodes, if they can be packed quickly."""

from __future__ import annotations

import numpy as np

from ...kernels.annealing import pack
from ...problem.table import ClassTable, Column
from .numbers import Numbers
from .settings import COUNTING

__all__ = ["pack_nodes"]

_MOST_NEEDS = 2.0**60
_COLDEST = 0.01  # of the first temperature


def pack_nodes(
    table: ClassTable, numbers: Numbers, tries: int, rng: np.random.Generator
) -> list[Column] | None:
    """A column for each node that has tasks, or None where some tasks were left over capacity.

    Parameters
    ----------
    table : ClassTable
        Without tasks that must be apart.
    numbers : tuple of int
        Nodes of each class.
    tries : int
    rng : numpy.random.Generator
    """
    nodes = np.repeat(np.arange(table.node_count.size), numbers)
    tasks = np.repeat(np.arange(table.demand.size), table.count)
    if not 0 < tasks.size * nodes.size <= COUNTING.most_packed or table.apart.size:
        return None
    needs, room = np.ascontiguousarray(table.needs[tasks]), table.capacity[nodes].copy()
    holds = np.ascontiguousarray(table.most[np.ix_(tasks, nodes)] > 0)
    if not holds.any(axis=1).all() or float(needs.astype(float).sum()) > _MOST_NEEDS:
        return None
    if (needs.sum(axis=0, dtype=float) > room.sum(axis=0, dtype=float)).any():
        return None
    scarce = needs.sum(axis=0, dtype=float) / np.maximum(1.0, room.sum(axis=0, dtype=float))
    share = 1.0 / np.maximum(1.0, room.mean(axis=0))
    liking = np.log(1e-9 + (room * (share * scarce)).sum(axis=1)) + rng.gumbel(size=holds.shape)
    place = np.where(holds, liking, -np.inf).argmax(axis=1)
    np.subtract.at(room, place, needs)
    hot = max(1e-6, 0.5 * float((needs * share).max(axis=1, initial=0.0).mean()))
    tries = int(tries * max(1.0, COUNTING.tries_a_pair * holds.size))
    if pack(needs, holds, share, place, room, tries, hot, _COLDEST * hot, rng) < 0:
        return None
    order = np.lexsort((tasks, place))
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    return [
        (int(nodes[place[mine[0]]]), tuple(tasks[mine].tolist()))
        for mine in np.split(order, starts[1:])
    ]
