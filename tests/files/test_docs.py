"""The page on files: its example is an instance in both forms, and is written as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from solver.files.allocation import read_allocation, write_allocation
from solver.files.instance import read_instance, write_instance
from solver.files.loads import write_loads
from solver.files.plan import read_plan, write_plan
from solver.judge.check import check
from solver.judge.replay import check_plan
from solver.model.checking.settings import SETTINGS
from solver.model.fields import fields_of
from solver.model.instance import Instance

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
TABLES = {"nodes.csv": "nodes.csv", "tasks.csv": "tasks.csv", "variants.csv": "variants.csv"}
MEMBERS = {**TABLES, "instance.json": "settings"}


def block(mark: str) -> str:
    """The block of text below a mark."""
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```\w*\n(.*?)```", PAGE, re.S)
    assert found is not None
    return found.group(1)


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    (tmp_path / "example.json").write_text(block("instance.json"))
    return read_instance(tmp_path / "example.json")


def test_the_example_is_the_same_in_both_forms(tmp_path: Path, instance: Instance) -> None:
    write_instance(instance, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == block("instance.json")
    (tmp_path / "tables").mkdir()
    for member, mark in MEMBERS.items():
        (tmp_path / "tables" / member).write_text(block(mark))
    assert read_instance(tmp_path / "tables") == instance
    write_instance(instance, tmp_path / "written")
    for member, mark in MEMBERS.items():
        assert (tmp_path / "written" / member).read_text() == block(mark)


def test_the_allocation_of_the_example_is_feasible(tmp_path: Path, instance: Instance) -> None:
    (tmp_path / "allocation.csv").write_text(block("allocation.csv"))
    allocation = read_allocation(instance, tmp_path / "allocation.csv")
    assert check(instance, allocation) == []
    write_allocation(allocation, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == block("allocation.csv")
    write_loads(allocation, tmp_path / "loads.csv")
    assert (tmp_path / "loads.csv").read_text() == block("loads.csv")


def test_the_plan_of_the_example_is_safe(tmp_path: Path, instance: Instance) -> None:
    (tmp_path / "allocation.csv").write_text(block("allocation.csv"))
    (tmp_path / "plan.csv").write_text(block("plan.csv"))
    allocation = read_allocation(instance, tmp_path / "allocation.csv")
    plan = read_plan(instance, tmp_path / "plan.csv")
    assert check_plan(instance, allocation, plan) == []
    write_plan(plan, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == block("plan.csv")


def test_every_key_is_on_the_page() -> None:
    names = {field.name for owner in ("node", "task") for field in fields_of(owner)}
    missing = [name for name in sorted(names | SETTINGS.keys()) if f"`{name}`" not in PAGE]
    assert missing == []
