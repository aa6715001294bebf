"""The search on whole models: exact sums after every move, limits kept, never worse, repeatable."""

import warnings

import numpy as np
import pytest
import whole_oracle
from uncompiled import answers_of
from whole_brute_force import brute_force
from whole_instances import whole_instances

from instances import from_spec
from solver import Instance, Limit, Node, Task, Variant
from solver.errors import MethodError
from solver.kernels.whole.facts import CLASS, HOSTS, MODE, OPEN
from solver.kernels.whole.passes import exchange, improve
from solver.kernels.whole.ruin import ruin
from solver.kernels.whole.setup import make_facts
from solver.kernels.whole.states import _MOST_CELLS, make_bench, make_state
from solver.kernels.whole.sums import recomputed
from solver.methods.whole.start import build_up
from solver.problem.problem import Problem
from solver.search.whole import WholeSearch, kin_of


def cases(count, seed):
    for case in whole_instances(count, seed):
        if not case.instance.is_plain:
            yield case.instance, case.homes, Problem(case.instance)


def search_of(problem, seed=0):
    facts = make_facts(problem)
    nowhere = np.full(facts.row.shape[0], -1)
    return WholeSearch(facts, nowhere, seed, kin_of(problem))


def assert_consistent(facts, state):
    """The state is the one that its own allocation gives when built anew."""
    anew = make_state(facts, state.node_of)
    assert tuple(state.totals[:5]) == tuple(anew.totals[:5])
    for name in ("load", "count", "room", "form_of", "rules"):
        assert np.array_equal(getattr(state, name), getattr(anew, name)), name
    tallies = [
        sorted(zip(made.keys[made.keys >= 0], made.values[made.keys >= 0], strict=True))
        if made.keys.size
        else made.values.tolist()
        for made in (state, anew)
    ]
    assert tallies[0] == tallies[1]
    for i in range(state.load.size):
        listed, r = [], state.head[i]
        while r >= 0:
            listed.append(int(r))
            r = state.following[r]
        assert sorted(listed) == np.flatnonzero(state.node_of == i).tolist()


def assert_allowed(facts, state):
    """Parts of a task are apart, on hosts that are open or their homes."""
    for r in np.flatnonzero(state.node_of >= 0).tolist():
        i = state.node_of[r]
        assert facts.allowed[facts.mode[facts.row[r, MODE], HOSTS], facts.node[i, CLASS]]
        homes = facts.home_nodes[facts.row[r, 2] : facts.row[r, 3]]
        assert facts.node[i, OPEN] or i in homes


def moves_of(search, rng):
    """Every kind of move, as (name, what makes some of them)."""
    facts, state = search.facts, search.state
    bench = make_bench(facts, [np.arange(facts.task.shape[0])])
    tasks, rows, n = facts.task.shape[0], facts.row.shape[0], facts.node.shape[0]
    none = np.zeros(0, dtype=np.int64)
    yield "tasks", lambda: improve(facts, state, rng.permutation(tasks), False, False, rng)
    yield "parts", lambda: improve(facts, state, rng.permutation(rows), True, True, rng)
    yield "exchange", lambda: exchange(facts, state, np.arange(n), 4, rng)
    yield "ruin", lambda: ruin(facts, state, bench, 8, none, 4, 0.0, 0.5, rng)
    yield "empty", lambda: ruin(facts, state, bench, n, np.arange(n), 0, 0.0, 0.5, rng)
    yield "dearer", lambda: ruin(facts, state, bench, 8, none, 4, 9.0, 0.5, rng)


def test_sums_are_right_after_every_kind_of_move(monkeypatch):
    made = dict.fromkeys(("tasks", "parts", "exchange", "ruin", "empty", "dearer"), 0)
    for at, (_, _, problem) in enumerate(cases(40, seed=31)):
        # Every other time the tallies are a table of what is there, as for many groups.
        cells = 0 if at % 2 else _MOST_CELLS
        monkeypatch.setattr("solver.kernels.whole.states._MOST_CELLS", cells)
        search = search_of(problem)
        rng = np.random.default_rng(at)
        for name, move in moves_of(search, rng):
            before = search.key
            made[name] += move()
            assert_consistent(search.facts, search.state)
            assert_allowed(search.facts, search.state)
            assert search.key[0] <= before[0]
            assert search.key <= before or before[0] > 0 or name == "dearer"
    assert all(made.values()), made


def test_cost_and_limits_are_those_of_the_model():
    found = optimal = feasible = 0
    for instance, homes, problem in cases(60, seed=33):
        search = search_of(problem)
        build_up(problem, search)
        for _ in range(3):
            search.round()
        violation, cost = search.key
        placement = whole_oracle.placement_of(instance, search.state.node_of)
        best = brute_force(instance, homes)
        feasible += best is not None
        kept = whole_oracle.feasible(instance, homes, placement)
        assert kept == (violation == 0)
        if kept:
            paid = whole_oracle.cost(instance, homes, placement)
            grid = problem.grid
            assert grid.exact_cost
            exact = grid.offset + grid.cost_unit * cost
            assert paid * instance.exact.cost_scale == exact
            found += 1
            optimal += paid == best.cost
    assert found >= 0.97 * feasible
    assert optimal >= 0.9 * feasible


def test_a_budget_far_above_all_losses_is_kept():
    variants = [Variant("a", compute=1, loss=1e-17), Variant("b", compute=2)]
    instance = Instance([Node("n", 4)], [Task("t", variants=variants)], quality_budget=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of numbers that fit into no integer
        assert recomputed(make_facts(Problem(instance)), np.array([0, -1]))[1] == 0


def test_a_round_never_makes_it_worse():
    for _, _, problem in cases(20, seed=34):
        search = search_of(problem)
        build_up(problem, search)
        key = search.key
        for _ in range(4):
            search.round()
            assert search.key[0] <= key[0]
            assert search.key <= key or key[0] > 0
            key = search.key


def test_the_same_seed_gives_the_same_trace():
    problem = Problem(from_spec("serving:nodes=8,tasks=60,seed=1"))
    traces = []
    for _ in range(2):
        search = search_of(problem, seed=[3, 0])
        build_up(problem, search)
        trace = [search.key]
        for _ in range(4):
            search.round()
            trace.append(search.key)
        traces.append((trace, search.state.node_of.tolist()))
    assert traces[0] == traces[1]


def test_a_lost_count_is_told():
    problem = Problem(from_spec("serving:nodes=8,tasks=60"))
    search = search_of(problem)
    search.state.totals[0] += 1
    with pytest.raises(MethodError, match="lost count"):
        search.round()


def test_compiled_and_uncompiled_agree():
    script = """
import json, sys
sys.path.insert(0, "tests")
import numpy as np
from whole_instances import whole_instances
from solver.kernels.whole.setup import make_facts
from solver.methods.whole.start import build_up
from solver.problem.problem import Problem
from solver.search.whole import WholeSearch, kin_of
found = []
for instance, _ in whole_instances(8, 35):
    if instance.is_plain:
        continue
    problem = Problem(instance)
    facts = make_facts(problem)
    search = WholeSearch(facts, np.full(facts.row.shape[0], -1), 1, kin_of(problem))
    build_up(problem, search)
    search.round()
    found.append([*search.key, *search.state.node_of.tolist()])
print(json.dumps(found))
"""
    compiled, plain = answers_of(script)
    assert compiled == plain


def test_many_services_on_many_nodes_need_no_matrix():
    count, n = 300, 2_000
    tasks = [
        Task(f"s{k}", variants=[Variant("v", compute=1, parts=3)], groups=[f"g{k}"])
        for k in range(count)
    ]
    rules = [Limit(f"g{k}", "node", 1) for k in range(count)]
    nodes = [Node(f"n{i}", compute=4) for i in range(n)]
    problem = Problem(Instance(nodes, tasks, rules=rules, max_load=1))
    search = search_of(problem)
    build_up(problem, search)
    assert search.absent.size == 0
    assert recomputed(search.facts, search.state.node_of)[1] == 0
