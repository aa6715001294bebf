"""Values of Slurm's JSON in every shape that its versions give them."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

from solver.errors import InstanceError
from solver.files.text import decode, read_bytes

__all__ = ["Needs", "Record", "gres_of", "load", "mebibytes", "needs_of_tres"]

_UNSET = frozenset(base - k for base in (2**32, 2**64) for k in (1, 2))
"""NO_VAL and INFINITE of 32 and 64 bits, which old versions print for what is not set."""

_MOST = 10**15
_EXACT_KIB = 10**6  # MiB below which KiB have no more digits than a float holds
_SIZES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50, "E": 2**60}
_AMOUNT = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)([KMGTPE]?)(?:i?B)?", re.IGNORECASE)
_COUNT = re.compile(r"([0-9]{1,18})([KMGTPE]?)", re.IGNORECASE)
_INSIDE = re.compile(r"\([^()]*\)")
_NULL = ("", "(null)", "N/A", "n/a", "None", "none")


def load(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises
    ------
    InstanceError
        If the file is no JSON object.
    """
    where = str(path)
    text = decode(read_bytes(path, InstanceError), where, InstanceError)
    try:
        loaded = json.loads(text, parse_constant=lambda token: None)
    except json.JSONDecodeError as error:
        raise InstanceError(
            f"{where}, line {error.lineno}: the file is not JSON, or it is cut short: {error.msg}"
        ) from None
    except RecursionError:
        raise InstanceError(f"{where}: the JSON is nested too deeply") from None
    except ValueError as error:  # an integer of more than 4,300 digits
        raise InstanceError(f"{where}: a number is too large: {error}") from None
    if not isinstance(loaded, dict):
        raise InstanceError(f"{where}: give what Slurm's commands print with --json, an object")
    return loaded


class Record:
    """An object inside a file, which knows where it stands.

    Parameters
    ----------
    data : object
    where : str
        The file and what it describes, as messages name it.
    """

    __slots__ = ("data", "where")

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, dict):
            raise InstanceError(f"{where} is {_shown(data)}; it must be an object")
        self.data: dict[str, Any] = data
        self.where = where

    def fail(self, key: str, problem: str) -> NoReturn:
        """Raise the error about a key."""
        raise InstanceError(f"{self.where}: {key} {problem}")

    def child(self, key: str) -> Record:
        """The object below a key; an empty one where there is none."""
        value = self.data.get(key)
        return Record({} if value is None else value, f"{self.where}: {key}")

    def number(self, key: str) -> int | None:
        """The number below a key, plain or as {set, infinite, number}; None where it is not set."""
        value = self.data.get(key)
        if isinstance(value, dict):
            if not value.get("set", True) or value.get("infinite"):
                return None
            value = value.get("number")
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            value = int(value) if len(value) < 20 else _MOST + 1
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if value is None or (isinstance(value, int) and value in _UNSET):
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
            self.fail(key, f"is {_shown(value)}; it must be a whole number, 0 to {_MOST:,}")
        return value

    def text(self, key: str) -> str:
        """The text below a key; empty where there is none."""
        value = self.data.get(key)
        if value is None or value is False:
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            self.fail(key, f"is {_shown(value)}; it must be text")
        return "" if value.strip() in _NULL else value.strip()

    def texts(self, key: str) -> list[str]:
        """The texts below a key: a list, or text with commas between."""
        value = self.data.get(key)
        if value is None or isinstance(value, str):
            return [each for text in self.text(key).split(",") if (each := text.strip())]
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.fail(key, f"is {_shown(value)}; it must be a list of texts")
        return [each.strip() for each in value if each.strip() not in _NULL]

    def states(self, *keys: str) -> set[str]:
        """The words of states below some keys, in capitals and without the marks of sinfo."""
        words = [word for key in keys for text in self.texts(key) for word in text.split("+")]
        return {word.strip(" *~#!%$@^-").upper() for word in words} - {""}


def _shown(value: Any) -> str:
    text = repr(value) if not isinstance(value, dict | list) else type(value).__name__
    return text if len(text) <= 60 else f"{text[:60]}..."


@dataclass
class Needs:
    """What a job takes, or a node has.

    Attributes
    ----------
    cpu : int
    memory : Fraction
        MiB.
    gpu : int
        GPUs of any type.
    types : dict of str to int
        GPUs of a type, where one is named.
    gres : dict of str to int
        Other generic resources.
    """

    cpu: int = 0
    memory: Fraction = Fraction(0)
    gpu: int = 0
    types: dict[str, int] = field(default_factory=dict)
    gres: dict[str, int] = field(default_factory=dict)

    def add_gres(self, listed: list[tuple[str, str, int]]) -> None:
        """Add generic resources as `gres_of` lists them."""
        for name, kind, count in listed:
            if name == "gpu":
                self.gpu += count
                if kind:
                    self.types[kind] = self.types.get(kind, 0) + count
            else:
                self.gres[name] = self.gres.get(name, 0) + count


def gres_of(text: str) -> list[tuple[str, str, int]]:
    """Name, type and count of the generic resources in a text.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> gres_of("gpu:a100:8(S:0-1),nvme:2T"), gres_of("gres:gpu:2"), gres_of("gpu")
    ([('gpu', 'a100', 8), ('nvme', '', 2199023255552)], [('gpu', '', 2)], [('gpu', '', 1)])
    """
    found = []
    plain = _INSIDE.sub("", text) if text not in _NULL else ""
    for item in plain.split(","):
        entry = item.strip().removeprefix("gres:").removeprefix("gres/").replace("=", ":")
        if not entry:
            continue
        name, *rest = entry.split(":")
        rest = [each for each in rest if each != "no_consume"]
        if "no_consume" in entry.split(":"):
            continue  # it is a mark of the node, of which nothing is taken
        count = 1
        if rest and (amount := _COUNT.fullmatch(rest[-1])):
            count = int(amount[1]) * _SIZES[amount[2].upper()]
            rest = rest[:-1]
        if not name or len(rest) > 1:
            raise ValueError(f"{item.strip()[:60]!r} is no generic resource")
        found.append((name, rest[0] if rest else "", count))
    return found


def needs_of_tres(text: str) -> tuple[Needs, int | None]:
    """What a list of trackable resources asks for, and the number of nodes it tells.

    ``mem`` is in MiB unless it has a suffix; of GPUs the count of all comes first, then those of
    types.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> needs, nodes = needs_of_tres("cpu=16,mem=1.5G,node=2,gres/gpu=8,gres/gpu:a100=8")
    >>> needs.cpu, needs.memory, needs.gpu, needs.types, nodes
    (16, Fraction(1536, 1), 8, {'a100': 8}, 2)
    """
    needs, nodes = Needs(), None
    every: dict[str, int] = {}
    typed: list[tuple[str, str, int]] = []
    for item in text.split(",") if text not in _NULL else ():
        key, sign, value = (each.strip() for each in item.partition("="))
        amount = _AMOUNT.fullmatch(value)
        if not sign or amount is None:
            raise ValueError(f"{item.strip()[:60]!r} is no trackable resource")
        size = Fraction(amount[1]) * _SIZES[amount[2].upper()]
        name, colon, kind = key.removeprefix("gres/").partition(":")
        if key == "mem":
            needs.memory = size / 2**20 if amount[2] else size
        elif key not in ("cpu", "node") and not key.startswith("gres/"):
            continue
        elif size.denominator != 1:
            raise ValueError(f"{item.strip()[:60]!r} is no whole number")
        elif key == "cpu":
            needs.cpu = int(size)
        elif key == "node":
            nodes = int(size)
        elif colon:
            typed.append((name, kind, int(size)))
        else:
            every[name] = int(size)
    needs.add_gres(typed)
    needs.gpu = max(needs.gpu, every.pop("gpu", 0))
    needs.gres.update(every)  # what counts those of all types comes before the sum of types
    return needs, nodes


def mebibytes(value: Fraction) -> int | float:
    """An amount of MiB as a number, rounded up to whole KiB, or to MiB where it is large."""
    kib = math.ceil(value * 1024)
    if kib % 1024 == 0:
        return kib // 1024
    return kib / 1024 if value < _EXACT_KIB else math.ceil(value)
