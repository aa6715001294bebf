"""Quantities as Kubernetes writes them, exactly: ``500m``, ``1.5Gi``, ``1e3``, ``0.1``."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

__all__ = ["Amount", "Amounts", "parse_quantity", "rounded_up"]

Amount = int | Fraction
Amounts = dict[str, Amount]
"""Amounts by the name of the resource, in its own unit: cores, bytes, devices."""

_FORM = re.compile(
    r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)(?:([eE][+-]?[0-9]+)|([KMGTPE]i|[numkMGTPE]))?"
)
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIXES: dict[str, Amount] = {
    **{name: Fraction(10) ** power for name, power in _POWERS.items()},
    **{f"{name}i": 2 ** (10 * k) for k, name in enumerate("KMGTPE", start=1)},
}
_MOST_DIGITS, _MOST_EXPONENT = 64, 64


def parse_quantity(given: Any) -> Amount:
    """The number that a quantity stands for.

    A sign, decimal digits with or without a point, and one of: a binary suffix (Ki, Mi, Gi, Ti,
    Pi, Ei), a decimal one (n, u, m, k, M, G, T, P, E) or an exponent (e3, E3, e-3). See
    https://kubernetes.io/docs/reference/kubernetes-api/definitions/quantity-resource-core/. Finer
    and larger numbers than Kubernetes keeps are taken as they stand.

    Parameters
    ----------
    given : str, int or float
        A float stands for the decimal that it prints as.

    Returns
    -------
    int or Fraction
        An int where it is whole.

    Raises
    ------
    ValueError
        If it is no quantity, or negative.

    Examples
    --------
    >>> parse_quantity("1.5Gi"), parse_quantity("250m"), parse_quantity("1E3")
    (1610612736, Fraction(1, 4), 1000)
    """
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError(f"{given!r} is no quantity; write one such as '500m', '1.5Gi' or '2'")
    text = str(given)
    found = _FORM.fullmatch(text) if len(text) <= _MOST_DIGITS else None
    if found is None:
        raise ValueError(f"{_shown(text)} is no quantity; write one such as '500m', '1.5Gi' or '2'")
    sign, digits, exponent, suffix = found.groups()
    power = int(exponent[1:]) if exponent else 0
    if abs(power) > _MOST_EXPONENT:
        raise ValueError(f"{text!r} is too large or too small a quantity")
    amount = Fraction(digits.removesuffix(".")) * Fraction(10) ** power * _SUFFIXES.get(suffix, 1)
    if sign == "-" and amount:
        raise ValueError(f"{text!r} is negative; a quantity of a resource is 0 or more")
    return amount.numerator if amount.denominator == 1 else amount


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MOST_DIGITS else f"{text[:_MOST_DIGITS]}...")


def rounded_up(amount: Amount, units: int = 1) -> int:
    """The amount in units of which `units` make one, rounded up as the scheduler does.

    >>> rounded_up(Fraction(1, 3), 1000)
    334
    """
    return math.ceil(amount * units)
