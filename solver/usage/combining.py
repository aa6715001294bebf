"""The samples of a task: its series added up, time by time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact
from fractions import Fraction
from itertools import pairwise
from math import ceil

from ..files.usage.samples import Series

__all__ = ["SEVERAL", "Combined", "combined", "nearest_rank"]

SEVERAL = ("sum", "max")
"""How several series of one task are taken together at a time."""

_WIDE = Context(prec=2000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])


def nearest_rank(values: Sequence[Decimal], percentile: Fraction) -> Decimal:
    """The smallest of the values that at least this share of them does not exceed, exactly.

    With N values in ascending order that is number ⌈percentile · N⌉: always one that was
    measured, never one between two.

    Parameters
    ----------
    values : sequence of Decimal, at least one
    percentile : Fraction
        Above 0, at most 1.

    Examples
    --------
    >>> nearest_rank([Decimal(n) for n in (15, 20, 35, 40, 50)], Fraction(4, 10))
    Decimal('20')
    """
    return sorted(values)[ceil(percentile * len(values)) - 1]


@dataclass(frozen=True)
class Combined:
    """The samples of one field of one task, or of one part of it.

    Attributes
    ----------
    values : list of Decimal
        One a time; samples without a time stand for themselves.
    repeated : int
        Samples of one series and time that came again, as from files that overlap.
    is_aligned : bool
        False if series run side by side, but no two have a sample at one time.
    """

    values: list[Decimal]
    repeated: int = 0
    is_aligned: bool = True


def combined(
    series: Sequence[Series],
    several: str,
    step: Fraction | None = None,
    since: Fraction | None = None,
) -> Combined:
    """Take the series of one task together, time by time.

    Parameters
    ----------
    series : sequence of Series
        Of several samples of one series and time the largest counts.
    several : {"sum", "max"}
        What counts at a time: the sum of the series that have a sample then, or the largest.
    step : Fraction or None
        Times within one step of so many seconds are one time. None: as they stand.
    since : Fraction or None
        Samples that are older do not count; those without a time do.
    """
    loose: list[Decimal] = []
    by_series: dict[Hashable, dict[Decimal | int, Decimal]] = {}
    repeated = 0
    for each in series:
        if each.times is None:
            loose.extend(each.values)
            continue
        found = by_series.setdefault(each.label, {})
        for time, value in zip(each.times, each.values, strict=True):
            if since is not None and time < since:
                continue
            moment = time if step is None else Fraction(time) // step
            known = found.get(moment)
            repeated += known is not None and step is None
            if known is None or value > known:
                found[moment] = value
    listed = [found for found in by_series.values() if found]
    if len(listed) <= 1:
        return Combined([*loose, *(listed[0].values() if listed else ())], repeated)
    totals: dict[Decimal | int, Decimal] = {}
    for found in listed:
        for moment, value in found.items():
            known = totals.get(moment)
            if known is None:
                totals[moment] = value
            else:
                totals[moment] = _WIDE.add(known, value) if several == "sum" else max(known, value)
    met = len(totals) < sum(map(len, listed))
    return Combined([*loose, *totals.values()], repeated, met or not _side_by_side(listed))


def _side_by_side(listed: Sequence[dict[Decimal | int, Decimal]]) -> bool:
    """Whether one series begins before another has ended."""
    spans = sorted((min(found), max(found)) for found in listed)
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))
