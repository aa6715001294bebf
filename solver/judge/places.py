"""Where parts may be: eligibility, what is pinned, and the state of the nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..model.exact import Array
from ..model.instance import Instance
from ..model.records import Labels
from .placed import Placed
from .violations import Violation

__all__ = ["eligible_lists", "names_of", "places"]


def places(placed: Placed) -> Iterator[Violation]:
    """The parts that are where they may not be."""
    yield from _eligible(placed)
    if placed.instance.is_plain:
        return
    yield from _pinned(placed)
    yield from _states(placed)


def names_of(instance: Instance) -> list[frozenset[str]]:
    """By what `eligible` may name each node: its id, its kind, and its labels as "zone=a"."""
    ids, kinds = instance.node_ids.tolist(), instance.node_kind
    names: list[list[str]] = [
        [node] if kind is None else [node, kind] for node, kind in zip(ids, kinds, strict=True)
    ]
    for key, values in instance.node_labels.items():
        for mine, value in zip(names, values, strict=True):
            if value is not None:
                mine.append(f"{key}={value}")
    return [frozenset(mine) for mine in names]


def eligible_lists(placed: Placed, row: Array) -> tuple[list[Labels], Array]:
    """The distinct lists that some rows are eligible by, and the number of the list of each."""
    instance = placed.instance
    if instance.is_plain:
        return list(instance.groups), instance.task_group[row]
    rows = instance.rows
    task = rows.task[row]
    parts = 1 + int(rows.part.max(initial=0))
    variant = placed.variant_of(rows.form[row])
    own = len(instance.groups)
    key = np.where(variant < 0, instance.task_group[task], own + variant * parts + rows.part[row])
    distinct, number = np.unique(key, return_inverse=True)
    lists = []
    for each in distinct.tolist():
        if each < own:
            lists.append(instance.groups[each])
            continue
        record = placed.variants[(each - own) // parts]
        listed = record.eligible
        if not isinstance(record.parts, int):
            of_part = record.parts[(each - own) % parts].eligible
            listed = listed if of_part is None else of_part
        lists.append(None if listed is None else tuple(listed))
    return lists, number


def _eligible(placed: Placed) -> Iterator[Violation]:
    lists, number = eligible_lists(placed, placed.row)
    if any(labels is not None for labels in lists):
        yield from _outside(placed, "eligible", lists, number, names_of(placed.instance))


def _pinned(placed: Placed) -> Iterator[Violation]:
    instance = placed.instance
    if any(nodes is not None for nodes in instance.pinned_sets):
        ids = [frozenset([node]) for node in instance.node_ids.tolist()]
        number = instance.task_pinned[placed.task]
        yield from _outside(placed, "pinned", instance.pinned_sets, number, ids)


def _outside(
    placed: Placed,
    rule: str,
    lists: Sequence[Iterable[str] | None],
    number: Array,
    names: list[frozenset[str]],
) -> Iterator[Violation]:
    """The parts on nodes with none of the names that are listed for them."""
    instance = placed.instance
    listed = [None if labels is None else frozenset(labels) for labels in lists]
    is_listed = np.array([labels is not None for labels in listed], dtype=bool)
    at = np.flatnonzero(is_listed[number])
    n = instance.num_nodes
    pairs, place = np.unique(number[at] * n + placed.node[at], return_inverse=True)
    allowed = np.ones(pairs.size, dtype=bool)
    for k, pair in enumerate(pairs.tolist()):
        labels = listed[pair // n]
        allowed[k] = labels is None or not labels.isdisjoint(names[pair % n])
    for k in at[~allowed[place]].tolist():
        yield _of_part(placed, rule, k)


def _states(placed: Placed) -> Iterator[Violation]:
    state = placed.instance.node_state
    if all(each == "open" for each in state):
        return
    drained = np.array([each == "drained" for each in state], dtype=bool)
    cordoned = np.array([each == "cordoned" for each in state], dtype=bool)
    for k in np.flatnonzero(drained[placed.node]).tolist():
        yield _of_part(placed, "state", k, "drained")
    new = cordoned[placed.node]
    if new.any():
        for k in np.flatnonzero(new & ~placed.home).tolist():
            yield _of_part(placed, "state", k, "cordoned")


def _of_part(placed: Placed, rule: str, k: int, state: str | None = None) -> Violation:
    instance = placed.instance
    task = str(instance.task_ids[placed.task[k]])
    return Violation(rule, task, str(instance.node_ids[placed.node[k]]), 1, state=state)
