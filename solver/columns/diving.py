"""Diving: allocations out of the master, one column after another. In the child only.

The column that the master's relaxation uses most is fixed, the master of what remains is solved
again with fresh columns, and so on down to a whole allocation. Afterwards the dive is repeated
with a few of its first choices forbidden (limited discrepancy search; Sadykov, Vanderbeck,
Pessoa, Tahiri and Uchoa 2019, "Primal heuristics for branch and price").
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..model.exact import Array
from ..problem.table import Column
from ..settings import COLUMNS
from .generation import Generation
from .master import Master, Remainder

__all__ = ["Diving"]

_NEARLY_ONE, _USED = 1 - 1e-6, 1e-6


class _Branch(NamedTuple):
    """Where a dive begins: columns fixed, columns forbidden."""

    fixed: tuple[Column, ...]
    forbidden: frozenset[Column]
    depth: int


class Diving:
    """Dives until time is up, or until an allocation of cost "enough" is found.

    Parameters
    ----------
    master : Generation
        Ready for a job, with all columns; it gets more.
    payload : dict
        "most_dives", "upper", "enough", "seed", as in `worker.dive`.
    send : callable
        Told ``("allocation", cost, columns)`` of every allocation cheaper than those before.

    Attributes
    ----------
    dives : int
        How many were made.
    """

    def __init__(
        self, master: Generation, payload: dict[str, Any], send: Callable[[Any], None]
    ) -> None:
        self.send = send
        self.data, self.master = master.data, master
        self.upper: float = math.inf if payload["upper"] is None else payload["upper"]
        self.enough: float = -math.inf if payload["enough"] is None else payload["enough"]
        self.dives, self.most_dives = 0, payload["most_dives"]
        self.rng = np.random.default_rng(payload["seed"])
        self.noise = 0.0 if payload["seed"] == 0 else COLUMNS.noise

    def run(self) -> None:
        """Dives with ever more freedom to differ from the first."""
        self.master.iterate(COLUMNS.dive_rounds)
        self.master.most_penalty = 0.0
        self.master.effort = COLUMNS.dive_effort
        depth = COLUMNS.depth
        tried: set[tuple[tuple[Column, ...], frozenset[Column]]] = set()
        while not self._over():
            before = len(tried)
            branches = [_Branch((), frozenset(), 0)]
            while branches and not self._over():
                branch = branches.pop()
                if (branch.fixed, branch.forbidden) not in tried or branch.depth < depth:
                    tried.add((branch.fixed, branch.forbidden))
                    self.dives += 1
                    branches += self._plunge(branch, depth)
            if len(tried) == before:
                break
            depth *= 2

    def _over(self) -> bool:
        late = time.monotonic() >= self.master.deadline or self.dives > self.most_dives
        return late or self.upper <= self.enough

    def _plunge(self, branch: _Branch, most_depth: int) -> list[_Branch]:
        """Fix columns down to an allocation or a dead end; the other ways to go on, as found."""
        others: list[_Branch] = []
        fixed, depth = list(branch.fixed), branch.depth
        while not self._over():
            answer = self._solve(fixed)
            if answer is None:
                break
            chosen = self._choose(answer, branch.forbidden)
            if chosen is None:
                break
            if depth < most_depth and len(branch.forbidden) < COLUMNS.discrepancies:
                forbidden = branch.forbidden | {chosen[-1]}
                others.append(_Branch(tuple(fixed), forbidden, depth))
            fixed += chosen
            depth += 1
            if self._complete(fixed):
                break
        return others

    def _solve(self, fixed: list[Column]) -> Master | None:
        """The master of what is left; None if it cannot lead to a cheaper allocation."""
        self.master.leave(fixed)
        for rounds in self.master.dive_rounds:
            converged = self.master.iterate(rounds)
            answer = self.master.answer
            if answer is None or not answer.left_out.any():
                break
        if answer is None or answer.left_out.any():
            return None
        cost = sum(self.data.cost(g, list(tasks)) for g, tasks in fixed)
        if converged and math.ceil(answer.value + cost - 1e-3) >= self.upper:
            return None
        return answer

    def _choose(self, answer: Master, forbidden: frozenset[Column]) -> list[Column] | None:
        """All columns that are used once or more, and the one that comes next to that."""
        used = np.flatnonzero(answer.amounts > _USED)
        wanted = answer.amounts[used] + self.noise * self.rng.random(used.size)
        used = used[np.argsort(-wanted, kind="stable")]
        chosen: list[Column] = []
        remainder = self.master.remainder()
        for c in used.tolist():
            column = remainder.trimmed(self.master.columns[c])
            if column in forbidden or not column[1]:
                continue
            amount = answer.amounts[c]
            times = math.floor(amount + 1 - _NEARLY_ONE)
            for _ in range(max(times, 1)):
                if not remainder.take(column):
                    break
                chosen.append(column)
            if times == 0 and chosen:
                break
        return chosen or self._parts(answer, used, remainder)

    def _parts(self, answer: Master, used: Array, remainder: Remainder) -> list[Column] | None:
        """The most wanted part of a column, where there is no room for a whole one."""
        best, most = None, 0.0
        for c in used.tolist():
            column = self.master.columns[c]
            part = remainder.part_of(column)
            if part is not None and answer.amounts[c] * len(part[1]) > most:
                best, most = part, answer.amounts[c] * len(part[1])
        return None if best is None else [best]

    def _complete(self, fixed: list[Column]) -> bool:
        """Whether everything is placed; sends it if it is cheaper than before."""
        cost, done = self.master.completed(fixed)
        if cost is not None and cost < self.upper:
            self.upper = cost
            self.send(("allocation", cost, list(fixed)))
        return done
