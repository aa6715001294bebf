"""The distinct lists of names in a file of tasks, checked when they are first seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import InstanceError
from .text import did_you_mean

__all__ = ["EligibleGroups", "NameSets"]


class EligibleGroups:
    """Numbers the eligibility lists in the order they come; 0 is "all nodes".

    Parameters
    ----------
    node_ids, node_kinds : iterable
        What a list may name.
    node_labels : mapping of keys to iterables
        What it may name as well, as "key=value".
    """

    def __init__(
        self,
        node_ids: Iterable[Any],
        node_kinds: Iterable[Any],
        node_labels: Mapping[str, Iterable[Any]] | None = None,
    ) -> None:
        self.labels: list[tuple[str, ...] | None] = [None]
        self._number: dict[tuple[str, ...], int] = {}
        self._known = {
            label for names in (node_ids, node_kinds) for label in names if isinstance(label, str)
        }
        for key, values in (node_labels or {}).items():
            self._known.update(f"{key}={v}" for v in values if isinstance(v, str) and v)

    def number_of(self, given: Any) -> int:
        """The number of a list, which is checked when it is new.

        Raises
        ------
        InstanceError
            If it is not a list of text, is empty, or names something unknown.
        """
        if type(given) is not list or not all(type(label) is str for label in given):
            raise InstanceError(f"{given!r} is not a list of node ids, kinds or label values")
        labels = tuple(given)
        number = self._number.get(labels)
        if number is None:
            self._require_known(labels)
            number = self._number[labels] = len(self.labels)
            self.labels.append(labels)
        return number

    def labels_of(self, given: Any) -> tuple[str, ...] | None:
        """The list itself, checked as by `number_of`; None for None."""
        return None if given is None else self.labels[self.number_of(given)]

    def _require_known(self, labels: tuple[str, ...]) -> None:
        if not labels:
            raise InstanceError(
                "the list is empty; name a node, a kind or a label value, or leave it out for all "
                "nodes"
            )
        for label in labels:
            if label not in self._known:
                raise InstanceError(
                    f"{label!r} is neither the id nor the kind of a node, nor the value of a "
                    f"label such as 'zone=a'{did_you_mean(label, self._known)}"
                )


class NameSets:
    """Numbers the lists of groups, or of nodes to be pinned to, in the order they come.

    Parameters
    ----------
    known : set of str or None
        The ids of nodes; None for groups, which may have any name.
    """

    def __init__(self, known: set[str] | None) -> None:
        self.names: list[tuple[str, ...] | None] = [() if known is None else None]
        self._number: dict[tuple[str, ...], int] = {}
        self._known = known

    def number_of(self, given: Any) -> int:
        """The number of a list, which is checked when it is new; 0 of None.

        Raises
        ------
        InstanceError
            If it is not a list of text, or names an unknown node; one node may be a text.
        """
        if given is None or (given == [] and self._known is None):
            return 0
        if type(given) is str and self._known is not None:
            given = [given]
        if type(given) is not list or not all(type(name) is str for name in given):
            what = "names of groups" if self._known is None else "node ids"
            raise InstanceError(f"{given!r} is not a list of {what}")
        names = tuple(given)
        number = self._number.get(names)
        if number is None:
            self._require_known(names)
            number = self._number[names] = len(self.names)
            self.names.append(names)
        return number

    def _require_known(self, names: tuple[str, ...]) -> None:
        if self._known is None:
            if "" in names:
                raise InstanceError("the name of a group is text that is not empty")
            return
        if not names:
            raise InstanceError("the list is empty; name a node, or leave it out")
        for name in names:
            if name not in self._known:
                raise InstanceError(
                    f"{name!r} is not the id of a node{did_you_mean(name, self._known)}"
                )
