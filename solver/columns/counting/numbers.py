"""How many nodes of each class are on, at least at what cost: a small program in integers.

    minimise   sum_g idle_g n_g + max(0, max_c (worth_c - sum_g value_cg n_g) / 2**shift_c)
    subject to 0 <= n_g <= most_g, integer

solved by depth-first branch and bound; a branch is bounded by each of the cuts alone, as a
fractional knapsack cover. All in Python's integers.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from .settings import COUNTING

__all__ = ["Cut", "NumbersProgram"]

Numbers = tuple[int, ...]


class Cut(NamedTuple):
    """What an allocation with n_g nodes of each class on costs at least beside these.

    It is ``(worth - sum_g values_g n_g) / 2**shift``.
    """

    shift: int
    worth: int
    values: tuple[int, ...]

    def at(self, numbers: Numbers) -> int:
        """The bound at given numbers, times 2**shift."""
        return self.worth - sum(v * n for v, n in zip(self.values, numbers, strict=True))


class NumbersProgram:
    """The program, which gets more cuts as they are found.

    Parameters
    ----------
    idle, most : list of int
        Cost of a node that is on, and number of nodes, of each class.
    is_free : bool
        Whether nothing else has a cost, so that numbers which break a cut are impossible.

    Attributes
    ----------
    excluded : set of tuple of int
        Numbers that are not wanted any more.
    """

    def __init__(self, idle: list[int], most: list[int], is_free: bool) -> None:
        self.idle, self.most, self.is_free = idle, most, is_free
        self.cuts: list[Cut] = []
        self.excluded: set[Numbers] = set()
        self._order: list[int] = list(range(len(idle)))
        self._by_ratio: list[list[int]] = []

    def add(self, cut: Cut) -> None:
        """Add a cut; the first says in which order classes are branched on."""
        ratio = sorted(
            (g for g, v in enumerate(cut.values) if v > 0),
            key=lambda g: Fraction(self.idle[g], cut.values[g]),  # floats may call near ones equal
        )
        if not self.cuts:
            self._order = ratio + [g for g in self._order if g not in ratio]
        self.cuts.append(cut)
        self._by_ratio.append(ratio)

    def with_slack(self, share: float) -> NumbersProgram:
        """The program with all tasks worth so much more, as a share: its numbers leave room."""
        wider = NumbersProgram(self.idle, self.most, self.is_free)
        for cut in self.cuts:
            wider.add(cut._replace(worth=cut.worth + int(share * max(0, cut.worth))))
        return wider

    def cost(self, numbers: Numbers) -> int | None:
        """The least cost with these numbers as far as the cuts say; None if impossible."""
        rest = 0
        for cut in self.cuts:
            above = cut.at(numbers)
            if above > 0 and self.is_free:
                return None
            rest = max(rest, -(-above >> cut.shift))
        return rest + sum(p * n for p, n in zip(self.idle, numbers, strict=True))

    def least(self, below: int) -> tuple[int, Numbers | None] | None:
        """Numbers of least cost, if it is below a given one.

        Returns
        -------
        cost : int
            Every choice but those excluded costs as much or `below`.
        numbers : tuple of int or None
            None if there are none below.
            Instead of both, None if the search took too long.
        """
        run = _Search(self, below)
        return (run.best, run.numbers) if run.go(0, 0) else None

    def cover(self, c: int, first: int, missing: int, depth_of: list[int]) -> int | None:
        """Least cost of the classes from a depth on that make up for what a cut is missing.

        In units of the cut, rounded down; None if it is impossible.
        """
        cut, total = self.cuts[c], 0
        for g in self._by_ratio[c]:
            if missing <= 0:
                break
            if depth_of[g] < first:
                continue
            value, idle = cut.values[g], self.idle[g] << cut.shift
            if not self.is_free and idle >= value:
                break
            if value * self.most[g] >= missing:
                return total + idle * missing // value
            total += idle * self.most[g]
            missing -= value * self.most[g]
        if missing <= 0:
            return total
        return None if self.is_free else total + missing


class _Search:
    """Depth-first, near the fractional solution first."""

    def __init__(self, program: NumbersProgram, below: int) -> None:
        self.program = program
        self.best = below
        self.numbers: Numbers | None = None
        self.order = program._order
        self.depth_of = [0] * len(self.order)
        for t, g in enumerate(self.order):
            self.depth_of[g] = t
        self.chosen = [0] * len(self.order)
        self.missing = [[cut.worth for cut in program.cuts]]
        self.cuts = list(range(len(program.cuts)))
        self.left = COUNTING.number_branches

    def go(self, depth: int, paid: int) -> bool:
        """Look at all numbers of the classes from a depth on; False if it took too long."""
        program = self.program
        self.left -= 1
        if self.left < 0:
            return False
        if depth == len(self.order):
            numbers = tuple(self.chosen)
            cost = program.cost(numbers)
            if cost is not None and cost < self.best and numbers not in program.excluded:
                self.best, self.numbers = cost, numbers
            return True
        g = self.order[depth]
        have = self.missing[-1]
        value = program.cuts[0].values[g] if program.cuts else 0
        middle = -(-max(0, have[0]) // value) if value > 0 else 0
        middle = min(middle, program.most[g])
        least = program.most[g] if program.idle[g] == 0 else 0
        for n in sorted(range(least, program.most[g] + 1), key=lambda n: abs(n - middle)):
            cost = paid + n * program.idle[g]
            if cost >= self.best:
                continue
            now = [m - n * cut.values[g] for m, cut in zip(have, program.cuts, strict=True)]
            if self._is_cut_off(depth + 1, cost, now):
                continue
            self.chosen[g] = n
            self.missing.append(now)
            done = self.go(depth + 1, cost)
            self.missing.pop()
            self.chosen[g] = 0
            if not done:
                return False
        return True

    def _is_cut_off(self, depth: int, paid: int, missing: list[int]) -> bool:
        """Whether one of the cuts says that this branch is not below the best."""
        for place, c in enumerate(self.cuts):
            more = self.program.cover(c, depth, missing[c], self.depth_of)
            if more is None or paid + -(-more >> self.program.cuts[c].shift) >= self.best:
                if place:  # what has cut off last will do it again
                    self.cuts.insert(0, self.cuts.pop(place))
                return True
        return False
