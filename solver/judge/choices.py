"""What an allocation leaves out, moves and loses, in words."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.allocation import Allocation
from .capacities import plain_number
from .forms import loss_in_all
from .moves import moves_of
from .placed import Placed

__all__ = ["choices_of"]


def choices_of(allocation: Allocation) -> Iterator[str]:
    """A line each on the tasks left out, the moves and the loss, where there can be any.

    Examples
    --------
    >>> from solver.model.instance import Instance
    >>> instance = Instance.from_arrays(
    ...     node_compute=[4], task_compute=[3, 2], task_skip_price=[1, 1], max_moves=2,
    ...     current={"task-0": "node-0"})
    >>> list(choices_of(Allocation(instance, [0, -1])))
    ['1 of 2 tasks is left out', '0 parts move; max_moves is 2']
    """
    instance = allocation.instance
    if instance.is_plain:
        return
    placed = Placed(instance, allocation.node_index)
    if (instance.task_skip_price < float("inf")).any():
        out, are = len(allocation.left_out), "is" if len(allocation.left_out) == 1 else "are"
        yield f"{out:,} of {instance.num_tasks:,} tasks {are} left out"
    if instance.current is not None:
        moves = moves_of(placed)
        most = "" if instance.max_moves is None else f"; max_moves is {instance.max_moves:,}"
        yield f"{moves:,} {'part moves' if moves == 1 else 'parts move'}{most}"
    budget = instance.quality_budget
    if budget is not None or any(variant.loss for variant in placed.variants):
        lost = plain_number(loss_in_all(placed))
        yield f"the variants lose {lost:,}" + (
            "" if budget is None else f"; quality_budget is {budget:,}"
        )
