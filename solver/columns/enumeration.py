"""Enumeration of the columns that a cheap allocation can use. In the child only."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from ..kernels.pricing import price_out
from ..kernels.tables import Knapsack, make_tables, multipliers
from ..model.exact import Array
from ..problem.table import ClassTable, Column
from .knapsack import knapsack_of
from .prices import Prices

__all__ = ["enumerate_columns", "list_class"]

_LENGTH = 200


def enumerate_columns(data: ClassTable, payload: dict[str, Any]) -> tuple[list[Column], bool]:
    """List all columns that may be part of an allocation of at most a given cost.

    Parameters
    ----------
    data : ClassTable
    payload : dict
        "prices": list of Prices; "below": the cost, on the grid; "most": int, columns of a node
        class; "branches": int, for each node class; "time_limit": seconds.

    Returns
    -------
    columns : list of Column
    complete : bool
        Whether these are all.

    Notes
    -----
    Any prices exclude columns, so all of them do together; the first are those by which the
    others are found, and the next where those leave too many.
    """
    deadline = time.monotonic() + payload["time_limit"]
    columns: list[Column] = []
    complete = True
    for g in range(data.node_count.size):
        table, all_of_g = list_class(data, g, payload["prices"], payload, deadline)
        complete &= all_of_g
        columns += [(g, tuple(sorted(row[row >= 0].tolist()))) for row in table]
    return columns, complete


def list_class(
    data: ClassTable, g: int, prices: list[Prices], payload: dict[str, Any], deadline: float
) -> tuple[Array, bool]:
    """Columns of one class of nodes, as rows of task classes, and whether they are all.

    Parameters
    ----------
    data : ClassTable
    g : int
    prices : list of Prices
    payload : dict
        "below", "most", "branches" as in `enumerate_columns`.
    deadline : float
        Value of ``time.monotonic()`` after which nothing is listed.
    """
    table, complete = np.empty((0, 1), dtype=np.int32), False
    for first in prices:
        if time.monotonic() < deadline:
            table, complete = _columns_of(data, g, first, payload)
        if complete:
            break
    for other in prices:
        worth = other.worth(data, g, table)
        table = table[worth >= other.thresholds(payload["below"])[g]]
    return table, complete


def _columns_of(
    data: ClassTable, g: int, prices: Prices, payload: dict[str, Any]
) -> tuple[Array, bool]:
    """Columns of one class, as rows of task classes, and whether they are all."""
    knapsack = knapsack_of(data, g, prices.shift)
    most = payload["most"]
    items, each = data.items(g)
    found = np.full((most, _longest(knapsack, each)), -1, dtype=np.int32)
    weights = prices.weights[g].copy()
    profit = data.profits(g, prices.shift, prices.profit)
    multipliers(knapsack, profit, weights)
    tables = make_tables(knapsack, profit, weights)
    threshold = prices.thresholds(payload["below"])[g] - 1
    count, _, left_out = price_out(
        knapsack, profit, knapsack.most, tables, threshold, 0, True, payload["branches"],
        found, np.zeros(most, dtype=np.int64), np.zeros(1, dtype=np.int64),
    )  # fmt: skip
    rows = found[: min(count, most)]
    if items.size > data.demand.size:  # a set may come with other copies of the same classes
        rows = np.where(rows < 0, -1, items[rows]).astype(np.int32)
        rows = np.unique(np.sort(rows, axis=1)[:, ::-1], axis=0)
    return rows, left_out == -math.inf and count <= most


def _longest(knapsack: Knapsack, each: Array) -> int:
    """No set of tasks has more members, or it is too long to be listed."""
    longest = int(each.sum())
    for d, room in enumerate(knapsack.capacity.tolist()):
        needs = np.sort(np.repeat(knapsack.needs[:, d], np.minimum(each, _LENGTH)))
        longest = min(longest, int((np.cumsum(needs[:_LENGTH]) <= room).sum()))
    return min(_LENGTH, max(1, longest))
