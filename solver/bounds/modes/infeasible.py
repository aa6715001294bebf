"""Reasons why a problem with variants, parts, rules and moves has no allocation.

Necessary conditions, checked in exact integers in this order: every task that must run can run in
some form; what must run of a group fits the domains that a rule leaves it (a maximum flow); the
least loss keeps the quality budget; the least moves keep their limit; and the least needs over
the forms fit the nodes (a maximum flow in each hard dimension).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...model.exact import Array, sums_by_group
from ...problem.problem import Problem
from ..cuts import distinct, overfull_cut
from ..words import amount, count, listed, title
from .forms import Forms
from .homeless import why_homeless
from .rules import why_rule_fails

__all__ = ["why_modes_infeasible"]

_MAX_CELLS, _MAX_EDGES = 20_000_000, 50_000


def why_modes_infeasible(problem: Problem) -> str | None:
    """A proof, as a sentence, that no allocation exists; None if none is found."""
    modes = problem.modes
    assert modes is not None
    if modes.mode_form.size * problem.classes.num_node_classes > _MAX_CELLS:
        return None
    return next(_reasons(Forms(problem, modes)), None)


def _reasons(forms: Forms) -> Iterator[str]:
    homeless = why_homeless(forms)
    if homeless is not None:
        yield homeless
        return  # what follows takes it that every task has a form
    for rule in forms.modes.rules:
        reason = why_rule_fails(forms, rule)
        if reason is not None:
            yield reason
    for check in (_loss, _moves, _needs):
        reason = check(forms)
        if reason is not None:
            yield reason


def _loss(forms: Forms) -> str | None:
    """What must be lost, if that is above the quality budget."""
    modes, instance = forms.modes, forms.problem.instance
    if modes.budget is None:
        return None
    least = forms.least(modes.form_loss)
    lost = sum(a * b for a, b in zip(least, modes.task_count.tolist(), strict=True))
    if lost <= modes.budget:
        return None
    choices = instance.exact.choices
    assert choices is not None
    unit = choices.loss_scale
    ids = forms.tasks_of(np.flatnonzero(np.array(least, dtype=object) > 0))
    return (
        f"quality_budget: the loss of {count(ids, 'task')} is at least {amount(lost, unit)}, each "
        f"in the best variant it can run in; the budget is {amount(modes.budget, unit)}: "
        f"{amount(lost - modes.budget, unit)} over"
    )


def _moves(forms: Forms) -> str | None:
    """How many parts must move, if that is more than max_moves."""
    modes = forms.modes
    if modes.most_moves is None:
        return None
    stay = [0] * modes.mode_form.size
    node_class = forms.problem.classes.node_class
    homes = zip(
        modes.home_mode.tolist(), modes.home_node.tolist(), modes.home_count.tolist(), strict=True
    )
    most = forms.problem.most_per_node
    for p, i, at_home in homes:
        if forms.usable[p, node_class[i]]:
            stay[p] += min(at_home, int(most[p, node_class[i]]))
    # In a class of several tasks each is of one part, and moves it or not.
    staying = np.zeros(modes.form_class.size, dtype=np.int64)
    np.add.at(staying, modes.mode_form, np.array(stay, dtype=np.int64))
    counting = np.zeros(modes.form_class.size, dtype=bool)
    counting[modes.mode_form[modes.counts_as_move]] = True
    least = np.zeros(modes.task_count.size, dtype=np.int64)
    for k in np.flatnonzero(forms.must_run).tolist():
        options = np.flatnonzero((modes.form_class == k) & forms.possible)
        m = int(modes.task_count[k])
        if counting[options].all():
            if m == 1:
                least[k] = max(0, int((forms.num_parts - staying)[options].min()))
            else:
                least[k] = max(0, m - int(staying[options].sum()))
    moves = int(least.sum())
    if moves <= modes.most_moves:
        return None
    ids = forms.tasks_of(np.flatnonzero(least))
    return (
        f"max_moves: of {count(ids, 'task')} no fewer than {moves:,} parts must move; "
        f"max_moves is {modes.most_moves:,}: {moves - modes.most_moves:,} over"
    )


def _needs(forms: Forms) -> str | None:
    """What must run and the nodes it clashes on, where even the least needs do not fit."""
    problem, modes = forms.problem, forms.modes
    instance, classes, exact = problem.instance, problem.classes, problem.instance.exact
    reach = forms.reach & forms.must_run[:, None]
    class_bucket, node_bucket, adjacent = distinct(reach)
    if adjacent.size > _MAX_EDGES:
        class_bucket, node_bucket = np.zeros_like(class_bucket), np.zeros_like(node_bucket)
        adjacent = np.ones((1, 1), dtype=bool)
    for d, dimension in enumerate(exact.dimensions):
        least = forms.least(forms.of_forms(problem.exact_numbers.needs[:, d].tolist()))
        of_class = [a * b for a, b in zip(least, modes.task_count.tolist(), strict=True)]
        demand = _sums(of_class, class_bucket, adjacent.shape[0])
        supply = sums_by_group(
            exact.capacity[:, d], node_bucket[classes.node_class], adjacent.shape[1]
        ).tolist()
        cut = overfull_cut(adjacent, demand, supply)
        if cut is None:
            continue
        tasks_in, nodes_in = cut
        needed, there = sum(demand[b] for b in tasks_in), sum(supply[h] for h in nodes_in)
        needing = np.array(least, dtype=object) > 0
        ids = forms.tasks_of(np.flatnonzero(np.isin(class_bucket, tasks_in) & needing))
        nodes = np.flatnonzero(np.isin(node_bucket[classes.node_class], nodes_in))
        scale = exact.scales[d]
        only = "the nodes that" if nodes.size == instance.num_nodes else "the only nodes that"
        if nodes.size == 1:
            only = "the only node that"
        return (
            f"{title(dimension)}: {count(ids, 'task')} need at least "
            f"{amount(needed, scale)} together; {only} can hold them "
            f"({listed(np.asarray(instance.node_ids)[nodes])}) "
            f"{'has' if nodes.size == 1 else 'have'} {amount(there, scale)}: "
            f"{amount(needed - there, scale)} short"
        )
    return None


def _sums(values: list[int], bucket: Array, number: int) -> list[int]:
    sums = [0] * number
    for b, value in zip(bucket.tolist(), values, strict=True):
        sums[b] += value
    return sums
