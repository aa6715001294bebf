"""Reasons, in the user's words, why an instance has no allocation.

Two necessary conditions are checked: every task fits some node alone, and, in each hard
dimension, the tasks fit the nodes they may use when tasks can be cut into pieces (a maximum
flow; its minimum cut names the tasks and nodes that clash; Ford and Fulkerson 1956).
Finding no reason does not mean that an allocation exists.
"""

from __future__ import annotations

import numpy as np

from ..model.exact import Array, floats_of, sums_by_group
from ..problem.classes import Classes
from ..problem.problem import Problem
from .cuts import distinct, overfull_cut
from .modes.infeasible import why_modes_infeasible
from .words import amount, count, listed, named, title

__all__ = ["why_infeasible"]

_MAX_CELLS = 20_000_000
_MAX_EDGES = 50_000


def why_infeasible(problem: Problem) -> str | None:
    r"""A proof, as a sentence, that no allocation exists; None if none is found.

    Examples
    --------
    >>> from solver import Instance
    >>> instance = Instance.from_arrays(
    ...     node_compute=[1, 1], node_storage=[8, 4], task_compute=[1, 1], task_storage=[5, 6]
    ... )
    >>> print(why_infeasible(Problem(instance)).replace("; ", ";\n"))
    storage: 2 tasks ('task-0', 'task-1') need 11 together;
    the only node that can hold them ('node-0') has 8: 3 short
    """
    if problem.modes is not None:
        return why_modes_infeasible(problem)
    homeless = _task_without_node(problem)
    if homeless is not None:
        return homeless
    return _clash(problem)


def _task_without_node(problem: Problem) -> str | None:
    """A sentence about the first class of tasks that no eligible node can hold."""
    instance, classes = problem.instance, problem.classes
    need, have = problem.exact_numbers.needs, problem.exact_numbers.capacity
    eligibility, node_first = instance.eligibility, classes.node_first
    group = problem.group_of_class
    homeless = _without_listed_node(problem, np.arange(classes.num_task_classes))
    size = np.ones(have.shape)
    for d in range(have.shape[1]):
        column = floats_of(have[:, d])
        size[:, d] = column / max(float(column.max()), 1e-300)
    for g in np.argsort(-size.min(axis=1, initial=np.inf), kind="stable").tolist():
        if not homeless.size:
            return None
        fits = eligibility.at(group[homeless], node_first[g])
        fits = fits & (need[homeless] <= have[g]).all(axis=1)
        homeless = homeless[~fits]
    if not homeless.size:
        return None
    sentence = _homeless_sentence(problem, int(homeless[0]))
    further = int(classes.task_count[homeless[1:]].sum())
    return f"{sentence}; {further:,} further tasks fit no node either" if further else sentence


def _without_listed_node(problem: Problem, tasks: Array) -> Array:
    """Of some classes of tasks those that no node can hold, as far as they list few nodes.

    These are looked at list by list; the others are returned unseen.
    """
    instance, classes, numbers = problem.instance, problem.classes, problem.exact_numbers
    start, nodes = instance.eligibility.short_lists
    group = problem.group_of_class[tasks]
    size = start[group + 1] - start[group]
    owner, place = np.repeat(tasks, size), np.cumsum(size)
    at = np.arange(place[-1] if size.size else 0) - np.repeat(place - size - start[group], size)
    host = classes.node_class[nodes[at]]
    fits = (numbers.needs[owner] <= numbers.capacity[host]).all(axis=1)
    placed = np.zeros(classes.num_task_classes, dtype=bool)
    placed[owner[fits]] = True
    return tasks[~placed[tasks]]


def _homeless_sentence(problem: Problem, k: int) -> str:
    instance, classes = problem.instance, problem.classes
    exact = instance.exact
    row = instance.eligibility.row(int(problem.group_of_class[k]))
    allowed = row[classes.node_first]
    need, have = problem.exact_numbers.needs[k], problem.exact_numbers.capacity[allowed]
    names = named(instance.task_ids[classes.tasks_of(k)], "task")
    where = f"any of the {int(classes.node_count[allowed].sum()):,} nodes it may run on"
    for d, dimension in enumerate(exact.dimensions):
        most = max(have[:, d].tolist())
        if need[d] > most:
            lack = amount(int(need[d]) - int(most), exact.scales[d])
            return (
                f"{title(dimension)}: {names} needs {amount(int(need[d]), exact.scales[d])}; "
                f"{where} has at most {amount(int(most), exact.scales[d])}: {lack} short"
            )
    dimensions = ", ".join(title(dimension) for dimension in exact.dimensions)
    return f"{names}: no node it may run on has enough of all of {dimensions} at once"


def _clash(problem: Problem) -> str | None:
    """A sentence about the tasks and nodes of a minimum cut that is below the demand."""
    instance, classes = problem.instance, problem.classes
    exact = instance.exact
    task_bucket, node_bucket, adjacent = _buckets(problem)
    for d, dimension in enumerate(exact.dimensions):
        demand = sums_by_group(
            exact.needs[:, d], task_bucket[classes.task_class], adjacent.shape[0]
        )
        supply = sums_by_group(
            exact.capacity[:, d], node_bucket[classes.node_class], adjacent.shape[1]
        )
        cut = overfull_cut(adjacent, demand.tolist(), supply.tolist())
        if cut is None:
            continue
        tasks_in, nodes_in = cut
        needed = sum(demand[b] for b in tasks_in)
        there = sum(supply[h] for h in nodes_in)
        tasks = np.flatnonzero(
            np.isin(task_bucket[classes.task_class], tasks_in) & (exact.needs[:, d] > 0)
        )
        nodes = np.flatnonzero(np.isin(node_bucket[classes.node_class], nodes_in))
        scale = exact.scales[d]
        only = "the nodes that" if len(nodes) == instance.num_nodes else "the only nodes that"
        if len(nodes) == 1:
            only = "the only node that"
        verb = "has" if len(nodes) == 1 else "have"
        return (
            f"{title(dimension)}: {count(instance.task_ids[tasks], 'task')} need "
            f"{amount(int(needed), scale)} together; {only} can hold them "
            f"({listed(instance.node_ids[nodes])}) {verb} {amount(int(there), scale)}: "
            f"{amount(int(needed) - int(there), scale)} short"
        )
    return None


def _buckets(problem: Problem) -> tuple[Array, Array, Array]:
    """Tasks by the set of nodes that can hold them, nodes by the set of tasks.

    Returns the bucket of each task class and node class, and the bool matrix of which
    buckets meet. On large instances only eligibility is looked at, not what fits.
    """
    classes = problem.classes
    if classes.num_task_classes * classes.num_node_classes <= _MAX_CELLS:
        task_bucket, node_bucket, adjacent = distinct(problem.fits)
        if adjacent.size <= _MAX_EDGES:
            return task_bucket, node_bucket, adjacent
    eligibility = problem.instance.eligibility
    if eligibility.mask is None:
        return _one_bucket(classes)
    mask = eligibility.mask[:, classes.node_first]
    group_bucket, node_bucket, adjacent = distinct(mask)
    task_bucket = group_bucket[problem.group_of_class]
    if adjacent.size > _MAX_EDGES:
        return _one_bucket(classes)
    return task_bucket, node_bucket, adjacent


def _one_bucket(classes: Classes) -> tuple[Array, Array, Array]:
    one = np.ones((1, 1), dtype=bool)
    return np.zeros_like(classes.task_first), np.zeros_like(classes.node_first), one
