"""Node classes that differ in their domains only, taken together.

Zones of a data centre are often alike. A column for one is a column for all, and as long as each
zone has as many of it, the spreads over the zones are kept; so most columns can be chosen without
those spreads, from a smaller master.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from ...model.exact import Array
from ...model.rules import Spread
from ...problem.classes import group_rows
from ...problem.modes import Modes
from ...problem.table import Column
from .rows import rule_rows
from .table import ModeTable

__all__ = ["Merged", "deal_evenly", "expand", "merge_domains"]


@dataclass(frozen=True)
class Merged:
    """A table over fewer classes of nodes.

    Attributes
    ----------
    table : ModeTable
        Without the rows of spreads over domains.
    members : tuple of int64 arrays
        The classes of nodes that each of its own stands for.
    """

    table: ModeTable
    members: tuple[Array, ...]


def merge_domains(modes: Modes, data: ModeTable) -> Merged | None:
    """Classes that are alike but for the domains of spreads; as many nodes have to be in each.

    None where that is not so, or leaves as many classes.
    """
    spreads = [r for r in modes.rules if isinstance(r.rule, Spread) and r.domain is not None]
    others = [rule for rule in modes.rules if all(rule is not each for each in spreads)]
    own = [rule.domain for rule in others if rule.domain is not None]
    numbers = [data.node_compute, data.overload_price, data.use_price, data.idle_cost]
    of_class, first = group_rows([*numbers, *data.capacity.T, *data.most, *own])
    members = tuple(np.flatnonzero(of_class == h) for h in range(first.size))
    alike = all(np.unique(data.node_count[mine]).size == 1 for mine in members)
    if first.size == of_class.size or not alike:
        return None
    node_count = np.bincount(of_class, weights=data.node_count).astype(np.int64)
    rules = [
        replace(rule, counted=rule.counted[first] if rule.counted.size else rule.counted)
        if rule.domain is None
        else replace(rule, domain=rule.domain[first])
        for rule in others
    ]
    table = replace(
        data,
        node_count=node_count,
        node_compute=data.node_compute[first],
        overload_price=data.overload_price[first],
        use_price=data.use_price[first],
        idle_cost=data.idle_cost[first],
        capacity=np.ascontiguousarray(data.capacity[first]),
        most=np.ascontiguousarray(data.most[:, first]),
        homes=tuple(data.homes[g] for g in first.tolist()),
        rules=rule_rows(rules, modes, node_count),
    )
    return Merged(table, members)


def expand(merged: Merged, columns: list[Column]) -> list[Column]:
    """Columns of merged classes as columns of each of the classes that these stand for."""
    return [(g, tasks) for h, tasks in columns for g in merged.members[h].tolist()]


def deal_evenly(merged: Merged, columns: list[Column]) -> list[Column]:
    """Columns on the classes of the whole table, as many of each on all that are alike.

    Those that do not go round are left away.
    """
    dealt = []
    for (h, tasks), number in Counter(columns).items():
        members = merged.members[h].tolist()
        dealt += [(g, tasks) for g in members] * (number // len(members))
    return dealt
