"""Slurm's lists of hosts, ``gpu[001-004,7]``, and of the tasks of arrays, ``0-9,15-30:5%2``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

__all__ = ["MOST_HOSTS", "array_tasks", "expand_hosts"]

MOST_HOSTS = 100_000
"""Hosts of one list that are expanded; Slurm itself knows at most 65,533 nodes."""

_MOST_DIGITS = 18
_PIECE = re.compile(r"[^\[\],\s]+|\[[^\[\]]*\]")
_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_STEPPED = re.compile(r"([0-9]+)(?:-([0-9]+)(?::([0-9]+))?)?")


def expand_hosts(text: str, most: int = MOST_HOSTS) -> list[str]:
    """The hosts of a list, in its order.

    Brackets hold numbers and ranges; those of a range have as many digits as its first number. A
    name may have several brackets, and text behind them.

    Parameters
    ----------
    text : str
    most : int
        Longer lists are refused before they are made.

    Raises
    ------
    ValueError
        If it is no list of hosts.

    Examples
    --------
    >>> expand_hosts("gpu[001-003,7],login")
    ['gpu001', 'gpu002', 'gpu003', 'gpu7', 'login']
    >>> expand_hosts("r[1-2]n[08-09]-ib")
    ['r1n08-ib', 'r1n09-ib', 'r2n08-ib', 'r2n09-ib']
    """
    hosts: list[str] = []
    for item in _items(text):
        pieces = _PIECE.findall(item)
        if not pieces or "".join(pieces) != item:
            raise ValueError(f"{_short(item)} is no host list")
        choices = [_numbers(piece) if piece[0] == "[" else [piece] for piece in pieces]
        count = len(hosts)
        number = 1
        for choice in choices:
            number *= len(choice)
        if count + number > most:
            raise ValueError(f"{_short(text)} has more than {most:,} hosts")
        hosts += map("".join, itertools.product(*choices))
    return hosts


def _items(text: str) -> Iterator[str]:
    """The parts between the commas that stand outside of brackets."""
    start = depth = 0
    for place, mark in enumerate(text):
        if mark == "[":
            depth += 1
        elif mark == "]":
            depth -= 1
        elif mark == "," and not depth:
            yield text[start:place].strip()
            start = place + 1
    if text.strip():
        yield text[start:].strip()


class _Span:
    """The numbers of some ranges, counted without being made."""

    def __init__(self, ranges: list[tuple[int, int, int]]) -> None:
        self._ranges = ranges

    def __len__(self) -> int:
        return min(sum(last - first + 1 for first, last, _ in self._ranges), 10**9)

    def __iter__(self) -> Iterator[str]:
        for first, last, width in self._ranges:
            yield from (f"{number:0{width}d}" for number in range(first, last + 1))


def _numbers(bracket: str) -> _Span:
    ranges = []
    for item in bracket[1:-1].split(","):
        found = _RANGE.fullmatch(item.strip())
        if found is None or max(map(len, found.groups(""))) > _MOST_DIGITS:
            raise ValueError(f"{_short(bracket)} has {_short(item)}, which is no range of numbers")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise ValueError(f"{_short(bracket)} has the range {item}, which ends before it begins")
        ranges.append((first, last, len(found[1])))
    return _Span(ranges)


def array_tasks(text: str, most: int) -> tuple[list[int], bool]:
    """The tasks of a job array that wait, and whether the list is cut short.

    Parameters
    ----------
    text : str
        Such as ``0-9,15-30:5%2``, where ``%2`` is how many may run at a time; ``0x3f`` has a bit
        for each; ``...`` stands where Slurm cut it (SLURM_BITSTR_LEN).
    most : int
        Longer lists are refused before they are made.

    Raises
    ------
    ValueError
        If it is no such list.

    Examples
    --------
    >>> array_tasks("0-2,8-16:4%2", 100), array_tasks("0x15", 100)
    (([0, 1, 2, 8, 12, 16], False), ([0, 2, 4], False))
    """
    listed = text.strip().partition("%")[0].strip().removeprefix("[").removesuffix("]")
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", listed) and 4 * len(listed) <= most + 8:
        bits = int(listed, 16)
        return [place for place in range(bits.bit_length()) if bits >> place & 1], False
    tasks: list[int] = []
    is_cut = False
    for item in listed.split(","):
        if item.strip().strip(".") == "" and "..." in item:
            is_cut = True
            continue
        found = _STEPPED.fullmatch(item.strip())
        if found is None or max(map(len, found.groups(""))) > _MOST_DIGITS:
            raise ValueError(f"{_short(text)} is no list of array tasks")
        first, last, step = int(found[1]), int(found[2] or found[1]), int(found[3] or 1)
        if last < first or not step:
            raise ValueError(f"{_short(text)} has the range {item}, which has no tasks")
        if len(tasks) + (last - first) // step + 1 > most:
            raise ValueError(f"{_short(text)} has more than {most:,} tasks")
        tasks += range(first, last + 1, step)
    return list(dict.fromkeys(tasks)), is_cut


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
