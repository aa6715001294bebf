"""Guided ejection for whole models: room is made in nodes, and under the limits of rules.

As `repair` for plain ones: a task that found no room counts more every time, and those that are
the easiest to do without leave (Nagata and Bräysy 2009).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from ...kernels.whole.facts import (
    AFFINITY,
    ANTI_AFFINITY,
    ENTRIES,
    ENTRIES_END,
    FIRST_FORM,
    FORM_COST,
    FORM_LOSS,
    FORMS_END,
    KIND,
    MODE,
    MOST,
    SKIP_COST,
    SPREAD,
    TASK,
    TOGETHER,
)
from ...model.exact import Array
from ...settings import PLACING
from ..base import Options
from .whole_placement import WholePlacement

__all__ = ["place_stranded_tasks"]

Insert = Callable[[WholePlacement, int, Callable[..., int], Array | None], bool]


def place_stranded_tasks(
    placement: WholePlacement,
    stranded: list[int],
    options: Options,
    ranks: Array | None,
    insert: Insert,
) -> list[int]:
    """Place the stranded tasks, taking others off where needed.

    Returns
    -------
    list of int
        The tasks that must run and are still without a place; of all states seen that with the
        fewest, in which the placement is left.
    """
    search = _Ejection(placement, np.random.default_rng(options.seed))
    stack = list(reversed(stranded))
    fewest, kept = list(stack), (placement.node_of.copy(), placement.form_of.copy())
    steps = PLACING.least_steps + PLACING.steps_per_task * len(stranded)
    for _ in range(steps):
        if not stack or time.monotonic() > options.deadline:
            break
        t = stack.pop()
        if not insert(placement, t, WholePlacement.cheapest, ranks):
            ejected = search.make_room(t)
            if ejected is None:
                stack.insert(0, t)
                if len(set(stack)) == 1:
                    break
            else:
                stack.extend(ejected)
        must = [s for s in stack if placement.facts.task[s, SKIP_COST] < 0]
        if len(must) < len(fewest):
            fewest, kept = must, (placement.node_of.copy(), placement.form_of.copy())
            if not must:
                for s in stack:
                    insert(placement, s, WholePlacement.cheapest, ranks)
                return []
    placement.node_of[:], placement.form_of[:] = kept
    return sorted(fewest)


class _Ejection:
    """The penalties, and the choice of the tasks that leave."""

    def __init__(self, placement: WholePlacement, rng: np.random.Generator) -> None:
        self._placement, self._rng = placement, rng
        self._penalty = np.ones(placement.facts.task.shape[0])

    def make_room(self, t: int) -> list[int] | None:
        """Place task t in some form and return the tasks that left for it; None if that failed."""
        placement = self._placement
        self._penalty[t] += 1
        forms = placement.forms(t)
        leaving: list[int] = []
        if not forms:
            leaving = self._spend_less(t)
            forms = placement.forms(t)
            if not forms:
                return leaving or None
        f = int(self._rng.choice(forms))
        placement.choose(t, f)
        for r in placement.rows(f):
            found = self._room_for(t, r)
            if found is None:
                placement.eject(t)
                return leaving or None
            i, ejected = found
            for s in ejected:
                placement.eject(s)
            leaving.extend(ejected)
            if i not in placement.fitting(r):
                placement.eject(t)
                return leaving or None
            placement.place(r, i)
        return leaving

    def _spend_less(self, t: int) -> list[int]:
        """Take tasks off whose losses leave too little of the budget."""
        placement, facts = self._placement, self._placement.facts
        forms = [
            f
            for f in range(facts.task[t, FIRST_FORM], facts.task[t, FORMS_END])
            if facts.form[f, FORM_COST] >= 0
        ]
        if not forms:
            return []
        placed = np.flatnonzero(placement.form_of >= 0)
        loss = facts.form[placement.form_of[placed], FORM_LOSS]
        order = placed[np.lexsort((self._rng.random(placed.size), -loss))]
        leaving: list[int] = []
        for s in order.tolist():
            if placement.forms(t) or facts.form[placement.form_of[s], FORM_LOSS] == 0:
                break
            placement.eject(s)
            leaving.append(s)
        return leaving

    def _room_for(self, t: int, r: int) -> tuple[int, list[int]] | None:
        """Of a sample of nodes that for which the lightest tasks must leave, and these."""
        placement = self._placement
        nodes = placement.hosts(r)
        if placement.facts.most[1] >= 0:
            home = np.isin(nodes, placement.homes(r))
            if home.any():
                nodes = nodes[home]
        if nodes.size > PLACING.repair_nodes:
            nodes = self._rng.choice(nodes, PLACING.repair_nodes, replace=False)
        best: tuple[float, int, list[int]] | None = None
        for i in self._rng.permutation(nodes).tolist():
            leaving = self._leaving(t, r, i)
            if leaving is not None:
                weight = float(self._penalty[leaving].sum())
                if best is None or weight < best[0]:
                    best = weight, i, leaving
        return None if best is None else best[1:]

    def _leaving(self, t: int, r: int, i: int) -> list[int] | None:
        """The tasks that must leave for row r on node i; None if that does not suffice."""
        placement, facts = self._placement, self._placement.facts
        p = facts.row[r, MODE]
        leaving: list[int] = []
        for e in range(facts.mode[p, ENTRIES], facts.mode[p, ENTRIES_END]):
            found = self._against(int(facts.entries[e, 0]), int(facts.entries[e, 1]), i)
            if found is None or t in found:
                return None
            leaving.extend(s for s in found if s not in leaving)
        lack = facts.needs[p] - placement.room[i]
        on_node = [s for s in placement.rows_on(i) if facts.row[s, TASK] != t]
        for s in on_node:
            if facts.row[s, TASK] in leaving:
                lack = lack - facts.needs[facts.row[s, MODE]]
        left = np.array([s for s in on_node if facts.row[s, TASK] not in leaving], dtype=np.int64)
        needs = facts.needs[facts.row[left, MODE]]
        share = (np.minimum(needs, np.maximum(lack, 0)) / np.maximum(lack, 1)).sum(axis=1)
        weight = self._penalty[facts.row[left, TASK]] / np.maximum(share, 1e-12)
        for s in left[np.argsort(weight, kind="stable")].tolist():
            if (lack <= 0).all():
                break
            leaving.append(int(facts.row[s, TASK]))
            lack = lack - facts.needs[facts.row[s, MODE]]
        return leaving if (lack <= 0).all() else None

    def _against(self, q: int, role: int, i: int) -> list[int] | None:
        """The tasks that must leave so that rule q takes a part on node i; None if none can."""
        placement, facts = self._placement, self._placement.facts
        here = np.array([i])
        domain = int(placement.domain(q, here)[0])
        if domain < 0 or placement.allows(q, role, here)[0]:
            return []
        kind = facts.rule[q, KIND]
        if kind == AFFINITY:
            return None
        counted = 1 - role if kind == ANTI_AFFINITY else 0
        rows = np.flatnonzero(placement.node_of >= 0)
        rows = rows[np.isin(facts.row[rows, MODE], self._members(q, counted))]
        domains = placement.domain(q, placement.node_of[rows])
        inside = domains == domain
        rows = rows[~inside & (domains >= 0)] if kind == TOGETHER else rows[inside]
        tasks = np.unique(facts.row[rows, TASK])
        order: list[int] = tasks[
            np.argsort(self._penalty[tasks] + self._rng.random(tasks.size))
        ].tolist()
        if kind in (ANTI_AFFINITY, TOGETHER):
            return order
        most = int(facts.rule[q, MOST])
        if kind == SPREAD:  # the least may not rise while others leave: only the excess matters
            most += placement.least(q)
        excess = int(placement.tally(q, 0)[domain]) + 1 - most
        return order[:excess] if len(order) >= excess else None

    def _members(self, q: int, role: int) -> Array:
        """The modes that rule q counts in a role."""
        facts = self._placement.facts
        wanted = (facts.entries[:, 0] == q) & (facts.entries[:, 1] == role)
        at = np.flatnonzero(wanted)
        members: Array = np.searchsorted(facts.mode[:, ENTRIES], at, side="right") - 1
        return members
