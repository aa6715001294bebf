"""The distinct eligibility lists of a file of tasks, checked when they are first seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import InstanceError
from .text import did_you_mean

__all__ = ["EligibleGroups"]


class EligibleGroups:
    """Numbers the eligibility lists in the order they come; 0 is "all nodes".

    Parameters
    ----------
    node_ids, node_kinds : iterable
        What a list may name.
    """

    def __init__(self, node_ids: Iterable[Any], node_kinds: Iterable[Any]) -> None:
        self.labels: list[tuple[str, ...] | None] = [None]
        self._number: dict[tuple[str, ...], int] = {}
        self._known = {
            label for names in (node_ids, node_kinds) for label in names if isinstance(label, str)
        }

    def number_of(self, given: Any) -> int:
        """The number of a list, which is checked when it is new.

        Raises
        ------
        InstanceError
            If it is not a list of text, is empty, or names something unknown.
        """
        if type(given) is not list or not all(type(label) is str for label in given):
            raise InstanceError(f"{given!r} is not a list of node ids or kinds")
        labels = tuple(given)
        number = self._number.get(labels)
        if number is None:
            self._require_known(labels)
            number = self._number[labels] = len(self.labels)
            self.labels.append(labels)
        return number

    def _require_known(self, labels: tuple[str, ...]) -> None:
        if not labels:
            raise InstanceError(
                "the list is empty; name a node or a kind, or leave it out for all nodes"
            )
        for label in labels:
            if label not in self._known:
                raise InstanceError(
                    f"{label!r} is neither the id nor the kind of a node"
                    f"{did_you_mean(label, self._known)}"
                )
