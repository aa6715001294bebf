"""Pricing against the list of all sets of tasks: exact values, valid bounds, nothing missed."""

import itertools
import math

import numpy as np
import pytest
from sessions import generated
from uncompiled import answers_of

from instances import from_spec
from solver.columns.knapsack import scaled_prices
from solver.columns.prices import Prices
from solver.kernels.pricing import price_out
from solver.kernels.tables import Knapsack, make_tables, multipliers
from solver.problem.problem import Problem
from solver.problem.table import ClassTable

ALL = 10**9


def apart_of(rng, K):
    """None, or a few pairs that may not be together."""
    if rng.random() < 0.5:
        return np.zeros((0, 0), dtype=np.bool_)
    half = np.triu(rng.random((K, K)) < 0.3, 1)
    return half | half.T


def knapsacks(count, seed, size=1):
    """Random knapsacks of few classes, their numbers `size` times as large."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        K, dims = rng.integers(1, 6), rng.integers(0, 3)
        demand = rng.integers(0, 9, K) * size
        room = rng.integers(0, 20, dims) * size
        needs = rng.integers(0, 9, (K, dims)) * size
        yield (
            Knapsack(
                demand=demand,
                most=rng.integers(0, 4, K),
                needs=needs,
                node_compute=int(rng.integers(0, 20)) * size,
                overload_price=int(rng.integers(0, 5)),
                idle_cost=int(rng.choice([0, 0, 7])) * size,
                capacity=room,
                apart=apart_of(rng, K),
            ),
            rng.integers(0, 30, K) * size,
        )


def all_sets(knapsack, profit):
    """Every set that fits, as a sorted tuple of classes, with its value."""
    values = {}
    for amounts in itertools.product(*(range(most + 1) for most in knapsack.most.tolist())):
        a = np.array(amounts)
        if any((a @ knapsack.needs) > knapsack.capacity) or not a.any():
            continue
        if knapsack.apart.size and knapsack.apart[np.ix_(a > 0, a > 0)].any():
            continue
        load = int(a @ knapsack.demand)
        value = int(a @ profit) - knapsack.idle_cost
        value -= knapsack.overload_price * max(0, load - knapsack.node_compute)
        values[tuple(np.repeat(np.arange(a.size), a).tolist())] = value
    return values


def look(knapsack, profit, threshold=0, tolerance=0, everything=False, branches=ALL, size=5000):
    """What `price_out` says, and the sets that it found with their values."""
    weights = np.zeros(1 + knapsack.capacity.size)
    multipliers(knapsack, profit, weights)
    found = np.full((size, 60), -1, dtype=np.int32)
    values = np.zeros(size, dtype=np.int64)
    count, best, left_out = price_out(
        knapsack, profit, knapsack.most, make_tables(knapsack, profit, weights), threshold,
        tolerance, everything, branches, found, values, np.zeros(1, dtype=np.int64),
    )  # fmt: skip
    rows = [tuple(sorted(row[row >= 0].tolist())) for row in found[: int(count)]]
    return int(best), float(left_out), dict(zip(rows, values[:count].tolist(), strict=True))


@pytest.mark.parametrize("size", [1, 999_983])
def test_the_best_set_is_found(size):
    """Also where a bucket of the tables is far larger than one unit."""
    profitable = 0
    for knapsack, profit in knapsacks(300, 71, size):
        values = all_sets(knapsack, profit)
        best, left_out, found = look(knapsack, profit)
        assert left_out == -math.inf
        assert best == max([0, *values.values()])
        assert all(values[tasks] == value for tasks, value in found.items())
        profitable += best > 0
    assert profitable >= 150


def test_all_sets_above_a_threshold_are_listed():
    listed = 0
    for knapsack, profit in knapsacks(200, 73, 10_007):
        values = all_sets(knapsack, profit)
        for threshold in (-1, 0, max(values.values(), default=0) // 2):
            _, left_out, found = look(knapsack, profit, threshold, everything=True)
            assert left_out == -math.inf
            assert found == {t: value for t, value in values.items() if value > threshold}
            listed += len(found)
    assert listed >= 3000


@pytest.mark.parametrize("branches", [1, 2, 4, 8])
def test_a_search_cut_short_still_bounds_the_value(branches):
    cut_short = 0
    for knapsack, profit in knapsacks(200, 79):
        greatest = max([0, *all_sets(knapsack, profit).values()])
        best, left_out, _ = look(knapsack, profit, branches=branches)
        assert best <= greatest <= max(best, left_out)
        cut_short += left_out > -math.inf
    assert cut_short >= 5


def test_a_tolerance_costs_no_more_than_it_says():
    for knapsack, profit in knapsacks(200, 83):
        greatest = max([0, *all_sets(knapsack, profit).values()])
        best, left_out, _ = look(knapsack, profit, tolerance=5)
        assert best <= greatest <= max(best + 5, left_out)


def test_sets_far_beyond_the_capacity_cost_no_search():
    """Tasks worth more than their overload are taken at once, though there are many."""
    demand = np.arange(250, 500, 5)
    knapsack = Knapsack(
        demand, np.ones(50, dtype=np.int64), np.zeros((50, 0), dtype=np.int64), 1000, 1, 0,
        np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.bool_),
    )  # fmt: skip
    best, left_out, _ = look(knapsack, demand + 10, branches=5000, size=5)
    assert left_out == -math.inf
    assert best == 50 * 10 + 1000
    made = generated(Problem(from_spec("triplets:nodes=20")), (), 30.0)
    assert made.converged
    assert made.branches < 5_000_000


def test_prices_worth_the_same_as_the_sets_one_by_one():
    problem = Problem(from_spec("few_per_node:nodes=6,node_types=three,seed=4"))
    made, data = generated(problem), problem.outer_table
    for prices in made.prices:
        for g, tasks in made.columns:
            worth = prices.worth(data, g, np.array([[*tasks, -1, -1]]))
            profit = sum(int(prices.profit[k]) for k in tasks)
            assert worth.tolist() == [profit - (data.cost(g, list(tasks)) << prices.shift)]
            assert worth[0] <= prices.values[g]


def test_prices_from_the_middle_leave_fewer_columns():
    """Where all that fill a node exactly are needed, the price 0 excludes no underfull one."""
    problem = Problem(from_spec("triplets:nodes=20"))
    made = generated(problem, (), 30.0)
    central, _ = made.prices
    assert central.grid_bound == made.bound == 0
    columns, complete = made.list_columns(0, 10_000, 20.0, [central])
    assert complete
    demand = problem.outer_table.demand
    assert {int(demand[list(tasks)].sum()) for _, tasks in columns} == {1000}
    assert len(columns) < 200


def test_every_price_excludes_some_columns_and_all_exclude_most():
    problem = Problem(from_spec("few_per_node:nodes=8,seed=6"))
    made = generated(problem)
    below = made.bound + 50
    single = [set(made.list_columns(below, 100_000, 20.0, [prices])[0]) for prices in made.prices]
    both, complete = made.list_columns(below, 100_000, 20.0)
    assert complete
    assert set(both) == set.intersection(*single)


def test_scaled_prices_are_never_above_the_prices():
    rng = np.random.default_rng(5)
    problem = Problem(from_spec("few_per_node:nodes=5"))
    data = problem.outer_table
    assert isinstance(data, ClassTable)
    for _ in range(20):
        prices = rng.uniform(0, 10.0 ** rng.integers(1, 7), data.demand.size)
        shift, profit = scaled_prices(data, prices)
        assert (profit <= prices * 2.0**shift).all()
        assert (prices * 2.0**shift - profit < 1 + 1e-9 * profit).all()


def test_prices_too_high_for_64_bits_are_lowered():
    """Else their sums would wrap around, and prove anything."""
    one = np.ones(1, dtype=np.int64)
    data = ClassTable(
        demand=np.array([2**28, 2**27]), needs=np.zeros((2, 0), dtype=np.int64),
        count=np.array([3, 2]), most=np.array([[3], [2]]), node_count=one,
        node_compute=one * 2**20, overload_price=one * 2**30,
        use_price=0 * one, idle_cost=one,
        capacity=np.zeros((1, 0), dtype=np.int64),
    )  # fmt: skip
    for prices in (np.array([2.0**40, 2.0**35]), np.array([2.0**70, 2.0**65])):
        shift, profit = scaled_prices(data, prices)
        worth = sum(p * m for p, m in zip(profit.tolist(), data.count.tolist(), strict=True))
        cost = data.cost(0, [0, 0, 0, 1, 1]) << shift
        assert 0 < worth <= 2**62
        assert worth + cost < 2**63
        assert abs(profit[0] / profit[1] / 32 - 1) < 1e-6


def test_thresholds_stay_in_64_bits():
    prices = Prices(0, np.array([1]), [5], -(2**62), np.zeros((1, 1)))
    assert prices.thresholds(2**62) == [-(2**62)]


def test_thresholds_are_the_gap_below_the_values():
    prices = Prices(3, np.array([1]), [80, 16], -24, np.zeros((2, 1)))
    assert prices.bound == -3
    assert prices.grid_bound == -3
    assert prices.thresholds(2) == [40, -24]


TRACE = """
import json, sys
sys.path[:0] = ["tests", "tests/columns"]
from test_pricing import knapsacks, look

print(json.dumps([[*look(*k)[:2], sorted(look(*k)[2].items())] for k in knapsacks(25, 89)]))
"""


def test_the_same_with_and_without_compilation():
    compiled, plain = answers_of(TRACE)
    assert compiled == plain
