"""Bounds of the whole model against brute force."""

import sys
from fractions import Fraction

import numpy as np
import pytest
from whole_brute_force import brute_force
from whole_instances import whole_instances

from solver import (
    Affinity,
    AntiAffinity,
    Instance,
    Limit,
    Node,
    Part,
    Spread,
    Task,
    Variant,
    lower_bound,
)
from solver.bounds.closed_form import closed_form_bound
from solver.bounds.linear import linear_bound
from solver.bounds.modes.lagrangian import program_bound, with_best_prices
from solver.bounds.modes.linear import (
    divided_bound,
    modes_linear_bound,
    relaxation_solution,
)
from solver.problem.attainable import round_up_to_attainable
from solver.problem.problem import Problem
from solver.programs.modes_relaxation import ModesRelaxation


def solved(count, seed, **kind):
    """Problems with modes that have an allocation, and their optimum in exact units."""
    for case in whole_instances(count, seed=seed, **kind):
        best = brute_force(case.instance, case.homes)
        problem = Problem(case.instance)
        if best is not None and problem.modes is not None:
            units = Fraction(best.cost) * case.instance.exact.cost_scale
            assert units.denominator == 1
            yield problem, int(units)


def random_multipliers(program, rng):
    """Of either sign and any size, some of them nought."""
    size = 10.0 ** rng.integers(-2, 9)
    y = rng.normal(size=program.num_rows) * size * (rng.random(program.num_rows) < rng.random())
    return np.array([int(value) for value in y.tolist()], dtype=object)


@pytest.mark.parametrize("integers", [True, False])
@pytest.mark.parametrize("merged", [True, False])
def test_no_multipliers_pass_the_optimum(integers, merged):
    rng = np.random.default_rng(17)
    for problem, optimum in solved(120, seed=171, integers=integers):
        relaxation = ModesRelaxation(problem, merged=merged)
        for shift in (0, 8, 30):
            y = random_multipliers(relaxation.program, rng)
            assert program_bound(relaxation.program, y, shift) <= optimum
            best = with_best_prices(relaxation, y, shift)
            assert program_bound(relaxation.program, best, shift) <= optimum


@pytest.mark.parametrize("integers", [True, False])
def test_closed_form_linear_and_optimum_are_in_order(integers):
    tight = 0
    for problem, optimum in solved(120, seed=172, integers=integers):
        linear = linear_bound(problem)
        assert closed_form_bound(problem) <= linear <= optimum
        assert round_up_to_attainable(problem, optimum) == optimum
        tight += linear == optimum
    assert tight >= (40 if integers else 15)


def test_wide_numbers_stay_exact():
    """Prices and sizes of forty digits, which no float holds."""
    wide = 10**40
    nodes = [Node(f"n{i}", compute=4 * wide, price=3, overload_price=7, state="open") for i in "ab"]
    variants = [
        Variant("bf16", compute=3 * wide, price=wide // 7),
        Variant("int4", compute=2 * wide, price=5, parts=2),
    ]
    tasks = [Task(f"t{j}", variants=variants, skip_price=wide**2) for j in range(3)]
    instance = Instance(nodes, tasks, power_off=True)
    best = brute_force(instance)
    problem = Problem(instance)
    assert closed_form_bound(problem) <= linear_bound(problem)
    assert linear_bound(problem) <= best.cost * instance.exact.cost_scale


def tightness(nodes, tasks, homes=None, **settings):
    """The linear bound of an instance and its optimum."""
    instance = Instance(nodes, tasks, **settings)
    best = brute_force(instance, homes)
    return lower_bound(instance, "linear"), best.cost


def zones(*names, **fields):
    return [Node(f"n{i}", labels={"zone": z}, **fields) for i, z in enumerate(names)]


def test_the_linear_bound_sees_a_limit_on_a_zone():
    """Three tasks fit the cheap zone, two may be there: one pays what the other zone costs."""
    nodes = [
        Node("a", compute=9, price=1, labels={"zone": "a"}),
        Node("b", compute=9, price=1, use_price=1, labels={"zone": "b"}),
    ]
    tasks = [Task(f"t{j}", compute=3, groups=("web",)) for j in range(3)]
    bound, optimum = tightness(nodes, tasks, rules=[Limit("web", "zone", 2)])
    assert bound == optimum == 18 + 3


def test_the_linear_bound_sees_a_spread():
    """Four tasks over three zones with a skew of one: the dearest zone must take one."""
    nodes = [
        Node(f"n{i}", compute=9, price=1, use_price=min(i, 1), labels={"zone": f"z{i}"})
        for i in range(3)
    ]
    tasks = [Task(f"t{j}", compute=2, groups=("web",)) for j in range(4)]
    bound, optimum = tightness(nodes, tasks, rules=[Spread("web", "zone", 1)])
    assert bound == optimum == 27 + 2 * 2


def test_the_linear_bound_sees_too_few_domains():
    """With fewer domains than min_domains the least is 0, so that two of three are left out."""
    tasks = [Task(f"t{j}", compute=1, groups=("web",), skip_price=5) for j in range(3)]
    spread = Spread("web", "zone", 1, min_domains=2)
    bound, optimum = tightness(zones("a", compute=4, price=0), tasks, rules=[spread])
    assert bound == optimum == 10


def test_the_linear_bound_sees_affinities_within_what_one_domain_holds():
    """No node holds two of the group, which must be together: one is left out."""
    nodes = [Node(f"n{i}", compute=1, storage=3, price=0) for i in range(2)]
    tasks = [Task(f"t{j}", compute=0, storage=2, groups=("db",), skip_price=4) for j in range(2)]
    bound, optimum = tightness(nodes, tasks, rules=[Affinity("db", "node")])
    assert bound == optimum == 4


def test_the_linear_bound_sees_what_is_nowhere_allowed():
    """A task in both groups of an anti-affinity can only be left out."""
    nodes = zones("a", "b", compute=4, price=0)
    tasks = [Task("t", compute=1, groups=("a", "b"), skip_price=7), Task("u", compute=1)]
    bound, optimum = tightness(nodes, tasks, rules=[AntiAffinity("a", "b", "zone")])
    assert bound == optimum == 7
    follows = [Task("t", compute=1, groups=("a",), skip_price=7), Task("u", compute=1)]
    follows[1] = Task("u", compute=1, groups=("b",), skip_price=0, eligible=["n0"], max_loss=0)
    bound, optimum = tightness(nodes, follows, rules=[Affinity("a", "zone", with_="b")])
    assert bound == optimum == 0


def test_the_linear_bound_sees_the_quality_budget_and_prices():
    """Of ten tasks the budget lets four take the smaller variant."""
    variants = [Variant("bf16", compute=2, price=1), Variant("int4", compute=1, loss=2)]
    tasks = [Task(f"t{j}", variants=variants) for j in range(5)]
    bound, optimum = tightness(
        [Node("n", compute=99, price=0, use_price=0, overload_price=1)], tasks, quality_budget=4
    )
    assert bound == optimum == 3


def test_the_linear_bound_sees_parts_apart():
    """Three parts on three nodes, of which one is dear."""
    nodes = [Node(f"n{i}", compute=9, price=0, use_price=1 + 4 * (i == 2)) for i in range(3)]
    nodes = [Node(n.id, n.compute, price=0, use_price=n.use_price, overload_price=9) for n in nodes]
    equal = [Task("t", variants=[Variant("v", compute=2, parts=3)])]
    assert tightness(nodes, equal) == (14, 14)
    listed = [Task("t", variants=[Variant("v", parts=[Part(2), Part(1), Part(3)])])]
    bound, optimum = tightness(nodes, listed)
    assert bound == optimum == 3 + 2 + 5


def test_the_linear_bound_sees_moves():
    """Two of three tasks must leave a drained node; a third could, and stays."""
    nodes = [
        Node("old", compute=9, price=0, state="drained"),
        Node("new", compute=9, price=0),
        Node("far", compute=9, price=0),
    ]
    tasks = [Task(f"t{j}", compute=1) for j in range(3)]
    current = {"t0": "old", "t1": "old", "t2": "new"}
    homes = {"t0": (0, [0]), "t1": (0, [0]), "t2": (0, [1])}
    assert tightness(nodes, tasks, homes, current=current, move_price=5) == (10, 10)


def test_fewest_moves_to_a_small_skew():
    """Six zones with 1, 2, 4, 6, 8 and 9 pods of one app."""
    counts = [1, 2, 4, 6, 8, 9]
    nodes = zones("a", "b", "c", "d", "e", "f", compute=30, price=0)
    tasks = [Task(f"p{j}", compute=1, groups=("app",)) for j in range(sum(counts))]
    at = np.repeat(np.arange(6), counts).tolist()
    current = {f"p{j}": f"n{i}" for j, i in enumerate(at)}
    for skew, moves in ((2, 5), (1, 8)):
        spread = Spread("app", "zone", skew)
        instance = Instance(nodes, tasks, current=current, move_price=1, rules=[spread])
        assert lower_bound(instance, "linear") == moves


def test_nodes_of_a_class_merge_where_only_homes_differ():
    """Over unions of nodes the relaxation is smaller, and its bound here the same."""
    nodes = [Node(f"n{i}", compute=10, price=1) for i in range(6)]
    tasks = [Task(f"t{j}", compute=1 + j % 3) for j in range(12)]
    current = {f"t{j}": f"n{min(j, 3)}" for j in range(12)}
    problem = Problem(Instance(nodes, tasks, current=current, move_price=1))
    single, union = ModesRelaxation(problem), ModesRelaxation(problem, merged=True)
    assert single.node_sets.count.size == 5
    assert union.node_sets.count.tolist() == [6]
    assert union.program.num_columns < single.program.num_columns


def test_a_solution_of_the_relaxation_places_every_task():
    checked = 0
    for problem, optimum in solved(60, seed=173):
        solution = relaxation_solution(problem)
        assert solution is not None
        assert solution.bound <= optimum
        modes = problem.modes
        placed = np.bincount(modes.form_class, solution.forms, modes.task_count.size)
        assert (placed <= modes.task_count + 1e-6).all()
        must = np.array([price is None for price in modes.skip_cost])
        assert np.allclose(placed[must], modes.task_count[must])
        parts = solution.forms[modes.mode_form] * modes.mode_parts
        assert np.allclose(solution.parts.sum(axis=1), parts)
        room = problem.most_per_node * problem.classes.node_count
        assert (solution.parts <= room + 1e-6).all()
        checked += 1
    assert checked >= 30


@pytest.mark.parametrize("integers", [True, False])
def test_whole_numbers_of_nodes_bound_no_less_and_never_too_much(integers):
    better = 0
    for problem, optimum in solved(150, seed=176, integers=integers):
        divided = divided_bound(problem, 5.0)
        linear = modes_linear_bound(problem)
        if problem.instance.power_off:
            assert linear <= divided <= optimum
            better += divided > linear
        else:
            assert divided is None
    assert better >= 5


def test_whole_numbers_of_nodes_by_hand():
    """Two and a half nodes' work: the half costs a whole node."""
    nodes = [Node(f"n{i}", compute=10, price=1) for i in range(6)]
    tasks = [Task(f"t{j}", compute=5, skip_price=99) for j in range(5)]
    instance = Instance(nodes, tasks, power_off=True, max_load=1)
    assert lower_bound(instance, "linear") == 25
    assert lower_bound(instance) == 30


def test_rows_that_are_entered_when_broken_lose_nothing(monkeypatch):
    bounds = [
        (linear_bound(problem), optimum) for problem, optimum in solved(60, seed=175, integers=True)
    ]
    monkeypatch.setattr(sys.modules["solver.bounds.modes.prices"], "_MANY_ROWS", 0)
    again = [linear_bound(problem) for problem, _ in solved(60, seed=175, integers=True)]
    assert all(bound <= optimum for bound, (_, optimum) in zip(again, bounds, strict=True))
    same = [bound == first for bound, (first, _) in zip(again, bounds, strict=True)]
    assert sum(same) >= len(same) - 2  # at the last digit the one or the other may be better


def test_every_method_bounds_the_whole_model():
    for method in ("auto", "closed-form", "linear", "column-generation"):
        for problem, optimum in solved(12, seed=174):
            bound = lower_bound(problem.instance, method, time_limit=5.0)
            scale = problem.instance.exact.cost_scale
            assert bound is not None
            assert Fraction(bound) * scale <= optimum
