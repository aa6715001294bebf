"""How tasks run: whole or in incomplete forms, and what that loses, against what it may."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from ..model.exact import Array
from .capacities import decimal_of, excess, plain_number, times, total_of
from .moves import moves_of
from .placed import Placed
from .violations import Violation

__all__ = ["budgets", "forms", "loss_in_all"]


def forms(placed: Placed, meant: Array) -> Iterator[Violation]:
    """Tasks without a node, in parts of several variants, or without some of their parts.

    Parameters
    ----------
    placed : Placed
    meant : (W,) bool
        The rows that were given a node, be it known or unknown.
    """
    instance, ids = placed.instance, placed.instance.task_ids
    if instance.is_plain:
        for j in np.flatnonzero(~meant).tolist():
            yield Violation("unassigned", str(ids[j]), None, 1)
        return
    rows = instance.rows
    count = np.bincount(rows.form[meant], minlength=rows.num_forms)
    used = np.flatnonzero(count)
    forms_of_task = np.bincount(rows.form_task[used], minlength=instance.num_tasks)
    must_run = instance.task_skip_price == float("inf")
    for j in np.flatnonzero((forms_of_task == 0) & must_run).tolist():
        yield Violation("unassigned", str(ids[j]), None, 1)
    for j in np.flatnonzero(forms_of_task > 1).tolist():
        many = int(forms_of_task[j])
        yield Violation("variant", str(ids[j]), None, many - 1, total=many)
    if rows.is_identity:
        return
    incomplete = used[count[used] < np.diff(rows.form_start)[used]]
    for form in incomplete.tolist():
        for row in range(rows.form_start[form], rows.form_start[form + 1]):
            if not meant[row]:
                task, part = str(ids[rows.form_task[form]]), int(rows.part[row]) + 1
                yield Violation("parts", task, None, 1, part=part)
    yield from _together(placed)


def _together(placed: Placed) -> Iterator[Violation]:
    """Parts of one task on one node."""
    instance = placed.instance
    pairs = np.sort(placed.task * instance.num_nodes + placed.node)
    if not (pairs[1:] == pairs[:-1]).any():
        return
    distinct, count = np.unique(pairs, return_counts=True)
    for pair, many in zip(distinct[count > 1].tolist(), count[count > 1].tolist(), strict=True):
        j, i = divmod(pair, instance.num_nodes)
        task, node = str(instance.task_ids[j]), str(instance.node_ids[i])
        yield Violation("parts", task, node, many - 1)


def budgets(placed: Placed) -> Iterator[Violation]:
    """What is lost by tasks and in all, and what moves, against its limits."""
    instance = placed.instance
    yield from _losses(placed)
    if instance.quality_budget is not None:
        lost, most = loss_in_all(placed), decimal_of(instance.quality_budget)
        if lost > most:
            above, total = excess(lost, most), plain_number(lost)
            yield Violation("quality_budget", None, None, above, total=total)
    if instance.max_moves is not None:
        moves = moves_of(placed)
        if moves > instance.max_moves:
            yield Violation("max_moves", None, None, moves - instance.max_moves, total=moves)


def _losses(placed: Placed) -> Iterator[Violation]:
    instance, rows = placed.instance, placed.instance.rows
    most = instance.task_max_loss
    limited = placed.chosen[most[rows.form_task[placed.chosen]] < float("inf")]
    number = placed.variant_of(limited)
    for form, each in zip(limited[number >= 0].tolist(), number[number >= 0].tolist(), strict=True):
        j, variant = int(rows.form_task[form]), placed.variants[each]
        allowed = most[j].item() if hasattr(most[j], "item") else most[j]
        if decimal_of(variant.loss) > decimal_of(allowed):
            above, task = excess(variant.loss, allowed), str(instance.task_ids[j])
            yield Violation("max_loss", task, None, above, variant=variant.name)


def loss_in_all(placed: Placed) -> Decimal:
    """The losses of the chosen variants together, exactly."""
    number = placed.variant_of(placed.chosen)
    distinct, count = np.unique(number[number >= 0], return_counts=True)
    pairs = zip(distinct.tolist(), count.tolist(), strict=True)
    return total_of(times(placed.variants[each].loss, many) for each, many in pairs)
