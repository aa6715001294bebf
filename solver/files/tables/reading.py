"""The CSV form of an instance, read: tables of nodes, of tasks and of variants."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...errors import InstanceError
from ...model.fields import Field, Kind, fields_of
from ...model.instance import Instance
from ..eligibility import EligibleGroups, NameSets
from ..table import Table
from ..text import did_you_mean, packed
from .names import BETWEEN, LABEL, columns_of, resource_names
from .variants import VariantTable, variants_of_table

__all__ = ["instance_of_tables"]


def instance_of_tables(
    nodes: Table, tasks: Table, variants: Table | None, settings: dict[str, Any], where: str
) -> Instance:
    """The instance that the tables describe.

    Parameters
    ----------
    nodes, tasks : Table
    variants : Table or None
    settings : dict
        What stands in `instance.json`.
    where : str
        The folder or zip, as error messages name it.

    Raises
    ------
    InstanceError
        Naming the file, the line and the column.
    """
    columns = _columns(nodes, "node", None)
    labels = columns["node_labels"]
    groups = EligibleGroups(columns["node_ids"], columns["node_kind"] or (), labels)
    capacities = list(columns["node_resources"])
    told = VariantTable()
    if variants is not None:
        told = variants_of_table(variants, capacities, groups)
    columns |= _columns(tasks, "task", nodes)
    columns |= _variants(tasks, variants, told)
    _require_compute(tasks, columns)
    if "eligible" in tasks.columns:
        columns["task_eligible"] = _numbered(
            tasks, "eligible", lambda cell: groups.number_of(cell.split(BETWEEN))
        )
        columns["eligible_groups"] = groups.labels
    for field in fields_of("task", Kind.NAMES):
        if field.name in tasks.columns:
            sets = NameSets(set(columns["node_ids"]) if field.name == "pinned" else None)
            columns[field.argument] = _numbered(tasks, field.name, _number_in(sets))
            columns[field.sets] = sets.names
    settings = {**settings, "models": told.models or None, "current": _current(tasks)}
    try:
        return Instance.from_arrays(**columns, **settings)
    except InstanceError as error:
        raise InstanceError(f"{where}: {error}") from None


def _number_in(sets: NameSets) -> Callable[[str], int]:
    return lambda cell: sets.number_of(cell.split(BETWEEN))


_BY_THEMSELVES = (Kind.ID, Kind.NUMBER, Kind.LABEL, Kind.CHOICE, Kind.REPLICAS)
"""The kinds of fields that are one column, which can be read without the others."""


def _columns(table: Table, owner: str, nodes: Table | None) -> dict[str, Any]:
    """The columns of nodes or tasks that can be read without others."""
    known = columns_of(owner)
    table.require(*(f.name for f in fields_of(owner) if f.required and not f.unless))
    labels = [name for name in table.columns if owner == "node" and name.startswith(LABEL)]
    resources = resource_names(table, [*known, *labels])
    if nodes is not None:
        _require_known(table, resources, nodes)
    columns: dict[str, Any] = {
        field.argument: _column(table, field) for field in fields_of(owner, *_BY_THEMSELVES)
    }
    columns[f"{owner}_resources"] = {name: _amounts(table, owner, name) for name in resources}
    if owner == "node":
        if LABEL in labels:
            raise table.fail(
                f"{table.where}, line 1: column {LABEL} has no key; name it {LABEL}zone, say"
            )
        columns["node_labels"] = {
            name.removeprefix(LABEL): [cell or None for cell in table.columns[name]]
            for name in labels
        }
    return columns


def _amounts(table: Table, owner: str, resource: str) -> Any:
    try:
        return table.numbers(resource, empty=0)
    except InstanceError as error:
        if owner == "task":
            raise
        remedy = f"; a column of words is a label: name it {LABEL}{resource}"
        raise InstanceError(f"{error}{remedy}") from None


def _require_known(tasks: Table, names: Iterable[str], nodes: Table) -> None:
    known = columns_of("node")
    of_nodes = [name for name in nodes.columns if name not in known and not name.startswith(LABEL)]
    for name in names:
        if name not in of_nodes:
            fields = columns_of("task")
            raise InstanceError(
                f"{tasks.where}, line 1: column {name} is a resource that {nodes.where} has no "
                f"column for; add it there or remove it here{did_you_mean(name, fields)} "
                f"(known: {', '.join((*fields, *of_nodes))})"
            )


def _column(table: Table, field: Field) -> Any:
    """A column of ids, words or numbers; None where the table has none."""
    if field.kind is Kind.ID:
        return table.unique(field.name)
    if field.name not in table.columns:
        return None
    if field.kind is Kind.LABEL:
        return [cell or None for cell in table.columns[field.name]] or None
    if field.kind is Kind.CHOICE:
        return _words(table, field)
    if field.kind is Kind.REPLICAS:
        return _counts(table, field.name)
    if field.unless:
        return table.numbers(field.name)
    empty = None if field.required or field.same_as is not None else field.default
    return table.numbers(
        field.name,
        empty=empty,
        required=field.required,
        unlimited=field.unlimited and not field.nullable,
    )


def _words(table: Table, field: Field) -> list[str | None]:
    cells = table.columns[field.name]
    for word in dict.fromkeys(cells):
        if word and word not in field.choices:
            hint = did_you_mean(word, field.choices)
            problem = f"{word!r} is none of: {', '.join(field.choices)}{hint}"
            raise table.error(cells.index(word), field.name, problem)
    return [cell or None for cell in cells]


def _counts(table: Table, column: str) -> list[int | None]:
    counts: list[int | None] = []
    for row, cell in enumerate(table.columns[column]):
        text = cell.strip()
        if text and not (text.isascii() and text.isdigit() and len(text) < 10):
            raise table.error(row, column, f"{cell!r} is not a whole number, 0 or more")
        counts.append(int(text) if text else None)
    return counts


def _numbered(table: Table, column: str, number_of: Callable[[str], int]) -> Any:
    """The numbers of the cells of a column, 0 of empty ones; each is looked at once."""
    cells = table.columns[column]
    numbers = {"": 0}
    for cell in dict.fromkeys(cells):
        if cell:
            try:
                numbers[cell] = number_of(cell)
            except InstanceError as error:
                raise table.error(cells.index(cell), column, str(error)) from None
    return packed([numbers[cell] for cell in cells])


def _variants(tasks: Table, variants: Table | None, told: VariantTable) -> dict[str, Any]:
    """The model of each task, and the variants that it has for itself."""
    columns: dict[str, Any] = {}
    if "model" in tasks.columns:
        cells = tasks.columns["model"]
        number = {"": -1, **{name: k for k, name in enumerate(told.models)}}
        for cell in dict.fromkeys(cells):
            if cell not in number:
                hint = did_you_mean(cell, told.models)
                raise tasks.error(
                    cells.index(cell), "model", f"{cell!r} is no model of variants.csv{hint}"
                )
        columns["task_model"] = packed([number[cell] for cell in cells])
    if told.own and variants is not None:
        ids = tasks.columns["id"]
        known = set(ids)
        for task, row in told.first_row.items():
            if task not in known:
                problem = f"task {task!r} is not in tasks.csv{did_you_mean(task, known)}"
                raise variants.error(row, "task", problem)
        columns["task_variants"] = [told.own.get(task) for task in ids]
    return columns


def _require_compute(tasks: Table, columns: dict[str, Any]) -> None:
    """Every task has a compute or variants."""
    models, own = columns.get("task_model"), columns.get("task_variants")
    if models is None and own is None:
        tasks.require("compute")
    values = columns["task_compute"]
    if values is None:
        values = [None] * len(tasks.columns["id"])
    for row, value in enumerate(values if isinstance(values, list) else ()):
        has_variants = (models is not None and models[row] >= 0) or (
            own is not None and own[row] is not None
        )
        if value is None and not has_variants:
            column = "compute" if "compute" in tasks.columns else "model"
            also = "" if models is None and own is None else ", or name a model"
            raise tasks.error(row, column, f"the cell is empty; give a number, 0 or more{also}")


def _current(tasks: Table) -> dict[str, Any] | None:
    """Where the tasks are now, as the setting `current` has it."""
    if "node" not in tasks.columns:
        if "node_variant" in tasks.columns:
            tasks.require("node")
        return None
    ids, cells = tasks.columns["id"], tasks.columns["node"]
    variants = tasks.columns.get("node_variant", [""] * len(ids))
    replicas = tasks.columns.get("replicas", [""] * len(ids))
    current: dict[str, Any] = {}
    for row, (task, cell, variant) in enumerate(zip(ids, cells, variants, strict=True)):
        if not cell:
            if variant:
                problem = f"task {task!r} is in the variant {variant!r} on no node; name the node"
                raise tasks.error(row, "node", problem)
            continue
        if replicas[row].strip():
            problem = f"the replicas of {task!r} are tasks of their own; give each a row"
            raise tasks.error(row, "node", problem)
        place: Any = [node or None for node in cell.split(BETWEEN)] if BETWEEN in cell else cell
        current[task] = {"node": place, "variant": variant} if variant else place
    return current
