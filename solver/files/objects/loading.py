"""JSON text as objects: without the liberties `json` takes, and with help for misspelt keys."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ...errors import InstanceError
from ..text import decode, did_you_mean

__all__ = ["kind_of", "label_of", "load_object", "require_keys", "require_schema"]

_LIMIT = "leave storage out where it is unlimited"


def load_object(data: bytes, where: str) -> dict[str, Any]:
    """Read JSON text that holds one object, without the liberties `json` takes.

    Raises
    ------
    InstanceError
        If the text is not UTF-8, not JSON, not an object, names a key twice in one object, or
        has NaN or Infinity.
    """
    text = decode(data, where, InstanceError)

    def refuse(token: str) -> None:
        raise InstanceError(f"{where}: {token} is not a number in JSON; {_LIMIT}")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, count in Counter(k for k, _ in pairs).items() if count > 1)
            owner = f" of {found['id']!r}" if "id" in found else ""
            raise InstanceError(f"{where}: the key {twice!r}{owner} stands twice; remove one")
        return found

    try:
        with _collector_off():
            loaded = json.loads(text, parse_constant=refuse, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise InstanceError(
            f"{where}, line {error.lineno}, column {error.colno}: the file is not JSON, or it is "
            f"cut short: {error.msg}"
        ) from None
    except RecursionError:
        raise InstanceError(f"{where}: the JSON is nested too deeply") from None
    except InstanceError:
        raise
    except ValueError as error:  # an integer of more than 4,300 digits
        raise InstanceError(f"{where}: a number is too large: {error}") from None
    if not isinstance(loaded, dict):
        raise InstanceError(
            f"{where}: the file holds a JSON {kind_of(loaded)}; an instance is an object with "
            "the keys nodes and tasks"
        )
    return loaded


@contextmanager
def _collector_off() -> Iterator[None]:
    """A million new objects, none of them garbage, would be walked over again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def kind_of(value: Any) -> str:
    """What JSON calls a value: array, object, string, number or constant."""
    names = {list: "array", dict: "object", str: "string", int: "number", float: "number"}
    return names.get(type(value), "constant")


def require_schema(found: Any, known: Sequence[str], where: str) -> None:
    """Require that a file is of a schema that this version reads.

    Raises
    ------
    InstanceError
        Naming both.
    """
    if found not in known:
        names = " and ".join(map(repr, known))
        raise InstanceError(f"{where}: schema is {found!r}; this version reads {names}")


def require_keys(record: dict[str, Any], known: Sequence[str], where: str) -> None:
    """Require that an object has known keys only.

    Raises
    ------
    InstanceError
        Naming the first that is not, and the nearest that is.
    """
    for key in record:
        if key not in known:
            raise InstanceError(
                f"{where}: the key {key!r} is unknown{did_you_mean(key, known)} "
                f"(known: {', '.join(known)})"
            )


def label_of(name: str, position: int, record: dict[str, Any], where: str) -> str:
    """What error messages call a record of an array: its position, and its id if it has one."""
    owner = f" ({record['id']!r})" if "id" in record else ""
    return f"{where}: {name}[{position}]{owner}"
