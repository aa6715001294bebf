"""From an allocation that breaks limits to a part of it that keeps them."""

from __future__ import annotations

import numpy as np

from ..kernels.state import Facts
from ..model.exact import Array

__all__ = ["within_limits"]


def within_limits(facts: Facts, node_of: Array) -> Array:
    """Take tasks off overfull nodes, and place again those that fit somewhere.

    Of an overfull node that task leaves which lowers its excess most, of equal ones the smallest.

    Parameters
    ----------
    facts : Facts
    node_of : (m,) int64
        Eligibility must hold.

    Returns
    -------
    (m,) int64
        Nodes of the tasks, -1 for those that have none.
    """
    kept, room = node_of.copy(), facts.capacity.copy()
    np.subtract.at(room, node_of, facts.needs)
    leaving: list[int] = []
    for i in np.flatnonzero((room < 0).any(axis=1)).tolist():
        on_node = np.flatnonzero(kept == i)
        while (room[i] < 0).any():
            needs = facts.needs[on_node]
            excess = (np.maximum(0, -(room[i] + needs)) * facts.weight).sum(axis=1)
            at = int(np.lexsort(((needs * facts.weight).sum(axis=1), excess))[0])
            room[i] += needs[at]
            kept[on_node[at]] = -1
            leaving.append(int(on_node[at]))
            on_node = np.delete(on_node, at)
    size = (facts.needs[leaving] * facts.weight).sum(axis=1)
    for at in np.argsort(size, kind="stable").tolist():
        t = leaving[at]
        able = (room >= facts.needs[t]).all(axis=1) & _hosts(facts, t)
        if able.any():
            i = int(np.argmax(able))
            kept[t] = i
            room[i] -= facts.needs[t]
    return kept


def _hosts(facts: Facts, t: int) -> Array:
    """(n,) bool: the nodes that task t may run on, as far as a mask tells; else none."""
    n = facts.node_compute.size
    if facts.everywhere:
        return np.ones(n, dtype=bool)
    return facts.allowed[facts.group[t]] if facts.allowed.size else np.zeros(n, dtype=bool)
