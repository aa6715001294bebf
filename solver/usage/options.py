"""How samples become figures: percentile, margin, floors and what else a user may choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from ..errors import OptionError
from ..model.exact import fraction_of
from ..model.instance import Instance, Number
from .combining import SEVERAL

__all__ = ["DEFAULTS", "Amount", "ByField", "Measuring", "by_field", "measuring"]

Amount = Number | str
"""A number, or a text such as "0.15" or "15%"."""

ByField = Amount | Mapping[str, Amount]
"""One for all fields, or by field; "" stands for all others."""

DEFAULTS: dict[str, Any] = {
    "percentile": 0.9,
    "margin": 0.15,
    "min_samples": 30,
    "several": "sum",
    "floor": None,
    "step": None,
    "window": None,
    "digits": None,
    "multiple": None,
}

_MOST_DIGITS, _FAR = 300, 400


@dataclass(frozen=True)
class Measuring:
    """The options of `with_usage`, checked and exact.

    Attributes
    ----------
    percentile, margin : dict of str to Fraction
        By field; "" for all others.
    floor : dict of str to (Fraction, bool)
        A number, or a share of the present figure.
    min_samples : int
    several : str
    step, window : Fraction or None
        Seconds.
    digits : int or None
    multiple : dict of str to (Fraction, bool)
    """

    percentile: Mapping[str, Fraction]
    margin: Mapping[str, Fraction]
    floor: Mapping[str, tuple[Fraction, bool]]
    min_samples: int
    several: str
    step: Fraction | None
    window: Fraction | None
    digits: int | None
    multiple: Mapping[str, tuple[Fraction, bool]]

    def percentile_of(self, field: str) -> Fraction:
        """The percentile of a field, above 0 and at most 1."""
        return self.percentile.get(field, self.percentile[""])

    def margin_of(self, field: str) -> Fraction:
        """What comes on top, as a share."""
        return self.margin.get(field, self.margin[""])

    def multiple_of(self, field: str) -> Fraction | None:
        """What a new figure of a field is a multiple of; None if that does not matter."""
        found = self.multiple.get(field, self.multiple.get(""))
        return None if found is None else found[0]

    def floor_of(self, field: str, present: Fraction) -> Fraction | None:
        """The least figure of a field, given the present one; None if there is none."""
        found = self.floor.get(field, self.floor.get(""))
        if found is None:
            return None
        value, is_share = found
        return value * present if is_share else value


def measuring(
    instance: Instance,
    percentile: ByField,
    margin: ByField,
    min_samples: int,
    floor: ByField | None,
    several: str,
    step: Amount | None,
    window: Amount | None,
    digits: int | None,
    multiple: ByField | None,
) -> Measuring:
    """Check the options of `with_usage`.

    Raises
    ------
    OptionError
        If one is out of its range, or names a field that the instance has not.
    """
    fields = ("", "compute", "storage", *instance.node_resources)

    def each(name: str, given: ByField, default: Amount | None) -> dict[str, tuple[Fraction, bool]]:
        listed = dict(given) if isinstance(given, Mapping) else {"": given}
        if default is not None:
            listed = {"": default, **listed}
        for field in listed:
            if field not in fields:
                known = ", ".join(fields[1:])
                raise OptionError(f"{name}: the field {field!r} is none of: {known}")
        return {field: _amount(name, value) for field, value in listed.items()}

    percentiles = each("percentile", percentile, DEFAULTS["percentile"])
    for value, _ in percentiles.values():
        if not 0 < value <= 1:
            raise OptionError("percentile must be above 0 and at most 1, such as 0.9")
    multiples = {} if multiple is None else each("multiple", multiple, None)
    for value, is_share in multiples.values():
        if is_share or not value:
            raise OptionError("multiple must be a number above 0, such as 1 for whole GPUs")
    if several not in SEVERAL:
        raise OptionError(f"several is {several!r}; it must be one of: {', '.join(SEVERAL)}")
    for name, count in (("min_samples", min_samples), ("digits", 1 if digits is None else digits)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise OptionError(f"{name} is {count!r}; it must be an integer, 1 or more")
    return Measuring(
        percentile={field: value for field, (value, _) in percentiles.items()},
        margin={
            field: value for field, (value, _) in each("margin", margin, DEFAULTS["margin"]).items()
        },
        floor={} if floor is None else each("floor", floor, None),
        min_samples=min_samples,
        several=several,
        step=_seconds("step", step),
        window=_seconds("window", window),
        digits=digits,
        multiple=multiples,
    )


def by_field(name: str, texts: Iterable[str]) -> dict[str, str]:
    """Options of the command line, "0.9" for all fields or "storage=1" for one, by field.

    Raises
    ------
    OptionError
        If one is given twice.

    Examples
    --------
    >>> by_field("percentile", ["0.9", "storage=1"])
    {'': '0.9', 'storage': '1'}
    """
    found: dict[str, str] = {}
    for text in texts:
        field, equals, value = text.rpartition("=")
        if field in found:
            raise OptionError(f"--{name} {text}: {field or 'all fields'!r} stands twice")
        found[field.strip()] = value.strip()
        if equals and not field.strip():
            raise OptionError(f"--{name} {text}: write FIELD=NUMBER")
    return found


def _seconds(name: str, given: Amount | None) -> Fraction | None:
    if given is None:
        return None
    value, is_share = _amount(name, given)
    if is_share or not value > 0:
        raise OptionError(f"{name} is {given!r}; it must be a number of seconds above 0")
    return value


def _amount(name: str, given: Any) -> tuple[Fraction, bool]:
    """A number, 0 or more, and whether it was given in per cent."""
    rule = "it must be a number, 0 or more, or per cent, such as 15%"
    refused = OptionError(f"{name} is {given!r}; {rule}")
    if isinstance(given, str):
        text, is_share = given.strip().removesuffix("%").strip(), given.strip().endswith("%")
        if not text.isascii() or "_" in text or len(text) > _MOST_DIGITS:
            raise refused
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise refused from None
        if not value.is_finite() or value < 0 or (value and abs(value.adjusted()) > _FAR):
            raise refused
        return Fraction(value) / (100 if is_share else 1), is_share
    try:
        number = fraction_of(given)
    except (TypeError, ValueError):
        raise refused from None
    if isinstance(given, bool) or number < 0:
        raise refused
    return number, False
