"""A hash of what an instance says, whatever file or generator it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from solver import Instance
from solver.files.cells import at_default
from solver.files.objects.variants import variants_to_write
from solver.files.text import tidy
from solver.model.costs.energy import energy_to_write
from solver.model.exact import Array
from solver.model.fields import Field, Kind, fields_of
from solver.model.rules import rule_to_write

__all__ = ["content_hash"]

_AMOUNTS = {"quality_budget": None, "quality_price": 0, "move_price": 0, "max_moves": None}
_FIRST = {"compute", "storage", "price", "overload_price", "kind"}  # what came first


def content_hash(instance: Instance) -> str:
    """SHA-256 of an instance's content, 64 hexadecimal digits.

    The name and the currency are left out. 3 and 3.0 are the same number; the order of the nodes,
    of the tasks and their ids count, the order of eligible labels, of groups and of rules does
    not. O(n + m).

    Examples
    --------
    >>> one = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2], name="a")
    >>> two = Instance.from_arrays(node_compute=[4.0, 4.0], task_compute=[3, 2], name="b")
    >>> content_hash(one) == content_hash(two)
    True
    """
    digest = hashlib.sha256()
    for part in _parts(instance):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def _parts(instance: Instance) -> Iterator[bytes]:
    yield b"nodewise-content/1"
    settings = np.array([0 if instance.max_load is None else instance.max_load])
    yield b"power_off" if instance.power_off else b""
    yield b"" if instance.max_load is None else _numbers(settings)
    for owner in ("node", "task"):
        for kind in (Kind.ID, Kind.LABEL, Kind.NUMBER):
            for field in fields_of(owner, kind):
                yield from _column(instance, field)
    for key, column in instance.node_resources.items():
        yield key.encode()
        yield _numbers(column)
        yield _numbers(instance.task_resources[key])
    yield from _eligibility(instance)
    if instance.power_off == "owned":  # what came later is left out where it says nothing
        yield b"owned"
    if instance.energy is not None:
        yield repr(energy_to_write(instance.energy)).encode()
    yield from _of_the_whole_model(instance)


def _of_the_whole_model(instance: Instance) -> Iterator[bytes]:
    """Labels, states, variants, groups, pins, rules, prices of choices and present places."""
    for key in sorted(instance.node_labels):
        yield f"label {key}".encode()
        yield _texts([value or "" for value in instance.node_labels[key]])
    if set(instance.node_state) != {"open"}:
        yield b"state"
        yield _texts(list(instance.node_state))
    if instance.variant_sets:
        yield b"variants"
        written = [json.dumps(_sorted(variants_to_write(one))) for one in instance.variant_sets]
        yield from _sets(
            ["", *(_texts([one]).decode() for one in written)], 1 + instance.task_model
        )
    for name, sets, numbers in (
        ("groups", instance.group_sets, instance.task_groups),
        ("pinned", instance.pinned_sets, instance.task_pinned),
    ):
        if len(sets) > 1:
            yield name.encode()
            yield from _sets([_texts(sorted(one or ())).decode() for one in sets], numbers)
    rules = sorted(json.dumps(rule_to_write(rule), sort_keys=True) for rule in instance.rules)
    if rules:
        yield _texts(["rules", *rules])
    amounts = {name: getattr(instance, name) for name in _AMOUNTS}
    told = [f"{key}={tidy(value)}" for key, value in amounts.items() if value != _AMOUNTS[key]]
    told += [f"max_moving {group}={most}" for group, most in sorted(instance.max_moving.items())]
    if told:
        yield _texts(told)
    if instance.current is not None:
        yield b"current"
        yield instance.current.astype("<i8").tobytes()


def _sorted(value: Any) -> Any:
    """JSON data with keys and lists of labels in order."""
    if isinstance(value, dict):
        kept = {key: _sorted(value[key]) for key in sorted(value)}
        return {k: sorted(v) if k == "eligible" else v for k, v in kept.items()}
    return [_sorted(one) for one in value] if isinstance(value, list) else value


def _column(instance: Instance, field: Field) -> Iterator[bytes]:
    """A column; one that came later is left out where it says nothing, so that hashes stay."""
    column = getattr(instance, field.argument)
    if field.kind is Kind.ID:
        yield _texts(column.tolist())
        return
    is_label = field.kind is Kind.LABEL
    if field.name not in _FIRST:
        if all(at_default(instance, field)):
            return
        yield field.name.encode()
    yield _texts([label or "" for label in column]) if is_label else _numbers(column)


def _eligibility(instance: Instance) -> Iterator[bytes]:
    # None is every node; an empty text cannot be a label, so nothing else looks like it.
    texts = [_texts([""] if f is None else sorted(set(f))).decode() for f in instance.groups]
    yield from _sets(texts, instance.task_group)


def _sets(texts: Sequence[str], numbers: Array) -> Iterator[bytes]:
    """The distinct texts that are used, sorted, and each task's place among them."""
    used = np.unique(numbers).tolist()
    places = {text: place for place, text in enumerate(sorted({texts[g] for g in used}))}
    yield from (text.encode() for text in places)
    place_of = np.zeros(len(texts), dtype="<i8")
    for g in used:
        place_of[g] = places[texts[g]]
    yield place_of[numbers].tobytes()


def _texts(texts: list[str]) -> bytes:
    return "".join(f"{len(text)}:{text}" for text in texts).encode()


def _numbers(column: Array) -> bytes:
    """Whole numbers as 64-bit integers where all fit (infinity as -1), others as they print."""
    if column.dtype == np.int64:
        return b"i" + column.astype("<i8").tobytes()
    values = [_whole(value) for value in column.tolist()]
    if all(isinstance(value, int) and abs(value) < 2**63 for value in values):
        return b"i" + np.array(values, dtype="<i8").tobytes()
    return b"t" + _texts([repr(value) for value in values])


def _whole(value: int | float) -> int | float:
    if value == float("inf"):
        return -1
    return int(value) if isinstance(value, float) and value.is_integer() else value
