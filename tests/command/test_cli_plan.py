"""`nodewise check --plan`: plans replayed on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from solver import Instance, Node, Task, write_instance

Run = Callable[..., tuple[int, str, str]]
SAFE = "wave,task_id,from,to,bypass\n1,a,n0,n2,1\n2,b,n1,n0,\n3,a,n2,n1,\n"
UNSAFE = "wave,task_id,from,to\n1,a,n0,n1\n2,b,n1,n0\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an instance, where its tasks are, where they are to be, and plans."""
    monkeypatch.chdir(tmp_path)
    nodes = [Node(f"n{i}", 10, storage=room) for i, room in enumerate((10, 10, 6))]
    write_instance(Instance(nodes, [Task("a", 1, storage=6), Task("b", 1, storage=6)]), "i.json")
    Path("current.csv").write_text("task_id,node_id\na,n0\nb,n1\n")
    Path("new.csv").write_text("task_id,node_id\na,n1\nb,n0\n")
    Path("safe.csv").write_text(SAFE)
    Path("unsafe.csv").write_text(UNSAFE)
    return tmp_path


def check(run: Run, plan: str, *options: str) -> tuple[int, str, str]:
    return run("check", "i.json", "new.csv", "--current", "current.csv", "--plan", plan, *options)


def test_a_safe_plan(run: Run) -> None:
    code, out, _ = check(run, "safe.csv")
    assert code == 0
    assert out.splitlines()[-2:] == [
        "plan 3 moves in 3 waves, 1 on a bypass",
        "feasible, and the plan is safe",
    ]


def test_a_plan_that_is_not_safe(run: Run) -> None:
    code, out, _ = check(run, "unsafe.csv")
    assert code == 1
    assert out.splitlines()[-1] == "wave 1: node 'n1' lacks 2 of storage"
    code, out, _ = check(run, "safe.csv", "--moves-per-node", "1")
    assert code == 0
    Path("one.csv").write_text("wave,task_id,from,to\n1,a,n0,n1\n1,b,n1,n0\n")
    code, out, _ = check(run, "one.csv", "--during", "target")
    assert (code, out.splitlines()[-1]) == (0, "feasible, and the plan is safe")
    code, out, _ = check(run, "one.csv", "--during", "target", "--moves-per-node", "1")
    assert (code, out.splitlines()[-1]) == (
        1,
        "wave 1: node 'n1' has 2 moves, 1 more than moves_per_node",
    )


def test_what_a_plan_needs(run: Run) -> None:
    code, _, shown = run("check", "i.json", "new.csv", "--plan", "safe.csv")
    assert (code, "--plan needs --current, where tasks are now" in shown) == (1, True)
    code, _, shown = run("check", "i.json", "--current", "current.csv", "--plan", "safe.csv")
    assert (code, "--plan needs the allocation it leads to" in shown) == (1, True)
    code, _, shown = check(run, "safe.csv", "--during", "never")
    assert (code, "during is 'never'" in shown) == (1, True)
    code, _, shown = check(run, "none.csv")
    assert (code, "none.csv: there is no such file" in shown) == (1, True)
