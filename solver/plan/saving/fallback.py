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
    present: Present,
    node_index: Array,
    base: Array | None,
    order: Order,
    solve: Solve,
    deadline: float,
) -> tuple[Array, Plan] | None:
    """The cheapest allocation found whose moves have a safe order; None if there is none.

    First a base, such as staying, and as much of the allocation as has an order, in groups of
    moves that share nodes; then allocations of fewer and fewer moves.

    Parameters
    ----------
    present : Present
    node_index : (W,) int64
        An allocation without a safe order.
    base : (W,) int64 or None
        One that changes little, if there is one: where nothing must change, none.
    order, solve : callable
    deadline : float
        A reading of `time.monotonic`.
    """
    instance = present.instance
    best: tuple[int, Array, Plan] | None = None

    def consider(found: Array, until: float) -> bool:
        nonlocal best
        cost = cost_in_units(instance, found)
        if check(instance, found) or (best is not None and cost >= best[0]):
            return False
        plan = order(found, until)
        if plan.status is not PlanStatus.ORDERED:
            return False
        best = cost, found, plan
        return True

    begun = time.monotonic()
    if base is not None and consider(base, deadline):
        until = begun + _GROUP_SHARE * (deadline - begun)
        kept, chunks = base, [list(groups_between(instance, base, node_index))]
        while chunks and time.monotonic() < until:
            chunk = chunks.pop()
            changed = kept.copy()
            for rows in chunk:
                changed[rows] = node_index[rows]
            if consider(changed, until):
                kept = changed
            elif len(chunk) > 1:
                half = len(chunk) // 2
                chunks += [chunk[half:], chunk[:half]]
    for most in _fewer(count_moves(Allocation(instance, node_index))):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        found = solve(most, time.monotonic() + left / 2)
        if found is None or consider(found, deadline):
            break
    return None if best is None else best[1:]


def _fewer(moves: int) -> Iterator[int]:
    """One move less, then half as many and so on."""
    if moves > 0:
        yield moves - 1
    while moves > 3:
        moves //= 2
        yield moves
