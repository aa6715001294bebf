"""The judge: every rule of the model, checked by arithmetic that no solver shares.

Nothing here uses the scaled integers, the classes or the matrices that the methods work on:
the checker adds up the user's own numbers, as integers or as decimals, and compares.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from ..model.allocation import Allocation
from ..model.exact import Array
from ..model.instance import Instance, Number

__all__ = ["Violation", "check"]

_EXACT = decimal.Context(prec=2000, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
_EXACT.traps[decimal.Inexact] = True


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule.

    Attributes
    ----------
    rule : str
        "unassigned", "unknown task", "unknown node", "eligible", "storage", "max_load", or
        the name of a further resource as "resource NAME".
    task, node : str or None
        Ids of the records concerned.
    amount : int or float
        By how much the rule is broken, in the user's unit; 1 for rules without a quantity.
    """

    rule: str
    task: str | None
    node: str | None
    amount: Number

    def __str__(self) -> str:
        if self.rule == "unassigned":
            return f"task {self.task!r} has no node"
        if self.rule == "unknown task":
            return f"task {self.task!r} is not in the instance"
        if self.rule == "unknown node":
            return f"task {self.task!r} is on node {self.node!r}, which is not in the instance"
        if self.rule == "eligible":
            return f"task {self.task!r} may not run on node {self.node!r}"
        if self.rule == "max_load":
            return f"node {self.node!r} is loaded {self.amount:,} above max_load times its capacity"
        what = self.rule.removeprefix("resource ")
        return f"node {self.node!r} lacks {self.amount:,} of {what}"


def check(instance: Instance, allocation: Allocation | Mapping[str, str] | Any) -> list[Violation]:
    """Every rule that an allocation breaks; empty if it is feasible.

    Parameters
    ----------
    instance : Instance
    allocation : Allocation, mapping of task id to node id, or (m,) node positions

    Examples
    --------
    >>> instance = Instance.from_arrays(
    ...     node_compute=[4, 4], node_storage=[1, 9], task_compute=[3, 2], task_storage=[1, 1])
    >>> [str(violation) for violation in check(instance, [0, 0])]
    ["node 'node-0' lacks 1 of storage"]
    """
    if isinstance(allocation, Mapping):
        found, node_index = _from_mapping(instance, allocation)
    else:
        given = allocation.node_index if isinstance(allocation, Allocation) else allocation
        found, node_index = _from_positions(instance, np.asarray(given))
    found += _eligibility(instance, node_index)
    placed = node_index >= 0
    where = node_index[placed]
    if (instance.node_storage < float("inf")).any():
        found += _over(
            instance,
            "storage",
            instance.task_storage[placed],
            where,
            instance.node_storage.tolist(),
        )
    for key, capacity in instance.node_resources.items():
        need = instance.task_resources[key][placed]
        found += _over(instance, f"resource {key}", need, where, capacity.tolist())
    if instance.max_load is not None:
        limit = _decimal(instance.max_load)
        most = [_EXACT.multiply(_decimal(C), limit) for C in instance.node_compute.tolist()]
        found += _over(instance, "max_load", instance.task_compute[placed], where, most)
    return found


def _from_mapping(instance: Instance, node_of: Mapping[Any, Any]) -> tuple[list[Violation], Array]:
    position = {node: i for i, node in enumerate(instance.node_ids.tolist())}
    tasks = instance.task_ids.tolist()
    known = set(tasks)
    found = [Violation("unknown task", str(t), None, 1) for t in node_of if t not in known]
    node_index = np.full(len(tasks), -1, dtype=np.int64)
    for j, task in enumerate(tasks):
        if task not in node_of:
            found.append(Violation("unassigned", task, None, 1))
        elif node_of[task] not in position:
            found.append(Violation("unknown node", task, str(node_of[task]), 1))
        else:
            node_index[j] = position[node_of[task]]
    return found, node_index


def _from_positions(instance: Instance, given: Array) -> tuple[list[Violation], Array]:
    if given.shape != (instance.num_tasks,) or (given.size and given.dtype.kind not in "iu"):
        raise ValueError(
            f"an allocation by position needs {instance.num_tasks} integers, "
            f"got {given.dtype} of shape {given.shape}"
        )
    node_index = given.astype(np.int64)
    found = []
    for j in np.flatnonzero((node_index < 0) | (node_index >= instance.num_nodes)).tolist():
        task = str(instance.task_ids[j])
        unassigned = node_index[j] == -1
        rule, node = ("unassigned", None) if unassigned else ("unknown node", str(node_index[j]))
        found.append(Violation(rule, task, node, 1))
        node_index[j] = -1
    return found, node_index


def _eligibility(instance: Instance, node_index: Array) -> Iterator[Violation]:
    if all(labels is None for labels in instance.groups):
        return
    ids, kinds = instance.node_ids.tolist(), instance.node_kind
    place = node_index.tolist()
    allowed = [None if labels is None else frozenset(labels) for labels in instance.groups]
    for j, number in enumerate(instance.task_group.tolist()):
        labels, i = allowed[number], place[j]
        if labels is not None and i >= 0 and ids[i] not in labels and kinds[i] not in labels:
            yield Violation("eligible", str(instance.task_ids[j]), ids[i], 1)


def _over(
    instance: Instance, rule: str, need: Array, where: Array, capacity: list[Any]
) -> Iterator[Violation]:
    totals = _totals(need, where, instance.num_nodes)
    for i, (used, most) in enumerate(zip(totals, capacity, strict=True)):
        if used > 0 and _decimal(used) > _decimal(most):
            excess = _EXACT.subtract(_decimal(used), _decimal(most))
            amount = int(excess) if excess == excess.to_integral_value() else float(excess)
            yield Violation(rule, None, str(instance.node_ids[i]), amount)


def _totals(need: Array, where: Array, count: int) -> list[Any]:
    """Exact totals a node, as integers or decimals."""
    if need.dtype == np.int64 and (not need.size or int(need.max()) * need.size < 2**63):
        sums = np.zeros(count, dtype=np.int64)
        np.add.at(sums, where, need)
        return sums.tolist()
    totals = [Decimal(0)] * count
    for i, amount in zip(where.tolist(), need.tolist(), strict=True):
        totals[i] = _EXACT.add(totals[i], _decimal(amount))
    return totals


def _decimal(value: Any) -> Decimal:
    """A number as the decimal that Python prints for it, exactly."""
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))
