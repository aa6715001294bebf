"""Amounts as the columns of an instance, in units that keep them whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .cluster import SHARE, Cluster
from .eligibility import Mask
from .quantities import Amount, Amounts, rounded_up

__all__ = ["Columns", "needs_of"]

_GPU = "nvidia.com/gpu"
_MILLI = 1000
_BYTES = ("memory", "ephemeral-storage", "storage")
_UNITS = (("MiB", 2**20), ("KiB", 2**10), ("bytes", 1))


@dataclass(slots=True)
class Columns:
    """Amounts of nodes and pods by resource, in whole units.

    Attributes
    ----------
    compute : str
        The resource that is compute.
    free, needs : dict of str to list of int
        By resource, what each node has and what each pod needs.
    has_share : (n,) bool
        Whether a node has GPUs shared by annotations.
    units : dict of str to str
    """

    compute: str
    free: dict[str, list[int]]
    needs: dict[str, list[int]]
    has_share: Mask
    units: dict[str, str]

    @property
    def is_hard(self) -> bool:
        """Whether the compute of a node is a limit by itself."""
        return not self.has_share.any()

    def fits(self, j: int, i: int) -> bool:
        """Whether a pod fits an empty node."""
        return all(
            column[j] <= self.free[name][i]
            for name, column in self.needs.items()
            if self.is_hard or name != self.compute
        )

    def keep(self, pods: list[int]) -> None:
        """Drop all other pods."""
        self.needs = {name: [column[j] for j in pods] for name, column in self.needs.items()}

    def fields(self, cluster: Cluster) -> dict[str, Any]:
        """The columns of compute, storage and further resources that can matter."""
        names = [
            name
            for name in sorted(self.needs)
            if name not in (self.compute, "memory") and any(self.needs[name])
        ]
        if self._pods_never_bind(names):
            names = [name for name in names if name != "pods"]
        for name in [*self.units]:
            if name not in (*names, self.compute, "memory"):
                del self.units[name]
        zero = [0] * len(cluster.pods)
        memory = self.compute != "memory"
        return {
            "node_compute": self.free[self.compute],
            "node_storage": self.free["memory"] if memory else None,
            "node_resources": {name: self.free[name] for name in names},
            "task_compute": self.needs.get(self.compute, zero),
            "task_storage": self.needs.get("memory", zero) if memory else None,
            "task_resources": {name: self.needs[name] for name in names},
        }

    def _pods_never_bind(self, names: list[str]) -> bool:
        """Whether on each node something else runs out before the number of pods does."""
        most = [len(self.needs["pods"])] * len(self.free["pods"])
        hard = [name for name in names if name != "pods"] + ["memory"]
        for name in {*hard, *([self.compute] if self.is_hard else [])}:
            needs = sorted(self.needs.get(name, []))
            if needs and sum(needs) < 2**62:
                total = np.cumsum(np.array(needs, dtype=np.int64))
                free = [min(have, 2**62) for have in self.free[name]]
                count = np.searchsorted(total, np.array(free, dtype=np.int64), side="right")
                most = [min(*pair) for pair in zip(most, count.tolist(), strict=True)]
        return all(least <= room for least, room in zip(most, self.free["pods"], strict=True))


def needs_of(cluster: Cluster, compute: str) -> Columns:
    """The amounts of a cluster: cores in thousandths, bytes in the largest unit that fits all.

    With `compute` nvidia.com/gpu, nodes with alibabacloud.com/gpu-milli have thousandths of GPUs,
    and pods as many as their annotations say; devices count a thousand each.
    """
    nodes, pods = cluster.nodes, cluster.pods
    share = compute == _GPU and any(SHARE in node.free for node in nodes)
    per = _MILLI if share else 1
    names = {compute, "memory", *(name for pod in pods for name in pod.requests)}
    free: dict[str, list[int]] = {}
    needs: dict[str, list[int]] = {}
    units: dict[str, str] = {}
    for name in sorted(names - {SHARE} if share else names):
        each = per if name == compute else 1
        have = [node.free.get(name, 0) * each for node in nodes]
        want = [pod.requests.get(name, 0) * each for pod in pods]
        if share and name == compute:
            have = [
                node.free.get(SHARE, 0) or amount for node, amount in zip(nodes, have, strict=True)
            ]
            want = [
                amount if pod.shared is None else pod.shared
                for pod, amount in zip(pods, want, strict=True)
            ]
        free[name], needs[name], units[name] = _whole(name, have, want)
        if share and name == compute:
            units[name] = "thousandths of a GPU"
    free["pods"], needs["pods"] = _numbers_of_pods([node.free for node in nodes], len(pods))
    units["pods"] = "pods"
    has_share = np.array([share and bool(have) for have in free[compute]], dtype=bool)
    return Columns(compute, free, needs, has_share, units)


def _numbers_of_pods(free: list[Amounts], count: int) -> tuple[list[int], list[int]]:
    """How many pods nodes take; all where a node does not say."""
    return [rounded_up(each.get("pods", count)) for each in free], [1] * count


def _whole(name: str, have: list[Amount], want: list[Amount]) -> tuple[list[int], list[int], str]:
    """Amounts of a resource in whole units, rounded up as the scheduler does, and the unit."""
    if name == "cpu":
        unit, per = "thousandths of a core", _MILLI
        return [rounded_up(x, per) for x in have], [rounded_up(x, per) for x in want], unit
    has, wants = [rounded_up(x) for x in have], [rounded_up(x) for x in want]
    if name not in _BYTES and not name.startswith("hugepages-"):
        return has, wants, "whole ones"
    unit, size = next((u, s) for u, s in _UNITS if all(x % s == 0 for x in has + wants))
    return [x // size for x in has], [x // size for x in wants], unit
