"""`nodewise rebalance`: what it tells, what it writes, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from solver import Instance, Node, Task, Variant, write_instance
from solver.errors import AllocationError, NodewiseWarning
from solver.files.places import read_current

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, but for an instance and where its tasks are."""
    monkeypatch.chdir(tmp_path)
    instance = Instance(
        [Node("a", 8, fixed_cost=24), Node("b", 8, fixed_cost=24)],
        [Task("x", 3), Task("y", 4)],
        max_load=1,
        power_off=True,
        currency="$/h",
    )
    write_instance(instance, "two.json")
    Path("now.csv").write_text("task_id,node_id\nx,a\ny,b\n")
    return tmp_path


def told(shown: str) -> dict[str, str]:
    return {line[:13].strip(): line[13:] for line in shown.splitlines()}


def test_it_tells_what_moves_and_what_that_saves(run: Run) -> None:
    code, out, shown = run(
        "rebalance", "two.json", "--current", "now.csv", "-o", "-", "--json", "r.json"
    )
    assert code == 0
    lines = told(shown)
    assert (lines["cost now"], lines["cost after"]) == ("48 $/h", "24 $/h")
    assert (lines["saving"], lines["moves"]) == ("24 $/h (50.00%)", "1")
    assert lines["could save"] == "at most 24 $/h (50.00%), proved"
    assert out.splitlines()[0] == "task_id,node_id"
    result = json.loads(Path("r.json").read_text())
    assert (result["cost_now"], result["saving"], result["saving_bound"]) == (48, 24, 24)
    assert result["broken_now"] == []


def test_caps_prices_and_states_are_options(run: Run) -> None:
    for options in (
        ["--max-moves", "0"],
        ["--move-price", "24.5"],
        ["--cordon", "a", "--cordon", "b"],
        ["--min-saving", "51%"],
    ):
        code, _, shown = run("rebalance", "two.json", "--current", "now.csv", *options)
        assert (code, told(shown)["saving"]) == (0, "0 $/h (0.00%)"), options
    code, out, _ = run("rebalance", "two.json", "--current", "now.csv", "--drain", "b", "-o", "-")
    assert (code, out.splitlines()[1:]) == (0, ["x,a", "y,a"])


def test_what_is_broken_is_told(run: Run) -> None:
    Path("now.csv").write_text("task_id,node_id\nx,a\ny,gone\nold,a\n")
    code, _, shown = run("rebalance", "two.json", "--current", "now.csv")
    assert code == 0
    assert "current names 1 unknown tasks (such as 'old'), 1 unknown nodes" in shown
    crowded = Instance([Node("a", 8), Node("b", 8)], [Task("x", 6), Task("y", 7)], max_load=1)
    write_instance(crowded, "crowded.json")
    Path("now.csv").write_text("task_id,node_id\nx,a\ny,a\n")
    code, _, shown = run("rebalance", "crowded.json", "--current", "now.csv")
    assert code == 0
    assert told(shown)["broken now"].endswith("above max_load times its capacity (mended)")


def test_exit_codes_say_what_was_found(run: Run) -> None:
    draining = ["--drain", "a", "--drain", "b"]
    code, _, shown = run("rebalance", "two.json", "--current", "now.csv", *draining, "-o", "n.csv")
    assert (code, told(shown)["not written"]) == (2, "n.csv")
    assert "nothing moves" in shown
    for wrong in (
        [],
        ["--current", "now.csv", "--drain", "c"],
        ["--current", "now.csv", "--min-saving", "much"],
        ["--current", "now.csv", "--max-moving", "web"],
        ["--current", "now.csv", "-o", "now.csv"],
        ["--current", "none.csv"],
    ):
        code, _, shown = run("rebalance", "two.json", *wrong)
        assert (code, "error" in shown) == (1, True), wrong


def test_places_are_read_by_part_and_variant(folder: Path) -> None:
    path = folder / "current.csv"
    path.write_text(
        "task_id,node_id,variant,part\na,n1,two,2\na,n0,two,1\nb,,,\nc,n1,two,3\nd,n5,,\n"
    )
    assert read_current(path) == {
        "a": {"node": ["n0", "n1"], "variant": "two"},
        "c": {"node": [None, None, "n1"], "variant": "two"},
        "d": {"node": ["n5"]},
    }
    pair = [Variant("two", compute=1, parts=3)]
    instance = Instance([Node("n0", 4), Node("n1", 4)], [Task("c", variants=pair)])
    with pytest.warns(NodewiseWarning, match="unknown tasks"):
        instance = instance.replace(current=read_current(path))
    assert instance.current.tolist() == [-1, -1, 1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,n0,,\na,n1,x,", "line 3, column variant: task 'a' stands in two variants"),
        ("a,n0,,1\na,n1,,1", "line 3, column task_id: task 'a' stands twice"),
        ("a,n0,,0", "line 2, column part: '0' is no number"),
        ("a,n0,,9999999", "is no number of a part"),
    ],
)
def test_what_is_no_place_is_refused(folder: Path, rows: str, message: str) -> None:
    path = folder / "current.csv"
    path.write_text(f"task_id,node_id,variant,part\n{rows}\n")
    with pytest.raises(AllocationError, match=message):
        read_current(path)
    path.write_text("task_id,node_id\na,n0\na,n1\n")
    with pytest.raises(AllocationError, match="stands twice"):
        read_current(path)
