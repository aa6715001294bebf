"""The linear relaxation's bound where it has too many cells for a linear program."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ...engines.limits import INTERIOR
from ...engines.process import run_job
from ...model.exact import Array, exact_sum
from ...problem.classes import signatures
from ...problem.problem import Problem
from ...settings import LINEAR
from ..lagrangian import usable_capacity
from .evaluation import Evaluation, evaluate
from .interior import PooledProgram, PooledSolution
from .pools import Pools, halved, pooled

__all__ = ["PooledBound", "pooled_bounds"]

_FLOAT_BITS = 900
_LEFT_OUT, _DEARER, _DEAREST = 30.0, 30.0, 1e5
_NOTHING = 1e-6
_TINY = 1e-3
_FAR_ABOVE = 10**9


class PooledBound(NamedTuple):
    """A bound in exact units, and by what share the program over the pools costs more, nearly.

    The relaxation's value, but for what large tasks and openings add, is between the two where
    the program leaves no pool out.
    """

    bound: int
    above: float


def pooled_bounds(
    problem: Problem, known: int, time_limit: float, close: float = LINEAR.close
) -> Iterator[PooledBound]:
    """Bounds of the relaxation without openings and overload by large tasks, in exact units.

    Tasks that need the dimensions in like proportions are pooled. The relaxation over the pools
    costs at least what the given one does, its prices prove a bound of that, and the difference
    tells which pools to divide for the next bound.

    Parameters
    ----------
    problem : Problem
        Without modes.
    known : int
        A bound in exact units, by which the accuracy is measured.
    time_limit : float
        Seconds.
    close : float
        The share of the bound at which the value over the pools is near enough to it.
    """
    deadline = time.monotonic() + time_limit
    scale = _scale(problem)
    if scale is None:
        return
    few = LINEAR.few_cells // problem.classes.num_node_classes
    first = max(LINEAR.pools, min(LINEAR.most_pools, few))
    pools = pooled(scale.shares, _kinds(problem), _most_pools(problem, first))
    left_out = _LEFT_OUT
    while pools is not None and pools.count:
        found = _solve(problem, _program(problem, scale, pools, left_out), scale, known, deadline)
        if found is None:
            return
        solution, evaluation = found
        known = max(known, evaluation.bound)
        above = solution.cost - _ratio(evaluation.bound - scale.paid, scale.cost)
        above /= max(_TINY, _ratio(known, scale.cost))
        yield PooledBound(evaluation.bound, above)
        complete = solution.left_out <= _NOTHING
        if (complete and above <= close) or time.monotonic() >= deadline:
            return
        most = _most_pools(problem, LINEAR.finer * pools.count)
        finer = halved(pools, _losses(problem, scale, pools, found), most)
        if finer.count > pools.count:
            pools = finer
        elif complete or left_out > _DEAREST:
            return
        else:  # leaving pools out is cheaper than placing them, or they cannot be placed
            left_out *= _DEARER


class _Scale(NamedTuple):
    """The numbers of an instance in floats of similar size, and what they are multiples of.

    Attributes
    ----------
    shares, rooms : (K, D), (G, D) floats
        Needs of the classes of tasks and room of those of nodes, as shares of what all need.
    totals : list of D int
        What all need; 1 if nothing.
    price : int
        What prices of load are divided by.
    cost : Fraction
        The unit of cost.
    paid : int
        What nodes that are off cost.
    """

    shares: Array
    rooms: Array
    totals: list[int]
    price: int
    cost: Fraction
    paid: int


def _scale(problem: Problem) -> _Scale | None:
    """None where numbers are beyond what a float holds."""
    numbers = problem.exact_numbers
    needs = [numbers.demand, *numbers.needs.T]
    rooms = [numbers.node_compute, *usable_capacity(problem).T]
    totals = [max(1, exact_sum(column * numbers.count)) for column in map(_wide, needs)]
    prices = [
        price
        for column in (numbers.overload_price, numbers.use_price)
        for price in column.tolist()
        if price > 0
    ]
    price = sorted(prices)[len(prices) // 2] if prices else 1
    largest = [*totals, price, *(int(column.max(initial=0)) for column in rooms)]
    if max(largest).bit_length() > _FLOAT_BITS:
        return None
    shares = [
        column.astype(float) / total * numbers.count
        for column, total in zip(needs, totals, strict=True)
    ]
    held = [
        column.astype(float) / total * numbers.node_count
        for column, total in zip(rooms, totals, strict=True)
    ]
    if not problem.instance.power_off:  # more than all need is never full
        held[1:] = [np.minimum(column, 1.0) for column in held[1:]]
    paid = sum(problem.instance.exact.node_off_cost.tolist())
    cost = Fraction(price) * totals[0]
    return _Scale(np.column_stack(shares), np.column_stack(held), totals, price, cost, paid)


def _wide(column: Array) -> Array:
    """Integers whose products with counts of tasks need no more than they have."""
    return column if column.dtype == object else column.astype(object)


def _kinds(problem: Problem) -> Array:
    """(K,) numbers that are the same for classes that may run on the same nodes."""
    found: Array = signatures(problem.instance.eligibility)[0][problem.group_of_class]
    return found


def _most_pools(problem: Problem, wanted: int) -> int:
    """As many pools as are wanted, if the program over them is not too large."""
    return max(LINEAR.fewest_pools, min(wanted, LINEAR.cells // problem.classes.num_node_classes))


def _solve(
    problem: Problem, program: PooledProgram, scale: _Scale, known: int, deadline: float
) -> tuple[PooledSolution, Evaluation] | None:
    """Prices from the relaxation over the pools, and the bound that they prove."""
    left = deadline - time.monotonic()
    if left <= 0:
        return None
    payload = {
        "program": program,
        "time_limit": left,
        "tolerance": LINEAR.tolerance * max(_TINY, _ratio(known, scale.cost)),
    }
    solution = run_job(INTERIOR, "solve_pooled", payload, hard_limit=left + 1.0)
    if not np.isfinite(solution.prices).all():
        return None
    units = [scale.cost / total for total in scale.totals]
    evaluation = evaluate(problem, solution.prices, units, deadline)
    return None if evaluation is None else (solution, evaluation)


def _program(
    problem: Problem, scale: _Scale, pools: Pools, left_out: float = _LEFT_OUT
) -> PooledProgram:
    numbers = problem.exact_numbers
    amounts = np.column_stack([pools.sums(column) for column in scale.shares.T])
    overload = _ratios(numbers.overload_price, scale.price)
    use = _ratios(numbers.use_price, scale.price)
    high = float((overload + use).max()) + 1e-3
    idle = None
    if problem.instance.power_off:
        idle = _ratios(numbers.idle_cost, scale.cost) * numbers.node_count
        high += float((idle / np.maximum(scale.rooms.max(axis=1), 1e-12)).max())
    return PooledProgram(
        amounts=amounts,
        rooms=scale.rooms,
        overload_price=overload,
        use_price=use,
        left_out=left_out * high * amounts.sum(axis=1),
        idle_cost=idle,
        allowed=_allowed(problem, pools),
    )


def _ratios(values: Array, unit: Fraction | int) -> Array:
    return np.array([_ratio(value, unit) for value in values.tolist()])


def _ratio(value: int | Fraction, unit: Fraction | int) -> float:
    """A multiple of a unit in floats; what is far above all others is cut."""
    return float(Fraction(min(value, unit * _FAR_ABOVE)) / unit)


def _allowed(problem: Problem, pools: Pools) -> Array | None:
    """(G, pools) bool: where some task of each pool may run; None if that is everywhere."""
    G = problem.classes.num_node_classes
    cells = pools.pool.size * G
    if cells <= LINEAR.fit_cells:
        if problem.fits.all():
            return None
        found = np.zeros((pools.count, G), dtype=bool)
        used = np.flatnonzero(pools.pool >= 0)
        order = used[np.argsort(pools.pool[used], kind="stable")]
        starts = np.searchsorted(pools.pool[order], np.arange(pools.count))
        np.logical_or.reduceat(problem.fits[order], starts, axis=0, out=found)
        return np.ascontiguousarray(found.T)
    eligibility = problem.instance.eligibility
    if eligibility.everywhere:
        return None
    block = eligibility.block(problem.group_of_class[pools.first], problem.classes.node_first)
    return np.ascontiguousarray(block.T)


def _losses(
    problem: Problem,
    scale: _Scale,
    pools: Pools,
    found: tuple[PooledSolution, Evaluation],
) -> Array:
    """What each pool costs at the prices as a whole, beyond what its classes cost one by one."""
    solution, evaluation = found
    program = _program(problem, scale, pools)
    prices = solution.prices.copy()
    prices[:, 0] += program.use_price
    charges = program.amounts @ prices.T
    if program.allowed is not None:
        charges[~program.allowed.T] = np.inf
    whole = charges.min(axis=1)
    count = problem.exact_numbers.count
    unit = float(Fraction(2) ** -evaluation.shift / scale.cost)
    return whole - pools.sums(evaluation.least * count * unit)
