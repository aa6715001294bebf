"""The classes of the whole model: interchangeable tasks, their forms, and the modes of these.

A *mode* is one way to run a part of a task (as in multi-mode scheduling): a variant's part with its
demand, its needs and where it may run. Tasks of one class have the same forms; a form is a class of
tasks in one of its variants; a mode is a kind of part of a form. Modes stand to rows as classes of
tasks stand to tasks in a plain instance, so that tables, programs and bounds over classes have
modes in their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..model.exact import Array
from ..model.instance import Instance
from ..model.rows.rows import Rows
from .classes import Classes, group_rows, signatures
from .domains import DomainRule, domain_rules, domains_of, hosts_by_eligibility

__all__ = ["DomainRule", "Modes", "find_modes"]


@dataclass(frozen=True)
class Modes:
    """K classes of tasks, F forms and P modes of them; G classes of nodes are in `classes`.

    Attributes
    ----------
    classes : Classes
        Of rows and nodes: ``task_class`` is the mode of each row, -1 of one that is not allowed,
        ``task_count`` the most parts of a mode that there can be.
    task_class : (m,) int64
    task_count, task_first : (K,) int64
        Tasks of each class, and one that stands for it.
    skip_cost : tuple of K int or None
        Of leaving a task out, in exact units; None where it must run.
    form_class, form_variant : (F,) int64
        The class and the variant of each form; forms that lose too much are left out.
    form_cost, form_loss : tuple of F int
        Exact, of one task in the form.
    budget : int or None
        The most that losses may sum to.
    mode_form, mode_class, mode_parts : (P,) int64
        Form and class of each mode, and its parts in one task of the form.
    move_cost : tuple of P int
        Exact, of each part that is not at home.
    counts_as_move : (P,) bool
        Whether a part that is not at home has moved: its task has a place now.
    most_moves : int or None
    home_mode, home_node, home_count : (H,) int64
        Parts of a mode that are on a node now; no pair stands twice.
    node_open : (G,) bool
        Whether nodes of a class take parts that are not there now.
    node_keeps : (G,) bool
        Whether others keep those that are: cordoned ones do, drained ones do not.
    rules : tuple of DomainRule
    """

    classes: Classes
    task_class: Array
    task_count: Array
    task_first: Array
    skip_cost: tuple[int | None, ...]
    form_class: Array
    form_variant: Array
    form_cost: tuple[int, ...]
    form_loss: tuple[int, ...]
    budget: int | None
    mode_form: Array
    mode_class: Array
    mode_parts: Array
    move_cost: tuple[int, ...]
    counts_as_move: Array
    most_moves: int | None
    home_mode: Array
    home_node: Array
    home_count: Array
    node_open: Array
    node_keeps: Array
    rules: tuple[DomainRule, ...]

    @property
    def num_classes(self) -> int:
        """K, the number of classes of tasks."""
        return int(self.task_count.size)

    @property
    def num_forms(self) -> int:
        """F, the number of forms."""
        return int(self.form_class.size)

    @property
    def num_modes(self) -> int:
        """P, the number of modes."""
        return int(self.mode_form.size)

    def rows_of(self, p: int) -> Array:
        """Rows of mode p, ascending."""
        return self.classes.tasks_of(p)

    @cached_property
    def has_homes(self) -> bool:
        """Whether anything is at home somewhere."""
        return bool(self.home_mode.size)

    @cached_property
    def home(self) -> Array:
        """(P, G) int64: parts of a mode at home on each single node of a class.

        As large as the table of modes and classes of nodes; `home_mode` and the columns beside it
        hold the same sparsely.
        """
        table = np.zeros((self.num_modes, self.classes.num_node_classes), dtype=np.int64)
        table[self.home_mode, self.classes.node_class[self.home_node]] = self.home_count
        return table

    def cap(self, most: Array) -> Array:
        """(P, G) int64: `most` parts of a mode on one node, cut by what the rules leave.

        Parts of a task are apart, cordoned nodes take only what is at home, drained ones nothing,
        and rules limit the parts of a group on a node.
        """
        capped = np.minimum(most, self.task_count[self.mode_class][:, None])
        closed = ~self.node_open
        if closed.any():
            kept = np.where(self.node_keeps[closed], self.home[:, closed], 0)
            capped[:, closed] = np.minimum(capped[:, closed], kept)
        for rule in self.rules:
            if rule.domain is not None:
                capped[np.ix_(rule.modes, np.flatnonzero(rule.domain < 0))] = 0
            if rule.most is not None:
                capped[rule.modes] = np.minimum(capped[rule.modes], rule.most)
        return capped


def find_modes(instance: Instance) -> Modes:
    """The modes of an instance that is not plain.

    Complexity: a few lexicographic sorts of tasks, rows and nodes.
    """
    choices = instance.exact.choices
    assert choices is not None
    eligible_groups, hosts = signatures(instance.eligibility)
    current_form = _current_forms(instance)
    task_class, task_first = _task_classes(instance, eligible_groups, current_form)
    task_count = np.bincount(task_class, minlength=task_first.size)

    forms = _forms(instance, task_class, task_first)
    mode_form, mode_parts = forms.mode_form, forms.mode_parts
    mode_class = forms.form_class[mode_form]
    home_mode, home_node, home_count = _homes(instance, forms.row_mode)
    domains = domains_of(instance)
    spread_hosts = hosts_by_eligibility(instance)
    node_class, node_first = group_rows(
        [
            *_numbers_of_nodes(instance),
            hosts,
            *domains.values(),
            spread_hosts.T,
            _home_signature(instance.num_nodes, home_mode, home_node, home_count),
        ]
    )
    classes = Classes(
        task_class=forms.row_mode,
        node_class=node_class,
        task_count=task_count[mode_class] * mode_parts,
        node_count=np.bincount(node_class, minlength=node_first.size),
        task_first=forms.mode_row,
        node_first=node_first,
    )
    has_place = current_form[task_first][mode_class] >= 0
    states = np.array(instance.node_state)[node_first]
    return Modes(
        classes=classes,
        task_class=task_class,
        task_count=task_count,
        task_first=task_first,
        skip_cost=tuple(
            None if cost < 0 else cost for cost in choices.skip_cost[task_first].tolist()
        ),
        form_class=forms.form_class,
        form_variant=instance.rows.form_variant[forms.form],
        form_cost=tuple(choices.form_cost[forms.form].tolist()),
        form_loss=tuple(choices.form_loss[forms.form].tolist()),
        budget=choices.loss_budget,
        mode_form=mode_form,
        mode_class=mode_class,
        mode_parts=mode_parts,
        move_cost=tuple(
            cost if placed else 0
            for cost, placed in zip(
                choices.move_cost[task_first][mode_class].tolist(), has_place.tolist(), strict=True
            )
        ),
        counts_as_move=has_place,
        most_moves=None if instance.current is None else instance.max_moves,
        home_mode=home_mode,
        home_node=home_node,
        home_count=home_count,
        node_open=states == "open",
        node_keeps=states == "cordoned",
        rules=domain_rules(instance, task_first, mode_class, domains, spread_hosts, node_first),
    )


class _Forms(NamedTuple):
    """The forms of the classes and their modes, each with one of a task that stands for it."""

    form: Array
    form_class: Array
    mode_form: Array
    mode_parts: Array
    mode_row: Array
    row_mode: Array


def _forms(instance: Instance, task_class: Array, task_first: Array) -> _Forms:
    rows, choices = instance.rows, instance.exact.choices
    assert choices is not None
    # Forms of the classes, all of them first, then those that are allowed.
    per_class = np.diff(rows.task_form)[task_first]
    class_start = np.concatenate(([0], np.cumsum(per_class)))
    all_class = np.repeat(np.arange(task_first.size), per_class)
    all_form = rows.task_form[task_first][all_class] + np.arange(all_class.size)
    all_form -= class_start[all_class]
    allowed = choices.form_allowed[all_form]
    number = np.cumsum(allowed) - 1
    form = all_form[allowed]
    # One mode a form, or one for each of the parts that it lists.
    listed = _is_listed(rows)
    lengths, lists = np.diff(rows.form_start)[form], listed[rows.form_source[form]]
    first_mode = np.concatenate(([0], np.cumsum(np.where(lists, lengths, 1))))
    mode_form = np.repeat(np.arange(form.size), np.where(lists, lengths, 1))
    part = np.arange(mode_form.size) - first_mode[mode_form]
    # Of every form of every task the place in these lists, and so of every row.
    at = class_start[task_class[rows.form_task]] + rows.form_variant
    row_mode = np.where(allowed[at], first_mode[number[at]], -1)[rows.form]
    has_parts = (row_mode >= 0) & listed[rows.form_source[rows.form]]
    row_mode[has_parts] += rows.part[has_parts]
    return _Forms(
        form=form,
        form_class=all_class[allowed],
        mode_form=mode_form,
        mode_parts=np.where(lists, 1, lengths)[mode_form],
        mode_row=rows.form_start[form][mode_form] + part,
        row_mode=row_mode,
    )


def _numbers_of_nodes(instance: Instance) -> list[Array]:
    exact = instance.exact
    return [
        exact.node_compute,
        exact.node_on_cost,
        exact.node_off_cost,
        exact.node_overload_price,
        exact.node_use_price,
        exact.capacity,
        np.unique(np.array(instance.node_state), return_inverse=True)[1],
    ]


def _is_listed(rows: Rows) -> Array:
    """(variants + 1,) bool: whether a variant lists several parts; last, own figures do not."""
    several = [not isinstance(v.parts, int) and len(v.parts) > 1 for v in rows.all_variants]
    return np.array([*several, False])


def _current_forms(instance: Instance) -> Array:
    """(m,) the form that each task is in now, -1 where it is nowhere."""
    rows, found = instance.rows, np.full(instance.num_tasks, -1, dtype=np.int64)
    if instance.current is not None:
        here = np.flatnonzero(instance.current >= 0)
        found[rows.task[here]] = rows.form[here]
    return found


def _task_classes(
    instance: Instance, eligible_groups: Array, current_form: Array
) -> tuple[Array, Array]:
    """The class of each task, and the first task of each class."""
    rows, exact = instance.rows, instance.exact
    choices = exact.choices
    assert choices is not None
    m = instance.num_tasks
    own = instance.task_model < 0
    first = np.minimum(rows.task_start[:-1], max(0, rows.num_rows - 1))

    def of_own(column: Array) -> Array:
        return np.where(own, column[first], 0) if m else column[:0]

    keys = [instance.task_model, of_own(exact.task_compute), of_own(eligible_groups[rows.group])]
    keys += [of_own(exact.needs[:, d]) for d in range(exact.needs.shape[1])]
    keys += [choices.skip_cost, _relevant_groups(instance)]
    if len(instance.pinned_sets) > 1:
        keys.append(instance.task_pinned)
    if not choices.form_allowed.all():
        keys.append(instance.task_max_loss)
    alone = _alone(instance, current_form)
    keys.append(np.where(alone, np.arange(m) + 1, 0))
    if instance.current is not None:
        variant = np.where(current_form >= 0, rows.form_variant[current_form], -1)
        keys += [variant, np.where(current_form >= 0, choices.move_cost, 0)]
    return group_rows(keys)


def _alone(instance: Instance, current_form: Array) -> Array:
    """(m,) bool: whether a task is interchangeable with none.

    So it is where it lists parts with figures of their own, which of several tasks would have to be
    matched, and where it is in several parts now.
    """
    rows = instance.rows
    lists = np.array([
        *(any(not isinstance(v.parts, int) and len(v.parts) > 1 for v in s) for s in rows.sets),
        False,
    ])  # fmt: skip
    alone: Array = lists[rows.task_model]
    several = np.diff(rows.form_start)[current_form] > 1 if current_form.size else alone
    return alone | ((current_form >= 0) & several)


def _relevant_groups(instance: Instance) -> Array:
    """(m,) numbers of the sets of groups that rules name."""
    named = {
        group for rule in instance.rules for group in (rule.group, getattr(rule, "with_", None))
    }
    found: dict[tuple[str, ...], int] = {}
    numbers = [
        found.setdefault(tuple(group for group in names if group in named), len(found))
        for names in instance.group_sets
    ]
    return np.array(numbers, dtype=np.int64)[instance.task_groups]


def _homes(instance: Instance, row_mode: Array) -> tuple[Array, Array, Array]:
    """Pairs of a mode and a node where parts of it are now, and how many are."""
    if instance.current is None:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing
    here = np.flatnonzero((instance.current >= 0) & (row_mode >= 0))
    pairs = row_mode[here] * instance.num_nodes + instance.current[here]
    distinct, count = np.unique(pairs, return_counts=True)
    return distinct // instance.num_nodes, distinct % instance.num_nodes, count


def _home_signature(n: int, mode: Array, node: Array, count: Array) -> Array:
    """(n,) numbers of which the same stand for nodes where as many of the same modes are."""
    number = np.zeros(n, dtype=np.int64)
    order = np.lexsort((mode, node))
    found: dict[bytes, int] = {}
    ends = np.flatnonzero(np.diff(node[order], append=-1)) + 1
    begin = 0
    for end in ends.tolist() if order.size else ():
        here = order[begin:end]
        key = np.stack((mode[here], count[here])).tobytes()
        number[node[here[0]]] = found.setdefault(key, len(found) + 1)
        begin = end
    return number
