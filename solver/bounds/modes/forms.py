"""Which forms can run at all, and what the tasks that must run need at least."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...model.exact import Array
from ...model.rules import Affinity
from ...problem.modes import DomainRule, Modes
from ...problem.problem import Problem
from ...programs.modes_rules import modes_never_placed

__all__ = ["Forms", "domain_of_classes"]


@dataclass(frozen=True)
class Forms:
    """Necessary conditions on the forms of a problem with modes, one form at a time.

    Attributes
    ----------
    problem : Problem
    modes : Modes
    """

    problem: Problem
    modes: Modes

    @cached_property
    def usable(self) -> Array:
        """(P, G) bool: whether a part may be on a node of a class."""
        usable: Array = self.problem.most_per_node > 0
        usable[modes_never_placed(self.modes)] = False
        return usable

    @cached_property
    def num_usable(self) -> Array:
        """(P,) how many nodes may take a part."""
        nodes: Array = self.usable @ self.problem.classes.node_count
        return nodes

    @cached_property
    def num_parts(self) -> Array:
        """(F,) parts of a task in the form."""
        parts = np.zeros(self.modes.form_class.size, dtype=np.int64)
        np.add.at(parts, self.modes.mode_form, self.modes.mode_parts)
        return parts

    @cached_property
    def modes_of(self) -> list[list[int]]:
        """The modes of each form."""
        found: list[list[int]] = [[] for _ in self.modes.form_class]
        for p, f in enumerate(self.modes.mode_form.tolist()):
            found[f].append(p)
        return found

    @cached_property
    def must_run(self) -> Array:
        """(K,) bool"""
        return np.array([price is None for price in self.modes.skip_cost], dtype=bool)

    @cached_property
    def possible(self) -> Array:
        """(F,) bool: whether one task in the form, alone, could keep to the rules."""
        modes = self.modes
        possible = np.ones(modes.form_class.size, dtype=bool)
        possible[modes.mode_form[self.num_usable < modes.mode_parts]] = False
        for f in np.flatnonzero(possible & (self.num_parts > 1)).tolist():
            possible[f] = self.enough_nodes(f) and self.torn_by(f) is None
        return possible

    def enough_nodes(self, f: int, where: Array | None = None) -> bool:
        """Whether there are as many nodes (of some classes) as the form has parts."""
        nodes = self.problem.classes.node_count
        if where is not None:
            nodes = nodes * where
        usable = self.usable[self.modes_of[f]]
        of_mode = usable @ nodes >= self.modes.mode_parts[self.modes_of[f]]
        together = int(nodes[usable.any(axis=0)].sum())
        return bool(of_mode.all()) and together >= int(self.num_parts[f])

    def torn_by(self, f: int) -> DomainRule | None:
        """An affinity that wants the parts of a form in one domain, and none has the nodes."""
        for rule in self._together.get(self.modes_of[f][0], ()):
            if rule.domain is None:
                return rule
            domains = np.unique(rule.domain[rule.domain >= 0]).tolist()
            if not any(self.enough_nodes(f, rule.domain == d) for d in domains):
                return rule
        return None

    @cached_property
    def _together(self) -> dict[int, list[DomainRule]]:
        """For each mode the rules that want its group in one domain."""
        found: dict[int, list[DomainRule]] = {}
        for rule in self.modes.rules:
            if isinstance(rule.rule, Affinity) and rule.rule.with_ is None:
                for p in rule.modes.tolist():
                    found.setdefault(p, []).append(rule)
        return found

    def least(self, values: Iterable[int]) -> list[int]:
        """(K,) the least over the forms that a class can take; 0 if its tasks may be left out."""
        least: list[int | None] = [None] * self.must_run.size
        classes = self.modes.form_class.tolist()
        for k, value, possible in zip(classes, values, self.possible.tolist(), strict=True):
            so_far = least[k]
            if possible and (so_far is None or value < so_far):
                least[k] = value
        runs = self.must_run.tolist()
        return [value if must and value else 0 for value, must in zip(least, runs, strict=True)]

    def of_forms(self, values: Iterable[int]) -> list[int]:
        """(F,) the sum over the parts of a form of a value that each mode has."""
        sums = [0] * self.modes.form_class.size
        parts = self.modes.mode_parts.tolist()
        for f, number, value in zip(self.modes.mode_form.tolist(), parts, values, strict=True):
            sums[f] += number * value
        return sums

    @cached_property
    def reach(self) -> Array:
        """(K, G) bool: node classes that a part of a form that is possible may be on."""
        modes = self.modes
        reach = np.zeros((modes.task_count.size, self.usable.shape[1]), dtype=bool)
        counts = self.possible[modes.mode_form]
        np.logical_or.at(reach, modes.mode_class[counts], self.usable[counts])
        return reach

    def tasks_of(self, classes: Array) -> Array:
        """Ids of the tasks of some classes."""
        inside = np.isin(self.modes.task_class, classes)
        ids: Array = np.asarray(self.problem.instance.task_ids)[inside]
        return ids


def domain_of_classes(problem: Problem, rule: DomainRule) -> tuple[Array, int]:
    """(G,) number of the domain of each node class, and how many: itself if nodes are domains."""
    if rule.domain is None:
        number = problem.classes.num_node_classes
        return np.arange(number), number
    return rule.domain, rule.num_domains
