"""Exact numbers: columns of user input, and the integers they stand for.

A number the user gives is the decimal that Python prints for it: the float 0.1 is one
tenth. Every column of an instance can therefore be scaled by a power of ten to integers
without any rounding, and everything that must be exact (cost, check, bound) is computed on
those integers: NumPy int64 where they fit, Python integers (dtype object) where not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "INT64_MAX",
    "Array",
    "common_divisor",
    "common_ranks",
    "decimal_places",
    "exact_column",
    "exact_sum",
    "floats_of",
    "fraction_of",
    "largest",
    "number_of",
    "scaled_integers",
    "sums_by_group",
]

Array = npt.NDArray[Any]

INT64_MAX = 2**63 - 1
_FLOAT_INTEGERS = 2**53
_VECTOR_PLACES = 12
_VECTOR_LIMIT = 1e15
_FAR = 400  # decimal exponents beyond this are no float's
_FLOAT_BITS = 900  # leaves room for sums and products with prices
_WIDE = Context(prec=2000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])


def exact_column(values: Iterable[Any]) -> Array:
    """Hold numbers in the narrowest dtype that keeps each one exactly.

    Parameters
    ----------
    values : iterable of int or float, or a NumPy array
        One number a record. Booleans, complex numbers and text are refused.

    Returns
    -------
    ndarray
        int64 where every value is an integer below 2**63 (16.0 counts as 16), else float64
        where that is exact, else object.

    Raises
    ------
    TypeError
        With the position of the first value that is not a number as second argument.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
        return _narrow(values)
    items = list(values)
    plain: list[int | float] = []
    for position, item in enumerate(items):
        if isinstance(item, np.generic):
            item = float(str(item)) if isinstance(item, np.float16 | np.float32) else item.item()
        if isinstance(item, Decimal | Fraction):
            item = _plain_number(item, position)
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise TypeError(f"{item!r} is not a number", position)
        if isinstance(item, float) and item.is_integer():
            item = int(item) if abs(item) < _FLOAT_INTEGERS else int(Decimal(repr(item)))
        plain.append(item)
    if all(isinstance(item, int) for item in plain):
        fits = all(-INT64_MAX <= item <= INT64_MAX for item in plain)
        return np.array(plain, dtype=np.int64 if fits else object)
    safe = all(isinstance(item, float) or abs(item) <= _FLOAT_INTEGERS for item in plain)
    return np.array(plain, dtype=np.float64 if safe else object)


def _plain_number(item: Decimal | Fraction, position: int) -> int | float:
    """The int or float that stands for a Decimal or Fraction exactly."""
    if isinstance(item, Decimal) and not item.is_finite():
        return math.nan if item.is_nan() else float(item)
    if isinstance(item, Decimal) and item and not -_FAR <= item.adjusted() <= _FAR:
        raise TypeError(f"{item} is beyond what a float holds", position)
    if Fraction(item).denominator == 1:
        return int(item)
    if fraction_of(float(item)) != Fraction(item):
        raise TypeError(f"{item!r} has more digits than a float holds; round it", position)
    return float(item)


def _narrow(values: Array) -> Array:
    values = values.reshape(-1)
    if values.dtype.kind == "i":
        return values.astype(np.int64)
    if values.dtype.kind == "u":
        small = not values.size or int(values.max()) <= INT64_MAX
        return values.astype(np.int64) if small else np.array(values.tolist(), dtype=object)
    if values.dtype.itemsize < 8:  # float32 0.1 is meant as the decimal it prints as
        values = np.array([float(str(item)) for item in values], dtype=np.float64)
    floats = values.astype(np.float64)
    finite = np.isfinite(floats)
    if floats[finite].size and float(np.abs(floats[finite]).max()) >= _FLOAT_INTEGERS:
        return exact_column(floats.tolist())  # the decimals they print as, not their binary value
    if finite.all() and bool((floats == np.rint(floats)).all()):
        return floats.astype(np.int64)
    return floats


def fraction_of(value: int | float) -> Fraction:
    """The exact rational a finite number stands for: ``fraction_of(0.1) == Fraction(1, 10)``."""
    return (
        Fraction(int(value))
        if isinstance(value, int | np.integer)
        else Fraction(repr(float(value)))
    )


def number_of(units: int, scale: int, *, floor: bool = False) -> int | float:
    """units / scale as a Python number: an int where the scale is 1, else a float.

    What a float cannot hold, beyond 1.8e308, becomes an int, rounded down.

    Parameters
    ----------
    units, scale : int
    floor : bool
        Whether the float must not be above the exact value, as a lower bound needs.
    """
    if scale == 1:
        return units
    exact = Fraction(units, scale)
    try:
        value = float(exact)
    except OverflowError:
        return units // scale
    while floor and max(Fraction(value), fraction_of(value)) > exact:  # in binary and as printed
        value = math.nextafter(value, -math.inf)
    return value


def decimal_places(*columns: Array) -> int:
    """Fewest decimals k such that every finite value times 10**k is an integer.

    >>> decimal_places(np.array([0.25, 3.0]), np.array([7]))
    2
    """
    return max((_places(column) for column in columns), default=0)


def _places(column: Array) -> int:
    if column.dtype.kind in "iu":
        return 0
    if column.dtype == object:
        return max((_places_of(item) for item in column if isinstance(item, float)), default=0)
    finite = column[np.isfinite(column)]
    fewest = 0
    for places in range(_VECTOR_PLACES + 1):
        if not finite.size:
            return fewest
        with np.errstate(over="ignore"):  # near 1e308; infinity is no exact one
            scaled = np.rint(finite * 10.0**places)
        # Below 1e15 a decimal and the float nearest to it determine each other, and dividing
        # by an exact power of ten rounds correctly: equality means the decimal is the value.
        exact = (np.abs(scaled) < _VECTOR_LIMIT) & (scaled / 10.0**places == finite)
        if exact.any():
            fewest = places
        finite = finite[~exact]
    return max(fewest, max((_places_of(item) for item in finite.tolist()), default=0))


def _places_of(value: float) -> int:
    if not math.isfinite(value):
        return 0
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def scaled_integers(column: Array, places: int) -> Array:
    """Finite column times 10**places, as exact integers (int64 where they fit)."""
    scale = 10**places
    if column.dtype.kind in "iu":
        if scale == 1 or not column.any():
            return column
        if int(np.abs(column).max()) * scale <= INT64_MAX:
            return column.astype(np.int64) * np.int64(scale)
        return np.array([item * scale for item in column.tolist()], dtype=object)
    if column.dtype.kind == "f" and places <= _VECTOR_PLACES:
        with np.errstate(over="ignore"):
            scaled = np.rint(column * 10.0**places)
        if not scaled.size or (
            float(np.abs(scaled).max()) < _VECTOR_LIMIT
            and bool((scaled / 10.0**places == column).all())
        ):
            return scaled.astype(np.int64)
    numbers = [_scaled(item, places) for item in column.tolist()]
    fits = all(-INT64_MAX <= number <= INT64_MAX for number in numbers)
    return np.array(numbers, dtype=np.int64 if fits else object)


def _scaled(value: int | float, places: int) -> int:
    if isinstance(value, int):
        return value * int(10**places)
    return int(Decimal(repr(value)).scaleb(places, _WIDE))


def largest(column: Array) -> int:
    """Largest value of an integer column, 0 if it is empty."""
    return int(column.max()) if column.size else 0


def common_ranks(*columns: Array) -> list[Array]:
    """int64 columns that compare with each other exactly as the given integer columns do.

    Columns of 64 bits are returned as they are; wider ones are replaced by their ranks.
    """
    if all(column.dtype != object for column in columns):
        return list(columns)
    joined = np.concatenate([column.astype(object) for column in columns])
    rank = np.unique(joined, return_inverse=True)[1].astype(np.int64)
    return np.split(rank, np.cumsum([column.size for column in columns])[:-1])


def floats_of(column: Array) -> Array:
    """A non-negative integer column as float64, divided by a power of two if it is too large."""
    shift = max(0, largest(column).bit_length() - _FLOAT_BITS)
    if not shift:
        return column.astype(np.float64)
    return np.array([float(value >> shift) for value in column.tolist()])


def exact_sum(column: Array) -> int:
    """Sum of a non-negative integer column as a Python integer, without overflow."""
    if column.dtype == object or largest(column) * max(column.size, 1) > INT64_MAX:
        return sum(column.tolist())
    return int(column.sum())


def sums_by_group(column: Array, group: Array, count: int) -> Array:
    """Exact sums of a non-negative integer column over groups 0..count-1.

    Parameters
    ----------
    column : (m,) integers, `group` : (m,) integers in [0, count)

    Returns
    -------
    (count,) int64, or object where a sum could pass 2**63
    """
    wide = column.dtype == object or largest(column) * max(column.size, 1) > INT64_MAX
    sums = np.zeros(count, dtype=object if wide else np.int64)
    np.add.at(sums, group, column.astype(object) if wide else column)
    return sums


def common_divisor(*columns: Array | Sequence[int]) -> int:
    """Greatest common divisor of all entries; 0 where every entry is 0."""
    divisor = 0
    for column in columns:
        if isinstance(column, np.ndarray) and column.dtype != object and column.size:
            divisor = math.gcd(divisor, int(np.gcd.reduce(column)))
        else:
            divisor = math.gcd(divisor, *(int(item) for item in column))
    return divisor
