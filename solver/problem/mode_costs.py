"""What forms, leaving out and moves cost on a grid."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..model.exact import Array
from .grid import Grid
from .modes import Modes

__all__ = ["ModeCosts", "mode_costs"]


class ModeCosts(NamedTuple):
    """Costs of choices in units of a grid, rounded down.

    Attributes
    ----------
    form_cost : (F,) int64
        Of one task in each form.
    skip_cost : (K,) int64
        Of leaving one task out, -1 where it must run.
    move_cost : (P,) int64
        Of each part that is not at home.
    """

    form_cost: Array
    skip_cost: Array
    move_cost: Array


def mode_costs(modes: Modes, grid: Grid) -> ModeCosts:
    """The costs in units of a grid; those beyond all interest are cut to just beyond it."""

    def scaled(costs: Iterable[int | None]) -> Array:
        most = 2**62 if grid.most_cost is None else grid.most_cost + 1
        found = [-1 if cost is None else min(cost // grid.cost_unit, most) for cost in costs]
        return np.array(found, dtype=np.int64)

    return ModeCosts(scaled(modes.form_cost), scaled(modes.skip_cost), scaled(modes.move_cost))
