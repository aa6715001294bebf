"""Files of schema nodewise/2: variants, parts, rules and present places, there and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from all_fields import full_instance, rich_instances

from benchmarks.fingerprint import content_hash
from solver.errors import InstanceError, NodewiseWarning
from solver.files.instance import read_instance, write_instance
from solver.model.instance import Instance, Node, Task
from solver.model.records import Variant

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


@settings(deadline=None)
@given(instance=rich_instances())
def test_any_instance_survives_json_and_csv(folder: Path, instance: Instance) -> None:
    write_instance(instance, folder / "instance.json")
    assert read_instance(folder / "instance.json") == instance
    for form in ("csv", "csv.zip"):
        try:
            write_instance(instance, folder / form)
        except InstanceError as refusal:
            assert "write JSON" in str(refusal)
            continue
        again = read_instance(folder / form)
        assert again == instance
        assert content_hash(again) == content_hash(instance)
