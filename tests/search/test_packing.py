"""Allocations where there is little room: breakout, exact fills, exact cover, and parts of them."""

from itertools import combinations, product

import numpy as np
import pytest

from instances import from_spec, planted
from solver import Instance, Status, check, solve
from solver.kernels.packing.breakout import break_out, make_lessons
from solver.kernels.packing.cover import Sets, cover_all
from solver.kernels.packing.fills import Target, exact_fills, fill_one, make_halves
from solver.kernels.state import make_facts, make_state, task_order, total_excess
from solver.problem.problem import Problem
from solver.search.filling import Filling, is_exact, without_overload
from solver.search.packing import Breakout, Packing
from solver.search.partial import within_limits
from solver.search.parts import Pool
from solver.search.settings import PACKING

WIDE = 2**40


def facts_of(spec):
    problem = Problem(from_spec(spec))
    order = task_order(problem)
    return problem, order, make_facts(problem, order)


def spread_out(facts, seed):
    """Tasks on any of the nodes they may run on."""
    rng = np.random.default_rng(seed)
    nodes = np.arange(facts.node_compute.size)
    hosts = [nodes[facts.allowed[g]] if facts.allowed.size else nodes for g in facts.group]
    return np.array([rng.choice(able) for able in hosts], dtype=np.int64)


def in_order_of(order, node_of):
    index = np.empty_like(node_of)
    index[order] = node_of
    return index


@pytest.mark.parametrize(
    "spec",
    [
        "vector_packing:nodes=8,tasks=40,slack=0.05",
        "vector_packing:nodes=6,tasks=60,dimensions=5,node_types=3",
        "gpu_cluster:nodes=10,load=1.0,eligible_share=0.5",
    ],
)
def test_breakout_keeps_its_books_and_eligibility(spec):
    _, _, facts = facts_of(spec)
    node_of = spread_out(facts, 1)
    state, lessons = make_state(facts, node_of), make_lessons(facts, node_of)
    rng = np.random.default_rng(2)
    for _ in range(20):
        done = break_out(facts, state, lessons, 10, 10**9, rng)
        anew = make_state(facts, state.node_of)
        assert np.array_equal(state.room, anew.room)
        assert np.array_equal(state.load, anew.load)
        assert np.array_equal(state.count, anew.count)
        if facts.allowed.size:
            assert facts.allowed[facts.group, state.node_of].all()
        assert done == (total_excess(facts, state) == 0)
        best = total_excess(facts, make_state(facts, lessons.best_node_of))
        assert best == pytest.approx(lessons.best[0])
        assert best <= total_excess(facts, make_state(facts, node_of))
        if done:
            break
    assert (lessons.weight >= facts.weight * (1 - 1e-12)).all()


def test_breakout_finds_what_leaves_two_per_cent_free():
    for seed in range(3):
        problem, order, facts = facts_of(f"vector_packing:slack=0.02,seed={seed}")
        search = Breakout(facts, np.zeros(order.size, dtype=np.int64), seed)
        for _ in range(20):
            search.run(lambda: False)
            if search.node_of is not None:
                break
        assert search.excess == 0
        assert check(problem.instance, in_order_of(order, search.node_of)) == []


def drawn_target(rng, exact):
    m, d = int(rng.integers(6, 12)), exact.size
    needs = rng.integers(0, 6, size=(m, d)) * (WIDE if rng.random() < 0.3 else 1)
    chosen = rng.permutation(m)[: rng.integers(2, 6)]
    room = needs[chosen].sum(axis=0)
    factors = np.where(exact, rng.integers(0, 2**62, size=d) * 2 + 1, 0)
    keys = (needs * factors).sum(axis=1)
    return Target(needs, keys, room, exact, np.array([(room * factors).sum()]))


def fills_by_brute_force(target, size):
    found = set()
    for tasks in combinations(range(target.keys.size), size):
        used = target.needs[list(tasks)].sum(axis=0)
        if (used <= target.room).all() and (used == target.room)[target.exact].all():
            found.add(tasks)
    return found


@pytest.mark.parametrize("parts", [1, 4])
def test_all_exact_fills_are_listed_once(parts):
    rng = np.random.default_rng(parts)
    halves, listed = make_halves(512), 0
    for _ in range(60):
        target = drawn_target(rng, np.array([True, rng.random() < 0.7, rng.random() < 0.5]))
        for size in range(2, 7):
            fills, count = np.empty((1000, 6), dtype=np.int64), 0
            for part in range(parts):
                count = exact_fills(target, size, part, parts, halves, fills, count)
            found = [tuple(row[:size].tolist()) for row in fills[:count]]
            assert (fills[:count, size:] == -1).all()
            assert set(found) == fills_by_brute_force(target, size)
            assert len(found) == len(set(found))
            listed += count
    assert listed > 100


def test_too_little_space_for_fills_is_told():
    needs = np.ones((8, 1), dtype=np.int64)
    target = Target(needs, needs[:, 0], np.array([4]), np.array([True]), np.array([4]))
    fills = np.empty((10, 6), dtype=np.int64)
    assert exact_fills(target, 4, 0, 1, make_halves(64), fills, 0) == -1
    assert exact_fills(target, 4, 0, 1, make_halves(8), np.empty((99, 6), dtype=np.int64), 0) == -1


def test_one_fill_is_exact_and_found_where_there_is_one():
    rng, hits = np.random.default_rng(5), 0
    halves, bits = make_halves(1024), np.zeros(2, dtype=np.int64)
    for _ in range(80):
        target = drawn_target(rng, np.array([True, rng.random() < 0.7]))
        tasks = rng.permutation(target.keys.size)
        one, other = tasks[::2].copy(), tasks[1::2].copy()
        worth = np.ones(tasks.size)
        count = fill_one(target, one, other, 6, worth, halves, bits, rng)
        sizes = range(tasks.size + 1)
        assert count == sum(len(fills_by_brute_force(target, size)) for size in sizes)
        if count:
            chosen = [
                t
                for side in (0, 1)
                for k, t in enumerate((one, other)[side])
                if (int(bits[side]) >> k) & 1
            ]
            used = target.needs[chosen].sum(axis=0)
            assert (used <= target.room).all()
            assert (used == target.room)[target.exact].all()
            hits += 1
    assert hits > 40


def sets_of(tasks, kind, m):
    width = max(map(len, tasks))
    rows = np.array([[*one, *[-1] * (width - len(one))] for one in tasks], dtype=np.int64)
    holding = [[f for f, one in enumerate(tasks) if t in one] for t in range(m)]
    start = np.concatenate(([0], np.cumsum([len(each) for each in holding])))
    return Sets(rows, np.array(kind), start, np.concatenate(holding).astype(np.int64))


def is_coverable(tasks, kind, m, nodes_of_kind):
    for size in range(m + 1):
        for chosen in combinations(range(len(tasks)), size):
            members = sorted(t for f in chosen for t in tasks[f])
            used = np.bincount([kind[f] for f in chosen], minlength=len(nodes_of_kind))
            if members == list(range(m)) and (used <= nodes_of_kind).all():
                return True
    return False


def test_exact_cover_agrees_with_brute_force():
    rng, found = np.random.default_rng(7), 0
    for _ in range(150):
        m = int(rng.integers(2, 7))
        tasks = [
            tuple(sorted(rng.permutation(m)[: rng.integers(1, min(m, 3) + 1)].tolist()))
            for _ in range(rng.integers(2, 9))
        ]
        kind = rng.integers(0, 2, size=len(tasks)).tolist()
        nodes_of_kind = rng.integers(0, 4, size=2)
        sets, chosen = sets_of(tasks, kind, m), np.zeros(int(nodes_of_kind.sum()), dtype=np.int64)
        size = cover_all(sets, nodes_of_kind, 10**6, chosen, rng)
        assert (size >= 0) == is_coverable(tasks, kind, m, nodes_of_kind)
        if size >= 0:
            assert sorted(t for f in chosen[:size] for t in tasks[f]) == list(range(m))
            used = np.bincount(sets.kind[chosen[:size]], minlength=2)
            assert (used <= nodes_of_kind).all()
            found += 1
    assert 20 < found < 130


def test_exact_cover_stops_at_its_limit():
    tasks = list(combinations(range(9), 2))
    sets, rng = sets_of(tasks, [0] * len(tasks), 9), np.random.default_rng(0)
    assert cover_all(sets, np.array([5]), 3, np.zeros(5, dtype=np.int64), rng) == -2
    assert cover_all(sets, np.array([5]), 10**6, np.zeros(5, dtype=np.int64), rng) == -1


@pytest.mark.parametrize(
    "spec",
    [
        "vector_packing:nodes=20,tasks=100",
        "vector_packing:nodes=20,tasks=80,dimensions=5,node_types=2",
        "vector_packing:nodes=12,tasks=140,dimensions=2",
    ],
)
def test_perfect_packings_are_found(spec):
    problem, order, facts = facts_of(spec)
    assert is_exact(facts)
    search = Filling(facts, 3)
    for _ in range(60):
        search.run(lambda: False)
        if search.node_of is not None:
            break
    assert search.node_of is not None
    assert check(problem.instance, in_order_of(order, search.node_of)) == []


def test_exact_fills_are_for_what_is_needed_to_the_last_unit():
    assert not is_exact(facts_of("vector_packing:slack=0.02")[2])
    assert not is_exact(facts_of("uniform")[2])
    problem = Problem(Instance.from_arrays(node_compute=[5], task_compute=[]))
    assert not is_exact(make_facts(problem, task_order(problem)))


def test_nodes_without_overload_are_filled_exactly():
    instance, _ = planted("augmented_irup", triples=20, seed=2)
    result = solve(instance, "local-search", time_limit=60, num_workers=1)
    assert result.status is Status.OPTIMAL
    assert result.allocation.loads().tolist() == [2500] * 23


def test_where_listed_sets_cannot_cover_there_is_an_end():
    loads = {"node_compute": [10, 10], "task_compute": [8, 6, 4, 2]}
    problem = Problem(Instance.from_arrays(**loads))
    search = Filling(without_overload(make_facts(problem, task_order(problem))), 0)
    while search.node_of is None:
        assert not search.is_done
        search.run(lambda: False)
    problem = Problem(Instance.from_arrays(node_compute=[10, 10], task_compute=[7, 7, 3, 2, 1]))
    search = Filling(without_overload(make_facts(problem, task_order(problem))), 0)
    search.run(lambda: False)
    assert not search.is_done
    problem = Problem(Instance.from_arrays(node_compute=[10, 10], task_compute=[9, 8, 3]))
    search = Filling(without_overload(make_facts(problem, task_order(problem))), 0)
    search.run(lambda: False)
    assert search.is_done
    assert search.node_of is None


def test_overload_is_avoided_by_fills_only_where_that_costs_least():
    assert without_overload(facts_of("triplets")[2]) is not None
    assert without_overload(facts_of("uniform:load=0.9")[2]) is None
    assert without_overload(facts_of("uniform:node_types=all")[2]) is None
    assert without_overload(facts_of("fleet")[2]) is None
    facts = without_overload(facts_of("uniform:storage=0.9")[2])
    assert facts.needs.shape[1] == facts.capacity.shape[1] == facts.weight.size == 2
    assert is_exact(facts)


def test_rounds_with_one_worker_repeat():
    _, order, facts = facts_of("vector_packing:nodes=10,tasks=90,dimensions=5")
    node_of, found = np.zeros(order.size, dtype=np.int64), []
    for _ in range(2):
        search = Packing(facts, node_of, 4, Pool(1))
        found.append([search.round(60.0).tolist() for _ in range(2)])
    assert found[0] == found[1]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_round_without_time_returns_where_it_began(workers):
    _, order, facts = facts_of("vector_packing:nodes=10,tasks=90,dimensions=5")
    node_of = np.zeros(order.size, dtype=np.int64)
    search = Packing(facts, node_of, 4, Pool(workers))
    assert search.round(-1.0).tolist() == node_of.tolist()


def test_what_is_within_limits_is_most_of_it():
    for spec, seed in product(["vector_packing:nodes=9,tasks=50", "gpu_cluster:nodes=9"], range(4)):
        problem, order, facts = facts_of(spec)
        part = within_limits(facts, spread_out(facts, seed))
        broken = check(problem.instance, in_order_of(order, part))
        assert {violation.rule for violation in broken} <= {"unassigned"}
        room = facts.capacity.copy()
        np.subtract.at(room, part[part >= 0], facts.needs[part >= 0])
        assert (room >= 0).all()
        for t in np.flatnonzero(part < 0):
            able = facts.allowed[facts.group[t]]
            assert not ((room >= facts.needs[t]).all(axis=1) & able).any()


@pytest.mark.parametrize("method", ["local-search", "auto"])
@pytest.mark.parametrize("workers", [1, 2])
def test_nodes_are_packed_without_a_unit_to_spare(method, workers):
    instance, _ = planted("vector_packing", nodes=25, tasks=125, dimensions=4, seed=5)
    result = solve(instance, method, time_limit=60, num_workers=workers)
    assert result.status is Status.OPTIMAL
    assert check(instance, result.allocation) == []
    assert result.partial is None
    assert PACKING.listed_tasks >= 125
