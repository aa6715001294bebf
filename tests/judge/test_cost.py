"""The one definition of the cost: by hand, and against the oracle's own."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_instances import random_instances

from solver.errors import AllocationError, NodewiseError
from solver.judge.cost import as_allocation, cost_in_units, cost_of, in_user_units
from solver.model.allocation import Allocation
from solver.model.instance import Instance, Node, Task


def instance_of(nodes, demands, **options):
    tasks = [Task(f"t{j}", demand) for j, demand in enumerate(demands)]
    return Instance(nodes, tasks, **options)


PLAIN = instance_of([Node("a", 4), Node("b", 4)], [3, 2, 4])


@pytest.mark.parametrize(
    ("nodes", "demands", "where", "cost"),
    [
        ([Node("a", 4), Node("b", 4)], [3, 2, 4], [0, 1, 1], 4 * 4 + 4 * 6),
        ([Node("a", 4), Node("b", 4)], [4, 4], [0, 1], 4 * 4 + 4 * 4),
        ([Node("a", 4), Node("b", 4)], [], [], 4 * 4 + 4 * 4),
        ([Node("a", 4), Node("b", 9)], [4], [0], 4 * 4 + 9 * 9),
        ([Node("a", 4, price=1)], [7], [0], 1 * 7),
        ([Node("a", 4, price=0)], [7], [0], 0),
        ([Node("a", 4, price=2, overload_price=5)], [7], [0], 2 * 4 + 5 * 3),
        ([Node("a", 4, price=2, overload_price=0)], [7], [0], 2 * 4),
        ([Node("a", 4, overload_price=1)], [7], [0], 4 * 4 + 1 * 3),
        ([Node("a", 0, price=3)], [2], [0], 3 * 2),
        ([Node("a", 0)], [2], [0], 0),
    ],
)
def test_cost_by_hand(nodes, demands, where, cost):
    assert cost_of(instance_of(nodes, demands), where) == cost


@pytest.mark.parametrize(
    ("demands", "where", "cost"),
    [
        ([5], [0], 16 + 4),
        ([5], [1], 100),
        ([5, 0], [0, 1], 16 + 4 + 100),
        ([], [], 0),
    ],
)
def test_a_node_without_tasks_costs_nothing_where_it_is_switched_off(demands, where, cost):
    nodes = [Node("a", 4), Node("b", 10)]
    assert cost_of(instance_of(nodes, demands, power_off=True), where) == cost


def test_the_article_prices_overload_at_the_capacity_of_the_node():
    nodes = [Node("small", 10), Node("large", 1000)]
    instance = instance_of(nodes, [1200])
    assert cost_of(instance, [0]) == 10 * 1200 + 1000 * 1000
    assert cost_of(instance, [1]) == 10 * 10 + 1000 * 1200


def test_flops_scale_costs_are_exact_integers():
    C, D = 312 * 10**12 + 1, 10**15 + 7
    instance = instance_of([Node("a", C), Node("b", C)], [D, D, D])
    cost = cost_of(instance, [0, 1, 1])
    assert cost == C * D + C * 2 * D
    assert cost > 2**63
    assert type(cost) is int


def test_loads_beyond_64_bits_are_exact():
    instance = instance_of([Node("a", 2**62, price=3)], [2**62 + 1] * 5)
    assert cost_of(instance, [0] * 5) == 3 * 5 * (2**62 + 1)


def test_decimals_give_the_float_nearest_to_the_exact_cost():
    instance = instance_of([Node("a", 0.1, price=1)], [0.1, 0.1, 0.1])
    assert cost_of(instance, [0, 0, 0]) == 0.3
    assert 0.1 + 0.1 + 0.1 != 0.3


def test_whole_numbers_written_as_floats_give_an_int():
    cost = cost_of(instance_of([Node("a", 4.0)], [6.0]), [0])
    assert (cost, type(cost)) == (24, int)


def test_a_bound_is_rounded_down_and_a_cost_to_nearest():
    instance = instance_of([Node("a", 0.1, price=0.1)], [1])
    assert instance.exact.cost_scale == 100
    for units in range(1, 2000):
        lower = in_user_units(instance, units, floor=True)
        assert Fraction(lower) <= Fraction(units, 100)
        assert in_user_units(instance, units) == float(Fraction(units, 100))
        assert in_user_units(instance, units) - lower < 1e-12


def test_user_units_of_nothing_and_of_integers():
    assert in_user_units(PLAIN, None) is None
    assert in_user_units(PLAIN, 10**30) == 10**30


amounts = st.one_of(
    st.integers(0, 20),
    st.integers(0, 10**21),
    st.sampled_from([0.1, 0.2, 1 / 3, 2.75, 1e-9]),
    st.floats(0, 1e9),
)
optional = st.one_of(st.none(), amounts)


@st.composite
def placed_instances(draw):
    nodes = [
        Node(f"n{i}", draw(amounts), price=draw(optional), overload_price=draw(optional))
        for i in range(draw(st.integers(1, 4)))
    ]
    demands = draw(st.lists(amounts, max_size=6))
    instance = instance_of(nodes, demands, power_off=draw(st.booleans()))
    position = st.integers(0, len(nodes) - 1)
    where = draw(st.lists(position, min_size=len(demands), max_size=len(demands)))
    return instance, where


@given(placed_instances())
def test_cost_equals_the_oracle(case):
    instance, where = case
    cost, exact = cost_of(instance, where), oracle.cost(instance, where)
    if instance.exact.cost_scale == 1:
        assert (cost, type(cost)) == (exact, int)
    else:
        assert (cost, type(cost)) == (float(exact), float)
    units = cost_in_units(instance, np.array(where, dtype=np.int64))
    assert Fraction(units, instance.exact.cost_scale) == exact


@pytest.mark.parametrize("integers", [True, False])
def test_cost_of_random_allocations_equals_the_oracle(integers):
    rng = np.random.default_rng(0)
    for instance in random_instances(80, seed=21, integers=integers):
        where = rng.integers(instance.num_nodes, size=instance.num_tasks)
        assert cost_of(instance, where) == float(oracle.cost(instance, where.tolist()))


@pytest.mark.parametrize(
    "allocation",
    [
        [0, 1, 1],
        (0, 1, 1),
        np.array([0, 1, 1], dtype=np.uint8),
        {"t0": "a", "t2": "b", "t1": "b"},
        Allocation(PLAIN, [0, 1, 1]),
        Allocation(PLAIN, [0, 1, 1]).node_of,
        Allocation(Instance(list(PLAIN.nodes), list(PLAIN.tasks)), [0, 1, 1]),
    ],
    ids=["list", "tuple", "array", "dict", "Allocation", "node_of", "of an equal instance"],
)
def test_every_form_of_an_allocation_is_accepted(allocation):
    assert cost_of(PLAIN, allocation) == 40
    assert as_allocation(PLAIN, allocation).node_index.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("allocation", "message"),
    [
        ({"t0": "a", "t1": "b"}, "task 't2' has no node"),
        ({}, "task 't0' has no node"),
        ({"t0": "a", "t1": "b", "t2": "c"}, "task 't2': node 'c' is not in the instance"),
        ({"t0": "a", "t1": "b", "t2": "b", "t9": "b"}, "task 't9' is not in the instance"),
        ({"t0": "a", "t1": "b", "t9": "b"}, "task 't2' has no node"),
        ([0, 1], "node_index has 2 entries for 3 tasks"),
        ([0, 1, 2], r"node_index must hold positions 0\.\.1"),
        ([0, 1, -1], r"node_index must hold positions 0\.\.1"),
        ([0, 0.9, 1], "node_index must hold integer positions, not float64"),
        ([True, False, True], "node_index must hold integer positions, not bool"),
        (["a", "b", "b"], "node_index must hold integer positions"),
        (Allocation(instance_of([Node("a", 1)], [1]), [0]), "belongs to another instance"),
    ],
)
def test_an_allocation_that_does_not_fit_the_instance(allocation, message):
    with pytest.raises(AllocationError, match=message):
        cost_of(PLAIN, allocation)


def test_an_allocation_error_is_a_value_error_of_the_family():
    assert issubclass(AllocationError, NodewiseError)
    assert issubclass(AllocationError, ValueError)
