"""How reasons name numbers, tasks and nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model.exact import Array, number_of

__all__ = ["amount", "count", "listed", "named", "plain", "title"]

_NAMES = 3


def title(dimension: str) -> str:
    """A hard dimension in the user's words."""
    return "compute (max_load)" if dimension == "max_load" else dimension


def amount(units: int, scale: int) -> str:
    """A number in the user's unit.

    >>> amount(12345, 10)
    '1,234.5'
    """
    return plain(number_of(units, scale))


def plain(value: int | float) -> str:
    """A number of the user.

    >>> plain(2.0), plain(1234.5)
    ('2', '1,234.5')
    """
    return f"{value:,}" if isinstance(value, int) else f"{value:,.12g}"


def named(ids: Array, noun: str) -> str:
    """The first of some, and how many more there are.

    >>> named(["a", "b"], "task")
    "task 'a' (and 1 more like it)"
    """
    alike = f" (and {len(ids) - 1:,} more like it)" if len(ids) > 1 else ""
    return f"{noun} {str(ids[0])!r}{alike}"


def count(ids: Array, noun: str) -> str:
    """How many, and the first few.

    >>> count(["a", "b"], "task")
    "2 tasks ('a', 'b')"
    """
    plural = noun if len(ids) == 1 else f"{noun}s"
    return f"{len(ids):,} {plural} ({listed(ids)})"


def listed(ids: Sequence[Any] | Array) -> str:
    """The first few, in quotes."""
    shown = ", ".join(repr(str(name)) for name in ids[:_NAMES])
    return shown if len(ids) <= _NAMES else f"{shown}, and {len(ids) - _NAMES:,} more"
