"""How many parts of a group each domain holds, and by how much the rules are broken.

A rule has two rows of cells: parts of its group in each domain, then parts of `with`. Where all
rules together have few cells they stand side by side; where many groups meet many nodes, only
the cells that hold something are kept, in a table with open addressing (Knuth, TAOCP 3, 6.4,
Algorithm R for taking out).
"""

from __future__ import annotations

from ...model.exact import Array
from ..build.jit import lean
from .facts import (
    AFFINITY,
    ANTI_AFFINITY,
    AT_LEAST,
    BASE,
    COUNTS,
    DOMAINS,
    ENTRIES,
    ENTRIES_END,
    KIND,
    LEAST,
    LIMIT,
    MOST,
    OCCUPIED,
    SPREAD,
    TOGETHER,
    WHERE,
    Facts,
)

__all__ = ["breaks", "cell_value", "count_part", "slot"]

_PRIME = 2**31 - 1
_SPREADING = 2654435761


@lean
def slot(keys: Array, cell: int) -> int:
    """Where a cell is, or would be put."""
    last = keys.size - 1
    at = ((cell % _PRIME) * _SPREADING >> 16) & last
    while keys[at] not in (-1, cell):
        at = (at + 1) & last
    return int(at)


@lean
def cell_value(keys: Array, values: Array, cell: int) -> int:
    """Parts counted in a cell."""
    if keys.size == 0:
        return int(values[cell])
    at = slot(keys, cell)
    return int(values[at]) if keys[at] == cell else 0


@lean
def _take_out(keys: Array, values: Array, hole: int) -> None:
    last = keys.size - 1
    at = (hole + 1) & last
    while keys[at] >= 0:
        home = ((keys[at] % _PRIME) * _SPREADING >> 16) & last
        if ((at - home) & last) >= ((at - hole) & last):
            keys[hole], values[hole] = keys[at], values[at]
            hole = at
        at = (at + 1) & last
    keys[hole] = -1


@lean
def _add(keys: Array, values: Array, cell: int, sign: int) -> int:
    """Change a cell by one; returns its new value."""
    if keys.size == 0:
        values[cell] += sign
        return int(values[cell])
    at = slot(keys, cell)
    if keys[at] != cell:
        keys[at], values[at] = cell, 0
    values[at] += sign
    value = int(values[at])
    if value == 0:
        _take_out(keys, values, at)
    return value


@lean
def _pair(kind: int, mine: int, other: int) -> int:
    """By how much a rule between two groups is broken in a domain."""
    if kind == AFFINITY:
        return mine if other == 0 else 0
    return min(mine, other)


@lean
def _spread(
    facts: Facts, keys: Array, values: Array, rules: Array, q: int, d: int, sign: int
) -> int:
    base, domains, skew = facts.rule[q, BASE], facts.rule[q, DOMAINS], facts.rule[q, MOST]
    value = _add(keys, values, base + d, sign)
    old, least = value - sign, rules[q, LEAST]
    change = max(0, value - least - skew) - max(0, old - least - skew)
    if facts.rule[q, COUNTS] == 0:
        return int(change)
    if sign > 0 and old == least:
        rules[q, AT_LEAST] -= 1
        if rules[q, AT_LEAST] == 0:  # all have more now: every domain is one nearer to the least
            rules[q, LEAST] = least + 1
            for other in range(domains):
                there = cell_value(keys, values, base + other)
                if there == least + 1:
                    rules[q, AT_LEAST] += 1
                if there - least > skew:
                    change -= 1
    elif sign < 0 and value == least:
        rules[q, AT_LEAST] += 1
    elif sign < 0 and old == least:
        rules[q, LEAST], rules[q, AT_LEAST] = least - 1, 1
        change = 0
        for other in range(domains):
            if cell_value(keys, values, base + other) - least >= skew:
                change += 1
    return int(change)


@lean
def count_part(
    facts: Facts, keys: Array, values: Array, rules: Array, p: int, i: int, sign: int
) -> int:
    """Count a part of mode p on node i, or one less; returns the change of what is broken."""
    change = 0
    for e in range(facts.mode[p, ENTRIES], facts.mode[p, ENTRIES_END]):
        q, role = facts.entries[e, 0], facts.entries[e, 1]
        where = facts.rule[q, WHERE]
        d = i if where < 0 else facts.domain[where, i]
        if d < 0:
            continue
        kind, most = facts.rule[q, KIND], facts.rule[q, MOST]
        cell = facts.rule[q, BASE] + d
        if kind == LIMIT:
            value = _add(keys, values, cell, sign)
            change += max(0, value - most) - max(0, value - sign - most)
        elif kind == SPREAD:
            change += _spread(facts, keys, values, rules, q, d, sign)
        elif kind == TOGETHER:
            value = _add(keys, values, cell, sign)
            if min(value, value - sign) == 0:
                change -= max(0, rules[q, OCCUPIED] - 1)
                rules[q, OCCUPIED] += sign
                change += max(0, rules[q, OCCUPIED] - 1)
        else:
            behind = cell + facts.rule[q, DOMAINS]
            mine = cell_value(keys, values, cell)
            other = cell_value(keys, values, behind)
            change -= _pair(kind, mine, other)
            if role == 0:
                mine = _add(keys, values, cell, sign)
            else:
                other = _add(keys, values, behind, sign)
            change += _pair(kind, mine, other)
    return int(change)


@lean
def breaks(
    facts: Facts, keys: Array, values: Array, rules: Array, p: int, i: int, loose: int
) -> bool:
    """Whether another part of mode p on node i would break a rule; if `loose`, spreads aside."""
    for e in range(facts.mode[p, ENTRIES], facts.mode[p, ENTRIES_END]):
        q, role = facts.entries[e, 0], facts.entries[e, 1]
        where = facts.rule[q, WHERE]
        d = i if where < 0 else facts.domain[where, i]
        if d < 0:
            continue
        kind, most = facts.rule[q, KIND], facts.rule[q, MOST]
        cell = facts.rule[q, BASE] + d
        if kind == AFFINITY and role == 1:
            continue
        if kind in (AFFINITY, ANTI_AFFINITY):
            other = cell + (facts.rule[q, DOMAINS] if role == 0 else 0)
            there = cell_value(keys, values, other) > 0
            if there == (kind == ANTI_AFFINITY):
                return True
            continue
        value = cell_value(keys, values, cell)
        if kind == LIMIT and value >= most:
            return True
        if kind == TOGETHER and value == 0 and rules[q, OCCUPIED] > 0:
            return True
        if kind == SPREAD and loose == 0 and value + 1 - rules[q, LEAST] > most:
            return True
    return False
