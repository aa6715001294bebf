"""Whether a task may go to a node: its eligibility, and room for what it needs."""

from __future__ import annotations

from ..model.exact import Array
from .build.jit import lean
from .state import Facts

__all__ = ["fits", "has_room", "may_run"]


@lean
def may_run(facts: Facts, t: int, i: int) -> bool:
    """Whether task t is eligible for node i."""
    if facts.everywhere:
        return True
    g = facts.group[t]
    if facts.allowed.shape[0] > 0:
        return bool(facts.allowed[g, i])
    return _is_listed(facts, g, i)


@lean
def _is_listed(facts: Facts, g: int, i: int) -> bool:
    """Whether the list of group g names node i, its kind or a label value, or there is none."""
    begin, end = facts.list_start[g], facts.list_start[g + 1]
    if begin == end:
        return True
    for column in range(facts.node_labels.shape[1]):
        label = facts.node_labels[i, column]
        low, high = begin, end
        while low < high:
            middle = (low + high) // 2
            if facts.list_labels[middle] < label:
                low = middle + 1
            else:
                high = middle
        if low < end and facts.list_labels[low] == label:
            return True
    return False


@lean
def has_room(facts: Facts, room: Array, t: int) -> bool:
    """Whether (d,) room of the hard dimensions is enough for task t."""
    for d in range(room.size):  # noqa: SIM110 - numba has no all() of a generator
        if room[d] < facts.needs[t, d]:
            return False
    return True


@lean
def fits(facts: Facts, room: Array, t: int, i: int) -> bool:
    """Whether task t may go to node i, which has (d,) room of the hard dimensions."""
    return may_run(facts, t, i) and has_room(facts, room, t)
