"""Sets of tasks found quickly, and what no set is worth more than, against all sets."""

import math

import numpy as np
import pytest
from test_pricing import all_sets, knapsacks

from solver.kernels.quick_sets import fill_node
from solver.kernels.tables import multipliers, upper_limit, useful


@pytest.mark.parametrize("size", [1, 999_983])
def test_a_set_is_worth_what_it_is_said_to_be(size):
    best = some = 0
    rng = np.random.default_rng(7)
    for knapsack, profit in knapsacks(300, 101, size):
        values = all_sets(knapsack, profit)
        weights, amount = rng.random(1 + knapsack.capacity.size), np.ones_like(profit)
        value = fill_node(knapsack, profit, knapsack.most, weights, amount)
        tasks = tuple(np.repeat(np.arange(profit.size), amount).tolist())
        assert (amount <= knapsack.most).all()
        assert value == (values[tasks] if tasks else 0)
        best += value == max([0, *values.values()])
        some += bool(tasks)
    assert some >= 200
    assert best >= 200


@pytest.mark.parametrize("size", [1, 999_983, 10**12])
def test_no_set_is_worth_more_than_the_limit(size):
    for knapsack, profit in knapsacks(300, 103, size):
        greatest = max(all_sets(knapsack, profit).values(), default=-math.inf)
        for weights in (np.zeros(1 + knapsack.capacity.size), np.ones(1 + knapsack.capacity.size)):
            assert upper_limit(knapsack, profit, weights) >= greatest
            multipliers(knapsack, profit, weights)
            assert upper_limit(knapsack, profit, weights) >= greatest


def test_every_set_above_a_value_is_of_useful_tasks():
    dropped = 0
    for knapsack, profit in knapsacks(300, 107, 10_007):
        values = all_sets(knapsack, profit)
        weights = np.zeros(1 + knapsack.capacity.size)
        multipliers(knapsack, profit, weights)
        for least in (0, max(values.values(), default=0) // 2, max(values.values(), default=0) - 1):
            most = useful(knapsack, profit, weights, float(least))
            assert (most <= knapsack.most).all()
            dropped += int((knapsack.most - most).sum())
            for tasks, value in values.items():
                if value > least:
                    assert (np.bincount(tasks, minlength=profit.size) <= most).all()
    assert dropped >= 300
