"""Allocations: their rows, the places by name, what nodes carry, and their table."""

from __future__ import annotations

import numpy as np
import pytest

from solver.errors import AllocationError
from solver.model.allocation import Allocation, allocation_rows
from solver.model.instance import Instance
from solver.model.records import Node, Part, Task, Variant
from solver.model.rows.placement import MEANT, placement_of, read_placement
from solver.model.rules import Limit

VARIANTS = [
    Variant("bf16", compute=4, storage=2, parts=2),
    Variant("fp8", compute=3),
    Variant("pair", parts=[Part(1, storage=5, resources={"gpu": 1}), Part(2)]),
]
NODES = [Node("a", 10, storage=9, resources={"gpu": 2}), Node("b", 10, storage=9), Node("c", 10)]


def instance(*more, **options):
    tasks = [Task("llm", variants=VARIANTS), Task("own", 1), Task("opt", 2, skip_price=3), *more]
    return Instance(NODES, tasks, **options)


GIVEN = {"llm": {"node": ["b", "a"], "variant": "bf16"}, "own": "c"}
ROWS = [1, 0, -1, -1, -1, 2, -1]


def test_places_by_name_are_rows():
    assert placement_of(instance(), GIVEN).tolist() == ROWS
    assert placement_of(instance(), {**GIVEN, "opt": None}).tolist() == ROWS
    assert placement_of(instance(), {**GIVEN, "opt": ["a"]}).tolist() == [*ROWS[:6], 0]


def test_the_variant_may_be_left_out_where_there_is_one():
    one = Instance(NODES, [Task("t", variants=VARIANTS[:1])])
    assert placement_of(one, {"t": ["c", "a"]}).tolist() == [2, 0]
    assert placement_of(one, {"t": {"node": ["c", "a"]}}).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"llm": None}, "task 'llm' has no node; it has no skip_price, so it must run"),
        ({"own": {"node": None}}, "task 'own' has no node"),
        ({"own": "x"}, "task 'own': node 'x' is not in the instance"),
        ({"own": 3}, "task 'own': node '3' is not in the instance"),
        ({"x": "a"}, "task 'x' is not in the instance"),
        ({"llm": ["a", "b"]}, "task 'llm' has several variants; say .* one of .*'fp8'"),
        (
            {"llm": {"node": "a", "variant": "int4"}},
            r"task 'llm' has no variant 'int4' \(known: 'bf16', 'fp8', 'pair'\)",
        ),
        ({"own": {"node": "a", "variant": "v"}}, r"task 'own' has no variant 'v' \(known: none\)"),
        (
            {"llm": {"node": ["a", "b"], "variant": "fp8"}},
            "task 'llm' has 2 nodes for 1 parts; name one for each part",
        ),
        (
            {"llm": {"node": "a", "variant": "bf16"}},
            "task 'llm' has no node for part 2 of 2; name one for each part",
        ),
        ({"own": {"nodes": "a"}}, "task 'own': the key 'nodes' is unknown"),
        ({"own": {"node": "a", "variant": 1}}, "task 'own': variant is 1"),
        ({"own": [1, 2]}, r"task 'own': \[1, 2\] is no place"),
    ],
)
def test_places_that_cannot_be_read(change, message):
    with pytest.raises(AllocationError, match=f"allocation: {message}"):
        placement_of(instance(), {**GIVEN, **change})


def test_everything_that_is_wrong_is_told_at_once():
    given = {"llm": {"node": ["x", "a"], "variant": "bf16"}, "opt": "y", "z": "a"}
    rows, problems = read_placement(instance(), given)
    assert rows.tolist() == [MEANT, 0, -1, -1, -1, -1, MEANT]
    assert [(each.rule, each.task) for each in problems] == [
        ("unknown node", "llm"),
        ("unassigned", "own"),
        ("unknown node", "opt"),
        ("unknown task", "z"),
    ]


def test_names_and_rows_of_an_allocation_agree():
    allocation = Allocation(instance(), ROWS)
    assert dict(allocation.node_of) == {"llm": ("b", "a"), "own": "c", "opt": None}
    assert [allocation.variant_of(task) for task in ("llm", "own", "opt")] == ["bf16", None, None]
    assert allocation.left_out == ("opt",)
    assert allocation.to_mapping() == {**GIVEN, "opt": None}
    single = Allocation(instance(), [-1, -1, 1, -1, -1, 2, 0])
    assert single.node_of["llm"] == "b"
    assert single.to_mapping() == {"llm": {"node": "b", "variant": "fp8"}, "own": "c", "opt": "a"}
    with pytest.raises(KeyError):
        allocation.node_of["x"]
    with pytest.raises(KeyError):
        allocation.variant_of("x")


def test_what_nodes_carry_is_of_the_rows_in_use():
    allocation = Allocation(instance(), [-1, -1, -1, 0, 1, 1, -1])
    assert allocation.loads().tolist() == [1, 3, 0]
    assert allocation.tasks_per_node().tolist() == [1, 2, 0]
    assert allocation.used("storage").tolist() == [5, 0, 0]
    assert allocation.used("gpu").tolist() == [1, 0, 0]


def test_storage_that_nothing_limits_is_added_up_all_the_same():
    unlimited = Instance([Node("a", 9), Node("b", 9)], [Task("t", variants=VARIANTS[:2])])
    assert Allocation(unlimited, [0, 1, -1]).used("storage").tolist() == [2, 2]


def test_positions_are_those_of_nodes_or_nothing():
    with pytest.raises(ValueError, match="node_index has 3 entries for 3 tasks in 7 rows"):
        Allocation(instance(), [0, 1, 2])
    for bad in (-2, 3):
        with pytest.raises(ValueError, match=r"positions 0\.\.2, or -1 for rows not in use"):
            Allocation(instance(), [*ROWS[:6], bad])


def table(allocation):
    header, rows = allocation_rows(allocation)
    return [",".join(header), *(",".join(map(str, row)) for row in rows)]


def test_the_table_has_a_row_a_part():
    assert table(Allocation(instance(), ROWS)) == [
        "task_id,node_id,variant,part",
        "llm,b,bf16,1",
        "llm,a,bf16,2",
        "own,c,,1",
        "opt,,,",
    ]


def test_tasks_left_out_keep_their_place_in_the_table():
    tasks = [Task(f"t{j}", 1, skip_price=1) for j in range(4)]
    allocation = Allocation(Instance(NODES, tasks), [-1, 0, -1, -1])
    assert [line.split(",")[:2] for line in table(allocation)[1:]] == [
        ["t0", ""], ["t1", "a"], ["t2", ""], ["t3", ""],
    ]  # fmt: skip


def test_the_table_is_plain_where_nothing_is_chosen():
    tasks = [Task("t", 1, groups=["g"], pinned="a"), Task("u", variants=VARIANTS[1:2])]
    ruled = Instance(NODES, tasks, rules=[Limit("g", "node", 1)])
    assert table(Allocation(ruled, [0, 1])) == ["task_id,node_id", "t,a", "u,b"]


def test_the_table_is_what_is_written(tmp_path):
    Allocation(instance(), ROWS).to_csv(tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    assert text.splitlines() == table(Allocation(instance(), ROWS))


def test_random_allocations_are_the_same_by_names_and_by_rows():
    rng = np.random.default_rng(3)
    many = instance(
        *(Task(f"m{j}", model="m", skip_price=1) for j in range(5)), models={"m": VARIANTS}
    )
    rows = many.rows
    for _ in range(100):
        index = np.full(rows.num_rows, -1)
        for j in range(many.num_tasks):
            if many.task_skip_price[j] < float("inf") and rng.random() < 0.3:
                continue
            form = int(rng.integers(rows.task_form[j], rows.task_form[j + 1]))
            first, last = rows.form_start[form], rows.form_start[form + 1]
            index[first:last] = rng.integers(3, size=last - first)
        allocation = Allocation(many, index)
        assert placement_of(many, allocation.to_mapping()).tolist() == index.tolist()
        assert len(allocation.left_out) == sum(
            place is None for place in allocation.node_of.values()
        )
