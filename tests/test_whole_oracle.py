"""The oracle of the whole model by hand, against enumeration, and against the plain oracle."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import oracle
import pytest
import whole_oracle
from random_instances import random_instances
from whole_brute_force import brute_force
from whole_draws import FEATURES, NUMBERS
from whole_instances import whole_instances

from solver.model.instance import Instance
from solver.model.records import Node, Part, Task, Variant
from solver.model.rules import Affinity, AntiAffinity, Limit, Spread


def placed(*positions):
    """A placement of tasks of one variant of one part; None is left out."""
    return [None if i is None else (0, [i]) for i in positions]


def least(nodes, tasks, homes=None, **settings):
    """Cost and placement of the optimum, or None."""
    instance = Instance(nodes, tasks, **settings)
    found = brute_force(instance, homes)
    if found is None:
        return None
    assert whole_oracle.feasible(instance, homes or {}, found.placement)
    assert whole_oracle.cost(instance, homes or {}, found.placement) == found.cost
    return found.cost, found.placement


def allowed(nodes, tasks, homes=None, **settings):
    """All feasible placements of tasks of one variant of one part."""
    instance = Instance(nodes, tasks, **settings)
    return [
        "".join("-" if i is None else str(i) for i in positions)
        for positions in itertools.product([*range(len(nodes)), None], repeat=len(tasks))
        if whole_oracle.feasible(instance, homes or {}, placed(*positions))
    ]


def zoned(*zones, **fields):
    return [
        Node(f"n{i}", 9, price=0, labels={} if zone is None else {"zone": zone}, **fields)
        for i, zone in enumerate(zones)
    ]


def tasks_of(*groups, **fields):
    return [Task(f"t{j}", 1, groups=tuple(names), **fields) for j, names in enumerate(groups)]


def test_a_variant_costs_its_price_and_its_loss():
    variants = [Variant("full", 5), Variant("small", 2, price=1, loss=2)]
    node = Node("a", 3, price=0, overload_price=2)
    assert least([node], [Task("x", variants=variants)]) == (1, [(1, (0,))])
    assert least([node], [Task("x", variants=variants)], quality_price=2) == (4, [(0, (0,))])
    assert least([node], [Task("x", variants=variants, max_loss=1)]) == (4, [(0, (0,))])


def test_losses_share_a_budget():
    model = [Variant("full", 5), Variant("small", 0, loss=0.2)]
    tasks = [Task(name, model="m") for name in "xyz"]
    nodes = [Node("a", 0, price=0, overload_price=1)]
    assert least(nodes, tasks, models={"m": model}, quality_budget=0.6)[0] == 0
    assert least(nodes, tasks, models={"m": model}, quality_budget=0.5)[0] == 5


def test_parts_are_on_different_nodes():
    task = Task("x", variants=[Variant("wide", 2, parts=2, price=3)])
    assert least([Node("a", 9)], [task]) is None
    cost, placement = least([Node("a", 1), Node("b", 2)], [task])
    assert (cost, placement) == (3 + 1 + 1 + 4, [(0, (0, 1))])


def test_parts_have_figures_of_their_own():
    parts = [Part(4), Part(1, eligible=["a"])]
    task = Task("x", variants=[Variant("pair", parts=parts, eligible=["a", "b"])])
    assert least([Node("a", 4), Node("b", 1), Node("c", 9)], [task])[1] == [(0, (1, 0))]


def test_a_task_may_be_left_out_at_its_price():
    nodes = [Node("a", 1, price=0, overload_price=3)]
    assert least(nodes, [Task("x", 2, skip_price=4)]) == (3, [(0, (0,))])
    assert least(nodes, [Task("x", 2, skip_price=2)]) == (2, [None])


def test_a_fixed_cost_is_what_the_node_costs():
    nodes = [Node("a", 8, fixed_cost=23.6, overload_price=1), Node("b", 8, price=3)]
    assert least(nodes, [Task("x", 8)], power_off=True)[0] == oracle.exact(23.6)
    assert least(nodes, [Task("x", 9)], power_off=True)[0] == 24 + 3 - oracle.exact(2.4)


def test_eligible_names_labels():
    nodes = [*zoned("a", "b", None), Node("n3", 9, kind="a")]
    tasks = [Task("t0", 1, eligible=["zone=b", "a"])]
    assert allowed(nodes, tasks) == ["1", "3"]


def test_pinned_is_in_addition_to_eligible():
    nodes = zoned("a", "a", "b")
    assert allowed(nodes, [Task("t0", 1, eligible=["zone=a"], pinned=("n1", "n2"))]) == ["1"]
    assert allowed(nodes, [Task("t0", 1, eligible=["zone=a"], pinned="n2")]) == []


@pytest.mark.parametrize(
    ("state", "home", "expected"),
    [
        ("open", {}, ["0", "1"]),
        ("cordoned", {}, ["1"]),
        ("cordoned", {"t0": (0, [0])}, ["0", "1"]),
        ("cordoned", {"t0": (0, [1])}, ["1"]),
        ("drained", {"t0": (0, [0])}, ["1"]),
    ],
)
def test_states_of_nodes(state, home, expected):
    nodes = [Node("n0", 9, state=state), Node("n1", 9)]
    assert allowed(nodes, [Task("t0", 1)], home) == expected


def test_a_cordoned_node_keeps_the_same_variant_only():
    nodes = [Node("n0", 9, state="cordoned"), Node("n1", 9, price=100, overload_price=9)]
    task = Task("t0", variants=[Variant("a", 2), Variant("b", 1)])
    assert least(nodes, [task], {"t0": (0, [0])}, power_off=True) == (81, [(0, (0,))])
    assert least(nodes, [task], {"t0": (1, [0])}, power_off=True) == (81, [(1, (0,))])
    assert least(nodes, [task], {"t0": (1, [None])}, power_off=True)[0] == 900


def test_moves_of_equal_parts_are_those_outside_the_nodes_before():
    form = whole_oracle.Form(0, 0, (None,) * 3, equal=True)
    assert whole_oracle.moves(form, (0, [2, 1, 0]), (0, [0, 1, 2])) == 0
    assert whole_oracle.moves(form, (0, [3, 1, 0]), (0, [0, 1, 2])) == 1
    assert whole_oracle.moves(form, (0, [3, 1, 0]), (0, [0, None, None])) == 2
    assert whole_oracle.moves(form, (0, [0, 1, 2]), (1, [0])) == 3
    assert whole_oracle.moves(form, (0, [0, 1, 2]), None) == 0
    assert whole_oracle.moves(form, None, (0, [0, 1, 2])) == 0


def test_moves_of_other_parts_are_counted_one_by_one():
    form = whole_oracle.Form(0, 0, (None,) * 2, equal=False)
    assert whole_oracle.moves(form, (0, [1, 0]), (0, [0, 1])) == 2
    assert whole_oracle.moves(form, (0, [0, 2]), (0, [0, None])) == 1


def test_moves_cost_and_are_limited():
    nodes = [Node("a", 1, price=0, overload_price=5), Node("b", 1, price=0, overload_price=5)]
    tasks = [Task("x", 1), Task("y", 1, move_price=2)]
    homes = {"x": (0, [0]), "y": (0, [0])}
    assert least(nodes, tasks, homes, current={"x": "a", "y": "a"}, move_price=3)[0] == 2
    assert least(nodes, tasks, homes, current={"x": "a", "y": "a"}, max_moves=0)[0] == 5
    nowhere = {"x": (0, [0]), "y": (0, [None])}
    assert least(nodes, tasks, nowhere, current={"x": "a"}, max_moves=0, move_price=3)[0] == 0


def test_limits():
    nodes, tasks = zoned("a", "a", "b"), tasks_of("g", "g", "h")
    found = allowed(nodes, tasks, rules=[Limit("g", "zone", 1)])
    assert {text[:2] for text in found} == {"02", "12", "20", "21"}
    assert len(found) == 4 * 3
    assert allowed(nodes, tasks_of("g"), rules=[Limit("g", "zone", 0)]) == []
    assert len(allowed(nodes, tasks_of("g", "g"), rules=[Limit("g", "node", 1)])) == 6


def test_a_node_without_the_label_takes_no_part_of_the_group():
    nodes = [*zoned("a", None), Node("n2", 9, kind="k")]
    for rule in (Limit("g", "zone", 9), Spread("g", "zone", 9), Affinity("g", "zone")):
        assert allowed(nodes, tasks_of("g"), rules=[rule]) == ["0"]
    assert allowed(nodes, tasks_of("g"), rules=[Limit("g", "kind", 9)]) == ["2"]
    with_it = [AntiAffinity("g", "h", "zone")]
    assert allowed(nodes, tasks_of("g", "h"), rules=with_it) == ["01", "02"]


def test_spread():
    nodes, tasks = zoned("a", "a", "b"), tasks_of("g", "g")
    assert allowed(nodes, tasks, rules=[Spread("g", "zone", 1)]) == ["02", "12", "20", "21"]
    assert len(allowed(nodes, tasks, rules=[Spread("g", "zone", 2)])) == 9
    only_a = tasks_of("g", "g", eligible=["zone=a"])
    assert allowed(nodes, only_a, rules=[Spread("g", "zone", 1)]) == ["00", "01", "10", "11"]
    assert allowed(nodes, only_a, rules=[Spread("g", "zone", 1, min_domains=2)]) == []
    pinned = tasks_of("g", "g", pinned=("n0", "n1"))
    assert allowed(nodes, pinned, rules=[Spread("g", "zone", 1)]) == []


def test_affinity():
    nodes = zoned("a", "a", "b")
    one = allowed(nodes, tasks_of("g", "g"), rules=[Affinity("g", "zone")])
    assert one == ["00", "01", "10", "11", "22"]
    two = allowed(nodes, tasks_of("g", "h"), rules=[Affinity("g", "zone", "h")])
    assert two == ["00", "01", "10", "11", "22"]
    free = allowed(nodes, tasks_of("g", "h", skip_price=1), rules=[Affinity("g", "zone", "h")])
    assert set(free) == {*two, "-0", "-1", "-2", "--"}


def test_anti_affinity():
    nodes = zoned("a", "a", "b")
    rules = [AntiAffinity("g", "h", "zone")]
    assert allowed(nodes, tasks_of("g", "h"), rules=rules) == ["02", "12", "20", "21"]
    assert allowed(nodes, tasks_of("gh"), rules=rules) == []


def test_rows_are_parts_in_order():
    variants = [Variant("one", 1), Variant("two", 1, parts=2)]
    instance = Instance([Node("a", 1), Node("b", 1)], [Task("x", 1), Task("y", variants=variants)])
    placement = [(0, [1]), (1, [1, 0])]
    assert whole_oracle.node_index_of(instance, placement) == [1, -1, 1, 0]
    assert whole_oracle.placement_of(instance, [1, -1, 1, 0]) == placement
    assert whole_oracle.placement_of(instance, [1, -1, -1, -1]) == [(0, [1]), None]


def everything(instance):
    """Every placement, with parts on different nodes."""
    ways = []
    for task in instance.tasks:
        ways.append([] if task.skip_price is None else [None])
        for v, form in enumerate(whole_oracle.forms_of(instance, task)):
            nodes = range(instance.num_nodes)
            ways[-1] += [(v, p) for p in itertools.permutations(nodes, len(form.pieces))]
    return itertools.product(*ways), math.prod(map(len, ways))


@pytest.mark.parametrize("numbers", NUMBERS)
def test_brute_force_equals_plain_enumeration(numbers):
    enumerated = 0
    for instance, homes in whole_instances(80, seed=5, numbers=numbers):
        placements, count = everything(instance)
        if count > 500:
            continue
        enumerated += 1
        costs = [
            whole_oracle.cost(instance, homes, placement)
            for placement in placements
            if whole_oracle.feasible(instance, homes, placement)
        ]
        found = brute_force(instance, homes)
        assert (None if found is None else found.cost) == min(costs, default=None)
    assert enumerated >= 25


def test_brute_force_returns_a_placement_of_the_cost_it_states():
    for instance, homes in whole_instances(150, seed=6):
        found = brute_force(instance, homes)
        if found is not None:
            assert whole_oracle.feasible(instance, homes, found.placement)
            assert whole_oracle.cost(instance, homes, found.placement) == found.cost


@pytest.mark.parametrize("integers", [True, False])
def test_plain_instances_have_the_optimum_of_the_plain_oracle(integers):
    for instance in random_instances(80, seed=11, max_tasks=7, integers=integers):
        plain, whole = oracle.brute_force(instance), brute_force(instance)
        assert (plain is None) == (whole is None)
        if plain is not None:
            assert plain.cost == whole.cost
            assert whole_oracle.feasible(instance, {}, placed(*plain.positions))
            assert whole_oracle.cost(instance, {}, placed(*plain.positions)) == plain.cost


def test_random_instances_repeat_for_a_seed():
    assert list(whole_instances(10, seed=3)) == list(whole_instances(10, seed=3))
    assert list(whole_instances(10, seed=3)) != list(whole_instances(10, seed=4))


@pytest.mark.parametrize("numbers", NUMBERS)
def test_random_instances_reach_every_feature(numbers):
    seen: Counter[str] = Counter(dict.fromkeys(FEATURES, 0))
    count = 300
    for instance, homes in whole_instances(count, seed=2, numbers=numbers):
        seen.update(features_of(instance, homes))
    rare = {feature: times for feature, times in seen.items() if times < 10}
    assert rare == {}
    assert 0.15 <= seen["infeasible"] / count <= 0.33


def features_of(instance, homes):
    """What an instance, and its optimum, make use of."""
    nodes, tasks = list(instance.nodes), list(instance.tasks)
    forms = [whole_oracle.forms_of(instance, task) for task in tasks]
    best = brute_force(instance, homes)
    found = {
        "infeasible": best is None,
        "storage": any(not math.isinf(node.storage) for node in nodes),
        "resources": any(node.resources for node in nodes),
        "kinds": any(node.kind is not None for node in nodes),
        "labels": any(node.labels for node in nodes),
        "no label": any(node.labels for node in nodes) and any(not n.labels for n in nodes),
        "eligible": any(p.eligible for each in forms for form in each for p in form.pieces),
        "max_load": instance.max_load is not None,
        "states": {node.state for node in nodes} != {"open"},
        "pinned": any(task.pinned is not None for task in tasks),
        "price": any(node.price != node.compute for node in nodes),
        "overload_price": any(node.overload_price != node.price for node in nodes),
        "fixed_cost": any(node.fixed_cost is not None for node in nodes),
        "use_price": any(node.use_price for node in nodes),
        "energy": instance.energy is not None,
        "power_off": bool(instance.power_off),
        "owned": instance.power_off == "owned",
        "variants": any(len(each) > 1 for each in forms),
        "models": len({task.model for task in tasks if task.model}) >= 1,
        "parts": any(len(form.pieces) > 1 for each in forms for form in each),
        "part_records": any(not form.equal for each in forms for form in each),
        "replicas": any(task.id.endswith("-0") for task in tasks),
        "rules": bool(instance.rules),
        "max_loss": any(task.max_loss is not None for task in tasks),
        "skip": any(task.skip_price is not None for task in tasks),
        "quality_budget": instance.quality_budget is not None,
        "quality_price": bool(instance.quality_price),
        "current": bool(homes),
        "move_price": bool(instance.move_price),
        "max_moves": instance.max_moves is not None,
    }
    found |= {rule.name: True for rule in instance.rules}
    found |= {f"over {rule.domain}": True for rule in instance.rules}
    if best is not None:
        found["left out"] = None in best.placement
        chosen = [choice for choice in best.placement if choice is not None]
        found["a later variant is best"] = any(v for v, _ in chosen)
        found["several parts"] = any(len(places) > 1 for _, places in chosen)
        free = instance.replace(rules=(), max_moves=None, quality_budget=None)
        found["rules and budgets bind"] = brute_force(free, homes).cost < best.cost
    return [name for name, present in found.items() if present]
