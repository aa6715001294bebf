"""The columns of words: choices, labels by key, sets of names, and replicas made into tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import InstanceError
from ..exact import Array
from ..fields import Field
from .validation import are_positions, frozen, is_unicode, length_of, plain

__all__ = [
    "DOMAINS",
    "checked_choices",
    "checked_names",
    "checked_texts",
    "record_label",
    "with_replicas",
]

_MOST_TASKS = 20_000_000
DOMAINS = ("node", "kind")
"""Domains of rules that are no labels."""


def record_label(owner: str, ids: Array | None, position: int) -> str:
    """A record as messages name it: ``task 'train'``."""
    name = str(ids[position]) if ids is not None else f"{owner}-{position}"
    return f"{owner} {name!r}"


def checked_choices(values: Any, field: Field, count: int, ids: Array | None) -> tuple[str, ...]:
    """A column of words that are among the choices of a field; None stands for the first."""
    if values is None:
        return (field.choices[0],) * count
    items = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if len(items) != count:
        raise InstanceError(
            f"{field.attribute} has {len(items)} entries for {count} {field.owner}s"
        )
    for position, item in enumerate(items):
        if item is not None and item not in field.choices:
            raise InstanceError(
                f"{record_label(field.owner, ids, position)}: {field.name} is {item!r}; it must "
                f"be one of: {', '.join(field.choices)}"
            )
    return tuple(field.choices[0] if item is None else item for item in items)


def checked_texts(
    given: Any, field: Field, count: int, ids: Array | None
) -> dict[str, tuple[str | None, ...]]:
    """Texts by key: from a mapping of keys to columns, or from a mapping a record."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        columns = {key: list(column) for key, column in given.items()}
    else:
        if length_of(given, field.attribute) != count:
            raise InstanceError(
                f"{field.attribute} has {len(given)} entries for {count} {field.owner}s"
            )
        columns = _turned(given, field, ids)
    for key, column in columns.items():
        if len(column) != count:
            raise InstanceError(
                f"{field.attribute}[{key!r}] has {len(column)} entries for {count} {field.owner}s"
            )
        if not _is_text(key) or key in DOMAINS or "=" in key:
            raise InstanceError(
                f"{field.owner}s: labels[{key!r}]: the key of a label must be text, not empty, "
                f"without '=' and none of: {', '.join(DOMAINS)}"
            )
        for position, item in enumerate(column):
            if item is not None and not _is_text(item):
                raise InstanceError(
                    f"{record_label(field.owner, ids, position)}: {field.name}[{key!r}] is "
                    f"{item!r}; it must be text that is not empty"
                )
    found = {key: tuple(column) for key, column in sorted(columns.items())}
    return {key: column for key, column in found.items() if any(column)}


def _turned(records: Iterable[Any], field: Field, ids: Array | None) -> dict[str, list[Any]]:
    rows = list(records)
    columns: dict[str, list[Any]] = {}
    for position, row in enumerate(rows):
        if row is None:
            continue
        if not isinstance(row, Mapping):
            raise InstanceError(
                f"{record_label(field.owner, ids, position)}: {field.name} is {row!r}; it must map "
                "keys to text"
            )
        for key, value in row.items():
            columns.setdefault(key, [None] * len(rows))[position] = value
    return columns


def _is_text(item: Any) -> bool:
    return isinstance(item, str) and item != "" and is_unicode(item)


def checked_names(
    values: Any,
    sets: Sequence[Sequence[str] | None] | None,
    field: Field,
    count: int,
    ids: Array | None,
    known: set[str] | None = None,
) -> tuple[Array, tuple[Any, ...]]:
    """Number the distinct sets of names of a column; set 0 is that of nobody.

    Parameters
    ----------
    values : sequence of (None, name or names), or positions in `sets`
    sets : sequence of names, optional
    known : set of str, optional
        What may be named: ids of nodes. The empty set is then None, for no restriction.

    Returns
    -------
    number : (count,) int32
    sets : tuple
    """
    nobody: tuple[str, ...] | None = () if known is None else None
    if values is None:
        if sets is not None:
            raise InstanceError(f"{field.sets} is given without {field.attribute}")
        return frozen(np.zeros(count, dtype=np.int32)), (nobody,)
    if length_of(values, field.attribute) != count:
        raise InstanceError(f"{field.attribute} has {len(values)} entries for {count} tasks")
    number: dict[Any, int] = {nobody: 0}
    if sets is not None:
        if count and not (are_positions(values) and np.ndim(values) == 1):
            raise InstanceError(f"{field.attribute} must hold integer positions in {field.sets}")
        at = np.asarray(values if count else [], dtype=np.int64)
        if at.size and not (int(at.min()) >= 0 and int(at.max()) < len(sets)):
            raise InstanceError(f"{field.attribute} must hold positions 0..{len(sets) - 1}")
        used, first = np.unique(at, return_index=True)
        renumber = np.zeros(len(sets), dtype=np.int32)
        for place in used[np.argsort(first)].tolist():
            names = _names(sets[place], f"{field.sets}[{place}]", field, known)
            renumber[place] = number.setdefault(names, len(number))
        return frozen(renumber[at]), tuple(number)
    found = []
    seen: dict[Any, int] = {}
    for position, given in enumerate(values):
        quick = given if given is None or isinstance(given, str | tuple) else tuple(given)
        at_once = seen.get(quick) if _is_hashable(quick) else None
        if at_once is None:
            names = _names(given, record_label("task", ids, position), field, known)
            at_once = number.setdefault(names, len(number))
            if _is_hashable(quick):
                seen[quick] = at_once
        found.append(at_once)
    return frozen(np.array(found, dtype=np.int32)), tuple(number)


def _is_hashable(value: Any) -> bool:
    return (
        value is None
        or isinstance(value, str)
        or (isinstance(value, tuple) and all(isinstance(item, str) for item in value))
    )


def _names(given: Any, where: str, field: Field, known: set[str] | None) -> Any:
    """The names as a sorted tuple without repeats; None for nobody where ids are named."""
    items = [given] if isinstance(given, str) and known is not None else given
    if items is None:
        items = []
    if isinstance(items, str) or not isinstance(items, Iterable):
        raise InstanceError(f"{where}: {field.name} is {given!r}; it must be a list of names")
    items = list(items)
    for item in items:
        if not _is_text(item):
            raise InstanceError(f"{where}: {field.name} names {item!r}; it must be text")
        if known is not None and item not in known:
            raise InstanceError(f"{where}: {field.name} names {item!r}, which is no id of a node")
    if known is not None and not items:
        if given is None:
            return None
        raise InstanceError(f"{where}: {field.name} is empty; name a node, or leave it out")
    return tuple(sorted(set(items)))


def with_replicas(columns: dict[str, Any], arguments: Sequence[str]) -> dict[str, Any]:
    """The columns of tasks with every replica a task of its own, in the group of its name.

    Parameters
    ----------
    columns : dict
        As `Instance.from_arrays` takes them; ``task_replicas`` goes.
    arguments : sequence of str
        The names of those with an entry a task.

    Raises
    ------
    InstanceError
        Naming the task.
    """
    given = columns.get("task_replicas")
    made = {name: column for name, column in columns.items() if name != "task_replicas"}
    if given is None or all(count is None for count in given):
        return made
    ids = columns.get("task_ids")
    names = [f"task-{j}" for j in range(len(given))] if ids is None else [*map(str, ids)]
    counts: list[int | None] = []
    at: list[int] = []
    for j, count in enumerate(given):
        number = plain(count)
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if number is not None and (
            isinstance(number, bool) or not isinstance(number, int) or number < 0
        ):
            raise InstanceError(
                f"task {names[j]!r}: replicas is {count!r}; it must be an integer, 0 or more"
            )
        if number is not None:
            if ids is not None and (not isinstance(ids[j], str) or not ids[j]):
                raise InstanceError(
                    f"tasks[{j}]: id is {ids[j]!r}; it must be text that is not empty"
                )
            if len(at) + number > _MOST_TASKS:
                raise InstanceError(
                    f"task {names[j]!r}: replicas is {count!r}; more than {_MOST_TASKS:,} tasks "
                    "in all are not made"
                )
        counts.append(number)
        at += [j] * (1 if number is None else number)
    for name in arguments:
        column = made.get(name)
        if isinstance(column, Mapping):
            made[name] = {key: [each[j] for j in at] for key, each in column.items()}
        elif isinstance(column, np.ndarray):
            made[name] = column[np.array(at, dtype=np.int64)]
        elif column is not None:
            made[name] = [column[j] for j in at]
    made["task_ids"] = [
        name
        for name, count in zip(names, counts, strict=True)
        for name in ([name] if count is None else [f"{name}-{r}" for r in range(count)])
    ]
    groups, sets = columns.get("task_groups"), columns.get("group_sets")
    listed = []
    for j in at:
        own = None if groups is None else groups[j] if sets is None else sets[int(groups[j])]
        listed.append(own if counts[j] is None else (*(own or ()), names[j]))
    made["task_groups"], made["group_sets"] = listed, None
    return made
