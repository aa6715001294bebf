"""Why a task that must run can run in none of its forms, in the user's words."""

from __future__ import annotations

import numpy as np

from ...model.exact import Array
from ...model.rules import AntiAffinity, Limit
from ...problem.modes import DomainRule
from ..words import amount, listed, named, plain, title
from .forms import Forms

__all__ = ["why_homeless"]

_FORMS, _NODES = 3, 3


def why_homeless(forms: Forms) -> str | None:
    """A sentence about the first class of tasks that can run nowhere; None if there is none."""
    modes = forms.modes
    placed = np.zeros(modes.task_count.size, dtype=bool)
    placed[modes.form_class[forms.possible]] = True
    homeless = np.flatnonzero(forms.must_run & ~placed)
    if not homeless.size:
        return None
    sentence = _sentence(forms, int(homeless[0]))
    further = int(modes.task_count[homeless[1:]].sum())
    tasks = "task" if further == 1 else "tasks"
    return f"{sentence}; {further:,} further {tasks} can run nowhere" if further else sentence


def _sentence(forms: Forms, k: int) -> str:
    instance, modes = forms.problem.instance, forms.modes
    j = int(modes.task_first[k])
    rows = instance.rows
    names = named(forms.tasks_of(np.array([k])), "task")
    found: list[tuple[str, str]] = []
    for q in range(int(rows.task_form[j]), int(rows.task_form[j + 1])):
        v = int(rows.form_variant[q])
        variant = instance.variants_of(j)[v]
        of_class = (modes.form_class == k) & (modes.form_variant == v)
        reason = "its loss is above what the task allows"
        if of_class.any():
            reason = _why_form(forms, int(np.flatnonzero(of_class)[0]))
        elif variant is not None:
            most = instance.task_max_loss[j : j + 1].tolist()[0]
            reason = f"its loss is {plain(variant.loss)}, and max_loss is {plain(most)}"
        found.append((reason, "" if variant is None else variant.name))
    if len(found) == 1:
        return f"{names} can run nowhere: {found[0][0]}"
    words = f"{names} can run in none of its {len(found):,} variants"
    reasons = list(dict.fromkeys(reason for reason, _ in found))
    if len(reasons) == 1:
        return f"{words}: {reasons[0]}"
    shown = "; ".join(
        f"{', '.join(repr(name) for why, name in found if why == reason)}: {reason}"
        for reason in reasons[:_FORMS]
    )
    more = f"; and {len(reasons) - _FORMS:,} more reasons" if len(reasons) > _FORMS else ""
    return f"{words} ({shown}{more})"


def _why_form(forms: Forms, f: int) -> str:
    for p in forms.modes_of[f]:
        if not forms.usable[p].any():
            return _why_mode(forms, p)
    torn = forms.torn_by(f) if forms.enough_nodes(f) else None
    parts = int(forms.num_parts[f])
    if torn is not None:
        rule = torn.rule
        return (
            f"its {parts:,} parts need as many nodes, and the affinity of group {rule.group!r} "
            f"wants them in one {_noun(torn)}: none has so many that can take them"
        )
    of_form = forms.modes_of[f]
    nodes = int(forms.problem.classes.node_count[forms.usable[of_form].any(axis=0)].sum())
    if nodes < parts:
        return f"its {parts:,} parts need as many nodes, and only {nodes:,} can take one"
    scarce = next(p for p in of_form if forms.num_usable[p] < forms.modes.mode_parts[p])
    return (
        f"{int(forms.modes.mode_parts[scarce]):,} of its parts need as many nodes, and "
        f"only {int(forms.num_usable[scarce]):,} can take one"
    )


def _why_mode(forms: Forms, p: int) -> str:
    """What leaves a part without a node: the first limit after which none is left."""
    instance, modes, classes = forms.problem.instance, forms.modes, forms.problem.classes
    row = int(modes.rows_of(p)[0])
    left = np.array(instance.eligibility.row(int(instance.rows.group[row])), dtype=bool)
    pinned = instance.pinned_sets[int(instance.task_pinned[int(instance.rows.task[row])])]
    if not left.any():
        if pinned is None:
            return "no node is eligible"
        return f"none of the nodes it is pinned to ({listed(pinned)}) is eligible"
    which = "no node it is pinned to" if pinned is not None else "no node it is eligible for"
    if left.all():
        which = "no node"
    states = np.array(instance.node_state)
    at_home = np.zeros(left.size, dtype=bool)
    at_home[modes.home_node[modes.home_mode == p]] = True
    before, left = left, left & ((states == "open") | ((states == "cordoned") & at_home))
    if not left.any():
        nodes = np.flatnonzero(before).tolist()
        shown = ", ".join(f"{str(instance.node_ids[i])!r} is {states[i]}" for i in nodes[:_NODES])
        more = f", and {len(nodes) - _NODES:,} more" if len(nodes) > _NODES else ""
        return f"{which} takes new parts ({shown}{more})"
    for rule in modes.rules:
        if p not in rule.modes or rule.domain is None:
            continue
        before, left = left, left & (rule.domain[classes.node_class] >= 0)
        if not left.any():
            return (
                f"none of the nodes left to it ({_ids(forms, before)}) has a "
                f"{rule.rule.domain!r}, which the {rule.rule.name} of group "
                f"{rule.rule.group!r} asks for"
            )
    for rule in modes.rules:
        if p in rule.modes and isinstance(rule.rule, AntiAffinity) and p in rule.other_modes:
            groups = f"{rule.rule.group!r} and {rule.rule.with_!r}"
            return f"it is in both groups of the anti-affinity of {groups}"
    lacking = _lacking(forms, p, left)
    if lacking is not None:
        return lacking
    for rule in modes.rules:
        if p in rule.modes and isinstance(rule.rule, Limit) and rule.rule.max == 0:
            return f"the limit of group {rule.rule.group!r} is 0 in each {_noun(rule)}"
    return "no node it may run on can take it"


def _lacking(forms: Forms, p: int, left: Array) -> str | None:
    """The hard dimension of which no node has enough."""
    numbers, classes = forms.problem.exact_numbers, forms.problem.classes
    exact = forms.problem.instance.exact
    need, have = numbers.needs[p].tolist(), numbers.capacity[np.unique(classes.node_class[left])]
    for d, dimension in enumerate(exact.dimensions):
        most, scale = max(have[:, d].tolist()), exact.scales[d]
        if need[d] > most:
            where = f"any of the {int(left.sum()):,} nodes it may run on has at most"
            if left.sum() == 1:
                where = f"the only node it may run on ({_ids(forms, left)}) has"
            return (
                f"{title(dimension)}: it needs {amount(need[d], scale)}, and {where} "
                f"{amount(most, scale)}: {amount(need[d] - most, scale)} short"
            )
    if not any(all(a <= b for a, b in zip(need, row, strict=True)) for row in have.tolist()):
        dimensions = ", ".join(title(dimension) for dimension in exact.dimensions)
        return f"no node it may run on has enough of all of {dimensions} at once"
    return None


def _ids(forms: Forms, nodes: Array) -> str:
    return listed(np.asarray(forms.problem.instance.node_ids)[nodes])


def _noun(rule: DomainRule) -> str:
    domain = rule.rule.domain
    return domain if domain in ("node", "kind") else f"value of {domain!r}"
