"""Proven lower bounds on the cost of any allocation.

Two relaxations are solved. The closed form pours the total demand into the cheapest places.
The linear relaxation, aggregated over classes, also sees storage, further resources,
eligibility and max_load. GLOP solves it in floating point, but the bound is not GLOP's: its dual
prices are rounded to rationals, and the Lagrangian that they define is evaluated in exact
integers. Any prices give a valid bound (Geoffrion 1974); GLOP's only make it a good one.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..columns.jobs import generate_columns
from ..engines.process import EngineCrash, HardLimitReached, run_job
from ..errors import BackendUnavailableError, OptionError
from ..judge.cost import in_user_units
from ..model.exact import Array, exact_sum
from ..model.instance import Instance, Number
from ..problem.attainable import round_up_to_attainable
from ..problem.coarsening import coarsen
from ..problem.problem import Problem
from ..programs.linear_model import INFINITE, LinearModel, LinearModelBuilder
from ..time_limits import LONGEST, TIME_LIMIT_RULE, is_time_limit
from .infeasible import why_infeasible

__all__ = [
    "BOUNDS",
    "Prices",
    "closed_form_bound",
    "lagrangian_bound",
    "linear_bound",
    "lower_bound",
]

GLOP = "solver.engines.glop"
_MAX_CELLS = 2_000_000
_PROGRAM_CELLS = 60_000
_PRICE_BITS = 60
_NEAR_BITS = 20  # a price this close to an overload price, relatively, is taken for it


def lower_bound(
    instance: Instance, method: str = "auto", *, time_limit: float = 60.0
) -> Number | None:
    """A cost that no allocation of the instance can go below, proven.

    Parameters
    ----------
    instance : Instance
    method : {"auto", "closed-form", "linear", "column-generation"}
        "auto" is the better of the closed form and the linear relaxation; column generation
        is stronger where nodes hold few tasks, and takes longer.
    time_limit : float
        Seconds; at the limit the best bound so far is returned.

    Returns
    -------
    int or float or None
        In the user's unit of cost; an int where all input is integer, otherwise a float
        that is never above the exact bound. None if there is provably no allocation.

    Raises
    ------
    OptionError
        If the method is unknown or the time limit is none.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 3, 3])
    >>> lower_bound(instance, "closed-form")  # 9 units on 8: one must be overload
    36
    """
    if not is_time_limit(time_limit):
        raise OptionError(f"time_limit is {time_limit!r}; it must be {TIME_LIMIT_RULE}")
    if method not in BOUNDS:
        raise OptionError(f"bound method {method!r} is none of: {', '.join(BOUNDS)}")
    problem = Problem(instance)
    if why_infeasible(problem) is not None:
        return None
    return in_user_units(
        instance, BOUNDS[method](problem, min(float(time_limit), LONGEST)), floor=True
    )


def closed_form_bound(problem: Problem, _time_limit: float = 0.0) -> int:
    """Pour the demand into the cheapest places: a bound in exact cost units.

    Without power_off the idle cost is paid anyway, and only the excess of the total demand
    over the total capacity is priced, at the cheapest overload first. With power_off each
    node offers C at price p and what max_load leaves above it at price o.

    Complexity: O(m + n log n).
    """
    instance, exact = problem.instance, problem.instance.exact
    demand = exact_sum(exact.task_compute)
    nodes = list(
        zip(
            exact.node_compute.tolist(),
            exact.node_price.tolist(),
            exact.node_overload_price.tolist(),
            _load_limits(instance, demand),
            strict=True,
        )
    )
    places = [(o, max(0, limit - C)) for C, _, o, limit in nodes]
    if instance.power_off:
        places += [(p, min(C, limit)) for C, p, _, limit in nodes]
        total, left = 0, demand
    else:
        total = sum(p * C for C, p, _, _ in nodes)
        left = max(0, demand - sum(C for C, _, _, _ in nodes))
    for price, room in sorted(places):
        amount = min(left, room)
        total += price * amount
        left -= amount
    return round_up_to_attainable(problem, total)


def _load_limits(instance: Instance, demand: int) -> list[int]:
    """The most load each node may carry, in exact units."""
    names = instance.exact.dimensions
    if "max_load" not in names:
        return [demand] * instance.num_nodes
    return [int(limit) for limit in instance.exact.capacity[:, names.index("max_load")].tolist()]


@dataclass(frozen=True)
class Prices:
    """Multipliers of the relaxed rows, one of each a node class; all finite, 0 or more.

    They are in units of a grid, which are kept beside them as integers: the exact numbers of an
    instance may be beyond what a float holds.

    Attributes
    ----------
    load : (G,) floats
        Price of a unit of load, from the overload rows.
    large : (G,) floats
        Price of the overload that tasks larger than the node bring (see `_Relaxation`).
    needs : (G, d) floats
        Price of a unit of each hard dimension.
    opening : (K, G) floats or None
        With power_off: price of the rows X_kg <= b_kg U_g.
    cost_unit, compute_unit : int
    need_units : tuple of d int
        As in `Grid`.
    """

    load: Array
    large: Array
    needs: Array
    opening: Array | None
    cost_unit: int
    compute_unit: int
    need_units: tuple[int, ...]


def linear_bound(problem: Problem, time_limit: float = 60.0) -> int:
    """The linear relaxation over classes, in exact cost units; at least the closed form.

    On problems of many classes the prices come from a coarser relaxation, and the bound is
    that of the Lagrangian at them: valid, and a little below the linear relaxation's.
    """
    best = closed_form_bound(problem)
    classes = problem.classes
    cells = classes.num_task_classes * classes.num_node_classes
    if cells > _MAX_CELLS or time_limit <= 0:
        return best
    find = _relaxation_prices if cells <= _PROGRAM_CELLS else _coarse_prices
    try:
        prices = find(problem, time_limit)
    except (HardLimitReached, EngineCrash):
        return best
    return best if prices is None else max(best, lagrangian_bound(problem, prices))


def _relaxation_prices(problem: Problem, time_limit: float) -> Prices | None:
    """The dual prices of the linear relaxation; None if GLOP finds none in the time."""
    relaxation = _Relaxation(problem)
    answer = run_job(
        GLOP,
        "solve_relaxation",
        {"model": relaxation.model, "time_limit": time_limit},
        hard_limit=time_limit + 1.0,
    )
    return None if answer["duals"] is None else relaxation.prices(answer["duals"])


def _coarse_prices(problem: Problem, time_limit: float) -> Prices | None:
    """Prices of the coarser problem, spread over the classes of the given one."""
    coarse = coarsen(problem)
    if coarse is None:
        return None
    prices = _relaxation_prices(coarse, time_limit)
    if prices is None:
        return None
    g = coarse.classes.node_class[problem.classes.node_first]
    k = coarse.classes.task_class[problem.classes.task_first]
    opening = None if prices.opening is None else prices.opening[np.ix_(k, g)]
    return replace(
        prices,
        load=prices.load[g],
        large=prices.large[g],
        needs=prices.needs[g],
        opening=opening,
    )


class _Relaxation:
    """The linear program, and how to read the prices off its duals.

    Columns X_kg (tasks of class k on nodes of class g), V_g (overload), and with power_off
    U_g (nodes that are on).
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        classes, grid = problem.classes, problem.grid
        self._k, self._g = np.nonzero(problem.fits)
        g_count = classes.num_node_classes
        nodes = classes.node_count
        need = grid.needs[classes.task_first]
        have = grid.capacity[classes.node_first]
        C = grid.node_compute[classes.node_first]
        D = grid.task_compute[classes.task_first]
        b = problem.most_per_node[self._k, self._g]
        builder = LinearModelBuilder()
        room = np.minimum(classes.task_count[self._k], _product(b, nodes[self._g]))
        X = builder.add_columns(self._k.size, upper=room)
        V = builder.add_columns(
            g_count, upper=INFINITE, cost=grid.overload_price[classes.node_first]
        )
        idle = grid.idle_cost[classes.node_first]
        on = problem.instance.power_off
        U = builder.add_columns(g_count, upper=nodes, cost=idle) if on else None
        rows = builder.add_rows(
            classes.num_task_classes, lower=classes.task_count, upper=classes.task_count
        )
        builder.add_entries(rows[self._k], X, 1)

        def capacity_rows(have: Array) -> Array:
            if U is None:
                return builder.add_rows(g_count, upper=_product(have, nodes))
            rows = builder.add_rows(g_count, upper=0)
            builder.add_entries(rows, U, -have)
            return rows

        self._load = capacity_rows(C)
        builder.add_entries(self._load[self._g], X, D[self._k])
        builder.add_entries(self._load, V, -1)
        self._needs = np.zeros((g_count, need.shape[1]), dtype=np.int64)
        for d in range(need.shape[1]):
            self._needs[:, d] = capacity_rows(have[:, d])
            builder.add_entries(self._needs[:, d][self._g], X, need[self._k, d])
        excess = np.maximum(0, D[self._k] - C[self._g])
        self._large = builder.add_rows(g_count if excess.any() else 0, upper=0)
        if excess.any():
            # A task larger than its node overloads it by the difference at least, and the
            # differences of several such tasks add up.
            builder.add_entries(self._large[self._g], X, excess)
            builder.add_entries(self._large, V, -1)
        self._opening = builder.add_rows(self._k.size if on else 0, upper=0)
        if U is not None:
            builder.add_entries(self._opening, X, 1)
            builder.add_entries(self._opening, U[self._g], -b)
        self.model: LinearModel = builder.build()

    def prices(self, duals: Array) -> Prices:
        """The multipliers, as `lagrangian_bound` takes them."""
        problem, grid = self._problem, self._problem.grid
        row_price = np.where(np.isfinite(duals), np.maximum(0.0, -duals), 0.0)
        opening = None
        if self._opening.size:
            opening = np.zeros(problem.fits.shape)
            opening[self._k, self._g] = row_price[self._opening]
        no_price = np.zeros(problem.classes.num_node_classes)
        return Prices(
            load=row_price[self._load],
            large=row_price[self._large] if self._large.size else no_price,
            needs=row_price[self._needs],
            opening=opening,
            cost_unit=grid.cost_unit,
            compute_unit=grid.compute_unit,
            need_units=grid.need_units,
        )


def lagrangian_bound(problem: Problem, prices: Prices) -> int:
    """Evaluate the Lagrangian of the relaxation at rounded prices, in exact integers.

    With prices l, t, q, s >= 0 (load, large tasks, needs, opening), l_g + t_g <= o_g:

        sum_k  min { sum_g r_kg X_kg : sum_g X_kg = m_k, 0 <= X_kg <= b_kg n_g }
        + sum_g  n_g (idle_g - l_g C_g - q_g·Q_g - sum_k b_kg s_kg)

    where r_kg = l_g D_k + t_g max(0, D_k - C_g) + q_g·need_k + s_kg; with power_off the last
    sum takes only the negative terms. Every number is an integer multiple of 2**-shift.

    Returns
    -------
    int
        A bound in exact cost units, rounded up to a value that a cost can take.
    """
    shift = _shift(prices)
    found = _scaled(prices, shift)
    node_first = problem.classes.node_first
    overload = problem.instance.exact.node_overload_price[node_first].tolist()
    # Up to here prices may be anything; l_g + t_g <= o_g is what the relaxation needs of them.
    found.load[:] = [min(a, o << shift) for a, o in zip(found.load, overload, strict=True)]
    found.large[:] = [
        min(t, (o << shift) - a) for t, o, a in zip(found.large, overload, found.load, strict=True)
    ]
    total = _lagrangian(problem, found, shift)
    snapped = _snapped(found, overload, shift)
    if snapped is not None and problem.fits.size <= _PROGRAM_CELLS:
        total = max(total, _lagrangian(problem, snapped, shift))
    return round_up_to_attainable(problem, max(0, -(-total >> shift)))


class _Scaled(NamedTuple):
    """Prices as integers times 2**-shift, in exact units of cost for each exact unit."""

    load: list[int]
    large: list[int]
    needs: list[list[int]]
    opening: list[list[int]] | None


def _scaled(prices: Prices, shift: int) -> _Scaled:
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
    classes, exact = problem.classes, problem.instance.exact
    task = classes.task_first
    D = exact.task_compute[task].astype(object)
    need = exact.needs[task].astype(object)
    C = exact.node_compute[classes.node_first].tolist()
    have = exact.capacity[classes.node_first].tolist()
    price = exact.node_price[classes.node_first].tolist()
    opening = None if prices.opening is None else np.array(prices.opening, dtype=object)
    reduced = np.full(problem.fits.shape, None, dtype=object)
    total = 0
    for g in range(classes.num_node_classes):
        at = np.flatnonzero(problem.fits[:, g])
        cost = prices.load[g] * D[at]
        if prices.large[g]:
            cost += prices.large[g] * np.maximum(D[at] - C[g], 0)
        for d, q in enumerate(prices.needs[g]):
            if q:
                cost += q * need[at, d]
        node = (price[g] * C[g] << shift) - prices.load[g] * C[g]
        node -= sum(q * Q for q, Q in zip(prices.needs[g], have[g], strict=True))
        if opening is not None:
            cost += opening[at, g]
            node -= int((opening[at, g] * problem.most_per_node[at, g].astype(object)).sum())
        if problem.instance.power_off:  # a node may be left off
            node = min(0, node)
        reduced[at, g] = cost
        total += int(classes.node_count[g]) * node
    return total + _cheapest_placement(problem, reduced)


def _shift(prices: Prices) -> int:
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


def _product(have: Array, nodes: Array) -> Array:
    """have * nodes, cut at INFINITE instead of overflowing."""
    return np.array(
        [min(INFINITE, a * b) for a, b in zip(have.tolist(), nodes.tolist(), strict=True)],
        dtype=np.int64,
    )


def _column_bound(problem: Problem, time_limit: float) -> int:
    found = [_best(problem, time_limit / 2)]
    generate_columns(problem, [], time_limit / 2, on_bound=found.append)
    return max(found)


def _best(problem: Problem, time_limit: float) -> int:
    try:
        return linear_bound(problem, time_limit)
    except BackendUnavailableError:
        return closed_form_bound(problem)


BOUNDS: dict[str, Callable[[Problem, float], int]] = {
    "auto": _best,
    "closed-form": closed_form_bound,
    "linear": linear_bound,
    "column-generation": _column_bound,
}
