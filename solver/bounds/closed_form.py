"""The closed form: the total demand poured into the cheapest places."""

from __future__ import annotations

import math
from fractions import Fraction

from ..model.exact import exact_sum
from ..model.instance import Instance
from ..problem.attainable import round_up_to_attainable
from ..problem.problem import Problem

__all__ = ["closed_form_bound"]


def closed_form_bound(problem: Problem, _time_limit: float = 0.0) -> int:
    """Pour the demand into the cheapest places: a bound in exact cost units.

    Each node offers C at its use price u, and with power_off at u and its share of what being off
    would save, and what max_load leaves above C at price o. Being off is paid for anyway.

    Complexity: O(m + n log n).
    """
    instance, exact = problem.instance, problem.instance.exact
    demand = exact_sum(exact.task_compute)
    nodes = list(
        zip(
            exact.node_compute.tolist(),
            (exact.node_on_cost - exact.node_off_cost).tolist(),
            exact.node_use_price.tolist(),
            exact.node_overload_price.tolist(),
            _load_limits(instance, demand),
            strict=True,
        )
    )
    places = [(o, max(0, limit - C)) for C, _, _, o, limit in nodes]
    # A node that may be off is paid for, in part, by what it carries.
    places += [(_share(saved, C) + u, min(C, limit)) for C, saved, u, _, limit in nodes]
    total: Fraction | int = sum(exact.node_off_cost.tolist())
    left = demand
    for price, room in sorted(places):
        amount = min(left, room)
        total += price * amount
        left -= amount
    return round_up_to_attainable(problem, math.ceil(total))


def _share(cost: int, compute: int) -> Fraction | int:
    """What a unit of compute carries of a cost."""
    if compute == 0 or cost == 0:
        return 0
    return cost // compute if cost % compute == 0 else Fraction(cost, compute)


def _load_limits(instance: Instance, demand: int) -> list[int]:
    """The most load each node may carry, in exact units."""
    names = instance.exact.dimensions
    if "max_load" not in names:
        return [demand] * instance.num_nodes
    return [int(limit) for limit in instance.exact.capacity[:, names.index("max_load")].tolist()]
