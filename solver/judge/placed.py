"""The rows of an allocation that are in use, and what they are parts of."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..model.exact import Array
from ..model.instance import Instance
from ..model.records import Variant

__all__ = ["Placed"]


class Placed:
    """The U rows that have a node.

    Parameters
    ----------
    instance : Instance
    node_index : (W,) int64
        Position of the node of each row, -1 where it is not in use.

    Attributes
    ----------
    row, node : (U,) int64
        Each row in use and its node.
    """

    def __init__(self, instance: Instance, node_index: Array) -> None:
        self.instance, self.node_index = instance, node_index
        self.row = np.flatnonzero(node_index >= 0)
        self.node = node_index[self.row]

    @cached_property
    def task(self) -> Array:
        """(U,) the task of each row in use."""
        return self.row if self.instance.is_plain else self.instance.rows.task[self.row]

    @cached_property
    def form(self) -> Array:
        """(U,) the form of each row in use."""
        return self.instance.rows.form[self.row]

    @cached_property
    def has_part(self) -> Array:
        """(m,) bool: whether a task has a part on a node."""
        return _marked(self.task, self.instance.num_tasks)

    @cached_property
    def chosen(self) -> Array:
        """The forms that have a part on a node, ascending."""
        return np.flatnonzero(_marked(self.form, self.instance.rows.num_forms))

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The variants of all sets of the instance, one set behind the other."""
        return self.instance.rows.all_variants

    def variant_of(self, form: Array) -> Array:
        """The position in `variants` of each of some forms; -1 for a task with own figures."""
        source: Array = self.instance.rows.form_source[form]
        return source

    @cached_property
    def home(self) -> Array:
        """(U,) bool: whether a part is on a node where it is now, in the same variant.

        Parts that are equal may change places; of two on one node, one is at home.
        """
        instance, rows = self.instance, self.instance.rows
        if instance.current is None:
            return np.zeros(self.row.size, dtype=bool)
        home: Array = instance.current[self.row] == self.node
        size = np.diff(rows.form_start)
        changed = _marked(self.form[~home], size.size) & (size > 1)
        equal = np.flatnonzero(changed[self.form])
        equal = equal[self._parts_are_equal(self.form[equal])]
        before = np.flatnonzero(changed[rows.form] & (instance.current >= 0))
        now_at = self.form[equal] * instance.num_nodes + self.node[equal]
        was_at = rows.form[before] * instance.num_nodes + instance.current[before]
        home[equal] = _is_first(now_at) & _is_among(now_at, was_at)
        return home

    def _parts_are_equal(self, form: Array) -> Array:
        """Whether the variants of some forms have equal parts rather than a list."""
        numbers = self.variant_of(form)
        equal = np.zeros(len(self.variants) + 1, dtype=bool)  # the last one: own figures
        for number in np.unique(numbers).tolist():
            equal[number] = number < 0 or isinstance(self.variants[number].parts, int)
        return equal[numbers]

    @cached_property
    def moved(self) -> Array:
        """(U,) bool: whether a part is not at home, though its task is somewhere now."""
        instance = self.instance
        if instance.current is None:
            return np.zeros(self.row.size, dtype=bool)
        known = _marked(instance.rows.task[instance.current >= 0], instance.num_tasks)
        return known[self.task] & ~self.home


def _marked(positions: Array, count: int) -> Array:
    marked = np.zeros(count, dtype=bool)
    marked[positions] = True
    return marked


def _is_first(keys: Array) -> Array:
    """Whether a key stands there for the first time; fast where they are nearly ascending."""
    order = np.argsort(keys, kind="stable")
    ascending = keys[order]
    first = np.ones(keys.size, dtype=bool)
    first[order[1:]] = ascending[1:] != ascending[:-1]
    return first


def _is_among(keys: Array, others: Array) -> Array:
    """Whether a key is one of the others; fast where they are nearly ascending."""
    ascending = np.append(np.sort(others, kind="stable"), -1)
    found: Array = ascending[np.searchsorted(ascending[:-1], keys)] == keys
    return found
