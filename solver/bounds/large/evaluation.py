"""The Lagrangian of the relaxation over many classes, in 64-bit integers that are proved to fit.

As `bounds.lagrangian`, without the prices of large tasks and of openings: with prices l <= o of
load and q of the other dimensions, all 0 or more, every allocation costs at least

    sum_k  m_k min_g { (u_g + l_g) D_k + q_g·need_k }  +  sum_g  n_g (i_g - l_g C_g - q_g·Q_g)

where with power_off only the negative terms of the second sum count; capacities are first rounded
down to multiples of what divides all needs. Demands and needs are cut to
some bits, and l + u and q are then rounded down: both only lower the first sum, and the second is
computed, in integers of any size, from the l and q that are left.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ...model.exact import Array
from ...problem.attainable import round_up_to_attainable
from ...problem.classes import signatures
from ...problem.problem import Problem
from ...settings import LINEAR
from ..lagrangian import usable_capacity
from .envelope import Envelope

__all__ = ["Evaluation", "evaluate"]

_TASK_BITS, _PRICE_BITS = 30, 30
_SUM_BITS = 61
_NOWHERE = 2**62
_LOW_BITS = 31


class Evaluation(NamedTuple):
    """A bound in exact units of cost, and what a task of each class costs where it costs least.

    Attributes
    ----------
    bound : int
    least : (K,) int64
        In units of cost of 2**-shift.
    shift : int
    """

    bound: int
    least: Array
    shift: int


def evaluate(
    problem: Problem, prices: Array, units: list[Fraction], deadline: float
) -> Evaluation | None:
    """The bound that prices prove, rounded up to a cost that there can be.

    Parameters
    ----------
    problem : Problem
        Without modes.
    prices : (G, D) floats, finite
        Of the load and the hard dimensions; negative ones count as 0, and what is above the
        overload price is cut off.
    units : list of D fractions
        What the prices are to be multiplied with, to be exact units of cost for an exact unit.
    deadline : float
        On the monotonic clock.

    Returns
    -------
    Evaluation or None
        None if the time did not suffice.
    """
    whole = _in_integers(problem, prices, units)
    least = _cheapest(problem, whole, deadline)
    if least is None:
        return None
    total = _product(least, problem.exact_numbers.count) << whole.depth
    depth = whole.depth + whole.shift
    total += sum(problem.instance.exact.node_off_cost.tolist()) << depth
    total += _nodes(problem, whole)
    cost = max(0, -(-total >> depth))
    return Evaluation(round_up_to_attainable(problem, cost), least, whole.shift)


class _Whole(NamedTuple):
    """Needs and prices in integers.

    Attributes
    ----------
    tasks : (K, D) int64
        Demand and needs, in units of 2**cut.
    prices : (G, D) int64
        l + u and q for such a unit, in units of cost of 2**-shift.
    cut : list of D int
    shift : int
        May be negative.
    depth : int
        At least all of `cut`, and -shift: sums over nodes are in units of 2**-(shift + depth).
    """

    tasks: Array
    prices: Array
    cut: list[int]
    shift: int
    depth: int


def _in_integers(problem: Problem, prices: Array, units: list[Fraction]) -> _Whole:
    numbers = problem.exact_numbers
    columns = [numbers.demand, *numbers.needs.T]
    largest = [int(column.max(initial=0)) for column in columns]
    cut = [max(0, each.bit_length() - _TASK_BITS) for each in largest]
    tasks = np.column_stack(
        [(column >> bits).astype(np.int64) for column, bits in zip(columns, cut, strict=True)]
    )
    use, overload = numbers.use_price.tolist(), numbers.overload_price.tolist()
    dearest = max(o + u for o, u in zip(overload, use, strict=True))
    tops = [Fraction(float(column.max(initial=0.0))) for column in prices.T]
    high = [top * unit * 2**bits for top, unit, bits in zip(tops, units, cut, strict=True)]
    high[0] = min(high[0] + max(use) * 2 ** cut[0], Fraction(dearest * 2 ** cut[0]))
    bits = _PRICE_BITS - max(_bits(each) for each in high)
    charge = sum(top * ((each >> c) + 1) for top, each, c in zip(high, largest, cut, strict=True))
    shift = min(bits, _SUM_BITS - _bits(Fraction(charge)))
    whole = np.zeros(prices.shape, dtype=np.int64)
    for d, unit in enumerate(units):
        factor = unit * Fraction(2) ** (cut[d] + shift)
        limit = 2**_PRICE_BITS
        column = [int(Fraction(price) * factor) for price in np.maximum(prices[:, d], 0.0).tolist()]
        if d == 0:
            column = [
                min(price + _raised(u, cut[0] + shift), _raised(o + u, cut[0] + shift))
                for price, o, u in zip(column, overload, use, strict=True)
            ]
        whole[:, d] = [min(price, limit) for price in column]
    return _Whole(tasks, whole, cut, shift, max(0, -shift, *cut))


def _bits(value: Fraction) -> int:
    """Some b with value < 2**b, and close to it."""
    return value.numerator.bit_length() - value.denominator.bit_length() + 1


def _raised(value: int, bits: int) -> int:
    """value * 2**bits, rounded down."""
    return value << bits if bits >= 0 else value >> -bits


def _nodes(problem: Problem, whole: _Whole) -> int:
    """The sum over the classes of nodes, in units of 2**-(shift + depth)."""
    numbers = problem.exact_numbers
    depth = whole.shift + whole.depth
    total = 0
    rows = zip(
        whole.prices.tolist(),
        numbers.node_compute.tolist(),
        usable_capacity(problem).tolist(),
        numbers.use_price.tolist(),
        numbers.idle_cost.tolist(),
        numbers.node_count.tolist(),
        strict=True,
    )
    raise_by = [whole.depth - cut for cut in whole.cut]
    for (load, *needs), C, have, use, idle, count in rows:
        node = _raised(idle, depth) - max(0, (load << raise_by[0]) - _raised(use, depth)) * C
        for price, room, bits in zip(needs, have, raise_by[1:], strict=True):
            node -= (price << bits) * room
        if problem.instance.power_off:  # a node may be left off
            node = min(0, node)
        total += count * node
    return total


def _product(values: Array, counts: Array) -> int:
    """The exact sum of products of values below 2**62 and counts that add up to below 2**31."""
    high, low = values >> _LOW_BITS, values & (2**_LOW_BITS - 1)
    return (int((high * counts).sum()) << _LOW_BITS) + int((low * counts).sum())


def _cheapest(problem: Problem, whole: _Whole, deadline: float) -> Array | None:
    """(K,) what each class costs where it costs least."""
    cells = whole.tasks.shape[0] * whole.prices.shape[0]
    if cells <= LINEAR.fit_cells:
        return _where_it_fits(problem, whole)
    classes = problem.classes
    same = signatures(problem.instance.eligibility)[0][problem.group_of_class]
    found = np.zeros(same.size, dtype=np.int64)
    _, first, kind = np.unique(same, return_index=True, return_inverse=True)
    order = np.argsort(kind, kind="stable")
    edges = np.concatenate(([0], np.cumsum(np.bincount(kind))))
    for e, k in enumerate(first.tolist()):
        row = problem.instance.eligibility.row(int(problem.group_of_class[k]))
        hosts = np.flatnonzero(row[classes.node_first])
        members = order[edges[e] : edges[e + 1]]
        if not hosts.size:
            continue
        tasks, prices = _distinct(whole.tasks[members], whole.prices[hosts])
        if tasks.shape[1] <= 2:
            found[members] = Envelope.of(prices).least(tasks)
            continue
        least = _least_of_all(tasks, prices, deadline)
        if least is None:
            return None
        found[members] = least
    return found


def _where_it_fits(problem: Problem, whole: _Whole) -> Array:
    """The same over the nodes that each class fits on."""
    tasks, prices, fits = whole.tasks, whole.prices, problem.fits
    found = np.zeros(tasks.shape[0], dtype=np.int64)
    for start in _blocks(tasks.shape[0], prices.shape[0]):
        block = _charges(tasks[start], prices)
        block[~fits[start]] = _NOWHERE
        found[start] = block.min(axis=1)
    found[found == _NOWHERE] = 0  # it fits nowhere: there is no allocation
    return found


def _least_of_all(tasks: Array, prices: Array, deadline: float) -> Array | None:
    found = np.empty(tasks.shape[0], dtype=np.int64)
    prices = np.unique(prices, axis=0)
    for start in _blocks(tasks.shape[0], prices.shape[0]):
        if time.monotonic() > deadline:
            return None
        found[start] = _charges(tasks[start], prices).min(axis=1)
    return found


def _blocks(tasks: int, nodes: int) -> list[slice]:
    step = max(1, LINEAR.block_cells // max(1, nodes))
    return [slice(start, start + step) for start in range(0, tasks, step)]


def _charges(tasks: Array, prices: Array) -> Array:
    """(tasks, nodes) what tasks cost on nodes."""
    found = tasks[:, 0, None] * prices[:, 0]
    for d in range(1, tasks.shape[1]):
        found += tasks[:, d, None] * prices[:, d]
    return found


def _distinct(tasks: Array, prices: Array) -> tuple[Array, Array]:
    """Dimensions in which all tasks need the same taken together, and none that nobody needs."""
    kept: list[Array] = []
    sums: list[Array] = []
    for d in range(tasks.shape[1]):
        column = tasks[:, d]
        if not column.any():
            continue
        same = [at for at, other in enumerate(kept) if np.array_equal(other, column)]
        if same:
            sums[same[0]] = sums[same[0]] + prices[:, d]
        else:
            kept.append(column)
            sums.append(prices[:, d])
    while len(kept) < 2:
        kept.append(np.zeros(tasks.shape[0], dtype=np.int64))
        sums.append(np.zeros(prices.shape[0], dtype=np.int64))
    return np.column_stack(kept), np.column_stack(sums)
