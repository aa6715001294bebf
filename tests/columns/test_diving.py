"""Diving: allocations that hold what they say, repeatable, within what is left."""

import numpy as np
from random_instances import random_instances
from sessions import generated

from instances import from_spec
from solver import check
from solver.bounds.infeasible import why_infeasible
from solver.columns.generation import Generation
from solver.columns.program import decode
from solver.judge.cost import cost_in_units
from solver.problem.problem import Problem


def dives(problem, seed=0, seconds=20.0):
    """The allocations that diving finds, from the columns of the relaxation."""
    made = generated(problem)
    found = []
    made.dive(seconds, 1000, None, made.bound, seed, found.append)
    assert {column for allocation in found for column in allocation} <= set(made.columns)
    return made, found


def cost_of_columns(problem, columns):
    data = problem.outer_table
    return sum(data.cost(g, list(tasks)) for g, tasks in columns)


def test_every_allocation_is_whole_feasible_and_cheaper_than_the_one_before():
    reached = 0
    problems = [Problem(instance) for instance in random_instances(60, seed=97)]
    problems += [Problem(from_spec(f"few_per_node:nodes=8,seed={seed}")) for seed in range(3)]
    for problem in problems:
        if why_infeasible(problem) is not None:
            continue
        made, found = dives(problem, seconds=1.0)
        costs = []
        for columns in found:
            node_index = decode(problem, columns, np.ones(len(columns)))
            assert check(problem.instance, node_index) == []
            costs.append(cost_of_columns(problem, columns))
            units = cost_in_units(problem.instance, node_index)
            grid = problem.grid
            if grid.exact:
                assert grid.offset + grid.cost_unit * costs[-1] == units
        assert costs == sorted(costs, reverse=True)
        assert len(set(costs)) == len(costs)
        assert not costs or costs[-1] >= made.bound
        reached += bool(costs) and costs[-1] == made.bound
    assert reached >= 20


def test_the_same_dives_again():
    problem = Problem(from_spec("few_per_node:nodes=7,node_types=three,seed=2"))
    for seed in (0, 3):
        _, first = dives(problem, seed)
        _, again = dives(problem, seed)
        assert first
        assert first == again[: len(first)] or again == first[: len(again)]


def test_a_master_of_what_is_left_bounds_what_is_left():
    """After an optimal column is fixed, the rest costs no more than the whole less it."""
    problem = Problem(from_spec("few_per_node:nodes=6,seed=5"))
    data = problem.outer_table
    made, found = dives(problem)
    master = Generation(data)
    for each in made.columns:
        master.add(*each)
    assert master.iterate()
    whole = master.answer.value
    column = found[-1][0]
    g, tasks = column
    count, nodes = data.count.copy(), data.node_count.copy()
    np.subtract.at(count, list(tasks), 1)
    nodes[g] -= 1
    master.restrict(count, nodes)
    assert master.iterate()
    rest = master.answer.value
    left = [c for c in found[-1] if c is not column]
    assert rest <= cost_of_columns(problem, left) + 1e-6
    assert rest + data.cost(g, list(tasks)) >= whole - 1e-6
    used = np.flatnonzero(master.answer.amounts > 1e-9)
    amounts = np.zeros(data.demand.size)
    for c in used.tolist():
        np.add.at(amounts, list(master.columns[c][1]), master.answer.amounts[c])
    assert (amounts >= count - 1e-6).all()
    master.restrict(data.count, data.node_count)
    assert master.iterate()
    assert abs(master.answer.value - whole) <= 1e-6 * max(1.0, whole)
