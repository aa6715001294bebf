from fractions import Fraction

import numpy as np
import oracle
import pytest
from random_instances import random_instances

from solver import Instance, lower_bound
from solver.bounds.closed_form import closed_form_bound
from solver.bounds.lagrangian import lagrangian_bound
from solver.bounds.linear import linear_bound
from solver.judge.cost import cost_in_units
from solver.problem.attainable import round_up_to_attainable
from solver.problem.problem import Problem
from solver.programs.relaxation import Multipliers


def solved(count, seed, **kind):
    """Random instances with an allocation, and their optimum in exact units."""
    for instance in random_instances(count, seed=seed, **kind):
        best = oracle.brute_force(instance)
        if best is not None:
            yield instance, Fraction(best.cost) * instance.exact.cost_scale


def random_prices(problem, rng):
    """Prices of any size, some of them nought; far above the overload prices too."""
    K, G = problem.fits.shape
    d = problem.instance.exact.needs.shape[1]
    size = 10.0 ** rng.integers(-8, 12)

    def some(shape, share):
        return rng.random(shape) * size * (rng.random(shape) < share)

    opening = some((K, G), 0.5) if problem.instance.power_off else None
    return Multipliers(
        some(G, 0.8),
        some(G, 0.5),
        some((G, d), 0.7),
        opening,
        cost_unit=int(rng.integers(1, 9)),
        compute_unit=int(rng.integers(1, 4)),
        need_units=tuple(rng.integers(1, 4, size=d).tolist()),
    )


@pytest.mark.parametrize("integers", [True, False])
def test_the_lagrangian_never_passes_the_optimum_whatever_the_prices(integers):
    rng = np.random.default_rng(17)
    for instance, optimum in solved(150, seed=71, integers=integers):
        problem = Problem(instance)
        for _ in range(6):
            assert lagrangian_bound(problem, random_prices(problem, rng)) <= optimum


@pytest.mark.parametrize("integers", [True, False])
def test_closed_form_linear_and_optimum_are_in_order(integers):
    tight = 0
    for instance, optimum in solved(120, seed=72, integers=integers):
        problem = Problem(instance)
        linear = linear_bound(problem)
        assert closed_form_bound(problem) <= linear <= optimum
        tight += linear == optimum
    assert tight >= 20


def test_rounding_up_never_passes_an_attained_cost():
    rng = np.random.default_rng(5)
    for instance in random_instances(60, seed=73):
        problem = Problem(instance)
        for _ in range(5):
            anywhere = rng.integers(0, instance.num_nodes, instance.num_tasks)
            cost = cost_in_units(instance, anywhere)
            assert round_up_to_attainable(problem, cost) == cost
            below = cost - int(rng.integers(0, 50))
            assert below <= round_up_to_attainable(problem, below) <= cost


def test_the_closed_form_by_hand():
    """11 units on capacities 4 and 4: 3 of overload, at price 2 rather than 5."""
    instance = Instance.from_arrays(
        node_compute=[4, 4],
        node_price=[3, 3],
        node_overload_price=[5, 2],
        task_compute=[6, 5],
    )
    assert lower_bound(instance, "closed-form") == 24 + 6
    capped = Instance.from_arrays(
        node_compute=[4, 4],
        node_price=[3, 3],
        node_overload_price=[5, 2],
        task_compute=[6, 5],
        max_load=1.5,
    )
    assert lower_bound(capped, "closed-form") == 24 + 2 * 2 + 1 * 5
    off = Instance.from_arrays(node_compute=[4, 4], task_compute=[3], power_off=True)
    assert lower_bound(off, "closed-form") == 12
    assert lower_bound(off, "linear") == 16  # whatever is put on a node opens it


def test_the_linear_bound_sees_eligibility_and_storage():
    eligible = Instance.from_arrays(
        node_compute=[10, 10],
        node_kind=["a", "b"],
        task_compute=[8, 8],
        task_eligible=[["a"], ["a"]],
    )
    assert lower_bound(eligible, "closed-form") == 200
    assert lower_bound(eligible, "linear") == 260
    storage = Instance.from_arrays(
        node_compute=[10, 10],
        node_storage=[10, 0],
        task_compute=[8, 8],
        task_storage=[5, 5],
    )
    assert lower_bound(storage, "linear") == 260


def test_a_task_larger_than_its_node_brings_overload():
    """Four tasks of 15 on six nodes of 10: each overloads its node by 5, though all fit in sum."""
    instance = Instance.from_arrays(node_compute=[10] * 6, task_compute=[15] * 4)
    assert lower_bound(instance, "closed-form") == 600
    assert lower_bound(instance, "linear") == 800
