"""The families that are cut out of nodes or drawn from a trace, one function each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solver.errors import InstanceError
from solver.model.exact import fraction_of

from .cluster import draw_cluster, draw_models
from .hiding.cutting import (
    apportion,
    cut,
    draw_triples,
    matched,
    scaled_total,
    task_weights,
    tasks_per_node,
)
from .parameters import require_choice, require_range
from .registry import Draft, register

__all__ = ["few_per_node", "gpu_cluster", "triplets", "uniform"]

_MOST_NODES = 10**6
_MOST_TASKS = 10**8
_MOST_CAPACITY = 10**12
_MOST_LOAD = 100.0
_MOST_SPREAD = 0.95
_NODE_TYPES = ("equal", "three", "all")
_CORRELATIONS = ("none", "positive", "negative")


@register
def uniform(
    *,
    nodes: int = 10,
    tasks: int = 50,
    load: float = 1.0,
    storage: float = 0.9,
    node_types: str = "equal",
    correlation: str = "none",
    balanced: bool = True,
    independent: bool = False,
    spread: float = 0.5,
    capacity: int = 1000,
    seed: int = 0,
) -> Draft:
    """Tasks cut out of hidden nodes, demand and need weighted uniformly over one decade.

    Parameters
    ----------
    nodes : int
        Number of nodes.
    tasks : int
        Number of tasks, as many as nodes or more; about in proportion to a node's compute.
    load : float
        Total demand / total compute capacity.
    storage : float
        Total storage need / total storage capacity, up to 1; 0 for no storage at all.
    node_types : {"equal", "three", "all"}
        Equal nodes; three types in turn, of 1/2, 1 and 2 times the capacity, of kind
        "small", "medium" and "large"; or every node its own draw, compute and storage
        independently from 1 - `spread` to 1 + `spread` times the capacity.
    correlation : {"none", "positive", "negative"}
        Of a task's compute demand with its storage need.
    balanced : bool
        Whether the hidden allocation loads every node to `load` times its capacity, and so
        overloads none where load <= 1. If not, only the total demand is set: the hidden
        allocation is feasible but some of its nodes are overloaded.
    independent : bool
        Whether the needs of tasks have nothing to do with the compute of nodes: the hidden nodes
        have tasks in proportion to their storage, not to their compute, and none is balanced.
    spread : float
        Of different nodes, from 0 to 0.95.
    capacity : int
        Compute and storage capacity of an equal node, in any unit.
    seed : int

    Returns
    -------
    Instance

    Notes
    -----
    O(m), and O(m log m) with correlation. Falkenauer (1996) planted perfect packings in the
    same way, so that tight instances are known to be solvable.

    Examples
    --------
    >>> instance = uniform(nodes=4, tasks=12, load=1.1, storage=0.9)
    >>> int(instance.task_compute.sum()), int(instance.task_storage.sum())
    (4400, 3600)
    """
    require_range("uniform", "nodes", nodes, 1, _MOST_NODES)
    require_range("uniform", "tasks", tasks, 1, _MOST_TASKS)
    require_choice("uniform", "node_types", node_types, _NODE_TYPES)
    if tasks < nodes:
        raise InstanceError(
            f"uniform: tasks is {tasks}; it must be {nodes} or more, one for each node"
        )
    shape = _Shape(load, storage, node_types, correlation, balanced, independent, spread, capacity)
    return _cut_from_nodes("uniform", nodes, tasks, shape, seed)


@register
def few_per_node(
    *,
    nodes: int = 20,
    tasks_per_node: int = 3,
    load: float = 1.0,
    storage: float = 0.95,
    node_types: str = "equal",
    correlation: str = "none",
    balanced: bool = False,
    independent: bool = False,
    spread: float = 0.5,
    capacity: int = 1000,
    seed: int = 0,
) -> Draft:
    """A few tasks a node and tight storage: the hard family.

    With few tasks the capacities are hard to fill and the linear relaxation is weak; with
    tight storage the tasks that would balance the load do not fit together.

    Parameters
    ----------
    nodes : int
        Number of nodes.
    tasks_per_node : int
        Mean number of tasks a node.
    load, storage, node_types, correlation, balanced, independent, spread, capacity, seed :
        As in `uniform`; here the hidden allocation is not balanced unless asked for.

    Returns
    -------
    Instance

    Notes
    -----
    Three items a bin is where bin packing is hardest in practice (Falkenauer 1996); here two
    quantities are packed at once.

    Examples
    --------
    >>> instance = few_per_node(nodes=20, tasks_per_node=3, load=0.95, storage=0.8)
    >>> instance.num_tasks, int(instance.task_compute.sum()), int(instance.task_storage.sum())
    (60, 19000, 16000)
    """
    require_range("few_per_node", "nodes", nodes, 1, _MOST_NODES)
    require_range("few_per_node", "tasks_per_node", tasks_per_node, 1, _MOST_TASKS // nodes)
    require_choice("few_per_node", "node_types", node_types, _NODE_TYPES)
    tasks = nodes * tasks_per_node
    shape = _Shape(load, storage, node_types, correlation, balanced, independent, spread, capacity)
    return _cut_from_nodes("few_per_node", nodes, tasks, shape, seed)


class _Shape(NamedTuple):
    """What an instance is like, but for its size; the parameters of `uniform`."""

    load: float
    storage: float
    node_types: str
    correlation: str
    balanced: bool
    independent: bool
    spread: float
    capacity: int


def _cut_from_nodes(family: str, nodes: int, tasks: int, shape: _Shape, seed: int) -> Draft:
    require_range(family, "load", shape.load, 0.0, _MOST_LOAD)
    require_range(family, "storage", shape.storage, 0.0, 1.0)
    require_choice(family, "correlation", shape.correlation, _CORRELATIONS)
    require_range(family, "spread", shape.spread, 0.0, _MOST_SPREAD)
    require_range(family, "capacity", shape.capacity, 2, _MOST_CAPACITY)
    require_range(family, "seed", seed, 0)
    rng = np.random.default_rng(seed)
    fields = _nodes(rng, nodes, shape)
    C, S = fields["node_compute"], fields["node_storage"]
    hidden = np.repeat(np.arange(nodes), tasks_per_node(rng, tasks, S if shape.independent else C))
    weights = task_weights(rng, tasks)
    alike = shape.balanced and not shape.independent
    shares = C if alike else np.bincount(hidden, weights).astype(np.int64)
    demand = cut(apportion(scaled_total(C, shape.load), shares.tolist()), weights, hidden)
    room = apportion(scaled_total(S, shape.storage), S.tolist())
    need = cut(room, task_weights(rng, tasks), hidden)
    need = matched(rng, need, weights, hidden, shape.correlation)
    order = rng.permutation(tasks)
    fields["task_compute"] = demand[order]
    if shape.storage:
        fields["task_storage"] = need[order]
    else:
        del fields["node_storage"]
    return Draft(fields, hidden[order])


def _nodes(rng: np.random.Generator, nodes: int, shape: _Shape) -> dict[str, Any]:
    capacity = shape.capacity
    if shape.node_types == "equal":
        return {
            "node_compute": np.full(nodes, capacity),
            "node_storage": np.full(nodes, capacity),
        }
    if shape.node_types == "three":
        sizes = np.array([capacity // 2, capacity, 2 * capacity])
        types = np.arange(nodes) % 3
        kinds = [("small", "medium", "large")[kind] for kind in types.tolist()]
        return {
            "node_compute": sizes[types],
            "node_storage": sizes[types],
            "node_kind": kinds,
        }
    spread = fraction_of(shape.spread)
    low, high = max(1, int(capacity * (1 - spread))), capacity + int(capacity * spread)
    return {
        "node_compute": rng.integers(low, high + 1, size=nodes),
        "node_storage": rng.integers(low, high + 1, size=nodes),
    }


@register
def gpu_cluster(
    *, nodes: int = 100, load: float = 0.98, eligible_share: float = 0.0, seed: int = 0
) -> Draft:
    """A GPU cluster drawn from the class frequencies of Alibaba's openb trace.

    Compute is GPU in 1/1000 card, storage is memory in MiB, and the further resource "cpu" is
    in 1/1000 core; a node's kind is its GPU model. 13 % of the pods ask for no GPU.

    Parameters
    ----------
    nodes : int
        Number of nodes, drawn from 15 classes; the trace has 1,213. At most 20,000.
    load : float
        Total GPU demand / total GPU capacity. Pods are drawn from 151 classes until they
        reach it, so it is passed by less than one pod. The trace's own is 0.98; much above
        1.1 the CPU of most clusters is used up, which is an error.
    eligible_share : float
        Share of the GPU pods that name the GPU models they accept. The trace's gpuspec33
        list has 0.34.
    seed : int

    Returns
    -------
    Instance

    Notes
    -----
    Feasible by construction: each pod is placed as it is drawn, on a node with the CPU and
    memory to spare, and the models it names include that of its node. Classes that fit
    nowhere any more are drawn no longer, so that large pods are rarer than in the trace
    where the cluster is small or full. O(n m).

    References
    ----------
    Q. Weng et al. (2023), "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with
    Fragmentation Gradient Descent", USENIX ATC 2023; cluster-trace-gpu-v2023 in
    https://github.com/alibaba/clusterdata.

    Examples
    --------
    >>> instance = gpu_cluster(nodes=10, load=0.5, eligible_share=0.3)
    >>> bool(instance.task_compute.sum() >= 0.5 * instance.node_compute.sum())
    True
    """
    require_range("gpu_cluster", "nodes", nodes, 1, 20_000)
    require_range("gpu_cluster", "load", load, 0.0, _MOST_LOAD)
    require_range("gpu_cluster", "eligible_share", eligible_share, 0.0, 1.0)
    require_range("gpu_cluster", "seed", seed, 0)
    rng = np.random.default_rng(seed)
    cluster = draw_cluster(rng, nodes, load)
    eligible, groups = draw_models(rng, cluster, eligible_share)
    fields = {
        "node_compute": cluster.have[:, 0],
        "node_storage": cluster.have[:, 2],
        "node_resources": {"cpu": cluster.have[:, 1]},
        "node_kind": cluster.models.tolist(),
        "task_compute": cluster.need[:, 0],
        "task_storage": cluster.need[:, 2],
        "task_resources": {"cpu": cluster.need[:, 1]},
        "task_eligible": eligible,
        "eligible_groups": groups,
    }
    return Draft(fields, cluster.hidden)


@register
def triplets(*, nodes: int = 20, capacity: int = 1000, seed: int = 0) -> Draft:
    """Bin packing: three tasks fill each node exactly, and no storage.

    The sizes lie between 1/4 and 1/2 of the capacity. The least cost, nodes * capacity**2, is
    that of a perfect packing, so that an allocation proves itself optimal by its cost.

    Parameters
    ----------
    nodes : int
        Number of equal nodes; three tasks for each.
    capacity : int
        Compute capacity of a node, 100 or more, in any unit.
    seed : int

    Returns
    -------
    Instance

    References
    ----------
    E. Falkenauer (1996), "A hybrid grouping genetic algorithm for bin packing", Journal of
    Heuristics 2, 5-30: the triplet class. The first size is drawn from 38 % to 49 % of the
    capacity, the second from 25 % up to half of what is left, the third is the rest.

    Examples
    --------
    >>> instance = triplets(nodes=4)
    >>> instance.num_tasks, int(instance.task_compute.sum())
    (12, 4000)
    """
    require_range("triplets", "nodes", nodes, 1, _MOST_NODES)
    require_range("triplets", "capacity", capacity, 100, _MOST_CAPACITY)
    require_range("triplets", "seed", seed, 0)
    rng = np.random.default_rng(seed)
    sizes = draw_triples(rng, nodes, capacity)
    order = rng.permutation(3 * nodes)
    fields = {
        "node_compute": np.full(nodes, capacity),
        "task_compute": sizes.reshape(-1)[order],
    }
    return Draft(fields, np.tile(np.arange(nodes), 3)[order])
