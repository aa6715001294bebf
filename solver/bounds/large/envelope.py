"""The lower envelope of prices: the cheapest node of a task that needs two things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...model.exact import Array

__all__ = ["Envelope"]


@dataclass(frozen=True)
class Envelope:
    """Pairs of prices of which each is the cheapest for some proportion of two needs.

    They are the vertices of the lower left hull of all pairs: the first price rises, the second
    falls, and so does what the second falls by for what the first rises by.

    Attributes
    ----------
    first, second : (h,) int64
    """

    first: Array
    second: Array

    @classmethod
    def of(cls, prices: Array) -> Envelope:
        """The envelope of (G, 2) integers below 2**31.

        Complexity: O(G log G) (Andrew 1979, "Another efficient algorithm for convex hulls in two
        dimensions", Information Processing Letters 9, 216-219).
        """
        order = np.lexsort((prices[:, 1], prices[:, 0]))
        sorted_prices = prices[order]
        lowest = np.minimum.accumulate(sorted_prices[:, 1])
        falls = np.concatenate(([True], sorted_prices[1:, 1] < lowest[:-1]))
        hull: list[tuple[int, int]] = []
        for a, b in sorted_prices[falls].tolist():
            while len(hull) > 1 and _is_above(hull[-2], hull[-1], (a, b)):
                hull.pop()
            hull.append((a, b))
        first, second = (np.array(column, dtype=np.int64) for column in zip(*hull, strict=True))
        return cls(first, second)

    def least(self, tasks: Array) -> Array:
        """(K,) the least that each row of (K, 2) needs costs, exactly; products must fit.

        A ratio in floating point says where to look. Along the hull the cost of a task falls and
        then rises, so that one no dearer than both its neighbours is the least.

        Complexity: O(K log G).
        """
        a, b = tasks[:, 0], tasks[:, 1]
        last = self.first.size - 1
        at = np.zeros(a.size, dtype=np.int64)
        if last > 0:
            rise, fall = np.diff(self.first), -np.diff(self.second)
            turns = np.arctan2(rise.astype(float), fall.astype(float))
            at = np.searchsorted(turns, np.arctan2(b.astype(float), a.astype(float)))
        least = self._cost(a, b, at)
        look = np.arange(a.size)
        while look.size:
            better = np.zeros(look.size, dtype=bool)
            for step in (-1, 1):
                near = np.clip(at[look] + step, 0, last)
                cost = self._cost(a[look], b[look], near)
                found = cost < least[look]
                at[look[found]], least[look[found]] = near[found], cost[found]
                better |= found
            look = look[better]
        return least

    def _cost(self, a: Array, b: Array, at: Array) -> Array:
        found: Array = self.first[at] * a + self.second[at] * b
        return found


def _is_above(p: tuple[int, int], q: tuple[int, int], r: tuple[int, int]) -> bool:
    """Whether q is on or above the line from p to r."""
    return (q[0] - p[0]) * (r[1] - p[1]) <= (r[0] - p[0]) * (q[1] - p[1])
