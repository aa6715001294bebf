"""Who may run where: the lists of labels as numbers, and masks for as many as are asked for.

A dense mask of groups and nodes takes a gigabyte where 100,000 tasks name each their own of
10,000 nodes. The lists themselves are small, so they are what is held; the whole mask is made
only where it is small as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from .exact import Array
from .records import Labels

__all__ = ["FEW_NODES", "MOST_MASK", "Eligibility"]

MOST_MASK = 2**26
"""Largest mask, in cells (group, node), that is held as a whole."""
FEW_NODES = 64
"""Up to so many nodes a list is looked at node by node."""


class Eligibility:
    """Which nodes the tasks of each group may run on.

    Parameters
    ----------
    groups : sequence of E label tuples, or None for all nodes
    node_ids : (n,) strings
    node_kind : sequence of n str or None
    node_labels : mapping of str to sequence of n str or None
        The value "a" of the label "zone" is called "zone=a".

    Attributes
    ----------
    num_groups, num_nodes : int
    start : (E + 1,) int64
        Where the labels of each group begin in `labels`; none at all stand for all nodes.
    labels : int64
        The numbers of the labels, ascending within a group.
    node_labels : (n, c) int64
        The numbers of the id, of the kind and of the label values of each node, -1 where no group
        names it; labels of which no value is named are left out.
    """

    def __init__(
        self,
        groups: Sequence[Labels],
        node_ids: Array,
        node_kind: Sequence[str | None],
        node_labels: Mapping[str, Sequence[str | None]] | None = None,
    ) -> None:
        self.num_groups, self.num_nodes = len(groups), len(node_kind)
        named = dict.fromkeys(label for labels in groups for label in labels or ())
        number = {label: at for at, label in enumerate(named)}
        self._num_labels = max(1, len(number))
        rows = [sorted({number[label] for label in labels or ()}) for labels in groups]
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        self.start = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        self.labels = np.array([label for row in rows for label in row], dtype=np.int64)
        self.node_labels = np.full((self.num_nodes, 2), -1, dtype=np.int64)
        if number:
            self.node_labels[:, 0] = [number.get(label, -1) for label in node_ids.tolist()]
            self.node_labels[:, 1] = [number.get(label or "", -1) for label in node_kind]
            more = [
                np.array([number.get(f"{key}={value}", -1) for value in column], dtype=np.int64)
                for key, column in (node_labels or {}).items()
            ]
            used = [column for column in more if (column >= 0).any()]
            self.node_labels = np.column_stack((self.node_labels, *used))

    @cached_property
    def mask(self) -> Array | None:
        """(E, n) bool: the whole mask, or None where it is larger than `MOST_MASK`."""
        if self.num_groups * self.num_nodes > MOST_MASK:
            return None
        mask = np.ones((self.num_groups, self.num_nodes), dtype=bool)
        for group in np.flatnonzero(self.start[1:] > self.start[:-1]).tolist():
            mask[group] = self._listed(group)
        mask.flags.writeable = False
        return mask

    @cached_property
    def everywhere(self) -> bool:
        """Whether all tasks may run on all nodes."""
        if self.mask is not None:
            return bool(self.mask.all())
        return not self.labels.size

    def at(self, groups: Array, nodes: Array | int) -> Array:
        """Whether tasks of some groups may run on the nodes beside them; arrays are broadcast."""
        if self.mask is not None:
            found: Array = self.mask[groups, nodes]
            return found
        allowed: Array = self.start[groups] == self.start[groups + 1]
        for column in range(self.node_labels.shape[1]):
            label = self.node_labels[nodes, column]
            wanted = np.asarray(groups, dtype=np.int64) * self._num_labels + label
            place = np.searchsorted(self._pairs, wanted)
            allowed = allowed | ((label >= 0) & (self._pairs_and_end[place] == wanted))
        return allowed

    def allows(self, group: int, node: int) -> bool:
        """The same of one group and one node, faster."""
        if self.mask is not None:
            return bool(self.mask[group, node])
        if self.start[group] == self.start[group + 1]:
            return True
        first = group * self._num_labels
        return any(
            label >= 0 and first + label in self._pair_set
            for label in self.node_labels[node].tolist()
        )

    def block(self, groups: Array, nodes: Array) -> Array:
        """(groups, nodes) bool: the mask of some groups and nodes."""
        if self.mask is not None:
            found: Array = self.mask[np.ix_(groups, nodes)]
            return found
        distinct, place = np.unique(groups, return_inverse=True)
        rows = np.zeros((distinct.size, nodes.size), dtype=bool)
        for k, group in enumerate(distinct.tolist()):
            rows[k] = self.row(group)[nodes]
        return rows[place]

    def row(self, group: int) -> Array:
        """(n,) bool: the nodes that tasks of a group may run on."""
        if self.mask is not None:
            row: Array = self.mask[group]
            return row
        if self.start[group] == self.start[group + 1]:
            return np.ones(self.num_nodes, dtype=bool)
        return self._listed(group)

    def _listed(self, group: int) -> Array:
        order, begin = self._by_label
        row = np.zeros(self.num_nodes, dtype=bool)
        for label in self.labels[self.start[group] : self.start[group + 1]].tolist():
            row[order[begin[label] : begin[label + 1]]] = True
        return row

    @cached_property
    def short_lists(self) -> tuple[Array, Array]:
        """The nodes of the groups that list no more than `FEW_NODES`, of the others none.

        Returns
        -------
        start : (E + 1,) int64
        nodes : int64
            Ascending within a group.
        """
        order, begin = self._by_label
        size = np.diff(begin)[self.labels]
        group = np.repeat(np.arange(self.num_groups), np.diff(self.start))
        few = np.bincount(group, size, self.num_groups) <= FEW_NODES
        size, first, group = (part[few[group]] for part in (size, begin[self.labels], group))
        behind = np.cumsum(size)
        at = np.arange(behind[-1] if size.size else 0) - np.repeat(behind - size - first, size)
        pairs = np.unique(np.repeat(group, size) * self.num_nodes + order[at])
        start = np.searchsorted(pairs, np.arange(self.num_groups + 1) * self.num_nodes)
        return start, pairs % self.num_nodes

    @cached_property
    def _pairs(self) -> Array:
        """All pairs (group, label) as one ascending number each."""
        groups = np.repeat(np.arange(self.num_groups), np.diff(self.start))
        return groups * self._num_labels + self.labels

    @cached_property
    def _pairs_and_end(self) -> Array:
        return np.append(self._pairs, -1)

    @cached_property
    def _pair_set(self) -> frozenset[int]:
        return frozenset(self._pairs.tolist())

    @cached_property
    def _by_label(self) -> tuple[Array, Array]:
        """Nodes sorted by label, and where each label begins among them."""
        flat = self.node_labels.ravel()
        order = np.argsort(flat, kind="stable")
        order = order[np.searchsorted(flat[order], 0) :]
        start = np.searchsorted(flat[order], np.arange(self._num_labels + 1))
        return order // self.node_labels.shape[1], start
