"""Which problems are small enough for the search among listed columns."""

from __future__ import annotations

from ...problem.table import ClassTable
from .settings import PARTITION

__all__ = ["may_close"]


def may_close(data: ClassTable) -> bool:
    """Whether all sums of the search are known to stay in 64 bits; see `kernels.partition`."""
    return int(data.count.sum() + data.node_count.sum()) <= PARTITION.most_members
