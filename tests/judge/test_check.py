"""The judge: every kind of violation with its amount, and agreement with the oracle."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from random_instances import random_instances

from solver.judge.check import Violation, check
from solver.model.allocation import Allocation
from solver.model.instance import Instance, Node, Task


def instance():
    return Instance(
        nodes=[
            Node("a", 10, storage=8, kind="K", resources={"gpu": 4}),
            Node("b", 4, kind="L", resources={"gpu": 1}),
        ],
        tasks=[
            Task("t", 6, storage=5, eligible=["K"], resources={"gpu": 2}),
            Task("u", 6, storage=5, resources={"gpu": 3}),
            Task("v", 1, eligible=["b", "K"]),
        ],
        max_load=1.5,
    )


def facts(violations):
    return {(v.rule, v.task, v.node, v.amount) for v in violations}


def test_a_feasible_allocation_breaks_nothing():
    roomy = Instance([Node("a", 12, storage=10)], [Task("t", 6, 5), Task("u", 6, 5)], max_load=1)
    assert check(roomy, {"t": "a", "u": "a"}) == []


def test_storage_and_resource_are_reported_by_node_and_amount():
    assert facts(check(instance(), [0, 0, 0])) == {
        ("storage", None, "a", 2),
        ("resource gpu", None, "a", 1),
    }


def test_eligibility_is_reported_by_task_and_node():
    found = check(instance(), {"t": "b", "u": "a", "v": "b"})
    assert ("eligible", "t", "b", 1) in facts(found)
    assert {v.rule for v in found} == {"eligible", "resource gpu", "max_load"}


def test_overload_is_reported_by_node_and_amount():
    found = check(instance(), {"t": "a", "u": "b", "v": "b"})
    assert ("max_load", None, "b", 1) in facts(found)  # load 7, limit 1.5 * 4
    assert all(type(v.amount) is int for v in found)


def test_every_violation_is_reported_at_once():
    assert facts(check(instance(), {"t": "b", "u": "b", "v": "b"})) == {
        ("eligible", "t", "b", 1),
        ("resource gpu", None, "b", 4),
        ("max_load", None, "b", 7),
    }


def test_tasks_and_nodes_that_are_missing_or_unknown():
    assert facts(check(instance(), {"t": "a", "v": "c", "w": "a"})) == {
        ("unassigned", "u", None, 1),
        ("unknown node", "v", "c", 1),
        ("unknown task", "w", None, 1),
    }


def test_positions_that_stand_for_no_node():
    assert facts(check(instance(), [0, -1, 7])) == {
        ("unassigned", "u", None, 1),
        ("unknown node", "v", "7", 1),
    }


def test_an_empty_mapping_leaves_every_task_unassigned():
    assert facts(check(instance(), {})) == {("unassigned", name, None, 1) for name in "tuv"}


@pytest.mark.parametrize("bad", [[0, 1], [[0], [1], [0]], [0.0, 1.0, 0.0], ["a", "b", "a"], 3])
def test_positions_must_be_one_integer_a_task(bad):
    with pytest.raises(ValueError, match="an allocation by position needs 3 integers"):
        check(instance(), bad)


def test_every_form_of_an_allocation_gets_the_same_verdict():
    given = [0, 0, 0]
    allocation = Allocation(instance(), given)
    verdict = check(instance(), given)
    assert len(verdict) == 2
    for form in (np.array(given), tuple(given), allocation, allocation.node_of):
        assert check(instance(), form) == verdict


@pytest.mark.parametrize(
    ("violation", "sentence"),
    [
        (Violation("unassigned", "t", None, 1), "task 't' has no node"),
        (Violation("unknown task", "t", None, 1), "task 't' is not in the instance"),
        (
            Violation("unknown node", "t", "x", 1),
            "task 't' is on node 'x', which is not in the instance",
        ),
        (Violation("eligible", "t", "a", 1), "task 't' may not run on node 'a'"),
        (
            Violation("max_load", None, "a", 2000),
            "node 'a' is loaded 2,000 above max_load times its capacity",
        ),
        (Violation("storage", None, "a", 2.5), "node 'a' lacks 2.5 of storage"),
        (Violation("resource gpu", None, "a", 1), "node 'a' lacks 1 of gpu"),
    ],
)
def test_a_violation_reads_as_a_sentence(violation, sentence):
    assert str(violation) == sentence


def of_one_node(capacity, needs, **options):
    tasks = [Task(f"t{j}", 1, storage=need) for j, need in enumerate(needs)]
    return Instance([Node("a", 100, storage=capacity)], tasks, **options)


def test_decimals_that_fill_a_node_exactly_are_feasible():
    full = of_one_node(0.3, [0.1, 0.1, 0.1])
    assert sum([0.1, 0.1, 0.1]) > 0.3
    assert check(full, [0, 0, 0]) == []


def test_the_last_digit_of_a_decimal_counts():
    assert facts(check(of_one_node(0.3, [0.1, 0.2000000001]), [0, 0])) == {
        ("storage", None, "a", 1e-10)
    }


def test_integers_beyond_64_bits_are_added_exactly():
    big = 2**62
    assert check(of_one_node(4 * big, [big] * 4), [0] * 4) == []
    assert facts(check(of_one_node(4 * big - 1, [big] * 4), [0] * 4)) == {("storage", None, "a", 1)}


def test_a_limit_of_load_is_exact():
    tasks = [Task("t", 33), Task("u", 33)]
    assert check(Instance([Node("a", 60)], tasks, max_load=1.1), [0, 0]) == []
    assert facts(check(Instance([Node("a", 59)], tasks, max_load=1.1), [0, 0])) == {
        ("max_load", None, "a", 1.1)
    }


def test_unlimited_storage_is_never_lacking():
    assert check(of_one_node(float("inf"), [10**30, 1]), [0, 0]) == []


def test_a_node_of_no_capacity_holds_tasks_of_no_need():
    tasks = [Task("t", 0), Task("u", 0)]
    assert check(Instance([Node("a", 0, storage=0)], tasks, max_load=1), [0, 0]) == []


@pytest.mark.parametrize("integers", [True, False])
def test_verdict_on_random_allocations_agrees_with_the_oracle(integers):
    rng = np.random.default_rng(0)
    verdicts = {True: 0, False: 0}
    for case in random_instances(150, seed=31, integers=integers):
        for _ in range(4):
            where = rng.integers(case.num_nodes, size=case.num_tasks)
            ok = not check(case, where)
            assert ok == oracle.feasible(case, where.tolist())
            verdicts[ok] += 1
    assert min(verdicts.values()) >= 50


@pytest.mark.parametrize("integers", [True, False])
def test_the_optimum_passes_and_a_corrupted_one_is_always_caught(integers):
    caught = dict.fromkeys(["dropped", "renamed", "added", "moved", "shrunk"], 0)
    for case in random_instances(80, seed=32, integers=integers):
        optimum = oracle.brute_force(case)
        if optimum is None:
            continue
        good = dict(Allocation(case, optimum.positions).node_of)
        assert check(case, good) == []

        dropped = {task: node for task, node in good.items() if task != "t1"}
        assert facts(check(case, dropped)) >= {("unassigned", "t1", None, 1)}
        caught["dropped"] += 1
        renamed = {**good, "t0": "elsewhere"}
        assert facts(check(case, renamed)) >= {("unknown node", "t0", "elsewhere", 1)}
        caught["renamed"] += 1
        assert facts(check(case, {**good, "t99": "n0"})) == {("unknown task", "t99", None, 1)}
        caught["added"] += 1
        for task in case.tasks:
            for node in case.nodes:
                if not oracle.may_host(node, task):
                    moved = check(case, {**good, task.id: node.id})
                    assert ("eligible", task.id, node.id, 1) in facts(moved)
                    caught["moved"] += 1
        for smaller, node, lacking in with_less_storage(case, optimum.positions):
            assert facts(check(smaller, good)) == {("storage", None, node, lacking)}
            caught["shrunk"] += 1
    assert min(caught.values()) >= 20


def with_less_storage(case, where):
    """The instance with each used node's storage in turn a little below what it holds."""
    nodes, tasks = list(case.nodes), list(case.tasks)
    for i, node in enumerate(nodes):
        used = sum(oracle.exact(t.storage) for t, k in zip(tasks, where, strict=True) if k == i)
        if used:
            less = Node(
                node.id,
                node.compute,
                max(0.0, float(used) - 1e-3),
                node.price,
                node.overload_price,
                node.kind,
                node.resources,
            )
            others = [*nodes[:i], less, *nodes[i + 1 :]]
            lacking = float(used - oracle.exact(less.storage))
            yield Instance(others, tasks, case.max_load, case.power_off), node.id, lacking
