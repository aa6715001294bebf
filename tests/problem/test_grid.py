from fractions import Fraction

import numpy as np
import oracle
import pytest
from random_instances import random_instances

from solver import Instance, check
from solver.judge.cost import cost_in_units
from solver.problem.grid import Width, make_grid


def grid_cost(instance, grid, node_index):
    """Cost on the grid: overload and idle cost of the nodes that are on."""
    n = instance.num_nodes
    load = np.zeros(n, dtype=object)
    np.add.at(load, node_index, grid.task_compute.astype(object))
    on = (np.bincount(node_index, minlength=n) > 0) & instance.power_off
    over = np.maximum(0, load - grid.node_compute)
    return int((grid.overload_price * over).sum()) + int((grid.idle_cost * on).sum())


def wide_instance(rng):
    """Numbers of up to 17 digits, so that every grid must round."""
    n, m = int(rng.integers(2, 4)), int(rng.integers(3, 7))
    big = 10 ** int(rng.integers(9, 17))
    storage = rng.integers(1, big, m)
    return Instance.from_arrays(
        node_compute=rng.integers(1, big, n),
        node_storage=rng.integers(int(storage.sum()) // n, int(storage.sum()) + 1, n),
        node_overload_price=rng.integers(1, big, n),
        task_compute=rng.integers(1, big, m),
        task_storage=storage,
        power_off=bool(rng.random() < 0.5),
        max_load=None if rng.random() < 0.5 else 1.75,
    )


def cases():
    rng = np.random.default_rng(12)
    yield from random_instances(60, seed=94)
    yield from random_instances(60, seed=95, integers=False)
    yield from (wide_instance(rng) for _ in range(60))


@pytest.mark.parametrize("width", list(Width))
def test_feasible_on_the_grid_is_feasible_by_the_checker(width):
    rng = np.random.default_rng(3)
    kept = 0
    for instance in cases():
        grid = make_grid(instance, width)
        for _ in range(6):
            anywhere = rng.integers(0, instance.num_nodes, instance.num_tasks)
            if grid.keeps_limits(anywhere):
                broken = {violation.rule for violation in check(instance, anywhere)}
                assert broken <= {"eligible"}
                kept += 1
            elif grid.exact_limits:
                assert check(instance, anywhere) != []
    assert kept >= 50


@pytest.mark.parametrize("width", list(Width))
def test_the_cost_on_the_outer_grid_is_exact_where_it_says_so_and_else_bounds_the_cost(width):
    rng = np.random.default_rng(4)
    exact = rounded = 0
    for instance in cases():
        grid = make_grid(instance, width, outer=True)
        for _ in range(4):
            anywhere = rng.integers(0, instance.num_nodes, instance.num_tasks)
            on_grid = grid_cost(instance, grid, anywhere)
            cost = cost_in_units(instance, anywhere)
            value = grid.offset + grid.cost_unit * on_grid
            if grid.exact_cost:
                assert value == cost
                exact += 1
            else:
                assert value <= cost
                rounded += 1
    assert exact >= 50
    assert rounded >= 50


@pytest.mark.parametrize("width", list(Width))
def test_sums_on_the_grid_stay_within_its_width(width):
    for instance in cases():
        grid = make_grid(instance, width)
        load, dearest = int(grid.task_compute.sum()), int(grid.overload_price.max())
        assert dearest * load * instance.num_nodes < 2**62
        assert all(int(total) < 2**62 for total in grid.needs.sum(axis=0, dtype=object))


def test_a_bound_on_the_grid_is_a_bound_on_the_cost():
    rng = np.random.default_rng(6)
    compared = 0
    for _ in range(60):
        instance = wide_instance(rng)
        best = oracle.brute_force(instance)
        grid = make_grid(instance, outer=True)
        if best is None:
            continue
        least = min(
            grid_cost(instance, grid, np.array(places))
            for places in np.ndindex(*(instance.num_nodes,) * instance.num_tasks)
            if check(instance, np.array(places)) == []
        )
        assert grid.bound_in_units(least) <= Fraction(best.cost) * instance.exact.cost_scale
        compared += 1
    assert compared >= 10
