"""Moves by positions, and by how many parts the domains rise and fall while they go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ...model.plans.plan import Move
from ..violations import Violation

__all__ = ["Step", "of_domain", "of_step", "rises"]


class Step(NamedTuple):
    """A move whose part and nodes are known: positions, -1 for none."""

    move: Move
    row: int
    task: int
    source: int
    target: int


def rises(
    steps: Iterable[Step], counts: Callable[[Step], bool], domain_of: Callable[[int], Any]
) -> tuple[Counter[Any], Counter[Any]]:
    """By how many parts domains may rise in a wave, and by how many they fall in the end.

    A part that stays in a domain counts there once, and so does a task that changes its variant
    there: more of the old or more of the new parts.
    """
    come: Counter[Any] = Counter()
    leave: Counter[Any] = Counter()
    changes: dict[int, tuple[Counter[Any], Counter[Any]]] = {}
    for step in steps:
        if not counts(step):
            continue
        source = None if step.source < 0 else domain_of(step.source)
        target = None if step.target < 0 else domain_of(step.target)
        if step.source < 0 or step.target < 0:
            new, old = changes.setdefault(step.task, (Counter(), Counter()))
            if target is not None:
                new[target] += 1
            if source is not None:
                old[source] += 1
        elif source != target:
            come.update([] if target is None else [target])
            leave.update([] if source is None else [source])
    for new, old in changes.values():
        come += new - old
        leave += old - new
    return come, leave


def of_step(step: Step, rule: str, **more: Any) -> Violation:
    """A rule that one move breaks."""
    node = step.move.target if step.target >= 0 else step.move.source
    return Violation(rule, step.move.task, node, 1, part=step.move.part, **more)


def of_domain(name: str, rule: Any, domain: str, count: int, amount: int) -> Violation:
    """A rule that the parts of a group break in one domain."""
    node = domain if rule.domain == "node" else None
    other = getattr(rule, "with_", None)
    return Violation(
        name, None, node, amount,
        group=rule.group, domain=rule.domain, counts=((domain, count),), other=other,
    )  # fmt: skip
