"""The cells of a table, read: numbers with units, names, lists of names."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from ..exact import fraction_of
from ..fields import Field
from ..records import Number
from .sources import Faults, Source, is_missing
from .units import UNLIMITED, WATTS, Quantity, exact_number, quantity_of, unit_size

__all__ = ["BETWEEN", "Reader", "is_money", "names_in"]

BETWEEN = "|"
"""Stands between the names in a cell that lists several."""

_NOTHING = ("-", "nan", "na", "n/a", "<na>", "null", "none")
"""How a cell of numbers says that there is none."""

_FLOAT_INTEGERS = 2**53

_Cell = tuple[Source, str, int]


@dataclass
class Reader:
    """Reads columns of two tables in common units, and notes what is wrong with them.

    Attributes
    ----------
    units : dict of str to str
        The unit of a field or resource, such as {"storage": "GiB"}; numbers alone are in it.
    decimal : {".", ","}
    faults : Faults
    counted : dict of str to dict of str to cell
        By field or resource what its numbers count, and the first cell that says so.
    bare : dict of str to cell
        By field or resource the first number without a unit that is not 0.
    """

    units: Mapping[str, str]
    decimal: str
    faults: Faults
    counted: dict[str, dict[str, _Cell]] = field(default_factory=dict)
    bare: dict[str, _Cell] = field(default_factory=dict)
    _known: dict[str, Quantity | str | None] = field(default_factory=dict)

    def numbers(self, source: Source, column: str, what: str, kind: Field | None) -> Any:
        """The numbers of a column; what a cell says that is not filled is up to the field.

        Parameters
        ----------
        source : Source
        column : str
        what : str
            The field or resource, for which units agree.
        kind : Field or None
            None: a resource, of which an empty cell is 0.

        Returns
        -------
        list of numbers or None, or ndarray
        """
        empty = _empty(kind)
        array = source.numbers(column, empty)
        if array is not None:
            finite = np.flatnonzero(np.isfinite(array) & (array != 0))
            if finite.size:
                self.bare.setdefault(what, (source, column, int(finite[0])))
            return array
        values: list[Any] = [empty] * source.length
        given = source.columns[column]
        cells = given.tolist() if isinstance(given, np.ndarray) else given
        for row, cell in enumerate(cells):
            if is_missing(cell) or _is_nothing(cell):
                if kind is not None and kind.required and not kind.unless:
                    self._fault(source, column, row, "the cell is empty; give a number, 0 or more")
                continue
            try:
                values[row] = self._number(cell, source, column, row, what, kind)
            except ValueError as error:
                shown = repr(cell) if len(str(cell)) <= 60 else f"{str(cell)[:60]!r}..."
                self._fault(source, column, row, f"{shown}: {error}")
                values[row] = 0  # so that it is not said to be empty as well
        return values

    def _fault(self, source: Source, column: str, row: int, problem: str) -> None:
        self.faults.add(source, problem, column, row)

    def _number(
        self, cell: Any, source: Source, column: str, row: int, what: str, kind: Field | None
    ) -> Number:
        quantity = self._quantity(cell)
        if quantity is None:
            if kind is not None and kind.unlimited and not kind.nullable:
                return math.inf
            raise ValueError("this field has no value that is unlimited")
        if quantity.value < 0:
            raise ValueError("a quantity is not negative")
        _require_kind(quantity, what, kind)
        if quantity.counts is not None:
            self.counted.setdefault(what, {}).setdefault(quantity.counts, (source, column, row))
        elif quantity.bare and quantity.value:
            self.bare.setdefault(what, (source, column, row))
        value = quantity.value
        if what in self.units and not quantity.bare:
            size, counts = unit_size(self.units[what])
            if quantity.counts not in (None, counts):
                raise ValueError(f"it counts {quantity.counts}, not {counts}")
            value /= size
        return exact_number(value)

    def _quantity(self, cell: Any) -> Quantity | None:
        """The quantity in a cell; None for an unlimited one."""
        if isinstance(cell, str):
            if cell not in self._known:
                self._known[cell] = self._parsed(cell)
            known = self._known[cell]
            if isinstance(known, str):
                raise ValueError(known)
            return known
        if isinstance(cell, bool) or not isinstance(cell, int | float | Decimal | Fraction):
            raise ValueError("it is no number")
        if isinstance(cell, float | Decimal) and math.isinf(cell):
            if cell < 0:
                raise ValueError("a quantity is not negative")
            return None
        if isinstance(cell, Decimal) and (cell.is_nan() or abs(cell.adjusted()) > 400):
            raise ValueError("it is beyond what a float holds")
        return Quantity(fraction_of(cell) if isinstance(cell, int | float) else Fraction(cell))

    def _parsed(self, text: str) -> Quantity | str | None:
        """What a text stands for: a quantity, None without limit, or what is wrong with it."""
        if text.strip().casefold() in UNLIMITED:
            return None
        try:
            return quantity_of(text, self.decimal)
        except ValueError as error:
            return str(error)

    def require_units(self) -> None:
        """Note where numbers that are compared with each other count different things."""
        for what, counted in self.counted.items():
            (first, (source, column, row)), *others = counted.items()
            if is_money(first):
                continue  # currencies agree over all prices
            for other, (at, name, line) in others:
                place = f"{source.name}, {source.place(row)}, column {column}"
                problem = f"it counts {other}, but {place} counts {first}"
                self.faults.add(at, problem, name, line)
            if what in self.bare and what not in self.units and first != WATTS:
                self._require_no_bare(what, first)

    def _require_no_bare(self, what: str, counts: str) -> None:
        source, column, row = self.bare[what]
        at, name, line = self.counted[what][counts]
        self.faults.add(
            source,
            f"it has no unit, but {at.name}, {at.place(line)}, column {name} has one; write units "
            f"everywhere, or say in which the others are: unit {what}=UNIT",
            column,
            row,
        )

    def texts(self, source: Source, column: str) -> list[str | None]:
        """The cells of a column as text; None where there is nothing."""
        texts: list[str | None] = [None] * source.length
        for row, cell in source.cells(column):
            text = self._text(source, column, row, cell)
            texts[row] = text.strip() or None
        return texts

    def _text(self, source: Source, column: str, row: int, cell: Any) -> str:
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)  # whole numbers of a column that has gaps
        if isinstance(cell, bool) or not isinstance(cell, str | int):
            self._fault(source, column, row, f"{_short(cell)} is no text")
            return ""
        return str(cell)

    def ids(self, source: Source, column: str) -> list[str]:
        """The cells of a column that must be filled and differ."""
        first: dict[str, int] = {}
        ids = []
        for row, text in enumerate(self.texts(source, column)):
            if text is None:
                self._fault(source, column, row, "the cell is empty; every row needs an id")
            elif text in first:
                place = source.place(first[text])
                problem = f"{_short(text)} stands twice (first in {place}); ids are unique"
                self._fault(source, column, row, problem)
            else:
                first[text] = row
            ids.append(text or "")
        return ids

    def choices(self, source: Source, column: str, kind: Field) -> list[str | None]:
        """The cells of a column of words."""
        words = self.texts(source, column)
        for row, word in enumerate(words):
            if word is not None and word not in kind.choices:
                problem = f"{_short(word)} is none of: {', '.join(kind.choices)}"
                self._fault(source, column, row, problem)
        return words

    def counts(self, source: Source, column: str) -> list[int | None]:
        """The cells of a column of whole numbers."""
        counts: list[int | None] = [None] * source.length
        for row, cell in source.cells(column):
            try:
                quantity = self._quantity(cell)
            except ValueError:
                quantity = None
            if quantity is None or quantity.value.denominator != 1 or quantity.value < 0:
                self._fault(source, column, row, f"{_short(cell)} is no whole number, 0 or more")
            elif quantity.value > _FLOAT_INTEGERS:
                self._fault(source, column, row, f"{_short(cell)} is too large")
            else:
                counts[row] = int(quantity.value)
        return counts

    def lists(
        self, source: Source, column: str, known: Callable[[str], bool] | None = None
    ) -> list[tuple[str, ...] | None]:
        """The names in the cells of a column, each of which must be known."""
        lists: list[tuple[str, ...] | None] = [None] * source.length
        refused: set[str] = set()
        for row, cell in source.cells(column):
            names = names_in(cell)
            if names is None:
                self._fault(source, column, row, f"{_short(cell)} is no list of names")
                continue
            lists[row] = names or None
            for name in names if known is not None else ():
                if known is not None and name not in refused and not known(name):
                    refused.add(name)
                    problem = f"{_short(name)} is no id, kind or label value (key=value) of a node"
                    self._fault(source, column, row, problem)
        return lists


def is_money(counts: str) -> bool:
    """Whether what numbers count is a currency."""
    return len(counts) == len("USD")


def names_in(cell: Any) -> tuple[str, ...] | None:
    """The names in a cell: text with bars between, or a list of text; None if it is neither."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return (str(cell),)
    if isinstance(cell, str):
        return tuple(dict.fromkeys(name for each in cell.split(BETWEEN) if (name := each.strip())))
    if isinstance(cell, Iterable) and not isinstance(cell, bytes | Mapping):
        names = list(cell)
        if all(isinstance(name, str) and name.strip() for name in names):
            return tuple(dict.fromkeys(name.strip() for name in names))
    return None


def _require_kind(quantity: Quantity, what: str, kind: Field | None) -> None:
    """Prices count money or nothing, and nothing else counts money."""
    counts = quantity.counts
    if counts is None:
        return
    money, watts = is_money(counts), counts == WATTS
    unit = kind.unit if kind is not None else ""
    wants = "money" if unit.startswith("cost") else "watts" if unit == "watts" else None
    if wants == "money" and not money:
        raise ValueError(f"{what} is money, not {counts}")
    if wants == "watts" and not watts:
        raise ValueError(f"{what} is in watts, not {counts}")
    if wants is None and money:
        raise ValueError(f"{what} is no money")
    if unit == "loss":
        raise ValueError(f"{what} has no unit")


def _empty(kind: Field | None) -> Number | None:
    if kind is None:
        return 0
    return None if kind.required or kind.same_as is not None else kind.default


def _is_nothing(cell: Any) -> bool:
    return isinstance(cell, str) and cell.strip().casefold() in _NOTHING


def _short(cell: Any) -> str:
    text = repr(cell)
    return text if len(text) <= 60 else f"{text[:60]}..."
