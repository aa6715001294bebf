"""The rules of the data: one message a rule, naming the record and the field."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import InstanceError
from ..exact import Array, exact_column
from ..fields import Field, reserved_names
from ..records import Labels, Number

__all__ = [
    "are_positions",
    "checked_column",
    "checked_eligibility",
    "checked_ids",
    "checked_labels",
    "checked_max_load",
    "checked_name",
    "checked_positions",
    "checked_power_off",
    "frozen",
    "is_unicode",
    "labels_among",
    "labels_checked",
    "labels_of",
    "length_of",
    "named_ids",
    "plain",
    "require_known_resources",
    "require_resource_names",
    "require_use_prices",
    "require_watts",
]

_UNICODE = "it must be valid Unicode text (a surrogate stands alone in it)"


def frozen(array: Array) -> Array:
    """The array itself, made read-only."""
    array.flags.writeable = False
    return array


def plain(value: Any) -> Any:
    """A NumPy scalar as the Python number it holds; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def is_unicode(text: str) -> bool:
    """Whether a text can be written to a file."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def length_of(values: Any, name: str) -> int:
    """Length of an array or list, or an error that names it."""
    try:
        return len(values)
    except TypeError:
        raise InstanceError(f"{name} is {values!r}; it must be an array or list") from None


def checked_ids(ids: Any, kind: str, count: int) -> Array | None:
    """The ids as an array of strings, or None for the automatic ones."""
    if ids is None:
        return None
    items = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
    if len(items) != count:
        raise InstanceError(f"{kind}_ids has {len(items)} entries for {count} {kind}s")
    for position, item in enumerate(items):
        if not isinstance(item, str) or not item:
            raise InstanceError(
                f"{kind}s[{position}]: id is {item!r}; it must be text that is not empty"
            )
    if len(set(items)) < count:
        seen: set[str] = set()
        for position, item in enumerate(items):
            if item in seen:
                raise InstanceError(
                    f"{kind} {item!r}: the id stands twice (again at position {position}); "
                    "every id must be unique"
                )
            seen.add(item)
    try:
        return frozen(np.array(items, dtype=np.dtypes.StringDType()))
    except UnicodeEncodeError as error:
        position = items.index(error.object)
        raise InstanceError(f"{kind}s[{position}]: id is {error.object!r}; {_UNICODE}") from None


def named_ids(ids: Array | None, kind: str, count: int) -> Array:
    """The ids, or "node-0", "node-1", ... where none were given."""
    if ids is not None:
        return ids
    text = np.dtypes.StringDType()
    prefix = np.array(f"{kind}-", dtype=text)
    return frozen(np.strings.add(prefix, np.arange(count).astype(text)))


def checked_column(
    values: Any,
    kind: str,
    ids: Array | None,
    name: str,
    count: int,
    *,
    unlimited: bool = False,
    default: Array | None = None,
) -> Array:
    """Validate one column; `default` fills the places where the value is None."""

    def label(position: int) -> str:
        return f"{kind} {str(ids[position]) if ids is not None else f'{kind}-{position}'!r}"

    if values is None and default is not None:
        return default
    if length_of(values, f"{kind}_{name}") != count:
        raise InstanceError(f"{kind}_{name} has {len(values)} entries for {count} {kind}s")
    if default is not None and not isinstance(values, np.ndarray):
        values = [plain(default[k]) if v is None else v for k, v in enumerate(values)]
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise InstanceError(f"{kind}_{name} has shape {values.shape}; it must have one axis")
    try:
        column = exact_column(values)
    except TypeError as error:
        message, position = error.args
        raise InstanceError(f"{label(position)}: {name}: {message}") from None
    try:
        floats = column.astype(np.float64) if column.dtype == object else column
    except OverflowError:
        wide = [isinstance(v, int) and abs(v) > sys.float_info.max for v in column.tolist()]
        raise InstanceError(
            f"{label(wide.index(True))}: {name}: the number is too large; at most 1.79e308"
        ) from None
    bad = ~(floats >= 0) if unlimited else ~((floats >= 0) & (floats < math.inf))
    if bad.any():
        position = int(np.argmax(bad))
        rule = "0 or more (inf for unlimited)" if unlimited else "a finite number, 0 or more"
        raise InstanceError(
            f"{label(position)}: {name} is {plain(column[position])!r}; it must be {rule}"
        )
    return frozen(column)


def checked_labels(
    labels: Sequence[str | None] | None, field: Field, count: int, ids: Array | None
) -> tuple[str | None, ...]:
    """A column of labels as a tuple of text or None."""
    if labels is None:
        return (None,) * count
    items = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    owner, name = field.owner, field.name
    if len(items) != count:
        raise InstanceError(f"{field.attribute} has {len(items)} entries for {count} {owner}s")
    for position, item in enumerate(items):
        if item is None:
            continue
        label = str(ids[position]) if ids is not None else f"{owner}-{position}"
        if not isinstance(item, str) or not item:
            raise InstanceError(f"{owner} {label!r}: {name} is {item!r}; it must be text or None")
        if not is_unicode(item):
            raise InstanceError(f"{owner} {label!r}: {name} is {item!r}; {_UNICODE}")
    return tuple(items)


def labels_of(
    node_ids: Array,
    node_kind: Iterable[str | None],
    node_labels: Mapping[str, Iterable[str | None]] | None = None,
) -> set[str]:
    """Everything that `eligible` may name."""
    known = {kind for kind in node_kind if kind is not None}.union(node_ids.tolist())
    for key, column in (node_labels or {}).items():
        known.update(f"{key}={value}" for value in set(column) if value is not None)
    return known


def are_positions(values: Any) -> bool:
    """Whether values are an array, or a list, of integers."""
    if isinstance(values, np.ndarray):
        return values.dtype.kind in "iu"
    return isinstance(values, list | tuple | range) and all(
        isinstance(value, int | np.integer) and not isinstance(value, bool) for value in values
    )


def checked_positions(values: Any, name: str, count: int) -> Array:
    """Distinct positions in a sequence of `count` nodes or tasks."""
    if not are_positions(values) or np.ndim(values) != 1:
        raise InstanceError(f"{name}: {values!r} is no list of positions, integers from 0 on")
    at = np.asarray(values, dtype=np.int64)
    outside = (at < 0) | (at >= count)
    if outside.any():
        wrong = int(at[np.argmax(outside)])
        raise InstanceError(f"{name}: there is no position {wrong}; the last is {count - 1}")
    if np.unique(at).size < at.size:
        raise InstanceError(f"{name}: a position stands twice; each may be kept once")
    return at


def labels_among(labels: Labels, known: set[str]) -> Labels:
    """The labels that are known; None, for all nodes, as it is."""
    return None if labels is None else tuple(label for label in labels if label in known)


def checked_power_off(value: Any) -> bool | str:
    """Whether empty nodes are switched off: false, true (they are rented), or "owned"."""
    if isinstance(value, str) and value in ("rented", "owned"):
        return True if value == "rented" else value
    if not isinstance(value, bool | np.bool_):
        raise InstanceError(
            f"power_off is {value!r}; it must be true or false, 'rented' (as true) or 'owned'"
        )
    return bool(value)


def checked_name(name: Any) -> str | None:
    """The name of an instance: None, or text."""
    if name is None:
        return None
    if not isinstance(name, str):
        raise InstanceError(f"name is {name!r}; it must be text")
    if not is_unicode(name):
        raise InstanceError(f"name is {name!r}; {_UNICODE}")
    return name


def require_resource_names(names: Iterable[Any]) -> None:
    """Every resource has a name of its own."""
    for key in names:
        if not isinstance(key, str) or not key or key in reserved_names():
            raise InstanceError(
                f"nodes: resources[{key!r}]: the name of a resource must be text, not empty, "
                "and none of the fields of a node or a task"
            )
        if not is_unicode(key):
            raise InstanceError(f"nodes: resources[{key!r}]: the name of a resource: {_UNICODE}")


def require_known_resources(needed: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Tasks need only what some node lists."""
    for key in needed:
        if key not in known:
            choices = ", ".join(map(repr, known)) or "none"
            raise InstanceError(
                f"tasks: resources[{key!r}] is a resource that no node lists "
                f"(known: {choices}); give the nodes their capacity of it"
            )


def require_watts(made: Mapping[str, Any], ids: Array | None) -> None:
    """A node draws no less under load than without, and only one with compute has a load."""
    idle, most = made["node_idle_watts"], made["node_max_watts"]
    less, nowhere = most < idle, (most > 0) & (made["node_compute"] == 0)
    for wrong, problem in (
        (less, "below idle_watts {idle!r}; a node draws no less under load"),
        (nowhere, "but its compute is 0, so that it has no full load"),
    ):
        if wrong.any():
            i = int(np.argmax(wrong))
            label = str(ids[i]) if ids is not None else f"node-{i}"
            problem = problem.format(idle=plain(idle[i]))
            raise InstanceError(f"node {label!r}: max_watts is {plain(most[i])!r}, {problem}")


def require_use_prices(made: Mapping[str, Any], ids: Array | None) -> None:
    """A unit of load costs no more within the capacity than above it."""
    use, overload = made["node_use_price"], made["node_overload_price"]
    dear = use > overload
    if dear.any():
        i = int(np.argmax(dear))
        label = str(ids[i]) if ids is not None else f"node-{i}"
        raise InstanceError(
            f"node {label!r}: use_price is {plain(use[i])!r}, above overload_price "
            f"{plain(overload[i])!r}; load within the capacity may not cost more than overload"
        )


def checked_max_load(value: Any) -> Number | None:
    """The overload limit: None, or a finite number above 0."""
    if value is None:
        return None
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InstanceError(f"max_load is {value!r}; it must be a finite number above 0, or None")
    if value > sys.float_info.max:
        raise InstanceError("max_load is too large a number; at most 1.79e308")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def checked_eligibility(
    specs: Any,
    groups: Sequence[Sequence[str] | None] | None,
    task_ids: Array | None,
    count: int,
    known: set[str],
) -> tuple[Array, tuple[Labels, ...]]:
    """Number the distinct eligibility lists: group 0 is "all nodes", the rest as they come."""
    if specs is None and groups is not None:
        raise InstanceError("eligible_groups is given without task_eligible, which points into it")
    if specs is None:
        return frozen(np.zeros(count, dtype=np.int32)), (None,)
    if length_of(specs, "task_eligible") != count:
        raise InstanceError(f"task_eligible has {len(specs)} entries for {count} tasks")

    def label(j: int) -> str:
        name = task_ids[j] if task_ids is not None else f"task-{j}"
        return f"task {str(name)!r}"

    number: dict[Labels, int] = {None: 0}

    def number_of(spec: Any, where: str) -> int:
        return number.setdefault(labels_checked(spec, where, known), len(number))

    if groups is None:
        found = [number_of(spec, label(j)) for j, spec in enumerate(specs)]
        return frozen(np.array(found, dtype=np.int32)), tuple(number)
    if count and not (are_positions(specs) and np.ndim(specs) == 1):
        raise InstanceError("task_eligible must hold integer positions in eligible_groups")
    positions = np.asarray(specs) if count else np.zeros(0, dtype=np.int64)
    outside = (positions < 0) | (positions >= len(groups))
    if outside.any():
        j = int(np.argmax(outside))
        raise InstanceError(
            f"{label(j)}: eligible is group {positions[j]}; eligible_groups has {len(groups)}"
        )
    used, first = np.unique(positions, return_index=True)
    renumber = np.zeros(len(groups), dtype=np.int32)
    for position in used[np.argsort(first)].tolist():
        renumber[position] = number_of(groups[position], f"eligible_groups[{position}]")
    return frozen(renumber[positions]), tuple(number)


def labels_checked(spec: Any, where: str, known: set[str]) -> Labels:
    """An eligibility list as a sorted tuple; None, for all nodes, as it is."""
    if spec is None:
        return None
    if isinstance(spec, str) or not isinstance(spec, Iterable):
        raise InstanceError(f"{where}: eligible is {spec!r}; it must be a list of ids or kinds")
    items = list(spec)
    if not items:
        raise InstanceError(f"{where}: eligible is empty; name a node or a kind, or leave it out")
    for item in items:
        if not isinstance(item, str) or item not in known:
            raise InstanceError(
                f"{where}: eligible names {item!r}, which is no id, kind or label of a node"
            )
    return tuple(sorted(set(items)))
