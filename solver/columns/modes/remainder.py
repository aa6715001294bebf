"""The integer program over what patterns leave: parts of single modes on a few more nodes.

With fixed columns x_c and slots s, nodes of a class that hold nothing yet:

    minimise    sum_c cost_c x_c + sum_s (idle_s u_s + o_s v_s + sum_p use_s D_p y_ps)
                + sum_f form_f Y_f + sum_k skip_k Z_k
    subject to  sum_c a_pc x_c + sum_s y_ps = parts_p Y_f(p)      each mode p
                sum_p D_p y_ps - v_s       <= C_s u_s             each slot
                sum_p q_pd y_ps            <= Q_sd u_s            each slot and hard dimension d

and the rows of forms and rules, as `columns.modes.generation` has them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ...model.exact import Array
from ...problem.table import Column
from ...programs.linear_model import INFINITE, LinearModel, LinearModelBuilder
from .program import add_forms
from .table import ModeTable

__all__ = ["RemainderModel", "remainder_model"]


@dataclass(frozen=True)
class RemainderModel:
    """The program, and the way from its values to columns.

    Attributes
    ----------
    model : LinearModel
        Columns: the distinct fixed ones, then y of each cell, then the others.
    fixed : list of Column
    slots : tuple of int
        The class of each slot.
    cell_mode, cell_slot : (cells,) int64
    first_cell : int
        Position of the first cell among the variables.
    """

    model: LinearModel
    fixed: list[Column]
    slots: tuple[int, ...]
    cell_mode: Array
    cell_slot: Array
    first_cell: int

    def columns(self, values: Array) -> list[Column]:
        """The fixed columns and those of the slots that are used."""
        at = self.first_cell
        counts = np.rint(values[at : at + self.cell_mode.size]).astype(np.int64)
        parts: list[list[int]] = [[] for _ in self.slots]
        for p, s, number in zip(
            self.cell_mode.tolist(), self.cell_slot.tolist(), counts.tolist(), strict=True
        ):
            parts[s] += [p] * number
        used = zip(self.slots, parts, strict=True)
        return self.fixed + [(g, tuple(tasks)) for g, tasks in used if tasks]


def remainder_model(data: ModeTable, fixed: list[Column], slots: tuple[int, ...]) -> RemainderModel:
    """Build the program.

    Parameters
    ----------
    data : ModeTable
    fixed : list of Column
        A node each.
    slots : tuple of int
        Node classes, ascending; there have to be as many nodes.
    """
    node_class = np.array(slots, dtype=np.int64)
    most = data.most[:, node_class]
    mode, slot = np.nonzero(most > 0)
    builder = LinearModelBuilder()
    times = Counter(fixed)
    columns = [
        *times,
        *((slots[s], (p,)) for p, s in zip(mode.tolist(), slot.tolist(), strict=True)),
    ]
    number = np.array(list(times.values()), dtype=np.int64)
    cost = np.array([data.cost(g, list(tasks)) for g, tasks in times], dtype=np.int64)
    chosen = builder.add_columns(number.size, lower=number, upper=number, cost=cost)
    use = data.use_price[node_class[slot]] * data.demand[mode]
    y = builder.add_columns(mode.size, upper=most[mode, slot], cost=use)
    cover = builder.add_rows(data.demand.size, lower=0, upper=0)
    for variable, (_, tasks) in zip(chosen.tolist(), times, strict=True):
        kinds, amounts = np.unique(np.array(tasks, dtype=np.int64), return_counts=True)
        builder.add_entries(cover[kinds], variable, amounts)
    builder.add_entries(cover[mode], y, 1)
    add_forms(builder, data, columns, np.concatenate((chosen, y)), cover)
    _add_slots(builder, data, node_class, (mode, slot, y))
    return RemainderModel(builder.build(), list(fixed), slots, mode, slot, number.size)


def _add_slots(
    builder: LinearModelBuilder,
    data: ModeTable,
    node_class: Array,
    cells: tuple[Array, Array, Array],
) -> None:
    """What a slot holds, and whether it is on; alike slots are on in turn."""
    mode, slot, y = cells
    count = node_class.size
    on = builder.add_columns(count, cost=data.idle_cost[node_class])
    overload = builder.add_columns(
        count,
        upper=np.maximum(0, data.demand @ data.most - data.node_compute)[node_class],
        cost=data.overload_price[node_class],
        integer=False,
    )
    rows = builder.add_rows(count, upper=0)
    builder.add_entries(rows[slot], y, data.demand[mode])
    builder.add_entries(rows, overload, -1)
    builder.add_entries(rows, on, -data.node_compute[node_class])
    for d in range(data.capacity.shape[1]):
        rows = builder.add_rows(count, upper=0)
        builder.add_entries(rows[slot], y, data.needs[mode, d])
        builder.add_entries(rows, on, -data.capacity[node_class, d])
    for limit in data.limits[data.num_limit_dimensions :]:
        weight = np.zeros(data.demand.size, dtype=np.int64)
        np.add.at(weight, limit.modes, limit.weights)
        rows = builder.add_rows(count, upper=limit.limit)
        builder.add_entries(rows[slot], y, weight[mode])
    alike = np.flatnonzero(node_class[1:] == node_class[:-1])
    rows = builder.add_rows(alike.size, lower=-INFINITE, upper=0)
    builder.add_entries(rows, on[alike + 1], 1)
    builder.add_entries(rows, on[alike], -1)
