"""The judge and the oracle on any placement, feasible or not: the same verdict, the same cost."""

from fractions import Fraction

import pytest
import whole_oracle
from whole_brute_force import brute_force
from whole_draws import NUMBERS
from whole_instances import random_placement, whole_instances
from whole_oracle import as_number

from solver.judge.check import check
from solver.judge.cost import cost_of, cost_parts, energy_of


@pytest.mark.parametrize("batch", range(10))
def test_the_judge_agrees_on_any_placement(batch):
    feasible = 0
    for instance, homes in whole_instances(30, seed=9_500 + batch, numbers=NUMBERS[batch % 3]):
        drawn = [random_placement(instance, homes, seed) for seed in range(3)]
        best = brute_force(instance, homes)
        for placement in drawn if best is None else [*drawn, best.placement]:
            node_index = whole_oracle.node_index_of(instance, placement)
            allowed = whole_oracle.feasible(instance, homes, placement)
            assert (check(instance, node_index) == []) == allowed
            feasible += allowed
            require_same_cost(instance, homes, placement, node_index)
    assert feasible >= 20


def require_same_cost(instance, homes, placement, node_index):
    for task, choice in zip(instance.tasks, placement, strict=True):
        if choice is None and task.skip_price is None:
            return
        if choice is not None and len(set(choice[1])) < len(choice[1]):
            return
    expected = whole_oracle.cost_parts(instance, homes, placement)
    assert cost_of(instance, node_index) == as_number(sum(expected.values(), Fraction(0)))
    for name, amount in cost_parts(instance, node_index).items():
        assert amount == as_number(expected.get(name, Fraction(0))), name
    if instance.energy is not None:
        kwh = whole_oracle.kwh(instance, placement)
        assert energy_of(instance, node_index)["kwh"] == as_number(kwh)
