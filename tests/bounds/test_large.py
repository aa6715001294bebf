"""The linear bound of many classes: it never passes an optimum, and misses little."""

import dataclasses
import math
import time
from fractions import Fraction

import numpy as np
import oracle
import pytest
from random_instances import random_instances
from wide_instances import wide_instances

from instances import from_spec
from solver import Instance
from solver.bounds import lagrangian, linear
from solver.bounds.closed_form import closed_form_bound
from solver.bounds.large import evaluation, relaxation
from solver.bounds.large.envelope import Envelope
from solver.bounds.large.evaluation import evaluate
from solver.bounds.large.interior import PooledProgram, solve_pooled
from solver.bounds.large.pools import halved, pooled
from solver.bounds.large.relaxation import pooled_bounds
from solver.bounds.linear import linear_bound
from solver.problem.attainable import round_up_to_attainable
from solver.problem.problem import Problem
from solver.settings import LINEAR


@pytest.fixture
def in_this_process(monkeypatch):
    """The interior-point method without a child."""

    def job(_module, _function, payload, **_limits):
        return solve_pooled(payload, print)

    monkeypatch.setattr(relaxation, "run_job", job)


def with_settings(monkeypatch, **changes):
    for module in (evaluation, relaxation):
        monkeypatch.setattr(module, "LINEAR", dataclasses.replace(LINEAR, **changes))


def last_bound(problem, time_limit=30.0):
    found = pooled_bounds(problem, closed_form_bound(problem), time_limit)
    return max((each.bound for each in found), default=0)


def optima(instances):
    """Problems with an allocation, and their optimum in exact units."""
    for instance in instances:
        best = oracle.brute_force(instance)
        if best is not None:
            yield Problem(instance), Fraction(best.cost) * instance.exact.cost_scale


def drawn(nodes=20, tasks=150, seed=0, scale=1, resources=0, **features):
    """All nodes and tasks different, scarce where overload is cheap."""
    rng = np.random.default_rng(seed)
    C, S = rng.integers(500 * scale, 1500 * scale, (2, nodes))
    S[: nodes // 3] //= 4

    def needs(total):
        weights = rng.integers(100, 1000, tasks)
        return np.maximum(1, weights * total // weights.sum())

    names = [f"r{number}" for number in range(resources)]
    have = {name: rng.integers(500, 1500, nodes) for name in names}
    return Instance.from_arrays(
        **{
            "node_compute": C,
            "node_storage": S,
            "node_overload_price": (np.arange(nodes) * 300 + 2000) * scale,
            "node_resources": have,
            "task_compute": needs(int(1.1 * C.sum())),
            "task_storage": needs(int(0.9 * S.sum())),
            "task_resources": {name: needs(int(0.8 * have[name].sum())) for name in names},
            **features,
        }
    )


def zoned(**features):
    kinds = (["a"] * 5 + ["b"] * 5 + ["c"] * 10)[:20]
    rng = np.random.default_rng(4)
    return drawn(
        node_kind=kinds,
        task_eligible=rng.choice(3, 150, p=[0.6, 0.2, 0.2]),
        eligible_groups=[None, ("a", "b"), ("c",)],
        **features,
    )


CASES = {
    "plain": drawn(),
    "wide": drawn(scale=10**7),
    "use": drawn(seed=2, node_use_price=np.arange(20) * 20),
    "capped": drawn(seed=3, max_load=1.2),
    "zoned": zoned(),
    "resources": drawn(seed=5, resources=2),
    "unlimited": drawn(seed=6, node_storage=[900] * 18 + [np.inf] * 2, task_storage=[90] * 150),
    "some need none": drawn(seed=7, task_storage=np.where(np.arange(150) < 9, 0, 90)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("fit_cells", [0, LINEAR.fit_cells])
def test_it_is_the_relaxation_to_five_digits(case, fit_cells, monkeypatch, in_this_process):
    problem = Problem(CASES[case])
    assert problem.classes.num_task_classes * problem.classes.num_node_classes <= 3_000
    exact = linear_bound(problem)
    assert exact > closed_form_bound(problem) * (1 + 1e-3)
    with_settings(monkeypatch, fit_cells=fit_cells, pools=64, few_cells=0)
    found = last_bound(problem)
    assert found <= exact * (1 + 1e-7)
    assert found >= exact * (1 - 1e-5)


def test_pools_are_divided_until_the_bound_is_near(monkeypatch, in_this_process):
    problem = Problem(drawn(nodes=30, tasks=900, seed=11, scale=1000))
    with_settings(monkeypatch, pools=8, few_cells=0, fewest_pools=8)
    found = list(pooled_bounds(problem, closed_form_bound(problem), 60.0, 1e-7))
    bounds = [each.bound for each in found]
    assert len(bounds) >= 3
    assert found[0].above > found[-1].above
    assert max(bounds) <= min(each.bound * (1 + each.above + 1e-9) for each in found)
    with_settings(monkeypatch, pools=900)
    exact = last_bound(problem)
    assert bounds[0] <= max(bounds) <= exact * (1 + 1e-7)
    assert max(bounds) >= exact * (1 - 1e-6)


@pytest.mark.parametrize("fit_cells", [0, LINEAR.fit_cells])
@pytest.mark.parametrize("integers", [True, False])
def test_it_never_passes_the_optimum(integers, fit_cells, monkeypatch, in_this_process):
    with_settings(monkeypatch, fit_cells=fit_cells, pools=4, few_cells=0, fewest_pools=3)
    compared = tight = 0
    for problem, optimum in optima(random_instances(200, seed=811, integers=integers)):
        found = last_bound(problem)
        assert found <= optimum
        compared += 1
        tight += found >= 0.95 * float(optimum)
    assert compared >= 120
    assert tight >= 60


def test_it_never_passes_the_optimum_of_wide_numbers(monkeypatch, in_this_process):
    with_settings(monkeypatch, pools=4, few_cells=0, fewest_pools=3)
    compared = 0
    for problem, optimum in optima(wide_instances(250, seed=812)):
        for fit_cells in (0, LINEAR.fit_cells):
            with_settings(monkeypatch, fit_cells=fit_cells, pools=4, few_cells=0, fewest_pools=3)
            assert last_bound(problem) <= optimum
            compared += 1
    assert compared >= 200


@pytest.mark.parametrize("fit_cells", [0, LINEAR.fit_cells])
@pytest.mark.parametrize("wide", [True, False])
def test_any_prices_prove_what_they_prove_in_rationals(wide, fit_cells, monkeypatch):
    rng = np.random.default_rng(3)
    with_settings(monkeypatch, fit_cells=fit_cells, block_cells=3)
    instances = wide_instances(150, seed=813) if wide else random_instances(150, seed=814)
    compared = near = 0
    for problem, optimum in optima(instances):
        G, D = problem.classes.num_node_classes, 1 + problem.exact_numbers.needs.shape[1]
        for _ in range(4):
            prices = rng.random((G, D)) * (rng.random((G, D)) < 0.7)
            units = [
                Fraction(int(rng.integers(1, 2**50)), 2 ** int(rng.integers(0, 60)))
                for _ in range(D)
            ]
            found = evaluate(problem, prices, units, time.monotonic() + 9)
            assert found.bound <= optimum
            taken = rounded_prices(problem, prices, units)
            exact = in_rationals(problem, taken, fit_cells > 0)
            assert found.bound <= round_up_to_attainable(problem, max(0, math.ceil(exact)))
            compared += 1
            near += found.bound >= exact * Fraction(999_999, 1_000_000)
    assert compared >= 300
    assert near >= 0.9 * compared


def rounded_prices(problem, prices, units):
    """The prices that are left of those given, in rationals; within their limits."""
    whole = evaluation._in_integers(problem, prices, units)
    use, overload = (
        column.tolist()
        for column in (problem.exact_numbers.use_price, problem.exact_numbers.overload_price)
    )
    taken = [
        [
            Fraction(price) / Fraction(2) ** (cut + whole.shift)
            for price, cut in zip(row, whole.cut, strict=True)
        ]
        for row in whole.prices.tolist()
    ]
    for row, u, o in zip(taken, use, overload, strict=True):
        row[0] = max(Fraction(0), row[0] - u)
        assert row[0] <= o
    return taken


def in_rationals(problem, prices, fitting):
    """The Lagrangian, nothing rounded."""
    numbers = problem.exact_numbers
    where = problem.fits if fitting else problem.eligible_classes
    needs = np.column_stack([numbers.demand, numbers.needs]).tolist()
    rooms = np.column_stack([numbers.node_compute, numbers.capacity]).tolist()
    for d in range(1, len(rooms[0])):
        step = math.gcd(*(row[d] for row in needs)) or 1
        for row in rooms:
            row[d] = row[d] // step * step
    use = numbers.use_price.tolist()
    total = Fraction(sum(problem.instance.exact.node_off_cost.tolist()))
    for k, count in enumerate(numbers.count.tolist()):
        total += count * min(
            use[g] * needs[k][0] + sum(q * s for q, s in zip(prices[g], needs[k], strict=True))
            for g in np.flatnonzero(where[k]).tolist()
        )
    for g, count in enumerate(numbers.node_count.tolist()):
        node = int(numbers.idle_cost[g]) - sum(
            q * Q for q, Q in zip(prices[g], rooms[g], strict=True)
        )
        total += count * (min(0, node) if problem.instance.power_off else node)
    return total


def test_the_envelope_has_the_cheapest_of_all():
    rng = np.random.default_rng(8)
    for _ in range(300):
        high = int(rng.choice([2, 5, 1000, 2**30]))
        prices = rng.integers(0, high + 1, (int(rng.integers(1, 40)), 2))
        tasks = rng.integers(0, high + 1, (60, 2)) * rng.integers(0, 2, (60, 2))
        expected = (tasks[:, None, :] * prices[None, :, :]).sum(axis=2).min(axis=1)
        assert (Envelope.of(prices).least(tasks) == expected).all()


def test_pools_keep_groups_apart_and_nothing_is_lost():
    rng = np.random.default_rng(9)
    for _ in range(60):
        K, D = int(rng.integers(0, 200)), int(rng.integers(1, 5))
        shares = rng.random((K, D)) * (rng.random((K, D)) < 0.8)
        group = rng.integers(0, 3, K)
        pools = pooled(shares, group, int(rng.integers(3, 40)))
        for _ in range(3):
            used = shares.sum(axis=1) > 0
            assert ((pools.pool >= 0) == used).all()
            assert sorted(set(pools.pool[used].tolist())) == list(range(pools.count))
            for number in range(pools.count):
                assert len(set(group[pools.pool == number].tolist())) == 1
                assert pools.pool[pools.first[number]] == number
            assert pools.sums(shares[:, 0]).sum() == pytest.approx(shares[:, 0].sum())
            before = pools
            pools = halved(pools, rng.random(pools.count), pools.count + 5)
            assert before.count <= pools.count <= before.count + 5
            for number in range(pools.count):
                assert len(set(before.pool[pools.pool == number].tolist())) == 1


def test_more_groups_than_pools_are_not_pooled():
    assert pooled(np.ones((9, 2)), np.arange(9), 8) is None


def test_no_tasks_and_tasks_that_need_nothing(in_this_process):
    nothing = Instance.from_arrays(node_compute=[3, 5], task_compute=[])
    assert list(pooled_bounds(Problem(nothing), 0, 9.0)) == []
    zeros = Instance.from_arrays(node_compute=[3, 5], task_compute=[0, 0, 0])
    assert list(pooled_bounds(Problem(zeros), 0, 9.0)) == []
    free = Instance.from_arrays(
        node_compute=[0, 5], node_price=[0, 0], task_compute=[2, 0, 9], power_off=True
    )
    assert last_bound(Problem(free)) == 0


def test_numbers_beyond_floats_have_no_pooled_bound():
    vast = Instance.from_arrays(node_compute=[10**300, 10**300], task_compute=[10**300, 1])
    assert list(pooled_bounds(Problem(vast), 0, 9.0)) == []


@pytest.mark.parametrize("features", [{}, {"power_off": True}, {"max_load": 2.5}])
def test_above_its_limit_of_cells_the_linear_bound_comes_from_pools(features, monkeypatch):
    problem = Problem(drawn(nodes=25, tasks=120, seed=21, **features))
    exact = linear_bound(problem)
    for module in (lagrangian, linear):
        monkeypatch.setattr(module, "PROGRAM_CELLS", 0)
    heard = []
    found = linear_bound(problem, on_bound=heard.append)
    assert heard == sorted(set(heard))
    assert (heard[0], heard[-1]) == (closed_form_bound(problem), found)
    assert linear_bound(problem, on_bound=lambda _: True) == heard[0]
    assert heard[0] < found <= exact * (1 + 1e-7)
    assert found >= exact * (1 - 1e-5)


def test_where_nodes_may_be_off_rooms_above_all_needs_count_as_they_are(in_this_process):
    few = from_spec("uniform:nodes=30,tasks=90,load=0.4,node_types=three,seed=3")
    problem = Problem(few.replace(power_off=True, max_load=1, node_storage=few.node_storage * 2))
    assert last_bound(problem) == pytest.approx(linear_bound(problem), rel=1e-6)


def test_a_linear_program_that_fails_leaves_the_pools(monkeypatch):
    monkeypatch.setattr(linear, "_relaxation_prices", lambda *_: None)
    problem = Problem(drawn())
    assert linear_bound(problem) > closed_form_bound(problem)


def test_out_of_time_there_is_the_closed_form(monkeypatch, in_this_process):
    problem = Problem(drawn())
    assert list(pooled_bounds(problem, 0, -1.0)) == []
    with_settings(monkeypatch, fit_cells=0)
    resources = Problem(drawn(resources=1))
    prices = np.ones((resources.classes.num_node_classes, 3))
    assert evaluate(resources, prices, [Fraction(1)] * 3, time.monotonic() - 1) is None


def test_a_program_without_a_solution_leaves_pools_out():
    program = PooledProgram(
        amounts=np.array([[0.5, 1.0], [0.5, 1.0]]),
        rooms=np.array([[1.0, 1.0]]),
        overload_price=np.ones(1),
        use_price=np.zeros(1),
        left_out=np.array([100.0, 200.0]),
    )
    payload = {"program": program, "time_limit": 9.0, "tolerance": 1e-8}
    solution = solve_pooled(payload, print)
    assert solution.left_out == pytest.approx(1.0)
    assert solution.cost == pytest.approx(100.0) == solution.bound
