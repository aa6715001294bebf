"""Which nodes pods may go to, and how an instance says so in few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .cluster import ClusterNode, ClusterPod

__all__ = ["HOSTNAME", "Eligibility", "Mask", "label_columns"]

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

HOSTNAME = "kubernetes.io/hostname"
_EMPTY = "(empty)"
_MOST_VALUES = 64


def label_columns(nodes: Sequence[ClusterNode]) -> dict[str, list[str | None]]:
    """The labels of the nodes by key; an empty value is written "(empty)"."""
    keys = sorted({key for node in nodes for key in node.labels})
    return {
        key: [None if key not in node.labels else node.labels[key] or _EMPTY for node in nodes]
        for key in keys
    }


class Eligibility:
    """The nodes that pods may go to.

    Parameters
    ----------
    nodes : sequence of ClusterNode
    kinds : sequence of str or None
    pods : sequence of ClusterPod
    has_share : (n,) bool
        Whether a node has GPUs that are shared by annotations.
    """

    def __init__(
        self,
        nodes: Sequence[ClusterNode],
        kinds: Sequence[str | None],
        pods: Sequence[ClusterPod],
        has_share: Mask,
    ) -> None:
        self.nodes, self.kinds, self.has_share = nodes, kinds, has_share
        self.position = {node.name: i for i, node in enumerate(nodes)}
        self.columns = label_columns(nodes)
        looked_at = sorted(
            {key for terms in {pod.terms for pod in pods} for key in terms.looked_at()}
        )
        by_name = "" in looked_at
        number: dict[Any, int] = {}
        self._class = np.array(
            [
                number.setdefault(
                    (
                        node.name if by_name else "",
                        node.kind,
                        node.taints,
                        *(node.labels.get(key) for key in looked_at),
                    ),
                    len(number),
                )
                for node in nodes
            ],
            dtype=np.int64,
        )
        first = np.unique(self._class, return_index=True)[1]
        self._examples = [nodes[i] for i in first.tolist()]
        self._masks: dict[Any, Mask] = {}
        self._names: dict[bytes, tuple[str, ...] | None] = {}
        self._codes: dict[str, Codes] = {}

    def chosen(self, pod: ClusterPod) -> Mask:
        """(n,) bool: the nodes that the pod's node selector and node affinity allow."""
        shares = bool(pod.shared)
        key = (pod.terms, pod.cards, shares)
        if key not in self._masks:
            found = np.array(
                [
                    pod.terms.allow(node.name, node.labels)
                    and (not pod.cards or node.kind in pod.cards)
                    for node in self._examples
                ],
                dtype=bool,
            )[self._class]
            self._masks[key] = found & self.has_share if shares else found
        return self._masks[key]

    def tolerated(self, pod: ClusterPod) -> Mask:
        """(n,) bool: the nodes whose taints the pod tolerates."""
        key = pod.tolerations
        if key not in self._masks:
            self._masks[key] = np.array(
                [all(map(pod.tolerates, node.taints)) for node in self._examples], dtype=bool
            )[self._class]
        return self._masks[key]

    def usual(self, pod: ClusterPod) -> Mask:
        """(n,) bool: the nodes that a new pod like this may go to; one array for all alike."""
        key = (pod.terms, pod.cards, bool(pod.shared), pod.tolerations)
        if key not in self._masks:
            self._masks[key] = self.chosen(pod) & self.tolerated(pod)
        return self._masks[key]

    def may_stay(self, pod: ClusterPod) -> bool:
        """Whether no taint drives the pod from the node where it is."""
        node = self.nodes[self.position[pod.node or ""]]
        return all(pod.tolerates(taint) for taint in node.taints if taint.effect == "NoExecute")

    def domains(self, key: str) -> Codes:
        """(n,) numbers of the domains of a topology key, -1 for a node without it.

        The name of a node stands in for the label of its host.
        """
        if key not in self._codes:
            column = self.columns.get(key, [None] * len(self.nodes))
            if key == HOSTNAME:
                column = [
                    value or node.name for value, node in zip(column, self.nodes, strict=True)
                ]
            number: dict[str, int] = {}
            self._codes[key] = np.array(
                [-1 if v is None else number.setdefault(v, len(number)) for v in column],
                dtype=np.int64,
            )
        return self._codes[key]

    def domain_of(self, key: str) -> str | None:
        """What a rule calls the domains of a topology key; None where no node has it."""
        codes = self.domains(key)
        if key == HOSTNAME and np.unique(codes).size == codes.size:
            return "node"
        return key if (codes >= 0).any() else None

    def names(self, mask: Mask, labels: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Kinds, values of one label or ids that together are just these nodes; None for all."""
        key = mask.tobytes()
        if key not in self._names:
            self._names[key] = self._named(mask, labels)
        return self._names[key]

    def _named(self, mask: Mask, labels: Mapping[str, Any]) -> tuple[str, ...] | None:
        if mask.all():
            return None
        by_kind = _values(mask, self.kinds)
        if by_kind is not None:
            return tuple(sorted(by_kind))
        best: tuple[str, ...] | None = None
        for key in labels:
            values = _values(mask, self.columns[key])
            few = min(_MOST_VALUES, int(mask.sum()) - 1, len(best) - 1 if best else _MOST_VALUES)
            if values is not None and len(values) <= few:
                best = tuple(sorted(f"{key}={value}" for value in values))
        return best or self.ids(mask)

    def ids(self, mask: Mask) -> tuple[str, ...]:
        """The names of the nodes of a mask."""
        return tuple(self.nodes[i].name for i in np.flatnonzero(mask).tolist())


def _values(mask: Mask, column: Sequence[str | None]) -> set[str] | None:
    """The values that just the nodes of a mask have, None if there are no such values."""
    inside = {column[i] for i in np.flatnonzero(mask).tolist()}
    outside = {column[i] for i in np.flatnonzero(~mask).tolist()}
    if None in inside or inside & outside:
        return None
    return {value for value in inside if value is not None}
