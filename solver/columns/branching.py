"""Branch and price, for gaps with more columns than can be listed. In the child only.

A part of the problem whose relaxation is fractional is divided in two: a task goes to a class of
nodes or it does not; where every task has its class of nodes, two tasks go to one node together
or apart (Ryan and Foster 1981, "An integer programming approach to scheduling"). Tasks that go
together become one task; tasks apart are a condition that pricing keeps. The part with the least
bound is next, so that the least of them bounds the whole.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..model.exact import Array
from ..problem.table import ClassTable, Column
from .generation import Generation
from .master import Master

__all__ = ["branch_and_price"]

_WHOLE = 1e-6


@dataclass(frozen=True)
class Subproblem:
    """A part of the problem.

    Attributes
    ----------
    data : ClassTable
        With a class more for every pair of tasks that goes together.
    members : tuple
        The classes of the whole problem that a task of each class stands for.
    columns : list of Column
    bound : int
        Nothing in this part costs less.
    depth : int
    """

    data: ClassTable
    members: tuple[tuple[int, ...], ...]
    columns: list[Column]
    bound: int
    depth: int


def branch_and_price(
    data: ClassTable,
    columns: list[Column],
    payload: dict[str, Any],
    send: Callable[[Any], None],
) -> int:
    """Raise the bound, or find cheaper allocations, until they meet or time is up.

    Parameters
    ----------
    data : ClassTable
    columns : list of Column
        To begin with.
    payload : dict
        "time_limit": seconds; "upper": int, the cost to beat; "bound": int, a bound known.

    Returns
    -------
    int
        Parts looked at.

    Notes
    -----
    Sends ``("bound", bound)`` at every better bound and ``("allocation", cost, columns)``, a
    column for each node that has tasks, for every allocation that is cheaper than those before.
    """
    tree = _Tree(data, columns, payload, send)
    tree.run()
    return tree.parts


class _Tree:
    """The parts that are still open."""

    def __init__(
        self,
        data: ClassTable,
        columns: list[Column],
        payload: dict[str, Any],
        send: Callable[[Any], None],
    ) -> None:
        self.send = send
        self.data = data
        self.deadline: float = time.monotonic() + payload["time_limit"]
        self.upper: int = payload["upper"]
        self.bound: int = payload["bound"]
        self.parts, self.number = 0, itertools.count()
        self.left_open = self.upper  # the least bound of the parts that cannot be divided
        self.open: list[tuple[int, int, int, Subproblem]] = []
        members = tuple((k,) for k in range(self.data.demand.size))
        self._push(Subproblem(self.data, members, columns, self.bound, 0))

    def run(self) -> None:
        """Subproblem after part, until none is left below the best cost."""
        while True:
            least = self.open[0][0] if self.open else self.upper
            self._raise_bound(min(least, self.left_open, self.upper))
            if self.bound >= min(self.upper, self.left_open) or self._over():
                return
            part = heapq.heappop(self.open)[-1]
            if not self._explore(part):
                self._push(part)

    def _over(self) -> bool:
        return time.monotonic() >= self.deadline

    def _push(self, part: Subproblem) -> None:
        heapq.heappush(self.open, (part.bound, -part.depth, next(self.number), part))

    def _raise_bound(self, bound: int) -> None:
        if bound > self.bound:
            self.bound = bound
            self.send(("bound", bound))

    def _explore(self, part: Subproblem) -> bool:
        """Bound a part and divide it; False if time ran out before that."""
        master = Generation(part.data)
        master.begin(self.deadline, self.upper)
        master.begins_afresh = False
        for g, tasks in part.columns:
            master.add(g, tasks)
        master.iterate()
        answer, bound = master.answer, part.bound
        if master.best is not None:
            bound = max(bound, master.best.grid_bound)
        if bound < self.upper and self._over():
            return False
        self.parts += 1
        if bound >= self.upper:
            return True
        if answer is None:  # the linear solver gave up on it
            self.left_open = min(self.left_open, bound)
            return True
        self._offer(part, master, answer)
        useful = _useful(master, answer, self.upper)
        children = list(_divide(replace(part, bound=bound), master, answer))
        if not children and bound < self.upper:
            self.left_open = min(self.left_open, bound)
        for child in children:
            if (child.data.most.any(axis=1) | (child.data.count == 0)).all():
                self._push(replace(child, columns=_translated(part, child, useful)))
        return True

    def _offer(self, part: Subproblem, master: Generation, answer: Master) -> None:
        """Send the allocation if the relaxation is one, and cheaper than before."""
        times = np.rint(answer.amounts)
        if answer.left_out.any() or (np.abs(answer.amounts - times) > _WHOLE).any():
            return
        waiting = self.data.count.copy()
        columns: list[Column] = []
        for c in np.flatnonzero(times).tolist():
            g, tasks = master.columns[c]
            for _ in range(int(times[c])):
                kept = []
                for k in (k for task in tasks for k in part.members[task]):
                    if waiting[k] > 0:  # a task may be covered more than once
                        waiting[k] -= 1
                        kept.append(k)
                if kept:
                    columns.append((g, tuple(sorted(kept))))
        cost = sum(self.data.cost(g, list(tasks)) for g, tasks in columns)
        if not waiting.any() and cost < self.upper:
            self.upper = cost
            self.send(("allocation", cost, columns))


def _useful(master: Generation, answer: Master, upper: int) -> list[Column]:
    """The columns that may be part of a cheaper allocation, as far as these prices tell.

    Columns that came after the last solution of the master are not among them.
    """
    gap = upper - answer.value
    return [
        (g, tasks)
        for (g, tasks), amount in zip(master.columns, answer.amounts.tolist(), strict=False)
        if amount > _WHOLE
        or master.data.cost(g, list(tasks)) - answer.prices[list(tasks)].sum()
        + answer.node_prices[g] <= gap
    ]  # fmt: skip


def _divide(part: Subproblem, master: Generation, answer: Master) -> Iterator[Subproblem]:
    """Two parts that hold all allocations of this one, or one if a class of tasks is split."""
    used = np.flatnonzero(answer.amounts > _WHOLE)
    amounts = answer.amounts[used]
    rows = [master.columns[c] for c in used.tolist()]
    K, G = part.data.most.shape
    single = part.data.count == 1
    on = np.zeros((K, G))
    pairs = np.zeros((K, K))
    for (g, tasks), amount in zip(rows, amounts.tolist(), strict=True):
        kinds = [k for k in set(tasks) if single[k]]
        on[kinds, g] += amount
        pairs[np.ix_(kinds, kinds)] += amount
    chosen = _most_fractional(on)
    if chosen is not None:
        yield from _by_node_class(part, *chosen)
        return
    chosen = _most_fractional(np.triu(pairs, 1))
    if chosen is not None:
        yield _together(part, *chosen)
        yield _apart(part, *chosen)
        return
    fractional = np.abs(amounts - np.rint(amounts)) > _WHOLE
    for (_, tasks), is_fractional in zip(rows, fractional.tolist(), strict=True):
        several = [k for k in tasks if part.data.count[k] > 1]
        if is_fractional and several:
            yield _split(part, several[0])
            return


def _most_fractional(shares: Array) -> tuple[int, int] | None:
    """Position of the entry that is farthest from 0 and 1 (tasks may be covered twice)."""
    distance = np.minimum(shares, 1 - shares)
    best = int(np.argmax(distance))
    row, column = np.unravel_index(best, shares.shape)
    return (int(row), int(column)) if distance.flat[best] > _WHOLE else None


def _child(
    part: Subproblem, members: tuple[tuple[int, ...], ...] | None = None, **data: Array
) -> Subproblem:
    return replace(
        part,
        data=replace(part.data, **data),
        members=part.members if members is None else members,
        depth=part.depth + 1,
    )


def _by_node_class(part: Subproblem, k: int, g: int) -> Iterator[Subproblem]:
    """Task k on node class g, and not on it."""
    on, off = part.data.most.copy(), part.data.most.copy()
    on[k], off[k, g] = 0, 0
    on[k, g] = part.data.most[k, g]
    yield _child(part, most=on)
    yield _child(part, most=off)


def _apart_of(data: ClassTable) -> Array:
    K = data.demand.size
    return data.apart.copy() if data.apart.size else np.zeros((K, K), dtype=np.bool_)


def _apart(part: Subproblem, j: int, k: int) -> Subproblem:
    apart = _apart_of(part.data)
    apart[j, k] = apart[k, j] = True
    return _child(part, apart=apart)


def _together(part: Subproblem, j: int, k: int) -> Subproblem:
    """A task in the place of two."""
    data, pair = part.data, [j, k]
    apart = _apart_of(data)
    with_pair = apart[j] | apart[k]
    apart = np.block([[apart, with_pair[:, None]], [with_pair[None, :], np.zeros((1, 1), bool)]])
    gone = data.count.copy()
    gone[pair] = 0
    most = data.most.copy()
    most[pair] = 0
    return _child(
        part,
        (*part.members, part.members[j] + part.members[k]),
        demand=np.append(data.demand, data.demand[pair].sum()),
        needs=np.vstack((data.needs, data.needs[pair].sum(axis=0))),
        count=np.append(gone, 1),
        most=np.vstack((most, data.most[pair].min(axis=0))),
        apart=np.ascontiguousarray(apart),
    )


def _split(part: Subproblem, k: int) -> Subproblem:
    """Every task of class k a class of its own: the first in its place, the others behind."""
    data = part.data
    more = int(data.count[k]) - 1
    count, most = data.count.copy(), data.most.copy()
    count[k] = 1
    most[k] = np.minimum(1, most[k])
    grown = np.pad(_apart_of(data), ((0, more), (0, more)))
    grown[-more:, : data.demand.size] = grown[k, : data.demand.size]
    grown[: data.demand.size, -more:] = grown[: data.demand.size, [k]]
    return _child(
        part,
        part.members + (part.members[k],) * more,
        demand=np.append(data.demand, [data.demand[k]] * more),
        needs=np.vstack((data.needs, np.repeat(data.needs[[k]], more, axis=0))),
        count=np.append(count, [1] * more),
        most=np.vstack((most, np.repeat(most[[k]], more, axis=0))),
        apart=grown,
    )


def _translated(parent: Subproblem, child: Subproblem, columns: list[Column]) -> list[Column]:
    """The columns of a part as far as they are columns of its child, whole or without a task."""
    old, data = parent.data.demand.size, child.data
    new = list(range(old, data.demand.size))
    changed = np.flatnonzero(data.count[:old] != parent.data.count).tolist()
    found: list[Column] = []
    for g, tasks in columns:
        if not new or not any(k in tasks for k in changed):
            found += _without_conflicts(data, g, tasks)
        elif len(changed) == 2:  # two tasks became one
            rest = tuple(k for k in tasks if k not in changed)
            found.append((g, rest))
            if all(k in tasks for k in changed) and data.most[new[0], g] > 0:
                found.append((g, (*rest, new[0])))
        else:  # a class was split: every one of its tasks in turn
            single, times = [changed[0], *new], tasks.count(changed[0])
            rest = tuple(k for k in tasks if k != changed[0])
            for first in range(len(single)):
                turn = (single[first:] + single[:first])[:times]
                found.append((g, (*rest, *turn)))
    return [(g, tasks) for g, tasks in found if tasks]


def _without_conflicts(data: ClassTable, g: int, tasks: tuple[int, ...]) -> Iterator[Column]:
    """The column if it is allowed; otherwise it without one or another of its tasks."""
    allowed = tuple(k for k in tasks if data.most[k, g] > 0)
    if data.apart.size:
        for j in allowed:
            clash = [k for k in allowed if data.apart[j, k]]
            if clash:
                yield g, tuple(k for k in allowed if k != j)
                yield g, tuple(k for k in allowed if k not in clash)
                return
    yield g, allowed
