"""Numbers as people write them, exactly: "80GiB", "1.5 TB", "500m", "$98.32", "1,024"."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from ..exact import fraction_of
from ..records import Number

__all__ = [
    "UNLIMITED",
    "WATTS",
    "Quantity",
    "exact_number",
    "quantity_of",
    "unit_size",
]

_MOST_CHARACTERS = 330
_FARTHEST_EXPONENT = 400

BYTES, WATTS, HERTZ, FLOPS = "B", "W", "Hz", "FLOPS"

UNLIMITED = ("inf", "infinite", "infinity", "unlimited", "∞")
"""How a cell says that there is no limit."""

_DECIMAL = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
_BINARY = {f"{letter}i": 2 ** (10 * power) for power, letter in enumerate("KMGTPE", 1)}
_SMALL = {"m": Fraction(1, 1000), "u": Fraction(1, 10**6), "n": Fraction(1, 10**9)}
_COUNTED = ("core", "cores", "cpu", "cpus", "vcpu", "vcpus", "gpu", "gpus")
_CURRENCIES = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_CODES = (
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "INR", "JPY", "KRW",
    "NOK", "NZD", "PLN", "SEK", "SGD", "TWD", "USD", "ZAR",
)  # fmt: skip
_PER_HOUR = re.compile(r"\s*(?:/|per)\s*(?:h|hr|hour)$", re.IGNORECASE)


def _units() -> dict[str, tuple[Fraction, str | None]]:
    """What a unit multiplies by, and what it counts; None counts nothing in particular."""
    prefixes = {"": 1, **_DECIMAL, **_BINARY}
    units: dict[str, tuple[Fraction, str | None]] = {}
    for prefix, factor in prefixes.items():
        size = Fraction(factor)
        units[prefix] = (size, None)
        units[f"{prefix}B"] = (size, BYTES)
        units[f"{prefix}b".lower() if prefix else "bytes"] = (size, BYTES)
        if prefix not in _BINARY:
            units[f"{prefix}W"] = (size, WATTS)
            units[f"{prefix}Hz"] = (size, HERTZ)
            for word in ("FLOPS", "FLOP/s"):
                units[f"{prefix}{word}"] = (size, FLOPS)
    units["byte"] = (Fraction(1), BYTES)
    units.update((letter, (size, None)) for letter, size in _SMALL.items())
    return units


_UNITS = _units()

_MONEY = re.compile(
    rf"(?P<sign>US\$|[$€£¥]|(?:{'|'.join(_CODES)})\b)?\s*(?P<number>[-+]?[0-9.,][0-9.,]*"
    rf"(?:[eE][-+]?[0-9]+(?![0-9A-Za-z]))?)\s*(?P<unit>.*)",
    re.DOTALL,
)
_DIGITS = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE](?P<exponent>[-+]?[0-9]+))?")
_THOUSANDS = re.compile(r"[-+]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and what it counts.

    Attributes
    ----------
    value : Fraction
        In the unit without a prefix: bytes, watts, a currency.
    counts : str or None
        "B", "W", "Hz", "FLOPS", the code of a currency, or None.
    bare : bool
        Whether it is a number and nothing else, so that its unit is that of its column.
    """

    value: Fraction
    counts: str | None = None
    bare: bool = True


def quantity_of(text: str, decimal: str = ".") -> Quantity:
    """Read a number with its unit.

    Prefixes are those of the SI (k, M, G, ... and m, u, n) and their binary kin (Ki, Mi, Gi, ...);
    units are B, W, Hz, FLOPS and currencies. ``K`` is 1,000. A comma, or a point where the decimal
    mark is a comma, groups thousands and nothing else.

    Parameters
    ----------
    text : str
    decimal : {".", ","}
        The decimal mark.

    Raises
    ------
    ValueError
        Saying what is wrong, for a message that begins with the text itself.

    Examples
    --------
    >>> quantity_of("1.5 TB").value, quantity_of("500m").value, quantity_of("$1,024.50").value
    (Fraction(1500000000000, 1), Fraction(1, 2), Fraction(2049, 2))
    """
    plain = text.replace("\u00a0", " ").strip()
    if len(plain) > _MOST_CHARACTERS:
        raise ValueError(f"it has {len(plain)} characters; a number has at most {_MOST_CHARACTERS}")
    if decimal == ",":
        plain = plain.translate({ord(","): ".", ord("."): ","})
    found = _MONEY.fullmatch(plain)
    if found is None:
        raise ValueError("write a number, such as 1500, 0.5 or 80GiB")
    value = _value_of(found["number"], decimal)
    unit = found["unit"].strip()
    if decimal == ",":
        unit = unit.translate({ord(","): ".", ord("."): ","})
    bare = not unit and not found["sign"]
    shorter = _PER_HOUR.sub("", unit)
    currency = _CURRENCIES.get(shorter) or (shorter if shorter in _CODES else None)
    sign = found["sign"]
    if sign and (shorter == "" or currency == _CURRENCIES.get(sign, sign)):
        return Quantity(value, _CURRENCIES.get(sign, sign), bare)
    if currency and not sign:
        return Quantity(value, currency, bare)
    if not sign and unit.casefold() in _COUNTED:
        return Quantity(value)
    if sign or unit not in _UNITS:
        raise ValueError(_unknown(unit if not sign else f"{sign} {unit}"))
    size, counts = _UNITS[unit]
    return Quantity(value * size, counts, bare)


def _unknown(unit: str) -> str:
    short = unit if len(unit) <= 20 else f"{unit[:20]}..."
    if unit in ("Kb", "Mb", "Gb", "Tb", "Pb"):
        return f"{unit} are bits; write {unit[0]}B for bytes"
    if unit == "%":
        return "a share has no unit here; write 0.5 for 50 %"
    return (
        f"the unit {short!r} is not known; known are k, M, G, T, P, E, Ki, Mi, ..., m, and with "
        "them B, W, Hz and FLOPS, and currencies"
    )


def _value_of(number: str, decimal: str) -> Fraction:
    if _THOUSANDS.fullmatch(number):
        number = number.replace(",", "")
    elif "," in number:
        mark = "comma" if decimal == "." else "point"
        other = "point" if decimal == "." else "comma"
        raise ValueError(
            f"a {mark} stands between groups of three digits only; write a decimal {other}, or "
            f"say that the decimal mark is a {mark}"
        )
    found = _DIGITS.fullmatch(number)
    if found is None:
        raise ValueError("write a number, such as 1500, 0.5 or 80GiB")
    if abs(int(found["exponent"] or 0)) > _FARTHEST_EXPONENT:
        raise ValueError("it is beyond what a float holds")
    return Fraction(number)


def unit_size(unit: str) -> tuple[Fraction, str]:
    """What a unit such as "GiB" multiplies by, and what it counts.

    Raises
    ------
    ValueError
        If it is not known.
    """
    size, counts = _UNITS.get(unit, (Fraction(1), None))
    if counts is None:
        raise ValueError(_unknown(unit))
    return size, counts


def exact_number(value: Fraction) -> Number:
    """The int or float that stands for a fraction without rounding.

    Raises
    ------
    ValueError
        If there is none: a float holds 17 digits.

    Examples
    --------
    >>> exact_number(Fraction(3, 2)), exact_number(Fraction(10))
    (1.5, 10)
    """
    if value.denominator == 1:
        number = int(value)
        if number > 10**308:
            raise ValueError("it is beyond what a float holds")
        return number
    try:
        nearest = float(value)
    except OverflowError:
        nearest = math.inf
    if math.isinf(nearest) or fraction_of(nearest) != value:
        raise ValueError("it has more digits than a float holds; give fewer, or a smaller unit")
    return nearest
