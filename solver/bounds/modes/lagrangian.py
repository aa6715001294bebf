r"""The bound of the relaxation over modes at given multipliers, in exact integers.

The relaxation is min { c·x : A x <= b (some rows =), 0 <= x <= u }, and every allocation is a point
of it that costs the same. For any multipliers y, of either sign at the equations and 0 or more
elsewhere, and any such point, y·(A x - b) <= 0; so

    c·x  >=  c·x + y·(A x - b)  >=  -y·b + sum_j min(0, c_j + (A'y)_j) u_j.

The right side is evaluated in integers times 2**-shift. Nothing is asked of y: those of an
optimum of the program only make the bound as good as the program's own (linear duality; Neumaier
and Shcherbina 2004, "Safe bounds in linear and mixed-integer linear programming").
"""

from __future__ import annotations

import bisect

import numpy as np

from ...model.exact import Array
from ...programs.exact_program import ExactProgram
from ...programs.modes_relaxation import ModesRelaxation

__all__ = ["exact_multipliers", "program_bound", "with_best_prices"]

_BITS = 12
_NOTHING = 1e-9


def program_bound(program: ExactProgram, multipliers: Array, shift: int) -> int:
    """The bound at multipliers that are integers times 2**-shift, rounded up to a whole unit."""
    y = np.where(program.equal, multipliers, np.maximum(multipliers, 0))
    reduced = reduced_costs(program, y, shift)
    total = (program.constant << shift) - int((y * program.limit).sum())
    total += int((np.minimum(reduced, 0) * program.upper).sum())
    return -(-total >> shift)


def reduced_costs(program: ExactProgram, multipliers: Array, shift: int) -> Array:
    """(columns,) c + A'y times 2**shift."""
    reduced: Array = program.cost * (1 << shift)
    used = np.flatnonzero(multipliers[program.row] != 0)
    terms = program.coefficient[used].astype(object) * multipliers[program.row[used]]
    np.add.at(reduced, program.column[used], terms)
    return reduced


def exact_multipliers(
    program: ExactProgram, duals: Array, cost_unit: int, row_unit: Array
) -> tuple[Array, int]:
    """Dual prices of the scaled program, in floats, as integers times 2**-shift.

    The shift is such that what the rounding costs is far below a unit.
    """
    span = np.abs(program.limit)
    reach = np.abs(program.coefficient.astype(object)) * program.upper[program.column]
    activity = int(span.sum()) + int(reach.sum())
    shift = activity.bit_length() + _BITS
    prices = np.where(np.isfinite(duals), -duals, 0.0)
    values = np.zeros(prices.size, dtype=object)
    for r in np.flatnonzero(prices).tolist():
        above, below = prices[r].as_integer_ratio()
        values[r] = ((above * cost_unit) << shift) // (below * row_unit[r])
    return values, shift


def with_best_prices(relaxation: ModesRelaxation, multipliers: Array, shift: int) -> Array:
    """The same with the best prices of covering and of parts for the others, but for rounding.

    At given multipliers of all other rows the classes are apart from each other, and the cost of
    y tasks in a form is convex and piecewise linear, as its parts fill the cheapest nodes first:
    the price of a class is where its tasks, poured into the cheapest forms, run out.
    """
    program = relaxation.program
    best = multipliers.copy()
    best[relaxation.parts_row] = 0
    best[relaxation.cover_row] = 0
    reduced = reduced_costs(program, np.where(program.equal, best, np.maximum(best, 0)), shift)
    offers = _offers(relaxation, reduced, program.upper)
    form_cost = reduced[relaxation.form_column].tolist()
    left_out = dict(
        zip(relaxation.left_out.tolist(), reduced[relaxation.left_out_column].tolist(), strict=True)
    )
    for k, forms in enumerate(relaxation.forms_of_class):
        count = int(program.limit[relaxation.cover_row[k]])
        curves = [
            _Curve([offers[p] for p in modes], parts, form_cost[f], count)
            for f, modes, parts in forms
        ]
        price = _price(curves, count, left_out.get(k))
        if price is None:  # no more fit: the given prices are as good as any
            rows = relaxation.parts_row[[p for _, modes, _ in forms for p in modes]]
            best[rows] = multipliers[rows]
            best[relaxation.cover_row[k]] = multipliers[relaxation.cover_row[k]]
            continue
        best[relaxation.cover_row[k]] = -price
        for (_, modes, _), curve in zip(forms, curves, strict=True):
            for p, part_price in zip(modes, curve.part_prices(price), strict=True):
                best[relaxation.parts_row[p]] = -part_price
    return best


def _offers(
    relaxation: ModesRelaxation, reduced: Array, upper: Array
) -> list[list[tuple[int, int]]]:
    """What a part of each mode costs where it fits, and how many do there, cheapest first."""
    offers: list[list[tuple[int, int]]] = [[] for _ in relaxation.parts_row]
    costs, rooms = reduced[relaxation.part_column].tolist(), upper[relaxation.part_column].tolist()
    for p, cost, room in zip(relaxation.mode.tolist(), costs, rooms, strict=True):
        if room:
            offers[p].append((cost, room))
    for each in offers:
        each.sort()
    return offers


class _Curve:
    """The cost of y tasks in a form: slopes, widths, and the prices of parts on each segment.

    Widths are floats: they only say where a price is read, and any price is valid.
    """

    def __init__(
        self, offers: list[list[tuple[int, int]]], parts: list[int], cost: int, most: int
    ) -> None:
        self._parts = parts
        self.slopes: list[int] = []
        self.widths: list[float] = []
        self._prices: list[list[int]] = []
        at = [0] * len(offers)
        room = [float(each[0][1]) if each else 0.0 for each in offers]
        done = 0.0
        while done < most and all(i < len(each) for i, each in zip(at, offers, strict=True)):
            prices = [each[i][0] for i, each in zip(at, offers, strict=True)]
            width = min(have / a for have, a in zip(room, parts, strict=True))
            self.slopes.append(cost + sum(a * q for a, q in zip(parts, prices, strict=True)))
            self.widths.append(width)
            self._prices.append(prices)
            done += width
            for i, a in enumerate(parts):
                room[i] -= a * width
                if room[i] <= _NOTHING * a:
                    at[i] += 1
                    room[i] = float(offers[i][at[i]][1]) if at[i] < len(offers[i]) else 0.0

    def part_prices(self, price: int) -> list[int]:
        """Prices of parts at which tasks in the form cost just `price`, or more if all do."""
        if not self.slopes:
            return [0] * len(self._parts)
        last = bisect.bisect_right(self.slopes, price) - 1
        if last < 0:
            return self._prices[0]
        prices = self._prices[last].copy()
        beyond = self._prices[last + 1] if last + 1 < len(self.slopes) else None
        lack = price - self.slopes[last]
        for i, a in enumerate(self._parts):
            rise = -(-lack // a)
            if beyond is not None:
                rise = min(rise, beyond[i] - prices[i])
            prices[i] += rise
            lack = max(0, lack - a * rise)
        return prices


def _price(curves: list[_Curve], count: int, left_out: int | None) -> int | None:
    """The slope at which `count` tasks are placed or left out; None if so many never are."""
    segments = [
        segment for each in curves for segment in zip(each.slopes, each.widths, strict=True)
    ]
    if left_out is not None:
        segments.append((left_out, float(count)))
    segments.sort()
    left = float(count)
    for slope, width in segments:
        left -= width
        if left <= _NOTHING:
            return slope
    return None
