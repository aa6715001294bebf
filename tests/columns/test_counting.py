"""Branching on how many nodes of each class are on: against brute force and the oracle."""

import itertools
import math
from dataclasses import replace

import numpy as np
import oracle
import pytest
from nightly import cases
from random_instances import random_instances
from sessions import generated
from whole_brute_force import brute_force
from whole_instances import whole_instances
from wide_instances import wide_instances

from instances import from_spec
from solver import Instance, Node, Status, Task, check, solve
from solver.bounds.infeasible import why_infeasible
from solver.columns.counting.numbers import Cut, NumbersProgram
from solver.columns.counting.packing import pack_nodes
from solver.columns.counting.table import costs_nothing_else, may_count
from solver.columns.program import decode
from solver.judge.cost import cost_in_units, in_user_units
from solver.problem.problem import Problem


def programs(count, seed):
    """Random programs of few numbers, with cuts that bind."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        G = int(rng.integers(1, 5))
        most = rng.integers(0, 5, G).tolist()
        idle = (rng.integers(0, 30, G) * int(rng.choice([1, 10**15]))).tolist()
        program = NumbersProgram(idle, most, bool(rng.random() < 0.5))
        for _ in range(int(rng.integers(0, 5))):
            shift, values = int(rng.integers(0, 4)), rng.integers(0, 60, G).tolist()
            reach = sum(v * n for v, n in zip(values, most, strict=True))
            program.add(Cut(shift, int(rng.random() * 1.1 * reach), tuple(values)))
        # Of nodes that cost nothing all are on.
        ranges = [range(0 if p else n, n + 1) for p, n in zip(idle, most, strict=True)]
        yield program, list(itertools.product(*ranges))


def test_the_program_of_numbers_is_solved_exactly():
    rng, solved = np.random.default_rng(3), 0
    for program, choices in programs(400, 7):
        for _ in range(3):
            costs = {n: program.cost(n) for n in choices if n not in program.excluded}
            least = min((c for c in costs.values() if c is not None), default=math.inf)
            below = int(rng.integers(1, 200)) * int(rng.choice([1, 10**15]))
            cost, numbers = program.least(below)
            assert cost == min(least, below)
            if least >= below:
                assert numbers is None
                break
            assert costs[numbers] == least
            solved += 1
            program.excluded.add(numbers)
    assert solved >= 300


def test_ratios_that_floats_call_equal_are_told_apart():
    """Of classes that all pay, as at the optimum of the master, the ratios are nearly equal."""
    rng, shift = np.random.default_rng(11), 40
    for _ in range(400):
        G = int(rng.integers(2, 5))
        idle, most = rng.integers(1, 40, G).tolist(), rng.integers(1, 5, G).tolist()
        values = [(p << shift) + int(rng.integers(-3, 4)) for p in idle]
        program = NumbersProgram(idle, most, True)
        wanted = [int(rng.integers(0, n + 1)) for n in most]
        program.add(Cut(shift, sum(v * n for v, n in zip(values, wanted, strict=True)), (*values,)))
        choices = itertools.product(*(range(n + 1) for n in most))
        costs = [cost for cost in map(program.cost, choices) if cost is not None]
        assert program.least(10**9)[0] == min(costs)


def counted(problem, upper=None, seconds=20.0):
    """The bound on the cost and the allocations that counting nodes comes to."""
    made = generated(problem)
    bounds, found = [problem.outer_grid.bound_in_units(made.bound)], []
    made.count_nodes(
        seconds, upper, made.bound, 100, 0,
        on_allocation=lambda columns: found.append(decode(problem, columns, np.ones(len(columns)))),
        on_bound=bounds.append,
    )  # fmt: skip
    return max(bounds), [each for each in found if each is not None]


def compare(problem, best_units):
    """Whether the bound is the optimum, having checked that nothing is wrong."""
    bound, found = counted(problem)
    assert bound <= best_units
    for node_index in found:
        if not check(problem.instance, node_index):
            assert cost_in_units(problem.instance, node_index) >= best_units
    return bound == best_units


@pytest.mark.parametrize(("integers", "share"), [(True, 0.6), (False, 0.1)])
def test_the_bound_by_numbers_never_exceeds_the_optimum(integers, share):
    compared = tight = 0
    for instance in random_instances(cases(220, 2000), seed=59, integers=integers):
        problem, best = Problem(instance), oracle.brute_force(instance)
        if best is None or why_infeasible(problem) is not None or not instance.power_off:
            continue
        tight += compare(problem, best.cost * instance.exact.cost_scale)
        compared += 1
    assert compared >= 30
    assert tight >= share * compared


def test_with_wide_numbers_the_bound_by_numbers_never_exceeds_the_optimum():
    compared = 0
    for instance in wide_instances(cases(80, 800), seed=61):
        changed = instance.replace(power_off=True)
        problem, best = Problem(changed), oracle.brute_force(changed)
        if best is None or why_infeasible(problem) is not None:
            continue
        bound, _ = counted(problem)
        assert in_user_units(changed, max(0, bound), floor=True) <= best.cost
        compared += 1
    assert compared >= 20


def test_of_modes_the_bound_by_numbers_never_exceeds_the_optimum():
    compared = 0
    for case in whole_instances(cases(150, 1500), 67):
        if case.instance.is_plain or not case.instance.power_off:
            continue
        best, problem = brute_force(case.instance, case.homes), Problem(case.instance)
        if best is None:
            continue
        compare(problem, best.cost * case.instance.exact.cost_scale)
        compared += 1
    assert compared >= 20


def test_a_fleet_is_proved_by_its_numbers():
    instance = from_spec("fleet:nodes=6,tasks=50,seed=0")
    problem = Problem(instance)
    bound, found = counted(problem)
    assert check(instance, found[-1]) == []
    assert cost_in_units(instance, found[-1]) == bound


def test_only_nodes_have_a_cost_where_nothing_else_has():
    node, task = Node("a", 10, fixed_cost=5), Task("t", 4)
    plain = Instance([node], [task], max_load=1, power_off=True)
    table = Problem(plain).outer_table
    assert costs_nothing_else(table)
    assert may_count(table)
    loaded = replace(table, needs=np.zeros((1, 0), dtype=np.int64), capacity=np.zeros((1, 0)))
    assert not costs_nothing_else(replace(loaded, overload_price=np.array([3])))
    assert costs_nothing_else(replace(loaded, overload_price=np.array([0])))
    assert not costs_nothing_else(replace(table, use_price=np.array([1])))
    assert not may_count(replace(table, idle_cost=np.array([0])))


def test_what_is_packed_is_an_allocation():
    packed = 0
    rng = np.random.default_rng(5)
    for seed in range(4):
        instance = from_spec(f"fleet:nodes=5,tasks=40,seed={seed}")
        problem = Problem(instance)
        for numbers in ((0, 0, 0, 0, 0, 3), (1, 1, 1, 0, 1, 2), (0, 0, 0, 0, 1, 0), (5,) * 6):
            columns = pack_nodes(problem.outer_table, numbers, 100_000, rng)
            if columns is None:
                continue
            packed += 1
            assert check(instance, decode(problem, columns, np.ones(len(columns)))) == []
            used = np.bincount([g for g, _ in columns], minlength=6)
            assert (used <= np.array(numbers)).all()
    assert packed >= 6


def test_the_method_proves_rentals_of_eighths():
    rng = np.random.default_rng(1)
    sizes = ((1, 1.29, 12), (2, 3.1, 30), (4, 5.8, 50), (8, 12.4, 90))
    nodes = [
        Node(f"{gpus}-{i}", 8 * gpus, fixed_cost=price, resources={"vcpu": cpus}, kind=f"g{gpus}")
        for gpus, price, cpus in sizes
        for i in range(8)
    ]
    tasks = [
        Task(f"t{j}", int(e), resources={"vcpu": int(rng.integers(1, 2 + e))})
        for j, e in enumerate(rng.choice([1, 2, 3, 4, 6, 8, 16, 32], size=40).tolist())
    ]
    instance = Instance(nodes, tasks, max_load=1, power_off="rented")
    result = solve(instance, "column-generation", time_limit=30)
    assert result.status is Status.OPTIMAL
    assert check(instance, result.allocation) == []
