"""Samples of what tasks use: exact numbers over time, and what of them was dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from ...errors import UsageError
from ...model.instance import Number

__all__ = ["Series", "Usage", "drop_reason", "sample_of", "time_of"]

_MOST_CHARACTERS = 300
_FAR = 400  # decimal exponents beyond this are no float's

_CODES = 16
"""Each blank value of DCGM has fifteen siblings above it, which say why there is no value."""
_BLANKS = (2**31 - _CODES, 2**47, 2**63 - _CODES)
# As Prometheus keeps samples, in 53 bits, and prints them: the nearest double and its shortest.
_ROUNDED = frozenset({Decimal(2**63), Decimal("9223372036854776000")})

NOT_AVAILABLE = "not available (DCGM)"
NOT_A_NUMBER = "not a number"
INFINITE = "infinite"
REPEATED = "repeated"


@dataclass(frozen=True)
class Series:
    """Samples of one field of one task, or of a part or a container of one.

    Attributes
    ----------
    names : tuple of str
        What the task may be called; the first that the instance knows counts.
    field : str
        "compute", "storage" or a resource.
    part : int or None
        The part of the task, from 1 on, where it is told.
    label : hashable
        Tells the series of one task and part apart.
    times : sequence of Decimal, or None
        Seconds; None where the samples have no times.
    values : sequence of Decimal
        As measured, before the factor of the field.
    """

    names: tuple[str, ...]
    field: str
    part: int | None
    label: Hashable
    times: Sequence[Decimal] | None
    values: Sequence[Decimal]


@dataclass(frozen=True)
class Usage:
    """What tasks used.

    Attributes
    ----------
    series : tuple of Series
    factors : dict of str to Fraction
        By field: a sample times this is in the unit of the instance. 1 where none is given.
    dropped : Counter
        How many samples were dropped, by reason.
    notes : tuple of str
        What else has to be said of the files.

    Examples
    --------
    >>> usage = Usage.of({"train": {"compute": [0.5, 0.75], "storage": [12, 12]}})
    >>> len(usage.series), usage.num_samples
    (2, 4)
    """

    series: tuple[Series, ...] = ()
    factors: Mapping[str, Fraction] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, samples: Mapping[str, Mapping[str, Sequence[Number]]]) -> Usage:
        """Usage from numbers at hand: by task, then by field.

        Raises
        ------
        UsageError
            If a sample is no number, or negative.
        """
        dropped: Counter[str] = Counter()
        made = []
        for task, fields in samples.items():
            for name, numbers in fields.items():
                values = []
                for number in numbers:
                    value = sample_of(str(number))
                    if isinstance(value, Decimal):
                        values.append(value)
                    else:
                        _require_dropped(value, f"task {task!r}, {name}: {number!r}")
                        dropped[str(value)] += 1
                made.append(Series((task,), name, None, None, None, values))
        return cls(tuple(made), {}, dropped)

    @property
    def num_samples(self) -> int:
        """How many samples there are, without those that were dropped."""
        return sum(len(series.values) for series in self.series)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that something was measured of."""
        return tuple(dict.fromkeys(series.field for series in self.series))


def _require_dropped(value: str | None, where: str) -> None:
    if value is None:
        raise UsageError(f"{where} is no sample; write numbers, 0 or more, such as 1500 or 0.5")


def sample_of(text: str) -> Decimal | str | None:
    """The number that a sample stands for.

    Returns
    -------
    Decimal, str or None
        A reason to drop the sample, as `Usage.dropped` counts it; None if it is no number, is
        negative, or beyond what an instance holds.

    Examples
    --------
    >>> sample_of("0.10"), sample_of("NaN"), sample_of("9223372036854775794"), sample_of("-1")
    (Decimal('0.10'), 'not a number', 'not available (DCGM)', None)
    """
    if len(text) > _MOST_CHARACTERS or not text.isascii() or "_" in text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if value.is_nan():
        return None if value.is_snan() else NOT_A_NUMBER
    if value.is_infinite():
        return INFINITE
    if not value:
        return Decimal(0)
    if value < 0 or not -_FAR <= value.adjusted() < _MOST_CHARACTERS:
        return None
    return value if drop_reason(value) is None else NOT_AVAILABLE


def drop_reason(value: Decimal) -> str | None:
    """Why a number is none that was measured: NVIDIA's DCGM has a few that say "not available".

    Its blanks are 2**31 - 16, 2**47 and 2**63 - 16, for three types of numbers, and those just
    above say why: not found, not supported (9223372036854775794), not permitted.
    """
    for blank in _BLANKS:
        if blank <= value < blank + _CODES and value == value.to_integral_value():
            return NOT_AVAILABLE
    return NOT_AVAILABLE if value in _ROUNDED else None


def time_of(text: Any) -> Decimal | None:
    """Seconds since 1970 of a number of them or a date and time as ISO 8601 has it; else None.

    A time without a zone is taken for UTC.

    >>> time_of("1970-01-01T00:01:00.5Z") == time_of("60.5") == Decimal("60.5")
    True
    """
    word = text if isinstance(text, str) else str(text)
    if len(word) > _MOST_CHARACTERS or not word.isascii() or "_" in word:
        return None
    try:
        value = Decimal(word)
    except InvalidOperation:
        return _from_date(word)
    if not value.is_finite() or (value and not -_FAR <= value.adjusted() <= _FAR):
        return None
    return value


def _from_date(word: str) -> Decimal | None:
    try:
        moment = datetime.fromisoformat(word.strip())
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    try:
        passed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        return None
    micro = Decimal(10) ** -6
    return Decimal(passed.days * 86_400 + passed.seconds) + passed.microseconds * micro
