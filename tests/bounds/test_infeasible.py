import sys

import oracle
import pytest
from random_instances import random_instances

from solver import Instance, Status, solve
from solver.bounds.infeasible import why_infeasible
from solver.problem.problem import Problem


def why(**columns):
    return why_infeasible(Problem(Instance.from_arrays(**columns)))


@pytest.mark.parametrize("integers", [True, False])
def test_a_reason_is_only_given_where_there_is_no_allocation(integers):
    given = 0
    for instance in random_instances(250, seed=81, integers=integers):
        reason = why_infeasible(Problem(instance))
        if reason is not None:
            assert oracle.brute_force(instance) is None
            given += 1
    assert given >= 20


def test_a_task_that_no_node_can_hold():
    reason = why(
        node_compute=[1, 1], node_storage=[8, 4], task_compute=[1, 1, 1], task_storage=[1, 9, 9]
    )
    assert reason == (
        "storage: task 'task-1' (and 1 more like it) needs 9; any of the 2 nodes it may run on "
        "has at most 8: 1 short"
    )


def test_other_tasks_without_a_node_are_counted():
    reason = why(
        node_compute=[1], node_storage=[4], task_compute=[1] * 4, task_storage=[9, 7, 7, 1]
    )
    assert reason.endswith("; 2 further tasks fit no node either")


def test_a_task_that_fits_in_each_dimension_but_never_in_all():
    reason = why(
        node_compute=[1, 1],
        node_storage=[9, 2],
        node_resources={"cpu": [2, 9]},
        task_compute=[1],
        task_storage=[5],
        task_resources={"cpu": [5]},
    )
    assert (
        reason == "task 'task-0': no node it may run on has enough of all of storage, cpu at once"
    )


def test_too_little_in_total():
    reason = why(
        node_compute=[1, 1], node_storage=[8, 4], task_compute=[1] * 4, task_storage=[4, 4, 3, 2]
    )
    assert reason == (
        "storage: 4 tasks ('task-0', 'task-1', 'task-2', and 1 more) need 13 together; "
        "the nodes that can hold them ('node-0', 'node-1') have 12: 1 short"
    )


def test_a_clash_over_the_nodes_that_some_tasks_may_use():
    reason = why(
        node_compute=[5, 50],
        node_storage=[10, 100],
        node_kind=["V100", "A100"],
        task_compute=[1, 1, 1],
        task_storage=[6, 6, 6],
        task_eligible=[["V100"], ["V100"], None],
    )
    assert reason == (
        "storage: 2 tasks ('task-0', 'task-1') need 12 together; "
        "the only node that can hold them ('node-0') has 10: 2 short"
    )


def test_max_load_in_the_users_own_unit():
    reason = why(node_compute=[1.5, 1.5], task_compute=[1.25, 1.25, 1.0], max_load=1.1)
    assert reason.startswith("compute (max_load): 3 tasks")
    assert "need 3.5 together" in reason
    assert reason.endswith("have 3.3: 0.2 short")


def test_no_reason_is_found_where_only_whole_tasks_clash():
    columns = {
        "node_compute": [1, 1],
        "node_storage": [10, 10],
        "task_compute": [1, 1, 1],
        "task_storage": [6, 6, 6],
    }
    assert why(**columns) is None
    result = solve(Instance.from_arrays(**columns))
    assert result.status is Status.INFEASIBLE
    assert "proved by exhaustive search" in result.infeasible_because


def test_large_instances_are_judged_by_eligibility_alone(monkeypatch):
    module = sys.modules["solver.bounds.infeasible"]
    monkeypatch.setattr(module, "_MAX_CELLS", 0)
    for instance in random_instances(150, seed=82):
        if why_infeasible(Problem(instance)) is not None:
            assert oracle.brute_force(instance) is None
    monkeypatch.setattr(module, "_MAX_EDGES", 0)
    for instance in random_instances(80, seed=83):
        if why_infeasible(Problem(instance)) is not None:
            assert oracle.brute_force(instance) is None
