"""What nodes cost, as exact integers: prices, and electricity made into prices."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ..exact import Array, decimal_places, exact_column, fraction_of, scaled_integers
from .energy import Energy

__all__ = ["NodeCosts", "node_costs_in_integers"]


class NodeCosts(NamedTuple):
    """The cost of a node: on or off, and for each unit of load.

    A node of load L costs ``on + use min(L, C) + overload max(0, L - C)``, and ``off`` while off.

    Attributes
    ----------
    price_scale : int
        By what prices for a unit of compute were multiplied.
    use, overload : (n,) integers
        For a unit of load up to the capacity and above it.
    on, off : (n,) integers
        In units of cost, of which a user's one has compute_scale * price_scale.
    """

    price_scale: int
    use: Array
    overload: Array
    on: Array
    off: Array


def node_costs_in_integers(
    *,
    compute: Array,
    compute_scale: int,
    price: Array,
    overload_price: Array,
    use_price: Array,
    idle_watts: Array,
    max_watts: Array,
    energy: Energy | None,
    power_off: bool | str,
    fixed_cost: Array | None = None,
    least_places: int = 0,
) -> NodeCosts:
    """Scale the prices so that nothing is rounded, and add what electricity costs.

    `fixed_cost`, where finite, is paid instead of the price of the compute; `least_places` are the
    decimals that prices get at least.

    A node draws ``idle + (max - idle) min(L, C) / C + max * max(0, L - C) / C`` watts: linear
    between no load and full load, and overload is work that takes longer. So electricity only adds
    to the prices of being on, of use and of overload.
    """
    fixed = None if fixed_cost is None or not (fixed_cost < math.inf).any() else fixed_cost
    places = max(least_places, decimal_places(price, overload_price, use_price))
    if fixed is not None:
        places = max(places, decimal_places(fixed))
    scale = 10**places
    use, overload = (scaled_integers(column, places) for column in (use_price, overload_price))
    own = scaled_integers(price, places).astype(object) * compute.astype(object)
    if fixed is not None:
        own = np.array([
            paid if cost == math.inf else int(fraction_of(cost) * scale * compute_scale)
            for paid, cost in zip(own.tolist(), fixed.tolist(), strict=True)
        ], dtype=object)  # fmt: skip
    on, paid = own, own
    watt = Fraction(0) if energy is None else energy.cost_per_watt
    if watt and max_watts.any():
        idle = [watt * fraction_of(a) for a in idle_watts.tolist()]
        full = [watt * fraction_of(b) for b in max_watts.tolist()]
        size = [Fraction(int(C), compute_scale) for C in compute.tolist()]
        each = [b / C if C else Fraction(0) for b, C in zip(full, size, strict=True)]
        more = [(b - a) / C if C else Fraction(0) for a, b, C in zip(idle, full, size, strict=True)]
        wanted = (*each, *more, *(a * compute_scale for a in idle))
        factor = math.lcm(*((value * scale).denominator for value in wanted))
        scale *= factor
        use = _sum(use, factor, more, scale)
        overload = _sum(overload, factor, each, scale)
        paid = own * factor
        on = paid + np.array([int(a * compute_scale * scale) for a in idle], dtype=object)
    off = paid if power_off == "owned" else 0 * on if power_off else on
    return NodeCosts(scale, use, overload, *(exact_column(cost.tolist()) for cost in (on, off)))


def _sum(column: Array, factor: int, parts: list[Fraction], scale: int) -> Array:
    """A column of scaled prices in a finer scale, and what is to be added."""
    pairs = zip(column.tolist(), parts, strict=True)
    return exact_column([int(value) * factor + int(part * scale) for value, part in pairs])
