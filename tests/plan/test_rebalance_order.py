"""`rebalance` where the best allocation has no safe order: another one, or nothing moves."""

import pytest

from solver import Instance, Node, PlanStatus, Status, Task, check, check_plan, rebalance
from solver.errors import OptionError
from solver.plan.order import order_moves

OPTIONS = {"time_limit": 20, "num_workers": 1}
HERE = {"x": "a", "y": "b"}


def exchange(*more, current=HERE, **settings):
    """Two tasks that should change places, on nodes that cannot hold both of them."""
    nodes = [Node("a", 3, storage=10), Node("b", 5, storage=10), *more]
    tasks = [Task("x", 5, storage=6), Task("y", 3, storage=6)]
    return Instance(nodes, tasks, current=current, **settings)


def require_safe(result):
    assert check(result.instance, result.allocation) == []
    assert result.plan.status is PlanStatus.ORDERED
    assert check_plan(result.instance, result.allocation, result.plan) == []


def test_where_nothing_has_an_order_nothing_moves():
    result = rebalance(exchange(), **OPTIONS)
    require_safe(result)
    assert (result.moves, result.saving, result.saving_bound) == (0, 0, 6)
    assert (result.status, result.cost, result.bound) == (Status.FEASIBLE, 40, 34)
    assert "would save 6, have no safe order (proved" in result.message
    assert "so nothing moves" in result.message
    assert "during='target'" in result.message


def test_tasks_that_may_stop_change_places():
    result = rebalance(exchange(), during="target", **OPTIONS)
    require_safe(result)
    assert (result.status, result.moves, result.saving) == (Status.OPTIMAL, 2, 6)
    assert result.plan.num_moves == 2


def test_a_third_node_makes_room():
    result = rebalance(exchange(Node("c", 0, price=0, overload_price=99, storage=6)), **OPTIONS)
    require_safe(result)
    assert (result.status, result.moves, result.saving) == (Status.OPTIMAL, 2, 6)
    assert (result.plan.num_moves, result.plan.num_bypasses) == (3, 1)


def test_the_moves_that_have_an_order_are_made():
    instance = exchange(Node("c", 4, storage=4), Node("d", 4, storage=4))
    tasks = [*instance.tasks, Task("u", 4, storage=2), Task("v", 4, storage=2)]
    more = Instance(instance.nodes, tasks, current={**HERE, "u": "c", "v": "c"})
    result = rebalance(more, **OPTIONS)
    require_safe(result)
    assert (result.moves, result.saving, result.saving_bound) == (1, 16, 22)
    assert "these others have one" in result.message


def test_what_must_move_moves_though_the_rest_has_no_order():
    instance = exchange(Node("c", 4, storage=4), Node("d", 4, storage=4))
    tasks = [*instance.tasks, Task("u", 4, storage=2)]
    more = Instance(instance.nodes, tasks, current={**HERE, "u": "c"})
    result = rebalance(more, drain="c", **OPTIONS)
    require_safe(result)
    assert (result.moves, result.saving, result.saving_bound) == (1, 0, 6)
    assert result.allocation.node_of == {**HERE, "u": "d"}


def test_without_any_order_the_best_allocation_says_so():
    instance = exchange(max_load=1)  # where they are, x is above the limit
    result = rebalance(instance, **OPTIONS)
    assert check(result.instance, result.allocation) == []
    assert (result.status, result.plan.status) == (Status.OPTIMAL, PlanStatus.NONE)
    assert "nor has any other that was found" in result.message
    assert [broken.rule for broken in result.broken_now] == ["max_load"]


@pytest.mark.parametrize("wrong", [{"during": "never"}, {"moves_per_node": 0}])
def test_options_of_the_order_are_checked_first(wrong):
    with pytest.raises(OptionError):
        rebalance(exchange(), **wrong)


def test_an_interrupt_while_the_moves_are_ordered_keeps_the_allocation(monkeypatch):
    def interrupted(instance, before, after, **options):
        if (before != after).any():
            raise KeyboardInterrupt
        return order_moves(instance, before, after, **options)

    monkeypatch.setattr("solver.plan.rebalance.order_moves", interrupted)
    result = rebalance(exchange(), **OPTIONS)
    assert check(result.instance, result.allocation) == []
    assert (result.moves, result.saving, result.plan.status) == (2, 6, PlanStatus.UNKNOWN)
    assert "interrupted before the moves had an order" in result.message
