"""Where the moves to the best allocation have no safe order: another one, whose moves have one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from ...judge.check import check
from ...judge.cost import cost_in_units
from ...judge.moves import count_moves
from ...model.allocation import Allocation
from ...model.exact import Array
from ...model.plans.plan import Plan, PlanStatus
from ..present import Present
from .groups import groups_between

__all__ = ["Order", "orderable"]

Order = Callable[[Array, float], Plan]
"""Orders the moves to (W,) node positions, until a reading of `time.monotonic`."""
Solve = Callable[[int, float], Array | None]
"""The cheapest allocation of at most so many moves that is found until then."""

_GROUP_SHARE = 0.5  # of the time, for the moves that are in each other's way


def orderable(
    present: Present, node_index: Array, order: Order, solve: Solve, deadline: float
) -> tuple[Array, Plan] | None:
    """The cheapest allocation found whose moves have a safe order; None if there is none.

    First all moves that have an order by themselves, group by group of those that share nodes;
    then allocations of fewer and fewer moves; at last nothing moves, where that breaks no rule.

    Parameters
    ----------
    present : Present
    node_index : (W,) int64
        An allocation without a safe order.
    order, solve : callable
    deadline : float
        A reading of `time.monotonic`.
    """
    instance = present.instance
    best: tuple[int, Array, Plan] | None = None
    if present.can_stay:
        stay = present.node_index
        best = present.units, stay, order(stay, deadline)

    def consider(found: Array) -> bool:
        nonlocal best
        cost = cost_in_units(instance, found)
        if check(instance, found) or (best is not None and cost >= best[0]):
            return False
        plan = order(found, deadline)
        if plan.status is not PlanStatus.ORDERED:
            return False
        best = cost, found, plan
        return True

    begun = time.monotonic()
    consider(_by_groups(present, node_index, order, begun + _GROUP_SHARE * (deadline - begun)))
    for most in _fewer(count_moves(Allocation(instance, node_index))):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        found = solve(most, time.monotonic() + left / 2)
        if found is None or consider(found):
            break
    return None if best is None else best[1:]


def _by_groups(present: Present, node_index: Array, order: Order, deadline: float) -> Array:
    """What runs now, changed by the groups of moves that have a safe order by themselves."""
    now = present.node_index
    kept = now.copy()
    groups = list(groups_between(present.instance, now, node_index))
    for number, rows in enumerate(groups):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        changed = now.copy()
        changed[rows] = node_index[rows]
        share = time.monotonic() + left / (len(groups) - number)
        if order(changed, share).status is PlanStatus.ORDERED:
            kept[rows] = node_index[rows]
    return kept


def _fewer(moves: int) -> Iterator[int]:
    """One move less, then half as many and so on."""
    if moves > 0:
        yield moves - 1
    while moves > 3:
        moves //= 2
        yield moves
