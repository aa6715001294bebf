"""A cluster as an instance: nodes, tasks, what pods need, where they are, what may move."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from solver.errors import InstanceError, NodewiseWarning
from solver.model.instance import Instance
from solver.model.records import Number

from ..notes import Notes, Reading
from .budgets import read_budgets
from .cluster import Cluster, read_cluster
from .eligibility import Eligibility, Mask
from .needs import Columns, needs_of
from .prices import node_prices
from .rules import Rules

__all__ = ["convert_kubernetes", "read_kubernetes"]


_TOO_LARGE = "to be placed, though too large for any node they may go to (see pending)"


def read_kubernetes(
    paths: Sequence[str | os.PathLike[str]],
    *,
    prices: str | os.PathLike[str] | None = None,
    compute: str = "nvidia.com/gpu",
    pending: bool = True,
    mend: bool = True,
) -> Instance:
    """Read a cluster from what ``kubectl get nodes,pods,pdb -A -o json`` prints.

    As `convert_kubernetes`, whose notes become one warning where something is not modelled.

    Parameters
    ----------
    paths : sequence of paths
    prices : path, optional
    compute : str
    pending, mend : bool

    Returns
    -------
    Instance
    """
    reading = convert_kubernetes(paths, prices=prices, compute=compute, pending=pending, mend=mend)
    told = [str(note) for note in reading.notes if note.kind != "read as"]
    if told:
        warnings.warn("; ".join(told), NodewiseWarning, stacklevel=2)
    return reading.instance


def convert_kubernetes(
    paths: Sequence[str | os.PathLike[str]],
    *,
    prices: str | os.PathLike[str] | None = None,
    compute: str = "nvidia.com/gpu",
    pending: bool = True,
    mend: bool = True,
) -> Reading:
    """Read a cluster, with notes on what is not modelled; docs/kubernetes.md has the table.

    Parameters
    ----------
    paths : sequence of paths
        JSON or YAML, in any order: Nodes and Pods, and if wanted PodDisruptionBudgets and
        Namespaces; one object, a List, or a stream of either.
    prices : path, optional
        A CSV file ``instance_type,price``; see `node_prices`.
    compute : str
        The resource that is compute.
    pending : bool
        Whether pods that run nowhere yet are tasks. They must all be placed then, so one that fits
        nowhere leaves no allocation.
    mend : bool
        Whether rules that the running pods break are to be mended. Otherwise they are weakened to
        how it is now: a rule that cannot be mended leaves no allocation.

    Returns
    -------
    Reading

    Raises
    ------
    InstanceError
        If a file cannot be read or an object is wrong; names the file, the object and the place.
    """
    files = [Path(path) for path in paths]
    if not files:
        raise InstanceError("kubernetes: no file is given; name those of nodes and pods")
    where = ", ".join(map(str, files))
    notes = Notes("pods")
    cluster = read_cluster(files, notes)
    if not cluster.nodes:
        raise InstanceError(f"{where}: there is no Node in these files")
    if not pending:
        for pod in cluster.pods:
            if pod.node is None:
                notes.add("left out", "pods that run nowhere yet", cluster.id_of(pod))
        cluster.pods = [pod for pod in cluster.pods if pod.node is not None]
    kinds = _kinds(cluster, notes)
    columns = needs_of(cluster, compute)
    if not any(columns.free[compute]):
        for node in cluster.nodes:
            what = f"of no compute, as no node has {compute} (see compute)"
            notes.add("read as", what, node.name, "nodes")
    eligibility = Eligibility(cluster.nodes, kinds, cluster.pods, columns.has_share)
    allowed = _allowed(cluster, eligibility, columns, notes)
    fields = _fields(cluster, eligibility, allowed, columns, notes, mend=mend)
    settings = _costs(cluster, columns, None if prices is None else Path(prices), notes)
    name = None
    if cluster.pods_from is not None:
        name = os.fsencode(cluster.pods_from.stem).decode(errors="replace")
    try:
        instance = Instance.from_arrays(**fields, **settings, node_kind=kinds, name=name)
    except InstanceError as error:
        raise InstanceError(f"{where}: {error}") from None
    return Reading(instance, notes.listed(), columns.units)


def _kinds(cluster: Cluster, notes: Notes) -> list[str | None]:
    """The kinds of the nodes; one that is also the name of a node would say two things."""
    names = {node.name for node in cluster.nodes}
    for node in cluster.nodes:
        if node.kind in names:
            notes.add("left out", "kinds that are also names of nodes", str(node.kind), "kinds")
    return [None if node.kind in names else node.kind for node in cluster.nodes]


def _allowed(
    cluster: Cluster, eligibility: Eligibility, columns: Columns, notes: Notes
) -> list[Mask]:
    """The nodes that each pod may be on; waiting pods that have none leave the cluster."""
    allowed, kept = [], []
    for j, pod in enumerate(cluster.pods):
        mask = eligibility.usual(pod)
        shown = cluster.id_of(pod)
        if pod.node is None:
            if not mask.any():
                notes.add("left out", "waiting pods that may go to no node", shown)
                continue
            if not any(columns.fits(j, i) for i in np.flatnonzero(mask).tolist()):
                notes.add("read as", _TOO_LARGE, shown)
        elif not mask[home := eligibility.position[pod.node]]:
            if eligibility.may_stay(pod):
                notes.add("read as", "may stay, though new ones could not go there", shown)
            elif mask.any():
                notes.add("read as", "to be moved: a taint NoExecute drives them away", shown)
            else:
                notes.add("not modelled", "a taint NoExecute where no other node will do", shown)
            if eligibility.may_stay(pod) or not mask.any():
                mask = mask.copy()
                mask[home] = True
        allowed.append(mask)
        kept.append(j)
    cluster.pods = [cluster.pods[j] for j in kept]
    columns.keep(kept)
    return allowed


def _fields(
    cluster: Cluster,
    eligibility: Eligibility,
    allowed: list[Mask],
    columns: Columns,
    notes: Notes,
    *,
    mend: bool,
) -> dict[str, Any]:
    """The columns of the instance."""
    rules = Rules(cluster, eligibility, allowed, notes)
    max_moving, fixed = read_budgets(cluster, rules, notes)
    fixed |= _held(cluster, notes)
    homes = [None if pod.node is None else eligibility.position[pod.node] for pod in cluster.pods]
    stay = {j for j, home in enumerate(homes) if home is not None and allowed[j][home]}
    fixed &= stay
    if mend:
        rules.give_way(fixed, "pods that stay break it")
    else:
        rules.give_way(stay, "it is broken now")
    labels = _labels(eligibility, rules.keys)
    distinct: dict[tuple[str, ...] | None, int] = {}
    eligible: list[int] = []
    pinned: list[int] = []
    pins: dict[bytes | str | None, tuple[int, tuple[str, ...] | None]] = {None: (0, None)}
    for j, pod in enumerate(cluster.pods):
        counted = rules.counted.get(j, allowed[j])
        names = _names(eligibility, counted, pod, homes[j], labels)
        eligible.append(distinct.setdefault(names, len(distinct)))
        if j in fixed:
            pinned.append(pins.setdefault(pod.node, (len(pins), (str(pod.node),)))[0])
        elif j in rules.counted:
            key = allowed[j].tobytes()
            if key not in pins:
                pins[key] = len(pins), eligibility.ids(allowed[j])
            pinned.append(pins[key][0])
        else:
            pinned.append(0)
    groups = [
        [pod.controller, *names] if pod.controller else names
        for pod, names in zip(cluster.pods, rules.groups, strict=True)
    ]
    current = {cluster.id_of(pod): pod.node for pod in cluster.pods if pod.node is not None}
    return {
        **columns.fields(cluster),
        "node_ids": [node.name for node in cluster.nodes],
        "node_labels": labels or None,
        "node_state": ["cordoned" if node.cordoned else "open" for node in cluster.nodes],
        "task_ids": [cluster.id_of(pod) for pod in cluster.pods],
        "task_eligible": eligible,
        "eligible_groups": list(distinct),
        "task_groups": groups if any(groups) else None,
        "task_pinned": pinned if any(pinned) else None,
        "pinned_sets": [names for _, names in pins.values()] if any(pinned) else None,
        "rules": rules.rules,
        "max_moving": max_moving or None,
        "current": current or None,
    }


def _held(cluster: Cluster, notes: Notes) -> set[int]:
    """The running pods that are marked not to be evicted."""
    held = {j for j, pod in enumerate(cluster.pods) if pod.held}
    for j in sorted(held):
        shown = cluster.id_of(cluster.pods[j])
        notes.add("read as", "kept where they are: not to be evicted", shown)
    return held


def _names(
    eligibility: Eligibility, mask: Mask, pod: Any, home: int | None, labels: dict[str, Any]
) -> tuple[str, ...] | None:
    """The eligibility list; a node where the pod may only stay is named beside the others."""
    usual = eligibility.usual(pod)
    if home is not None and mask[home] and not usual[home] and usual.any():
        others = mask.copy()
        others[home] = False
        if (others == usual).all():
            return (*(eligibility.names(others, labels) or ()), str(pod.node))
    return eligibility.names(mask, labels)


def _labels(eligibility: Eligibility, needed: set[str]) -> dict[str, list[str | None]]:
    """The labels that tell nodes apart and say more than id and kind, and the domains of rules."""
    ids = [node.name for node in eligibility.nodes]
    kinds = list(eligibility.kinds)
    kept = {}
    for key, column in eligibility.columns.items():
        known = len(set(column)) == 1 or column == ids or _follows(column, kinds)
        if key in needed or not (known or "=" in key or key in ("node", "kind")):
            kept[key] = column
    return kept


def _follows(column: list[str | None], kinds: list[str | None]) -> bool:
    """Whether a label has the kind for its value, on all nodes of some kinds and on no others."""
    pairs = set(zip(kinds, column, strict=True))
    same = all(value is None or value == kind for kind, value in pairs)
    return same and len(pairs) == len(set(kinds))


def _costs(cluster: Cluster, columns: Columns, prices: Path | None, notes: Notes) -> dict[str, Any]:
    """What nodes cost, and whether load may pass their compute."""
    if prices is None and columns.has_share.any():
        what = "allowed to be overloaded, at the prices of the model (no prices are given)"
        for node in cluster.nodes:
            notes.add("read as", what, node.name, "nodes")
        return {}
    paid = [node for node in cluster.nodes if not node.stays_on]
    values: list[Number] = [1] * len(paid)
    if prices is not None:
        values = node_prices(prices, paid)
    cost_of = {node.name: value for node, value in zip(paid, values, strict=True)}
    for node in cluster.nodes:
        if node.stays_on:
            notes.add("read as", "costing 0, as they stay on in any case", node.name, "nodes")
        elif prices is None:
            notes.add("read as", "costing 1 while on (no prices are given)", node.name, "nodes")
    costs = [cost_of.get(node.name, 0) for node in cluster.nodes]
    return {"node_fixed_cost": costs, "max_load": 1, "power_off": "rented"}
