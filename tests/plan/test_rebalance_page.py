"""The page on nodes that fail: its commands print what it says, and its figures are right."""

from __future__ import annotations

import csv
import doctest
import re
import shlex
from pathlib import Path

import pytest

from solver import check_plan, read_allocation, read_instance, read_plan, rebalance
from solver.files.places import read_current

PATH = Path(__file__).parents[2] / "docs" / "rebalance.md"
PAGE = PATH.read_text(encoding="utf-8")
COMMANDS = re.findall(r"```console\n\$ nodewise (.*?)\n(.*?)```", PAGE, re.S)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the files of the page."""
    monkeypatch.chdir(tmp_path)
    made = re.search(r"<!-- make_cluster.py -->\n```python\n(.*?)```", PAGE, re.S)
    exec(compile(made[1], "make_cluster.py", "exec"), {})
    return tmp_path


def told(text):
    """Lines without what differs from run to run: times, and what came first to the same proof."""
    return [line for line in text.splitlines() if line[:7] not in ("seconds", "proof  ")]


def test_the_examples_of_the_page_are_right():
    outcome = doctest.testfile(str(PATH), module_relative=False)
    assert (outcome.attempted, outcome.failed) == (8, 0)


def test_the_commands_of_the_page_print_what_it_says(place, run):
    assert len(COMMANDS) == 5
    for line, expected in COMMANDS:
        code, out, err = run(*shlex.split(line))
        assert (code, told(err + out)) == (0, told(expected)), line
    header, *moves = re.search(r"```\n(wave,.*?)```", PAGE, re.S)[1].splitlines()
    found = list(csv.reader(Path("plan.csv").read_text().splitlines()))
    assert found[0] == header.split(",")
    assert sorted(row[1] for row in found[1:]) == sorted(row.split(",")[1] for row in moves)
    instance = read_instance("cluster")
    with pytest.warns(match="unknown nodes"):
        instance = instance.replace(current=read_current("current.csv"))
    plan = read_plan(instance, "plan.csv")
    assert check_plan(instance, read_allocation(instance, "new.csv"), plan) == []


def test_the_table_of_the_page_is_right(place):
    """One server of 38 failed: 1,303.27 $/h without a move, 1,213.14 with five."""
    table = re.findall(r"^\| (\d) \| ([\d,.]+) \| ([\d,.]+) \|$", PAGE, re.M)
    assert [cost for _, cost, _ in table] == ["1,303.27", "1,270.50", "1,237.72", "1,213.14"]
    instance = read_instance("cluster")
    with pytest.warns(match="unknown nodes"):
        instance = instance.replace(current=read_current("current.csv"))
    for cap, cost, saving in table:
        result = rebalance(instance, max_moves=int(cap), time_limit=60)
        assert result.status.value == "optimal"
        assert (f"{result.cost:,.2f}", result.moves) == (cost, int(cap))
        assert f"{result.saving:,.2f}" == f"{float(saving):,.2f}"
        assert result.saving == result.saving_bound
