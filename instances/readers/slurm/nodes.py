"""The nodes of a Slurm cluster, from scontrol or from sinfo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from solver.errors import InstanceError

from ..notes import Notes
from .hostlists import expand_hosts
from .values import Needs, Record, gres_of

__all__ = ["ClusterNode", "natural", "read_nodes"]

_BASES = ("IDLE", "MIXED", "MIX", "ALLOCATED", "ALLOC", "DOWN", "ERROR", "FUTURE", "UNKNOWN")
_OUT = {
    "DOWN": "down",
    "ERROR": "in error",
    "FUTURE": "not there yet",
    "UNKNOWN": "in a state that is not known",
    "DRAIN": "drained or draining",
    "DRAINED": "drained or draining",
    "DRAINING": "drained or draining",
    "DRNG": "drained or draining",
    "FAIL": "failing",
    "FAILING": "failing",
    "INVALID_REG": "registered with other figures than configured",
    "MAINT": "in maintenance",
    "MAINTENANCE": "in maintenance",
    "NOT_RESPONDING": "not responding",
    "NO_RESPOND": "not responding",
    "REBOOT_ISSUED": "rebooting",
}
"""States of nodes that take no jobs, in the order in which they are told."""


@dataclass
class ClusterNode:
    """A node.

    Attributes
    ----------
    name : str
    has : Needs
        What it has.
    partitions, features : tuple of str
        Sorted.
    out : str or None
        Why it takes no jobs.
    """

    name: str
    has: Needs
    partitions: tuple[str, ...]
    features: tuple[str, ...]
    out: str | None


def natural(name: str) -> list[tuple[bool, int, str]]:
    """What sorts names as people do: n2 before n10."""
    pieces = re.split(r"([0-9]+)", name)
    return [
        (True, int(piece), piece) if k % 2 and len(piece) < 19 else (False, 0, piece)
        for k, piece in enumerate(pieces)
        if piece
    ]


def read_nodes(loaded: dict[str, Any], where: str, notes: Notes) -> list[ClusterNode]:
    """The nodes of ``scontrol show nodes --json`` (`nodes`) or ``sinfo --json`` (`sinfo`).

    Parameters
    ----------
    loaded : dict
    where : str
        The file.
    notes : Notes

    Raises
    ------
    InstanceError
        Naming the file, the node and the key.
    """
    found: dict[str, ClusterNode] = {}
    of_sinfo = "sinfo" in loaded
    records = loaded["sinfo" if of_sinfo else "nodes"]
    if not isinstance(records, list):
        raise InstanceError(f"{where}: {'sinfo' if of_sinfo else 'nodes'} must be a list")
    for k, given in enumerate(records):
        record = Record(given, f"{where}: node {k + 1}")
        for node in _of_sinfo(record, notes) if of_sinfo else _of_scontrol(record, notes):
            known = found.setdefault(node.name, node)
            if known is node:
                continue
            if not of_sinfo:
                record.fail("name", f"is {node.name!r}, which stands twice")
            if (known.has, known.features) != (node.has, node.features):
                record.fail("nodes", f"have {node.name!r}, which stands twice with other figures")
            known.partitions = tuple(sorted({*known.partitions, *node.partitions}))
            known.out = known.out or node.out
    return sorted(found.values(), key=lambda node: natural(node.name))


def _of_scontrol(record: Record, notes: Notes) -> Iterator[ClusterNode]:
    name = record.text("name") or record.text("hostname")
    if not name:
        record.fail("name", "is missing")
    named = Record(record.data, f"{record.where} ({name})")
    cpus, memory = named.number("cpus"), named.number("real_memory")
    effective, kept = named.number("effective_cpus"), named.number("specialized_memory") or 0
    if (effective and cpus and effective < cpus) or (memory and 0 < kept < memory):
        what = "without the cores and the memory that are kept for the system"
        notes.add("read as", what, name, "nodes")
        cpus = min(cpus or 0, effective) if effective else cpus
        memory = max((memory or 0) - kept, 0) if memory is not None else None
    features = "active_features" if record.data.get("active_features") else "features"
    yield ClusterNode(
        name,
        _has(named, cpus, memory, named.text("gres")),
        tuple(sorted(set(named.texts("partitions")))),
        tuple(sorted(set(named.texts(features)))),
        _out(named, named.states("state", "state_flags")),
    )


def _of_sinfo(record: Record, notes: Notes) -> Iterator[ClusterNode]:
    listed = record.child("nodes").texts("nodes")
    try:
        names = expand_hosts(",".join(listed))
    except ValueError as error:
        record.fail("nodes", str(error))
    if not names:
        return  # a partition without nodes
    named = Record(record.data, f"{record.where} ({','.join(listed)[:60]})")
    figures = []
    for key in ("cpus", "memory"):
        inner = named.child(key)
        least, most = inner.number("minimum"), inner.number("maximum")
        if most is not None and least != most:
            what = f"of the {key} of the least of a group; use sinfo -N --json"
            for name in names:
                notes.add("read as", what, name, "nodes")
        figures.append(least)
    gres, features = named.child("gres"), named.child("features")
    active = "active" if features.data.get("active") else "total"
    partition = named.child("partition").text("name")
    for name in names:
        yield ClusterNode(
            name,
            _has(named, figures[0], figures[1], gres.text("total")),
            (partition,) if partition else (),
            tuple(sorted(set(features.texts(active)))),
            _out(named, named.child("node").states("state")),
        )


def _has(record: Record, cpus: int | None, memory: int | None, gres: str) -> Needs:
    if cpus is None or memory is None:
        record.fail("cpus" if cpus is None else "memory", "is missing")
    has = Needs(cpus, Fraction(memory))
    try:
        has.add_gres(gres_of(gres))
    except ValueError as error:
        record.fail("gres", str(error))
    return has


def _out(record: Record, states: set[str]) -> str | None:
    """Why a node takes no jobs; None where it does."""
    for state, reason in _OUT.items():
        if state in states:
            return reason
    if not states.intersection(_BASES):
        shown = "+".join(sorted(states))[:60] or "empty"
        record.fail("state", f"is {shown}; none of it is a state of a node that is known")
    return None
