"""Pods drawn by the frequencies of the openb trace and placed as they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solver.errors import InstanceError
from solver.model.exact import Array, fraction_of

from .openb_classes import MODEL_LISTS, NODE_CLASSES, POD_CLASSES

__all__ = ["Cluster", "draw_cluster", "draw_models"]

# Columns: GPU (1/1000 card), CPU (1/1000 core), memory (MiB).
_NODES = np.array(
    [(1000 * kind.gpu, kind.cpu_milli, kind.memory_mib) for kind in NODE_CLASSES], dtype=np.int64
)
_PODS = np.array(
    [(pod.num_gpu * pod.gpu_milli, pod.cpu_milli, pod.memory_mib) for pod in POD_CLASSES],
    dtype=np.int64,
)


@dataclass(frozen=True)
class Cluster:
    """Nodes, pods, and the node that each pod was placed on.

    Attributes
    ----------
    have : (n, 3) integers
        GPU (1/1000 card), CPU (1/1000 core) and memory (MiB) of each node.
    models : (n,) strings
    need : (m, 3) integers
    hidden : (m,) integers
    """

    have: Array
    models: Array
    need: Array
    hidden: Array


def draw_cluster(rng: np.random.Generator, nodes: int, load: float) -> Cluster:
    """Draw nodes, then pods until they ask for `load` times the GPU capacity.

    Each pod is placed on the node that it leaves the least loaded in its scarcest quantity,
    among those with the CPU and the memory to spare and with GPUs enough when empty. A class
    of pods that fits nowhere any more is drawn no longer.

    Raises
    ------
    InstanceError
        If CPU and memory are used up before the load is reached.
    """
    counts = np.array([kind.copies for kind in NODE_CLASSES])
    drawn = rng.choice(len(NODE_CLASSES), size=nodes, p=counts / counts.sum())
    have = np.ascontiguousarray(_NODES[drawn].T)
    capacity = int(have[0].sum())
    wanted = fraction_of(load) * capacity
    chances = np.array([pod.copies for pod in POD_CLASSES])
    used = np.zeros_like(have)
    pods: list[int] = []
    hidden: list[int] = []
    asked = 0
    while asked < wanted:
        if not chances[_PODS[:, 0] > 0].any():
            raise InstanceError(
                f"gpu_cluster: load {load} cannot be reached: CPU and memory are used up at "
                f"{asked / capacity:.2f}; ask for less"
            )
        pod = int(np.searchsorted(np.cumsum(chances), rng.integers(chances.sum()), side="right"))
        node = _least_loaded(have, used, _PODS[pod])
        if node is None:
            chances[pod] = 0
            continue
        used[:, node] += _PODS[pod]
        asked += int(_PODS[pod, 0])
        pods.append(pod)
        hidden.append(node)
    models = np.array([kind.model for kind in NODE_CLASSES])[drawn]
    return Cluster(_NODES[drawn], models, _PODS[pods], np.array(hidden, dtype=np.int64))


def _least_loaded(have: Array, used: Array, need: Array) -> int | None:
    """The node with the lowest load in its scarcest quantity; `have` and `used` are (3, n)."""
    after = used + need[:, np.newaxis]
    fits = (need[0] <= have[0]) & (after[1] <= have[1]) & (after[2] <= have[2])
    scarcest = np.where(fits, (after / have).max(axis=0), np.inf)
    node = int(np.argmin(scarcest))
    return node if fits[node] else None


def draw_models(
    rng: np.random.Generator, cluster: Cluster, share: float
) -> tuple[Array, list[tuple[str, ...] | None]]:
    """Let a share of the GPU pods name the models they accept, their hidden node's among them.

    Parameters
    ----------
    rng : numpy.random.Generator
    cluster : Cluster
    share : float
        From 0 (no pod names a model) to 1 (every pod with a GPU does).

    Returns
    -------
    task_eligible : (m,) integers
        Positions in the list that follows.
    eligible_groups : list of tuple of str, or None for all nodes
    """
    present = set(cluster.models.tolist())
    groups: list[tuple[str, ...] | None] = [None]
    groups += [tuple(m for m in models if m in present) for _, models in MODEL_LISTS]
    eligible = np.zeros(len(cluster.hidden), dtype=np.int64)
    gpu_pods = np.flatnonzero(cluster.need[:, 0])
    naming = rng.permutation(gpu_pods)[: round(share * gpu_pods.size)]
    hosts = cluster.models[cluster.hidden[naming]]
    for model in sorted(present):
        pods = naming[hosts == model]
        counts = np.array([count if model in models else 0 for count, models in MODEL_LISTS])
        eligible[pods] = 1 + rng.choice(len(counts), size=pods.size, p=counts / counts.sum())
    return eligible, groups
