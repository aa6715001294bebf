"""Annealing over which nodes are on: exact books, kept limits and eligibility, closed nodes."""

import time
from dataclasses import replace

import numpy as np
import pytest
from random_instances import random_instances

from instances import from_spec
from instances.families import planted
from solver import Instance, check
from solver.bounds.infeasible import why_infeasible
from solver.kernels.packing.switching import Stage, anneal, make_course
from solver.kernels.state import make_facts, make_state, task_order, total_cost, total_excess
from solver.methods import Options
from solver.methods.local_search import local_search
from solver.problem.problem import Problem
from solver.search.parts import Pool
from solver.search.switching import Annealing, anneal_together, may_switch, run_annealing

SPECS = [
    "few_per_node:nodes=12,node_types=all,seed=1",
    "gpu_cluster:nodes=15,load=0.6,eligible_share=0.5",
    "uniform:nodes=8,tasks=40,storage=0",
]


def facts_of(instance):
    problem = Problem(instance)
    order = task_order(problem)
    return problem, order, make_facts(problem, order)


def spread_out(facts, seed):
    """Tasks on any of the nodes they may run on."""
    rng = np.random.default_rng(seed)
    nodes = np.arange(facts.node_compute.size)
    hosts = [nodes[facts.allowed[g]] if facts.allowed.size else nodes for g in facts.group]
    return np.array([rng.choice(able) for able in hosts], dtype=np.int64)


def lists_of(course):
    """The tasks of each node, by its list."""
    for head in course.first.tolist():
        tasks, before = [], -1
        while head >= 0:
            assert course.before[head] == before
            tasks.append(head)
            before, head = head, int(course.after[head])
        yield sorted(tasks)


@pytest.mark.parametrize("spec", SPECS)
def test_annealing_keeps_its_books_and_eligibility(spec):
    _, _, facts = facts_of(from_spec(spec).replace(power_off=True))
    start = spread_out(facts, 1)
    unit = float(np.median(facts.idle))
    weight = np.full(facts.needs.shape[1], unit / 100)
    course, rng = make_course(facts, start, weight), np.random.default_rng(2)
    for step in range(12):
        hot = unit * 0.5**step
        anneal(facts, course, Stage(3_000, hot, hot / 2, 0.5, 5.0, 0.01), rng)
        anew = make_state(facts, course.place)
        assert np.array_equal(course.load, anew.load)
        assert np.array_equal(course.held, anew.count)
        assert np.array_equal(course.room, anew.room)
        assert np.array_equal(course.over, np.maximum(0, -anew.room).sum(axis=0))
        assert course.cost[0] == pytest.approx(total_cost(facts, anew), rel=1e-9)
        assert list(lists_of(course)) == [
            np.flatnonzero(course.place == i).tolist() for i in range(facts.idle.size)
        ]
        if facts.allowed.size:
            assert facts.allowed[facts.group, course.place].all()
        if np.isfinite(course.cost[1]):
            best = make_state(facts, course.best)
            assert total_excess(facts, best) == 0
            assert total_cost(facts, best) == pytest.approx(course.cost[1], rel=1e-9)
            assert course.cost[1] <= course.cost[0] * (1 + 1e-9) or course.over.any()


def test_the_best_of_small_instances_keeps_all_limits():
    found = 0
    for instance in random_instances(120, seed=14):
        instance = instance.replace(power_off=True)
        problem, order, facts = facts_of(instance)
        if why_infeasible(problem) is not None or not may_switch(facts):
            continue
        start = spread_out(facts, 0)
        cost = float(total_cost(facts, make_state(facts, start)))
        node_of = run_annealing(Annealing(facts, start, cost, [3], 10_000, 1e9))
        if node_of is not None and problem.grid.exact_limits:
            node_index = np.empty_like(node_of)
            node_index[order] = node_of
            assert check(instance, node_index) == []
            found += 1
    assert found >= 40


def test_nodes_are_emptied_where_no_single_move_pays():
    rng = np.random.default_rng(5)  # 40 nodes of which 20 may do, full to the last unit
    parts = np.column_stack([rng.integers(20, 50, size=(20, 2)), np.zeros(20, dtype=int)])
    parts[:, 2] = 100 - parts.sum(axis=1) + 20
    instance = Instance.from_arrays(
        node_compute=np.full(40, 120), task_compute=parts.reshape(-1), max_load=1, power_off=True
    )
    _, _, facts = facts_of(instance)
    start = spread_out(facts, 0)
    cost = float(total_cost(facts, make_state(facts, start)))
    found = run_annealing(Annealing(facts, start, cost, [0], 2_000_000, 1e9))
    assert found is not None
    assert np.unique(found).size <= 21


@pytest.mark.parametrize(("nodes", "workers"), [(12, 2), (220, 2), (12, 1)])
def test_runs_side_by_side_never_cost_more(nodes, workers):
    draft = planted("few_per_node", nodes=nodes, node_types="all", seed=3)
    _, order, facts = facts_of(draft.instance.replace(power_off=True))
    start = draft.node_index[order]
    found = anneal_together(facts, start, Pool(workers), [5], 0, 1.0)
    before, after = make_state(facts, start), make_state(facts, found)
    assert total_excess(facts, after) == 0
    assert total_cost(facts, after) <= total_cost(facts, before)


def test_runs_repeat_and_end_early():
    _, _, facts = facts_of(from_spec(SPECS[0]).replace(power_off=True))
    start = spread_out(facts, 0)
    cost = float(total_cost(facts, make_state(facts, start)))
    job = Annealing(facts, start, cost, [7], 100_000, 1e9)
    first, again = run_annealing(job), run_annealing(job)
    assert np.array_equal(first, again)
    assert run_annealing(job._replace(tries=10**12, seconds=0.05)) is not None
    untouched = run_annealing(job, lambda: True)
    assert untouched is None or np.array_equal(untouched, start)


def test_local_search_with_annealing_repeats():
    instance = from_spec("few_per_node:nodes=5,node_types=all").replace(power_off=True)
    runs = []
    for _ in range(2):
        found = []
        given = Options(deadline=time.monotonic() + 60, round_limit=16, num_workers=1)
        local_search(Problem(instance), replace(given, on_incumbent=found.append))
        runs.append(found)
    assert all(check(instance, node_index) == [] for node_index in runs[0])
    assert np.array_equal(*runs)
