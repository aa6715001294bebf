"""What nodes cost: a table of prices by the type of their GPUs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from solver.errors import InstanceError
from solver.files.table import read_table
from solver.files.text import read_bytes
from solver.model.frames.reading import is_money
from solver.model.frames.units import exact_number, quantity_of
from solver.model.records import Number

__all__ = ["node_prices"]


def node_prices(path: Path, kinds: Sequence[str | None]) -> tuple[list[Number], str | None]:
    """The price of each node while it is on, and the currency.

    Parameters
    ----------
    path : Path
        A CSV file with the columns ``kind,price``; prices may be written as "$98.32". The row
        with an empty kind is for all nodes that have no row.
    kinds : sequence of str or None
        Of the nodes.

    Raises
    ------
    InstanceError
        If the table is wrong, or has no price for a node: names the kinds that it lacks.
    """
    table = read_table(read_bytes(path, InstanceError), str(path), InstanceError)
    table.require("kind", "price")
    prices: dict[str, Number] = {}
    currencies: dict[str, int] = {}
    for row, (kind, cell) in enumerate(
        zip(table.columns["kind"], table.columns["price"], strict=True)
    ):
        if kind.strip() in prices:
            raise table.error(row, "kind", f"{kind!r} stands twice")
        try:
            quantity = quantity_of(cell)
            if quantity.value < 0 or not (quantity.counts is None or is_money(quantity.counts)):
                raise ValueError("it is no price")
            prices[kind.strip()] = exact_number(quantity.value)
        except ValueError as error:
            raise table.error(row, "price", f"{cell[:60]!r}: {error}") from None
        if quantity.counts:
            currencies.setdefault(quantity.counts, row)
    if len(currencies) > 1:
        first, other = list(currencies)[:2]
        raise table.error(
            currencies[other], "price", f"it is in {other}, but others are in {first}"
        )
    lacking = {kind or "(no GPU)" for kind in kinds if (kind or "") not in prices}
    if lacking and "" not in prices:
        raise InstanceError(f"{path}: no row has a price for: {', '.join(sorted(lacking))}")
    everyone = prices.get("", 0)
    return [prices.get(kind or "", everyone) for kind in kinds], next(iter(currencies), None)
