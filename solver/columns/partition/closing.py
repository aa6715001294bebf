"""Raise the bound by searching all columns within ever larger parts of the gap.

For a cost below that of the best allocation, every allocation of at most that cost consists of
columns whose reduced cost lies within the distance to the bound (Baldacci, Christofides and
Mingozzi 2008). They are listed once, up to the largest distance for which they are not too many;
the search among those within small distances comes first: either it finds an allocation that is
optimal, or the bound rises by the distance. In the child only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...kernels.listed import MOST_BUDGET, Listed, Search, make_search
from ...kernels.partition import ENDED, FOUND, OVERFULL, search_on
from ...model.exact import Array
from ...problem.table import ClassTable, Column
from ..enumeration import list_class
from ..prices import Prices
from .settings import PARTITION

__all__ = ["Closing"]

_BUDGET, _WORK = 2, 3


class _Pool(NamedTuple):
    """The columns listed.

    Attributes
    ----------
    rows : (N, length) int32
        Classes of tasks, equal ones side by side, -1 behind the end.
    node : (N,) int32
        Class of nodes.
    reduced : tuple of (N,) int64
        Reduced costs at each of the prices, times 2**shift of these.
    """

    rows: Array
    node: Array
    reduced: tuple[Array, ...]


class Closing:
    """Raises the bound until it meets the cost, or until time is up.

    Parameters
    ----------
    data : ClassTable
        Of a plain problem; see `limits.may_close`.
    payload : dict
        "prices": list of Prices; "upper": int, the cost to beat; "bound": int, a bound known;
        "time_limit": seconds.
    send : callable
        Told ``("bound", bound)`` of every better bound and ``("allocation", cost, columns)`` of
        every cheaper allocation.

    Attributes
    ----------
    bound, upper : int
        Costs on the grid: proven, and that of the best allocation.
    listed : int
        Columns that were listed.
    work : int
        How often a column was looked at.
    """

    def __init__(
        self, data: ClassTable, payload: dict[str, Any], send: Callable[[Any], None]
    ) -> None:
        self.data, self.send = data, send
        self.prices: list[Prices] = payload["prices"]
        self.upper: int = payload["upper"]
        self.bound: int = payload["bound"]
        self.deadline: float = time.monotonic() + payload["time_limit"]
        self.listed = self.work = 0

    def run(self) -> None:
        """Search within ever larger distances of the bound of the prices."""
        start = max(prices.grid_bound for prices in self.prices)
        pool, most = self._pool(start)
        if pool is None:
            return
        self.listed = pool.node.size
        distance = float(max(1, most - start)) / PARTITION.first_part
        while self.bound < self.upper and not self._over():
            below = min(most, self.upper - 1, start + int(distance))
            if below >= self.bound and not self._search(pool, below):
                return
            if below >= min(most, self.upper - 1):
                return
            distance *= PARTITION.growth

    def _over(self) -> bool:
        return time.monotonic() >= self.deadline

    def _pool(self, start: int) -> tuple[_Pool | None, int]:
        """All columns up to the highest cost for which they are not too many, and that cost."""
        gap = self.upper - 1 - start
        for _ in range(PARTITION.most_listings):
            below = start + max(0, gap)
            pool = self._list(below)
            if pool is not None or gap <= 0 or self._over():
                return pool, below
            gap //= PARTITION.narrower
        return None, start

    def _list(self, below: int) -> _Pool | None:
        """All columns that an allocation of cost at most `below` may use, unless too many."""
        data = self.data
        rows, nodes, reduced = [], [], []
        left = PARTITION.most_columns
        for g in range(data.node_count.size):
            job = {"below": below, "most": max(1, left), "branches": PARTITION.listing_branches}
            table, complete = list_class(data, g, self.prices, job, self.deadline)
            left -= table.shape[0]
            if not complete or left < 0:
                return None
            rows.append(np.sort(table, axis=1)[:, ::-1])  # -1 to the end
            nodes.append(np.full(table.shape[0], g, dtype=np.int32))
            reduced.append([one.values[g] - one.worth(data, g, table) for one in self.prices])
        length = max(1, *(table.shape[1] for table in rows))
        wide = [
            np.pad(table, ((0, 0), (0, length - table.shape[1])), constant_values=-1)
            for table in rows
        ]
        columns = (np.concatenate(part) for part in zip(*reduced, strict=True))
        return _Pool(np.concatenate(wide), np.concatenate(nodes), tuple(columns))

    def _search(self, pool: _Pool, below: int) -> bool:
        """Find the cheapest allocation of at most a cost; whether that is settled."""
        keep = np.ones(pool.node.size, dtype=np.bool_)
        for prices, reduced in zip(self.prices, pool.reduced, strict=True):
            gap = (below << prices.shift) - prices.total
            keep &= reduced <= gap
        rows, node = pool.rows[keep], pool.node[keep]
        first = self.prices[0]
        gap = (below << first.shift) - first.total
        if gap < 0:
            self._raise_bound(below + 1)
            return True
        cut = max(0, gap.bit_length() - MOST_BUDGET.bit_length() + 1)
        empty = np.array([min(value, gap + 1) >> cut for value in first.values], dtype=np.int64)
        listed = Listed(np.ascontiguousarray(rows), node, np.minimum(empty, (gap >> cut) + 1))
        search = make_search(
            pool.reduced[0][keep] >> cut, self.data.count, self.data.node_count, gap >> cut
        )
        settled = self._searched(listed, search, first, below, cut)
        self.work += int(search.now[_WORK])
        if settled:
            self._raise_bound(min(below + 1, self.upper))
        return settled

    def _searched(
        self, listed: Listed, search: Search, prices: Prices, below: int, cut: int
    ) -> bool:
        """Run the search; whether no cheaper allocation of at most `below` is left."""
        while True:
            state = search_on(listed, search, PARTITION.batch)
            if state == ENDED:
                return True
            if state == FOUND:
                self._offer(listed, search)
                least = min(below, self.upper - 1)
                budget = ((least << prices.shift) - prices.total) >> cut
                if budget < 0:
                    return True
                search.now[_BUDGET] = budget
            elif state == OVERFULL or self._over():
                return False

    def _offer(self, listed: Listed, search: Search) -> None:
        """Send an allocation that was found if it is the cheapest."""
        columns: list[Column] = []
        for c in search.best[search.best >= 0].tolist():
            row = listed.tasks[c]
            columns.append((int(listed.node[c]), tuple(sorted(row[row >= 0].tolist()))))
        cost = sum(self.data.cost(g, list(tasks)) for g, tasks in columns)
        if cost < self.upper:
            self.upper = cost
            self.send(("allocation", cost, columns))

    def _raise_bound(self, bound: int) -> None:
        if bound > self.bound:
            self.bound = bound
            self.send(("bound", bound))
