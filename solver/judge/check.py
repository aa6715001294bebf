"""The judge: every rule of the model, checked by arithmetic that no solver shares.

Nothing here uses the scaled integers, the classes or the matrices that the methods work on:
the checker adds up the user's own numbers, as integers or as decimals, and compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..model.allocation import Allocation
from ..model.exact import Array
from ..model.instance import Instance
from ..model.rows.placement import Misplaced, read_placement
from .capacities import capacities
from .domains import domain_rules
from .forms import budgets, forms
from .placed import Placed
from .places import places
from .violations import Violation

__all__ = ["Violation", "check"]


def check(instance: Instance, allocation: Allocation | Mapping[str, Any] | Any) -> list[Violation]:
    """Every rule that an allocation breaks; empty if it is feasible.

    Parameters
    ----------
    instance : Instance
    allocation : Allocation, mapping of task id to place, or (W,) node positions
        A place is a node id, a list of one for each part, ``{"node": ..., "variant": name}`` with
        either of them, or None for a task that is left out. Positions are those of the rows (of
        the tasks, where no task has variants), -1 for rows that are not in use.

    Examples
    --------
    >>> instance = Instance.from_arrays(
    ...     node_compute=[4, 4], node_storage=[1, 9], task_compute=[3, 2], task_storage=[1, 1])
    >>> [str(violation) for violation in check(instance, [0, 0])]
    ["node 'node-0' lacks 1 of storage"]
    """
    if isinstance(allocation, Mapping):
        node_index, problems = read_placement(instance, allocation)
        found = [_violation(each) for each in problems if _is_of_the_names(each)]
    else:
        given = allocation.node_index if isinstance(allocation, Allocation) else allocation
        node_index = _positions(instance, np.asarray(given))
        found = list(_unknown_nodes(instance, node_index))
    meant = node_index != -1
    placed = Placed(instance, np.where(node_index < instance.num_nodes, node_index, -1))
    found += forms(placed, meant)
    found += places(placed)
    found += capacities(placed)
    if not instance.is_plain:
        found += budgets(placed)
        found += domain_rules(placed)
    return found


def _is_of_the_names(problem: Misplaced) -> bool:
    """Whether the rows do not tell of it, too: an unknown name, or a node too many."""
    return problem.rule != "unassigned" and not (problem.rule == "parts" and not problem.amount)


def _violation(problem: Misplaced) -> Violation:
    return Violation(
        problem.rule, problem.task, problem.node, problem.amount, variant=problem.variant
    )


def _positions(instance: Instance, given: Array) -> Array:
    count = instance.num_tasks if instance.is_plain else instance.rows.num_rows
    if given.shape != (count,) or (given.size and given.dtype.kind not in "iu"):
        raise ValueError(
            f"an allocation by position needs {count} integers, "
            f"got {given.dtype} of shape {given.shape}"
        )
    return given.astype(np.int64)


def _unknown_nodes(instance: Instance, node_index: Array) -> Iterator[Violation]:
    for row in np.flatnonzero((node_index < -1) | (node_index >= instance.num_nodes)).tolist():
        j = row if instance.is_plain else instance.rows.task[row]
        yield Violation("unknown node", str(instance.task_ids[j]), str(node_index[row]), 1)
