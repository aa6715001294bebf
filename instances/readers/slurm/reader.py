"""A Slurm cluster as an instance: what jobs take, where they run, where they may run."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from solver.errors import InstanceError, NodewiseWarning
from solver.model.instance import Instance
from solver.model.records import Node, Number, Part, Task, Variant

from ..notes import Notes, Reading
from .jobs import Job, read_jobs
from .nodes import ClusterNode, read_nodes
from .places import Places
from .prices import node_prices
from .values import Needs, load, mebibytes

__all__ = ["convert_slurm", "read_slurm"]

_COMPUTE = ("gpu", "cpu")


def read_slurm(
    paths: Sequence[str | os.PathLike[str]],
    *,
    compute: str | None = None,
    pending: bool = True,
    skip_price: Number | None = None,
    power_off: bool | str = False,
    prices: str | os.PathLike[str] | None = None,
) -> Instance:
    """Read a cluster from what ``scontrol show nodes --json`` and ``squeue --json`` print.

    As `convert_slurm`, whose notes become one warning where something is not modelled.

    Parameters
    ----------
    paths : sequence of paths
    compute, pending, skip_price, power_off, prices
        As there.

    Returns
    -------
    Instance
    """
    reading = convert_slurm(
        paths,
        compute=compute,
        pending=pending,
        skip_price=skip_price,
        power_off=power_off,
        prices=prices,
    )
    told = [str(note) for note in reading.notes if note.kind != "read as"]
    if told:
        warnings.warn("; ".join(told), NodewiseWarning, stacklevel=2)
    return reading.instance


def convert_slurm(
    paths: Sequence[str | os.PathLike[str]],
    *,
    compute: str | None = None,
    pending: bool = True,
    skip_price: Number | None = None,
    power_off: bool | str = False,
    prices: str | os.PathLike[str] | None = None,
) -> Reading:
    """Read a Slurm cluster, with notes on what is not modelled; docs/slurm.md has the table.

    Parameters
    ----------
    paths : sequence of paths
        In any order: ``scontrol show nodes --json`` or ``sinfo --json``, and ``squeue --json``.
    compute : {"gpu", "cpu"}, optional
        What is compute; the other is a resource. Default: GPUs, if there are any.
    pending : bool
        Whether jobs that wait are tasks.
    skip_price : int or float, optional
        They may be left out at this price each. Default: they must be placed.
    power_off : bool or str
        As in `Instance`.
    prices : path, optional
        A CSV file ``kind,price``; see `node_prices`. Default: a node costs as `Node` says.

    Returns
    -------
    Reading

    Raises
    ------
    InstanceError
        If a file cannot be read or a record is wrong; names the file, the record and the key.
    """
    if compute is not None and compute not in _COMPUTE:
        raise InstanceError(f"compute is {compute!r}; it must be one of: {', '.join(_COMPUTE)}")
    notes = Notes("jobs")
    nodes, jobs, name = _loaded([Path(path) for path in paths], notes, pending)
    kept = [node for node in nodes if node.out is None]
    for node in nodes:
        if node.out is not None:
            notes.add("left out", f"nodes that are {node.out}", node.name, "nodes")
    files = ", ".join(str(path) for path in paths)
    if not kept:
        raise InstanceError(f"{files}: none of {len(nodes):,} nodes is up")
    if compute is None:
        compute = "gpu" if any(node.has.gpu for node in kept) else "cpu"
    places = Places(kept, [node for node in nodes if node.out is not None])
    figures = _Figures(compute, places)
    tasks, current = [], {}
    for job in jobs:
        task = _task(job, places, figures, notes, skip_price)
        if task is not None:
            tasks.append(task[0])
            if task[1]:
                current[job.id] = list(task[1])
    records = [figures.node(node, places.kind(node)) for node in kept]
    settings: dict[str, Any] = {"max_load": 1, "power_off": power_off, "name": name}
    if prices is not None:
        costs, settings["currency"] = node_prices(Path(prices), [node.kind for node in records])
        records = [
            replace(node, fixed_cost=cost) for node, cost in zip(records, costs, strict=True)
        ]
    try:
        instance = Instance(records, tasks, current=current or None, **settings)
    except InstanceError as error:
        raise InstanceError(f"{files}: {error}") from None
    units = {"compute": f"{compute.upper()}s", "storage": "MiB of memory"}
    return Reading(instance, notes.listed(), units)


def _loaded(
    paths: list[Path], notes: Notes, pending: bool
) -> tuple[list[ClusterNode], list[Job], str]:
    """Nodes, jobs and the name of the cluster, from files in any order."""
    nodes: list[ClusterNode] | None = None
    jobs: list[Job] | None = None
    name = ""
    for path in paths:
        loaded, where = load(path), str(path)
        if "jobs" in loaded and jobs is None:
            jobs = read_jobs(loaded, where, notes, pending=pending)
        elif ("sinfo" in loaded or "nodes" in loaded) and nodes is None:
            nodes = read_nodes(loaded, where, notes)
        else:
            raise InstanceError(
                f"{where}: give one file of `scontrol show nodes --json` or `sinfo --json` and one "
                "of `squeue --json`; this one has "
                f"{', '.join(map(repr, list(loaded)[:6])) or 'nothing'}"
            )
        name = name or _cluster(loaded)
    if nodes is None or jobs is None:
        missing = "scontrol show nodes" if nodes is None else "squeue"
        raise InstanceError(f"slurm: a file of `{missing} --json` is missing")
    return nodes, jobs, name or "slurm"


def _cluster(loaded: dict[str, Any]) -> str:
    """The name of the cluster, as newer versions tell it."""
    meta = loaded.get("meta")
    slurm = next(
        (meta[key] for key in ("slurm", "Slurm") if isinstance(meta, dict) and key in meta), None
    )
    name = slurm.get("cluster") if isinstance(slurm, dict) else None
    return name if isinstance(name, str) and name.isprintable() else ""


class _Figures:
    """What nodes have and jobs take, in the terms of an instance."""

    def __init__(self, compute: str, places: Places) -> None:
        self._compute = compute
        self._places = places

    def of(self, needs: Needs) -> dict[str, Any]:
        """Compute, storage and resources."""
        is_gpu, places = self._compute == "gpu", self._places
        other = {"cpu": needs.cpu} if is_gpu else {"gpu": needs.gpu} if places.has_gpus else {}
        mixed = needs.types.keys() & places.mixed_types
        typed = {f"gpu:{kind}": needs.types[kind] for kind in sorted(mixed)}
        gres = {f"gres/{name}": n for name, n in needs.gres.items() if name in places.gres}
        return {
            "compute": needs.gpu if is_gpu else needs.cpu,
            "storage": mebibytes(needs.memory),
            "resources": {**other, **typed, **gres},
        }

    def node(self, node: ClusterNode, kind: str | None) -> Node:
        """The record of a node."""
        lists = {"partitions": node.partitions, "features": node.features}
        labels = {key: ",".join(names) for key, names in lists.items() if names}
        return Node(node.name, kind=kind, labels=labels, **self.of(node.has))


def _task(
    job: Job, places: Places, figures: _Figures, notes: Notes, skip_price: Number | None
) -> tuple[Task, tuple[str, ...]] | None:
    """A job as a task, and the nodes it is on; None where it has no part here."""
    nodes, shares = job.nodes, job.shares
    if nodes:
        known = [k for k, node in enumerate(nodes) if node in places.position]
        if len(known) < len(nodes):
            where = "all" if not known else "some"
            what = f"jobs that run on nodes which are left out ({where} of their parts)"
            notes.add("left out", what, job.id)
        if not known:
            return None
        nodes, shares = tuple(nodes[k] for k in known), tuple(shares[k] for k in known)
    eligible, pinned, problem = places.of(job, len(shares), notes)
    if problem is not None:
        notes.add("left out", f"jobs that wait for nodes: {problem}", job.id)
        return None
    if job.guessed:
        what = "as evenly shared by their nodes as can be, as squeue does not say how"
        notes.add("read as", what, job.id)
    fields: dict[str, Any] = {"groups": (job.group,) if job.group else (), "pinned": pinned}
    if not nodes and skip_price is not None:
        fields["skip_price"] = skip_price
    parts = [figures.of(share) for share in shares]
    if len(parts) == 1:
        return Task(job.id, eligible=eligible, **parts[0], **fields), nodes
    if all(part == parts[0] for part in parts):
        variant = Variant("job", eligible=eligible, parts=len(parts), **parts[0])
    else:
        variant = Variant("job", eligible=eligible, parts=[Part(**part) for part in parts])
    return Task(job.id, variants=[variant], **fields), nodes
