"""`rebalance`: what it saves, what it can save at most, and when nothing moves."""

import math

import pytest

from solver import Instance, Node, Status, Task, check, rebalance
from solver.errors import OptionError

OPTIONS = {"time_limit": 20, "num_workers": 1}


def two_servers(**settings):
    """Two rented servers, half empty: one of them suffices."""
    return Instance(
        [Node("a", 8, fixed_cost=24, kind="k"), Node("b", 8, fixed_cost=24, labels={"zone": "z"})],
        [Task("x", 3), Task("y", 4)],
        **{"max_load": 1, "power_off": True, "current": {"x": "a", "y": "b"}, **settings},
    )


def figures(result):
    return result.cost_now, result.cost, result.saving, result.saving_bound, result.moves


def test_one_move_empties_a_server():
    result = rebalance(two_servers(), **OPTIONS)
    assert result.status is Status.OPTIMAL
    assert figures(result) == (48, 24, 24, 24, 1)


def test_current_may_be_given_and_partial():
    result = rebalance(two_servers(current=None), {"x": "a"}, **OPTIONS)
    assert figures(result) == (24, 24, 0, 0, 0)
    assert result.allocation.node_of == {"x": "a", "y": "a"}


def test_nothing_runs_yet():
    result = rebalance(two_servers(current=None), {}, **OPTIONS)
    assert figures(result) == (0, 24, -24, -24, 0)


def test_who_does_not_say_where_tasks_are_is_told():
    with pytest.raises(OptionError, match="where tasks are now"):
        rebalance(two_servers(current=None))


def test_no_moves_is_staying():
    result = rebalance(two_servers(), max_moves=0, **OPTIONS)
    assert (result.status, figures(result)) == (Status.OPTIMAL, (48, 48, 0, 0, 0))


@pytest.mark.parametrize(("price", "moves", "saving"), [(23.5, 1, 0.5), (24.5, 0, 0)])
def test_a_move_is_paid_for_by_what_it_saves(price, moves, saving):
    result = rebalance(two_servers(), move_price=price, **OPTIONS)
    assert (result.moves, result.saving, result.saving_bound) == (moves, saving, saving)


@pytest.mark.parametrize("name", ["b", "zone=z", ["b"], ["zone=z", "b"]])
def test_drained_nodes_end_empty(name):
    result = rebalance(two_servers(), drain=name, **OPTIONS)
    assert result.allocation.node_of == {"x": "a", "y": "a"}
    assert result.broken_now == ()


def test_cordoned_nodes_take_nothing():
    result = rebalance(two_servers(), cordon="k", **OPTIONS)
    assert result.allocation.node_of == {"x": "b", "y": "b"}


def test_a_drained_node_stays_drained_where_its_kind_is_cordoned():
    result = rebalance(two_servers(), drain="a", cordon=["a"], **OPTIONS)
    assert result.instance.node_state == ("drained", "open")


def test_unknown_names_are_refused_with_a_hint():
    with pytest.raises(OptionError, match=r"drain names 'zone=y'.*did you mean 'zone=z'"):
        rebalance(two_servers(), drain=["zone=y"])


@pytest.mark.parametrize(
    ("least", "moves"),
    [(0, 1), (24, 1), ("50%", 1), (" 50 % ", 1), (24.000001, 0), ("50.0000001%", 0), (10**30, 0)],
)
def test_below_min_saving_nothing_moves(least, moves):
    result = rebalance(two_servers(), min_saving=least, **OPTIONS)
    assert (result.moves, result.saving_bound) == (moves, 24)
    if not moves:
        assert result.status is Status.FEASIBLE
        assert "no plan saves more than 24: proved" in result.message
        assert (result.cost, result.saving, result.bound) == (48, 0, 24)


@pytest.mark.parametrize("least", [-1, "-2%", "much", "%", True, math.nan, math.inf, None])
def test_min_saving_is_money_or_a_share(least):
    with pytest.raises(OptionError, match="min_saving"):
        rebalance(two_servers(), min_saving=least)


def test_min_saving_does_not_keep_what_is_broken():
    crowded = two_servers(current={"x": "a", "y": "a"}, max_load=0.5)
    result = rebalance(crowded, min_saving=10**6, **OPTIONS)
    assert [str(broken) for broken in result.broken_now] == [
        "node 'a' is loaded 3 above max_load times its capacity"
    ]
    assert check(result.instance, result.allocation) == []
    assert figures(result) == (24, 48, -24, -24, 1)


def test_where_nothing_mends_it_nothing_moves():
    result = rebalance(two_servers(), drain=["a", "b"], **OPTIONS)
    assert (result.status, result.saving, result.saving_bound) == (Status.INFEASIBLE, None, None)
    assert "nothing moves" in result.message
    assert "drained" in result.infeasible_because


def test_a_better_start_is_used():
    result = rebalance(two_servers(), initial={"x": "b", "y": "b"}, time_limit=0)
    assert result.cost == 24


def test_a_worse_start_than_staying_is_not_used():
    start = {"x": "b", "y": "a"}
    result = rebalance(two_servers(move_price=1), initial=start, method="greedy", time_limit=0)
    assert result.cost <= 48
