"""A lower bound where moves are capped or priced: what each node gains by the moves off it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np

from ..model.exact import Array, exact_sum
from ..model.instance import Instance

__all__ = ["moves_bound"]

_MOST_ROWS = 300_000
"""Rows that are looked at one by one in Python."""


def moves_bound(instance: Instance) -> int | None:
    """A cost in exact units that no allocation within the cap on moves goes below.

    Parameters
    ----------
    instance : Instance
        One with `current`.

    Returns
    -------
    int or None
        None where moves are neither capped nor priced, or the instance is too large.

    Notes
    -----
    A part that leaves its node is a move, if its task must run and has one form. Let G_i(r) be what
    node i costs less at most when r of its parts leave and none comes: the r that ask for most
    load, at the r least move prices, and nothing is paid for being on where all are gone. Then no
    allocation saves more than the maximum of sum_i G_i(r_i) over sum_i r_i <= max_moves, and this
    no more than that of the concave hulls of the G_i, whose steepest segments are taken. Parts of
    other tasks may leave for nothing. All of that in Python integers; O(W log W).
    """
    choices, exact, rows = instance.exact.choices, instance.exact, instance.rows
    if instance.current is None or choices is None or rows.num_rows > _MOST_ROWS:
        return None
    cap = instance.max_moves
    if cap is None and not np.any(choices.move_cost):
        return None
    counts = _must_move(instance)
    here = np.flatnonzero((instance.current >= 0) & counts)
    drained = np.array([state == "drained" for state in instance.node_state])
    order = here[np.argsort(instance.current[here], kind="stable")]
    node = instance.current[order]
    starts = np.searchsorted(node, np.arange(instance.num_nodes + 1)).tolist()
    demand, price = exact.task_compute, choices.move_cost
    nodes = zip(
        *(
            column.tolist()
            for column in (
                exact.node_compute,
                exact.node_on_cost,
                exact.node_off_cost,
                exact.node_use_price,
                exact.node_overload_price,
                drained,
            )
        ),
        strict=True,
    )
    least, forced = _least_of_tasks(instance), 0
    segments: list[tuple[Fraction, int]] = []
    for (first, last), (*figures, must_leave) in zip(pairwise(starts), nodes, strict=True):
        held = order[first:last]
        loads = sorted(demand[held].tolist(), reverse=True)
        prices = sorted(price[rows.task[held]].tolist())
        costs = list(_costs(figures, loads, prices))
        least += costs[-1] if must_leave else costs[0]
        forced += len(loads) if must_leave else 0
        if not must_leave:
            segments += _hull([costs[0] - cost for cost in costs])
    return least - _most_gain(segments, None if cap is None else max(0, cap - forced))


def _must_move(instance: Instance) -> Array:
    """(W,) bool: whether a part that leaves its node counts as a move in any allocation."""
    one_form = np.diff(instance.rows.task_form) == 1
    must_run = instance.task_skip_price == float("inf")
    counted: Array = (one_form & must_run)[instance.rows.task]
    return counted


def _least_of_tasks(instance: Instance) -> int:
    """What variants cost at least, or leaving out where that is cheaper."""
    choices, first = instance.exact.choices, instance.rows.task_form[:-1]
    assert choices is not None
    least = np.minimum.reduceat(choices.form_cost, first)
    skip = choices.skip_cost
    return exact_sum(np.where((skip >= 0) & (skip < least), skip, least))


def _costs(figures: list[int], loads: list[int], prices: list[int]) -> Iterator[int]:
    """The least cost of a node and of the moves off it, of 0, 1, ... parts that leave."""
    capacity, on, off, use, overload = figures
    load, moved = sum(loads), 0
    for left in range(len(loads) + 1):
        on_cost = on + use * min(load, capacity) + overload * max(0, load - capacity)
        yield (on_cost if left < len(loads) else min(on_cost, off)) + moved
        if left < len(loads):
            load -= loads[left]
            moved += prices[left]


def _hull(gains: list[int]) -> Iterator[tuple[Fraction, int]]:
    """Slopes and lengths of the rising segments of the upper concave hull; gains[0] is 0."""
    corners: list[int] = []
    for r, gain in enumerate(gains):
        while len(corners) > 1:
            a, b = corners[-2], corners[-1]
            if (gains[b] - gains[a]) * (r - a) > (gain - gains[a]) * (b - a):
                break
            corners.pop()
        corners.append(r)
    for a, b in pairwise(corners):
        if gains[b] > gains[a]:
            yield Fraction(gains[b] - gains[a], b - a), b - a


def _most_gain(segments: list[tuple[Fraction, int]], cap: int | None) -> int:
    """What the steepest segments sum up to, within a cap on their lengths; rounded up."""
    gain = Fraction(0)
    for slope, length in sorted(segments, reverse=True):
        taken = length if cap is None else min(length, cap)
        gain += slope * taken
        cap = None if cap is None else cap - taken
        if cap == 0:
            break
    return -(-gain.numerator // gain.denominator)
