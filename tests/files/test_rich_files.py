"""Files of schema nodewise/2: variants, parts, rules and present places, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from all_fields import full_instance, rich_instances
from hypothesis import given, settings

from benchmarks.fingerprint import content_hash
from solver.errors import InstanceError
from solver.files.instance import read_instance, write_instance
from solver.model.instance import Instance

FORMS = ["instance.json", "instance.zip", "folder"]


@pytest.mark.parametrize("form", FORMS)
def test_every_field_survives_a_round_trip(tmp_path: Path, form: str) -> None:
    instance = full_instance()
    write_instance(instance, tmp_path / form)
    again = read_instance(tmp_path / form)
    assert again == instance
    assert content_hash(again) == content_hash(instance)
    assert list(again.tasks) == list(instance.tasks)
    assert list(again.nodes) == list(instance.nodes)
    assert [path.name for path in tmp_path.iterdir()] == [form]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("round-trip")


def fits_csv(instance: Instance) -> bool:
    """Whether no name has the character that separates names in a cell."""
    lists = [*instance.groups, *instance.group_sets, *instance.pinned_sets]
    for variant in (variant for variants in instance.variant_sets for variant in variants):
        parts = variant.parts if isinstance(variant.parts, tuple) else ()
        lists += [variant.eligible, *(part.eligible for part in parts)]  # type: ignore[list-item]
    if instance.current is not None:
        now = instance.current[instance.current >= 0]
        lists.append(tuple(instance.node_ids[now].tolist()))
    return not any("|" in name for names in lists for name in names or ())


@settings(deadline=None)
@given(instance=rich_instances())
def test_any_instance_survives_json_and_csv(folder: Path, instance: Instance) -> None:
    write_instance(instance, folder / "instance.json")
    assert read_instance(folder / "instance.json") == instance
    for form in ("csv", "csv.zip"):
        if not fits_csv(instance):
            with pytest.raises(InstanceError, match="write JSON"):
                write_instance(instance, folder / form)
            continue
        write_instance(instance, folder / form)
        again = read_instance(folder / form)
        assert again == instance
        assert content_hash(again) == content_hash(instance)
