"""The Lagrangian of the linear relaxation at given prices, in exact integers.

Any prices give a valid bound (Geoffrion 1974, "Lagrangean relaxation for integer programming");
those of the relaxation's optimum only make it a good one.
"""

from __future__ import annotations

import bisect
import math
from typing import NamedTuple

import numpy as np

from ..model.exact import Array, common_divisor
from ..problem.attainable import round_up_to_attainable
from ..problem.problem import Problem
from ..programs.relaxation import Multipliers

__all__ = ["PROGRAM_CELLS", "lagrangian_bound", "usable_capacity"]

PROGRAM_CELLS = 60_000
"""Largest relaxation, in cells (task class, node class), that is solved as it is."""
_PRICE_BITS = 60
_NEAR_BITS = 20  # a price this close to an overload price, relatively, is taken for it


def lagrangian_bound(problem: Problem, prices: Multipliers) -> int:
    """Evaluate the Lagrangian of the relaxation at rounded prices, in exact integers.

    With prices l, t, q, s >= 0 (load, large tasks, needs, opening), l_g + t_g <= o_g:

        sum_k  min { sum_g r_kg X_kg : sum_g X_kg = m_k, 0 <= X_kg <= b_kg n_g }
        + sum_g  n_g (idle_g - l_g C_g - q_g·Q_g - sum_k b_kg s_kg)

    where r_kg = (u_g + l_g) D_k + t_g max(0, D_k - C_g) + q_g·need_k + s_kg, o_g is the overload
    price less the use price u_g, and with power_off the last sum takes only the negative terms.
    Every number is an integer multiple of 2**-shift.

    Returns
    -------
    int
        A bound in exact cost units, rounded up to a value that a cost can take.
    """
    shift = _shift(prices)
    found = _scaled(prices, shift)
    overload = problem.exact_numbers.overload_price.tolist()
    # Up to here prices may be anything; l_g + t_g <= o_g is what the relaxation needs of them.
    found.load[:] = [min(a, o << shift) for a, o in zip(found.load, overload, strict=True)]
    found.large[:] = [
        min(t, (o << shift) - a) for t, o, a in zip(found.large, overload, found.load, strict=True)
    ]
    total = _lagrangian(problem, found, shift)
    snapped = _snapped(found, overload, shift)
    if snapped is not None and problem.fits.size <= PROGRAM_CELLS:
        total = max(total, _lagrangian(problem, snapped, shift))
    return round_up_to_attainable(problem, max(0, -(-total >> shift)))


def usable_capacity(problem: Problem) -> Array:
    """(G, d) capacities, rounded down to multiples of what divides all needs of the dimension."""
    numbers = problem.exact_numbers
    have = numbers.capacity.copy()
    for d in range(have.shape[1]):
        step = common_divisor(numbers.needs[:, d])
        if step:
            have[:, d] -= have[:, d] % step
    return have


class _Scaled(NamedTuple):
    """Prices as integers times 2**-shift, in exact units of cost for each exact unit."""

    load: list[int]
    large: list[int]
    needs: list[list[int]]
    opening: list[list[int]] | None


def _scaled(prices: Multipliers, shift: int) -> _Scaled:
    """Prices rounded down to integers times 2**-shift."""

    def rounded(values: Array, unit: int) -> list[int]:
        scaled = []
        for value in values.tolist():
            above, below = value.as_integer_ratio()
            scaled.append((above * prices.cost_unit << shift) // (below * unit))
        return scaled

    needs = [rounded(prices.needs[:, d], unit) for d, unit in enumerate(prices.need_units)]
    return _Scaled(
        load=rounded(prices.load, prices.compute_unit),
        large=rounded(prices.large, prices.compute_unit),
        needs=[list(row) for row in zip(*needs, strict=True)] or [[] for _ in prices.load],
        opening=None if prices.opening is None else [rounded(row, 1) for row in prices.opening],
    )


def _snapped(prices: _Scaled, overload: list[int], shift: int) -> _Scaled | None:
    """The same with loads priced at exactly an overload price where they nearly are.

    A dual price that stands for "one unit more is overload on that node" is such a price but
    for rounding, and at the price itself the bound has every digit. None if nothing changes.
    """
    known = sorted({o << shift for o in overload})
    load = []
    for price, most in zip(prices.load, overload, strict=True):
        at = bisect.bisect_left(known, price)
        near = min(known[max(0, at - 1) : at + 1], key=lambda o: abs(o - price))
        close = abs(near - price) << _NEAR_BITS <= near and near <= most << shift
        load.append(near if close else price)
    if load == prices.load:
        return None
    large = [min(t, (o << shift) - a) for t, o, a in zip(prices.large, overload, load, strict=True)]
    return prices._replace(load=load, large=large)


def _lagrangian(problem: Problem, prices: _Scaled, shift: int) -> int:
    """The Lagrangian at given prices, times 2**shift."""
    numbers = problem.exact_numbers
    D, need = numbers.demand.astype(object), numbers.needs.astype(object)
    C, have = numbers.node_compute.tolist(), usable_capacity(problem).tolist()
    idle_cost, use_price = numbers.idle_cost.tolist(), numbers.use_price.tolist()
    opening = None if prices.opening is None else np.array(prices.opening, dtype=object)
    reduced = np.full(problem.fits.shape, None, dtype=object)
    total: int = sum(problem.instance.exact.node_off_cost.tolist()) << shift
    for g in range(len(C)):
        at = np.flatnonzero(problem.fits[:, g])
        cost = (prices.load[g] + (use_price[g] << shift)) * D[at]
        if prices.large[g]:
            cost += prices.large[g] * np.maximum(D[at] - C[g], 0)
        for d, q in enumerate(prices.needs[g]):
            if q:
                cost += q * need[at, d]
        node = (idle_cost[g] << shift) - prices.load[g] * C[g]
        node -= sum(q * Q for q, Q in zip(prices.needs[g], have[g], strict=True))
        if opening is not None:
            cost += opening[at, g]
            node -= int((opening[at, g] * problem.most_per_node[at, g].astype(object)).sum())
        if problem.instance.power_off:  # a node may be left off
            node = min(0, node)
        reduced[at, g] = cost
        total += int(numbers.node_count[g]) * node
    return total + _cheapest_placement(problem, reduced)


def _shift(prices: Multipliers) -> int:
    """Bits behind the point, so that the largest price keeps `_PRICE_BITS` of them."""
    parts = [(prices.load, prices.compute_unit), (prices.large, prices.compute_unit)]
    parts += [(prices.needs[:, d], unit) for d, unit in enumerate(prices.need_units)]
    if prices.opening is not None:
        parts.append((prices.opening, 1))
    bits = [
        math.frexp(float(part.max()))[1] + prices.cost_unit.bit_length() - unit.bit_length()
        for part, unit in parts
        if part.size and part.max() > 0
    ]
    return max(0, _PRICE_BITS - max(bits, default=_PRICE_BITS))


def _cheapest_placement(problem: Problem, reduced: Array) -> int:
    """Sum over task classes of the cheapest way to place them, at most b_kg n_g on class g."""
    classes = problem.classes
    total = 0
    for k, row in enumerate(reduced.tolist()):
        left = int(classes.task_count[k])
        offers = sorted((cost, g) for g, cost in enumerate(row) if cost is not None)
        for cost, g in offers:
            amount = min(left, int(problem.most_per_node[k, g]) * int(classes.node_count[g]))
            total += cost * amount
            left -= amount
            if not left:
                break
    return total
