"""The judge on forms: which variant runs, in which parts, and what is left out."""

from __future__ import annotations

import pytest
from whole_cases import FORMS, of_forms

from solver.judge.check import check
from solver.model.allocation import Allocation
from solver.model.instance import Instance
from solver.model.records import Node, Task, Variant


def told(instance, allocation):
    return [str(violation) for violation in check(instance, allocation)]


@pytest.mark.parametrize(
    "place",
    [
        {"node": ["a", "b"], "variant": "bf16"},
        {"node": ("c", "b"), "variant": "bf16"},
        {"node": "b", "variant": "fp8"},
        {"node": ["b"], "variant": "fp8"},
        {"node": ["a", "b"], "variant": "pair"},
    ],
)
def test_every_form_may_run(place):
    assert check(of_forms(), {"llm": place}) == []


@pytest.mark.parametrize(
    "rows", [[0, 1, -1, -1, -1], [1, 0, -1, -1, -1], [-1, -1, 2, -1, -1], [-1, -1, -1, 0, 2]]
)
def test_positions_are_those_of_the_rows(rows):
    assert check(of_forms(), rows) == []
    assert check(of_forms(), Allocation(of_forms(), rows)) == []


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([-1, -1, -1, -1, -1], "task 'llm' has no node"),
        ([0, -1, -1, -1, -1], "part 2 of task 'llm' has no node"),
        ([-1, -1, -1, -1, 0], "part 1 of task 'llm' has no node"),
        ([1, 1, -1, -1, -1], "two parts of task 'llm' are on node 'b'"),
        ([-1, -1, -1, 0, 0], "two parts of task 'llm' are on node 'a'"),
        ([0, 1, 2, -1, -1], "task 'llm' has parts of two variants"),
        ([0, 7, -1, -1, -1], "task 'llm' is on node '7', which is not in the instance"),
        ([0, -2, -1, -1, -1], "task 'llm' is on node '-2', which is not in the instance"),
        ([-1, -1, -1, 1, 0], "node 'b' lacks 1 of storage"),
    ],
)
def test_a_broken_form_is_told_once(rows, sentence):
    assert told(of_forms(), rows) == [sentence]


def test_mixed_forms_tell_of_each_missing_part():
    assert told(of_forms(), [0, -1, 1, -1, 2]) == [
        "task 'llm' has parts of three variants",
        "part 2 of task 'llm' has no node",
        "part 1 of task 'llm' has no node",
    ]


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (None, "task 'llm' has no node"),
        ({"node": None, "variant": "fp8"}, "task 'llm' has no node"),
        ("a", "task 'llm' has a node, but no variant is named for it"),
        ({"node": "a"}, "task 'llm' has a node, but no variant is named for it"),
        ({"node": "a", "variant": "int4"}, "task 'llm' has no variant 'int4'"),
        ({"node": "a", "variant": "bf16"}, "part 2 of task 'llm' has no node"),
        ({"node": [None, "a"], "variant": "bf16"}, "part 1 of task 'llm' has no node"),
        ({"node": ["a", "b"], "variant": "fp8"}, "task 'llm' has 1 more nodes than parts"),
        (
            {"node": ["a", "x"], "variant": "bf16"},
            "task 'llm' is on node 'x', which is not in the instance",
        ),
    ],
)
def test_what_a_mapping_may_get_wrong(place, sentence):
    assert told(of_forms(), {"llm": place}) == [sentence]


def test_a_task_that_is_missing_in_a_mapping():
    assert told(of_forms(), {}) == ["task 'llm' has no node"]
    assert told(of_forms(), {"llm": {"node": "c", "variant": "fp8"}, "x": "a"}) == [
        "task 'x' is not in the instance"
    ]


def test_three_parts_on_a_node_are_told_at_once():
    three = Task("t", variants=[Variant("v", compute=1, parts=3)])
    instance = Instance([Node("a", 9), Node("b", 9)], [three])
    assert told(instance, [1, 1, 1]) == ["three parts of task 't' are on node 'b'"]
    (broken,) = check(instance, [1, 1, 1])
    assert (broken.rule, broken.task, broken.node, broken.amount) == ("parts", "t", "b", 2)


def test_parts_of_two_tasks_may_share_a_node():
    tasks = [Task(f"t{j}", variants=[Variant("v", compute=1, parts=2)]) for j in range(2)]
    instance = Instance([Node("a", 9), Node("b", 9)], tasks)
    assert check(instance, {"t0": ["a", "b"], "t1": ["a", "b"]}) == []


def test_a_task_with_a_skip_price_may_be_left_out():
    tasks = [FORMS, Task("s", 1, skip_price=4)]
    instance = Instance([Node("a", 10), Node("b", 10)], tasks)
    place = {"node": "a", "variant": "fp8"}
    for given in ({"llm": place}, {"llm": place, "s": None}, [-1, -1, 0, -1, -1, -1]):
        assert check(instance, given) == []


def test_a_loss_above_max_loss_is_told_with_its_variant():
    task = Task("llm", variants=FORMS.variants, max_loss=0.7)
    instance = Instance([Node("a", 10), Node("b", 10)], [task])
    assert check(instance, {"llm": {"node": "a", "variant": "fp8"}}) == []
    (broken,) = check(instance, {"llm": {"node": ["a", "b"], "variant": "pair"}})
    assert (broken.rule, broken.task, broken.variant) == ("max_loss", "llm", "pair")
    assert broken.amount == 0.3
    assert str(broken) == "task 'llm' runs as 'pair', which loses 0.3 more than its max_loss"


def test_a_loss_of_exactly_max_loss_is_allowed():
    task = Task("t", variants=[Variant("v", compute=1, loss=0.3)], max_loss=0.3)
    assert check(Instance([Node("a", 1)], [task]), {"t": "a"}) == []


@pytest.mark.parametrize(
    ("losses", "budget", "sentences"),
    [
        ([0.1, 0.2], 0.3, []),
        ([0.1, 0.2], 0.25, ["the variants lose 0.3 in all, 0.05 above quality_budget"]),
        ([2, 3], 4, ["the variants lose 5 in all, 1 above quality_budget"]),
        (
            [2**62, 2**62],
            2**63 - 1,
            [f"the variants lose {2**63:,} in all, 1 above quality_budget"],
        ),
    ],
)
def test_the_quality_budget_is_exact(losses, budget, sentences):
    tasks = [
        Task(f"t{j}", variants=[Variant("v", compute=1, loss=loss, parts=2)])
        for j, loss in enumerate(losses)
    ]
    instance = Instance([Node("a", 9), Node("b", 9)], tasks, quality_budget=budget)
    assert told(instance, {task.id: ["a", "b"] for task in tasks}) == sentences


def test_a_task_that_is_left_out_loses_nothing():
    task = Task("t", variants=[Variant("v", compute=1, loss=9)], skip_price=1)
    instance = Instance([Node("a", 9)], [task], quality_budget=1)
    assert check(instance, {"t": None}) == []
    assert told(instance, {"t": "a"}) == ["the variants lose 9 in all, 8 above quality_budget"]
