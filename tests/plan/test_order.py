"""The order of moves: the fixtures, caps, and what is refused."""

import pytest

from solver import Instance, Node, PlanStatus, Task
from solver.errors import OptionError
from solver.plan.order import order_moves


def stored(capacities, tasks):
    """Nodes with some storage, and tasks with a size, a node before and one after."""
    nodes = [Node(f"n{i}", compute=100, storage=capacity) for i, capacity in enumerate(capacities)]
    made = [Task(f"t{k}", compute=1, storage=size) for k, (size, *_) in enumerate(tasks)]
    return Instance(nodes, made), [task[1] for task in tasks], [task[2] for task in tasks]


def told(plan):
    return [[(m.task, m.source, m.target, m.bypass) for m in wave] for wave in plan.waves]


STRANDS = ([8, 8, 7], [(2, 1, 2), (1, 0, 2), (4, 2, 1), (3, 1, 1), (1, 2, 2)])


def test_one_order_works_where_the_first_move_that_fits_strands():
    plan = order_moves(*stored(*STRANDS))
    assert plan.status is PlanStatus.ORDERED
    assert [move.task for move in plan.moves] == ["t0", "t2", "t1"]
    assert plan.num_bypasses == 0


def test_a_swap_without_room_has_no_order():
    plan = order_moves(*stored([10, 10], [(6, 0, 1), (6, 1, 0)]))
    assert (plan.status, plan.waves) == (PlanStatus.NONE, ())
    assert plan.reason == "proved: no order of the moves of 2 tasks ('t0', 't1') is safe"


def test_a_swap_by_way_of_a_third_node():
    plan = order_moves(*stored([10, 10, 6], [(6, 0, 1), (6, 1, 0)]))
    assert told(plan) == [
        [("t0", "n0", "n2", True)],
        [("t1", "n1", "n0", False)],
        [("t0", "n2", "n1", False)],
    ]
    assert (plan.num_moves, plan.num_bypasses) == (3, 1)


def test_a_swap_that_stops_first_is_one_wave():
    plan = order_moves(*stored([10, 10], [(6, 0, 1), (6, 1, 0)]), during="target")
    assert [len(wave) for wave in plan.waves] == [2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"during": "never"}, "during is 'never'; it must be one of: both, target"),
        ({"moves_per_node": 0}, "moves_per_node is 0; it must be an integer, 1 or more"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        order_moves(*stored([1], [(1, 0, 0)]), **options)
