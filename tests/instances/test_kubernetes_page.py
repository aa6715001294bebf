"""The page on Kubernetes: its commands print what stands there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from instances.kubectl import kubectl_script
from solver import check_plan, read_allocation, read_instance, read_plan
from solver.command.cli import run

FOLDER = Path(__file__).parents[2] / "docs" / "kubernetes"
PAGE = FOLDER.with_suffix(".md").read_text(encoding="utf-8")


def block(mark: str) -> str:
    """The block of text below a mark."""
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```\w*\n(.*?)```", PAGE, re.S)
    assert found is not None
    return found.group(1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path in FOLDER.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(mark: str) -> list[str]:
    program, *arguments = shlex.split(block(mark))
    assert program == "nodewise"
    return arguments


def test_the_commands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (folder / "prices.csv").read_text() == block("prices.csv")
    assert run(command("command")) == 0
    assert capsys.readouterr().err == block("output")
    assert run([*command("rebalance"), "--workers", "1"]) == 0
    shown, expected = (
        {line for line in text.splitlines() if re.match("cost|saving|could|status", line)}
        for text in (capsys.readouterr().err, block("rebalance output"))
    )
    assert shown == expected
    instance = read_instance(folder / "cluster.json")
    allocation = read_allocation(instance, folder / "new.csv")
    plan = read_plan(instance, folder / "plan.csv")
    assert check_plan(instance, allocation, plan) == []
    assert (folder / "plan.sh").read_text() == kubectl_script(plan)
    assert run(["check", "cluster.json", "new.csv", "--plan", "plan.csv"]) == 0


def test_the_plan(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command("command")) == 0
    (folder / "plan.csv").write_text(block("plan.csv"))
    plan = read_plan(read_instance(folder / "cluster.json"), folder / "plan.csv")
    assert kubectl_script(plan).endswith(block("plan.sh"))
