"""The cost of what is chosen: variants, tasks left out, moves, and nodes at a fixed cost."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from whole_cases import FORMS, of_forms

from solver.errors import AllocationError
from solver.judge.cost import (
    as_allocation,
    cost_in_units,
    cost_of,
    cost_parts,
    energy_of,
    node_costs,
)
from solver.model.allocation import Allocation
from solver.model.instance import Instance
from solver.model.records import Node, Task, Variant

BF16 = {"node": ["a", "b"], "variant": "bf16"}
FP8 = {"node": "c", "variant": "fp8"}
PAIR = {"node": ["a", "b"], "variant": "pair"}
NODES = [Node(name, 10, price=1) for name in "abc"]


@pytest.mark.parametrize(("place", "forms"), [(BF16, 1), (FP8, 2 + 4 * 0.5), (PAIR, 4 * 1)])
def test_a_variant_costs_its_price_and_its_loss_once_a_task(place, forms):
    instance = of_forms(nodes=NODES, quality_price=4)
    assert cost_of(instance, {"llm": place}) == 30 + forms
    parts = cost_parts(instance, {"llm": place})
    assert parts == {
        "idle": 30, "use": 0, "overload": 0, "forms": forms, "left_out": 0, "moves": 0,
    }  # fmt: skip


def test_only_the_parts_of_the_variant_load_the_nodes():
    nodes = [Node("a", 5, price=1), Node("b", 5, price=1), Node("c", 5, price=1)]
    instance = of_forms(nodes=nodes)
    assert cost_of(instance, {"llm": PAIR}) == 15 + 1 * (6 - 5)
    assert node_costs(as_allocation(instance, {"llm": BF16})) == [5 + 3, 5 + 3, 5]


def test_nodes_without_a_part_are_off():
    instance = of_forms(nodes=NODES, power_off=True)
    assert cost_of(instance, {"llm": FP8}) == 10 + 2
    assert cost_of(instance, {"llm": BF16}) == 20 + 1


def test_a_task_that_is_left_out_costs_its_skip_price():
    tasks = [Task("t", 4, skip_price=2.5), Task("u", 4, skip_price=7), Task("v", 4)]
    instance = Instance([Node("a", 10, price=1)], tasks)
    assert cost_of(instance, [-1, 0, 0]) == 10 + 2.5
    assert cost_parts(instance, {"v": "a"})["left_out"] == 9.5


@pytest.mark.parametrize(
    ("own", "of_all", "cost"), [(None, 0, 0), (None, 3, 6), (5, 3, 8), (0, 3, 3), (0.1, 0, 0.1)]
)
def test_a_move_costs_the_price_of_the_task_or_that_of_all(own, of_all, cost):
    tasks = [Task("t", 1, move_price=own), Task("u", 1), Task("new", 1)]
    instance = Instance(NODES, tasks, current={"t": "a", "u": "a"}, move_price=of_all)
    parts = cost_parts(instance, {"t": "b", "u": "c", "new": "a"})
    assert parts["moves"] == cost
    assert cost_of(instance, {"t": "b", "u": "c", "new": "a"}) == 30 + cost
    assert cost_parts(instance, {"t": "a", "u": "a", "new": "b"})["moves"] == 0


def test_another_variant_moves_all_its_parts():
    instance = of_forms(nodes=NODES, current={"llm": BF16}, move_price=10)
    assert cost_parts(instance, {"llm": BF16})["moves"] == 0
    assert cost_parts(instance, {"llm": {"node": ["b", "a"], "variant": "bf16"}})["moves"] == 0
    assert cost_parts(instance, {"llm": {"node": ["c", "a"], "variant": "bf16"}})["moves"] == 10
    assert cost_parts(instance, {"llm": PAIR})["moves"] == 20


@pytest.mark.parametrize(("power_off", "cost"), [(False, 30), ("owned", 30), (True, 23.6)])
def test_a_fixed_cost_stands_for_the_price_of_the_capacity(power_off, cost):
    nodes = [
        Node("h100", 7, fixed_cost=23.6, overload_price=2),
        Node("l4", 3, fixed_cost=6.4, overload_price=1),
    ]
    instance = Instance(nodes, [Task("t", 7)], power_off=power_off)
    assert cost_of(instance, {"t": "h100"}) == cost
    assert cost_parts(instance, {"t": "h100"})["idle"] == cost
    over = instance.replace(task_compute=[8])
    assert cost_of(over, {"t": "h100"}) == pytest.approx(cost + 2)


def test_energy_counts_the_parts_that_run():
    nodes = [Node("a", 10, idle_watts=100, max_watts=300), Node("b", 10, idle_watts=100)]
    instance = Instance(
        nodes, [FORMS], power_off=True, energy={"hours": 10, "price_per_kwh": 1, "grams_per_kwh": 0}
    )
    assert energy_of(instance, {"llm": {"node": "a", "variant": "fp8"}})["kwh"] == 2.6
    assert energy_of(instance, {"llm": BF16})["kwh"] == 3.6


def test_a_task_that_must_run_has_to_have_a_place():
    with pytest.raises(AllocationError, match="task 'llm' has no node; it has no skip_price"):
        cost_of(of_forms(), {})


def test_the_parts_sum_up_exactly():
    rng = np.random.default_rng(5)
    sizes = [0.1, 0.25, 3, 7, 1 / 3]
    for _ in range(60):
        variants = [
            Variant(f"v{v}", compute=rng.choice(sizes), parts=int(rng.integers(1, 3)),
                    price=rng.choice(sizes), loss=rng.choice(sizes))
            for v in range(3)
        ]  # fmt: skip
        tasks = [
            Task(f"t{j}", model="m", skip_price=rng.choice(sizes), move_price=rng.choice(sizes))
            for j in range(4)
        ]
        nodes = [Node(f"n{i}", 1, fixed_cost=rng.choice(sizes), overload_price=9) for i in range(3)]
        instance = Instance(
            nodes, tasks, models={"m": variants}, quality_price=0.7, power_off=True,
            current={"t0": {"node": "n0", "variant": "v0"}},
        )  # fmt: skip
        rows = np.full(instance.rows.num_rows, -1)
        for j in range(4):
            form = int(rng.integers(instance.rows.task_form[j], instance.rows.task_form[j + 1]))
            first, last = instance.rows.form_start[form], instance.rows.form_start[form + 1]
            if rng.random() < 0.8:
                rows[first:last] = rng.permutation(3)[: last - first]
        units, scale = cost_in_units(instance, rows), instance.exact.cost_scale
        parts = cost_parts(instance, rows)
        assert float(Fraction(units, scale)) == cost_of(instance, rows)
        assert sum(parts.values()) == pytest.approx(cost_of(instance, rows), rel=1e-12)
        assert list(parts) == ["idle", "use", "overload", "forms", "left_out", "moves"]


def test_wide_prices_are_exact():
    variants = [Variant("v", compute=1, price=2**62, loss=2**62)]
    tasks = [Task(f"t{j}", model="m", skip_price=2**62) for j in range(5)]
    instance = Instance([Node("a", 9, price=0)], tasks, models={"m": variants}, quality_price=3)
    assert cost_of(instance, {"t0": "a", "t1": "a"}) == 2 * (2**62 + 3 * 2**62) + 3 * 2**62


def test_an_allocation_of_rows_is_taken_as_it_is():
    instance = of_forms()
    allocation = Allocation(instance, [0, 1, -1, -1, -1])
    assert as_allocation(instance, allocation) is allocation
    assert as_allocation(instance, [0, 1, -1, -1, -1]) == allocation
    assert as_allocation(instance, {"llm": BF16}) == allocation
    with pytest.raises(AllocationError, match="node_index has 1 entries for 1 tasks in 5 rows"):
        as_allocation(instance, [0])
