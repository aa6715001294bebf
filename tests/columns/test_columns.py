"""Column generation: its bound, its columns and its proofs against brute force."""

import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import oracle
import pytest
from random_instances import random_instances
from sessions import generated

from instances import from_spec
from solver import Status, check, cost_of, lower_bound, solve
from solver.bounds.infeasible import why_infeasible
from solver.bounds.linear import linear_bound
from solver.columns.program import columns_of, decode, set_model
from solver.judge.cost import cost_in_units, in_user_units
from solver.methods import Options
from solver.methods.best import Best
from solver.methods.column_generation import column_generation, prove
from solver.problem.problem import Problem


def options(**changes):
    return replace(Options(deadline=time.monotonic() + 60), **changes)


def solvable(count, seed, **shape):
    for instance in random_instances(count, seed, **shape):
        best = oracle.brute_force(instance)
        problem = Problem(instance)
        if best is not None and why_infeasible(problem) is None:
            yield instance, problem, best


def test_the_bound_never_exceeds_the_optimum():
    """From no columns at all, so that nothing is known but what pricing finds."""
    compared = tight = 0
    for instance, problem, best in solvable(500, seed=41):
        made = generated(problem)
        units = problem.outer_grid.bound_in_units(made.bound)
        bound = in_user_units(instance, max(0, units), floor=True)
        assert made.converged
        assert bound <= best.cost
        compared += 1
        tight += bound == best.cost
    assert compared >= 360
    assert tight >= 0.6 * compared


def test_it_is_at_least_the_linear_bound_where_it_converges():
    better = 0
    for seed in range(4):
        problem = Problem(from_spec(f"few_per_node:nodes=8,seed={seed}"))
        made = generated(problem)
        strong = problem.outer_grid.bound_in_units(made.bound)
        assert made.converged
        assert strong >= linear_bound(problem, 20.0)
        better += strong > linear_bound(problem, 20.0)
    assert better >= 3


@pytest.mark.parametrize(
    ("shape", "count", "least"), [({}, 500, 250), ({"integers": False}, 60, 8)]
)
def test_what_is_proved_without_any_help_is_optimal(shape, count, least):
    """The proof alone: no baseline, no closed form; only a poor allocation to begin with."""
    proved = 0
    for instance, problem, best in solvable(count, seed=43, **shape):
        worst = solve(instance, "blocks").allocation
        if worst is None:
            continue
        within = options(deadline=time.monotonic() + 3)
        run = Best.of(problem, replace(within, start=worst.node_index))
        prove(problem, within, run)
        cost = Fraction(run.cost, instance.exact.cost_scale)
        assert check(instance, run.node_index) == []
        assert cost >= best.cost
        if run.bound is not None:
            assert run.bound <= run.cost
        if run.cost == run.bound:
            assert cost == best.cost
            proved += 1
    assert proved >= least


def test_enumeration_holds_the_columns_of_every_better_allocation():
    for instance, problem, best in solvable(60, seed=47):
        made = generated(problem)
        grid = problem.grid
        units = cost_in_units(instance, np.array(best.positions))
        cost = (units - grid.offset) // grid.cost_unit
        columns, complete = made.list_columns(cost, 100_000, 20.0)
        assert complete
        assert set(columns_of(problem, np.array(best.positions))) <= set(columns)
        assert len(set(columns)) == len(columns)


def test_columns_and_allocations_go_back_and_forth():
    for instance, problem, best in solvable(40, seed=53):
        node_index = np.array(best.positions)
        columns = columns_of(problem, node_index)
        kinds = sorted(set(columns))
        values = np.array([columns.count(column) for column in kinds])
        model = set_model(problem, kinds, exactly=True)
        again = decode(problem, kinds, values)
        assert cost_of(instance, again) == cost_of(instance, node_index)
        grid = problem.grid
        objective = int((model.objective * values).sum())
        assert grid.offset + grid.cost_unit * objective == cost_in_units(instance, node_index)


def test_fractions_of_a_stopped_solver_are_no_allocation():
    problem = Problem(from_spec("few_per_node:nodes=4,seed=1"))
    node_index = solve(problem.instance, "greedy").allocation.node_index
    columns = columns_of(problem, node_index)
    assert decode(problem, columns, np.ones(len(columns))) is not None
    assert decode(problem, columns, np.full(len(columns), 0.4)) is None
    assert decode(problem, columns, np.full(len(columns), 1.6)) is None


@pytest.mark.parametrize("limit", [0.0, 0.05, 0.2, 0.5])
def test_a_bound_cut_short_is_valid(limit):
    problem = Problem(from_spec("few_per_node:nodes=60,tasks_per_node=3,storage=0.95"))
    made = generated(problem, (), limit)
    assert limit > 0 or not made.converged
    hidden = solve(problem.instance, "greedy")
    if made.bound is not None:
        assert problem.outer_grid.bound_in_units(made.bound) <= cost_in_units(
            problem.instance, hidden.allocation.node_index
        )


def test_the_method_proves_what_the_assignment_model_cannot():
    instance = from_spec("few_per_node:nodes=8,seed=3")
    result = solve(instance, "column-generation", time_limit=60)
    assert result.status is Status.OPTIMAL
    assert check(instance, result.allocation) == []


def test_its_incumbents_and_bounds_never_cross():
    instance = from_spec("few_per_node:nodes=9,node_types=three,seed=2")
    costs, bounds = [], []
    told = {
        "on_incumbent": lambda x: costs.append(cost_in_units(instance, x)),
        "on_bound": lambda bound, _: bounds.append(bound),
    }
    column_generation(Problem(instance), options(**told))
    assert bounds == sorted(bounds)
    assert costs == sorted(costs, reverse=True)
    assert bounds[-1] <= costs[-1]


def test_lower_bound_offers_it_by_name():
    instance = from_spec("few_per_node:nodes=8,seed=1")
    strong = lower_bound(instance, "column-generation")
    assert strong >= lower_bound(instance, "linear")
    assert strong <= solve(instance, time_limit=20).cost
