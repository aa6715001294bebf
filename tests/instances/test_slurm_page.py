"""The page on Slurm: its commands print what it says."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from instances.readers import convert_slurm
from solver.command.cli import run
from tests.instances.slurm_shapes import written

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "slurm.md").read_text(encoding="utf-8")
LATER = ("plan ", "proof ", "method ", "seconds ", "written ")
"""What the page leaves out of the summary of a solve."""


def console(mark: str) -> tuple[list[str], list[str]]:
    """A command of the page and what it prints."""
    found = re.search(rf"<!-- {mark} -->\n```console\n\$ nodewise (.*?)\n(.*?)```", PAGE, re.S)
    assert found is not None
    return shlex.split(found[1]), found[2].splitlines()


def test_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("nodes.json", "jobs.json", "prices.csv"):
        shutil.copy(DOCS / "slurm" / name, name)
    for mark in ("convert", "check", "rebalance", "drain"):
        command, shown = console(mark)
        assert run(command) == 0
        out, err = capsys.readouterr()
        lines = [*out.splitlines(), *err.splitlines()]
        if mark in ("rebalance", "drain"):
            lines = [line for line in lines if not line.startswith(LATER)]
        assert lines == shown
    assert "\n1041,gpu003,job," in Path("new.csv").read_text()  # the one part or the other
    assert "1051,,," in Path("without.csv").read_text().splitlines()


def test_the_files_are_those_of_the_tests(tmp_path: Path) -> None:
    paths = [DOCS / "slurm" / name for name in ("nodes.json", "jobs.json")]
    assert convert_slurm(paths).instance == convert_slurm(written(tmp_path)).instance
