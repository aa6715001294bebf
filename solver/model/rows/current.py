"""Where tasks are now: the setting `current`, and other placements given by names."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import InstanceError, NodewiseWarning
from ..exact import Array
from .rows import Rows

__all__ = ["checked_current", "rows_of_place"]


def checked_current(
    given: Any, made: Mapping[str, Any], node_names: Array, ids: Array | None
) -> Array | None:
    """(W,) positions of nodes, -1 where a row is nowhere now; None where nothing is known.

    Parameters
    ----------
    given : mapping, Allocation or (W,) positions
        An allocation may be of another instance: names count. A mapping goes from ids of tasks to
        a node, a list of nodes, or {"node": ..., "variant": ...}. What is unknown (a task, a node,
        a variant) is nowhere now; a warning says so once.
    made : mapping
        The columns of the instance, and its `rows`.
    node_names : (n,) strings
    ids : (m,) strings or None

    Raises
    ------
    InstanceError
        If an entry is no place, or leaves open which variant runs.
    """
    if given is None:
        return None
    rows: Rows = made["rows"]
    if hasattr(given, "node_index"):
        given = _by_name(given)
    if not isinstance(given, Mapping):
        return _positions(given, rows, made["num_nodes"])
    node_at = {name: i for i, name in enumerate(node_names.tolist())}
    names = ids.tolist() if ids is not None else [f"task-{j}" for j in range(made["num_tasks"])]
    task_at = {name: j for j, name in enumerate(names)}
    node_index = np.full(rows.num_rows, -1, dtype=np.int64)
    unknown: dict[str, list[str]] = {"task": [], "node": [], "variant": []}
    for task, place in given.items():
        j = task_at.get(task)
        if j is None:
            unknown["task"].append(str(task))
        elif place is not None:
            _put(rows, j, place, f"current: task {task!r}", node_at, unknown, node_index)
    told = [
        f"{len(listed):,} unknown {what}s (such as {listed[0]!r})"
        for what, listed in unknown.items()
        if listed
    ]
    if told:
        warnings.warn(
            f"current names {', '.join(told)}; what is unknown counts as nowhere now",
            NodewiseWarning,
            stacklevel=6,
        )
    node_index.flags.writeable = False
    return node_index


def _by_name(allocation: Any) -> dict[str, Any]:
    """The places of an `Allocation`, which may be of another instance."""
    instance = allocation.instance
    rows, nodes = instance.rows, instance.node_ids.tolist()
    used = np.flatnonzero(allocation.node_index >= 0)
    found: dict[str, Any] = {}
    names, forms = instance.task_ids.tolist(), rows.form[used]
    for row, form in zip(used.tolist(), forms.tolist(), strict=True):
        place = found.get(names[rows.form_task[form]])
        if place is None:
            source = int(rows.form_source[form])
            variant = None if source < 0 else rows.all_variants[source].name
            place = found[names[rows.form_task[form]]] = {"node": [], "variant": variant}
        place["node"].append(nodes[allocation.node_index[row]])
    return found


def _positions(given: Any, rows: Rows, num_nodes: int) -> Array:
    index = np.asarray(given)
    if index.shape != (rows.num_rows,) or (index.size and index.dtype.kind not in "iu"):
        raise InstanceError(
            f"current has shape {index.shape} of {index.dtype}; it must map tasks to nodes, or be "
            f"{rows.num_rows} integer positions"
        )
    made = index.astype(np.int64)
    if made.size and not (int(made.min()) >= -1 and int(made.max()) < num_nodes):
        raise InstanceError(f"current must hold positions -1..{num_nodes - 1}")
    here = np.flatnonzero(made >= 0)
    forms = np.unique(rows.form[here])
    twice = np.flatnonzero(np.diff(rows.form_task[forms]) == 0)
    if twice.size:
        j = int(rows.form_task[forms[twice[0]]])
        raise InstanceError(f"current: the task at position {j} is in two variants")
    made.flags.writeable = False
    return made


def _put(
    rows: Rows,
    j: int,
    place: Any,
    where: str,
    node_at: Mapping[str, int],
    unknown: dict[str, list[str]],
    node_index: Array,
) -> None:
    def refuse(problem: str) -> InstanceError:
        return InstanceError(f"{where}: {problem}")

    nodes, variant = rows_of_place(place, refuse)
    first, last = rows.task_form[j], rows.task_form[j + 1]
    names = [rows.all_variants[s].name for s in rows.form_source[first:last].tolist() if s >= 0]
    if variant is None and len(names) > 1:
        raise refuse(f"say which variant runs: {{'node': ..., 'variant': one of {names}}}")
    if variant is not None and variant not in names:
        unknown["variant"].append(variant)
        return
    form = int(first) + (0 if variant is None else names.index(variant))
    begin, end = int(rows.form_start[form]), int(rows.form_start[form + 1])
    if len(nodes) > end - begin:
        raise refuse(f"it names {len(nodes)} nodes for {end - begin} parts")
    for row, node in enumerate(nodes, begin):
        if node is None:
            continue
        if node in node_at:
            node_index[row] = node_at[node]
        else:
            unknown["node"].append(node)


def rows_of_place(
    place: Any, refuse: Callable[[str], Exception]
) -> tuple[Sequence[str | None], str | None]:
    """The nodes of the parts and the variant that a place names.

    Parameters
    ----------
    place : str, sequence of str or None, or mapping with "node" and "variant"
    refuse : callable
        Makes an exception of a sentence.
    """
    variant = None
    if isinstance(place, Mapping):
        for key in place:
            if key not in ("node", "variant"):
                raise refuse(f"the key {key!r} is unknown (known: node, variant)")
        variant = place.get("variant")
        if variant is not None and not isinstance(variant, str):
            raise refuse(f"variant is {variant!r}; it must be the name of one")
        place = place.get("node")
    nodes = [place] if isinstance(place, str) else place
    if not isinstance(nodes, Sequence) or not all(
        node is None or isinstance(node, str) for node in nodes
    ):
        raise refuse(f"{place!r} is no place; it must be the id of a node, or a list of ids")
    return nodes, variant
