"""What an allocation leaves out, moves and loses, in words."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.allocation import Allocation
from .capacities import plain_number
from .forms import loss_in_all
from .moves import moves_of
from .placed import Placed

__all__ = ["choices_of"]


def choices_of(allocation: Allocation) -> Iterator[tuple[str, str]]:
    """How many tasks are left out, how many parts move, and what is lost, where any can be.

    Examples
    --------
    >>> from solver.model.instance import Instance
    >>> instance = Instance.from_arrays(
    ...     node_compute=[4], task_compute=[3, 2], task_skip_price=[1, 1], max_moves=2,
    ...     current={"task-0": "node-0"})
    >>> dict(choices_of(Allocation(instance, [0, -1])))
    {'left out': '1 of 2 tasks', 'moves': '0 of at most 2'}
    """
    instance = allocation.instance
    if instance.is_plain:
        return
    placed = Placed(instance, allocation.node_index)
    if (instance.task_skip_price < float("inf")).any():
        yield "left out", f"{len(allocation.left_out):,} of {instance.num_tasks:,} tasks"
    if instance.current is not None:
        most = "" if instance.max_moves is None else f" of at most {instance.max_moves:,}"
        yield "moves", f"{moves_of(placed):,}{most}"
    budget = instance.quality_budget
    if budget is not None or any(variant.loss for variant in placed.variants):
        most = "" if budget is None else f" of a budget of {budget:,}"
        yield "loss", f"{plain_number(loss_in_all(placed)):,}{most}"
