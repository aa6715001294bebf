"""Servers to rent by the hour: which of them, and which task on which."""

from __future__ import annotations

import numpy as np

from solver.errors import InstanceError
from solver.model.exact import Array

from .. import figures
from .parameters import require_range
from .registry import Draft, register

__all__ = ["fleet", "rentals"]

_TYPES = (("V100", 8), ("A10", 1), ("L40S", 1), ("A100-80GB", 8), ("H100", 8), ("B200", 8))
_DEMAND = (20, 900)  # TFLOPS of a task, log-uniform
_MEMORY = (4, 300)  # GB
_CARDS = 0.3  # share of tasks that need cards of some memory
_LEAST_GB = (24, 48, 80)


@register
def fleet(*, nodes: int = 10, tasks: int = 100, seed: int = 0) -> Draft:
    """Six types of GPU server to rent at published prices, and tasks that must fit.

    Compute is dense 16-bit TFLOPS and never overloaded, storage is GPU memory in GB; a server
    that holds nothing is not rented. A third of the tasks need cards of 24, 48 or 80 GB.

    Parameters
    ----------
    nodes : int
        Number of servers of each type.
    tasks : int
        Number of tasks, demand and memory drawn log-uniformly and apart.
    seed : int

    Returns
    -------
    Instance

    Raises
    ------
    InstanceError
        If the tasks do not fit by best fit.

    References
    ----------
    Prices and sizes: `instances.figures.servers`. With one type this is vector packing in two
    dimensions; with several it is "variable-sized" (Friesen and Langston 1986).

    Examples
    --------
    >>> instance = fleet(nodes=2, tasks=20)
    >>> instance.num_nodes, instance.power_off, instance.max_load
    (12, True, 1)
    """
    require_range("fleet", "nodes", nodes, 1, 10**5)
    require_range("fleet", "tasks", tasks, 1, 10**6)
    require_range("fleet", "seed", seed, 0)
    rng = np.random.default_rng(seed)
    offered = {(one.kind, one.gpus): one for one in reversed(figures.servers())}
    types = [offered[kind] for kind in _TYPES]
    number = np.repeat(np.arange(len(types)), nodes)
    have = np.array([(one.tflops, one.memory_gb) for one in types])[number]
    card = np.array([one.memory_gb // one.gpus for one in types])
    need = np.stack([_drawn(rng, _DEMAND, tasks), _drawn(rng, _MEMORY, tasks)], axis=1)
    picky = np.where(rng.random(tasks) < _CARDS, rng.integers(1, 4, size=tasks), 0)
    least = np.array([0, *_LEAST_GB])[picky]
    fields = {
        "node_compute": have[:, 0],
        "node_storage": have[:, 1],
        "node_fixed_cost": np.array([one.price_per_hour_usd for one in types])[number],
        "node_kind": [types[k].kind for k in number.tolist()],
        "task_compute": need[:, 0],
        "task_storage": need[:, 1],
        "task_eligible": picky,
        "eligible_groups": [
            None,
            *(tuple(_with_cards(types, gb)) for gb in _LEAST_GB),
        ],
        "max_load": 1,
        "power_off": "rented",
        "currency": "USD",
    }
    return Draft(fields, _best_fit("fleet", have, need, card[number], least))


def _with_cards(types: list[figures.Server], least_gb: int) -> list[str]:
    return [one.kind for one in types if one.memory_gb // one.gpus >= least_gb]


def _drawn(rng: np.random.Generator, between: tuple[int, int], number: int) -> Array:
    low, high = np.log(between)
    return np.rint(np.exp(rng.uniform(low, high, size=number))).astype(np.int64)


def _best_fit(family: str, have: Array, need: Array, card: Array, least: Array) -> Array:
    """The node of each task: largest first, where the least room is left of the scarcest."""
    left = have.copy()
    hidden = np.zeros(len(need), dtype=np.int64)
    for j in np.argsort(-(need / have.mean(axis=0)).max(axis=1), kind="stable").tolist():
        after = left - need[j]
        fits = (after >= 0).all(axis=1) & (card >= least[j])
        if not fits.any():
            raise InstanceError(
                f"{family}: {len(need)} tasks do not fit on {len(have)} servers; ask for more nodes"
            )
        hidden[j] = int(np.argmin(np.where(fits, (after / have).min(axis=1), np.inf)))
        left[hidden[j]] -= need[j]
    return hidden


_WHOLE_TYPES = (
    # The offer whose price it has by the GPU; GPUs, vCPUs and GB of main memory.
    ("A10", 1, (1, 30, 200)),
    ("L40S", 1, (1, 16, 96)),
    ("A6000", 1, (2, 28, 200)),
    ("A6000", 1, (4, 56, 400)),
    ("H100", 8, (4, 104, 900)),
    ("H100", 8, (8, 208, 1800)),
)
_GPUS, _SHARES = (1, 2, 4, 8), (0.72, 0.16, 0.09, 0.03)  # of a task, and how often
_VCPUS, _RAM = (2, 4, 8, 12), (16, 32, 64, 96)  # for each GPU of a task, one as often as another


@register
def rentals(*, nodes: int = 20, tasks: int = 50, seed: int = 0) -> Draft:
    """Six types of GPU server to rent at published prices, and tasks that take whole GPUs.

    Compute is the number of GPUs and never overloaded; vCPUs and GB of main memory are resources.
    A server that holds nothing is not rented. A third of the tasks need cards of 24, 48 or 80 GB.

    Parameters
    ----------
    nodes : int
        Number of servers of each type; they have 1, 1, 2, 4, 4 and 8 GPUs.
    tasks : int
        Number of tasks, of 1, 2, 4 or 8 GPUs.
    seed : int

    Returns
    -------
    Instance

    Raises
    ------
    InstanceError
        If the tasks do not fit by best fit.

    References
    ----------
    Prices by the GPU and cards: `instances.figures.servers`. The rest is made up.

    Examples
    --------
    >>> instance = rentals(nodes=4, tasks=20)
    >>> instance.num_nodes, sorted(instance.node_resources), instance.max_load
    (24, ['ram', 'vcpu'], 1)
    """
    require_range("rentals", "nodes", nodes, 1, 10**5)
    require_range("rentals", "tasks", tasks, 1, 10**6)
    require_range("rentals", "seed", seed, 0)
    rng = np.random.default_rng(seed)
    offered = {(one.kind, one.gpus): one for one in reversed(figures.servers())}
    types = [offered[kind, gpus] for kind, gpus, _ in _WHOLE_TYPES]
    sizes = np.array([have for *_, have in _WHOLE_TYPES])
    prices = [one.price_per_hour_usd / one.gpus for one in types]
    number = np.repeat(np.arange(len(types)), nodes)
    have = sizes[number]
    card = np.array([one.memory_gb // one.gpus for one in types])
    gpus = rng.choice(_GPUS, size=tasks, p=_SHARES)
    each = np.stack([rng.choice(_VCPUS, tasks), rng.choice(_RAM, tasks)], axis=1)
    need = np.column_stack((gpus, gpus[:, None] * each))
    picky = np.where(rng.random(tasks) < _CARDS, rng.integers(1, 4, size=tasks), 0)
    names = [f"{k}x{one.kind}" for k, one in zip(sizes[:, 0].tolist(), types, strict=True)]
    eligible = [
        [name for name, memory in zip(names, card.tolist(), strict=True) if memory >= gb]
        for gb in _LEAST_GB
    ]
    fields = {
        "node_compute": have[:, 0],
        "node_resources": {"vcpu": have[:, 1], "ram": have[:, 2]},
        "node_fixed_cost": np.round(prices * sizes[:, 0], 4)[number],
        "node_kind": [names[k] for k in number.tolist()],
        "task_compute": need[:, 0],
        "task_resources": {"vcpu": need[:, 1], "ram": need[:, 2]},
        "task_eligible": picky,
        "eligible_groups": [None, *map(tuple, eligible)],
        "max_load": 1,
        "power_off": "rented",
        "currency": "USD",
    }
    least = np.array([0, *_LEAST_GB])[picky]
    return Draft(fields, _best_fit("rentals", have, need, card[number], least))
