"""Rules over groups and domains: limit, spread, affinity and anti-affinity.

n(g, d) is the number of parts of the tasks of group g on the nodes of domain d. A node that has no
kind, or not the label, takes no part of a rule's group.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..model.exact import Array
from ..model.rules import Affinity, AntiAffinity, Limit, Rule, Spread
from .placed import Placed
from .places import eligible_lists, names_of
from .violations import Violation

__all__ = ["domain_rules"]

_Lists = frozenset[frozenset[str] | None]
_NOTHING = np.zeros(0, dtype=np.int64)


def domain_rules(placed: Placed) -> Iterator[Violation]:
    """The rules over domains that are broken."""
    groups, domains = _Groups(placed), _Domains(placed)
    told: set[tuple[str, str]] = set()
    for rule in placed.instance.rules:
        if (rule.group, rule.domain) not in told:
            told.add((rule.group, rule.domain))
            yield from _unlabelled(placed, groups, domains, rule)
        if isinstance(rule, Limit):
            yield from _limit(groups, domains, rule)
        elif isinstance(rule, Spread):
            yield from _spread(groups, domains, rule)
        elif isinstance(rule, Affinity):
            yield from _affinity(groups, domains, rule)
        else:
            yield from _anti_affinity(groups, domains, rule)


class _Counts(NamedTuple):
    """n(g, d) of the domains that have parts of a group: their numbers, ascending."""

    domain: Array
    parts: Array

    def at(self, domain: int) -> int:
        """n(g, d) of one domain."""
        k = int(np.searchsorted(self.domain, domain))
        return int(self.parts[k]) if k < self.domain.size and self.domain[k] == domain else 0


class _Domain(NamedTuple):
    """The number of the domain of each node, -1 where it has none, and the names of all."""

    number: Array
    names: list[str]
    everywhere: bool

    def counts(self, nodes: Array) -> _Counts:
        """n(g, d) of parts on some nodes."""
        numbers = self.number[nodes]
        return _Counts(*np.unique(numbers[numbers >= 0], return_counts=True))


class _Domains:
    """The domains of each key, and which of them may be used."""

    def __init__(self, placed: Placed) -> None:
        self._instance = placed.instance
        self._known: dict[str, _Domain] = {}
        self._usable: dict[tuple[str, _Lists], Array] = {}

    def __getitem__(self, key: str) -> _Domain:
        if key not in self._known:
            self._known[key] = self._domain(key)
        return self._known[key]

    def _domain(self, key: str) -> _Domain:
        instance = self._instance
        if key == "node":
            ids = instance.node_ids.tolist()
            return _Domain(np.arange(len(ids)), ids, True)
        values = instance.node_kind if key == "kind" else instance.node_labels[key]
        names = list(dict.fromkeys(value for value in values if value is not None))
        number_of = {name: number for number, name in enumerate(names)}
        number = [-1 if value is None else number_of[value] for value in values]
        return _Domain(np.array(number, dtype=np.int64), names, None not in values)

    def usable_by_any(self, key: str, lists: _Lists) -> Array:
        """Numbers of the domains with a node that one of some lists of `eligible` names."""
        if (key, lists) not in self._usable:
            number = self[key].number
            if None not in lists:
                number = number[self._named(frozenset().union(*filter(None, lists)))]
            self._usable[key, lists] = np.unique(number[number >= 0])
        return self._usable[key, lists]

    def _named(self, listed: frozenset[str]) -> Array:
        at = [self._nodes_by_name.get(name, []) for name in listed]
        return np.array(sorted({node for nodes in at for node in nodes}), dtype=np.int64)

    @cached_property
    def _nodes_by_name(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for node, names in enumerate(names_of(self._instance)):
            for name in names:
                found.setdefault(name, []).append(node)
        return found


class _Groups:
    """Tasks and parts by group, without looking at all of them for each group."""

    def __init__(self, placed: Placed) -> None:
        self._placed, instance = placed, placed.instance
        self._sets: dict[str, list[int]] = {}
        for number, names in enumerate(instance.group_sets):
            for name in names:
                self._sets.setdefault(name, []).append(number)
        self._parts = _Sorted(instance.task_groups[placed.task], len(instance.group_sets))
        self._nodes: dict[str, Array] = {}

    def parts(self, group: str) -> Array:
        """Positions of the parts of a group among the rows in use."""
        return self._parts.of(self._sets.get(group, []))

    def nodes(self, group: str) -> Array:
        """The node of each part of a group."""
        if group not in self._nodes:
            self._nodes[group] = self._placed.node[self.parts(group)]
        return self._nodes[group]

    def lists(self, group: str) -> _Lists:
        """The lists of `eligible` of all parts of all variants of the tasks of a group."""
        rows = self._rows.of(self._sets.get(group, []))
        lists, number = self._eligible
        distinct = np.unique(number[rows]).tolist()
        return frozenset(lists[each] for each in distinct)

    @cached_property
    def _rows(self) -> _Sorted:
        instance = self._placed.instance
        return _Sorted(instance.task_groups[instance.rows.task], len(instance.group_sets))

    @cached_property
    def _eligible(self) -> tuple[list[frozenset[str] | None], Array]:
        everything = np.arange(self._placed.instance.rows.num_rows)
        lists, number = eligible_lists(self._placed, everything)
        return [None if each is None else frozenset(each) for each in lists], number


class _Sorted:
    """Positions by their key, from 0 to count - 1."""

    def __init__(self, keys: Array, count: int) -> None:
        self._order = np.argsort(keys, kind="stable")
        self._start = np.searchsorted(keys[self._order], np.arange(count + 1)).tolist()

    def of(self, keys: list[int]) -> Array:
        """The positions with one of some keys."""
        slices = [self._order[self._start[key] : self._start[key + 1]] for key in keys]
        if len(slices) == 1:
            return slices[0]
        return np.concatenate(slices) if slices else _NOTHING


def _unlabelled(
    placed: Placed, groups: _Groups, domains: _Domains, rule: Rule
) -> Iterator[Violation]:
    domain = domains[rule.domain]
    if domain.everywhere:
        return
    parts = groups.parts(rule.group)
    instance = placed.instance
    for k in parts[domain.number[placed.node[parts]] < 0].tolist():
        task, node = instance.task_ids[placed.task[k]], instance.node_ids[placed.node[k]]
        yield Violation("label", str(task), str(node), 1, group=rule.group, domain=rule.domain)


def _limit(groups: _Groups, domains: _Domains, rule: Limit) -> Iterator[Violation]:
    nodes = groups.nodes(rule.group)
    if nodes.size <= rule.max:
        return
    domain = domains[rule.domain]
    counts = domain.counts(nodes)
    above = counts.parts > rule.max
    for d, parts in zip(counts.domain[above].tolist(), counts.parts[above].tolist(), strict=True):
        yield _of_domain("limit", rule, domain.names[d], parts, parts - rule.max)


def _spread(groups: _Groups, domains: _Domains, rule: Spread) -> Iterator[Violation]:
    nodes = groups.nodes(rule.group)
    if nodes.size <= rule.max_skew:
        return
    domain = domains[rule.domain]
    counts = domain.counts(nodes)
    counted = domains.usable_by_any(rule.domain, groups.lists(rule.group))
    mine = np.isin(counts.domain, counted, assume_unique=True)
    few = counted.size < max(1, rule.min_domains)
    some_are_empty = counted.size > np.count_nonzero(mine)
    least = 0 if few or some_are_empty else int(counts.parts[mine].min())
    over = int(counts.parts.max(initial=0)) - least - rule.max_skew
    if over <= 0:
        return
    shown = _by_parts(domain, counts)
    if some_are_empty:
        used = np.isin(counted, counts.domain, assume_unique=True)
        shown += ((domain.names[counted[np.argmin(used)]], 0),)
    yield Violation(
        "spread",
        None,
        None,
        over,
        group=rule.group,
        domain=rule.domain,
        counts=shown,
        total=least,
    )


def _affinity(groups: _Groups, domains: _Domains, rule: Affinity) -> Iterator[Violation]:
    domain = domains[rule.domain]
    counts = domain.counts(groups.nodes(rule.group))
    if rule.with_ is None:
        if counts.domain.size > 1:
            yield Violation(
                "affinity",
                None,
                None,
                counts.domain.size - 1,
                group=rule.group,
                domain=rule.domain,
                counts=_by_parts(domain, counts),
            )
        return
    company = domain.counts(groups.nodes(rule.with_))
    for d, parts in zip(counts.domain.tolist(), counts.parts.tolist(), strict=True):
        if not company.at(d):
            yield _of_domain("affinity", rule, domain.names[d], parts, parts, rule.with_)


def _anti_affinity(groups: _Groups, domains: _Domains, rule: AntiAffinity) -> Iterator[Violation]:
    domain = domains[rule.domain]
    counts = domain.counts(groups.nodes(rule.group))
    company = domain.counts(groups.nodes(rule.with_))
    for d, parts in zip(counts.domain.tolist(), counts.parts.tolist(), strict=True):
        others = company.at(d)
        if others:
            yield _of_domain("anti-affinity", rule, domain.names[d], parts, others, rule.with_)


def _of_domain(
    name: str, rule: Rule, place: str, parts: int, amount: int, other: str | None = None
) -> Violation:
    return Violation(
        name,
        None,
        place if rule.domain == "node" else None,
        amount,
        group=rule.group,
        domain=rule.domain,
        counts=((place, parts),),
        other=other,
    )


def _by_parts(domain: _Domain, counts: _Counts) -> tuple[tuple[str, int], ...]:
    """n(g, d) of the domains with parts, the most first."""
    order = np.argsort(-counts.parts, kind="stable")
    return tuple((domain.names[counts.domain[k]], int(counts.parts[k])) for k in order.tolist())
