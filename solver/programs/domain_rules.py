"""Rules over domains as rows: limit, spread, affinity and anti-affinity.

With n_gd the parts of group g in domain d, a sum over cells:

    limit            n_gd <= max
    spread           t <= n_gd  (d counted),   n_gd <= t + max_skew;   t = 0 with too few domains
    affinity         n_gd <= M_gd w_gd,        sum_d w_gd <= 1
    affinity with h  n_gd <= M_gd w_gd,        w_gd <= n_hd
    anti-affinity    n_gd <= M_gd w_gd,  n_hd <= M_hd w_hd,  w_gd + w_hd <= 1

w_gd is whether d holds any of g; the rules of a group over the same domains share it. Its rows
are split by classes of tasks, which the linear relaxation gains by. Rows that always hold are
left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.exact import Array
from ..model.rules import Affinity, AntiAffinity, Limit, Spread
from ..problem.classes import group_rows
from ..problem.modes import DomainRule, Modes
from ..problem.problem import Problem
from .covers import Fewest, add_covers
from .linear_model import LinearModelBuilder

__all__ = ["Cells", "Derived", "add_rules"]


@dataclass(frozen=True)
class Cells:
    """The columns x of modes on nodes.

    Attributes
    ----------
    mode, node : (cells,) int64
    most : (cells,) int64
        Upper limit of the column.
    column : (cells,) int64
        Its position in the model.
    on : (n,) int64 or None
        The columns u, where nodes may be off.
    needs, capacity : (P, d), (n, d) int64
        The hard dimensions.
    """

    mode: Array
    node: Array
    most: Array
    column: Array
    on: Array | None
    needs: Array
    capacity: Array


@dataclass(frozen=True)
class Derived:
    """Columns whose values follow from those of the cells.

    Attributes
    ----------
    kind : {"count", "occupied", "least"}
        How many parts there are in each domain, whether there are any, and the least count.
    cell : (entries,) int64
        Cells that are counted.
    place : (entries,) int64
        Which of the counts each belongs to.
    num_places : int
    most : int
        What the values of these columns can sum to.
    """

    kind: str
    cell: Array
    place: Array
    num_places: int
    most: int

    def values(self, x: Array) -> Array:
        """Values of the columns, from those of all cells."""
        count = np.zeros(self.num_places, dtype=np.int64)
        np.add.at(count, self.place, x[self.cell])
        if self.kind == "count":
            return count
        if self.kind == "occupied":
            return (count > 0).astype(np.int64)
        return count.min(keepdims=True)


def add_rules(problem: Problem, builder: LinearModelBuilder, cells: Cells) -> tuple[Derived, ...]:
    """Add the columns and rows of all rules; the columns are returned in their order."""
    assert problem.modes is not None
    writer = _Writer(problem, problem.modes, builder, cells)
    for rule in problem.modes.rules:
        writer.add(rule)
    if cells.on is not None:
        add_covers(problem.modes, builder, cells.on, cells.needs, cells.capacity, writer.fewest)
    return tuple(writer.derived)


@dataclass(frozen=True)
class _Group:
    """The parts of a group over the domains of a rule.

    Attributes
    ----------
    cell, domain : (entries,) int64
        The cells of the group, and the domain of each.
    fewest, most : int
        Parts of the group in an allocation.
    unit, unit_domain, unit_most : (units,) int64
        Tasks of one class, or one form of a class whose forms differ in parts, and the most
        parts of them in a domain.
    entry_unit : (entries,) int64
    domain_most : (domains,) int64
        Most parts of the group in each domain; 0 where there is no cell.
    """

    cell: Array
    domain: Array
    fewest: int
    most: int
    unit_domain: Array
    unit_most: Array
    entry_unit: Array
    domain_most: Array

    @property
    def reachable(self) -> Array:
        """Domains with a cell."""
        return np.flatnonzero(self.domain_most > 0)


class _Writer:
    """Adds rules one by one."""

    def __init__(
        self, problem: Problem, modes: Modes, builder: LinearModelBuilder, cells: Cells
    ) -> None:
        self._modes, self._builder, self._cells = modes, builder, cells
        self._node_class = problem.classes.node_class
        # The cells of a mode stand together.
        self._first_cell = np.searchsorted(cells.mode, np.arange(modes.mode_form.size + 1))
        self._groups: dict[tuple[str, str], _Group] = {}
        self._occupied: dict[tuple[str, str], Array] = {}
        self.derived: list[Derived] = []
        self.fewest: list[Fewest] = []

    def add(self, rule: DomainRule) -> None:
        """Add the rows of a rule."""
        record = rule.rule
        if isinstance(record, Limit):
            self._at_most(rule, self._group(rule, record.group), record.max)
        elif isinstance(record, Spread):
            self._spread(rule, record)
        elif isinstance(record, Affinity) and record.with_ is None:
            w_of = self._occupied_columns(rule, record.group)
            w = w_of[w_of >= 0]
            if w.size > 1:
                row = self._builder.add_rows(1, upper=1)
                self._builder.add_entries(row, w, 1)
                self._hold(self._group(rule, record.group), w_of)
        elif isinstance(record, Affinity):
            self._near(rule, record)
        else:
            assert isinstance(record, AntiAffinity)
            w = self._occupied_columns(rule, record.group)
            other = self._occupied_columns(rule, record.with_)
            both = (w >= 0) & (other >= 0)
            rows = self._builder.add_rows(int(both.sum()), upper=1)
            self._builder.add_entries(rows, w[both], 1)
            self._builder.add_entries(rows, other[both], 1)

    def _at_most(self, rule: DomainRule, group: _Group, limit: int) -> None:
        """n_gd <= limit, where that may not hold; of a node that may be off, limit u_i."""
        on = self._cells.on if rule.domain is None else None
        domains = np.flatnonzero(group.domain_most > limit)
        rows = self._sums(group, domains, upper=limit if on is None else 0)
        if on is not None:
            self._builder.add_entries(rows, on[domains], -limit)
        most = np.minimum(group.domain_most, limit)
        # What all other domains cannot take is in this one.
        self._take(rule, np.maximum(0, group.fewest - (int(most.sum()) - most)))

    def _take(self, rule: DomainRule, count: Array) -> None:
        """Note that each domain takes so many parts of the group at least."""
        if count.any():
            domain = self._domain_of(rule)
            self.fewest.append(Fewest(rule.rule.domain, domain, rule.modes, count))

    def _hold(self, group: _Group, w: Array) -> None:
        """What a group needs in its one domain is there: q n_gd <= Q_d w_gd."""
        cells = self._cells
        spot = group_rows([group.domain, cells.node[group.cell]])[1]
        for d in range(cells.needs.shape[1]):
            need = cells.needs[cells.mode[group.cell], d]
            largest = group.most * int(need.max(initial=0))
            have = [0] * group.domain_most.size
            capacity = cells.capacity[cells.node[group.cell[spot]], d].tolist()
            for domain, held in zip(group.domain[spot].tolist(), capacity, strict=True):
                have[domain] += held
            short = np.array([0 < most < largest for most in have], dtype=bool) & (w >= 0)
            rows = np.full(short.size, -1)
            rows[short] = self._builder.add_rows(int(short.sum()), upper=0)
            mine = short[group.domain]
            columns = cells.column[group.cell[mine]]
            self._builder.add_entries(rows[group.domain[mine]], columns, need[mine])
            limits = [most for most, wanted in zip(have, short.tolist(), strict=True) if wanted]
            self._builder.add_entries(rows[short], w[short], -np.array(limits, dtype=np.int64))

    def _sums(self, group: _Group, domains: Array, **limits: int) -> Array:
        """Rows over n_gd of some domains."""
        rows = np.full(group.domain_most.size, -1)
        rows[domains] = self._builder.add_rows(domains.size, **limits)
        wanted = rows[group.domain] >= 0
        columns = self._cells.column[group.cell[wanted]]
        self._builder.add_entries(rows[group.domain[wanted]], columns, 1)
        return rows[domains]

    def _spread(self, rule: DomainRule, record: Spread) -> None:
        group, skew = self._group(rule, record.group), record.max_skew
        counted = self._counted(rule)
        least = 0  # the most that the least count can be
        if counted.any() and int(counted.sum()) >= record.min_domains:
            least = int(group.domain_most[counted].min())
            least = min(least, group.most // int(counted.sum()))
        if not least:
            self._at_most(rule, group, skew)
            return
        domains = group.reachable
        counted = counted[domains]
        low, high = _count_limits(group, counted, skew, least)
        high = np.minimum(high, group.domain_most[domains])
        low = np.minimum(low, high)
        n = self._builder.add_columns(domains.size, lower=low, upper=high)
        count = np.zeros(group.domain_most.size, dtype=np.int64)
        count[domains] = low
        self._take(rule, count)
        t_low = max(0, -(-group.fewest // domains.size) - skew)
        t = self._builder.add_columns(1, lower=min(t_low, least), upper=least)
        sums = self._sums(group, domains, lower=0, upper=0)
        self._builder.add_entries(sums, n, -1)
        rows = self._builder.add_rows(int(counted.sum()), upper=0)
        self._builder.add_entries(rows, t, 1)
        self._builder.add_entries(rows, n[counted], -1)
        rows = self._builder.add_rows(domains.size, upper=skew)
        self._builder.add_entries(rows, n, 1)
        self._builder.add_entries(rows, t, -1)
        place = np.searchsorted(domains, group.domain)
        self.derived.append(Derived("count", group.cell, place, domains.size, group.most))
        mine = counted[place]
        place = np.cumsum(counted)[place[mine]] - 1
        size = int(counted.sum())
        self.derived.append(Derived("least", group.cell[mine], place, size, least))

    def _near(self, rule: DomainRule, record: Affinity) -> None:
        """w_gd <= n_hd."""
        assert record.with_ is not None
        w = self._occupied_columns(rule, record.group)
        other = self._group(rule, record.with_, of_other=True)
        domains = np.flatnonzero(w >= 0)
        rows = self._sums(other, domains, lower=0)
        self._builder.add_entries(rows, w[domains], -1)

    def _occupied_columns(self, rule: DomainRule, name: str) -> Array:
        """(domains,) the columns w of a group; -1 where none of it can be.

        Where a domain has but one cell, of one part at most, its column x is w.
        """
        key = name, rule.rule.domain
        if key in self._occupied:
            return self._occupied[key]
        group = self._group(rule, name, of_other=name != rule.rule.group)
        columns = np.full(group.domain_most.size, -1)
        cells = np.bincount(group.domain, minlength=columns.size)
        single = (cells == 1)[group.domain] & (self._cells.most[group.cell] == 1)
        columns[group.domain[single]] = self._cells.column[group.cell[single]]
        domains = np.flatnonzero((group.domain_most > 0) & (columns < 0))
        columns[domains] = self._builder.add_columns(domains.size)
        mine = ~single
        unit = np.unique(group.entry_unit[mine])
        rows = np.full(group.unit_most.size, -1)
        rows[unit] = self._builder.add_rows(unit.size, upper=0)
        entries = self._cells.column[group.cell[mine]]
        self._builder.add_entries(rows[group.entry_unit[mine]], entries, 1)
        self._builder.add_entries(
            rows[unit], columns[group.unit_domain[unit]], -group.unit_most[unit]
        )
        place = np.searchsorted(domains, group.domain[mine])
        most = min(domains.size, group.most)
        self.derived.append(Derived("occupied", group.cell[mine], place, domains.size, most))
        self._occupied[key] = columns
        return columns

    def _domain_of(self, rule: DomainRule) -> Array:
        """(n,) the domain of each node, -1 for none."""
        if rule.domain is None:
            return np.arange(self._node_class.size)
        found: Array = rule.domain[self._node_class]
        return found

    def _counted(self, rule: DomainRule) -> Array:
        """(domains,) whether the least count is taken over a domain."""
        counted: Array = rule.counted
        return counted[self._node_class] if rule.domain is None else counted

    def _group(self, rule: DomainRule, name: str, of_other: bool = False) -> _Group:
        key = name, rule.rule.domain
        if key not in self._groups:
            members = rule.other_modes if of_other else rule.modes
            self._groups[key] = self._make_group(rule, members)
        return self._groups[key]

    def _make_group(self, rule: DomainRule, members: Array) -> _Group:
        modes, cells = self._modes, self._cells
        domain_of = self._domain_of(rule)
        first, last = self._first_cell[members], self._first_cell[members + 1]
        cell = np.repeat(last - np.cumsum(last - first), last - first)
        cell += np.arange(cell.size)
        cell = cell[domain_of[cells.node[cell]] >= 0]
        domain = domain_of[cells.node[cell]]
        form_parts = np.zeros(modes.form_class.size, dtype=np.int64)
        np.add.at(form_parts, modes.mode_form[members], modes.mode_parts[members])
        most, fewest = _range_by_class(modes, form_parts)
        unit_of_mode, unit_parts, unit_tasks = _units(modes, form_parts)
        entry_unit = unit_of_mode[cells.mode[cell]]
        entry, first = group_rows([entry_unit, domain])
        unit, unit_domain = entry_unit[first], domain[first]
        held = np.zeros(unit.size, dtype=np.int64)
        np.add.at(held, entry, cells.most[cell])
        spot = group_rows([entry, cells.node[cell]])[1]
        nodes = np.bincount(entry[spot], minlength=unit.size)
        # A task has one part on a node at most.
        held = np.minimum(held, unit_tasks[unit] * np.minimum(unit_parts[unit], nodes))
        num_domains = domain_of.size if rule.domain is None else rule.num_domains
        domain_most = np.zeros(num_domains, dtype=np.int64)
        np.add.at(domain_most, unit_domain, held)
        return _Group(
            cell=cell,
            domain=domain,
            fewest=int(fewest.sum()),
            most=int(most.sum()),
            unit_domain=unit_domain,
            unit_most=held,
            entry_unit=entry,
            domain_most=np.minimum(domain_most, int(most.sum())),
        )


def _count_limits(group: _Group, counted: Array, skew: int, least: int) -> tuple[Array, Array]:
    """What each n_gd lies between, because all others are within the skew of the least.

    With t the least count, n <= t + skew and n + t (others counted) <= all parts; as t is whole,
    n <= (all - skew) // (others + 1) + skew. The lower limit is found alike.
    """
    others = int(counted.sum()) - counted
    high = np.minimum(least, np.maximum(group.most - skew, 0) // (others + 1)) + skew
    rest = counted.size - 1
    low = np.full(counted.size, max(0, group.fewest - rest * (least + skew)))
    low[counted] = np.maximum(low[counted], -(-(group.fewest - rest * skew) // (rest + 1)))
    return low, high


def _range_by_class(modes: Modes, form_parts: Array) -> tuple[Array, Array]:
    """(K,) most and fewest parts of each class, with so many of a task in each form."""
    K = modes.task_count.size
    most = np.zeros(K, dtype=np.int64)
    np.maximum.at(most, modes.form_class, form_parts)
    fewest = np.full(K, np.iinfo(np.int64).max)
    np.minimum.at(fewest, modes.form_class, form_parts)
    must_run = np.array([cost is None for cost in modes.skip_cost], dtype=bool)
    return most * modes.task_count, np.where(must_run, np.minimum(fewest, most), 0) * (
        modes.task_count
    )


def _units(modes: Modes, form_parts: Array) -> tuple[Array, Array, Array]:
    """The unit of each mode, and the parts of a task and the tasks of each unit."""
    K, F = modes.task_count.size, modes.form_class.size
    most = np.zeros(K, dtype=np.int64)
    np.maximum.at(most, modes.form_class, form_parts)
    unlike = np.zeros(K, dtype=bool)
    np.logical_or.at(unlike, modes.form_class, form_parts != most[modes.form_class])
    form_unit = np.where(unlike[modes.form_class], K + np.arange(F), modes.form_class)
    parts = np.concatenate((most, form_parts))
    tasks = np.concatenate((modes.task_count, modes.task_count[modes.form_class]))
    return form_unit[modes.mode_form], parts, tasks
