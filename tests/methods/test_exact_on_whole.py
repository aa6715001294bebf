"""CP-SAT and MIP solvers on the whole model: each feature by hand, and all against brute force."""

import time
from fractions import Fraction

import numpy as np
import pytest
import whole_oracle
from whole_brute_force import brute_force
from whole_draws import FEATURES
from whole_instances import whole_instances

from solver import (
    Affinity,
    Allocation,
    AntiAffinity,
    Instance,
    Limit,
    Node,
    Part,
    Spread,
    Status,
    Task,
    Termination,
    Variant,
    check,
    cost_of,
    solve,
)
from solver.judge.cost import cost_in_units
from solver.judge.moves import count_moves
from solver.methods import Options
from solver.methods.cp_sat import cp_sat
from solver.methods.mip import mip
from solver.methods.placing.fewest_moves import fewest_moves
from solver.problem.problem import Problem

ENGINES = {"CP-SAT": (cp_sat, "HiGHS"), "HiGHS": (mip, "HiGHS"), "CBC": (mip, "CBC")}


def prove(instance, engine, start=None):
    """Optimal cost by an engine alone, in exact units, and its outcome; None if infeasible."""
    method, mip_solver = ENGINES[engine]
    found, bounds = [], []
    options = Options(
        deadline=time.monotonic() + 60,
        mip_solver=mip_solver,
        start=start,
        on_incumbent=found.append,
        on_bound=lambda bound, _: bounds.append(bound),
    )
    outcome = method(Problem(instance), options)
    if outcome.infeasible_because is not None:
        assert not found
        return None, outcome
    assert all(check(instance, node_index) == [] for node_index in found)
    costs = [cost_in_units(instance, node_index) for node_index in found]
    costs += [] if start is None else [cost_in_units(instance, start)]
    assert outcome.termination is Termination.PROVEN
    assert min(costs) == max(bounds)
    return min(costs), outcome


def nodes(*computes, **fields):
    """Nodes whose idle cost is 10 times the compute, and overload 10 a unit."""
    return [Node(f"n{i}", compute=c, price=10, **fields) for i, c in enumerate(computes)]


def zoned(*zones, **fields):
    return [
        Node(f"n{i}", compute=10, price=1, labels={"zone": zone} if zone else {}, **fields)
        for i, zone in enumerate(zones)
    ]


BIG_OR_SMALL = [Variant("big", compute=8), Variant("small", compute=4, price=30, loss=1)]
ON = {"power_off": "rented"}


def pods(count, compute=1, group="app", **fields):
    return [Task(f"{group}-{i}", compute, groups=[group], **fields) for i in range(count)]


CASES = {
    # Loads 16, 12 or 8 on 10: overload 60, or 20 and one price of 30, or two of them.
    "variants": (Instance(nodes(10), [
        Task("a", variants=BIG_OR_SMALL), Task("b", variants=BIG_OR_SMALL)]), 100 + 20 + 30),
    "quality_price": (Instance(nodes(10), [
        Task("a", variants=BIG_OR_SMALL), Task("b", variants=BIG_OR_SMALL)],
        quality_price=20), 100 + 60),
    "quality_budget": (Instance(nodes(10), [
        Task("a", variants=BIG_OR_SMALL), Task("b", variants=BIG_OR_SMALL)],
        quality_budget=0), 100 + 60),
    "max_loss": (Instance(nodes(10), [
        Task("a", variants=BIG_OR_SMALL, max_loss=0), Task("b", compute=4)]), 100 + 20),
    # One node would do, but the parts need two; three parts find no third node.
    "parts": (Instance(nodes(10, 10, 10), [
        Task("a", variants=[Variant("v", compute=2, parts=2)])], **ON), 200),
    "too many parts": (Instance(nodes(10, 10), [
        Task("a", variants=[Variant("v", compute=1, parts=3)])]), None),
    "listed parts": (Instance(nodes(10, 4), [
        Task("a", variants=[Variant("v", parts=[Part(9), Part(5)])])]), 140 + 10),
    # Two nodes hold both tasks of two parts each; one would, were parts not apart.
    "parts of several": (Instance(nodes(4, 4, 4), [
        Task(t, variants=[Variant("v", compute=1, parts=2)]) for t in "ab"], **ON), 80),
    "skip": (Instance(nodes(10), [Task("a", 10), Task("b", 5, skip_price=30)]), 100 + 30),
    "skip is dear": (Instance(nodes(10), [Task("a", 10), Task("b", 5, skip_price=60)]), 100 + 50),
    "pinned": (Instance(nodes(10, 5), [Task("a", 9, pinned="n1")]), 150 + 40),
    "pinned elsewhere": (Instance(nodes(10, 5), [
        Task("a", 9, pinned="n1", eligible=["n0"])]), None),
    "drained": (Instance([*nodes(10), Node("old", 10, price=10, state="drained")], [
        Task("a", 8), Task("b", 8)]), 200 + 60),
    "cordoned": (Instance([*nodes(10), Node("old", 10, price=10, state="cordoned")], [
        Task("a", 8), Task("b", 8), Task("c", 1)], current={"a": "old"}), 200),
    "cordoned takes no other": (Instance([*nodes(10), Node("x", 10, price=10, state="cordoned")], [
        Task("a", 8), Task("b", 9)], current={"a": "n0"}), 200 + 70),
    # To move the one of 3 saves 10; the other move saves nothing.
    "moves": (Instance(nodes(10, 10), [Task("a", 8), Task("b", 3), Task("c", 3)],
        current={"a": "n0", "b": "n0", "c": "n1"}, move_price=7), 200 + 7),
    "move is dear": (Instance(nodes(10, 10), [Task("a", 8), Task("b", 3), Task("c", 3)],
        current={"a": "n0", "b": "n0", "c": "n1"}, move_price=11), 200 + 10),
    "no moves": (Instance(nodes(10, 10), [Task("a", 8), Task("b", 3), Task("c", 3)],
        current={"a": "n0", "b": "n0", "c": "n1"}, max_moves=0), 200 + 10),
    "a variant is a move": (Instance(nodes(10), [
        Task("a", variants=BIG_OR_SMALL), Task("b", variants=BIG_OR_SMALL)],
        current={"a": {"node": "n0", "variant": "big"}, "b": {"node": "n0", "variant": "big"}},
        move_price=11), 100 + 60),
    # Of four identical nodes of 2, three must be on for three pods, one a node.
    "limit on nodes": (Instance(nodes(2, 2, 2, 2), pods(3), rules=[Limit("app", "node", 1)], **ON),
        60),
    "limit on zones": (Instance(zoned("a", "a", "b"), pods(4, 10), rules=[Limit("app", "zone", 2)]),
        30 + 10),
    "limit too low": (Instance(zoned("a", "a", None), pods(3), rules=[Limit("app", "zone", 2)]),
        None),
    # Zone a would hold all four without overload; with two in each, 5 are above the small node.
    "spread": (Instance([*zoned("a", "a"), Node("s", compute=5, price=1, labels={"zone": "b"})],
        pods(4, 5), rules=[Spread("app", "zone", 1)]), 25 + 5),
    "spread over many": (Instance(zoned(*"abc"), pods(2, 4), rules=[Spread("app", "zone", 1)],
        **ON), 20),
    "min_domains": (Instance(zoned(*"ab"), pods(3), rules=[Spread("app", "zone", 1, 3)]), None),
    "spread on nodes": (Instance(nodes(9, 9, 1), pods(5), rules=[Spread("app", "node", 1)], **ON),
        10 * 19),
    "affinity": (Instance(zoned(*"aab"), pods(3, 10), rules=[Affinity("app", "zone")]), 30 + 10),
    "affinity on a node": (Instance(nodes(2, 2), pods(3), rules=[Affinity("app", "node")]), 50),
    "affinity with": (Instance(zoned(*"ab"), [*pods(1, 8), Task("db", 8, pinned="n0",
        groups=["db"])], rules=[Affinity("app", "zone", "db")]), 20 + 6),
    "anti-affinity": (Instance(nodes(9, 9), [*pods(2), *pods(1, group="db")],
        rules=[AntiAffinity("app", "db", "node")], **ON), 180),
    "anti-affinity to itself": (Instance(nodes(9, 9), [Task("x", 1, groups=["app", "db"])],
        rules=[AntiAffinity("app", "db", "node")]), None),
}  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES)
def test_the_optimum_is_that_found_by_hand(case, engine):
    instance, optimum = CASES[case]
    units, outcome = prove(instance, engine)
    if optimum is None:
        assert units is None, units
        assert outcome.infeasible_because
    else:
        assert Fraction(units, instance.exact.cost_scale) == optimum


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_agree_with_brute_force_on_every_feature(engine):
    """From nothing, or from an optimum whose cost they have to prove."""
    decided = infeasible = 0
    cases = whole_instances(60 if engine == "CP-SAT" else 30, seed=81)
    for number, (instance, homes) in enumerate(cases):
        best = brute_force(instance, homes)
        start = None
        if best is not None and number % 2:
            start = np.array(whole_oracle.node_index_of(instance, best.placement))
        units, _ = prove(instance, engine, start)
        infeasible += units is None
        if best is None:
            assert units is None
        else:
            assert Fraction(units, instance.exact.cost_scale) == best.cost
        decided += 1
    assert decided > infeasible > 3


@pytest.mark.parametrize("max_skew", [1, 2])
def test_fewest_moves_to_even_out_six_domains(max_skew):
    """Domains with 1, 2, 4, 6, 8 and 9 pods of one app: 5 moves to a skew of 2, 8 to one of 1."""
    counts = (1, 2, 4, 6, 8, 9)
    hosts = [Node(f"n{i}", 9, labels={"zone": f"z{i}"}) for i in range(len(counts))]
    homes = [f"n{i}" for i, count in enumerate(counts) for _ in range(count)]
    instance = Instance(
        hosts,
        pods(len(homes)),
        rules=[Spread("app", "zone", max_skew)],
        current={f"app-{k}": home for k, home in enumerate(homes)},
        move_price=1,
    )
    for method in ("cp-sat", "mip"):
        result = solve(instance, method, num_workers=1)
        assert result.status is Status.OPTIMAL
        assert result.cost_parts["moves"] == {1: 8, 2: 5}[max_skew]


def test_of_equal_cost_the_fewest_moves():
    """Interchangeable pods change places; others have to be brought back by the exact model."""
    hosts = [Node(f"n{i}", 9) for i in range(3)]
    alike = {"app-0": "n0", "app-1": "n0", "app-2": "n1"}
    even = [Spread("app", "node", 1)]
    cases = (
        (Instance(hosts, pods(3), rules=even, current=alike), [2, 1, 0], 1),
        (Instance(hosts, [Task(f"t{j}", j + 1) for j in range(3)], current={"t0": "n1"}),
         [2, 1, 0], 0),
        (Instance(hosts, [Task("a", variants=[Variant("v", parts=[Part(1), Part(2)])])],
         current={"a": ["n0", "n1"]}), [2, 0], 0),
    )  # fmt: skip
    for instance, given, moves in cases:
        problem = Problem(instance)
        options = Options(deadline=time.monotonic() + 20)
        found = fewest_moves(problem, options, np.array(given))
        assert check(instance, found) == []
        assert cost_of(instance, found) == cost_of(instance, np.array(given))
        assert count_moves(Allocation(instance, found)) == moves
        assert fewest_moves(problem, options, found).tolist() == found.tolist()


def test_no_optimum_moves_less():
    """Against the optimum where each move costs a little, of instances where they cost nothing."""
    features = [feature for feature in FEATURES if feature != "move_price"]
    compared = 0
    for instance, homes in whole_instances(80, seed=82, features=features):
        if instance.current is None:
            continue
        best = brute_force(instance.replace(move_price=0.0001), homes)
        if best is None:
            continue
        result = solve(instance, "cp-sat", num_workers=1)
        assert result.status is Status.OPTIMAL
        placed = whole_oracle.node_index_of(instance, best.placement)
        fewest = count_moves(Allocation(instance, placed))
        assert count_moves(result.allocation) == fewest
        compared += fewest > 0
    assert compared >= 5


def test_solve_saves_moves_that_cost_nothing():
    hosts = [Node(f"n{i}", 9) for i in range(4)]
    tasks = [Task(f"t{j}", compute=j + 1) for j in range(6)]
    current = {f"t{j}": f"n{(5 * j) % 4}" for j in range(6)}
    instance = Instance(hosts, tasks, current=current)
    result = solve(instance, "cp-sat", num_workers=1)
    assert result.status is Status.OPTIMAL
    assert result.allocation.node_index.tolist() == instance.current.tolist()


def test_a_proof_of_infeasibility_names_what_may_be_in_conflict():
    """Two pods apart in each of two zones, all pinned to one of them."""
    instance = Instance(
        zoned(*"ab"),
        [*pods(2, pinned="n0"), Task("p", variants=[Variant("v", compute=1, parts=2)])],
        rules=[Limit("app", "zone", 1)],
        current={"p": ["n0", "n1"]},
        max_moves=0,
    )
    _, outcome = prove(instance, "CP-SAT")
    for name in ("eligibility", "pinned", "max_moves", "different nodes", "rule limit"):
        assert name in outcome.infeasible_because
