"""The integer grid that solvers work on: small numbers, rounded only to the safe side.

Solvers want 64-bit integers whose sums do not overflow. The exact integers of an instance
are divided by their common divisors. Where they are still too large there are two ways to
round. The inner grid rounds needs up and capacities down: what is feasible there is feasible in
the user's own numbers, and heuristics work on it. The outer grid rounds the other way: every
allocation is there, at no more than its cost, so that what is proved there is proved.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from ..model.exact import Array, common_divisor, exact_sum, largest
from ..model.instance import Exact, Instance

__all__ = ["Grid", "Width", "make_grid"]


class Width(enum.Enum):
    """How large the sums over a grid may get, before its numbers are rounded.

    The limits are on loads, needs and costs.
    """

    INT64 = (2**40, 2**61, 2**61)
    """For integer arithmetic."""
    FLOAT = (2**30, 2**30, 2**50)
    """For solvers that compute in floating point with absolute tolerances."""


@dataclass(frozen=True)
class Grid:
    """An instance in int64.

    Attributes
    ----------
    node_compute, task_compute : (n,), (W,) int64
        Compute in units of `compute_unit` of the exact integers.
    overload_price, use_price, idle_cost : (n,) int64
        Cost of one unit of overload beyond that of its use, of one unit of load beyond that on
        the node of the least use price (of an instance that is not plain, beyond nothing), and of
        a node that is on, in units of `cost_unit`.
    needs, capacity : (W, d), (n, d) int64
        The hard dimensions, as in `Exact`.
    compute_unit : int
        Exact units of compute in one unit of the grid.
    need_units : tuple of d int
        The same for each hard dimension.
    cost_unit : int
        Value of one unit of cost, in units of the exact cost.
    offset : int
        Exact cost of what is paid whatever happens: idle nodes and, of a plain instance, all load
        at the least price.
    exact_cost : bool
        Whether offset + cost_unit * (cost on the grid) is the exact cost.
    exact_limits : bool
        Whether the hard dimensions are not rounded.
    outer : bool
        Whether what is rounded is rounded so that no allocation is lost and none costs more.
    most_cost : int or None
        Allocations that cost more than this on the grid are not of interest, and sums of
        costs above it may not fit.
    """

    node_compute: Array
    task_compute: Array
    overload_price: Array
    use_price: Array
    idle_cost: Array
    needs: Array
    capacity: Array
    compute_unit: int
    need_units: tuple[int, ...]
    cost_unit: int
    offset: int
    exact_cost: bool
    exact_limits: bool
    outer: bool = False
    most_cost: int | None = None

    @property
    def exact(self) -> bool:
        """Whether nothing at all is rounded."""
        return self.exact_cost and self.exact_limits

    @property
    def proves(self) -> bool:
        """Whether a bound on the grid is a bound, and infeasible there means infeasible."""
        return self.exact or self.outer

    def keeps_limits(self, node_index: Array) -> bool:
        """Whether no hard dimension is overfull under (W,) positions of nodes, -1 for none."""
        used = np.zeros((self.capacity.shape[0] + 1, self.capacity.shape[1]), dtype=np.int64)
        np.add.at(used, node_index, self.needs)
        used = used[:-1]
        return bool((used <= self.capacity).all())

    def bound_in_units(self, grid_bound: int) -> int:
        """A bound on the grid's cost, as one in exact cost units; of a grid that `proves`."""
        assert self.proves
        return self.offset + self.cost_unit * grid_bound


def make_grid(
    instance: Instance,
    width: Width = Width.INT64,
    *,
    outer: bool = False,
    upper: int | None = None,
) -> Grid:
    """Scale an instance to int64, exactly where the numbers allow it.

    Parameters
    ----------
    instance : Instance
    width : Width
    outer : bool
        How to round where that is needed; see the top of this module.
    upper : int, optional
        Cost of a known allocation in exact units. Only allocations that cost no more are then
        of interest, which leaves room for more digits.
    """
    load_limit, need_limit, cost_limit = width.value
    exact = instance.exact
    if width is Width.INT64:  # cheap overload leaves room for long loads
        load_limit = max(load_limit, cost_limit // (_dearest(instance) * instance.num_nodes + 1))
    if upper is not None:  # overload is limited by what it costs, not by its product with n
        load_limit = max(load_limit, cost_limit // 2)
    compute_unit, node_compute, task_compute = _compute(exact, load_limit, outer)
    offset = sum(exact.node_off_cost.tolist())
    offset += _base_price(exact) * exact_sum(exact.task_compute)
    above = None if upper is None else max(0, upper - offset)
    price_unit, price, use, idle, exact_prices = _prices(
        instance, exact, compute_unit, task_compute, cost_limit, above
    )
    needs, capacity, need_units, exact_limits = _limits(exact, need_limit, outer)
    rounded = compute_unit != _compute_divisor(exact)
    return Grid(
        node_compute=node_compute,
        task_compute=task_compute,
        overload_price=price,
        use_price=use,
        idle_cost=idle,
        needs=needs,
        capacity=capacity,
        compute_unit=compute_unit,
        need_units=need_units,
        cost_unit=compute_unit * price_unit,
        offset=offset,
        exact_cost=exact_prices and not rounded,
        exact_limits=exact_limits,
        outer=outer,
        most_cost=None if above is None else -(-above // (compute_unit * price_unit)),
    )


def _dearest(instance: Instance) -> int:
    """The highest price of a unit of load on the grid, before any rounding."""
    overload, use = instance.exact.node_surcharge, instance.exact.node_use_price
    more = use - _base_price(instance.exact) if use.any() else use
    compute = _compute_divisor(instance.exact)
    choices = [cost // compute for cost in _choice_costs(instance.exact)]
    divisor = 1 if instance.power_off else common_divisor(overload, more, choices) or 1
    return (largest(overload) + largest(more)) // divisor


def _base_price(exact: Exact) -> int:
    """The price of use that all load pays; none where not all of it need run."""
    return 0 if exact.choices is not None else int(min(exact.node_use_price.tolist()))


def _compute_divisor(exact: Exact) -> int:
    """What divides all compute, and all costs that are not of a unit of it."""
    divisor = common_divisor(exact.task_compute, exact.node_compute) or 1
    if divisor == 1:
        return 1
    idle = (exact.node_on_cost - exact.node_off_cost).tolist()
    found: int = common_divisor([divisor], idle, _choice_costs(exact))
    return found


def _choice_costs(exact: Exact) -> list[int]:
    """The distinct costs of forms, of leaving out and of moves."""
    if exact.choices is None:
        return []
    columns = (exact.choices.form_cost, exact.choices.skip_cost, exact.choices.move_cost)
    return [cost for column in columns for cost in np.unique(column).tolist() if cost > 0]


def _most_for_choices(instance: Instance) -> int:
    """No less than what all choices together may cost."""
    choices, rows = instance.exact.choices, instance.rows
    if choices is None:
        return 0
    moves = exact_sum(choices.move_cost) * max(1, int(np.diff(rows.form_start).max(initial=1)))
    skipped: int = sum(cost for cost in choices.skip_cost.tolist() if cost > 0)
    return exact_sum(choices.form_cost) + skipped + moves


def _compute(exact: Exact, load_limit: int, outer: bool) -> tuple[int, Array, Array]:
    """The unit of compute, and both columns in it (capacities cut at the total demand)."""
    unit = _compute_divisor(exact)
    total = exact_sum(exact.task_compute)
    most = max(total, 1)
    if most // unit > load_limit:
        unit = -(-16 * most // load_limit)
    # A capacity above the total demand is never reached: what is cut off changes no overload.
    most = -(-total // unit) + len(exact.task_compute)
    have = [min(_rounded(C, unit, outer), most) for C in exact.node_compute.tolist()]
    need = exact.task_compute
    if unit > 1:
        need = np.array([_rounded(D, unit, not outer) for D in need.tolist()], dtype=np.int64)
    return unit, np.array(have, dtype=np.int64), np.asarray(need, dtype=np.int64)


def _rounded(value: int, unit: int, up: bool) -> int:
    return -(-value // unit) if up else value // unit


def _prices(
    instance: Instance,
    exact: Exact,
    compute_unit: int,
    task_compute: Array,
    cost_limit: int,
    above: int | None,
) -> tuple[int, Array, Array, Array, bool]:
    """The unit of price, overload, use and idle prices in it (rounded down), and if exact.

    `above` is the most that an allocation of interest costs beyond the offset.
    """
    overload, use = exact.node_surcharge.tolist(), exact.node_use_price.tolist()
    base = _base_price(exact)
    use = [u - base for u in use]
    idle = [0] * instance.num_nodes
    choices = [cost // compute_unit for cost in _choice_costs(exact)]
    divisor = common_divisor(overload, use, choices)
    if instance.power_off:
        costs = (exact.node_on_cost - exact.node_off_cost).tolist()
        idle = [cost // compute_unit for cost in costs]
        divisor = common_divisor(overload, use, idle, choices)
    unit = divisor or 1
    load = int(task_compute.sum()) + 1
    most = (max(overload) + max(use)) * load + max(idle)
    most *= instance.num_nodes
    most += _most_for_choices(instance) // compute_unit + 1 if choices else 0
    if above is not None:
        # A node's overload costs no more than `above`, nor does any single price or idle cost
        # that such an allocation can pay; every other is cut down to just beyond it.
        cap = above // compute_unit + 1
        overload, use, idle = (
            [min(each, cap) for each in column] for column in (overload, use, idle)
        )
        # Of use there is a cost for every task and node, which a model has side by side.
        times = 2 + (instance.rows.num_rows if any(use) else 0)
        times *= instance.num_nodes
        times += 3 * instance.rows.num_rows + instance.num_tasks if choices else 0
        most = min(most, times * cap)
    if most // unit >= cost_limit:
        unit = -(-most // cost_limit)
    price = np.array([o // unit for o in overload], dtype=np.int64)
    use_price = np.array([u // unit for u in use], dtype=np.int64)
    idle_cost = np.array([cost // unit for cost in idle], dtype=np.int64)
    return unit, price, use_price, idle_cost, unit == (divisor or 1)


def _limits(
    exact: Exact, need_limit: int, outer: bool
) -> tuple[Array, Array, tuple[int, ...], bool]:
    """Needs and capacities of the hard dimensions, their units, and whether they are exact."""
    needs = np.zeros(exact.needs.shape, dtype=np.int64)
    capacity = np.zeros(exact.capacity.shape, dtype=np.int64)
    units: list[int] = []
    all_exact = True
    for d in range(len(exact.dimensions)):
        need, have = exact.needs[:, d], exact.capacity[:, d]
        unit = common_divisor(need) or 1
        total = exact_sum(need)
        rounded = total // unit >= need_limit
        if rounded and int(have.min()) >= total:  # it can never bind, whatever its digits
            units.append(unit)
            continue
        if rounded:
            unit = -(-16 * total // need_limit)
            all_exact = False
        units.append(unit)
        small = need.dtype != object
        if small:
            needs[:, d] = need // unit if outer else -(-need // unit)
        else:
            needs[:, d] = [_rounded(s, unit, not outer) for s in need.tolist()]
        most = int(needs[:, d].sum())
        capacity[:, d] = [
            # Where needs are multiples of the unit, what is left of a capacity holds nothing.
            most if total <= S else min(_rounded(S, unit, outer and rounded), most)
            for S in have.tolist()
        ]
    return needs, capacity, tuple(units), all_exact
