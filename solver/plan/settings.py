"""The numbers by which moves are ordered, tuned on small re-plannings and on the openb trace."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ORDERING"]


@dataclass(frozen=True)
class OrderingSettings:
    """How far the order of moves is searched for."""

    orders: int = 6
    """Greedy orders: one that takes the largest first, the others at random."""
    direct_hops: int = 100_000
    """Hops that the exact search without bypasses looks at."""
    hops: int = 1_500_000
    """The same with bypasses."""
    all_at_once: int = 10
    """Up to so many units an order with bypasses is searched for all of them at once."""
    few: int = 16
    """Up to so many units of a group are searched exactly from where they start."""
    many: int = 150
    """The same from where greedy orders are stuck, whatever the number of moves."""
    together: int = 20_000
    """Most steps of parts that move together, from one state."""
    detours: int = 3
    """How often a greedy order puts a part aside."""
    tries: int = 12
    """To how many nodes that have no room it tries to put one."""
    share: int = 30
    """After how small a share of the nodes it looks for direct hops again."""


ORDERING = OrderingSettings()
