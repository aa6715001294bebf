"""Kubernetes objects from JSON and YAML, and access to them whose errors name the place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from solver.errors import InstanceError
from solver.files.text import decode, read_bytes

from .quantities import Amount, Amounts, parse_quantity

__all__ = ["Record", "read_objects"]

_MOST_SHOWN = 60


class Record:
    """A mapping inside an object, which knows where it stands.

    Parameters
    ----------
    data : dict
    head : str
        The file and the object.
    path : str
        Where it stands in the object, such as ``spec.affinity``.
    """

    __slots__ = ("data", "head", "path")

    def __init__(self, data: dict[Any, Any], head: str, path: str = "") -> None:
        self.data, self.head, self.path = data, head, path

    def fail(self, key: str, problem: str) -> NoReturn:
        """Raise the error about a key."""
        raise InstanceError(f"{self.head}: {self._at(key)} {problem}")

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether the key is there and not null."""
        return self.data.get(key) is not None

    def child(self, key: str) -> Record:
        """The mapping below a key; an empty one where there is none."""
        value = self.data.get(key)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            self.fail(key, f"is {_shown(value)}; it must be an object")
        return Record(value, self.head, self._at(key))

    def children(self, key: str) -> list[Record]:
        """The mappings in the list below a key."""
        found = []
        for k, value in enumerate(self._list(key)):
            if not isinstance(value, dict):
                self.fail(f"{key}[{k}]", f"is {_shown(value)}; it must be an object")
            found.append(Record(value, self.head, f"{self._at(key)}[{k}]"))
        return found

    def _list(self, key: str) -> list[Any]:
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fail(key, f"is {_shown(value)}; it must be a list")
        return value

    def text(self, key: str) -> str:
        """The text below a key; empty where there is none. Numbers count as they print."""
        value = self.data.get(key)
        if value is None:
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            self.fail(key, f"is {_shown(value)}; it must be text")
        return value

    def texts(self, key: str) -> dict[str, str]:
        """The texts by key below a key, such as labels."""
        inner = self.child(key)
        for name in inner.data:
            if not isinstance(name, str) or not name:
                self.fail(key, f"has the key {_shown(name)}; it must be text that is not empty")
        return {name: inner.text(name) for name in inner.data}

    def strings(self, key: str) -> list[str]:
        """The texts in the list below a key."""
        values = self._list(key)
        for k, value in enumerate(values):
            if not isinstance(value, str | int) or isinstance(value, bool):
                self.fail(f"{key}[{k}]", f"is {_shown(value)}; it must be text")
        return [str(value) for value in values]

    def flag(self, key: str) -> bool:
        """Whether the key is true; false where there is none."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, bool):
            self.fail(key, f"is {_shown(value)}; it must be true or false")
        return bool(value)

    def whole(self, key: str, least: int) -> int | None:
        """The integer below a key, None where there is none."""
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self.fail(key, f"is {_shown(value)}; it must be an integer, {least} or more")
        return value

    def quantities(self, key: str) -> Amounts:
        """The quantities by resource below a key."""
        inner = self.child(key)
        for name in inner.data:
            if not isinstance(name, str) or not name:
                self.fail(key, f"has the key {_shown(name)}; it must be the name of a resource")
        return {name: inner.quantity(name) for name in inner.data}

    def quantity(self, key: str) -> Amount:
        """The quantity below a key that is there."""
        try:
            return parse_quantity(self.data[key])
        except ValueError as error:
            raise InstanceError(f"{self.head}: {self._at(key)}: {error}") from None


def _shown(value: Any) -> str:
    text = repr(value) if not isinstance(value, dict | list) else type(value).__name__
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def read_objects(path: Path) -> Iterator[tuple[str, Record]]:
    """The objects of a file by kind: JSON or YAML; one, a List, or a stream of either.

    Raises
    ------
    InstanceError
        If the file cannot be read or is neither; names the file and the line.
    """
    text = decode(read_bytes(path, InstanceError), str(path), InstanceError)
    documents = _json(text, path) if text.lstrip()[0] in "{[" else _yaml(text, path)
    for number, document in enumerate(documents, start=1):
        if document is not None:
            yield from _objects(document, str(path), f"document {number}", "")


def _objects(given: Any, where: str, label: str, kind: str) -> Iterator[tuple[str, Record]]:
    if isinstance(given, list):
        for k, item in enumerate(given):
            yield from _objects(item, where, f"item {k + 1}", kind)
        return
    if not isinstance(given, dict):
        raise InstanceError(f"{where}: {label} is {_shown(given)}; it must be a Kubernetes object")
    record = Record(given, f"{where}: {label}")
    own = record.text("kind") or kind
    if own.endswith("List") and "items" in given:
        items = record._list("items")
        yield from _objects(items, where, label, own.removesuffix("List"))
        return
    if not own:
        record.fail("kind", "is missing; give objects as `kubectl get -o json` prints them")
    yield own, record


def _json(text: str, path: Path) -> Iterator[Any]:
    decoder = json.JSONDecoder(parse_float=str, parse_constant=_no_number)
    place, end = 0, len(text)
    while True:
        while place < end and text[place].isspace():
            place += 1
        if place == end:
            return
        try:
            document, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise InstanceError(
                f"{path}, line {error.lineno}: the file is not JSON: {error.msg}"
            ) from None
        except ValueError as error:
            raise InstanceError(f"{path}: the file is not JSON: {error}") from None
        except RecursionError:
            raise InstanceError(f"{path}: the JSON is nested too deeply") from None
        yield document


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _yaml(text: str, path: Path) -> Iterator[Any]:
    try:
        import yaml
    except ImportError:
        raise InstanceError(
            f"{path}: YAML needs the package PyYAML; install it, or give JSON "
            "(`kubectl get -o json`)"
        ) from None
    try:
        yield from yaml.load_all(text, Loader=_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InstanceError(f"{path}{line}: the file is not YAML: {problem}") from None
    except (ValueError, TypeError) as error:
        raise InstanceError(f"{path}: the file is not YAML: {error}") from None
    except RecursionError:
        raise InstanceError(f"{path}: the YAML is nested too deeply") from None


@cache
def _loader() -> Any:
    """A loader for which all is text but integers, true, false and null: dates and decimals too."""
    import re

    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str | None, Any] = {}  # noqa: RUF012

    plain = {
        "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
        "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        "int": (r"-?(?:0|[1-9][0-9]{0,99})", "-0123456789"),
        "merge": (r"<<", "<"),
    }
    for name, (form, first) in plain.items():
        pattern = re.compile(rf"^(?:{form})$")
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", pattern, list(first))
    return Loader
