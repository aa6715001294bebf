"""Rows of the master beside those that cover: quality budget, cap on moves, rules over domains.

With n_rd the parts that count for rule r in the columns of all nodes of domain d, and L_r the
least of them over the domains that count for a spread, the rows of a rule are

    n_rd                <= most                 limit
    n_rd - s_rd L_r     <= s_rd skew            spread, each domain
    s_rd L_r - n_rd     <= 0                    spread, each domain that counts
    0 <= L_r <= (all parts) / (domains that count)

where s_rd is 1. If every node is a domain of its own, d is a class of s_rd nodes, and its rows are
the sums of those of its nodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...model.exact import Array
from ...model.rules import Limit, Spread
from ...problem.modes import DomainRule, Modes

__all__ = ["RuleRows", "rule_rows"]


@dataclass(frozen=True)
class RuleRows:
    """The R rows of all limits and spreads over domains.

    Attributes
    ----------
    entry_rule, entry_mode, entry_weight : (entries,) int64
        Which modes count for which rule, and how often.
    place : (rules, G) int64
        Number of the domain of each node class among those of all rules; the one behind the last
        stands for none.
    num_places : int
    sign, size, limit : (R,) int64
        The row is ``sign * n + size * L <= limit``.
    row_rule, row_place : (R,) int64
    most_least : (rules,) int64
        Upper limit of each L.
    """

    entry_rule: Array
    entry_mode: Array
    entry_weight: Array
    place: Array
    num_places: int
    sign: Array
    size: Array
    limit: Array
    row_rule: Array
    row_place: Array
    most_least: Array

    def charges(self, g: int, prices: Array, num_modes: int) -> Array:
        """(P,) what a part of each mode pays on a node of class g at prices of the rows."""
        charges = np.zeros(num_modes, dtype=prices.dtype)
        if self.sign.size:
            at_place = np.zeros(self.num_places + 1, dtype=prices.dtype)
            np.add.at(at_place, self.row_place, self.sign * prices)
            each = at_place[self.place[self.entry_rule, g]] * self.entry_weight
            np.add.at(charges, self.entry_mode, each)
        return charges

    def of_entry(self, count: Array) -> Array:
        """(entries,) what all parts of a mode count for a rule."""
        counted: Array = self.entry_weight * count[self.entry_mode].astype(float)
        return counted

    def dearest(self, prices: Array) -> Array:
        """(entries,) most that a part pays or is paid by the rule, on any node."""
        if not self.sign.size:
            return np.zeros(self.entry_mode.size)
        at_place = np.zeros(self.num_places + 1)
        np.add.at(at_place, self.row_place, self.sign * prices)
        dearest: Array = np.abs(at_place)[self.place].max(axis=1)[self.entry_rule]
        return dearest

    def coefficients(self, g: int, amounts: Array) -> tuple[Array, Array]:
        """Rows that a column of class g enters, and its coefficients; amounts of the P modes."""
        parts = np.zeros(len(self.place), dtype=np.int64)
        np.add.at(parts, self.entry_rule, self.entry_weight * amounts[self.entry_mode])
        rows = np.flatnonzero(
            (self.row_place == self.place[self.row_rule, g]) & (parts[self.row_rule] > 0)
        )
        return rows, self.sign[rows] * parts[self.row_rule[rows]]

    def least_value(self, prices: list[int], limit: list[int]) -> int:
        """Least of what the rows add to the cost of any columns, apart from the parts in them.

        Parameters
        ----------
        prices, limit : list of R int
        """
        of_least = [0] * len(self.place)
        total = 0
        for r, s, price, most in zip(
            self.row_rule.tolist(), self.size.tolist(), prices, limit, strict=True
        ):
            of_least[r] += s * price
            total -= price * most
        most_least = self.most_least.tolist()
        total += sum(min(0, c) * L for c, L in zip(of_least, most_least, strict=True))
        return int(total)


def rule_rows(rules: Iterable[DomainRule], modes: Modes, node_count: Array) -> RuleRows:
    """The rows of those rules that have any: limits over domains, and spreads.

    Affinity and anti-affinity have none; a relaxation may be without them.
    """
    build = _Builder(modes, node_count)
    for rule in rules:
        build.add(rule)
    return build.rows()


class _Builder:
    def __init__(self, modes: Modes, node_count: Array) -> None:
        self.modes, self.node_count = modes, node_count
        self.entries: list[Array] = []
        self.places: list[Array] = []
        self.found: list[tuple[int, int, int, int, int]] = []
        self.most_least: list[int] = []
        self.num_places = 0

    def add(self, rule: DomainRule) -> None:
        total = self._most_parts(rule)
        record = rule.rule
        if isinstance(record, Limit):
            if rule.domain is not None and total > record.max:
                for d in range(self._begin(rule, 0)):
                    self._row(d, 1, 0, record.max)
        elif isinstance(record, Spread) and total > record.max_skew:
            if rule.domain is None:
                sizes = self.node_count
            else:
                sizes = np.ones(rule.num_domains, dtype=np.int64)
            counting = int(sizes[rule.counted].sum())
            least = counting > 0 and counting >= record.min_domains
            if least and counting == sizes.sum() == 1:
                return
            number = self._begin(rule, total // counting if least else 0)
            for d in range(number):
                s = int(sizes[d])
                self._row(d, 1, -s if least else 0, s * record.max_skew)
                if least and rule.counted[d]:
                    self._row(d, -1, s, 0)

    def _most_parts(self, rule: DomainRule) -> int:
        """Most parts that can count for a rule in all."""
        modes = self.modes
        in_form = np.zeros(modes.form_class.size, dtype=np.int64)
        weights = rule.weights * modes.mode_parts[rule.modes]
        np.add.at(in_form, modes.mode_form[rule.modes], weights)
        in_class = np.zeros(modes.task_count.size, dtype=np.int64)
        np.maximum.at(in_class, modes.form_class, in_form)
        return int((in_class * modes.task_count).sum())

    def _begin(self, rule: DomainRule, most_least: int) -> int:
        """Begin the rows of a rule; the number of its domains."""
        number = len(self.places)
        domain = np.arange(self.node_count.size) if rule.domain is None else rule.domain
        count = self.node_count.size if rule.domain is None else rule.num_domains
        self.entries.append(np.stack((np.full(rule.modes.size, number), rule.modes, rule.weights)))
        self.places.append(np.where(domain < 0, -1, domain + self.num_places))
        self.start, self.num_places = self.num_places, self.num_places + count
        self.most_least.append(most_least)
        return count

    def _row(self, d: int, sign: int, size: int, limit: int) -> None:
        self.found.append((len(self.places) - 1, self.start + d, sign, size, limit))

    def rows(self) -> RuleRows:
        found = np.array(self.found, dtype=np.int64).reshape(-1, 5)
        entries = np.concatenate([np.zeros((3, 0), dtype=np.int64), *self.entries], axis=1)
        place = np.array(self.places, dtype=np.int64).reshape(-1, self.node_count.size)
        return RuleRows(
            entry_rule=entries[0],
            entry_mode=entries[1],
            entry_weight=entries[2],
            place=np.where(place < 0, self.num_places, place),
            num_places=self.num_places,
            sign=found[:, 2],
            size=found[:, 3],
            limit=found[:, 4],
            row_rule=found[:, 0],
            row_place=found[:, 1],
            most_least=np.array(self.most_least, dtype=np.int64),
        )
