"""The oracle itself against plain enumeration, and the reach of the random instances."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import oracle
import pytest
from random_instances import random_instance, random_instances

from solver.model.instance import Instance, Node, Task


@pytest.mark.parametrize("integers", [True, False])
def test_brute_force_equals_plain_enumeration(integers):
    for instance in random_instances(40, seed=5, max_nodes=3, max_tasks=5, integers=integers):
        everything = itertools.product(range(instance.num_nodes), repeat=instance.num_tasks)
        costs = [
            oracle.cost(instance, positions)
            for positions in everything
            if oracle.feasible(instance, positions)
        ]
        found = oracle.brute_force(instance)
        assert (None if found is None else found.cost) == min(costs, default=None)


def test_brute_force_returns_an_allocation_of_the_cost_it_states():
    for instance in random_instances(60, seed=6):
        found = oracle.brute_force(instance)
        if found is not None:
            assert oracle.feasible(instance, found.positions)
            assert oracle.cost(instance, found.positions) == found.cost


def test_brute_force_by_hand():
    instance = Instance(
        nodes=[Node("a", 10, storage=4), Node("b", 5)],
        tasks=[Task("x", 9, storage=3), Task("y", 7, storage=3), Task("z", 1)],
    )
    assert oracle.brute_force(instance) == (10 * 10 + 5 * 7, [0, 1, 0])


def test_decimals_are_taken_as_written():
    instance = Instance([Node("a", 0.1, price=0.2)], [Task("x", 0.3)])
    assert oracle.cost(instance, [0]) == Fraction(6, 100)


def test_random_instances_repeat_for_a_seed():
    first = list(random_instances(20, seed=3))
    again = list(random_instances(20, seed=3))
    other = list(random_instances(20, seed=4))
    assert first == again
    assert first != other


def test_random_instances_do_not_depend_on_how_many_are_drawn():
    assert list(random_instances(20, seed=3))[:5] == list(random_instances(5, seed=3))


def test_random_instances_keep_to_the_sizes_asked_for():
    for instance in random_instances(50, seed=1, max_nodes=3, max_tasks=6):
        assert 2 <= instance.num_nodes <= 3
        assert 4 <= instance.num_tasks <= 6


def test_a_generator_is_drawn_from():
    rng = np.random.default_rng(0)
    assert random_instance(rng) != random_instance(rng)


@pytest.mark.parametrize("integers", [True, False])
def test_random_instances_reach_every_feature(integers):
    seen: Counter[str] = Counter()
    instances = list(random_instances(300, seed=2, integers=integers))
    for instance in instances:
        limited = np.isfinite(instance.node_storage.astype(float))
        nodes = [(n.compute, n.storage, n.price, n.overload_price, n.kind) for n in instance.nodes]
        tasks = [(t.compute, t.storage, t.eligible, str(t.resources)) for t in instance.tasks]
        labels = {label for group in instance.groups for label in group or ()}
        seen["infeasible"] += oracle.brute_force(instance) is None
        seen["storage"] += bool(limited.any())
        seen["storage of some nodes only"] += bool(limited.any() and not limited.all())
        seen["one resource"] += len(instance.node_resources) == 1
        seen["two resources"] += len(instance.node_resources) == 2
        seen["eligible by id"] += not labels.isdisjoint(instance.node_ids.tolist())
        seen["eligible by kind"] += not labels.isdisjoint(instance.node_kind)
        seen["default price"] += bool((instance.node_price == instance.node_compute).all())
        seen["overload price"] += bool((instance.node_overload_price != instance.node_price).any())
        seen["price 0"] += bool((instance.node_price == 0).any())
        seen["max_load above 1"] += instance.max_load is not None and instance.max_load > 1
        seen["max_load 1 or less"] += instance.max_load is not None and instance.max_load <= 1
        seen["power_off"] += instance.power_off
        seen["identical nodes"] += len(set(nodes)) < len(nodes)
        seen["identical tasks"] += len(set(tasks)) < len(tasks)
        seen["demand 0"] += bool((instance.task_compute == 0).any())
        seen["capacity 0"] += bool((instance.node_compute == 0).any())
        seen["decimals"] += instance.exact.cost_scale > 1
    never = {"decimals"} if integers else set()
    rare = {feature: count for feature, count in seen.items() if count < 10}
    assert set(rare) == never
    assert 0.15 <= seen["infeasible"] / len(instances) <= 0.25
