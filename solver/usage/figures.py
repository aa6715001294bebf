"""The figures of an instance by name: looked up, and replaced in a copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..model.instance import Instance, Number
from ..model.records import Part, Variant
from .report import Key

__all__ = ["FIGURES", "figure_of", "with_figures"]

FIGURES = ("compute", "storage")
"""What tasks need, besides resources."""


def figure_of(instance: Instance, key: Key, task_at: Mapping[str, int]) -> Number | None:
    """The figure that a key names, None if the instance has no such.

    Parameters
    ----------
    instance : Instance
    key : Key
    task_at : mapping of task id to position
    """
    if key.field not in (*FIGURES, *instance.node_resources):
        return None
    j = None if key.task is None else task_at.get(key.task)
    if key.variant is None:
        if j is None or instance.task_model[j] >= 0:
            return None
        column = _column(instance, key.field)
        return None if column is None else _plain(column[j])
    variants = instance.models.get(key.model or "")
    if key.task is not None:
        variants = None if j is None else _own_variants(instance, j)
    for variant in variants or ():
        if variant.name == key.variant:
            return _of_variant(variant, key)
    return None


def _own_variants(instance: Instance, j: int) -> tuple[Variant, ...] | None:
    number = int(instance.task_model[j])
    return instance.variant_sets[number] if number >= len(instance.models) else None


def _of_variant(variant: Variant, key: Key) -> Number | None:
    if isinstance(variant.parts, int):
        return _of_record(variant, key.field) if key.part is None else None
    if key.part is None or not 1 <= key.part <= len(variant.parts):
        return None
    return _of_record(variant.parts[key.part - 1], key.field)


def _of_record(record: Variant | Part, field: str) -> Number:
    if field == "compute":
        assert record.compute is not None
        return record.compute
    return record.storage if field == "storage" else record.resources.get(field, 0)


def _column(instance: Instance, field: str) -> Any:
    if field in FIGURES:
        return getattr(instance, f"task_{field}")
    return instance.task_resources.get(field)


def _plain(value: Any) -> Number:
    number: Number = value.item() if hasattr(value, "item") else value
    return number


def with_figures(instance: Instance, figures: Mapping[Key, Number]) -> Instance:
    """A copy with other figures; keys that name nothing in the instance are an error.

    Parameters
    ----------
    instance : Instance
    figures : mapping of Key to number, 0 or more

    Raises
    ------
    KeyError
        Of a key that is not in the instance; `figure_of` tells.
    """
    if not figures:
        return instance
    task_at = {name: j for j, name in enumerate(instance.task_ids.tolist())}
    columns: dict[str, list[Number]] = {}
    of_sets: dict[int, dict[Key, Number]] = {}
    of_tasks: dict[int, dict[Key, Number]] = {}
    models = {name: number for number, name in enumerate(instance.models)}
    for key, value in figures.items():
        if figure_of(instance, key, task_at) is None:
            raise KeyError(key)
        if key.variant is None:
            assert key.task is not None
            if key.field not in columns:
                columns[key.field] = _column(instance, key.field).tolist()
            columns[key.field][task_at[key.task]] = value
        elif key.task is None:
            of_sets.setdefault(models[key.model or ""], {})[key] = value
        else:
            of_tasks.setdefault(task_at[key.task], {})[key] = value
    changes = _changed_columns(instance, columns)
    if of_sets or of_tasks:
        changes.update(_changed_variants(instance, of_sets, of_tasks))
    return instance.replace(**changes)


def _changed_columns(instance: Instance, columns: Mapping[str, list[Number]]) -> dict[str, Any]:
    changes: dict[str, Any] = {
        f"task_{field}": columns[field] for field in FIGURES if field in columns
    }
    if columns.keys() - set(FIGURES):
        changes["task_resources"] = {
            name: columns.get(name, column) for name, column in instance.task_resources.items()
        }
    return changes


def _changed_variants(
    instance: Instance,
    of_sets: Mapping[int, Mapping[Key, Number]],
    of_tasks: Mapping[int, Mapping[Key, Number]],
) -> dict[str, Any]:
    named = len(instance.models)
    changes: dict[str, Any] = {
        "models": {
            name: [_changed(variant, of_sets.get(number, {})) for variant in variants]
            for number, (name, variants) in enumerate(instance.models.items())
        },
        "current": instance.current,  # the rows stay what they are
    }
    if of_tasks:
        sets = instance.variant_sets
        changes["task_variants"] = [
            None
            if number < named
            else [_changed(variant, of_tasks.get(j, {})) for variant in sets[number]]
            for j, number in enumerate(instance.task_model.tolist())
        ]
    return changes


def _changed(variant: Variant, figures: Mapping[Key, Number]) -> Variant:
    mine = {key: value for key, value in figures.items() if key.variant == variant.name}
    if not mine:
        return variant
    if isinstance(variant.parts, int):
        return _record_with(variant, mine)
    parts = [
        _record_with(part, {key: value for key, value in mine.items() if key.part == number})
        for number, part in enumerate(variant.parts, 1)
    ]
    return replace(variant, parts=tuple(parts))


def _record_with[Record: (Variant, Part)](record: Record, figures: Mapping[Key, Number]) -> Record:
    if not figures:
        return record
    values = {key.field: value for key, value in figures.items()}
    return replace(
        record,
        compute=values.pop("compute", record.compute),
        storage=values.pop("storage", record.storage),
        resources={**record.resources, **values},
    )
