"""The compiled rounds of the local search: exact gains, kept limits, the same uncompiled."""

import numpy as np
import oracle
import pytest
from random_instances import random_instances
from uncompiled import answers_of

from instances import from_spec
from solver import Instance, check, cost_of
from solver.bounds.infeasible import why_infeasible
from solver.kernels.descent import descend, feed, make_ranking, regroup_some, relieve, switch_off
from solver.kernels.moves.regroup import MOST_TASKS
from solver.kernels.moves.sets import make_buffers
from solver.kernels.state import make_facts, make_state, task_order, total_cost, total_excess
from solver.problem.problem import Problem
from solver.search.parts import cut, take
from solver.search.rounds import Search

SPECS = [
    "few_per_node:nodes=12,seed=1",
    "uniform:nodes=9,tasks=90,node_types=all,load=1.1",
    "gpu_cluster:nodes=20,seed=2",
]


def start_of(problem, seed):
    """Facts, the order of tasks, and a random allocation that respects eligibility."""
    order = task_order(problem)
    facts = make_facts(problem, order)
    rng = np.random.default_rng(seed)
    nodes = [rng.choice(np.flatnonzero(facts.allowed[g])) for g in facts.group.tolist()]
    return facts, order, np.array(nodes, dtype=np.int64)


def solvable(count, seed):
    for instance in random_instances(count, seed):
        problem = Problem(instance)
        if why_infeasible(problem) is None:
            yield instance, problem


def problems():
    yield from (Problem(from_spec(spec)) for spec in SPECS)
    yield from (problem for _, problem in solvable(30, seed=61))


def assert_consistent(facts, state):
    """The state is the one that its own allocation gives when built anew."""
    anew = make_state(facts, state.node_of)
    assert np.array_equal(state.load, anew.load)
    assert np.array_equal(state.count, anew.count)
    assert np.array_equal(state.room, anew.room)
    for i in range(state.count.size):
        first, size = state.first[i], state.count[i]
        listed = state.slots[first : first + size]
        assert listed.tolist() == np.flatnonzero(state.node_of == i).tolist()
        assert np.array_equal(state.demands[first : first + size], facts.demand[listed])
        assert size <= state.space[i]


def assert_eligible(facts, state):
    assert facts.allowed[facts.group, state.node_of].all()


def gain_of(step, facts, state, ranking, buffers, rng):
    """What one of the kernels says that it gained."""
    everyone = np.arange(state.load.size)
    if step % 4 < 2:
        return descend(facts, state, everyone, ranking, 8, step % 4, buffers, rng)
    if step % 4 == 2:
        return switch_off(facts, state, everyone, 8, buffers, rng)
    size = min(3, everyone.size)
    return regroup_some(facts, state, everyone, size, 20, 2000, False, buffers, rng)


def test_every_round_leaves_a_consistent_state():
    for problem in problems():
        facts, _, node_of = start_of(problem, 1)
        search = Search(facts, node_of, seed=5)
        for _ in range(6):
            search.round()
            assert_consistent(search.facts, search.state)
            assert_eligible(search.facts, search.state)


def test_gains_are_the_fall_of_the_recomputed_cost():
    gained = 0
    for problem in problems():
        facts, _, node_of = start_of(problem, 2)
        search = Search(facts, node_of, seed=3)
        for _ in range(12):
            if search.excess == 0:
                break
            search.round()
        if search.excess > 0:
            continue
        state, buffers, rng = search.state, make_buffers(), np.random.default_rng(0)
        ranking = make_ranking(facts)
        for step in range(8):
            before = total_cost(facts, state)
            gain = gain_of(step, facts, state, ranking, buffers, rng)
            assert gain == before - total_cost(facts, state)
            assert gain >= 0
            assert total_excess(facts, state) == 0
            assert_consistent(facts, state)
            assert_eligible(facts, state)
            gained += gain > 0
    assert gained >= 20


def test_relief_never_raises_the_excess_and_feeding_never_the_cost():
    relieved = 0
    for problem in problems():
        facts, _, node_of = start_of(problem, 4)
        state, buffers, rng = make_state(facts, node_of), make_buffers(), np.random.default_rng(1)
        everyone, ranking = np.arange(state.load.size), make_ranking(facts)
        before = total_excess(facts, state)
        gain = relieve(facts, state, everyone, 16, True, buffers, rng)
        after = total_excess(facts, state)
        assert after <= before
        assert gain == pytest.approx(before - after, abs=1e-6)
        relieved += after < before
        cost = total_cost(facts, state)
        feed(facts, state, everyone, ranking, 8, buffers, rng)
        assert total_cost(facts, state) <= cost
        assert total_excess(facts, state) <= after + 1e-9
        assert_consistent(facts, state)
    assert relieved >= 10


def test_a_group_of_all_nodes_is_solved_to_the_optimum():
    compared = 0
    for instance, problem in solvable(150, seed=67):
        best = oracle.brute_force(instance)
        if best is None or instance.num_tasks > MOST_TASKS or instance.num_nodes < 2:
            continue
        facts, order, node_of = start_of(problem, 6)
        state, rng = make_state(facts, node_of), np.random.default_rng(2)
        n = instance.num_nodes
        for _ in range(20):  # a group is drawn at random, and may come out smaller
            anything = bool(total_excess(facts, state) > 0)
            regroup_some(facts, state, np.arange(n), n, 4, 10**6, anything, make_buffers(), rng)
        node_index = np.empty_like(state.node_of)
        node_index[order] = state.node_of
        assert check(instance, node_index) == []
        assert cost_of(instance, node_index) == best.cost
        compared += 1
    assert compared >= 80


def test_lists_grow_and_are_packed_when_all_tasks_go_to_one_node():
    instance = Instance.from_arrays(
        node_compute=[1000, 1, 1, 1], node_price=[1, 9, 9, 9], task_compute=[1] * 300
    )
    facts, _, _ = start_of(Problem(instance), 0)
    search = Search(facts, np.arange(300) % 3 + 1, seed=0)
    for _ in range(8):
        search.round()
    assert search.cost == 0
    assert_consistent(search.facts, search.state)


def test_parts_divide_the_nodes_evenly_and_go_back_together():
    problem = Problem(from_spec("gpu_cluster:nodes=41,seed=3"))
    facts, _, node_of = start_of(problem, 7)
    load = make_state(facts, node_of).load
    parts = cut(facts, load, 4, np.random.default_rng(0))
    assert sorted(np.concatenate(parts).tolist()) == list(range(41))
    assert {part.size for part in parts} <= {10, 11}
    together = np.full_like(node_of, -1)
    for nodes in parts:
        own, own_node_of, tasks = take(facts, node_of, nodes)
        assert np.array_equal(own.demand, facts.demand[tasks])
        assert np.array_equal(own.allowed, facts.allowed[:, nodes])
        together[tasks] = nodes[own_node_of]
    assert np.array_equal(together, node_of)


TRACE = """
import json, sys
import numpy as np
sys.path[:0] = ["tests", "tests/search"]
from test_rounds import SPECS, start_of
from instances import from_spec
from solver.search.rounds import Search
from solver.problem.problem import Problem

found = []
for spec in [*SPECS[:1], "uniform:nodes=6,tasks=18,node_types=all"]:
    facts, _, node_of = start_of(Problem(from_spec(spec)), 1)
    search = Search(facts, node_of, seed=5)
    for _ in range(4):
        search.round()
    found.append([search.state.node_of.tolist(), search.cost, search.excess, search.work])
print(json.dumps(found))
"""


def test_the_same_with_and_without_compilation():
    compiled, plain = answers_of(TRACE)
    assert compiled == plain
    assert all(made > 0 for *_, (_, made) in compiled)
