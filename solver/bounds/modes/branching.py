"""The relaxation over modes with whole numbers of nodes that are on.

Where nodes may be off, a fraction of a node is what the relaxation gains most by. Its columns are
few, one for each set of alike nodes, so that branching on them costs a few dozen programs: best
bound first, on how many nodes of the same compute, price and capacity are on, then on how many of
each set (Land and Doig 1960). The bound is the least of all parts that are left, each evaluated in
exact integers, so that a part is given up only for what is proved of it.
"""

from __future__ import annotations

import heapq
import math
import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...model.exact import Array
from ...programs.exact_program import ExactProgram
from ...programs.modes_relaxation import ModesRelaxation
from .lagrangian import program_bound
from .prices import priced

__all__ = ["branched_bound"]

_WHOLE = 1e-5
_TASK = 4
_PATIENCE, _PROGRESS = 40, 1e-4  # programs within which the bound must gain so much


def branched_bound(relaxation: ModesRelaxation, time_limit: float) -> int | None:
    """The best bound within the time, in exact units of cost; None if there is none.

    It ends where the numbers of nodes that are on are whole in the part of the least bound, or
    where the bound does not rise.
    """
    deadline = time.monotonic() + time_limit
    tree = _Tree(relaxation)
    root = tree.solved(tree.program.limit, deadline)
    if root is None:
        return None
    heap, number, last = [(root.bound, 0, root)], 0, (root.bound, 0)
    while time.monotonic() < deadline:
        bound, _, part = heap[0]
        if bound > last[0] * (1 + _PROGRESS):
            last = bound, number
        branch = tree.branch(part.values)
        if branch is None or number - last[1] >= _PATIENCE:
            break
        below, above = (tree.solved(limit, deadline) for limit in tree.divided(part.limit, *branch))
        if below is None or above is None:
            break
        heapq.heappop(heap)
        for child in (below, above):
            number += 1
            heapq.heappush(heap, (max(bound, child.bound), number, child))
    return heap[0][0]


class _Part(NamedTuple):
    """A part of the division: its limits, what is proved of it, and a solution in floats."""

    limit: Array
    bound: int
    values: Array


class _Tree:
    """The program with two rows for each number of nodes that is branched on.

    Tasks that must run may be left out at a high price: then every part has a bound, and one that
    holds no allocation a high one.
    """

    def __init__(self, relaxation: ModesRelaxation) -> None:
        program, on = relaxation.program, relaxation.on_column
        assert on is not None
        must = np.setdiff1d(np.arange(relaxation.cover_row.size), relaxation.left_out)
        self._counts = [on[number] for number in _numbers(relaxation)]
        # More than all nodes that are on cost, and what else one task may.
        price = 1 + int((program.cost[on] * program.upper[on]).sum())
        price += _TASK * int((program.cost * program.unit).max())
        rows = [program.row, relaxation.cover_row[must]]
        columns = [program.column, program.num_columns + np.arange(must.size)]
        coefficients = [program.coefficient, np.ones(must.size, dtype=np.int64)]
        limits: list[int] = []
        for each in self._counts:
            for sign in (1, -1):
                rows.append(np.full(each.size, program.num_rows + len(limits)))
                columns.append(each)
                coefficients.append(np.full(each.size, sign))
                limits.append(sum(program.upper[each].tolist()) if sign > 0 else 0)
        row, column = np.concatenate(rows), np.concatenate(columns)
        order = np.lexsort((column, row))
        new = np.zeros(len(limits), dtype=bool)
        self._first_row = program.num_rows
        self.program: ExactProgram = replace(
            program,
            cost=np.append(program.cost, np.full(must.size, price, dtype=object)),
            upper=np.append(program.upper, program.limit[relaxation.cover_row[must]]),
            unit=np.append(program.unit, np.full(must.size, 1, dtype=object)),
            limit=np.append(program.limit, np.array(limits, dtype=object)),
            equal=np.append(program.equal, new),
            lazy=np.append(program.lazy, new),
            row=row[order],
            column=column[order],
            coefficient=np.concatenate(coefficients)[order],
        )

    def solved(self, limit: Array, deadline: float) -> _Part | None:
        """A part with its bound; None if GLOP has no solution in the time."""
        program = replace(self.program, limit=limit)
        found = priced(program, max(0.0, deadline - time.monotonic()))
        if not found.multipliers or found.values is None:
            return None
        bound = max(program_bound(program, y, found.shift) for y in found.multipliers)
        return _Part(limit, bound, found.values)

    def branch(self, values: Array) -> tuple[int, int] | None:
        """The number that is farthest from whole, and what is below it; the first kind first."""
        best: tuple[float, int, int] | None = None
        for at, columns in enumerate(self._counts):
            number = float(values[columns].sum())
            off = abs(number - round(number))
            rank = off + (columns.size > 1)
            if off > _WHOLE and (best is None or rank > best[0]):
                best = rank, at, math.floor(number)
        return None if best is None else best[1:]

    def divided(self, limit: Array, at: int, below: int) -> tuple[Array, Array]:
        """The limits of both parts: at most `below` nodes, and at least one more."""
        less, more = limit.copy(), limit.copy()
        less[self._first_row + 2 * at] = below
        more[self._first_row + 2 * at + 1] = -(below + 1)
        return less, more


def _numbers(relaxation: ModesRelaxation) -> list[Array]:
    """Which sets of nodes to count together: those of one kind, and each for itself."""
    kinds: dict[tuple[int, ...], list[int]] = {}
    for g, figures in enumerate(relaxation.figures_of_nodes):
        kinds.setdefault(figures, []).append(g)
    found = [np.array(sets, dtype=np.int64) for sets in kinds.values()]
    found += [np.array([g]) for sets in kinds.values() if len(sets) > 1 for g in sets]
    return found
