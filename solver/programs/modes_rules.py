"""Rules over groups and domains as rows of the relaxation over modes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..model.exact import Array
from ..model.rules import AntiAffinity, Limit, Spread
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

    @cached_property
    def by_mode(self) -> Array:
        """(cells,) positions, those of one mode side by side."""
        return np.argsort(self.mode, kind="stable")

    @cached_property
    def start(self) -> Array:
        """(P + 1,) where in `by_mode` each mode begins."""
        count = np.bincount(self.mode, minlength=self.most.shape[0])
        return np.concatenate(([0], np.cumsum(count)))


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


class _Group:
    """The modes whose parts count for a group, and how often: the columns of N_d."""

    def __init__(self, modes: Modes, cells: Cells, counted: Array, weights: Array) -> None:
        self._all, self._cells = modes, cells
        self.modes, self.weights = counted, weights
        size = cells.start[counted + 1] - cells.start[counted]
        behind = np.cumsum(size)
        first = cells.start[counted] - behind + size
        at = np.repeat(first, size) + np.arange(behind[-1] if size.size else 0)
        self.cells = cells.by_mode[at]
        self.weight = np.repeat(weights, size)

    @cached_property
    def total(self) -> int:
        """The most parts that there can be in all."""
        most: dict[int, int] = {}
        for f, parts in self._of_forms.items():
            k = int(self._all.form_class[f])
            most[k] = max(most.get(k, 0), parts)
        return sum(parts * int(self._all.task_count[k]) for k, parts in most.items())

    @cached_property
    def fewest(self) -> int:
        """The fewest parts that there can be in all."""
        least: dict[int, int] = {}
        for f, parts in self._of_forms.items():
            k = int(self._all.form_class[f])
            if self._all.skip_cost[k] is None:
                least[k] = min(least.get(k, parts), parts)
        return sum(parts * int(self._all.task_count[k]) for k, parts in least.items())

    @cached_property
    def _of_forms(self) -> dict[int, int]:
        """The parts of each form."""
        form = self._all.mode_form[self.modes].tolist()
        parts = (self._all.mode_parts[self.modes] * self.weights).tolist()
        found: dict[int, int] = {}
        for f, number in zip(form, parts, strict=True):
            found[f] = found.get(f, 0) + number
        return found

    def held(self, *, by_node: bool) -> Array:
        """(N,) the most parts on one node of each set, or on all of them."""
        table = self._cells.most if by_node else self._cells.room
        held: Array = (table[self.modes] * self.weights[:, None]).sum(axis=0)
        return held


class _Rule:
    """One rule: its domains d are those of the instance, or the sets, each of n_d nodes."""

    def __init__(
        self, builder: ExactProgramBuilder, modes: Modes, cells: Cells, rule: DomainRule
    ) -> None:
        self._builder, self._cells, self._rule = builder, cells, rule
        self._of_nodes = rule.domain is None
        if rule.domain is None:
            self._domain = np.arange(cells.first.size)
            self._times = cells.node_count
        else:
            self._domain = rule.domain[cells.first]
            self._times = np.ones(rule.num_domains, dtype=np.int64)
        self._group = _Group(modes, cells, rule.modes, rule.weights)
        self._other = _Group(modes, cells, rule.other_modes, rule.other_weights)

    def add(self) -> None:
        rule = self._rule.rule
        if isinstance(rule, Limit):
            self._limit(int(rule.max))
        elif isinstance(rule, Spread):
            self._spread(rule)
        elif isinstance(rule, AntiAffinity):
            self._apart()
        elif rule.with_ is None:
            self._together()
        else:
            rows = self._rows(np.ones(self._times.size, dtype=bool), 0)
            self._enter(rows, self._group, 1)
            self._enter(rows, self._other, -self._most(self._group))

    def _most(self, group: _Group) -> Array:
        """(domains,) objects: the most parts in one domain, or on one node."""
        held = group.held(by_node=self._of_nodes)
        most = np.zeros(self._times.size, dtype=np.int64)
        inside = self._domain >= 0
        np.add.at(most, self._domain[inside], held[inside])
        found: Array = np.minimum(most, group.total).astype(object)
        return found

    def _rows(self, where: Array, limit: Array | int) -> Array:
        """(domains,) rows of some domains, -1 of the others."""
        rows = np.full(self._times.size, -1, dtype=np.int64)
        limits = np.broadcast_to(np.asarray(limit, dtype=object), rows.shape)
        rows[where] = self._builder.add_rows(int(where.sum()), limit=limits[where], lazy=True)
        return rows

    def _enter(self, rows: Array, group: _Group, factor: Array | int) -> None:
        """Enter factor_d N_d into row d of every domain that has one."""
        domain = self._domain[self._cells.node_set[group.cells]]
        row = np.where(domain >= 0, rows[domain], -1)
        at = np.flatnonzero(row >= 0)
        times = np.broadcast_to(np.asarray(factor), rows.shape)[domain[at]]
        columns = self._cells.column[group.cells[at]]
        self._builder.add_entries(row[at], columns, group.weight[at] * times)

    def _add(self, rows: Array, columns: Array, factor: Array | int) -> None:
        """Enter a column of each domain, or the same one, into the rows that there are."""
        there = rows >= 0
        columns, factors = (np.broadcast_to(each, rows.shape)[there] for each in (columns, factor))
        self._builder.add_entries(rows[there], columns, factors)

    def _limit(self, top: int) -> None:
        on = self._cells.on
        if self._of_nodes and self._group.modes.size == 1:
            return  # so many fit on one node, which is known of each mode
        if self._of_nodes and on is not None:
            rows = self._rows(self._most(self._group) > top, 0)
            self._add(rows, on, -top)
        else:
            rows = self._rows(self._most(self._group) > top, top * self._times)
        self._enter(rows, self._group, 1)

    def _spread(self, rule: Spread) -> None:
        group, counted, times = self._group, self._rule.counted, self._times
        if self._of_nodes:
            counted = counted[self._cells.first]
        skew, most, total = int(rule.max_skew), self._most(group), group.total
        lowest, least, highest = 0, 0, total
        number = int(times[counted].sum())
        if number and number >= rule.min_domains:
            least = min(total // number, *most[counted].tolist())
            if least:
                highest = max(skew, (total + (number - 1) * skew) // number)
                taking = int(times[most > 0].sum())
                lowest = -(-(group.fewest - (taking - 1) * skew) // taking)
                lowest = max(0, lowest)
        top = min(highest, least + skew)
        self._enter(self._rows(most > top, top * times), group, 1)
        if lowest:
            self._enter(self._rows(counted, -lowest * times), group, -1)
        if lowest >= least:
            return
        t = self._builder.add_columns(1, upper=least)
        rows = self._rows(most > lowest + skew, skew * times)
        self._enter(rows, group, 1)
        self._add(rows, t, -times)
        rows = self._rows(counted, 0)
        self._enter(rows, group, -1)
        self._add(rows, t, times)

    def _apart(self) -> None:
        most, others = self._most(self._group), self._most(self._other)
        times = self._times.astype(object)
        # Where there are nodes enough for all of both the row says nothing.
        here = others * np.minimum(most * times, self._group.total)
        there = most * np.minimum(others * times, self._other.total)
        rows = self._rows(
            (here + there > most * others * times).astype(bool), most * others * times
        )
        self._enter(rows, self._group, others)
        self._enter(rows, self._other, most)

    def _together(self) -> None:
        builder, cells, group = self._builder, self._cells, self._group
        a = builder.add_columns(self._times.size, upper=1)
        builder.add_entries(builder.add_rows(1, limit=1, lazy=True), a, 1)
        everywhere = np.ones(self._times.size, dtype=bool)
        rows = self._rows(everywhere, 0)
        self._enter(rows, group, 1)
        self._add(rows, a, -self._most(group))
        inside = self._domain >= 0
        nodes = np.where(self._of_nodes, 1, cells.node_count).astype(object)
        for d in range(cells.needs.shape[1]):
            have = np.zeros(self._times.size, dtype=object)
            room = cells.capacity[:, d].astype(object) * nodes
            np.add.at(have, self._domain[inside], room[inside])
            rows = self._rows(everywhere, 0)
            domain = self._domain[cells.node_set[group.cells]]
            at = np.flatnonzero(domain >= 0)
            need = cells.needs[cells.mode[group.cells[at]], d]
            builder.add_entries(rows[domain[at]], cells.column[group.cells[at]], need)
            self._add(rows, a, -have)
