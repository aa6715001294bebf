"""The same problem with fewer decisions: tasks merged, and limits left out that say nothing.

A rule ``Affinity(group, "node")`` over tasks that all run, in one form and in one part, says that
the group is placed as a whole: a task with the sums of their figures, on a node that each of them
may run on, is the same problem.

A hard dimension d says nothing beside another, c, if no task needs more of d for a unit of c than
any node has: then whatever keeps c keeps d. Tasks that differ in d alone are one class without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..model.copies import columns_of_instance, settings_of_instance
from ..model.exact import Array, fraction_of
from ..model.fields import Kind, fields_of
from ..model.instance import Instance, Number
from ..model.rules import Affinity
from ..system.undisturbed import load

__all__ = ["Merged", "merged", "without_implied"]

_MOST_PAIRS = 5_000


@dataclass(frozen=True)
class Merged:
    """An instance with one task for every set of tasks that share a node.

    Attributes
    ----------
    whole : Instance
        The given one.
    instance : Instance
        The merged one: first the tasks that stay, then one task a set.
    task_of : (m,) int64
        The task of `instance` that each task of `whole` is in.
    """

    whole: Instance
    instance: Instance
    task_of: Array

    def expand(self, node_index: Array) -> Array:
        """(W,) positions of nodes for the rows of the whole, from those of the merged instance."""
        rows, own = self.whole.rows, self.instance.rows
        first = own.task_start[self.task_of[rows.task]]
        place: Array = node_index[first + np.arange(rows.num_rows) - rows.task_start[rows.task]]
        return place

    def reduce(self, node_index: Array) -> Array:
        """The opposite of `expand`, for an allocation that keeps the sets together."""
        rows, own = self.whole.rows, self.instance.rows
        place = np.full(own.num_rows, -1, dtype=np.int64)
        at = own.task_start[self.task_of[rows.task]]
        at += np.arange(rows.num_rows) - rows.task_start[rows.task]
        place[at] = node_index
        return place

    def tasks_in(self, tasks: Iterable[int]) -> tuple[int, ...]:
        """Positions in the whole of the tasks that some of the merged instance stand for."""
        return tuple(np.flatnonzero(np.isin(self.task_of, list(tasks))).tolist())

    def bound_in_whole(self, units: int) -> int:
        """A bound in the merged instance's units of cost, in those of the whole, rounded up."""
        mine, theirs = self.whole.exact.cost_scale, self.instance.exact.cost_scale
        return -(-units * mine // theirs)

    def bound_in_merged(self, units: int | None) -> int | None:
        """The opposite, rounded down."""
        mine, theirs = self.whole.exact.cost_scale, self.instance.exact.cost_scale
        return None if units is None else units * theirs // mine


def merged(instance: Instance) -> Merged | None:
    """Merge what must share a node, as far as nothing else depends on the single tasks.

    A set is left as it is if one of its tasks has variants, may be left out, has a present place
    or is in a group of another kind of rule, if no node may run all of them, or if their sums have
    more digits than a number holds.

    Returns
    -------
    Merged or None
        None if there is nothing to merge.
    """
    sets = _sets(instance)
    figures = [_figures(instance, tasks) for tasks in sets]
    chosen = [(t, figure) for t, figure in zip(sets, figures, strict=True) if figure is not None]
    if not chosen:
        return None
    gone = np.zeros(instance.num_tasks, dtype=bool)
    gone[np.concatenate([tasks for tasks, _ in chosen])] = True
    stay = np.flatnonzero(~gone)
    task_of = np.empty(instance.num_tasks, dtype=np.int64)
    task_of[stay] = np.arange(stay.size)
    for at, (tasks, _) in enumerate(chosen):
        task_of[tasks] = stay.size + at
    names = [_name(instance, tasks) for tasks, _ in chosen]
    columns = _columns(instance, stay, [figure for _, figure in chosen], names)
    settings = settings_of_instance(instance)
    groups = {group for listed in columns["task_groups"] for group in listed}
    settings["rules"] = [rule for rule in instance.rules if rule.group in groups]
    if instance.current is not None:
        of_rows = ~gone[instance.rows.task]
        nowhere = np.full(len(chosen), -1, dtype=np.int64)
        settings["current"] = np.concatenate((instance.current[of_rows], nowhere))
    return Merged(instance, Instance.from_arrays(**columns, **settings), task_of)


def _sets(instance: Instance) -> list[Array]:
    """The sets of tasks that share a node and that nothing else depends on."""
    together = {
        rule.group
        for rule in instance.rules
        if isinstance(rule, Affinity) and rule.domain == "node" and rule.with_ is None
    }
    others = {rule.group for rule in instance.rules if not _is_plain_affinity(rule)}
    others |= {str(getattr(rule, "with_", "")) for rule in instance.rules}
    if not together:
        return []
    networkx = load("networkx")  # here: most instances never need it
    graph = networkx.Graph()
    for names in instance.group_sets:
        inside = [name for name in names if name in together]
        networkx.add_path(graph, inside)
    number_of = np.full(len(instance.group_sets), -1, dtype=np.int64)
    blocked: set[int] = set()
    for number, part in enumerate(networkx.connected_components(graph)):
        for at, names in enumerate(instance.group_sets):
            if not part.isdisjoint(names):
                number_of[at] = number
                if not others.isdisjoint(names):
                    blocked.add(number)
    of_task = number_of[instance.task_groups]
    alone = (instance.task_model >= 0) | (instance.task_skip_price < np.inf)
    if instance.current is not None:
        alone |= np.add.reduceat(instance.current >= 0, instance.rows.task_start[:-1]) > 0
    blocked.update(of_task[alone & (of_task >= 0)].tolist())
    counts = Counter(of_task[of_task >= 0].tolist())
    return [
        np.flatnonzero(of_task == number)
        for number, count in sorted(counts.items())
        if count > 1 and number not in blocked
    ]


def _is_plain_affinity(rule: Any) -> bool:
    return isinstance(rule, Affinity) and rule.domain == "node" and rule.with_ is None


def _figures(instance: Instance, tasks: Array) -> dict[str, Any] | None:
    """The figures of a task in the place of some; None if they cannot be held, or fit nowhere."""
    groups = np.unique(instance.rows.group[instance.rows.task_start[tasks]])
    allowed = np.ones(instance.num_nodes, dtype=bool)
    for group in groups.tolist():
        allowed &= instance.eligibility.row(group)
    if not allowed.any():
        return None
    columns = {"compute": instance.task_compute, "storage": instance.task_storage}
    columns.update(instance.task_resources)
    sums = {name: _sum(column[tasks].tolist()) for name, column in columns.items()}
    if any(total is None for total in sums.values()):
        return None
    eligible = None if allowed.all() else tuple(instance.node_ids[allowed].tolist())
    return {"sums": sums, "eligible": eligible}


def _sum(values: list[Number]) -> Number | None:
    """The exact sum as a number that prints as it, or None if there is none."""
    total = sum(map(fraction_of, values), Fraction(0))
    if total.denominator == 1:
        return int(total)
    try:
        nearest = float(total)
    except OverflowError:
        return None
    return nearest if fraction_of(nearest) == total else None


def _name(instance: Instance, tasks: Array) -> str:
    """An id of a merged task that no other has."""
    name = f"{instance.task_ids[tasks[0]]} and {tasks.size - 1} more on its node"
    while (instance.task_ids == name).any():
        name += "'"
    return name


def _columns(
    instance: Instance, stay: Array, figures: list[dict[str, Any]], names: list[str]
) -> dict[str, Any]:
    """The columns of the merged instance."""
    columns = columns_of_instance(instance)
    sums = [figure["sums"] for figure in figures]
    for field in fields_of("task", Kind.NUMBER):
        kept = columns[field.argument][stay].tolist()
        added = [each.get(field.name, field.default) for each in sums]
        columns[field.argument] = [*kept, *added]
    columns["task_resources"] = {
        name: [*column[stay].tolist(), *(each[name] for each in sums)]
        for name, column in instance.task_resources.items()
    }
    columns["task_ids"] = [*instance.task_ids[stay].tolist(), *names]
    lists = [instance.groups[group] for group in instance.task_group[stay].tolist()]
    columns["task_eligible"] = [*lists, *(figure["eligible"] for figure in figures)]
    for name, nobody in (("group", ()), ("pinned", None)):
        sets = getattr(instance, f"{name}_sets")
        argument = "task_groups" if name == "group" else "task_pinned"
        numbers = columns[argument][stay].tolist()
        columns[argument] = [*(sets[number] for number in numbers), *(nobody for _ in figures)]
        columns[f"{name}_sets"] = None
    if columns["task_model"] is not None:
        columns["task_model"] = np.append(columns["task_model"][stay], [-1] * len(figures))
    if columns["task_variants"] is not None:
        own = columns["task_variants"]
        columns["task_variants"] = [*(own[j] for j in stay.tolist()), *(None for _ in figures)]
    columns["eligible_groups"] = None
    return columns


def without_implied(instance: Instance) -> Instance | None:
    """A plain instance without the storage and resources that other limits imply.

    Its nodes and tasks have the same positions, it has the same allocations, and they cost the
    same, in the same units.

    Returns
    -------
    Instance or None
        None if nothing is implied.

    Examples
    --------
    >>> instance = Instance.from_arrays(
    ...     node_compute=[8, 4], node_storage=[16, 9], max_load=1,
    ...     task_compute=[2, 3, 1], task_storage=[4, 5, 2],
    ... )
    >>> without_implied(instance).exact.dimensions
    ('max_load',)
    """
    exact = instance.exact
    implied = _implied(exact.needs, exact.capacity, exact.dimensions)
    if not implied:
        return None
    changes: dict[str, Any] = {}
    if "storage" in implied:
        n, m = instance.num_nodes, instance.num_tasks
        changes.update(node_storage=np.full(n, np.inf), task_storage=np.zeros(m, dtype=np.int64))
    if implied.difference({"storage"}):
        for name in ("node_resources", "task_resources"):
            columns = getattr(instance, name)
            changes[name] = {key: columns[key] for key in columns if key not in implied}
    reduced = instance.replace(**changes)
    return reduced if reduced.exact.cost_scale == exact.cost_scale else None


def _implied(needs: Array, capacity: Array, names: tuple[str, ...]) -> set[str]:
    """The dimensions, but for `max_load`, that one of those that are left implies."""
    if len(names) < 2 or needs.dtype == object or capacity.dtype == object:
        return set()
    kept, implied = list(range(len(names))), set()
    for d in range(len(names)):
        others = [c for c in kept if c != d]
        if names[d] != "max_load" and any(
            _implies(needs[:, c], needs[:, d], capacity[:, c], capacity[:, d]) for c in others
        ):
            kept.remove(d)
            implied.add(names[d])
    return implied


def _implies(need: Array, other_need: Array, have: Array, other_have: Array) -> bool:
    """Whether what keeps one dimension keeps the other, by exact ratios."""
    needs, has = other_need > 0, have > 0
    if (needs & (need <= 0)).any():
        return False
    if not needs.any() or not has.any():
        return True
    with np.errstate(over="ignore"):
        most = float((other_need[needs] / need[needs]).max())
        least = float((other_have[has] / have[has]).min())
    if most > least * (1 + 1e-9):
        return False
    pairs = np.unique(np.stack((other_need[needs], need[needs]), axis=1), axis=0)
    nodes = np.unique(np.stack((other_have[has], have[has]), axis=1), axis=0)
    if max(len(pairs), len(nodes)) > _MOST_PAIRS:
        return False
    worst = max(Fraction(a, b) for a, b in pairs.tolist())
    return worst <= min(Fraction(a, b) for a, b in nodes.tolist())
