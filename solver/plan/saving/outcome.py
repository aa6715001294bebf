"""The result of a re-planning: what it saves, and what another allocation would make of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from ...judge.cost import cost_in_units, cost_parts, energy_of, in_user_units
from ...judge.moves import count_moves
from ...model.allocation import Allocation
from ...model.exact import Array, fraction_of
from ...model.result import Progress, Result, Status, Termination
from ..present import Present

__all__ = ["said", "with_allocation", "with_history", "with_savings"]


def with_savings(result: Result, present: Present) -> Result:
    """The result, and what its allocation saves against what runs now."""
    saving = bound = None
    if result.allocation is not None:
        saving = present.saving_of(cost_in_units(present.instance, result.allocation.node_index))
    if result.bound is not None:
        is_best = result.status is Status.OPTIMAL
        bound = saving if is_best else present.saving_bound(result.bound)
    return replace(
        result,
        cost_now=present.cost,
        saving=saving,
        saving_bound=bound,
        broken_now=present.broken,
    )


def with_allocation(result: Result, present: Present, node_index: Array) -> Result:
    """The result with another allocation, which keeps every rule, and what follows from it.

    One that costs less than what was optimal refutes the bound, which is dropped.
    """
    assert result.allocation is not None
    instance = present.instance
    allocation = Allocation(instance, node_index)
    before, units = (cost_in_units(instance, a.node_index) for a in (result.allocation, allocation))
    is_best = result.status is Status.OPTIMAL and units == before
    bound, proof = result.bound, result.proof
    if result.status is Status.OPTIMAL and not is_best:
        bound = in_user_units(instance, before, floor=True)  # it was the number nearest to it
    if bound is not None and not is_best:
        above = fraction_of(bound) - Fraction(units, instance.exact.cost_scale)
        is_best = above == 0
        bound, proof = (None, None) if above > 0 else (bound, proof)
    termination = Termination.PROVEN if is_best else result.termination
    if not is_best and termination is Termination.PROVEN:
        termination = Termination.FINISHED
    changed = replace(
        result,
        status=Status.OPTIMAL if is_best else Status.FEASIBLE,
        termination=termination,
        allocation=allocation,
        cost=in_user_units(instance, units),
        bound=bound,
        proof=proof,
        cost_parts=cost_parts(instance, node_index),
        energy=energy_of(instance, node_index),
        moves=count_moves(allocation),
        left_out=allocation.left_out,
    )
    return with_savings(changed, present)


def said(result: Result, *sentences: str | None) -> Result:
    """The result with sentences before its message."""
    return replace(result, message="; ".join(filter(None, [*sentences, result.message])) or None)


def with_history(result: Result, before: Iterable[Progress], seconds: float) -> Result:
    """The result of a solve that began so many seconds late, and what was known before."""
    later = (
        replace(point, seconds=point.seconds + seconds)
        for point in result.history
        if point.cost is not None or not before
    )
    return replace(result, history=(*before, *later), seconds=result.seconds + seconds)
