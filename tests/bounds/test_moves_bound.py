"""The bound by moves: never above the optimum, exact where nothing may move."""

from __future__ import annotations

import numpy as np
import pytest
from nightly import cases
from oracle import exact
from whole_brute_force import brute_force
from whole_instances import whole_instances

from solver import Instance, Node, Status, Task, cost_of, solve
from solver.bounds.moves import moves_bound
from solver.model.proofs import Proof


@pytest.mark.parametrize("numbers", ["integers", "decimals", "long"])
def test_it_is_never_above_the_optimum(numbers):
    bounds = 0
    for instance, homes in whole_instances(cases(60, 2000), 1503, numbers=numbers):
        bound = moves_bound(instance)
        if bound is None:
            continue
        bounds += 1
        optimum = brute_force(instance, homes)
        if optimum is not None:
            assert bound <= optimum.cost * instance.exact.cost_scale
    assert bounds > 5


def drawn(seed, unit=1):
    """Tasks of one form that are all somewhere; a cap, a price of moves or both."""
    rng = np.random.default_rng([1504, seed])
    nodes, tasks = int(rng.integers(2, 4)), int(rng.integers(2, 7))
    now = rng.integers(0, nodes, tasks)
    price = int(rng.integers(0, 4)) * unit
    states = ["open", "drained" if rng.random() < 0.2 else "open", "open"]
    instance = Instance(
        [
            Node(
                f"n{i}",
                int(rng.integers(0, 9)) * unit,
                price=int(rng.integers(0, 3)),
                use_price=1 if i else 0,
                overload_price=int(rng.integers(1, 5)),
                state=states[i],
            )
            for i in range(nodes)
        ],
        [Task(f"t{j}", int(rng.integers(0, 6)) * unit) for j in range(tasks)],
        power_off=[False, "rented", "owned"][rng.integers(3)],
        move_price=price,
        max_moves=int(rng.integers(0, 4)) if not price or rng.random() < 0.5 else None,
        current=now,
    )
    return instance, {f"t{j}": (0, [int(i)]) for j, i in enumerate(now)}


@pytest.mark.parametrize("unit", [1, 10**25 + 1])
def test_where_tasks_have_one_form_it_is_near(unit):
    near = 0
    for seed in range(cases(150, 3000)):
        instance, homes = drawn(seed, unit)
        optimum = brute_force(instance, homes)
        if optimum is None:
            continue
        bound = moves_bound(instance)
        assert bound <= optimum.cost * instance.exact.cost_scale
        near += 10 * bound >= 9 * optimum.cost
    assert near > 30


def test_without_a_cap_or_a_price_there_is_none():
    instance = Instance([Node("a", 1), Node("b", 1)], [Task("t", 2)], current={"t": "a"})
    assert moves_bound(instance) is None
    assert moves_bound(instance.replace(current=None, max_moves=0)) is None
    assert moves_bound(instance.replace(max_moves=0)) == 3
    assert moves_bound(instance.replace(max_moves=1)) == 2
    assert moves_bound(instance.replace(move_price=0.25)) == 225


def test_where_nothing_may_move_staying_is_proved_at_any_size():
    rng = np.random.default_rng(0)
    instance = Instance.from_arrays(
        node_compute=rng.integers(90, 110, 300),
        task_compute=rng.integers(5, 15, 3000),
        task_storage=rng.integers(1, 1000, 3000),
        node_storage=np.full(300, 10**6),
        current=rng.integers(0, 300, 3000),
        max_moves=0,
    )
    result = solve(instance, time_limit=20, num_workers=1, initial=instance.current)
    assert (result.status, result.proof) == (Status.OPTIMAL, Proof.MOVES.value)
    assert exact(result.cost) == exact(cost_of(instance, instance.current))
