"""Patterns: filling a node, merging classes alike, and what the exact model adds."""

import itertools
import time

import numpy as np
import pytest
from nightly import cases
from whole_brute_force import brute_force
from whole_instances import whole_instances

from instances import from_spec
from solver import Limit, Node, Spread, Task, Variant, check
from solver.bounds.modes.linear import relaxation_solution
from solver.columns.modes.domains import deal_evenly, expand, merge_domains
from solver.columns.modes.program import deal_columns
from solver.columns.modes.remainder import remainder_model
from solver.columns.modes.table import mode_table
from solver.engines.limits import CP_SAT
from solver.engines.process import run_job
from solver.judge.cost import cost_in_units
from solver.kernels.tables import Knapsack
from solver.kernels.whole.filling import Groups, fill_node
from solver.methods.base import Options
from solver.methods.whole.patterns import pattern_start, suits_patterns
from solver.model.instance import Instance
from solver.problem.problem import Problem


def groups_of(rng, count):
    """Items in random groups, each with a limit."""
    group = rng.integers(0, 3, count)
    items = np.argsort(group, kind="stable").astype(np.int64)
    start = np.searchsorted(group[items], np.arange(4)).astype(np.int64)
    return Groups(start, items, group, rng.integers(0, 4, 3))


def knapsack(rng, dims):
    count = int(rng.integers(1, 5))
    needs = rng.integers(0, 6, (count, dims))
    return Knapsack(
        demand=rng.integers(0, 6, count),
        most=np.full(count, 3),
        needs=needs,
        node_compute=int(rng.integers(0, 12)),
        overload_price=int(rng.integers(0, 3)),
        idle_cost=int(rng.integers(0, 3)),
        capacity=rng.integers(0, 16, dims),
        apart=np.zeros((0, 0), dtype=np.bool_),
    )


def holds(bag, groups, allowed, amounts):
    """Whether a node may hold these amounts."""
    in_group = np.bincount(groups.group, amounts, minlength=groups.most.size)
    return (
        (amounts <= allowed).all()
        and (amounts @ bag.needs <= bag.capacity).all()
        and (in_group <= groups.most).all()
    )


def value_of(bag, profit, amounts):
    above = max(0, int(amounts @ bag.demand) - bag.node_compute)
    return int(amounts @ profit) - bag.overload_price * above


def test_a_filled_node_keeps_all_limits():
    rng = np.random.default_rng(0)
    filled = 0
    for _ in range(cases(300, 5_000)):
        bag = knapsack(rng, int(rng.integers(1, 4)))
        groups = groups_of(rng, bag.demand.size)
        profit = rng.integers(0, 20, bag.demand.size)
        allowed = rng.integers(0, 4, bag.demand.size)
        amounts = np.zeros(profit.size, dtype=np.int64)
        weights = rng.random(1 + bag.capacity.size) * 3
        kept = int(rng.integers(bag.capacity.size))
        fill_node(bag, profit, allowed, weights, kept, 8, groups, amounts)
        assert holds(bag, groups, allowed, amounts)
        filled += amounts.any()
    assert filled > 100


def test_with_one_capacity_and_room_for_compute_the_best_set_is_found():
    rng = np.random.default_rng(1)
    for _ in range(cases(300, 5_000)):
        bag = knapsack(rng, 1)._replace(node_compute=1000)
        groups = groups_of(rng, bag.demand.size)
        profit = rng.integers(0, 20, bag.demand.size)
        amounts = np.zeros(profit.size, dtype=np.int64)
        allowed = np.full(profit.size, 3)
        fill_node(bag, profit, allowed, np.zeros(2), 0, 99, groups, amounts)
        every = (np.array(a) for a in itertools.product(range(4), repeat=profit.size))
        best = max(value_of(bag, profit, a) for a in every if holds(bag, groups, allowed, a))
        assert value_of(bag, profit, amounts) == best


def zoned(sizes, *, replicas=12, skew=1, most=3):
    """Two models in zones of so many nodes each, of one kind."""
    nodes = [
        Node(f"{zone}{i}", 10, 40, fixed_cost=5, overload_price=9, labels={"zone": zone})
        for zone, count in sizes.items()
        for i in range(count)
    ]
    models = {
        "a": [Variant("large", compute=3, storage=16), Variant("small", 3, 8, price=1)],
        "b": [Variant("only", compute=2, storage=12)],
    }
    tasks = [Task(name, model=name, replicas=replicas) for name in models]
    rules = [*(Spread(m, "zone", skew) for m in models), *(Limit(m, "node", most) for m in models)]
    return Instance(nodes, tasks, models=models, rules=rules, power_off="rented", max_load=1)


def test_zones_alike_are_merged_and_dealt_to_evenly():
    problem = Problem(zoned({"x": 4, "y": 4, "z": 4}))
    data = mode_table(problem)
    merged = merge_domains(problem.modes, data)
    assert merged is not None
    assert merged.table.node_count.tolist() == [12]
    assert merged.members[0].tolist() == [0, 1, 2]
    assert merged.table.rules.limit.size == 0
    assert data.rules.limit.size > 0
    column = (0, (0, 1))
    assert sorted(expand(merged, [column])) == [(g, (0, 1)) for g in range(3)]
    dealt = deal_evenly(merged, [column] * 7 + [(0, (2,))])
    assert sorted(dealt) == sorted([(g, (0, 1)) for g in range(3)] * 2)


def test_zones_of_other_sizes_are_not_merged():
    problem = Problem(zoned({"x": 4, "y": 3}))
    assert merge_domains(problem.modes, mode_table(problem)) is None
    other = Problem(from_spec("rebalance:nodes=12,tasks=30"))
    assert merge_domains(other.modes, mode_table(other)) is None


def optimum_of(problem, data, slots, fixed=()):
    """Of the program over columns that are fixed and slots; and its columns."""
    built = remainder_model(data, list(fixed), slots)
    model = built.model
    answer = run_job(
        CP_SAT,
        "solve_model",
        {
            "model": model, "hint": None, "objective_lower": 0, "objective_upper": 2**60,
            "time_limit": 30.0, "seed": 0, "num_workers": 1, "rel_gap": 0.0,
            "deterministic_limit": None,
        },
        hard_limit=60.0,
    )  # fmt: skip
    if answer["values"] is None:
        return answer["status"], None, []
    return answer["status"], answer["bound"], built.columns(answer["values"])


def test_with_every_node_as_a_slot_the_program_bounds_the_problem():
    """It has no rows of affinity and the like, and is the whole problem where there is none."""
    solved = exact = 0
    for case in whole_instances(cases(60, 600), seed=91, numbers="integers"):
        if case.instance.is_plain or case.instance.current is not None:
            continue
        problem = Problem(case.instance)
        data = mode_table(problem)
        slots = tuple(g for g, n in enumerate(data.node_count.tolist()) for _ in range(n))
        best = brute_force(case.instance, case.homes)
        status, value, columns = optimum_of(problem, data, slots)
        if best is None:
            continue
        solved += 1
        assert status == "optimal"
        grid = problem.outer_grid
        cost = best.cost * case.instance.exact.cost_scale
        assert grid.bound_in_units(value) <= cost
        rows = deal_columns(problem, data, columns, np.ones(len(columns), dtype=np.int64))
        if rows is not None and not check(case.instance, rows) and grid.exact_cost:
            exact += cost_in_units(case.instance, rows) == cost
    assert solved > 15
    assert exact > 10


def options(seconds=60.0):
    return Options(deadline=time.monotonic() + seconds, num_workers=1)


@pytest.mark.parametrize("sizes", [{"x": 4, "y": 4, "z": 4}, {"x": 5, "y": 4}])
def test_patterns_and_the_exact_model_place_everything_within_all_rules(sizes):
    instance = zoned(sizes)
    problem = Problem(instance)
    assert suits_patterns(problem)
    bound = relaxation_solution(problem).bound
    rows = pattern_start(problem, options(), bound)
    assert check(instance, rows) == []
    assert cost_in_units(instance, rows) >= bound


def test_what_patterns_leave_is_placed_by_others(monkeypatch):
    """Without the exact model the fixed columns remain, and keep the limits of nodes."""
    from solver.methods.whole import patterns

    instance = from_spec("serving:nodes=40,tasks=400,models=6")
    problem = Problem(instance)
    monkeypatch.setattr(patterns, "_completed", lambda data, fixed, *_: fixed)
    rows = pattern_start(problem, options(), 0)
    assert 0 < (rows >= 0).sum() < instance.num_tasks
    broken = {violation.rule for violation in check(instance, rows)}
    assert "unassigned" in broken
    assert broken <= {"unassigned", "spread"}


def test_few_tasks_of_many_classes_do_not_suit():
    assert not suits_patterns(Problem(from_spec("services:nodes=20,services=60")))
    assert not suits_patterns(Problem(from_spec("rebalance:nodes=12,tasks=30")))
    assert not suits_patterns(Problem(from_spec("uniform:nodes=10,tasks=400")))
