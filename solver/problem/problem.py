"""An instance made ready for a method."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..model.exact import Array, sums_by_group
from ..model.instance import Instance
from .classes import Classes, find_classes
from .grid import Grid, Width, make_grid
from .modes import Modes, find_modes
from .table import (
    ClassNumbers,
    ClassTable,
    ModeCosts,
    fitting,
    mode_costs,
    most_held,
    numbers_of_exact,
    numbers_of_grid,
)

__all__ = ["Problem"]


class Problem:
    """An instance made ready: the integers solvers work on and the classes, made when needed.

    Parameters
    ----------
    instance : Instance
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    def restrict(self, tasks: Array, nodes: Array) -> Problem:
        """The problem of some tasks and nodes, given by their positions."""
        return Problem(self.instance.restrict(nodes, tasks))

    @cached_property
    def grid(self) -> Grid:
        """The instance in int64, rounded inwards: what is feasible here is feasible."""
        return make_grid(self.instance)

    @cached_property
    def outer_grid(self) -> Grid:
        """The instance in int64, rounded outwards: what is proved here is proved.

        The same as `grid` where nothing is rounded.
        """
        return self.grid if self.grid.exact else make_grid(self.instance, outer=True)

    @cached_property
    def float_grid(self) -> Grid:
        """The instance in smaller numbers, for solvers that compute in floating point."""
        return make_grid(self.instance, Width.FLOAT)

    @cached_property
    def modes(self) -> Modes | None:
        """The classes of the whole model; None for a plain instance."""
        return None if self.instance.is_plain else find_modes(self.instance)

    @cached_property
    def classes(self) -> Classes:
        """Classes of identical tasks and nodes; those of rows are the modes, where there are."""
        return find_classes(self.instance) if self.modes is None else self.modes.classes

    def mode_costs(self, grid: Grid) -> ModeCosts:
        """What forms, leaving out and moves cost on a grid; of an instance that is not plain."""
        assert self.modes is not None
        return mode_costs(self.modes, grid)

    @cached_property
    def exact_numbers(self) -> ClassNumbers:
        """The classes in exact integers."""
        return numbers_of_exact(self.instance.exact, self.classes)

    @cached_property
    def table(self) -> ClassTable:
        """The classes on `grid`."""
        return self._table(self.grid)

    @cached_property
    def outer_table(self) -> ClassTable:
        """The classes on `outer_grid`."""
        return self.table if self.outer_grid is self.grid else self._table(self.outer_grid)

    def table_on(self, grid: Grid) -> ClassTable:
        """The classes on a given grid of this instance."""
        if grid is self.grid:
            return self.table
        return self.outer_table if grid is self.outer_grid else self._table(grid)

    def _table(self, grid: Grid) -> ClassTable:
        numbers = numbers_of_grid(grid, self.classes)
        if grid.exact_limits:
            most = self.most_per_node
        else:
            most = self._cap(most_held(numbers, fitting(numbers, self.eligible_classes)))
        return ClassTable(**vars(numbers), most=most)

    def _cap(self, most: Array) -> Array:
        return most if self.modes is None else self.modes.cap(most)

    @cached_property
    def group_of_class(self) -> Array:
        """(K,) eligibility group of each class of tasks, or of each mode."""
        groups: Array = self.instance.rows.group[self.classes.task_first]
        return groups

    @property
    def eligible_classes(self) -> Array:
        """(K, G) bool: whether a task of class k is allowed on nodes of class g."""
        return self.instance.eligibility.block(self.group_of_class, self.classes.node_first)

    @cached_property
    def fits(self) -> Array:
        """(K, G) bool: whether a task of class k, alone, may run on a node of class g.

        By the exact numbers: what rests on it is proved. Of modes: whether a node may have any.
        """
        fits = fitting(self.exact_numbers, self.eligible_classes)
        return fits if self.modes is None else self._cap(fits.astype(np.int64)) > 0

    @cached_property
    def most_per_node(self) -> Array:
        """(K, G) int64: most tasks of class k that one node of class g can hold, exactly."""
        return self._cap(most_held(self.exact_numbers, self.fits))

    def keeps_limits(self, node_index: Array) -> bool:
        """Whether no hard dimension is overfull under (W,) positions of nodes, exactly."""
        exact = self.instance.exact
        used: Any = slice(None)
        if self.modes is not None:
            used = node_index >= 0
        return all(
            bool(
                (
                    sums_by_group(exact.needs[used, d], node_index[used], self.instance.num_nodes)
                    <= exact.capacity[:, d]
                ).all()
            )
            for d in range(len(exact.dimensions))
        )
