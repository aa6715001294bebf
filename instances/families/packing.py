"""Packings with nothing, or little, to spare: in several dimensions, and in one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from solver.errors import InstanceError
from solver.model.exact import Array

from .hiding.cutting import (
    apportion,
    cut,
    draw_triples,
    scaled_total,
    task_weights,
    tasks_per_node,
)
from .parameters import require_range
from .registry import Draft, register

__all__ = ["augmented_irup", "vector_packing"]

_MOST_NODES = 10_000
_MOST_TASKS = 1_000_000
_MOST_CAPACITY = 10**9
_MOST_DIMENSIONS = 9
_TRIES = 20_000

# The graph of Petersen: an outer cycle, the spokes, and an inner star.
_CYCLE = tuple(pairwise((0, 1, 2, 3, 4, 0)))
_STAR = tuple(pairwise((5, 7, 9, 6, 8, 5)))
_SPOKES = tuple((v, v + 5) for v in range(5))
_MATCHINGS = 6  # its perfect matchings


@register
def vector_packing(
    *,
    nodes: int = 50,
    tasks: int = 250,
    dimensions: int = 3,
    node_types: int = 1,
    slack: float = 0.0,
    capacity: int = 1000,
    seed: int = 0,
) -> Draft:
    """Vector packing with exactly as many nodes as needed: a hidden packing uses everything up.

    Compute is never overloaded (``max_load`` 1), so that every dimension is a hard one: compute,
    storage, and the resources r3, r4, ... All allocations cost the same: what is asked for is any.

    Parameters
    ----------
    nodes : int
        Number of nodes.
    tasks : int
        Number of tasks, as many as nodes or more.
    dimensions : int
        Number of dimensions, from 2 to 9.
    node_types : int
        Nodes of the first type have `capacity` in every dimension; those of another from half to
        one and a half times as much, drawn apart for each dimension.
    slack : float
        Share of the capacity in every dimension that the hidden packing leaves free, from 0 to
        0.25; divided among the nodes at random.
    capacity : int
        In any unit; the smaller, the more packings there are.
    seed : int

    Returns
    -------
    Instance

    Notes
    -----
    Each dimension of a node is cut into integer parts, one a task, in proportion to weights over
    one decade that are drawn apart for each dimension.

    References
    ----------
    M. R. Garey, R. L. Graham, D. S. Johnson and A. C. Yao (1976), "Resource constrained
    scheduling as generalized bin packing", Journal of Combinatorial Theory A 21, 257-298.

    Examples
    --------
    >>> instance = vector_packing(nodes=4, tasks=12)
    >>> int(instance.task_storage.sum()), int(instance.node_storage.sum())
    (4000, 4000)
    """
    require_range("vector_packing", "nodes", nodes, 1, _MOST_NODES)
    require_range("vector_packing", "tasks", tasks, nodes, _MOST_TASKS)
    require_range("vector_packing", "dimensions", dimensions, 2, _MOST_DIMENSIONS)
    require_range("vector_packing", "node_types", node_types, 1, nodes)
    require_range("vector_packing", "slack", slack, 0.0, 0.25)
    require_range("vector_packing", "capacity", capacity, 10, _MOST_CAPACITY)
    require_range("vector_packing", "seed", seed, 0)
    rng = np.random.default_rng(seed)
    low, high = capacity // 2, capacity + capacity // 2
    types = rng.integers(low, high + 1, size=(node_types, dimensions))
    types[0] = capacity
    have = types[np.arange(nodes) % node_types]
    used = have - np.stack([_free(rng, have[:, d], slack) for d in range(dimensions)], axis=1)
    hidden = np.repeat(np.arange(nodes), tasks_per_node(rng, tasks, used.sum(axis=1)))
    parts = [cut(used[:, d], task_weights(rng, tasks), hidden) for d in range(dimensions)]
    order = rng.permutation(tasks)
    need, hidden = np.stack(parts, axis=1)[order], hidden[order]
    names = [f"r{d}" for d in range(3, dimensions + 1)]
    fields = {
        "node_compute": have[:, 0],
        "node_storage": have[:, 1],
        "node_resources": dict(zip(names, have[:, 2:].T, strict=True)),
        "node_kind": [f"type-{i % node_types}" for i in range(nodes)],
        "task_compute": need[:, 0],
        "task_storage": need[:, 1],
        "task_resources": dict(zip(names, need[:, 2:].T, strict=True)),
        "max_load": 1,
    }
    return Draft(fields, hidden)


def _free(rng: np.random.Generator, have: Array, slack: float) -> Array:
    """(n,) what is left free of one dimension: the share `slack` of all, divided at random."""
    weights = rng.integers(0, 101, size=have.size) * have
    total = scaled_total(have, slack)
    if not total:
        return np.zeros_like(have)
    free: Array = np.minimum(apportion(total, (1 + weights).tolist()), have // 2)
    return free


@register
def augmented_irup(*, triples: int = 62, capacity: int = 2500, seed: int = 0) -> Draft:
    """Bin packing on the edge of the integer round-up property: 202 tasks that fill 65 nodes.

    Fifteen tasks stand for the edges of the graph of Petersen: exactly its six perfect matchings
    fill a node. Half of each of these covers every task, so that the linear relaxation asks for
    three nodes, but three of them that are disjoint there are not. One task of the fifteen is
    split in two such that three nodes suffice after all; triples of tasks that fill a node each
    are mixed in, and no storage.

    Parameters
    ----------
    triples : int
        Number of triples; 3 * triples + 16 tasks and triples + 3 nodes.
    capacity : int
        Compute capacity of a node, 1,000 or more, in any unit.
    seed : int

    Returns
    -------
    Instance

    Raises
    ------
    InstanceError
        If no such fifteen tasks are found for the capacity.

    Notes
    -----
    The size of an edge is the sum of two numbers, one for each of its ends, and the ten numbers
    sum up to the capacity: whatever matches all vertices fills a node. The numbers are drawn
    until nothing else does. The triples are drawn as those of `triplets`. The least cost,
    nodes * capacity**2, is that of a perfect packing.

    References
    ----------
    M. Delorme, M. Iori and S. Martello (2016), "Bin packing and cutting stock problems:
    mathematical models and exact algorithms", European Journal of Operational Research 255, 1-20:
    the augmented IRUP class ("AI"), of the same sizes. A. Caprara, M. Dell'Amico, J. C.
    Diaz-Diaz, M. Iori and R. Rizzi (2015), "Friendly bin packing instances without integer
    round-up property", Mathematical Programming 150, 5-17: the graph.

    Examples
    --------
    >>> instance = augmented_irup()
    >>> instance.num_tasks, instance.num_nodes, int(instance.task_compute.sum()) == 65 * 2500
    (202, 65, True)
    """
    require_range("augmented_irup", "triples", triples, 0, 10_000)
    require_range("augmented_irup", "capacity", capacity, 1_000, _MOST_CAPACITY)
    require_range("augmented_irup", "seed", seed, 0)
    rng = np.random.default_rng(seed)
    core, placed = _split(rng, _edges(rng, capacity), capacity)
    threes = draw_triples(rng, triples, capacity)
    order = rng.permutation(core.size + threes.size)
    hidden = np.concatenate((placed, 3 + np.tile(np.arange(triples), 3)))
    fields = {
        "node_compute": np.full(triples + 3, capacity),
        "task_compute": np.concatenate((core, threes.reshape(-1)))[order],
    }
    return Draft(fields, hidden[order])


def _edges(rng: np.random.Generator, capacity: int) -> Array:
    """(15,) sizes of which only the perfect matchings fill a node: cycle, star, then spokes."""
    ends = np.array([*_CYCLE, *_STAR, *_SPOKES])
    for _ in range(_TRIES):
        sizes: Array = apportion(capacity, rng.integers(20, 181, size=10).tolist())[ends].sum(1)
        if np.count_nonzero(_subset_sums(sizes) == capacity) == _MATCHINGS and sizes.min() > 1:
            return sizes
    raise InstanceError(f"augmented_irup: no core was found for capacity {capacity}; ask for more")


def _subset_sums(sizes: Array) -> Array:
    """(2**k,) sums of all subsets of k sizes; bit t of the position says whether t is in."""
    sums = np.zeros(1, dtype=np.int64)
    for size in sizes.tolist():
        sums = np.concatenate((sums, sums + size))
    return sums


def _split(rng: np.random.Generator, sizes: Array, capacity: int) -> tuple[Array, Array]:
    """Split the first of the edges in two, and place all sixteen on three nodes."""
    sums = _subset_sums(sizes[1:10])  # the spokes, a perfect matching, have a node of their own
    fitting = np.flatnonzero((sums < capacity) & (sums > capacity - sizes[0]))
    if not fitting.size:
        raise InstanceError(f"augmented_irup: no edge can be split at capacity {capacity}")
    chosen = int(rng.choice(fitting))
    part = capacity - int(sums[chosen])
    inside = (chosen >> np.arange(9)) & 1
    node = np.concatenate(([1, 2], np.where(inside == 1, 1, 2), np.zeros(5, dtype=np.int64)))
    return np.concatenate(([part, sizes[0] - part], sizes[1:])), node
