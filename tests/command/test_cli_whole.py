"""The command line on instances with variants, rules and present places."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from solver.files.instance import read_instance, write_instance

Run = Callable[..., tuple[int, str, str]]
PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, but for the example of the page on files."""
    monkeypatch.chdir(tmp_path)
    found = re.search(r"<!-- instance.json -->\n```json\n(.*?)```", PAGE, re.S)
    assert found is not None
    (tmp_path / "serving.json").write_text(found.group(1))
    return tmp_path


def test_solve_tells_and_writes_all_that_is_decided(run: Run, folder: Path) -> None:
    code, _, shown = run(
        "solve", "serving.json", "--method", "cp-sat", "--workers", "1",
        "-o", "a.csv", "--loads", "l.csv", "--json", "r.json",
    )  # fmt: skip
    assert code == 0
    lines = dict(line.split(maxsplit=1) for line in shown.splitlines() if " " in line)
    assert lines["instance"] == "serving: 3 nodes, 4 tasks, 5 variants, 2 rules"
    assert lines["cost"] == lines["bound"] == "51.2 USD"
    assert lines["variants"] == "2 USD for prices and losses"
    assert lines["left"] == "out     0 of 4 tasks"
    assert lines["moves"] == "1 of at most 3, at a cost of 2 USD"
    assert lines["loss"] == "0.5 of a budget of 1"
    result = json.loads((folder / "r.json").read_text())
    assert (result["cost"], result["moves"], result["left_out"]) == (51.2, 1, [])
    assert set(result["allocation"]["search"]) == {"node", "variant"}
    with (folder / "l.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["cost_idle"] for row in rows] == ["23.6", "23.6", "0"]
    code, out, _ = run("check", "serving.json", "a.csv")
    assert (code, out.splitlines()[0], out.splitlines()[-1]) == (0, "cost 51.2", "feasible")


@pytest.mark.parametrize("form", ["again.json", "again.zip", "again"])
def test_every_form_of_a_file_is_solved_alike(run: Run, folder: Path, form: str) -> None:
    write_instance(read_instance(folder / "serving.json"), folder / form)
    code, out, _ = run("solve", form, "--method", "cp-sat", "--workers", "1", "-o", "-")
    assert code == 0
    assert out.splitlines()[0] == "task_id,node_id,variant,part"
    code, _, shown = run("solve", form, "-o", f"{form}/variants.csv")
    if form == "again":
        assert code == 1
        assert "would overwrite an input" in shown


@pytest.mark.parametrize("family", ["serving", "services", "rebalance", "fleet"])
def test_what_is_generated_is_read_back(run: Run, folder: Path, family: str) -> None:
    for form in ("g.zip", "g.json", "g"):
        code, _, _ = run("generate", family, "nodes=8", "-o", form)
        assert code == 0
        assert read_instance(folder / form) == read_instance(folder / "g.zip")
