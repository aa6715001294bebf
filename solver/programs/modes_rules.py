"""Rules over groups and domains as rows of the relaxation over modes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.exact import Array
from ..model.rules import Affinity, AntiAffinity, Limit, Spread
from ..problem.modes import DomainRule, Modes
from .exact_program import ExactProgramBuilder

__all__ = ["Cells", "add_rules", "modes_never_placed"]


@dataclass(frozen=True)
class Cells:
    """The columns X of a relaxation, and what its sets of nodes are.

    Attributes
    ----------
    mode, node_set, column : (cells,) int64
    on : (N,) int64 or None
        The columns U, where nodes may be off.
    needs : (P, d), capacity : (N, d) integers
    most, room : (P, N), node_count : (N,) int64
        As in `NodeSets`.
    first : (N,) int64
        A class of nodes of each set.
    """

    mode: Array
    node_set: Array
    column: Array
    on: Array | None
    needs: Array
    capacity: Array
    most: Array
    room: Array
    node_count: Array
    first: Array


def modes_never_placed(modes: Modes) -> Array:
    """(P,) bool: parts that count on both sides of an anti-affinity, which nowhere may be."""
    never = np.zeros(modes.mode_form.size, dtype=bool)
    for rule in modes.rules:
        if isinstance(rule.rule, AntiAffinity):
            never[np.intersect1d(rule.modes, rule.other_modes)] = True
    return never


def add_rules(builder: ExactProgramBuilder, modes: Modes, cells: Cells) -> list[tuple[str, Array]]:
    r"""Add a relaxation of every rule.

    With N_d, W_d the parts of `group` and `with` in domain d, and M_d, M'_d the most there can be:

        limit          N_d <= max
        spread         N_d - t <= max_skew;  t <= N_d for counted d;  t = 0 if they are too few;
                       N_d <= h;  t >= l
        affinity       sum_d a_d <= 1;  N_d <= M_d a_d;  what the group needs in d <= Q_d a_d
        with another   N_d <= M_d W_d
        anti-affinity  N_d / M_d + W_d / M'_d <= 1

    Of a spread there are D counted domains, A that can take parts at all, and T' to T parts in all:
    where N_d = h all others have h - max_skew at least, so D h - (D - 1) max_skew <= T, or
    h <= max_skew; and t is whole, so that t >= l, the least with A l + (A - 1) max_skew >= T'.

    Where every node is a domain, the rows of the nodes of one set are added up: t stands for
    the least of all, a for how many of the nodes are chosen.
    """
    named = []
    for rule in modes.rules:
        begin = builder.num_rows
        _Rule(builder, modes, cells, rule).add()
        name = f"the {rule.rule.name} of group {rule.rule.group!r} by {rule.rule.domain}"
        named.append((name, np.arange(begin, builder.num_rows)))
    return named


class _Rule:
    """One rule: its domains d are those of the instance, or the sets, each of n_d nodes."""

    def __init__(
        self, builder: ExactProgramBuilder, modes: Modes, cells: Cells, rule: DomainRule
    ) -> None:
        self._builder, self._modes, self._cells, self._rule = builder, modes, cells, rule
        node_sets = cells.first.size
        self._of_nodes = rule.domain is None
        if rule.domain is None:
            self._domain = np.arange(node_sets)
            self._times = cells.node_count
        else:
            self._domain = rule.domain[cells.first]
            self._times = np.ones(rule.num_domains, dtype=np.int64)

    def add(self) -> None:
        rule, builder = self._rule.rule, self._builder
        group = self._weights(self._rule.modes, self._rule.weights)
        if isinstance(rule, Limit):
            self._limit(group, int(rule.max))
        elif isinstance(rule, Spread):
            self._spread(group, rule)
        elif isinstance(rule, Affinity) and rule.with_ is None:
            self._together(group)
        else:
            other = self._weights(self._rule.other_modes, self._rule.other_weights)
            most = self._most(group)
            if isinstance(rule, Affinity):
                rows = builder.add_rows(self._times.size)
                self._enter(rows, other, -most)
            else:
                most_other = self._most(other)
                rows = builder.add_rows(self._times.size, limit=most * most_other * self._times)
                self._enter(rows, other, most)
                most = most_other
            one = np.ones_like(most) if isinstance(rule, Affinity) else most
            self._enter(rows, group, one)

    def _weights(self, modes: Array, weights: Array) -> Array:
        """(P,) how often a part of each mode counts."""
        counted = np.zeros(self._modes.mode_form.size, dtype=np.int64)
        counted[modes] = weights
        return counted

    def _total(self, weight: Array) -> int:
        """The most parts that there can be in all."""
        modes = self._modes
        of_form = np.zeros(modes.form_class.size, dtype=np.int64)
        np.add.at(of_form, modes.mode_form, weight * modes.mode_parts)
        most = np.zeros(modes.task_count.size, dtype=np.int64)
        np.maximum.at(most, modes.form_class, of_form)
        return int((most * modes.task_count).sum())

    def _must(self, weight: Array) -> int:
        """The fewest parts that there can be in all."""
        modes = self._modes
        of_form = np.zeros(modes.form_class.size, dtype=np.int64)
        np.add.at(of_form, modes.mode_form, weight * modes.mode_parts)
        least = np.full(modes.task_count.size, np.iinfo(np.int64).max)
        np.minimum.at(least, modes.form_class, of_form)
        must = np.array([price is None for price in modes.skip_cost], dtype=bool)
        must[np.setdiff1d(np.arange(must.size), modes.form_class)] = False
        return int((least[must] * modes.task_count[must]).sum())

    def _most(self, weight: Array) -> Array:
        """(domains,) objects: the most parts in one domain."""
        cells = self._cells
        held = cells.most if self._of_nodes else cells.room
        of_set = (weight[:, None] * held).sum(axis=0)
        most = np.zeros(self._times.size, dtype=object)
        inside = self._domain >= 0
        np.add.at(most, self._domain[inside], of_set[inside].astype(object))
        return np.minimum(most, self._total(weight))

    def _enter(self, rows: Array, weight: Array, factor: Array | int) -> None:
        """Enter factor_d N_d into row d of every domain."""
        cells = self._cells
        domain = self._domain[cells.node_set]
        at = np.flatnonzero((weight[cells.mode] != 0) & (domain >= 0))
        times = np.broadcast_to(np.asarray(factor), rows.shape)[domain[at]]
        self._builder.add_entries(
            rows[domain[at]], cells.column[at], weight[cells.mode[at]] * times
        )

    def _limit(self, group: Array, most: int) -> None:
        builder, on = self._builder, self._cells.on
        if self._of_nodes and on is not None:
            rows = builder.add_rows(self._times.size)
            builder.add_entries(rows, on, -most)
        else:
            rows = builder.add_rows(self._times.size, limit=most * self._times)
        self._enter(rows, group, 1)

    def _spread(self, group: Array, rule: Spread) -> None:
        builder, counted = self._builder, self._rule.counted
        if self._of_nodes:
            counted = counted[self._cells.first]
        skew, least, highest = int(rule.max_skew), 0, None
        number = int(self._times[counted].sum())
        if number and number >= rule.min_domains:
            total = self._total(group)
            least = min(total // number, min(self._most(group)[counted].tolist()))
            highest = max(skew, (total + (number - 1) * skew) // number)
        t = builder.add_columns(1, upper=least)
        rows = builder.add_rows(self._times.size, limit=skew * self._times)
        self._enter(rows, group, 1)
        builder.add_entries(rows, t, -self._times)
        rows = builder.add_rows(self._times.size)
        self._enter(rows, group, -1)
        builder.add_entries(rows[counted], t, self._times[counted])
        if highest is not None and least:
            rows = builder.add_rows(self._times.size, limit=highest * self._times)
            self._enter(rows, group, 1)
            open_to_it = int(self._times[self._most(group) > 0].sum())
            lowest = -(-(self._must(group) - (open_to_it - 1) * skew) // open_to_it)
            builder.add_entries(builder.add_rows(1, limit=-max(0, lowest)), t, -1)

    def _together(self, group: Array) -> None:
        builder, cells = self._builder, self._cells
        a = builder.add_columns(self._times.size, upper=1)
        builder.add_entries(builder.add_rows(1, limit=1), a, 1)
        rows = builder.add_rows(self._times.size)
        self._enter(rows, group, 1)
        builder.add_entries(rows, a, -self._most(group))
        inside = self._domain >= 0
        nodes = np.where(self._of_nodes, 1, cells.node_count).astype(object)
        for d in range(cells.needs.shape[1]):
            have = np.zeros(self._times.size, dtype=object)
            room = cells.capacity[:, d].astype(object) * nodes
            np.add.at(have, self._domain[inside], room[inside])
            rows = builder.add_rows(self._times.size)
            self._enter(rows, np.where(group > 0, cells.needs[:, d], 0), 1)
            builder.add_entries(rows, a, -have)
