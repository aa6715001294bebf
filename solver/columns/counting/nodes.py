"""Branching on how many nodes of each class are on. In the child only.

With n_g nodes of class g on, an allocation costs sum_g idle_g n_g and the rest. Whatever the
prices pi, with all tasks worth W(pi) and a node of class g that is on worth v_g(pi) at most,

    cost  >=  sum_g idle_g n_g + W(pi) - sum_g n_g v_g(pi),

the Lagrangian bound of the master as a function of n. The least of it over whole numbers bounds
the cost; the numbers that attain it are tried: column generation with these nodes, all on, either
gives prices at which the bound there is higher, or a relaxation that dives make an allocation of
(Benders 1962; the master and the subproblem are both solved anew until they agree). All numbers
are dealt with together, which a tree over the sums of columns of a class does one by one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...model.exact import Array
from ...problem.table import ClassTable, Column
from ..branching import branch_and_price
from ..diving import Diving
from ..knapsack import scaled_prices
from ..master import first_prices
from ..modes.generation import generation
from ..modes.table import ModeTable
from ..prices import Prices
from .numbers import Cut, Numbers, NumbersProgram
from .packing import pack_nodes
from .settings import COUNTING
from .table import costs_nothing_else

__all__ = ["Counting"]


class Counting:
    """Raise the bound, or find cheaper allocations, until they meet or time is up.

    Parameters
    ----------
    table : ClassTable
    columns : list of Column
        To begin with.
    payload : dict
        "time_limit": seconds; "upper": int or None, the cost to beat; "bound": int, a bound
        known; "prices": list of Prices, if none those of the assignment relaxation; "seed": int;
        "most_probes": int, how many numbers are tried by column generation.
    send : callable
        Told ``("bound", bound)`` of every better bound, and ``("allocation", cost, columns)``.

    Attributes
    ----------
    probes : int
        Numbers that were tried.
    columns : list of Column
        All that are known in the end.
    """

    def __init__(
        self,
        table: ClassTable,
        columns: list[Column],
        payload: dict[str, Any],
        send: Callable[[Any], None],
    ) -> None:
        self.table, self.send = table, send
        self.free = replace(table, idle_cost=np.zeros_like(table.idle_cost))
        self.master = generation(self.free)
        for g, tasks in columns:
            self.master.add(g, tasks)
        self.deadline = time.monotonic() + payload["time_limit"]
        upper, self.bound = payload["upper"], payload["bound"]
        self.upper: float = math.inf if upper is None else upper
        self.seed, self.probes, self.most_probes = payload["seed"], 0, payload["most_probes"]
        longer = COUNTING.longer_packing if self.most_probes else 1
        self.tries = longer * COUNTING.packing_tries
        self.rng = np.random.default_rng(self.seed)
        idle, most = table.idle_cost.tolist(), table.node_count.tolist()
        self.program = NumbersProgram(idle, most, costs_nothing_else(table))
        self.left_open: dict[Numbers, int] = {}  # tried in vain, and their bounds
        self._begin(payload["prices"])

    @property
    def columns(self) -> list[Column]:
        """All columns known."""
        return self.master.columns

    def _begin(self, prices: list[Prices]) -> None:
        self.master.begin(self.deadline)
        self.master.is_free = self.program.is_free
        cuts = [(one.shift, one.profit) for one in prices]
        idle = self.program.idle
        known = [
            [v + (p << one.shift) for v, p in zip(one.values, idle, strict=True)] for one in prices
        ]
        first = None
        if self.program.is_free or not prices:
            first = first_prices(self.table, max(0.01, self.deadline - time.monotonic()))
        if first is not None:
            cuts.append(scaled_prices(self.table, first))
            known.append([])
        if self.program.is_free and cuts:  # a task left out costs about what its place does
            shift, profit = cuts[0]
            worth = profit * 2.0**-shift
            self.master.weigh(np.maximum(worth, worth.max(initial=1.0) / 1000))
        for (shift, profit), values in zip(cuts, known, strict=True):
            self._add_cut(shift, profit, dict(enumerate(values)))

    def _add_cut(self, shift: int, profit: Array, known: dict[int, int]) -> None:
        """The cut of some prices; `known` are upper bounds of the values of some classes.

        Those of the master are values less the idle cost, or 0, so that with it they are bounds.
        """
        pricing = self.master.pricing
        pricing.begin(shift, COUNTING.cut_effort)
        values = []
        for g, n in enumerate(self.table.node_count.tolist()):
            value = known.get(g)
            if value is None or value > 0:
                priced = pricing.exactly(g, profit, 0.0, 0).value if n > 0 else 0
                value = priced if value is None else min(value, priced)
            values.append(value)
        worth = self.master._worth_of_all(shift, profit)
        self.program.add(Cut(shift, worth, tuple(values)))

    def run(self) -> None:
        """Numbers of nodes by rising cost, until none is left below the best."""
        found = self.program.least(int(min(self.upper, self._most())))
        if found is not None:
            self._raise_bound(found[0])
        self._approach()
        while time.monotonic() < self.deadline:
            below = self.upper if self.upper < math.inf else self._most()
            found = self.program.least(int(below))
            if found is None:
                return
            cost, numbers = found
            self._raise_bound(min([cost, *self.left_open.values()]))
            if self.bound >= self.upper:
                return
            if numbers is None:
                if not self._settle():
                    return
            elif self._pack(numbers, self.tries):
                continue
            elif self.probes < self.most_probes:
                self._probe(numbers, cost)
            elif len(self.left_open) < COUNTING.most_packs:
                self._leave_open(numbers, cost)
            else:
                return

    def _approach(self) -> None:
        """Pack the tasks onto nodes with room to spare, and onto ever fewer."""
        if not self.program.is_free or not self.program.cuts:
            return
        fails, works = 0.0, math.inf
        for _ in range(COUNTING.approaches):
            share = COUNTING.first_slack if works == math.inf else (fails + works) / 2
            if works == math.inf and fails > 0:
                share = 3 * fails
            found = self.program.with_slack(share).least(int(min(self.upper, self._most())))
            late = time.monotonic() > self.deadline
            if late or share > 1 or works - fails < COUNTING.least_slack or found is None:
                return
            # None: nothing below the best has so much room.
            if found[1] is None or self._pack(found[1], self.tries):
                works = share
            else:
                fails = share

    def _most(self) -> int:
        """More than any numbers cost."""
        dearest = sum(p * n for p, n in zip(self.program.idle, self.program.most, strict=True))
        return dearest + 2**62

    def _raise_bound(self, bound: int) -> None:
        bound = int(min(bound, self.upper))
        if bound > self.bound:
            self.bound = bound
            self.send(("bound", bound))

    def _probe(self, numbers: Numbers, cost: int) -> None:
        """Column generation with these nodes: a better cut, or dives."""
        self.probes += 1
        paid = sum(p * n for p, n in zip(self.program.idle, numbers, strict=True))
        master = self.master
        master.data = replace(self.free, node_count=np.array(numbers))
        left = self.deadline - time.monotonic()
        until = time.monotonic() + max(COUNTING.probe_share * left, min(left, 1.0))
        enough = self.upper - paid
        if self.program.is_free:
            enough = 1e-6 * master.unit
        master.begin(until, None if enough == math.inf else enough)
        if self.program.is_free:
            master.most_penalty, master.most_effort = 0.0, COUNTING.counted_effort
        master.iterate()
        if master.best is not None:
            on = [g for g, n in enumerate(numbers) if n > 0]
            known = dict(zip(on, master.best.values, strict=True))
            self._add_cut(master.best.shift, master.best.profit, known)
            better = self.program.cost(numbers)
            if better is None or better > cost:
                return
        self._leave_open(numbers, cost)
        if master.answer is None or master.answer.left_out.any():
            return
        if not self._pack(numbers, 2 * self.tries):
            self._dive(paid, cost)

    def _leave_open(self, numbers: Numbers, cost: int) -> None:
        """Look for other numbers; the bound stays at the cost of these."""
        self.program.excluded.add(numbers)
        self.left_open[numbers] = cost

    def _pack(self, numbers: Numbers, tries: int) -> bool:
        """Whether all tasks were brought onto these nodes, where only nodes have a cost."""
        packed = pack_nodes(self.table, numbers, tries, self.rng) if self.program.is_free else None
        if packed is not None:
            self._offer(packed)
        return packed is not None

    def _dive(self, paid: int, cost: int) -> None:
        """Look for an allocation on the nodes of the master by diving."""
        left = self.deadline - time.monotonic()
        self.master.begin(time.monotonic() + COUNTING.number_dive_share * left)
        job = {
            "upper": None if self.upper == math.inf else self.upper - paid,
            "enough": cost - paid,
            "most_dives": COUNTING.number_dives,
            "seed": self.seed,
        }
        Diving(self.master, job, lambda news: self._offer(news[2])).run()

    def _offer(self, columns: list[Column]) -> None:
        cost, _ = self.master.completed(columns)
        if cost is None:
            return
        cost += sum(self.program.idle[g] for g, tasks in columns if tasks)
        if cost < self.upper:
            self.upper = cost
            self.send(("allocation", cost, columns))

    def _settle(self) -> bool:
        """Branch and price with the numbers that hold the bound down; whether any were left."""
        if not self.left_open or self.upper == math.inf or isinstance(self.table, ModeTable):
            return False
        numbers = min(self.left_open, key=lambda n: self.left_open[n])
        paid = sum(p * n for p, n in zip(self.program.idle, numbers, strict=True))
        bound, upper = self.left_open[numbers] - paid, int(self.upper) - paid
        data = replace(self.free, node_count=np.array(numbers))
        before = self.upper

        def news(item: tuple[Any, ...]) -> None:
            if item[0] == "bound":
                self.left_open[numbers] = max(self.left_open[numbers], paid + item[1])
                self._raise_bound(min(self.left_open.values()))
            else:
                self._offer(item[2])

        left = self.deadline - time.monotonic()
        job = {"time_limit": left, "upper": upper, "bound": bound}
        branch_and_price(data, self.columns, job, news)
        if self.left_open[numbers] >= min(self.upper, upper + paid):
            del self.left_open[numbers]  # all that is left there costs as much as the best
            return True
        return self.upper < before
