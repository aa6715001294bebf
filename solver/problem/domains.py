"""Rules over the classes of a problem: which modes count, and which nodes are one domain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.eligibility import Eligibility
from ..model.exact import Array
from ..model.instance import Instance
from ..model.records import Labels
from ..model.rows.rows import parts_of
from ..model.rules import Limit, Rule, Spread

__all__ = ["DomainRule", "domain_rules", "domains_of", "hosts_by_eligibility"]


@dataclass(frozen=True)
class DomainRule:
    """A rule over modes and classes of nodes.

    Attributes
    ----------
    rule : Limit, Spread, Affinity or AntiAffinity
    modes, weights : (k,) int64
        The modes of which parts count for the rule's group, and how often.
    other_modes, other_weights : (k,) int64
        The same of the group `with_`; empty without one.
    domain : (G,) int64 or None
        The number of the domain of each class of nodes, -1 without one; None where every node is
        its own domain.
    num_domains : int
        Of those with a name; 0 where every node is its own.
    counted : (num_domains,) or (G,) bool
        Of a spread: which domains, or classes of nodes, count for its minimum.
    """

    rule: Rule
    modes: Array
    weights: Array
    other_modes: Array
    other_weights: Array
    domain: Array | None
    num_domains: int
    counted: Array

    @property
    def most(self) -> int | None:
        """The most parts of the group on one node; None without a limit."""
        return self.rule.max if isinstance(self.rule, Limit) else None


def domains_of(instance: Instance) -> dict[str, Array]:
    """For each kind or label that rules name, (n,) numbers of its values, -1 without."""
    found = {}
    for rule in instance.rules:
        if rule.domain == "node" or rule.domain in found:
            continue
        is_kind = rule.domain == "kind"
        column = instance.node_kind if is_kind else instance.node_labels[rule.domain]
        number: dict[str | None, int] = {None: -1}
        for value in column:
            number.setdefault(value, len(number) - 1)
        found[rule.domain] = np.array([number[value] for value in column], dtype=np.int64)
    return found


def hosts_by_eligibility(instance: Instance) -> Array:
    """(spreads, n) bool: where some task of each spread's group may run, by eligibility alone."""
    spreads = [rule for rule in instance.rules if isinstance(rule, Spread)]
    lists: list[set[Labels]] = []
    wanted: dict[Labels, int] = {}
    by_group = _lists_by_group(instance) if spreads else {}
    for rule in spreads:
        lists.append(by_group[rule.group])
        for labels in lists[-1]:
            wanted.setdefault(labels, len(wanted))
    hosts = np.zeros((len(spreads), instance.num_nodes), dtype=bool)
    eligibility = Eligibility(
        tuple(wanted), instance.node_ids, instance.node_kind, instance.node_labels
    )
    for at, named in enumerate(lists):
        for labels in named:
            hosts[at] |= eligibility.row(wanted[labels])
    return hosts


def _lists_by_group(instance: Instance) -> dict[str, set[Labels]]:
    """The eligibility lists of the tasks of each group, without pins."""
    of_model = [
        {
            None if part.eligible is None else tuple(part.eligible)
            for variant in variants
            for part in parts_of(variant)
        }
        for variants in instance.variant_sets
    ]
    keys = np.column_stack((instance.task_groups, instance.task_model, instance.task_group))
    found: dict[str, set[Labels]] = {}
    for number, model, group in np.unique(keys, axis=0).tolist():
        lists = {instance.groups[group]} if model < 0 else of_model[model]
        for name in instance.group_sets[number]:
            found.setdefault(name, set()).update(lists)
    return found


def domain_rules(
    instance: Instance,
    task_first: Array,
    mode_class: Array,
    domains: dict[str, Array],
    spread_hosts: Array,
    node_first: Array,
) -> tuple[DomainRule, ...]:
    """The rules of an instance over its modes.

    Parameters
    ----------
    instance : Instance
    task_first : (K,) int64
        A task of each class.
    mode_class : (P,) int64
        The class of each mode.
    domains, spread_hosts
        As `domains_of` and `hosts_by_eligibility` tell.
    node_first : (G,) int64
        A node of each class.
    """
    if not instance.rules:
        return ()
    modes_of = _modes_by_group(instance, task_first, mode_class)
    nobody = np.zeros(0, dtype=np.int64)
    made, spreads = [], 0
    for rule in instance.rules:
        modes, other = modes_of.get(rule.group, nobody), nobody
        other_name = getattr(rule, "with_", None)
        if other_name is not None:
            other = modes_of.get(other_name, nobody)
        domain = None if rule.domain == "node" else domains[rule.domain]
        count = 0 if domain is None else int(domain.max(initial=-1)) + 1
        counted = np.zeros(0, dtype=bool)
        if isinstance(rule, Spread):
            hosts = spread_hosts[spreads]
            spreads += 1
            if domain is None:
                counted = hosts[node_first]
            else:
                counted = np.zeros(count, dtype=bool)
                counted[domain[hosts & (domain >= 0)]] = True
        made.append(
            DomainRule(
                rule=rule,
                modes=modes,
                weights=np.ones_like(modes),
                other_modes=other,
                other_weights=np.ones_like(other),
                domain=None if domain is None else domain[node_first],
                num_domains=count,
                counted=counted,
            )
        )
    return tuple(made)


def _modes_by_group(instance: Instance, task_first: Array, mode_class: Array) -> dict[str, Array]:
    numbers = instance.task_groups[task_first[mode_class]]
    order = np.argsort(numbers, kind="stable")
    found: dict[str, list[Array]] = {}
    bounds = np.searchsorted(numbers[order], np.arange(len(instance.group_sets) + 1))
    for number, names in enumerate(instance.group_sets):
        here = order[bounds[number] : bounds[number + 1]]
        for name in names if here.size else ():
            found.setdefault(name, []).append(here)
    return {name: np.sort(np.concatenate(parts)) for name, parts in found.items()}
