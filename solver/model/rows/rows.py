"""The rows of an instance: one for each part of each variant of each task.

Everything that is placed is a row. Where no task has variants, row j is task j. Otherwise the rows
of a task stand together, its variants in their order and the parts of a variant in theirs; the
rows of one variant of a task are a *form* of it, and of a task that runs exactly one form is in
use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..exact import Array, exact_column
from ..records import Labels, Part, Variant

__all__ = ["NOWHERE", "Rows", "make_rows"]

NOWHERE = ("\0",)
"""An eligibility list that no node is on: no id, kind or label value is this text."""


@dataclass(frozen=True)
class Rows:
    """The W rows, in Q forms of m tasks.

    Attributes
    ----------
    task_model : (m,) int32
        The set of variants of each task, -1 for own figures.
    sets : tuple of tuples of Variant
    compute, storage : (W,) numbers
        Of each row, in the user's units.
    resources : dict of str to (W,) numbers
    group : (W,) int32
        The number of the eligibility list of each row.
    groups : tuple
        The distinct eligibility lists of rows: pins are in them.
    """

    task_model: Array
    sets: tuple[tuple[Variant, ...], ...]
    compute: Array
    storage: Array
    resources: dict[str, Array]
    group: Array
    groups: tuple[Labels, ...]

    @property
    def is_identity(self) -> bool:
        """Whether every task has own figures, so that row j is task j."""
        return not self.sets

    @property
    def num_rows(self) -> int:
        """W, the number of rows."""
        return int(self.compute.size)

    @property
    def num_forms(self) -> int:
        """Q, the number of forms."""
        return int(self.task_form[-1])

    @cached_property
    def task_form(self) -> Array:
        """(m + 1,) int64: the first form of each task, and behind the last."""
        forms = [len(variants) for variants in self.sets] + [1]
        return _starts(np.array(forms, dtype=np.int64)[self.task_model])

    @cached_property
    def task_start(self) -> Array:
        """(m + 1,) int64: the first row of each task, and behind the last."""
        rows = [sum(map(num_parts, variants)) for variants in self.sets] + [1]
        return _starts(np.array(rows, dtype=np.int64)[self.task_model])

    @cached_property
    def task(self) -> Array:
        """(W,) int64: the task of each row."""
        return np.repeat(np.arange(self.task_model.size), np.diff(self.task_start))

    @cached_property
    def form_task(self) -> Array:
        """(Q,) int64: the task of each form."""
        return np.repeat(np.arange(self.task_model.size), np.diff(self.task_form))

    @cached_property
    def form_variant(self) -> Array:
        """(Q,) int64: the position of each form's variant among those of its task."""
        return np.arange(self.num_forms) - self.task_form[self.form_task]

    @cached_property
    def form_start(self) -> Array:
        """(Q + 1,) int64: the first row of each form, and behind the last."""
        return _starts(self._form_figures([num_parts(v) for v in self.all_variants], 1))

    @cached_property
    def form(self) -> Array:
        """(W,) int64: the form of each row."""
        return np.repeat(np.arange(self.num_forms), np.diff(self.form_start))

    @property
    def variant(self) -> Array:
        """(W,) int64: the position of each row's variant among those of its task."""
        variants: Array = self.form_variant[self.form]
        return variants

    @cached_property
    def part(self) -> Array:
        """(W,) int64: the number of each row among the parts of its form."""
        return np.arange(self.num_rows) - self.form_start[self.form]

    @cached_property
    def all_variants(self) -> tuple[Variant, ...]:
        """The variants of all sets, one set behind the other."""
        return tuple(variant for variants in self.sets for variant in variants)

    @cached_property
    def form_source(self) -> Array:
        """(Q,) int64: the position of each form in `all_variants`, -1 for own figures."""
        first = _starts(np.array([len(variants) for variants in self.sets], dtype=np.int64))
        model = self.task_model[self.form_task]
        return np.where(model < 0, -1, first[model] + self.form_variant)

    def _form_figures(self, of_variants: Sequence[int], own: int) -> Array:
        figures = np.array([*of_variants, own], dtype=np.int64)
        return figures[self.form_source]


def num_parts(variant: Variant) -> int:
    """How many parts a variant has."""
    return variant.parts if isinstance(variant.parts, int) else len(variant.parts)


def parts_of(variant: Variant) -> list[Part]:
    """The parts of a variant, each with its figures and where it may run."""
    if isinstance(variant.parts, int):
        assert variant.compute is not None
        one = Part(variant.compute, variant.storage, variant.resources, variant.eligible)
        return [one] * variant.parts
    own = [variant.eligible if part.eligible is None else part.eligible for part in variant.parts]
    return [replace(part, eligible=labels) for part, labels in zip(variant.parts, own, strict=True)]


def _starts(lengths: Array) -> Array:
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)


def make_rows(made: Mapping[str, Any]) -> Rows:
    """The rows of checked columns.

    Parameters
    ----------
    made : mapping
        The columns of an instance: figures of the tasks, `task_model`, `variant_sets`, eligibility
        and pins.
    """
    sets, model = made["variant_sets"], made["task_model"]
    resources = made["task_resources"]
    if not sets:
        group, groups = _with_pins(made["task_group"], made["groups"], made["task_pinned"], made)
        return Rows(
            model, sets, made["task_compute"], made["task_storage"], resources, group, groups
        )
    parts = [[part for variant in variants for part in parts_of(variant)] for variants in sets]
    flat = [part for listed in parts for part in listed]
    first = _starts(np.array([len(listed) for listed in parts], dtype=np.int64))
    lengths = np.array([len(listed) for listed in parts] + [1], dtype=np.int64)[model]
    start = _starts(lengths)
    task = np.repeat(np.arange(model.size), lengths)
    own = model[task] < 0
    source = np.where(own, 0, first[model[task]] + np.arange(task.size) - start[task])

    def column(of_tasks: Array, of_parts: list[Any]) -> Array:
        return _chosen(own, of_tasks[task], exact_column(of_parts)[source])

    lists: dict[Labels, int] = {labels: at for at, labels in enumerate(made["groups"])}
    numbers = [lists.setdefault(_labels(part), len(lists)) for part in flat]
    group = np.where(own, made["task_group"][task], np.array(numbers, dtype=np.int32)[source])
    group, groups = _with_pins(group, tuple(lists), made["task_pinned"][task], made)
    return Rows(
        task_model=model,
        sets=sets,
        compute=column(made["task_compute"], [part.compute for part in flat]),
        storage=column(made["task_storage"], [part.storage for part in flat]),
        resources={
            key: column(each, [part.resources.get(key, 0) for part in flat])
            for key, each in resources.items()
        },
        group=group,
        groups=groups,
    )


def _labels(part: Part) -> Labels:
    return None if part.eligible is None else tuple(part.eligible)


def _chosen(first: Array, yes: Array, no: Array) -> Array:
    """Entries of one column or the other, in the narrowest type that keeps them exactly."""
    if yes.dtype == no.dtype != object:
        found: Array = np.where(first, yes, no)
    else:
        joined = np.where(first, yes.astype(object), no.astype(object))
        found = exact_column(joined.tolist())
    found.flags.writeable = False
    return found


def _with_pins(
    group: Array, groups: Sequence[Labels], pinned: Array, made: Mapping[str, Any]
) -> tuple[Array, tuple[Labels, ...]]:
    """Eligibility lists with the pins in them."""
    if len(made["pinned_sets"]) == 1:
        return group, tuple(groups)
    keys = group.astype(np.int64) * len(made["pinned_sets"]) + pinned
    used, number = np.unique(keys, return_inverse=True)
    found: dict[Labels, int] = {}
    names: list[int] = []
    words = _words_of_nodes(made)
    for key in used.tolist():
        labels = groups[key // len(made["pinned_sets"])]
        pins = made["pinned_sets"][key % len(made["pinned_sets"])]
        names.append(found.setdefault(_both(labels, pins, words), len(found)))
    return np.array(names, dtype=np.int32)[number], tuple(found)


def _both(labels: Labels, pins: Labels, words: Mapping[str, set[str]]) -> Labels:
    """The pinned nodes that are on an eligibility list, too."""
    if pins is None:
        return labels
    left = [pin for pin in pins if labels is None or not words[pin].isdisjoint(labels)]
    return tuple(left) or NOWHERE


def _words_of_nodes(made: Mapping[str, Any]) -> dict[str, set[str]]:
    """What an eligibility list may call each of the nodes that something is pinned to."""
    pinned = {pin for pins in made["pinned_sets"] for pin in pins or ()}
    ids = made["_node_ids"]
    names = ids.tolist() if ids is not None else [f"node-{i}" for i in range(made["num_nodes"])]
    words = {}
    for i, name in enumerate(names):
        if name in pinned:
            words[name] = {name, made["node_kind"][i] or name}
            words[name].update(
                f"{key}={column[i]}"
                for key, column in made["node_labels"].items()
                if column[i] is not None
            )
    return words
