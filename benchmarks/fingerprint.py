"""A hash of what an instance says, whatever file or generator it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from solver import Instance
from solver.files.cells import at_default
from solver.model.costs.energy import energy_to_write
from solver.model.exact import Array
from solver.model.fields import Field, Kind, fields_of

__all__ = ["content_hash"]

_FIRST = {"compute", "storage", "price", "overload_price", "kind"}  # what came first


def content_hash(instance: Instance) -> str:
    """SHA-256 of an instance's content, 64 hexadecimal digits.

    The name is left out. 3 and 3.0 are the same number; the order of the nodes, of the tasks
    and their ids count, the order of eligible labels does not. O(n + m).

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
    """The distinct lists that are used, sorted, and each task's place among them."""
    used = np.unique(instance.task_group).tolist()
    lists = {g: instance.groups[g] for g in used}
    # None is every node; an empty text cannot be a label, so nothing else looks like it.
    texts = {g: _texts([""] if f is None else sorted(set(f))) for g, f in lists.items()}
    places = {text: place for place, text in enumerate(sorted(set(texts.values())))}
    yield from places
    place_of = np.zeros(len(instance.groups), dtype="<i8")
    for g, text in texts.items():
        place_of[g] = places[text]
    yield place_of[instance.task_group].tobytes()


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
