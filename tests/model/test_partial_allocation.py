"""What is told where only some of the tasks have a node."""

import json

import numpy as np
import pytest

from solver import Instance, Status, check, solve
from solver.files.result import result_to_json
from solver.model.result import PartialAllocation


def three_on_two(**more):
    """Three tasks that need 6 of storage on two nodes of 10."""
    return Instance.from_arrays(
        node_compute=[1, 1, 1],
        node_storage=[10, 10.5, 0],
        task_compute=[1, 1, 1],
        task_storage=[6, 6, 6],
        **more,
    )


@pytest.mark.parametrize("method", ["greedy", "first-fit", "best-fit", "local-search"])
def test_the_rest_is_placed_and_the_reason_told(method):
    result = solve(three_on_two(), method, time_limit=10)
    assert result.status is Status.UNKNOWN
    assert (result.allocation, result.cost, result.gap) == (None, None, None)
    assert result.partial is not None
    assert len(result.partial.placed) == 2
    (missing,) = result.partial.unplaced
    assert result.unplaced == (missing,)
    reason = "node 'node-1', the nearest of the 3 that it may run on, lacks 1.5 of storage"
    assert result.partial.unplaced[missing] == reason
    broken = check(result.instance, result.partial.node_index)
    assert [violation.rule for violation in broken] == ["unassigned"]
    assert repr(result.partial) == "<PartialAllocation: 2 of 3 tasks>"


def test_a_result_in_json_tells_it():
    result = solve(three_on_two(), "greedy")
    data = json.loads(json.dumps(result_to_json(result)))
    assert data["status"] == "unknown"
    assert data["allocation"] is None
    assert data["partial"]["placed"] == result.partial.placed
    assert data["partial"]["unplaced"] == result.partial.unplaced
    assert set(data["unplaced"]) == set(data["partial"]["unplaced"])


def test_nothing_is_told_of_an_allocation_or_where_none_can_be():
    fine = Instance.from_arrays(node_compute=[4], task_compute=[3])
    assert solve(fine, "greedy").partial is None
    assert "partial" not in result_to_json(solve(fine, "greedy"))
    assert solve(three_on_two(), "cp-sat", time_limit=20).status is Status.INFEASIBLE
    assert solve(three_on_two(), "cp-sat", time_limit=20).partial is None


def test_a_node_of_several_dimensions_lacks_what_it_lacks():
    instance = Instance.from_arrays(
        node_compute=[5, 5],
        node_storage=[4, 8],
        node_resources={"gpu": [1, 0]},
        task_compute=[4, 3],
        task_storage=[2, 9],
        task_resources={"gpu": [1, 1]},
        task_eligible=[0, 1],
        eligible_groups=[None, ("node-0",)],
        max_load=1,
    )
    partial = PartialAllocation(instance, np.array([0, -1]))
    assert partial.placed == {"task-0": "node-0"}
    reason = "node 'node-0' lacks 7 of storage, 1 of gpu, 2 of max_load"
    assert partial.unplaced == {"task-1": reason}
    assert PartialAllocation(instance, np.array([-1, -1])).unplaced["task-0"] == (
        "node 'node-0' has room for it; the time was up before that was seen"
    )
