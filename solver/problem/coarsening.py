"""A coarser problem with few classes, whose dual prices serve the finer one.

Where nearly every task and node is different, the relaxation over classes is too large for a
linear program. Nodes and tasks that are nearly alike are then replaced by their means. The
coarse problem bounds nothing, but its prices are good ones for the fine Lagrangian, and any
prices give a valid bound there.
"""

from __future__ import annotations

import heapq

import numpy as np

from ..model.exact import Array, largest
from ..model.scaled import Exact
from .problem import Problem

__all__ = ["coarsen"]

NODE_GROUPS, TASK_GROUPS = 48, 160
_FLOAT_BITS = 900


def coarsen(problem: Problem) -> Problem | None:
    """Replace nodes and tasks by the means of at most some dozens of groups of similar ones.

    Only tasks that may run on the same nodes, and nodes that may host the same tasks, are
    merged; there are at least as many groups as there are such sets.

    Returns
    -------
    Problem or None
        Of as many nodes and tasks, in the exact integers of the given one; its dimensions
        are the given ones in their order. None where numbers are beyond what a float holds.
    """
    instance, exact = problem.instance, problem.instance.exact
    prices = [_idle_prices(exact), exact.node_overload_price, exact.node_use_price]
    of_nodes = [exact.node_compute, *prices, exact.capacity]
    parts = [*of_nodes, exact.task_compute, exact.needs]
    if max(largest(part).bit_length() for part in parts) > _FLOAT_BITS:
        return None
    columns = np.column_stack(of_nodes).astype(float)
    nodes = _means(columns, _hosts(problem), NODE_GROUPS)
    demands = np.column_stack([exact.task_compute, exact.needs]).astype(float)
    tasks = _means(demands, instance.task_group, TASK_GROUPS)
    names = [f"dimension {d:03}" for d in range(exact.needs.shape[1])]
    return Problem(
        instance.replace(
            node_compute=_whole(nodes[:, 0]),
            node_storage=None,
            node_price=_whole(nodes[:, 1]),
            node_fixed_cost=None,
            node_overload_price=_whole(nodes[:, 2]),
            node_use_price=_whole(nodes[:, 3]),
            node_idle_watts=None,
            node_max_watts=None,
            node_resources={name: _whole(nodes[:, 4 + d]) for d, name in enumerate(names)},
            task_compute=_whole(tasks[:, 0]),
            task_storage=None,
            task_resources={name: _whole(tasks[:, 1 + d]) for d, name in enumerate(names)},
            max_load=None,
            power_off=bool(instance.power_off),
            energy=None,
        )
    )


def _whole(means: Array) -> Array:
    """Means as integers: int64 where they fit."""
    rounded = np.rint(means)
    if rounded.size and float(rounded.max()) >= 2.0**62:
        return np.array([int(value) for value in rounded.tolist()], dtype=object)
    return rounded.astype(np.int64)


def _idle_prices(exact: Exact) -> Array:
    """What switching a node off saves, for each unit of its compute; nearly."""
    saved = (exact.node_on_cost - exact.node_off_cost).tolist()
    pairs = zip(saved, exact.node_compute.tolist(), strict=True)
    return np.array([cost // C if C else 0 for cost, C in pairs], dtype=object)


def _hosts(problem: Problem) -> Array:
    """(n,) numbers of which the same stand for nodes that the same groups may run on."""
    classes, eligibility = problem.classes, problem.instance.eligibility
    mask = eligibility.block(np.arange(eligibility.num_groups), classes.node_first)
    packed = np.packbits(mask, axis=0).T
    signature: Array = np.unique(packed, axis=0, return_inverse=True)[1].reshape(-1)
    return signature[classes.node_class]


def _means(rows: Array, kind: Array, most: int) -> Array:
    """Each row replaced by the mean of its group; groups lie within one kind.

    The widest group is halved at the median of its widest column until there are enough.
    """
    scale = np.maximum(rows.mean(axis=0), 1e-300) if rows.size else 1.0
    scaled = rows / scale
    heap = [
        _entry(scaled, members)
        for k in np.unique(kind)
        if (members := np.flatnonzero(kind == k)).size
    ]
    heapq.heapify(heap)
    while heap and len(heap) < most and heap[0][0] < 0:
        _, _, members, column = heapq.heappop(heap)
        order = members[np.argsort(scaled[members, column], kind="stable")]
        for half in (order[: order.size // 2], order[order.size // 2 :]):
            heapq.heappush(heap, _entry(scaled, half))
    means = np.empty_like(rows)
    for _, _, members, _ in heap:
        means[members] = rows[members].mean(axis=0)
    return means


def _entry(scaled: Array, members: Array) -> tuple[float, int, Array, int]:
    """A group by falling spread; its first member tells groups of equal spread apart."""
    spread = np.ptp(scaled[members], axis=0) * members.size
    column = int(np.argmax(spread)) if spread.size else 0
    widest = float(spread[column]) if spread.size else 0.0
    return -widest, int(members[0]), members, column
