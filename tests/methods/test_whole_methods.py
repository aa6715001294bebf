"""Heuristics and `auto` on whole models: answers keep all limits, cost no less than the optimum."""

import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import whole_oracle
from whole_brute_force import brute_force
from whole_instances import whole_instances

from instances import from_spec
from solver import Instance, Node, Status, Task, Variant, check, solve
from solver.errors import OptionError
from solver.methods import FEATURES, Options, features_of, methods
from solver.problem.problem import Problem
from solver.settings import WHOLE_SEARCH

BASELINES = ("greedy", "best-fit", "first-fit", "round-robin", "blocks")


def run(name, problem, **options):
    found = []
    options = {"deadline": time.monotonic() + 20, **options}
    outcome = methods()[name].run(problem, Options(on_incumbent=found.append, **options))
    return found, outcome


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_keep_all_limits_and_say_what_they_could_not_place(name):
    placed = feasible = 0
    for instance, homes in whole_instances(60, seed=41):
        if instance.is_plain:
            continue
        best = brute_force(instance, homes)
        found, outcome = run(name, Problem(instance))
        feasible += best is not None
        placed += bool(found)
        if not found:
            assert outcome.unplaced or outcome.message
        for node_index in found:
            assert check(instance, node_index) == []
            placement = whole_oracle.placement_of(instance, node_index)
            assert whole_oracle.feasible(instance, homes, placement)
            assert whole_oracle.cost(instance, homes, placement) >= best.cost
    assert placed >= 0.9 * feasible


@pytest.mark.parametrize("name", ["local-search", "auto"])
def test_searches_find_the_optimum_of_small_instances(name):
    feasible = optimal = 0
    for instance, homes in whole_instances(12, seed=42):
        if instance.is_plain:
            continue
        best = brute_force(instance, homes)
        result = solve(instance, name, time_limit=10, num_workers=1, round_limit=4)
        assert (result.allocation is None) or check(instance, result.allocation) == []
        if best is None:
            assert result.status in (Status.INFEASIBLE, Status.UNKNOWN)
            continue
        feasible += 1
        optimal += result.cost is not None and result.cost == float(best.cost)
    assert optimal >= 0.9 * feasible


def test_the_same_seed_and_rounds_give_the_same_allocation():
    instance = from_spec("serving:nodes=8,tasks=80,seed=2")
    answers = [
        solve(instance, "local-search", time_limit=60, num_workers=1, round_limit=5, seed=7)
        for _ in range(2)
    ]
    assert answers[0].cost == answers[1].cost
    assert np.array_equal(answers[0].allocation.node_index, answers[1].allocation.node_index)


def test_never_worse_than_where_it_begins():
    instance = from_spec("serving:nodes=8,tasks=60,seed=3")
    first = solve(instance, "local-search", time_limit=20, num_workers=1, round_limit=2)
    again = solve(
        instance, "local-search", time_limit=20, num_workers=1, round_limit=2,
        initial=first.allocation,
    )  # fmt: skip
    assert again.cost <= first.cost


def test_who_costs_more_placed_than_left_out_is_left_out():
    nodes = [Node("a", compute=4, price=1, overload_price=5)]
    tasks = [Task("must", compute=4), Task("may", compute=2, skip_price=3)]
    for name in (*BASELINES, "local-search"):
        result = solve(Instance(nodes, tasks), name, time_limit=10)
        assert result.cost == 4 + 3, name
        assert result.cost_parts["left_out"] == 3


def test_a_relaxation_that_leaves_all_of_many_tasks_out_is_a_start_too():
    nodes = [Node(f"n{i}", compute=10, price=5) for i in range(3)]
    tasks = [Task(f"t{j}", compute=3, skip_price=1) for j in range(WHOLE_SEARCH.guided_rows)]
    instance = Instance(nodes, tasks, power_off=True)
    result = solve(instance, "local-search", time_limit=60, num_workers=1, round_limit=2)
    assert result.status is Status.OPTIMAL
    assert result.cost == len(tasks)


def test_tasks_stay_where_they_are_if_nothing_may_move():
    nodes = [Node(f"n{i}", compute=4) for i in range(3)]
    half = Variant("half", compute=1, parts=2)
    tasks = [Task("a", compute=3), Task("b", variants=[half, Variant("one", compute=2)])]
    current = {"a": "n0", "b": {"node": ["n0", "n2"], "variant": "half"}}
    instance = Instance(nodes, tasks, current=current, max_moves=0)
    for name in (*BASELINES, "local-search"):
        result = solve(instance, name, time_limit=10)
        assert result.allocation.node_index.tolist() == [0, 0, 2, -1], name


def test_features_are_named_and_a_method_that_lacks_one_says_who_has_it(monkeypatch):
    half = Variant("half", compute=1, parts=2)
    instance = Instance([Node("a", 4), Node("b", 4)], [Task("t", variants=[half], skip_price=1)])
    assert features_of(instance) == ("variants", "parts", "skip_price")
    assert set(features_of(instance)) <= set(FEATURES)
    known = methods()
    limited = {**known, "greedy": replace(known["greedy"], supports=("variants",))}
    monkeypatch.setattr(sys.modules["solver.solve"], "methods", lambda: limited)
    with pytest.raises(OptionError, match=r"does not take parts, skip_price.*first-fit"):
        solve(instance, "greedy")


@pytest.mark.parametrize("name", ["greedy", "blocks", "local-search"])
def test_a_price_of_any_size_for_leaving_out_one_of_many(name):
    nodes = [Node(f"n{i}", compute=9, price=1, overload_price=3) for i in range(2)]
    tasks = [Task("dear", compute=3, skip_price=10**25)]
    tasks += [Task(f"t{j}", compute=1, skip_price=0.1) for j in range(50)]
    result = solve(Instance(nodes, tasks, max_load=1), name, time_limit=10, round_limit=2)
    assert result.allocation.node_index[0] >= 0
    assert check(result.instance, result.allocation) == []


@pytest.mark.parametrize("name", ["greedy", "local-search", "auto"])
def test_nothing_to_place_is_an_answer(name):
    instance = Instance([Node("a", compute=3)], [], quality_budget=1)
    assert solve(instance, name, time_limit=5).cost == 9
