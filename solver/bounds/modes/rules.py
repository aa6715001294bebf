"""What must run of a group against the domains that a rule leaves it."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ...model.exact import Array
from ...model.rules import Affinity, Limit, Spread
from ...problem.modes import DomainRule
from ..cuts import distinct, overfull_cut
from ..words import amount, count, listed, title
from .forms import Forms, domain_of_classes

__all__ = ["why_rule_fails"]

_MAX_EDGES = 50_000


def why_rule_fails(forms: Forms, rule: DomainRule) -> str | None:
    """A sentence about the tasks of a group and domains that clash; None if none is found."""
    if isinstance(rule.rule, Affinity) and rule.rule.with_ is None:
        return _why_not_together(forms, rule)
    of_domains = _Domains(forms, rule)
    held = of_domains.most(rule.modes, rule.weights)
    words = f"the {rule.rule.name} of group {rule.rule.group!r} by {rule.rule.domain}"
    if isinstance(rule.rule, Limit):
        top = int(rule.rule.max)
        return of_domains.clash([min(top, most) for most in held], f"{words} is {top:,}")
    if isinstance(rule.rule, Spread):
        least, why = _least(of_domains, rule, held)
        top = int(rule.rule.max_skew) + least
        words = f"{words} has max_skew {rule.rule.max_skew:,}{why}"
        return of_domains.clash([min(top, most) for most in held], words)
    if isinstance(rule.rule, Affinity):
        others = of_domains.most(rule.other_modes, rule.other_weights)
        held = [most if other else 0 for most, other in zip(held, others, strict=True)]
        return of_domains.clash(held, f"{words} with {rule.rule.with_!r}")
    return None


class _Domains:
    """The domains of a rule; where every node is one, the classes of nodes, each many times."""

    def __init__(self, forms: Forms, rule: DomainRule) -> None:
        self.forms, self.rule = forms, rule
        self.of_class, self.number = domain_of_classes(forms.problem, rule)
        self.inside = self.of_class >= 0
        nodes = forms.problem.classes.node_count
        self.times = nodes if rule.domain is None else np.ones(self.number, dtype=np.int64)

    def most(self, modes: Array, weights: Array) -> list[int]:
        """The most parts that one domain can take."""
        possible = self.forms.possible[self.forms.modes.mode_form[modes]]
        used = self.forms.usable[modes] & possible[:, None]
        room = np.where(used, self.forms.problem.most_per_node[modes], 0)
        of_class = (room * weights[:, None]).sum(axis=0)
        if self.rule.domain is not None:
            of_class = of_class * self.forms.problem.classes.node_count
        most = np.zeros(self.number, dtype=np.int64)
        np.add.at(most, self.of_class[self.inside], of_class[self.inside])
        return most.tolist()

    @cached_property
    def least(self) -> tuple[Array, Array]:
        """The classes of which parts of the group must be, and how many parts at least."""
        forms, rule = self.forms, self.rule
        modes = forms.modes
        found: dict[int, int] = {}
        for p, weight in zip(rule.modes.tolist(), rule.weights.tolist(), strict=True):
            f = int(modes.mode_form[p])
            found[f] = found.get(f, 0) + weight * int(modes.mode_parts[p])
        of_class: dict[int, int] = {}
        for f, parts in found.items():
            k = int(modes.form_class[f])
            if forms.must_run[k] and forms.possible[f]:
                of_class[k] = min(of_class.get(k, parts), parts)
        classes = np.array(sorted(of_class), dtype=np.int64)
        each = np.array([of_class[k] for k in classes.tolist()], dtype=np.int64)
        return classes, each * modes.task_count[classes]

    def reach(self, classes: Array) -> Array:
        """(classes, domains) bool: where parts of the group may be."""
        reach = np.zeros((classes.size, self.number), dtype=bool)
        here = self.forms.reach[classes]
        for g in np.flatnonzero(self.inside).tolist():
            reach[:, self.of_class[g]] |= here[:, g]
        return reach

    def clash(self, most: list[int], words: str) -> str | None:
        """A sentence if what must run of the group is more than what its domains take."""
        forms = self.forms
        classes, least = self.least
        reach = self.reach(classes)
        everything = sum(top * times for top, times in zip(most, self.times.tolist(), strict=True))
        if not classes.size or (everything >= int(least.sum()) and reach.all()):
            return None
        bucket, domain_bucket, adjacent = distinct(reach)
        if adjacent.size > _MAX_EDGES:
            bucket, domain_bucket = np.zeros_like(bucket), np.zeros_like(domain_bucket)
            adjacent = np.ones((1, 1), dtype=bool)
        demand, supply = [0] * adjacent.shape[0], [0] * adjacent.shape[1]
        for b, parts in zip(bucket.tolist(), least.tolist(), strict=True):
            demand[b] += parts
        for b, top, times in zip(domain_bucket.tolist(), most, self.times.tolist(), strict=True):
            supply[b] += top * times
        cut = overfull_cut(adjacent, demand, supply)
        if cut is None:
            return None
        tasks_in, domains_in = cut
        needed, there = sum(demand[b] for b in tasks_in), sum(supply[b] for b in domains_in)
        ids = forms.tasks_of(classes[np.isin(bucket, tasks_in)])
        where = np.flatnonzero(np.isin(domain_bucket, domains_in) & (np.array(most) > 0))
        open_to_them = "its domains"
        if where.size:
            open_to_them = f"the domains open to them ({self.names(where)})"
        return (
            f"{words}; {count(ids, 'task')} must place {needed:,} parts at least, and "
            f"{open_to_them} take {there:,} at most: {needed - there:,} short"
        )

    def names(self, domains: Array) -> str:
        """The first few domains by their names."""
        instance, classes = self.forms.problem.instance, self.forms.problem.classes
        if self.rule.domain is None:
            nodes = np.flatnonzero(np.isin(classes.node_class, domains))
            return listed(np.asarray(instance.node_ids)[nodes])
        first = [
            int(classes.node_first[int(np.flatnonzero(self.of_class == d)[0])]) for d in domains
        ]
        key = self.rule.rule.domain
        values = instance.node_kind if key == "kind" else instance.node_labels[key]
        return listed([values[i] for i in first])


def _least(of_domains: _Domains, rule: DomainRule, held: list[int]) -> tuple[int, str]:
    """The most that the least of all counted domains can be, and in words why."""
    assert isinstance(rule.rule, Spread)
    counted = np.flatnonzero(rule.counted)
    number = int(of_domains.times[counted].sum())
    if number < rule.rule.min_domains:
        return (
            0,
            f", and its domains are {number:,}, fewer than min_domains {rule.rule.min_domains:,}",
        )
    if not number:
        return 0, ""
    scarce = min(counted.tolist(), key=lambda d: held[d])
    name = of_domains.names(np.array([scarce]))
    if not held[scarce]:
        return 0, f", and {name} counts but can take none"
    return held[scarce], f", and {name} can take {held[scarce]:,}"


def _why_not_together(forms: Forms, rule: DomainRule) -> str | None:
    """A sentence if no domain can take all that must run of a group."""
    of_domains = _Domains(forms, rule)
    classes, least = of_domains.least
    reach, total = of_domains.reach(classes), int(least.sum())
    held = of_domains.most(rule.modes, rule.weights)
    nearest = None
    for d in range(of_domains.number):
        if not reach[:, d].all() or held[d] < total:
            continue
        nearest = _lack(forms, of_domains, classes, d)
        if nearest is None:
            return None
    if not total:
        return None
    ids = forms.tasks_of(classes)
    words = (
        f"the affinity of group {rule.rule.group!r} wants all parts of {count(ids, 'task')} in one "
        f"{rule.rule.domain}, at least {total:,}, and none can take them all"
    )
    return words if nearest is None else f"{words} ({nearest})"


def _lack(forms: Forms, of_domains: _Domains, classes: Array, d: int) -> str | None:
    """The hard dimension of which one domain has too little for all of some classes."""
    problem, exact = forms.problem, forms.problem.instance.exact
    inside = (of_domains.of_class == d) & forms.reach[classes].any(axis=0)
    nodes = problem.classes.node_count[inside].tolist()
    if of_domains.rule.domain is None:
        nodes = [1] * len(nodes)
    counts = forms.modes.task_count.tolist()
    for r, dimension in enumerate(exact.dimensions):
        least = forms.least(forms.of_forms(problem.exact_numbers.needs[:, r].tolist()))
        need = sum(least[k] * counts[k] for k in classes.tolist())
        capacity = problem.exact_numbers.capacity[inside, r].tolist()
        have = sum(a * b for a, b in zip(capacity, nodes, strict=True))
        if need > have:
            scale = exact.scales[r]
            return (
                f"{title(dimension)}: they need at least {amount(need, scale)}, and "
                f"{of_domains.names(np.array([d]))} has {amount(have, scale)}"
            )
    return None
