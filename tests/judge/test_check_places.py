"""The judge on places: eligibility by labels, pins, node states, and what moves."""

from __future__ import annotations

import pytest
from whole_cases import FORMS, zones

from solver.errors import NodewiseWarning
from solver.judge.check import check
from solver.judge.moves import count_moves, moved_rows
from solver.model.allocation import Allocation
from solver.model.instance import Instance
from solver.model.records import Node, Part, Task, Variant


def told(instance, allocation):
    return [str(violation) for violation in check(instance, allocation)]


def test_a_label_value_names_the_nodes_that_have_it():
    instance = Instance(zones("a", "b", None), [Task("t", 1, eligible=["zone=a"])])
    assert check(instance, {"t": "n0"}) == []
    assert told(instance, {"t": "n1"}) == ["task 't' may not run on node 'n1'"]
    assert told(instance, {"t": "n2"}) == ["task 't' may not run on node 'n2'"]


def test_a_missing_label_is_not_the_text_none():
    instance = Instance(zones(None, "None"), [Task("t", 1, eligible=["zone=None"])])
    assert told(instance, {"t": "n0"}) == ["task 't' may not run on node 'n0'"]
    assert check(instance, {"t": "n1"}) == []


def test_a_part_may_have_nodes_of_its_own():
    variant = Variant("v", parts=[Part(1, eligible=["zone=b"]), Part(1)], eligible=["zone=a"])
    tasks = [Task("t", variants=[variant]), Task("own", 1)]
    instance = Instance(zones("a", "b"), tasks)
    assert check(instance, {"t": ["n1", "n0"], "own": "n1"}) == []
    assert told(instance, {"t": ["n0", "n1"], "own": "n1"}) == [
        "task 't' may not run on node 'n0'",
        "task 't' may not run on node 'n1'",
    ]


def test_each_variant_has_its_own_eligibility():
    variants = [Variant("x", compute=1, eligible=["n0"]), Variant("y", compute=1)]
    tasks = [Task("t", model="m"), Task("u", model="m")]
    instance = Instance(zones("a", "b"), tasks, models={"m": variants})
    given = {"t": {"node": "n1", "variant": "x"}, "u": {"node": "n1", "variant": "y"}}
    assert told(instance, given) == ["task 't' may not run on node 'n1'"]


def test_a_pinned_task_stays_on_its_nodes():
    tasks = [Task("t", 1, pinned="n0"), Task("u", 1, pinned=["n0", "n1"], eligible=["n1"])]
    instance = Instance(zones("a", "b", "c"), tasks)
    assert check(instance, {"t": "n0", "u": "n1"}) == []
    assert told(instance, {"t": "n1", "u": "n0"}) == [
        "task 'u' may not run on node 'n0'",
        "task 't' is on node 'n1', and it is pinned to others",
    ]


def with_states(tasks, current=None, **options):
    nodes = [
        Node("open", 50),
        Node("kept", 50, state="cordoned"),
        Node("gone", 50, state="drained"),
    ]
    return Instance(nodes, tasks, current=current, **options)


def test_a_drained_node_takes_nothing_not_even_what_it_has():
    instance = with_states([Task("t", 1)], current={"t": "gone"})
    assert told(instance, {"t": "gone"}) == ["task 't' is on node 'gone', which is drained"]
    assert check(instance, {"t": "open"}) == []


def test_a_cordoned_node_keeps_what_it_has_and_takes_nothing_else():
    instance = with_states([Task("t", 1), Task("u", 1)], current={"t": "kept"})
    assert check(instance, {"t": "kept", "u": "open"}) == []
    assert told(instance, {"t": "open", "u": "kept"}) == [
        "task 'u' is on node 'kept', which is cordoned and does not have it now"
    ]
    nowhere = with_states([Task("t", 1)])
    assert len(told(nowhere, {"t": "kept"})) == 1


def test_a_cordoned_node_keeps_the_variant_it_has():
    variants = [Variant("x", compute=1), Variant("y", compute=1)]
    instance = with_states(
        [Task("t", variants=variants)], current={"t": {"node": "kept", "variant": "x"}}
    )
    assert check(instance, {"t": {"node": "kept", "variant": "x"}}) == []
    (broken,) = check(instance, {"t": {"node": "kept", "variant": "y"}})
    assert (broken.rule, broken.state, broken.node) == ("state", "cordoned", "kept")


def test_a_cordoned_node_keeps_either_of_equal_parts_but_only_the_same_of_a_list():
    before = ["kept", "open"]
    equal = with_states(
        [Task("t", variants=[Variant("v", compute=1, parts=2)])], current={"t": before}
    )
    assert check(equal, {"t": ["open", "kept"]}) == []
    listed = with_states(
        [Task("t", variants=[Variant("v", parts=[Part(1), Part(1)])])], current={"t": before}
    )
    assert check(listed, {"t": before}) == []
    assert [broken.rule for broken in check(listed, {"t": ["open", "kept"]})] == ["state"]


NODES = [Node(name, 50) for name in "abcd"]


def moves(task, before, now, **options):
    instance = Instance(NODES, [task], current={"t": before}, **options)
    return count_moves(Allocation(instance, allocation_of(instance, now)))


def allocation_of(instance, now):
    from solver.judge.cost import as_allocation

    return as_allocation(instance, {"t": now}).node_index


ONE = Task("t", 1)
EQUAL = Task("t", variants=[Variant("v", compute=1, parts=3)])
LISTED = Task("t", variants=[Variant("v", parts=[Part(1), Part(2), Part(1)])])
CHOICE = Task("t", variants=FORMS.variants, skip_price=1)


@pytest.mark.parametrize(
    ("task", "before", "now", "count"),
    [
        (ONE, "a", "a", 0),
        (ONE, "a", "b", 1),
        (EQUAL, ["a", "b", "c"], ["c", "a", "b"], 0),
        (EQUAL, ["a", "b", "c"], ["d", "a", "b"], 1),
        (EQUAL, ["a", "b"], ["d", "a", "b"], 1),
        (EQUAL, ["a"], ["b", "c", "d"], 3),
        (LISTED, ["a", "b", "c"], ["a", "b", "c"], 0),
        (LISTED, ["a", "b", "c"], ["c", "b", "a"], 2),
        (LISTED, [None, "b", None], ["a", "b", "c"], 2),
        (
            CHOICE,
            {"node": ["a", "b"], "variant": "bf16"},
            {"node": ["b", "c"], "variant": "bf16"},
            1,
        ),
        (CHOICE, {"node": ["a", "b"], "variant": "bf16"}, {"node": "a", "variant": "fp8"}, 1),
        (
            CHOICE,
            {"node": "a", "variant": "fp8"},
            {"node": ["a", "b"], "variant": "pair"},
            2,
        ),
        (CHOICE, {"node": "a", "variant": "fp8"}, None, 0),
    ],
)
def test_how_many_parts_move(task, before, now, count):
    assert moves(task, before, now) == count


def test_a_task_that_is_nowhere_now_does_not_move():
    instance = Instance(NODES, [Task("t", 1), Task("u", 1)], current={"u": "a"})
    allocation = Allocation(instance, [3, 1])
    assert moved_rows(allocation).tolist() == [1]
    assert count_moves(Allocation(Instance(NODES, [Task("t", 1)]), [0])) == 0


def test_a_stale_node_counts_as_nowhere():
    with pytest.warns(NodewiseWarning, match="unknown node"):
        instance = Instance(NODES, [EQUAL, Task("u", 1)], current={"t": ["a", "x"], "u": "x"})
    assert count_moves(Allocation(instance, [0, 1, 2, 3])) == 2


def test_more_moves_than_max_moves():
    tasks = [Task(f"t{j}", 1) for j in range(3)]
    instance = Instance(NODES, tasks, current={task.id: "a" for task in tasks}, max_moves=1)
    assert check(instance, [0, 0, 1]) == []
    (broken,) = check(instance, [0, 2, 1])
    assert (broken.rule, broken.amount, broken.total) == ("max_moves", 1, 2)
    assert str(broken) == "2 parts move, 1 more than max_moves"
