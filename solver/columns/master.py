"""What the restricted master of column generation answers."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.exact import Array

__all__ = ["Master"]


@dataclass(frozen=True)
class Master:
    """A solution of the master.

    Attributes
    ----------
    value : float
    prices, node_prices : float64
        Of a task and of a node of each class.
    left_out : (K,) bool
        Whether tasks of a class are left out.
    amounts : float64
        How often each column is used.
    """

    value: float
    prices: Array
    node_prices: Array
    left_out: Array
    amounts: Array
