"""A running placement after failures: nodes to be emptied, nodes closed, loads that drifted."""

from __future__ import annotations

import numpy as np

from solver.errors import InstanceError
from solver.model.exact import Array

from .hiding.cutting import apportion, cut, scaled_total, task_weights, tasks_per_node
from .parameters import require_range
from .registry import Draft, register

__all__ = ["rebalance"]


@register
def rebalance(
    *,
    nodes: int = 20,
    tasks: int = 100,
    drained: float = 0.1,
    cordoned: float = 0.1,
    drift: float = 0.2,
    load: float = 1.0,
    storage: float = 0.85,
    move_price: int = 5000,
    max_moves: int = 0,
    capacity: int = 1000,
    seed: int = 0,
) -> Draft:
    """Tasks that run somewhere now; some nodes must end empty, and every move has a price.

    An allocation on the open nodes is cut first, each loaded to `load` times its capacity. Then
    time is turned back: tasks are put on the drained nodes, and pairs of others are exchanged.
    Who moves them all back pays for no overload but for many moves.

    Parameters
    ----------
    nodes : int
        Number of nodes; of 1/2, 1 and 2 times the capacity in turn, one of each at least open.
    tasks : int
        Number of tasks, as many as nodes or more.
    drained, cordoned : float
        Shares of the nodes that must end empty, and that take no others than they have.
    drift : float
        Share of the tasks that are exchanged.
    load, storage : float
        Total demand and total need of storage, as parts of the open and cordoned capacity.
    move_price : int
        Price of a move; a unit of overload costs the capacity of its node.
    max_moves : int
        The most moves, or 0 for no limit.
    capacity : int
        Compute and storage of a node of the middle size.
    seed : int

    Returns
    -------
    Instance

    Raises
    ------
    InstanceError
        If `max_moves` are fewer than the hidden allocation takes.

    Examples
    --------
    >>> instance = rebalance(nodes=10, tasks=40)
    >>> instance.node_state.count("drained"), instance.node_state.count("cordoned")
    (1, 1)
    """
    require_range("rebalance", "nodes", nodes, 4, 10**6)
    require_range("rebalance", "tasks", tasks, nodes, 10**8)
    for name, share in (("drained", drained), ("cordoned", cordoned)):
        require_range("rebalance", name, share, 0.0, 0.4)
    require_range("rebalance", "drift", drift, 0.0, 1.0)
    require_range("rebalance", "load", load, 0.0, 100.0)
    require_range("rebalance", "storage", storage, 0.0, 1.0)
    require_range("rebalance", "move_price", move_price, 0)
    require_range("rebalance", "max_moves", max_moves, 0)
    require_range("rebalance", "capacity", capacity, 2, 10**12)
    require_range("rebalance", "seed", seed, 0)
    rng = np.random.default_rng(seed)
    C = np.array([capacity // 2, capacity, 2 * capacity])[np.arange(nodes) % 3]
    order = rng.permutation(nodes)
    closed, shut = round(drained * nodes), round(cordoned * nodes)
    state = np.full(nodes, "open", dtype="<U8")
    state[order[:closed]] = "drained"
    state[order[closed : closed + shut]] = "cordoned"
    kept = np.flatnonzero(state != "drained")
    hidden = np.repeat(kept, tasks_per_node(rng, tasks, C[kept]))
    at = np.searchsorted(kept, hidden)
    demand, need = (
        cut(apportion(scaled_total(C[kept], share), C[kept].tolist()), task_weights(rng, tasks), at)
        for share in (load, storage)
    )
    shuffled = rng.permutation(tasks)
    hidden, demand, need = hidden[shuffled], demand[shuffled], need[shuffled]
    now = _before(rng, hidden, need, C, state, round(drift * tasks))
    moved = int((now != hidden).sum())
    if 0 < max_moves < moved:
        raise InstanceError(
            f"rebalance: max_moves is {max_moves}; the hidden allocation takes {moved}, "
            "ask for as many, or a smaller drift"
        )
    fields = {
        "node_compute": C,
        "node_storage": C,
        "node_state": state.tolist(),
        "task_compute": demand,
        "task_storage": need,
        "current": now,
        "move_price": move_price,
        "max_moves": max_moves or None,
    }
    return Draft(fields, hidden)


def _before(
    rng: np.random.Generator, hidden: Array, need: Array, have: Array, state: Array, drift: int
) -> Array:
    """Where the tasks run now: storage is kept, and nodes that take nothing have what they had."""
    now = hidden.copy()
    left = have - np.bincount(hidden, need, minlength=have.size).astype(np.int64)
    free = rng.permutation(np.flatnonzero(state[hidden] == "open"))
    gone = np.flatnonzero(state == "drained")
    taken = 0
    for i in gone.tolist():
        while taken < free.size and 4 * left[i] > have[i] and need[free[taken]] <= left[i]:
            _put(now, left, need, free[taken], i)
            taken += 1
    rest = free[taken:]
    pairs = min(drift, rest.size) // 2
    for a, b in rest[: 2 * pairs].reshape(-1, 2).tolist():
        i, k, more = int(now[a]), int(now[b]), int(need[b] - need[a])
        if more <= left[i] and -more <= left[k]:
            _put(now, left, need, a, k)
            _put(now, left, need, b, i)
    return now


def _put(now: Array, left: Array, need: Array, task: int, node: int) -> None:
    left[now[task]] += need[task]
    left[node] -= need[task]
    now[task] = node
