"""The table `variants.csv`: a row a variant, and where its parts differ, a row a part as well.

The column `model` names what tasks call the variants by, the column `task` the one task that has
them for itself. A variant whose parts have figures of their own is a row of its own, with an empty
cell `part`, followed by a row for each part, 1, 2, 3, ...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import InstanceError
from ...model.instance import Instance
from ...model.records import Part, Variant
from ..eligibility import EligibleGroups
from ..table import Table
from ..text import did_you_mean, tidy
from .names import BETWEEN, joined, require_resource_column, resource_names

__all__ = ["NO_VARIANTS", "VariantTable", "variant_table", "variants_of_table"]

_OWNERS = ("model", "task")
_COLUMNS = (
    *_OWNERS, "name", "part", "parts", "compute", "storage", "eligible", "price", "loss",
)  # fmt: skip
NO_VARIANTS = ("model", "name")
"""The header of a table without rows."""
_ONCE = ("parts", "price", "loss")
"""What counts once a variant, not a part."""


@dataclass
class VariantTable:
    """What `variants.csv` holds.

    Attributes
    ----------
    models : dict of str to list of Variant
    own : dict of str to list of Variant
        Of the tasks that have variants for themselves.
    first_row : dict of str to int
        The first row of each of those tasks.
    """

    models: dict[str, list[Variant]] = field(default_factory=dict)
    own: dict[str, list[Variant]] = field(default_factory=dict)
    first_row: dict[str, int] = field(default_factory=dict)


@dataclass
class _Rows:
    """The rows of one variant: its own, -1 where there is none, and those of its parts."""

    own: int = -1
    parts: dict[int, int] = field(default_factory=dict)


def variants_of_table(
    table: Table, node_resources: Sequence[str], groups: EligibleGroups
) -> VariantTable:
    """Read the variants.

    Parameters
    ----------
    table : Table
    node_resources : sequence of str
        What the columns may name beside the fields.
    groups : EligibleGroups

    Raises
    ------
    InstanceError
        Naming the file, the line and the column.
    """
    table.require("name")
    owners = [owner for owner in _OWNERS if owner in table.columns]
    if not owners:
        table.require("model")
    resources = resource_names(table, _COLUMNS)
    for name in resources:
        if name not in node_resources:
            raise InstanceError(
                f"{table.where}, line 1: column {name} is a resource that nodes.csv has no column "
                f"for; add it there or remove it here{did_you_mean(name, _COLUMNS)}"
            )
    cells = _Cells(table, resources, groups)
    found = VariantTable()
    for (owner, of), variants in _rows_by_owner(table, owners).items():
        made = [cells.variant(name, rows) for name, rows in variants.items()]
        if owner == "model":
            found.models[of] = made
        else:
            found.own[of] = made
            first = next(iter(variants.values()))
            found.first_row[of] = min(row for row in (first.own, *first.parts.values()) if row >= 0)
    return found


def _rows_by_owner(table: Table, owners: Sequence[str]) -> dict[tuple[str, str], dict[str, _Rows]]:
    """The rows of each variant of each model or task, in the order they come."""
    found: dict[tuple[str, str], dict[str, _Rows]] = {}
    listed = [table.columns[owner] for owner in owners]
    parts = table.columns.get("part") or [""] * len(table.columns["name"])
    for row, (name, part, *of) in enumerate(
        zip(table.columns["name"], parts, *listed, strict=True)
    ):
        named = [(owner, cell) for owner, cell in zip(owners, of, strict=True) if cell]
        if len(named) != 1:
            problem = f"give one of {' and '.join(owners)}" if named else "the cell is empty"
            raise table.error(row, owners[0], f"{problem}; a variant belongs to one model or task")
        if not name:
            raise table.error(row, "name", "the cell is empty; every variant needs a name")
        rows = found.setdefault(named[0], {}).setdefault(name, _Rows())
        owner, cell = named[0]
        if not part.strip():
            if rows.own >= 0:
                raise table.error(
                    row, "name", f"the variant {name!r} of {owner} {cell!r} stands twice; rename it"
                )
            rows.own = row
            continue
        number = int(part) if part.isascii() and part.isdigit() and len(part) < 10 else 0
        if number < 1:
            raise table.error(row, "part", f"{part!r} is not the number of a part: 1, 2, 3, ...")
        if number in rows.parts:
            raise table.error(row, "part", f"part {number} of {name!r} stands twice; renumber it")
        rows.parts[number] = row
    return found


class _Cells:
    """The cells of the table as values."""

    def __init__(self, table: Table, resources: Sequence[str], groups: EligibleGroups) -> None:
        self._table, self._groups = table, groups
        self._resources = {name: self._numbers(name) for name in resources}
        self._figures = {name: self._numbers(name) for name in ("compute", "storage")}
        self._once = {name: self._numbers(name) for name in ("price", "loss")}

    def _numbers(self, column: str) -> list[Any]:
        if column not in self._table.columns:
            return []
        values = self._table.numbers(column, empty=None)
        return list(values if isinstance(values, list) else values.tolist())

    def variant(self, name: str, rows: _Rows) -> Variant:
        table, row = self._table, rows.own
        values: dict[str, Any] = {}
        if row >= 0:
            values = {key: cells[row] for key, cells in self._once.items() if cells}
            values["eligible"] = self._eligible(row)
        if not rows.parts:
            values |= self._own_figures(row)
            values["parts"] = self._number_of_parts(row, 1)
            if values.get("compute") is None:
                column = "compute" if "compute" in table.columns else "name"
                raise table.error(
                    row, column, "the compute of the variant is missing; give a number, 0 or more"
                )
        else:
            values["parts"] = self._parts(name, rows)
        return Variant(name, **{key: value for key, value in values.items() if value is not None})

    def _parts(self, name: str, rows: _Rows) -> list[Part]:
        table, count = self._table, len(rows.parts)
        if rows.own >= 0:
            given = {
                **self._own_figures(rows.own),
                **self._own_figures(rows.own).get("resources", {}),
            }
            for column, value in given.items():
                if column != "resources" and value is not None:
                    raise table.error(
                        rows.own, column, f"the parts of {name!r} have figures of their own; leave "
                        "this cell empty, or remove the rows of the parts"
                    )  # fmt: skip
            if self._number_of_parts(rows.own, count) != count:
                raise table.error(rows.own, "parts", f"{name!r} has rows for {count} parts")
        parts = []
        for number in range(1, count + 1):
            if number not in rows.parts:
                row = max(rows.parts.values())
                raise table.error(row, "part", f"{name!r} has no part {number}; count from 1 on")
            parts.append(self._part(rows.parts[number]))
        return parts

    def _part(self, row: int) -> Part:
        table = self._table
        for column in _ONCE:
            if column in table.columns and table.columns[column][row].strip():
                raise table.error(
                    row, column, "it counts once a variant, not a part; put it in a row of the "
                    "variant with an empty cell part"
                )  # fmt: skip
        figures = self._own_figures(row)
        if figures.get("compute") is None:
            column = "compute" if "compute" in table.columns else "part"
            raise table.error(
                row, column, "the compute of the part is missing; give a number, 0 or more"
            )
        figures["eligible"] = self._eligible(row)
        return Part(**{key: value for key, value in figures.items() if value is not None})

    def _own_figures(self, row: int) -> dict[str, Any]:
        figures: dict[str, Any] = {key: cells[row] for key, cells in self._figures.items() if cells}
        needs = {
            key: cells[row] for key, cells in self._resources.items() if cells[row] is not None
        }
        if needs:
            figures["resources"] = needs
        return figures

    def _eligible(self, row: int) -> Sequence[str] | None:
        cell = self._table.columns["eligible"][row] if "eligible" in self._table.columns else ""
        if not cell:
            return None
        try:
            return self._groups.labels[self._groups.number_of(cell.split(BETWEEN))]
        except InstanceError as error:
            raise self._table.error(row, "eligible", str(error)) from None

    def _number_of_parts(self, row: int, default: int) -> int:
        cell = self._table.columns["parts"][row].strip() if "parts" in self._table.columns else ""
        if not cell:
            return default
        if not (cell.isascii() and cell.isdigit() and 0 < len(cell) < 10 and int(cell)):
            raise self._table.error(row, "parts", f"{cell!r} is not a whole number, 1 or more")
        return int(cell)


def variant_table(instance: Instance) -> tuple[list[str], Iterator[Sequence[Any]]] | None:
    """Header and rows of `variants.csv`; None where no task has variants, nor has a model.

    Raises
    ------
    InstanceError
        If a name cannot be written in a table.
    """
    task_ids = instance.task_ids.tolist()
    has_own = [name is None for name in instance.model_names]
    own = [
        ("task", task_ids[j], instance.variant_sets[number])
        for j, number in enumerate(instance.task_model.tolist() if any(has_own) else ())
        if number >= 0 and has_own[number]
    ]
    owners = [("model", name, variants) for name, variants in instance.models.items()] + own
    if not owners:
        return None
    resources = list(instance.node_resources)
    for name in resources:
        require_resource_column(name, _COLUMNS)
    rows = [
        {owner: of, **cells}
        for owner, of, variants in owners
        for variant in variants
        for cells in _cells_of(variant)
    ]
    filled = {"name", "compute"}.union(*rows)
    header = [name for name in (*_COLUMNS, *resources) if name in filled]
    return header, ([row.get(name, "") for name in header] for row in rows)


def _cells_of(variant: Variant) -> Iterator[dict[str, Any]]:
    """The cells of a variant that are filled, and of each of its parts with own figures."""
    of_parts = variant.parts if isinstance(variant.parts, Sequence) else ()
    cells: dict[str, Any] = {"name": variant.name}
    if not of_parts and variant.parts != 1:
        cells["parts"] = variant.parts
    for name in ("price", "loss"):
        if getattr(variant, name):
            cells[name] = tidy(getattr(variant, name))
    yield cells | _figures_of(variant)
    for number, part in enumerate(of_parts, 1):
        yield {"name": variant.name, "part": number, **_figures_of(part)}


def _figures_of(record: Variant | Part) -> dict[str, Any]:
    cells: dict[str, Any] = {name: tidy(need) for name, need in record.resources.items() if need}
    if record.compute is not None:
        cells["compute"] = tidy(record.compute)
    if record.storage:
        cells["storage"] = tidy(record.storage)
    if record.eligible is not None:
        cells["eligible"] = joined(record.eligible, "eligible", "node, kind or label")
    return cells
