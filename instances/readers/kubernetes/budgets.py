"""PodDisruptionBudgets: how many pods of a group may be moving at a time."""

from __future__ import annotations

import re

from ..notes import Notes
from .cluster import Cluster
from .objects import Record
from .rules import Members, Rules
from .selectors import Selector, selector_of

__all__ = ["read_budgets"]

_PERCENT = re.compile(r"([0-9]{1,9})%")


def read_budgets(cluster: Cluster, rules: Rules, notes: Notes) -> tuple[dict[str, int], set[int]]:
    """What the budgets allow to move at a time, and the tasks whose eviction is refused.

    The pods that a budget expects are those that it selects; of these, all that are ready now less
    those that it wants ready may be moving: `minAvailable`, or the expected pods less
    `maxUnavailable`, percentages of the expected pods rounded up, as the disruption controller has
    it. Where the budget has a status, `expectedPods` comes from there, and the cap is at most its
    `disruptionsAllowed`.

    Returns
    -------
    max_moving : dict of str to int
        By group.
    fixed : set of int
        The running tasks that are evicted under no order of moves: their budget allows none, or
        they have more than one budget, which the eviction API refuses.

    Raises
    ------
    InstanceError
        If a budget is wrong; names the place.
    """
    caps: dict[str, int] = {}
    fixed: set[int] = set()
    budgets_of: dict[int, int] = {}
    for record in cluster.budgets:
        metadata, spec = record.child("metadata"), record.child("spec")
        namespace, name = metadata.text("namespace") or "default", metadata.text("name")
        selector = selector_of(spec, "selector")
        if selector == Selector(()) and record.text("apiVersion").endswith("v1beta1"):
            selector = None
        members: Members = frozenset()
        if selector is not None:
            members = rules.selected([namespace], selector)
        cap = _cap(record, members, cluster)
        if not members:
            notes.add("read as", "budgets of no task", f"{namespace}/{name}", "budgets")
            continue
        group = rules.group(members, f"PodDisruptionBudget/{namespace}/{name}")
        caps[group] = min(cap, caps.get(group, cap))
        for j in members:
            budgets_of[j] = budgets_of.get(j, 0) + 1
        if cap == 0:
            fixed |= members
    for j, count in sorted(budgets_of.items()):
        if cluster.pods[j].node is None:
            continue
        shown = cluster.id_of(cluster.pods[j])
        if count > 1:
            fixed.add(j)
            notes.add("read as", "kept where they are: several budgets, so no eviction", shown)
        elif j in fixed:
            notes.add("read as", "kept where they are: their budget allows no eviction now", shown)
    return caps, {j for j in fixed if cluster.pods[j].node is not None}


def _cap(record: Record, members: Members, cluster: Cluster) -> int:
    spec, status = record.child("spec"), record.child("status")
    expected = status.whole("expectedPods", 0)
    if expected is None:
        expected = len(members)
    if spec.has("minAvailable") and spec.has("maxUnavailable"):
        spec.fail("minAvailable", "stands beside maxUnavailable; a budget has one of them")
    if spec.has("maxUnavailable"):
        wanted = max(0, expected - _scaled(spec, "maxUnavailable", expected))
    elif spec.has("minAvailable"):
        wanted = _scaled(spec, "minAvailable", expected)
    else:
        wanted = max(0, expected - 1)
    healthy = sum(cluster.pods[j].healthy for j in members)
    allowed = status.whole("disruptionsAllowed", 0)
    cap = max(0, healthy - wanted)
    return cap if allowed is None else min(cap, allowed)


def _scaled(spec: Record, key: str, expected: int) -> int:
    """A number of pods, or a percentage of those expected, rounded up."""
    value = spec.data[key]
    percent = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if percent is not None:
        return -(-int(percent.group(1)) * expected // 100)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        spec.fail(key, f"is {str(value)[:60]!r}; it must be an integer, 0 or more, or a percentage")
    return value
