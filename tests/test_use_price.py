"""A price of use: against brute force, in every method, in every form of the local moves."""

import sys

import numpy as np
import oracle
import pytest
from conformance import share_proved
from nightly import cases
from random_instances import random_instances
from sessions import generated

from solver import (
    Instance,
    InstanceError,
    Node,
    Status,
    Task,
    cost_of,
    lower_bound,
    solve,
)
from solver.bounds.infeasible import why_infeasible
from solver.judge.cost import cost_in_units
from solver.kernels.state import make_facts, make_state, node_cost, task_order, total_cost
from solver.problem.attainable import round_up_to_attainable
from solver.problem.problem import Problem
from solver.search.rounds import Search


def priced(count, seed, *, integers=True):
    """Random instances whose nodes have a use price between nothing and the overload price."""
    rng = np.random.default_rng(seed)
    for instance in random_instances(count, seed, integers=integers):
        overload = instance.node_overload_price.tolist()
        if integers:
            use = [int(rng.integers(0, o + 1)) for o in overload]
        else:
            use = [0 if o == 0 else round(o * float(rng.random()), 3) for o in overload]
            use = [min(u, o) for u, o in zip(use, overload, strict=True)]
        yield instance.replace(node_use_price=use)


@pytest.mark.parametrize("integers", [True, False])
def test_every_method_and_bound_agrees_with_brute_force(integers):
    share = share_proved(priced(cases(60 if integers else 24, 1_000), 515, integers=integers))
    # Thirds have too many digits for the grid: there the bound stays a little below the cost.
    assert share >= (0.95 if integers else 0.3)


def test_bounds_are_not_idle_talk():
    """Load has to be used somewhere: the closed form knows the cheapest use."""
    instance = Instance.from_arrays(
        node_compute=[10, 10], node_price=[1, 1], node_overload_price=[9, 9],
        node_use_price=[2, 5], task_compute=[6, 6],
    )  # fmt: skip
    # 20 idle, 10 units at 2 and the other 2 at 5; as tasks are whole, 2 units of overload at 9
    assert lower_bound(instance, "closed-form") == 20 + 10 * 2 + 2 * 5
    result = solve(instance)
    assert (result.cost, result.bound) == (20 + 10 * 2 + 2 * 9, 58)


def test_where_all_use_prices_are_equal_nothing_but_a_constant_changes():
    for instance in random_instances(20, seed=516):
        least = min(instance.node_overload_price.tolist())
        if not least:
            continue
        other = instance.replace(node_use_price=[least] * instance.num_nodes, max_load=None)
        plain = instance.replace(
            node_overload_price=[o - least for o in instance.node_overload_price.tolist()],
            max_load=None,
        )
        one, two = Problem(other).grid, Problem(plain).grid
        assert (one.overload_price == two.overload_price).all()
        assert not one.use_price.any()
        paid = other.exact.cost_scale * least * int(instance.task_compute.sum())
        assert one.offset - two.offset == paid


@pytest.mark.parametrize("seed", range(4))
def test_the_searchs_cost_is_that_of_its_allocation(seed):
    rng = np.random.default_rng(seed)
    n, m = 12, 60
    instance = Instance.from_arrays(
        node_compute=rng.integers(20, 60, n), node_storage=rng.integers(80, 120, n),
        node_price=rng.integers(1, 9, n), node_overload_price=rng.integers(10, 30, n),
        node_use_price=rng.integers(0, 10, n), power_off=bool(seed % 2),
        task_compute=rng.integers(1, 15, m), task_storage=rng.integers(1, 12, m),
    )  # fmt: skip
    problem = Problem(instance)
    order = task_order(problem)
    start = solve(instance, "first-fit").allocation.node_index
    search = Search(make_facts(problem, order), start[order], seed=seed)
    before = search.cost
    for _ in range(6):
        search.round()
        node_index = np.empty(m, dtype=np.int64)
        node_index[order] = search.state.node_of
        grid = problem.grid
        units = cost_in_units(instance, node_index)
        assert grid.offset + grid.cost_unit * search.cost == units
        assert search.excess == 0
    assert search.cost < before
    better = solve(instance, "local-search", time_limit=2, num_workers=1)
    bound = lower_bound(instance, "linear")
    assert bound <= better.cost <= cost_of(instance, start)
    assert (better.cost - bound) / better.cost < 0.05


def test_large_greedy_makes_the_choices_of_the_small_one(monkeypatch):
    rng = np.random.default_rng(1)
    n, m = 40, 300
    instance = Instance.from_arrays(
        node_compute=rng.integers(20, 60, n), node_price=[3] * n,
        node_overload_price=[12] * n, node_use_price=rng.choice([0, 2, 7], n),
        task_compute=rng.integers(1, 12, m),
    )  # fmt: skip
    module = sys.modules["solver.methods.greedy"]
    small = solve(instance, "greedy")
    monkeypatch.setattr(module, "is_large", lambda _: True)
    assert solve(instance, "greedy").cost == small.cost


def test_column_generation_bounds_and_proves_with_use_prices():
    compared = 0
    for instance in priced(60, 517):
        best = oracle.brute_force(instance)
        problem = Problem(instance)
        if best is None or why_infeasible(problem) is not None:
            continue
        session = generated(problem)
        units = problem.outer_grid.bound_in_units(session.bound)
        assert units <= best.cost * instance.exact.cost_scale
        assert round_up_to_attainable(problem, max(0, units)) <= (
            best.cost * instance.exact.cost_scale
        )
        compared += 1
    assert compared > 30


def test_wide_prices_do_not_overflow():
    instance = Instance.from_arrays(
        node_compute=[10**12, 10**12, 3], node_price=[1, 1, 1],
        node_overload_price=[10**18 + 9, 7, 10**17], node_use_price=[10**18, 0, 10**17],
        task_compute=[10**11 + 1, 10**12, 5], max_load=2,
    )  # fmt: skip
    best = oracle.brute_force(instance)
    for method in ("auto", "cp-sat", "mip", "column-generation", "local-search"):
        result = solve(instance, method, time_limit=5)
        assert result.bound is None or result.bound <= best.cost
        if result.status is Status.OPTIMAL:
            assert result.cost == best.cost


def test_use_may_not_cost_more_than_overload():
    with pytest.raises(InstanceError, match="node 'a': use_price is 5, above overload_price 4"):
        Instance([Node("a", compute=1, price=4, use_price=5)], [Task("t", compute=1)])
    with pytest.raises(InstanceError, match="node 'node-1': use_price is -1; it must be"):
        Instance.from_arrays(node_compute=[1, 1], node_use_price=[0, -1], task_compute=[1])


def test_a_price_of_use_survives_the_node_cost_of_the_kernels():
    instance = Instance.from_arrays(
        node_compute=[4, 4], node_price=[1, 1], node_overload_price=[5, 5],
        node_use_price=[2, 3], task_compute=[3, 2, 1],
    )  # fmt: skip
    problem = Problem(instance)
    order = task_order(problem)
    facts = make_facts(problem, order)
    state = make_state(facts, np.array([0, 1, 1]))
    assert facts.use.tolist() == [0, 1]
    assert state.load.tolist() == [1, 5]
    assert total_cost(facts, state) == 5 * 1 + 1 * (5 - 3)
    assert node_cost.py_func(facts, 1, 6, 2) == (5 - 3) * 2 + 6


def test_a_model_of_many_wide_use_costs_is_one_that_cp_sat_takes():
    """Every task and node has a cost of use: together they must fit into 64 bits."""
    rng = np.random.default_rng(8)
    m = 40
    instance = Instance.from_arrays(
        node_compute=[10**10] * 3, node_price=[1, 1, 1], max_load=2,
        node_overload_price=[2 * 10**10, 2 * 10**10, 3 * 10**10 + 1],
        node_use_price=[0, 123456789, 10**10 + 1],
        task_compute=rng.integers(5 * 10**8, 10**9, m),
    )  # fmt: skip
    result = solve(instance, "cp-sat", time_limit=5)
    assert result.message is None or "MODEL_INVALID" not in result.message
    assert result.bound <= result.cost
    assert lower_bound(instance, "linear") <= result.cost


def test_a_digit_more_in_one_price_does_not_cost_the_others_theirs():
    rng = np.random.default_rng(9)
    n, m = 20, 60
    fields = {
        "node_compute": rng.uniform(1, 2, n), "node_price": [0] * n,
        "node_overload_price": [1] * n, "node_use_price": np.round(rng.uniform(0, 1, n), 9),
        "task_compute": rng.uniform(0.1, 1, m),
    }  # fmt: skip
    grid = Problem(Instance.from_arrays(**fields)).grid
    assert int(grid.use_price.max()).bit_length() > 15
    assert int(grid.overload_price.max()).bit_length() > 10
