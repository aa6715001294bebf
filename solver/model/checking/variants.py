"""The variants of tasks: checked, and numbered as sets that many tasks share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import InstanceError
from ..exact import Array
from ..records import Number, Part, Variant
from .names import record_label
from .validation import are_positions, frozen, is_unicode, labels_checked, plain

__all__ = ["VariantSets", "checked_variants", "without_own_figures"]

_MOST_PARTS = 10_000


class VariantSets:
    """Sets of variants, numbered as they come: the named models first.

    Parameters
    ----------
    models : mapping of str to sequence of Variant, or None
    known : set of str
        What `eligible` may name.
    resources : collection of str
        Those that nodes list.
    """

    def __init__(self, models: Any, known: set[str], resources: Iterable[str]) -> None:
        self._known, self._resources = known, set(resources)
        self.sets: list[tuple[Variant, ...]] = []
        self.names: list[str | None] = []
        self._own: dict[int, tuple[Any, int]] = {}
        self._by_text: dict[str, int] = {}
        if models is not None and not isinstance(models, Mapping):
            raise InstanceError(f"models is {models!r}; it must map names to lists of variants")
        for name, given in (models or {}).items():
            if not isinstance(name, str) or not name or not is_unicode(name):
                raise InstanceError(f"models: the name {name!r} must be text that is not empty")
            self.sets.append(self._checked(given, f"model {name!r}"))
            self.names.append(name)

    def own(self, given: Any, where: str) -> int:
        """The number of a set that a task has brought with it."""
        known = self._own.get(id(given))
        if known is not None and known[0] is given:  # many tasks may share one list
            return known[1]
        checked = self._checked(given, where)
        number = self._by_text.setdefault(repr(checked), len(self.sets))
        if number == len(self.sets):
            self.sets.append(checked)
            self.names.append(None)
        self._own[id(given)] = given, number
        return number

    def _checked(self, given: Any, where: str) -> tuple[Variant, ...]:
        if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
            raise InstanceError(f"{where}: variants is {given!r}; it must be a list of variants")
        listed = list(given)
        if not listed:
            raise InstanceError(f"{where}: variants is empty; give one at least")
        made, names = [], set()
        for position, variant in enumerate(listed):
            if not isinstance(variant, Variant):
                raise InstanceError(
                    f"{where}: variants[{position}] is {variant!r}; it must be a Variant"
                )
            name = variant.name
            if not isinstance(name, str) or not name or not is_unicode(name):
                raise InstanceError(
                    f"{where}: variants[{position}]: name is {name!r}; it must be text that is not "
                    "empty"
                )
            if name in names:
                raise InstanceError(f"{where}: the variant {name!r} stands twice")
            names.add(name)
            made.append(self._checked_variant(variant, f"{where}, variant {name!r}"))
        return tuple(made)

    def _checked_variant(self, variant: Variant, where: str) -> Variant:
        parts = variant.parts
        eligible = labels_checked(variant.eligible, where, self._known)
        checked: dict[str, Any] = {
            "eligible": eligible,
            "price": _number(variant.price, f"{where}: price"),
            "loss": _number(variant.loss, f"{where}: loss"),
        }
        if isinstance(parts, Sequence) and not isinstance(parts, str):
            if variant.compute is not None or variant.storage or variant.resources:
                raise InstanceError(
                    f"{where}: parts have figures of their own; leave out compute, storage and "
                    "resources of the variant, or give the number of parts"
                )
            if not parts:
                raise InstanceError(f"{where}: parts is empty; give one at least")
            made = tuple(self._part(part, f"{where}, part {p}") for p, part in enumerate(parts, 1))
            return replace(variant, **checked, storage=0, resources={}, parts=made)
        parts = plain(parts)
        if isinstance(parts, bool) or not isinstance(parts, int) or not 1 <= parts <= _MOST_PARTS:
            raise InstanceError(
                f"{where}: parts is {variant.parts!r}; it must be an integer from 1 to "
                f"{_MOST_PARTS:,}, or a list of parts"
            )
        return replace(variant, **checked, **self._figures(variant, where), parts=parts)

    def _part(self, part: Any, where: str) -> Part:
        if not isinstance(part, Part):
            raise InstanceError(f"{where} is {part!r}; it must be a Part")
        eligible = labels_checked(part.eligible, where, self._known)
        return replace(part, **self._figures(part, where), eligible=eligible)

    def _figures(self, of: Variant | Part, where: str) -> dict[str, Any]:
        if not isinstance(of.resources, Mapping):
            raise InstanceError(f"{where}: resources must map names to numbers")
        for key in of.resources:
            if key not in self._resources:
                choices = ", ".join(map(repr, sorted(self._resources))) or "none"
                raise InstanceError(
                    f"{where}: resources[{key!r}] is a resource that no node lists "
                    f"(known: {choices})"
                )
        return {
            "compute": _number(of.compute, f"{where}: compute"),
            "storage": _number(of.storage, f"{where}: storage"),
            "resources": {
                key: need
                for key, value in sorted(of.resources.items())
                if (need := _number(value, f"{where}: resources[{key!r}]"))
            },
        }


def _number(value: Any, where: str) -> Number:
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise InstanceError(f"{where} is {value!r}; it must be a finite number, 0 or more")
    if value > 1e300:
        raise InstanceError(f"{where} is too large a number; at most 1e300")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def checked_variants(
    columns: Mapping[str, Any],
    models: Any,
    known: set[str],
    resources: Iterable[str],
    count: int,
    ids: Array | None,
) -> tuple[Array, VariantSets]:
    """The set of variants of each task, -1 for own figures.

    Parameters
    ----------
    columns : mapping
        ``task_model``: names, or positions in `models`; ``task_variants``: lists of variants.
    models, known, resources
        As in `VariantSets`.
    count : int
    ids : (count,) strings or None

    Raises
    ------
    InstanceError
        Naming the task, the variant and the field.
    """
    sets = VariantSets(models, known, resources)
    named = len(sets.sets)
    number = np.full(count, -1, dtype=np.int32)
    given = columns.get("task_model")
    if given is not None:
        if len(given) != count:
            raise InstanceError(f"task_model has {len(given)} entries for {count} tasks")
        number[:] = _positions(given, sets, ids)
    own = columns.get("task_variants")
    if own is not None:
        if len(own) != count:
            raise InstanceError(f"task_variants has {len(own)} entries for {count} tasks")
        for j, variants in enumerate(own):
            if variants is None:
                continue
            label = record_label("task", ids, j)
            if 0 <= number[j] < named:
                raise InstanceError(f"{label}: it has variants and a model; give one of them")
            number[j] = sets.own(variants, label)
    return frozen(number), sets


def _positions(given: Any, sets: VariantSets, ids: Array | None) -> Any:
    if are_positions(given) and len(given):
        at = np.asarray(given, dtype=np.int64)
        wrong = (at < -1) | (at >= len(sets.sets))
        if wrong.any():
            j = int(np.argmax(wrong))
            raise InstanceError(
                f"{record_label('task', ids, j)}: model is number {at[j]}; there are "
                f"{len(sets.sets)} models"
            )
        return at
    number = {name: position for position, name in enumerate(sets.names)}
    number[None] = -1
    found = []
    for j, name in enumerate(given):
        if (name is not None and not isinstance(name, str)) or name not in number:
            names = ", ".join(repr(name) for name in number if name is not None) or "none"
            raise InstanceError(
                f"{record_label('task', ids, j)}: model is {name!r}, which is none of the models "
                f"(known: {names})"
            )
        found.append(number[name])
    return found


def without_own_figures(made: Mapping[str, Any], ids: Array | None) -> None:
    """Require that tasks with variants have no figures of their own beside them.

    Raises
    ------
    InstanceError
        Naming the task and the field.
    """
    has = made["task_model"] >= 0
    if not has.any():
        return
    columns = {"compute": made["task_compute"], "storage": made["task_storage"]}
    columns.update((f"resources[{key!r}]", each) for key, each in made["task_resources"].items())
    columns["eligible"] = made["task_group"]
    for name, column in columns.items():
        both = has & (column != 0)
        if both.any():
            label = record_label("task", ids, int(np.argmax(both)))
            raise InstanceError(
                f"{label}: {name} is given beside variants or a model; it belongs to the variants"
            )
