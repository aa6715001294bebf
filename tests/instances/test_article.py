"""The source article's case: what it prints, what its placements cost, and the optimum."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from instances import named
from solver import Instance, Node, check, cost_of, solve

PAGE = (Path(__file__).parents[2] / "docs" / "article.md").read_text(encoding="utf-8")

BLOCKS_OF_4 = [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
BLOCKS_OF_3 = [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
IN_TURN = [j % 4 for j in range(10)]

CASES = {
    "article_16": (BLOCKS_OF_4, [1800, 3400, 5000, 6600], 16_800_000),
    "article_12": (BLOCKS_OF_3, [1200, 2100, 3000, 3900], 10_200_000),
    "article_10": (IN_TURN, [2100, 2400, 1400, 1600], 7_500_000),
}


def test_the_instances_are_the_tables_of_the_article():
    for tasks in (10, 12, 16, 100):
        instance = named()[f"article_{tasks}"]()
        assert instance.node_compute.tolist() == [1000] * 4
        assert instance.node_storage.tolist() == [1] * 4
        assert instance.task_compute.tolist() == [200 + 100 * j for j in range(1, tasks + 1)]
        assert not instance.task_storage.any()
    assert named()["article_100"]().task_compute[-1] == 10_200


def test_the_printed_totals_are_the_first_node_taken_four_times():
    demand = named()["article_16"]().task_compute.tolist()
    assert sum(demand[:4]) == 1800
    assert 4 * 1000 * max(1000, sum(demand[:4])) == 7_200_000
    assert sum(demand[:3]) == 1200
    assert 4 * 1000 * max(1000, sum(demand[:3])) == 4_800_000


def test_the_program_of_the_article_computes_one_number_twice():
    tasks = named()["article_10"]().task_compute.tolist()
    data = [tasks[i::4] for i in range(4)]
    model = [[tasks[k] for k in range(i, len(tasks), 4)] for i in range(4)]
    assert data == model
    assert sum(1000 * sum(part) for part in data) == 7_500_000


@pytest.mark.parametrize("name", CASES)
def test_the_true_cost_of_the_placements(name):
    positions, loads, cost = CASES[name]
    instance = named()[name]()
    assert check(instance, positions) == []
    assert cost_of(instance, positions) == cost
    assert sum(1000 * max(1000, load) for load in loads) == cost
    method = "round-robin" if name == "article_10" else "blocks"
    theirs = solve(instance, method).allocation
    assert theirs.node_index.tolist() == positions
    assert theirs.loads().tolist() == loads


@pytest.mark.parametrize("name", [*CASES, "article_100"])
def test_no_placement_is_cheaper(name):
    """A node pays at least 1,000 a unit of load, so all pay 1,000 times all demand at least."""
    instance = named()[name]()
    least = 1000 * int(instance.task_compute.sum())
    result = solve(instance)
    assert result.status.value == "optimal"
    assert result.cost == result.bound == least
    assert (result.allocation.loads() >= 1000).all()


def test_the_saving_is_the_tasks_that_were_left_out():
    left_out = named()["article_16"]().task_compute[12:].sum()
    assert CASES["article_16"][2] - CASES["article_12"][2] == 1000 * left_out == 6_600_000


def test_with_larger_nodes_the_placement_does_cost():
    instance = Instance(
        nodes=[Node(f"node-{i}", compute=4000, storage=1) for i in range(1, 5)],
        tasks=list(named()["article_16"]().tasks),
    )
    assert cost_of(instance, BLOCKS_OF_4) == 78_400_000
    result = solve(instance)
    assert (result.status.value, result.cost) == ("optimal", 67_200_000)
    assert result.cost == 4000 * instance.task_compute.sum()


def test_the_page_prints_what_it_says(monkeypatch, tmp_path):
    blocks = re.findall(r"```python\n(.*?)```\n\nprints\n\n```\n(.*?)```", PAGE, re.S)
    assert len(blocks) == PAGE.count("```python") == 5
    monkeypatch.chdir(tmp_path)
    known: dict[str, object] = {}
    for code, shown in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "article.md", "exec"), known)
        assert printed.getvalue() == shown


def test_the_page_shows_the_summary_that_the_command_prints(capsys):
    from solver.command import cli

    assert cli.run(["solve", "article_16", "--method", "blocks"]) == 0
    printed = capsys.readouterr().err
    shown = re.search(r"The first prints\n\n```\n(.*?)```", PAGE, re.S).group(1)
    without_time = re.compile(r"^seconds.*$", re.M)
    assert without_time.sub("", printed) == without_time.sub("", shown)
    assert cli.run(["solve", "article_16"]) == 0
    assert "utilisation  420.0% overall, 420.0% at most" in capsys.readouterr().err


def test_the_table_of_the_page(capsys):
    for name, (_, loads, cost) in CASES.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))
        assert ", ".join(f"{load:,}" for load in loads) in row
        assert row.count(f"{cost:,}") == 2
