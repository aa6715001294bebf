"""The data of a whole model in the arrays that its kernels work on.

A row is a part of a variant of a task, as in `instance.rows`; rows that are alike share a mode,
whose numbers stand in one table. Columns of the tables have names here, so that a kernel gets
few arrays.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...model.exact import Array

__all__ = [
    "AFFINITY",
    "ANTI_AFFINITY",
    "AT_LEAST",
    "BASE",
    "CLASS",
    "COMPUTE",
    "COUNTS",
    "DEMAND",
    "DOMAINS",
    "ENTRIES",
    "ENTRIES_END",
    "FIRST_FORM",
    "FIRST_ROW",
    "FORMS_END",
    "FORM_COST",
    "FORM_LOSS",
    "HOMES",
    "HOMES_END",
    "HOSTS",
    "IDLE",
    "KIN",
    "KIND",
    "KNOWN",
    "LEAST",
    "LIMIT",
    "MODE",
    "MOST",
    "MOST_EXCESS",
    "MOVE_COST",
    "OCCUPIED",
    "OPEN",
    "PRICE",
    "ROWS_END",
    "SKIP_COST",
    "SPREAD",
    "STRANDED_WEIGHT",
    "TASK",
    "TOGETHER",
    "UNIT",
    "USE",
    "WHERE",
    "Facts",
]

# Columns of `Facts.node`.
COMPUTE, PRICE, USE, IDLE, CLASS, OPEN = range(6)
# Columns of `Facts.mode`.
DEMAND, MOVE_COST, HOSTS, ENTRIES, ENTRIES_END = range(5)
# Columns of `Facts.row`.
MODE, TASK, HOMES, HOMES_END = range(4)
# Columns of `Facts.form`.
FIRST_ROW, ROWS_END, FORM_COST, FORM_LOSS = range(4)
# Columns of `Facts.task`.
FIRST_FORM, FORMS_END, SKIP_COST, KNOWN, KIN = range(5)
# Columns of `Facts.rule`, and the kinds of rules.
KIND, MOST, BASE, DOMAINS, WHERE, COUNTS = range(6)
LIMIT, SPREAD, TOGETHER, AFFINITY, ANTI_AFFINITY = range(5)
# Columns of the states of the rules: of a spread its least number of parts and how many domains
# have that; of an affinity within a group, the domains that hold parts.
LEAST, AT_LEAST, OCCUPIED = range(3)

UNIT = 1024
"""What a broken rule counts, and an excess of as much as an average part needs."""
STRANDED_WEIGHT = 1 << 20
"""What a task that must run and does not counts."""
MOST_EXCESS = float(1 << 40)
"""What any excess counts at most."""


class Facts(NamedTuple):
    """What does not change during a search; all int64 unless said otherwise.

    Attributes
    ----------
    node : (n, 6)
        Compute, prices of overload, of use and of being on in units of the grid, class, and 1
        where the node takes parts that are not at home on it.
    capacity : (n, d)
    mode : (P, 5)
        Demand, cost of a move, number of its list of hosts, and the range of its entries in
        `entries`.
    needs : (P, d)
    host_start : (H + 1,)
    hosts : nodes that may hold a mode alone, list by list
    allowed : (H, G) bool
        The same by class of node.
    row : (W, 4)
        Mode (-1: its form is not allowed), task, and the range of its old nodes in `home_nodes`.
    home_nodes : int64
    form : (Q, 4)
        First row, behind the last row, cost (-1: not allowed), loss.
    task : (T, 5)
        First form, behind the last form, cost of leaving it out (-1: must run), 1 if it has a
        current place, and its class.
    entries : (E, 2)
        Of each mode the rules that count it: number of the rule; 0 for its group, 1 for `with`.
    rule : (R, 6)
        Kind, the most (of a limit or of a skew), its first cell among the tallies, number of
        domains, row of `domain` (-1: every node is its own), and of how many domains a spread
        takes the least (0: it is read as 0).
    domain : (D, n)
        Domain of each node, -1 for none.
    weight : (d + 2,) float64
        What a unit of excess of each hard dimension, of loss and of moves counts.
    most : (2,)
        The quality budget in units of the losses and the most moves, -1 for none.
    """

    node: Array
    capacity: Array
    mode: Array
    needs: Array
    host_start: Array
    hosts: Array
    allowed: Array
    row: Array
    home_nodes: Array
    form: Array
    task: Array
    entries: Array
    rule: Array
    domain: Array
    weight: Array
    most: Array

    def own(self) -> Facts:
        """The same with every array of the one type and layout that the kernels are made for."""
        import numpy as np

        def fixed(value: Any) -> Any:
            kind = np.int64 if value.dtype.kind in "iu" else value.dtype
            return np.require(value, dtype=kind, requirements=["C", "W", "A"])

        return Facts(*(fixed(value) for value in self))
