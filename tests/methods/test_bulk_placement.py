"""Whole models placed by classes: whatever comes out keeps every limit and rule."""

import sys

import numpy as np
import pytest
from nightly import cases
from whole_instances import whole_instances

from instances import from_spec
from solver import Instance, Limit, Node, Spread, Status, Task, Variant, check, solve
from solver.methods.whole.bulk import place_in_bulk
from solver.problem.problem import Problem

GREEDY = sys.modules["solver.methods.greedy"]


@pytest.mark.parametrize("numbers", ["integers", "decimals", "long"])
def test_what_is_placed_keeps_all_limits_and_rules(numbers):
    placed = 0
    for case in whole_instances(cases(60, 600), seed=41, numbers=numbers):
        problem = Problem(case.instance)
        node_index = None if problem.modes is None else place_in_bulk(problem)
        if node_index is not None:
            assert check(case.instance, node_index) == []
            placed += 1
    assert placed >= 15


@pytest.mark.parametrize(
    "spec",
    [
        "serving",
        "serving:nodes=60,tasks=1500,models=12,seed=2",
        "serving:nodes=200,tasks=10000,models=20",
        "rebalance",
    ],
)
def test_families_are_placed(spec):
    instance = from_spec(spec)
    node_index = place_in_bulk(Problem(instance))
    assert node_index is not None
    assert check(instance, node_index) == []


def test_equal_parts_go_to_different_nodes_and_within_limits_and_spreads():
    nodes = [Node(f"n{i}", 100, 50, labels={"zone": "ab"[i % 2]}) for i in range(6)]
    variant = Variant("two", compute=10, storage=5, parts=2)
    tasks = [Task("web", variants=[variant], replicas=6), Task("db", 30, 20, groups=["db"])]
    rules = [Limit("web", "node", 3), Spread("web", "zone", 1), Limit("db", "zone", 1)]
    instance = Instance(nodes, tasks, rules=rules)
    node_index = place_in_bulk(Problem(instance))
    assert node_index is not None
    assert check(instance, node_index) == []
    assert np.count_nonzero(node_index >= 0) == 13


def test_a_large_whole_model_is_answered_without_compiled_code(monkeypatch):
    monkeypatch.setattr(GREEDY, "is_usable", lambda *_args, **_options: False)
    monkeypatch.setattr(GREEDY, "run_whole", None)
    instance = from_spec("serving:nodes=200,tasks=10000,models=20")
    result = solve(instance, "greedy", time_limit=30)
    assert result.status is Status.FEASIBLE
    assert check(instance, result.allocation) == []
