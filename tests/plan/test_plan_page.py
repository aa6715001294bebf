"""The page on plans: its examples, and its commands with what they print."""

import doctest
import re
from pathlib import Path

from solver import Instance, Node, Task, write_instance

PATH = Path(__file__).parents[2] / "docs" / "plan.md"


def test_the_examples_are_as_they_stand():
    outcome = doctest.testfile(str(PATH), module_relative=False)
    assert (outcome.failed, outcome.attempted > 8) == (0, True)


def test_the_command_prints_what_the_page_shows(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nodes = [Node(f"n{i}", 10, storage=room) for i, room in enumerate((10, 10, 6))]
    write_instance(Instance(nodes, [Task("a", 1, 6), Task("b", 1, 6)]), "cluster.json")
    Path("current.csv").write_text("task_id,node_id\na,n0\nb,n1\n")
    Path("new.csv").write_text("task_id,node_id\na,n1\nb,n0\n")
    Path("plan.csv").write_text(
        "wave,task_id,from,to,bypass\n1,a,n0,n2,1\n2,b,n1,n0,\n3,a,n2,n1,\n"
    )
    shown = re.search(r"```console\n\$ nodewise (.*)\n((?:.*\n)*?)```", PATH.read_text())
    assert shown is not None
    code, out, _ = run(*shown.group(1).split())
    assert (code, out) == (0, shown.group(2))
