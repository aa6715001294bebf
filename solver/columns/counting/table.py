"""What of a table says whether, and how, it is branched on how many nodes are on."""

from __future__ import annotations

import numpy as np

from ...problem.table import ClassTable
from ..modes.table import ModeTable
from .settings import COUNTING

__all__ = ["costs_nothing_else", "may_count"]


def may_count(table: ClassTable) -> bool:
    """Whether nodes have a cost of being on, and few enough classes to be counted."""
    return bool(table.idle_cost.any()) and table.node_count.size <= COUNTING.counted_classes


def costs_nothing_else(table: ClassTable) -> bool:
    """Whether all that an allocation costs is its nodes: no use, no overload, no forms, no moves.

    There is no overload where a hard dimension of each node keeps the load within its compute.
    """
    if isinstance(table, ModeTable) or table.use_price.any():
        return False
    demand = table.demand.astype(object)
    for g in np.flatnonzero(table.overload_price).tolist():
        compute, fits = int(table.node_compute[g]), table.most[:, g] > 0
        if not any(
            size > 0 and bool((demand * size <= needs.astype(object) * compute)[fits].all())
            for size, needs in zip(table.capacity[g].tolist(), table.needs.T, strict=True)
        ):
            return False
    return True
