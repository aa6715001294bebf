"""The search among listed columns against brute force: nothing is missed, no bound is wrong."""

import itertools
from dataclasses import replace

import numpy as np
import oracle
import pytest
from nightly import cases
from random_instances import random_instances
from sessions import generated
from uncompiled import answers_of

from instances import from_spec
from solver import check
from solver.columns.modes.table import column_table
from solver.columns.partition.closing import Closing
from solver.columns.partition.limits import may_close
from solver.columns.partition.settings import PARTITION
from solver.columns.prices import Prices
from solver.columns.program import decode
from solver.judge.cost import cost_in_units
from solver.kernels.listed import MOST_BUDGET, Listed, make_search
from solver.kernels.partition import ENDED, FOUND, OVERFULL, PAUSED, search_on
from solver.problem.problem import Problem

SCRIPT = """
import sys, json
sys.path[:0] = ["tests", "tests/columns"]
from test_partition import random_lists, searched
from solver.kernels.listed import make_search
answers = []
for listed, cost, count, nodes, budget in random_lists(60, seed=1):
    search = make_search(cost, count, nodes, budget, 0)
    answers.append((searched(listed, cost, nodes, search, 10**9)[0], int(search.now[3])))
print(json.dumps(answers))
"""


def random_lists(count, seed):
    """Random columns of few classes, in which a task may come twice and many overlap."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        K, G, N = rng.integers(1, 5), rng.integers(1, 4), rng.integers(1, 12)
        count = rng.integers(0, 3, K)
        members = np.repeat(np.arange(K), count)[::-1]
        tasks = np.full((N if members.size else 0, 3), -1, dtype=np.int32)
        for row in tasks:
            taken = np.sort(rng.permutation(members.size)[: rng.integers(1, 4)])
            row[: taken.size] = members[taken]
        N = tasks.shape[0]
        most = int(rng.choice([6, 60, MOST_BUDGET]))
        node = rng.integers(0, G, N).astype(np.int32)
        listed = Listed(tasks, node, rng.integers(0, most + 2, G))
        cost, budget = rng.integers(0, most // 4 + 2, N), int(rng.integers(0, most + 1))
        yield listed, cost, count, rng.integers(1, 3, G), budget


def cheapest(listed, cost, count, nodes, start=0):
    """The least cost by trying everything, None if the tasks cannot be covered."""
    best = None if count.any() else int((nodes * listed.empty).sum())
    for i in range(start, cost.size):
        more = np.bincount(listed.tasks[i][listed.tasks[i] >= 0], minlength=count.size)
        if nodes[listed.node[i]] and (more <= count).all():
            left = nodes.copy()
            left[listed.node[i]] -= 1
            rest = cheapest(listed, cost, count - more, left, i)
            if rest is not None and (best is None or rest + cost[i] < best):
                best = int(rest + cost[i])
    return best


def searched(listed, cost, nodes, search, work):
    """The least cost that the search finds, and how often it paused."""
    best, pauses = None, 0
    while True:
        state = search_on(listed, search, work)
        if state == ENDED:
            return best, pauses
        assert state != OVERFULL
        pauses += state == PAUSED
        if state == FOUND:
            chosen = search.best[search.best >= 0]
            left = nodes - np.bincount(listed.node[chosen], minlength=nodes.size)
            best = int(cost[chosen].sum() + (left * listed.empty).sum())
            assert best <= search.now[2]
            search.now[2] = best - 1


@pytest.mark.parametrize(("work", "many"), [(10**9, 0), (1, 0), (10**9, 200)])
def test_the_cheapest_choice_is_found(work, many):
    """With prices moved everywhere and nowhere, in one go and with a pause at every step."""
    found = moved = paused = 0
    for listed, cost, count, nodes, budget in random_lists(cases(600, 50_000), seed=7 + many):
        wanted = cheapest(listed, cost, count, nodes)
        search = make_search(cost, count, nodes, budget, many)
        best, pauses = searched(listed, cost, nodes, search, work)
        assert best == (None if wanted is None or wanted > budget else wanted)
        assert (search.waiting == count).all()
        assert (search.nodes == nodes).all()
        assert not search.banned[search.stack[: search.left[0]]].any()
        found, paused = found + (best is not None), paused + pauses
        moved += bool(search.cost[1].any())
    assert found >= 100
    assert (paused > found) == (work == 1)
    assert (moved > 50) == (many == 0)


def all_rows(data, g):
    """All sets that one node may hold, as rows of `price_out`."""
    found = []
    for amounts in itertools.product(*(range(most + 1) for most in data.most[:, g].tolist())):
        a = np.array(amounts)
        if a.any() and (a @ data.needs <= data.capacity[g]).all():
            found.append(np.repeat(np.arange(a.size), a))
    rows = np.full((len(found), max(1, *(row.size for row in found), 1)), -1, dtype=np.int32)
    for row, tasks in zip(rows, found, strict=True):
        row[: tasks.size] = tasks
    return rows


def random_prices(data, rng, number):
    """Random prices of the tasks, with the bounds that they prove."""
    dearest = (
        int((data.overload_price + data.use_price).max()) * int(data.demand.max(initial=1)) + 1
    )
    dearest += int(data.idle_cost.max())
    made = []
    rows = [all_rows(data, g) for g in range(data.node_count.size)]
    for _ in range(number):
        shift = int(rng.integers(0, 4)) if dearest < 2**50 else 0
        profit = (rng.random(data.count.size) * dearest).astype(np.int64) << shift
        values = [
            max(0, int(data.worths(g, shift, profit, rows[g]).max(initial=0)))
            for g in range(len(rows))
        ]
        total = int(profit @ data.count) - sum(
            int(n) * v for n, v in zip(data.node_count, values, strict=True)
        )
        weights = np.zeros((len(rows), 1 + data.capacity.shape[1]))
        made.append(Prices(shift, profit, values, total, weights))
    return made


def close(data, prices, upper, bound):
    """Closing, and the bounds and allocations that it sends."""
    bounds, found = [], []

    def send(news):
        (bounds if news[0] == "bound" else found).append(news[-1])

    payload = {"prices": prices, "upper": upper, "bound": bound, "time_limit": 20.0}
    run = Closing(data, payload, send)
    run.run()
    return run, bounds, found


def scaled(data, factor):
    """The same with all costs so many times as large."""
    wide = {name: getattr(data, name) * factor for name in ("demand", "node_compute", "idle_cost")}
    return replace(data, **wide)


@pytest.mark.parametrize("factor", [1, 999_983, 10**12])
def test_bounds_never_pass_the_optimum_and_meet_it(factor):
    """At random prices, from an allocation that is optimal, nearly so, or far from it."""
    rng = np.random.default_rng(factor)
    met = found_better = 0
    for instance in random_instances(cases(120, 10_000), seed=factor % 97):
        problem, best = Problem(instance), oracle.brute_force(instance)
        grid = problem.outer_grid
        if best is None or not grid.exact_cost or column_table(problem).demand.max() > 2**20:
            continue
        data = scaled(column_table(problem), factor)
        units = cost_in_units(instance, np.array(best.positions))
        optimum = -(-(units - grid.offset) // grid.cost_unit) * factor
        upper = optimum + int(rng.choice([0, 1, 1000, 10**6])) * factor
        run, bounds, found = close(data, random_prices(data, rng, 2), upper, -(10**18))
        assert bounds == sorted(bounds)
        assert all(bound <= optimum for bound in bounds)
        for columns in found:
            node_index = decode(problem, columns, np.ones(len(columns)))
            assert check(instance, node_index) == []
        met += run.bound == optimum == run.upper
        found_better += bool(found)
    assert met >= 30
    assert found_better >= 20


def test_it_proves_what_the_relaxation_leaves_open():
    spec = "few_per_node:nodes=8,node_types=all,independent=true,storage=0.97,seed=1"
    problem = Problem(from_spec(spec))
    session, bounds, found = generated(problem), [], []
    upper = session.bound + 20_000
    session.close(30.0, upper, session.bound, found.append, bounds.append)
    node_index = decode(problem, found[-1], np.ones(len(found[-1])))
    assert check(problem.instance, node_index) == []
    assert cost_in_units(problem.instance, node_index) == bounds[-1]


def test_too_many_columns_prove_nothing(monkeypatch):
    data = column_table(Problem(from_spec("few_per_node:nodes=3,seed=1")))
    prices = random_prices(data, np.random.default_rng(0), 1)
    upper = prices[0].grid_bound + 10**9
    assert may_close(data)
    assert close(data, prices, upper, 0)[1]
    settings = replace(PARTITION, most_columns=1)
    monkeypatch.setattr("solver.columns.partition.closing.PARTITION", settings)
    assert close(data, prices, upper, 0)[1] == []


def test_uncompiled_code_searches_alike():
    one, other = answers_of(SCRIPT)
    assert one == other
