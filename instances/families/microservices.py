"""Replicated services on a cluster: spread over zones, at most one replica a node, apart."""

from __future__ import annotations

import numpy as np

from solver.errors import InstanceError
from solver.model.exact import Array
from solver.model.rules import Affinity, AntiAffinity, Limit, Rule, Spread

from .parameters import require_range
from .registry import Draft, register

__all__ = ["services"]

_NODES = ((16_000, 65_536, 0.77), (32_000, 131_072, 1.54), (64_000, 262_144, 3.07))
"""CPU in 1/1000 core, memory in MiB and dollars an hour of the kinds small, medium, large."""

_KINDS = ("small", "medium", "large")
_CPU = (100, 250, 500, 1000, 2000, 4000)
_MEMORY_PER_CORE = (1024, 8192)
_TRIES = 40


@register
def services(
    *,
    nodes: int = 12,
    services: int = 20,
    replicas: int = 3,
    zones: int = 3,
    load: float = 0.6,
    apart: float = 0.2,
    near: float = 0.2,
    seed: int = 0,
) -> Draft:
    """Services of equal replicas on rented nodes, under the rules that clusters have.

    Each service is a group: at most one replica a node, a skew of one over the zones. Some must
    not share a node with another one, some run only in zones where another one does. Compute is
    CPU in 1/1000 core and never overloaded, storage is memory in MiB.

    Parameters
    ----------
    nodes : int
        Number of nodes, of three sizes in each zone; as many a zone as its replicas need.
    services : int
        Number of services.
    replicas : int
        Of each service.
    zones : int
        Values of the label "zone".
    load : float
        CPU of all replicas / CPU of all nodes, about; lower where that would not fit.
    apart, near : float
        Shares of the services with an anti-affinity on nodes and an affinity on zones to the
        service before them.
    seed : int

    Returns
    -------
    Instance

    Raises
    ------
    InstanceError
        If the services do not fit at any load.

    Notes
    -----
    Feasible by construction: service by service, on the nodes of the zones in turn with the most
    room. O(services n).

    Examples
    --------
    >>> instance = services(nodes=12, services=5, replicas=3)
    >>> instance.num_tasks, instance.rules[0]
    (15, Limit(group='service-0', domain='node', max=1))
    """
    require_range("services", "zones", zones, 1, 1000)
    require_range("services", "nodes", nodes, zones, 10**5)
    require_range("services", "services", services, 1, 10**6)
    require_range("services", "replicas", replicas, 1, nodes // zones * zones)
    require_range("services", "load", load, 0.01, 1.0)
    require_range("services", "apart", apart, 0.0, 1.0)
    require_range("services", "near", near, 0.0, 1.0)
    require_range("services", "seed", seed, 0)
    rng = np.random.default_rng(seed)
    zone = np.arange(nodes) % zones
    kind = np.arange(nodes) // zones % len(_NODES)
    have = np.array([one[:2] for one in _NODES])[kind]
    cpu = rng.choice(_CPU, size=services).astype(float)
    memory = cpu / 1000 * np.exp(rng.uniform(*np.log(_MEMORY_PER_CORE), size=services))
    other = rng.random((2, services)) < np.array([[apart], [near]])
    other[:, 0] = False
    scale = load * have[:, 0].sum() / (replicas * cpu.sum())
    for _ in range(_TRIES):
        need = np.ceil(scale * np.stack([cpu, memory], axis=1)).astype(np.int64)
        hidden = _placed(need, replicas, have, zone, *other)
        if hidden is not None:
            break
        scale *= 0.95
    else:
        raise InstanceError(
            f"services: {services} services do not fit on {nodes} nodes; ask for more nodes"
        )
    order = rng.permutation(services * replicas)
    service = np.repeat(np.arange(services), replicas)[order]
    fields = {
        "node_compute": have[:, 0],
        "node_storage": have[:, 1],
        "node_fixed_cost": np.array([one[2] for one in _NODES])[kind],
        "node_kind": [_KINDS[k] for k in kind.tolist()],
        "node_labels": {"zone": [f"zone-{z}" for z in zone.tolist()]},
        "task_compute": need[service, 0],
        "task_storage": need[service, 1],
        "task_groups": 1 + service,
        "group_sets": [(), *((f"service-{s}",) for s in range(services))],
        "rules": _rules(services, *other),
        "max_load": 1,
        "power_off": "rented",
        "currency": "USD",
    }
    return Draft(fields, hidden.reshape(-1)[order])


def _rules(services: int, apart: Array, near: Array) -> list[Rule]:
    names = [f"service-{s}" for s in range(services)]
    rules: list[Rule] = [Limit(name, "node", 1) for name in names]
    rules += [Spread(name, "zone", 1) for name in names]
    for s in range(1, services):
        if apart[s]:
            rules.append(AntiAffinity(names[s], names[s - 1], "node"))
        if near[s]:
            rules.append(Affinity(names[s], "zone", names[s - 1]))
    return rules


def _placed(
    need: Array, replicas: int, have: Array, zone: Array, apart: Array, near: Array
) -> Array | None:
    """(services, replicas) nodes, or None where a replica fits nowhere."""
    zones = int(zone.max()) + 1
    inside = [np.flatnonzero(zone == z) for z in range(zones)]
    left = have.copy()
    hidden = np.zeros((len(need), replicas), dtype=np.int64)
    first = 0
    for s in range(len(need)):
        first = first if near[s] else (first + replicas) % zones
        got = 0
        for z, among in enumerate(inside):
            wanted = replicas // zones + ((z - first) % zones < replicas % zones)
            after = left[among] - need[s]
            fits = (after >= 0).all(axis=1)
            if apart[s]:
                fits &= ~np.isin(among, hidden[s - 1])
            if fits.sum() < wanted:
                return None
            room = np.where(fits, (after / have[among]).min(axis=1), -1.0)
            best = among[np.argsort(-room, kind="stable")[:wanted]]
            left[best] -= need[s]
            hidden[s, got : got + wanted] = best
            got += int(wanted)
    return hidden
