"""Branch and price against brute force and against the other proofs."""

import importlib
import time
from dataclasses import replace

import numpy as np
import oracle
import pytest
from random_instances import random_instances
from sessions import generated

from instances import from_spec
from solver import check, solve
from solver.bounds.infeasible import why_infeasible
from solver.columns.program import columns_of, decode
from solver.columns.session import Session
from solver.judge.cost import cost_in_units, in_user_units
from solver.methods import Options
from solver.methods.best import Best
from solver.problem.problem import Problem
from solver.settings import COLUMN_GENERATION


def grid_cost(problem, node_index):
    units = cost_in_units(problem.instance, node_index)
    return (units - problem.grid.offset) // problem.grid.cost_unit


def branch(problem, upper, start, seconds=20.0):
    """Bounds and allocations that branching alone finds, from a useless bound."""
    bounds, found = [], []
    session = Session(problem)
    session.add(start)
    parts = session.branch(seconds, upper, -(10**15), found.append, bounds.append)
    return parts, bounds, found


def test_bounds_and_allocations_meet_at_the_optimum():
    proved = parts_in_all = 0
    for instance in random_instances(300, seed=101):
        best = oracle.brute_force(instance)
        problem = Problem(instance)
        if best is None or why_infeasible(problem) is not None or not problem.grid.exact:
            continue
        optimum = cost_in_units(instance, np.array(best.positions))
        above = grid_cost(problem, np.array(best.positions)) + 1
        parts, bounds, found = branch(problem, above, [], seconds=5.0)
        assert bounds == sorted(bounds)
        assert bounds[-1] <= optimum
        parts_in_all += parts
        for columns in found:
            node_index = decode(problem, columns, np.ones(len(columns)))
            assert check(instance, node_index) == []
            assert cost_in_units(instance, node_index) == optimum
        proved += bool(found) and bounds[-1] == optimum
    assert proved >= 150
    assert parts_in_all > proved


@pytest.mark.parametrize(
    "spec",
    [
        "few_per_node:nodes=8,seed=3",
        "few_per_node:nodes=9,node_types=three,seed=2",
        "few_per_node:nodes=8,tasks_per_node=4,storage=0.95,seed=1",
    ],
)
def test_it_proves_what_the_relaxation_leaves_open(spec):
    problem = Problem(from_spec(spec))
    known = solve(problem.instance, time_limit=60)
    assert known.status.value == "optimal"
    made = generated(problem)
    optimum = cost_in_units(problem.instance, known.allocation.node_index)
    upper = grid_cost(problem, known.allocation.node_index) + 1
    parts, bounds, found = branch(problem, upper, made.columns, seconds=60.0)
    assert bounds[-1] == optimum
    assert found
    assert parts >= 1


def test_the_method_branches_where_columns_are_too_many_to_list(monkeypatch):
    module = importlib.import_module("solver.methods.column_generation")
    parts = []

    branch_on = Session.branch

    def watched(*given, **told):
        parts.append(branch_on(*given, **told))
        return parts[-1]

    instances = [
        from_spec(f"few_per_node:nodes=7,node_types=three,seed={seed}") for seed in range(3)
    ]
    optima = [solve(instance, time_limit=60).cost for instance in instances]
    monkeypatch.setattr(module, "COLUMN_GENERATION", replace(COLUMN_GENERATION, most_columns=3))
    monkeypatch.setattr(module, "may_close", lambda table: False)
    monkeypatch.setattr(Session, "branch", watched)
    proved = 0
    for instance, optimum in zip(instances, optima, strict=True):
        problem = Problem(instance)
        options = Options(deadline=time.monotonic() + 12)
        poor = solve(problem.instance, "greedy").allocation.node_index
        best = Best.of(problem, replace(options, start=poor))
        module.prove(problem, options, best)
        assert check(problem.instance, best.node_index) == []
        assert best.bound <= best.cost
        assert in_user_units(instance, best.bound) <= optimum
        assert in_user_units(instance, best.cost) >= optimum
        proved += best.settled()
    assert proved >= 2
    assert any(parts)


def test_classes_of_several_tasks_are_split_where_nothing_else_is_fractional():
    """Five tasks of 3 on three nodes of 5: the relaxation shares what cannot be shared."""
    from solver import Instance

    instance = Instance.from_arrays(
        node_compute=[5, 5, 5], node_price=[1, 1, 1], task_compute=[3] * 5
    )
    problem = Problem(instance)
    best = oracle.brute_force(instance)
    optimum = cost_in_units(instance, np.array(best.positions))
    _, bounds, found = branch(problem, grid_cost(problem, np.array(best.positions)) + 1, [])
    assert bounds[-1] == optimum
    assert len(found) == 1
    assert len(problem.outer_table.count) == 1
    assert sorted(len(tasks) for _, tasks in found[0]) == [1, 2, 2]
    assert sorted(columns_of(problem, decode(problem, found[0], np.ones(3)))) == sorted(found[0])
