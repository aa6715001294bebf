import numpy as np
import oracle
import pytest
from linear_rows import rows_hold
from random_instances import random_instances

from solver import check, cost_of
from solver.judge.cost import cost_in_units
from solver.problem.problem import Problem
from solver.programs.assignment import assignment_model, count_cells


def feasible_allocations(instance, rng, tries=60):
    found = []
    for _ in range(tries):
        anywhere = rng.integers(0, instance.num_nodes, instance.num_tasks)
        if check(instance, anywhere) == []:
            found.append(anywhere)
    return found


@pytest.mark.parametrize("integers", [True, False])
def test_every_allocation_has_its_place_in_the_model_up_to_identical_nodes(integers):
    rng = np.random.default_rng(1)
    encoded = 0
    for instance in random_instances(80, seed=96, integers=integers):
        problem = Problem(instance)
        grid = problem.grid
        built = assignment_model(problem, grid)
        for allocation in feasible_allocations(instance, rng):
            values = built.hint(allocation)
            if values is None:
                assert not grid.exact_limits
                continue
            assert rows_hold(built.model, values)
            back = built.decode(values)
            assert check(instance, back) == []
            assert cost_of(instance, back) == cost_of(instance, allocation)
            if grid.exact_cost:
                value = grid.offset + grid.cost_unit * built.objective_of(allocation)
                assert value == cost_in_units(instance, allocation)
            encoded += 1
    assert encoded >= 100


def test_the_model_lets_nothing_infeasible_through():
    """Random whole values that keep all rows decode to allocations that keep all rules."""
    rng = np.random.default_rng(2)
    passed = 0
    for instance in random_instances(60, seed=97):
        problem = Problem(instance)
        built = assignment_model(problem, problem.grid)
        for _ in range(40):
            anywhere = rng.integers(0, instance.num_nodes, instance.num_tasks)
            keeps = problem.grid.keeps_limits(anywhere)
            if check(instance, anywhere) != [] or not keeps:
                continue
            values = built.encode(anywhere)
            cells = built.cell_class.size
            if cells < 2:
                continue
            a, b = rng.choice(cells, 2, replace=False)  # move one task to another cell
            moved = values.copy()
            moved[a] -= 1
            moved[b] += 1
            if rows_hold(built.model, moved):
                assert check(instance, built.decode(moved)) == []
                passed += 1
    assert passed >= 5


def test_cells_are_counted_before_they_are_built():
    for instance in random_instances(40, seed=98):
        problem = Problem(instance)
        assert assignment_model(problem, problem.grid).cell_class.size <= count_cells(problem)


def test_identical_nodes_leave_cells_out_and_keep_an_optimum():
    for instance in random_instances(40, seed=99):
        best = oracle.brute_force(instance)
        if best is None:
            continue
        problem = Problem(instance)
        built = assignment_model(problem, problem.grid)
        values = built.encode(np.array(best.positions))
        assert rows_hold(built.model, values)
        assert cost_of(instance, built.decode(values)) == best.cost
