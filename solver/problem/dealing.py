"""From how many parts of each mode run on each node to the rows of single tasks."""

from __future__ import annotations

import numpy as np

from ..model.exact import Array
from .modes import Modes
from .problem import Problem

__all__ = ["deal", "deal_again", "tasks_in_forms"]


def deal(
    problem: Problem, mode: Array, node: Array, count: Array, *, whole: bool = True
) -> Array | None:
    """Deal parts of modes on nodes to the tasks: fewest moves, parts of a task apart.

    Tasks of a class are interchangeable: as many stay where they are as can, the others follow in
    order, and those that nothing is left for are left out. Equal parts, sorted by node, are dealt
    to the tasks in turn: no task gets two of one node, as no node has more than there are tasks.

    Parameters
    ----------
    problem : Problem
        One with modes.
    mode, node, count : (cells,) int64
        `count` parts of a mode on a node, by its position; no pair of both twice.
    whole : bool
        Whether all tasks that must run have to be there.

    Returns
    -------
    (W,) int64 or None
        Node position of every row, -1 where it is not in use. None where the counts belong to no
        whole tasks, leave out a task that must run, or bring two parts of a task to one node.

    Notes
    -----
    Complexity: O(W log W).
    """
    modes, rows = problem.modes, problem.instance.rows
    assert modes is not None
    order = np.lexsort((node, mode))
    order = order[count[order] > 0]
    mode, node, count = mode[order], node[order], count[order]
    tasks_in = tasks_in_forms(modes, np.bincount(mode, count, modes.mode_form.size), whole=whole)
    if tasks_in is None or not _are_apart(modes, tasks_in, mode, node, count):
        return None
    part_mode, part_node = np.repeat(mode, count), np.repeat(node, count)
    slot = _slots(modes, tasks_in, part_mode, part_node)
    task = _tasks_of_slots(problem, modes, tasks_in, (part_mode, part_node, slot))
    form = rows.task_form[task[slot]] + modes.form_variant[modes.mode_form[part_mode]]
    order = np.lexsort((part_mode, form))
    in_use = np.zeros(rows.form_start.size - 1, dtype=bool)
    in_use[form] = True
    wanted = np.flatnonzero(in_use[rows.form])
    wanted = wanted[np.lexsort((problem.classes.task_class[wanted], rows.form[wanted]))]
    node_index = np.full(rows.num_rows, -1, dtype=np.int64)
    node_index[wanted] = part_node[order]
    _keep_parts_in_place(problem, node_index)
    return node_index


def deal_again(problem: Problem, node_index: Array) -> Array:
    """An allocation with as many parts of each mode on each node, dealt so that fewest move."""
    used = np.flatnonzero(node_index >= 0)
    n = problem.instance.num_nodes
    key = problem.classes.task_class[used] * n + node_index[used]
    cell, count = np.unique(key, return_counts=True)
    found = deal(problem, cell // n, cell % n, count)
    return node_index if found is None else found


def tasks_in_forms(modes: Modes, parts: Array, *, whole: bool = True) -> Array | None:
    """(F,) tasks in each form, by how many parts of each of the P modes there are.

    None if they are no whole tasks, more tasks than there are, or, if `whole`, fewer than must run.
    """
    form_mode = np.zeros(modes.form_class.size, dtype=np.int64)
    form_mode[modes.mode_form] = np.arange(modes.mode_form.size)
    parts = np.rint(parts).astype(np.int64)
    tasks_in: Array = parts[form_mode] // modes.mode_parts[form_mode]
    if not np.array_equal(tasks_in[modes.mode_form] * modes.mode_parts, parts):
        return None
    left = modes.task_count.copy()
    np.subtract.at(left, modes.form_class, tasks_in)
    must_run = np.array([cost is None for cost in modes.skip_cost], dtype=bool) & whole
    return None if (left < 0).any() or left[must_run].any() else tasks_in


def _are_apart(modes: Modes, tasks_in: Array, mode: Array, node: Array, count: Array) -> bool:
    """Whether no node holds more parts of a form than there are tasks in it."""
    form = modes.mode_form[mode]
    order = np.lexsort((node, form))
    form, node = form[order], node[order]
    first = np.flatnonzero(np.diff(form, prepend=-1) | np.diff(node, prepend=-1))
    held = np.add.reduceat(count[order], first) if first.size else first
    return bool((held <= tasks_in[form[first]]).all())


def _slots(modes: Modes, tasks_in: Array, part_mode: Array, part_node: Array) -> Array:
    """(parts,) which task each part belongs to; tasks are numbered form by form.

    The parts come sorted by mode and node. A form of several modes has one task (see `Modes`).
    """
    form = modes.mode_form[part_mode]
    start = np.cumsum(tasks_in) - tasks_in
    slot: Array = start[form] + _place_in_run(part_mode) % tasks_in[form]
    return slot


def _tasks_of_slots(
    problem: Problem, modes: Modes, tasks_in: Array, parts: tuple[Array, Array, Array]
) -> Array:
    """(slots,) the task of each slot: one that is there already, else the next of its class."""
    slot_class = np.repeat(modes.form_class, tasks_in)
    task_of = np.full(slot_class.size, -1, dtype=np.int64)
    waiting = np.ones(modes.task_class.size, dtype=bool)
    part_mode, part_node, slot = parts
    row, row_mode = _at_home_in_one_part(problem, modes)
    if row.size:
        one = _is_one_part(modes)[part_mode]
        n = problem.instance.num_nodes
        current = problem.instance.current
        assert current is not None
        at_home = _numbered(row_mode * n + current[row], modes.task_class.size)
        on_offer = _numbered(part_mode[one] * n + part_node[one], modes.task_class.size)
        _, stays, filled = np.intersect1d(at_home, on_offer, return_indices=True)
        staying = problem.instance.rows.task[row[stays]]
        task_of[slot[one][filled]] = staying
        waiting[staying] = False
    tasks, slots = np.flatnonzero(waiting), np.flatnonzero(task_of < 0)
    tasks = tasks[np.argsort(modes.task_class[tasks], kind="stable")]
    slots = slots[np.argsort(slot_class[slots], kind="stable")]
    start = np.searchsorted(modes.task_class[tasks], slot_class[slots])
    task_of[slots] = tasks[start + _place_in_run(slot_class[slots])]
    return task_of


def _is_one_part(modes: Modes) -> Array:
    """(P,) whether a mode is all that its form consists of, once."""
    alone: Array = np.bincount(modes.mode_form, minlength=modes.form_class.size) == 1
    one: Array = alone[modes.mode_form] & (modes.mode_parts == 1)
    return one


def _at_home_in_one_part(problem: Problem, modes: Modes) -> tuple[Array, Array]:
    """The rows of tasks that run now, in one part and a form they may keep, and their modes."""
    current = problem.instance.current
    if current is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    row = np.flatnonzero((current >= 0) & (problem.classes.task_class >= 0))
    mode = problem.classes.task_class[row]
    one = _is_one_part(modes)[mode]
    return row[one], mode[one]


def _keep_parts_in_place(problem: Problem, node_index: Array) -> None:
    """Let each of several equal parts of a task be the one that is on its node now."""
    current = problem.instance.current
    if current is None:
        return
    rows, mode = problem.instance.rows, problem.classes.task_class
    known = (current >= 0) & (node_index >= 0)
    first = rows.form_start[:-1]
    several = np.diff(rows.form_start) > 1
    for form in np.unique(rows.form[known][several[rows.form[known]]]).tolist():
        mine = np.arange(first[form], rows.form_start[form + 1])
        for p in np.unique(mode[mine]).tolist():
            equal = mine[mode[mine] == p]
            now = node_index[equal]
            stays = np.isin(current[equal], now)
            stays[stays] = _place_in_group(current[equal[stays]]) == 0
            others = now[~np.isin(now, current[equal])]
            node_index[equal[stays]] = current[equal[stays]]
            node_index[equal[~stays]] = others


def _numbered(key: Array, most: int) -> Array:
    """Keys made different by how often each has come before."""
    return key * (most + 1) + _place_in_group(key)


def _place_in_group(column: Array) -> Array:
    """How many equal entries stand anywhere before each."""
    order = np.argsort(column, kind="stable")
    place = np.empty_like(column)
    place[order] = _place_in_run(column[order])
    return place


def _place_in_run(column: Array) -> Array:
    """How many equal entries stand directly before each; equal entries stand side by side."""
    change = np.flatnonzero(np.diff(column, prepend=column[:1] - 1))
    length = np.diff(np.append(change, column.size))
    return np.arange(column.size) - np.repeat(change, length)
