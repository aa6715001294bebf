"""The page on tables: its example gives what it says."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

from solver import Instance, Node, Task, read_instance
from solver.command.cli import run

PLACE = Path(__file__).parents[2] / "docs" / "tables.md"
PAGE = PLACE.read_text(encoding="utf-8")


def block(mark: str) -> str:
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```\w*\n(.*?)```", PAGE, re.S)
    assert found is not None
    return found.group(1)


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("servers.csv", "jobs.csv"):
        (tmp_path / name).write_text(block(name))
    assert run(shlex.split(block("command").replace("\\\n", " "))[1:]) == 0
    assert capsys.readouterr().err == block("output")
    rich = {"kind": "H200", "resources": {"cpu": 192}, "fixed_cost": 98.32}
    a1 = Node("a1", 8, fixed_cost=21.95, kind="A100", resources={"cpu": 96}, labels={"rack": "r2"})
    assert read_instance("cluster.json") == Instance(
        [
            Node("h1", 8, 1500, labels={"rack": "r1"}, **rich),
            Node("h2", 8, 1500, labels={"rack": "r2"}, **rich),
            a1,
        ],
        [
            Task("train", 8, 1200, ["H200"], {"cpu": 64}),
            Task("serve", 0.5, 85.89934592, resources={"cpu": 0.5}),
            Task("batch", 2, 256, ["A100", "H200"], {"cpu": 16}),
        ],
        max_load=1,
        currency="USD",
        current={"train": "h1", "serve": "a1"},
        name="jobs",
    )


def test_the_example_in_python() -> None:
    outcome = doctest.testfile(str(PLACE), module_relative=False)
    assert outcome.attempted == 7
    assert outcome.failed == 0
