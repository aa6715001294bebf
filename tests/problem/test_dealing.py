"""From counts of modes on nodes to rows: whole tasks, parts apart, fewest moves."""

import numpy as np
import whole_oracle
from whole_instances import random_placement, whole_instances

from solver import Instance, Node, Task, Variant
from solver.problem.dealing import deal
from solver.problem.problem import Problem


def cells_of(problem, node_index):
    """Mode, node and count of every cell in use."""
    used = np.flatnonzero(node_index >= 0)
    n = problem.instance.num_nodes
    keys = problem.classes.task_class[used] * n + node_index[used]
    cells, count = np.unique(keys, return_counts=True)
    return cells // n, cells % n, count


def instance_of(tasks, num_nodes=3, **settings):
    nodes = [Node(f"n{i}", compute=9) for i in range(num_nodes)]
    return Instance(nodes, tasks, **settings)


def test_equal_parts_go_to_different_nodes_in_turn():
    pair = [Variant("pair", compute=1, parts=2)]
    instance = instance_of([Task("a", model="m"), Task("b", model="m")], models={"m": pair})
    problem = Problem(instance)
    mode = np.zeros(3, dtype=np.int64)
    found = deal(problem, mode, np.arange(3), np.array([1, 2, 1]))
    a, b = found.reshape(2, 2).tolist()
    assert sorted([*a, *b]) == [0, 1, 1, 2]
    assert a[0] != a[1]
    assert b[0] != b[1]


def test_counts_that_are_no_whole_tasks_or_too_close_are_refused():
    pair = [Variant("pair", compute=1, parts=2)]
    instance = instance_of([Task("a", model="m"), Task("b", model="m")], models={"m": pair})
    problem, mode = Problem(instance), np.zeros(3, dtype=np.int64)
    assert deal(problem, mode, np.arange(3), np.array([1, 1, 1])) is None
    assert deal(problem, mode, np.arange(3), np.array([3, 1, 0])) is None
    assert deal(problem, mode, np.arange(3), np.array([1, 1, 0])) is None  # the other must run
    assert deal(problem, mode, np.arange(3), np.array([2, 2, 2])) is None


def test_a_task_is_left_out_only_where_it_may_be():
    instance = instance_of([Task("a", 1, skip_price=5), Task("b", 1, skip_price=5)])
    problem = Problem(instance)
    found = deal(problem, np.array([0]), np.array([2]), np.array([1]))
    assert sorted(found.tolist()) == [-1, 2]


def test_those_that_can_stay_do():
    tasks = [Task(name, 1) for name in "abc"]
    instance = instance_of(tasks, current={"a": "n2", "b": "n1", "c": "n0"})
    problem = Problem(instance)
    mode = problem.classes.task_class[0]
    found = deal(problem, np.array([mode] * 2), np.array([1, 2]), np.array([2, 1]))
    assert found.tolist() == [2, 1, 1]


def test_each_of_several_equal_parts_stays_in_its_place():
    task = Task("a", variants=[Variant("v", compute=1, parts=3)])
    instance = instance_of([task], num_nodes=4, current={"a": ["n3", "n0", "n1"]})
    problem = Problem(instance)
    found = deal(problem, np.zeros(3, dtype=np.int64), np.array([0, 2, 3]), np.ones(3, np.int64))
    assert found.tolist() == [3, 0, 2]
    stacked = instance_of([task], num_nodes=4, current={"a": ["n0", "n0", "n1"]})
    found = deal(Problem(stacked), np.zeros(3, np.int64), np.array([0, 2, 3]), np.ones(3, np.int64))
    assert found[0] == 0
    assert sorted(found.tolist()) == [0, 2, 3]


def test_what_is_dealt_from_a_placement_costs_no_more_than_it():
    dealt = 0
    for number, (instance, homes) in enumerate(whole_instances(150, seed=61)):
        if instance.is_plain:
            continue
        problem = Problem(instance)
        for seed in range(6):
            placement = random_placement(instance, homes, 100 * number + seed)
            if not whole_oracle.feasible(instance, homes, placement):
                continue
            node_index = np.array(whole_oracle.node_index_of(instance, placement))
            cells = cells_of(problem, node_index)
            found = deal(problem, *cells)
            assert all(
                np.array_equal(mine, theirs)
                for mine, theirs in zip(cells, cells_of(problem, found), strict=True)
            )
            back = whole_oracle.placement_of(instance, found.tolist())
            assert whole_oracle.feasible(instance, homes, back)
            before = whole_oracle.cost(instance, homes, placement)
            assert whole_oracle.cost(instance, homes, back) <= before
            dealt += 1
    assert dealt >= 100
