"""The linear relaxation of the whole model over modes and classes of nodes, in exact integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..model.exact import Array, largest
from ..model.rules import Spread
from ..problem.classes import group_rows
from ..problem.modes import Modes
from ..problem.problem import Problem
from .exact_program import ExactProgramBuilder
from .modes_rules import Cells, add_rules, modes_never_placed

__all__ = ["ModesRelaxation", "NodeSets", "node_sets_of"]

_APART_ROWS = 20_000


@dataclass(frozen=True)
class NodeSets:
    """The N sets of nodes that a relaxation tells apart: the classes, or unions of such.

    Attributes
    ----------
    of_class : (G,) int64
    first : (N,) int64
        A class of each set; the classes of one set differ at most in what is at home there.
    count : (N,) int64
        Nodes.
    most, room : (P, N) int64
        Most parts of a mode on one node, and on all nodes.
    home : (P, N) int64
        Most parts that can stay where they are.
    is_open : (N,) bool
    """

    of_class: Array
    first: Array
    count: Array
    most: Array
    room: Array
    home: Array
    is_open: Array


def node_sets_of(problem: Problem, *, merged: bool) -> NodeSets:
    """The classes of nodes as sets; `merged`: of those that differ only in homes, the union.

    What holds of every node of a union holds of it with capacities, rooms and homes added up, so
    a relaxation over unions is one. It does not see that loads within one may be uneven.
    """
    modes = _modes(problem)
    classes, numbers = problem.classes, problem.exact_numbers
    most = problem.most_per_node
    if modes.mode_form.size:
        most = np.where(modes_never_placed(modes)[:, None], 0, most)
    of_class = np.arange(classes.num_node_classes)
    first = of_class
    if merged:
        fits = np.packbits(most > 0, axis=0).T
        fits[~modes.node_open] = 0
        domains = [rule.domain for rule in modes.rules if rule.domain is not None]
        counted = [
            rule.counted
            for rule in modes.rules
            if rule.domain is None and isinstance(rule.rule, Spread)
        ]
        of_class, first = group_rows(
            [
                numbers.node_compute,
                numbers.overload_price,
                numbers.use_price,
                numbers.idle_cost,
                numbers.capacity,
                modes.node_open,
                fits,
                *domains,
                *counted,
            ]
        )
    shape = first.size, most.shape[0]
    room, home, highest = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    np.add.at(room, of_class, (most * classes.node_count).T)
    np.maximum.at(highest, of_class, most.T)
    node_class = classes.node_class[modes.home_node]
    stay = np.minimum(modes.home_count, most[modes.home_mode, node_class])
    np.add.at(home, (of_class[node_class], modes.home_mode), stay)
    return NodeSets(
        of_class=of_class,
        first=first,
        count=np.bincount(of_class, weights=classes.node_count, minlength=first.size).astype(
            np.int64
        ),
        most=highest.T,
        room=np.minimum(room.T, numbers.count[:, None]),
        home=np.minimum(home.T, numbers.count[:, None]),
        is_open=modes.node_open[first],
    )


def _modes(problem: Problem) -> Modes:
    assert problem.modes is not None
    return problem.modes


class ModesRelaxation:
    r"""The linear program, and where in it everything is.

    Columns: X (parts of mode p on set g of nodes that are not at home there, and those that are), Y
    (tasks in form f), Z (tasks of class k left out), V (overload), with power_off U (nodes that
    are on), and what the rules add. Rows, with n_g nodes, C_g, Q_g the numbers of one of them:

        cover    sum_f Y_f + Z_k = m_k
        parts    sum_g X_pg = a_p Y_f                      a_p parts in each task of the form
        load     sum_p D_p X_pg - V_g <= C_g n_g           here and below n_g is U_g if nodes may
        large    sum_p max(0, D_p - C_g) X_pg <= V_g       be off
        needs    sum_p q_p X_pg <= Q_g n_g
        opening  X_pg <= b_pg U_g                          b_pg fit on one node
        room     stay_pg + new_pg <= the most that fits
        apart    sum_{p in f} X_pg <= n_g Y_f              parts of a task are on different nodes
        budget   sum_f loss_f Y_f <= budget
        moves    sum new_pg <= max_moves

    Every allocation is a point of it of the same cost, V_g being the overload.

    Parameters
    ----------
    problem : Problem
        With modes.
    merged : bool
        See `node_sets_of`.

    Attributes
    ----------
    program : ExactProgram
    node_sets : NodeSets
    limits : list of (str, (rows,) int64)
        The rows of each hard dimension, budget and rule, by what users call it.
    mode, part_column : (cells,) int64
        The columns X, and of which mode each is.
    form_column : (F,), left_out, left_out_column : (classes with a skip price,) int64
        The columns Y, and the classes and columns of Z.
    on_column : (N,) int64 or None
        The columns U, where nodes may be off.
    cover_row : (K,), parts_row : (P,) int64
    """

    def __init__(self, problem: Problem, *, merged: bool = False) -> None:
        self._instance, self._classes = problem.instance, problem.classes
        self._modes = modes = _modes(problem)
        self.node_sets = node_sets = node_sets_of(problem, merged=merged)
        self._numbers = problem.exact_numbers
        self.limits: list[tuple[str, Array]] = []
        self._builder = builder = ExactProgramBuilder()
        self._add_parts()
        self._add_forms()
        on = problem.instance.power_off
        self.on_column: Array | None = None
        if on:
            idle = self._numbers.idle_cost[node_sets.first]
            self.on_column = builder.add_columns(
                node_sets.count.size, upper=node_sets.count, cost=idle
            )
        self._add_capacities()
        self._add_rooms()
        self._add_apart()
        if modes.budget is not None:
            row = builder.add_rows(1, limit=modes.budget)
            builder.add_entries(row, self.form_column, _objects(modes.form_loss))
            self.limits.append(("quality_budget", row))
        if modes.most_moves is not None:
            moved = ~self._stays & modes.counts_as_move[self.mode]
            row = builder.add_rows(1, limit=modes.most_moves)
            builder.add_entries(row, self.part_column[moved], 1)
            self.limits.append(("max_moves", row))
        cells = Cells(
            mode=self.mode,
            node_set=self._node_set,
            column=self.part_column,
            on=self.on_column,
            needs=self._numbers.needs,
            capacity=self._numbers.capacity[node_sets.first],
            most=node_sets.most,
            room=node_sets.room,
            node_count=node_sets.count,
            first=node_sets.first,
        )
        self.limits += add_rules(builder, modes, cells)
        constant: int = sum(problem.instance.exact.node_off_cost.tolist())
        self.program = builder.build(constant)

    def _add_parts(self) -> None:
        modes, node_sets, numbers = self._modes, self.node_sets, self._numbers
        priced = _objects(modes.move_cost) != 0
        # Where moves neither cost nor count, a part at home is a part like any other.
        telling = modes.counts_as_move & (priced | (modes.most_moves is not None))
        stay = (node_sets.home > 0) & telling[:, None]
        new = (node_sets.room > 0) & (node_sets.is_open | ~telling[:, None])
        (p, g), (home_p, home_g) = np.nonzero(new), np.nonzero(stay)
        self.mode = np.concatenate((p, home_p))
        self._node_set = np.concatenate((g, home_g))
        self._stays = np.arange(self.mode.size) >= p.size
        upper = np.where(self._stays, node_sets.home[self.mode, self._node_set], 0)
        upper[: p.size] = node_sets.room[p, g]
        use_price = numbers.use_price[node_sets.first].astype(object)
        cost = use_price[self._node_set] * numbers.demand.astype(object)[self.mode]
        moved = ~self._stays & modes.counts_as_move[self.mode]
        cost[moved] += _objects(modes.move_cost)[self.mode[moved]]
        self.part_column = self._builder.add_columns(self.mode.size, upper=upper, cost=cost)

    def _add_forms(self) -> None:
        modes, builder = self._modes, self._builder
        count = self._classes.task_count
        forms = np.arange(modes.form_class.size)
        can_be_left = np.array([price is not None for price in modes.skip_cost], dtype=bool)
        left = np.flatnonzero(can_be_left)
        m = modes.task_count
        self.form_column = builder.add_columns(
            forms.size, upper=m[modes.form_class], cost=_objects(modes.form_cost)
        )
        self.left_out = left
        self.left_out_column = builder.add_columns(
            left.size, upper=m[left], cost=_objects([modes.skip_cost[k] or 0 for k in left])
        )
        self.cover_row = builder.add_rows(m.size, limit=m, equal=True)
        builder.add_entries(self.cover_row[modes.form_class], self.form_column, 1)
        builder.add_entries(self.cover_row[left], self.left_out_column, 1)
        self.parts_row = builder.add_rows(count.size, equal=True)
        builder.add_entries(self.parts_row[self.mode], self.part_column, 1)
        builder.add_entries(self.parts_row, self.form_column[modes.mode_form], -modes.mode_parts)

    def _capacity_rows(self, have: Array, where: Array) -> Array:
        """Rows of some sets, with what a node has times the number of nodes as limit."""
        builder, have = self._builder, have.astype(object)[where]
        if self.on_column is None:
            return builder.add_rows(where.size, limit=have * self.node_sets.count[where])
        rows = builder.add_rows(where.size)
        builder.add_entries(rows, self.on_column[where], -have)
        return rows

    def _add_capacities(self) -> None:
        builder, numbers, node_sets = self._builder, self._numbers, self.node_sets
        first, everywhere = node_sets.first, np.arange(node_sets.first.size)
        D, C = numbers.demand, numbers.node_compute[first]
        total = self._most_demand
        V = builder.add_columns(
            first.size,
            upper=total,
            cost=numbers.overload_price[first],
            unit=max(1, largest(D)),
        )
        self.overload_column = V
        self.load_row = self._capacity_rows(np.minimum(C.astype(object), total), everywhere)
        builder.add_entries(self.load_row[self._node_set], self.part_column, D[self.mode])
        builder.add_entries(self.load_row, V, -1)
        excess = np.maximum(0, D[self.mode] - C[self._node_set])
        if excess.any():
            # What parts larger than their node overload it by adds up.
            large = builder.add_rows(first.size)
            builder.add_entries(large[self._node_set], self.part_column, excess)
            builder.add_entries(large, V, -1)
        for d in range(numbers.needs.shape[1]):
            need, have = numbers.needs[:, d], numbers.capacity[first, d]
            all_needs = sum(
                a * b for a, b in zip(need.tolist(), numbers.count.tolist(), strict=True)
            )
            where = np.flatnonzero(have.astype(object) < all_needs)
            if not where.size:
                continue
            row_of = np.full(first.size, -1)
            row_of[where] = self._capacity_rows(have, where)
            cells = np.flatnonzero(row_of[self._node_set] >= 0)
            builder.add_entries(
                row_of[self._node_set[cells]], self.part_column[cells], need[self.mode[cells]]
            )
            self.limits.append((self._instance.exact.dimensions[d], row_of[where]))

    @cached_property
    def _most_demand(self) -> int:
        """The most load there can be in all, in exact units."""
        modes = self._modes
        of_form = [0] * modes.form_class.size
        demand = self._numbers.demand.tolist()
        for p, f in enumerate(modes.mode_form.tolist()):
            of_form[f] += demand[p] * int(modes.mode_parts[p])
        most = [0] * modes.task_count.size
        for f, k in enumerate(modes.form_class.tolist()):
            most[k] = max(most[k], of_form[f])
        return sum(a * b for a, b in zip(most, modes.task_count.tolist(), strict=True))

    def _add_rooms(self) -> None:
        """Rows of single cells: what fits there, on nodes that are on."""
        builder, node_sets = self._builder, self.node_sets
        shape = node_sets.most.shape
        number = np.zeros(shape, dtype=np.int64)
        np.add.at(number, (self.mode, self._node_set), 1)
        both = (number > 1) & (node_sets.room < self._numbers.count[:, None])
        rows = np.full(shape, -1)
        rows[both] = builder.add_rows(int(both.sum()), limit=node_sets.room[both], lazy=True)
        at = rows[self.mode, self._node_set]
        builder.add_entries(at[at >= 0], self.part_column[at >= 0], 1)
        if self.on_column is None:
            return
        p, g = np.nonzero(number)
        rows[p, g] = builder.add_rows(p.size, lazy=True)
        builder.add_entries(rows[self.mode, self._node_set], self.part_column, 1)
        builder.add_entries(rows[p, g], self.on_column[g], -node_sets.most[p, g])

    def _add_apart(self) -> None:
        modes, node_sets = self._modes, self.node_sets
        total = np.bincount(
            modes.mode_form, weights=modes.mode_parts, minlength=modes.form_class.size
        )
        tight = total[:, None] > node_sets.count[None, :]
        form = modes.mode_form[self.mode]
        used = np.zeros_like(tight)
        used[form, self._node_set] = True
        tight &= used & (total > 1)[:, None]
        if not 0 < tight.sum() <= _APART_ROWS:
            return
        rows = np.full(tight.shape, -1)
        f, g = np.nonzero(tight)
        rows[f, g] = self._builder.add_rows(f.size, lazy=True)
        at = rows[form, self._node_set]
        self._builder.add_entries(at[at >= 0], self.part_column[at >= 0], 1)
        self._builder.add_entries(rows[f, g], self.form_column[f], -node_sets.count[g])

    @cached_property
    def figures_of_nodes(self) -> list[tuple[int, ...]]:
        """What the nodes of each set have and cost: compute, price of being on, capacities."""
        first, numbers = self.node_sets.first, self._numbers
        columns = [numbers.node_compute, numbers.idle_cost, *numbers.capacity.T]
        return list(zip(*(column[first].tolist() for column in columns), strict=True))

    @cached_property
    def forms_of_class(self) -> list[list[tuple[int, list[int], list[int]]]]:
        """The forms of each class: their number, their modes, and the parts of each."""
        modes = self._modes
        found: list[list[tuple[int, list[int], list[int]]]] = [[] for _ in modes.task_count]
        of_form: list[tuple[list[int], list[int]]] = [([], []) for _ in modes.form_class]
        for p, f in enumerate(modes.mode_form.tolist()):
            of_form[f][0].append(p)
            of_form[f][1].append(int(modes.mode_parts[p]))
        for f, k in enumerate(modes.form_class.tolist()):
            found[k].append((f, *of_form[f]))
        return found

    def forms(self, values: Array) -> Array:
        """(F,) floats: tasks in each form at a solution in floats."""
        return values[self.form_column]

    def parts(self, values: Array) -> Array:
        """(P, G) floats: parts of each mode on each class of nodes at a solution in floats."""
        node_sets, classes = self.node_sets, self._classes
        X = np.zeros(node_sets.most.shape)
        np.add.at(X, (self.mode, self._node_set), values[self.part_column])
        share = classes.node_count / node_sets.count[node_sets.of_class]
        found: Array = X[:, node_sets.of_class] * share
        return found


def _objects(values: object) -> Array:
    """Python integers in an object array."""
    items = list(values)  # type: ignore[call-overload]
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return column
