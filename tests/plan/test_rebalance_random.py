"""Random re-plannings: the optimum of the brute force, never worse than staying, safe to make."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import whole_oracle
from nightly import cases
from oracle import exact
from whole_brute_force import brute_force
from whole_instances import whole_instances

from solver import Instance, Node, PlanStatus, Status, Task, check, check_plan, cost_of, rebalance
from solver.judge.cost import cost_in_units

OPTIONS = {"time_limit": 20, "num_workers": 1}


def require_sound(result):
    """What holds of every result: it is feasible, replays, and saves what it says."""
    instance = result.instance
    if result.allocation is None:
        assert result.plan is None
        assert "nothing moves" in result.message
        return
    assert check(instance, result.allocation) == []
    assert result.cost == cost_of(instance, result.allocation)
    scale = instance.exact.cost_scale
    saved = cost_in_units(instance, instance.current) - cost_in_units(
        instance, result.allocation.node_index
    )
    assert result.saving == pytest.approx(saved / scale, rel=1e-12, abs=1e-12)
    if result.status is Status.OPTIMAL:
        assert result.saving_bound == result.saving
    elif result.saving_bound is not None:
        assert exact(result.saving_bound) >= Fraction(saved, scale)
    if result.plan.status is PlanStatus.ORDERED:
        assert check_plan(instance, result.allocation, result.plan) == []
    if check(instance, instance.current) == []:
        assert saved >= 0
        assert result.broken_now == ()
        assert result.plan.status is PlanStatus.ORDERED


@pytest.mark.parametrize("numbers", ["integers", "decimals", "long"])
def test_the_cost_is_that_of_the_brute_force_where_there_is_an_order(numbers):
    seen = Counter()
    for instance, homes in whole_instances(cases(40, 400), 1501, numbers=numbers):
        if instance.current is None:
            continue
        result = rebalance(instance, method="cp-sat", **OPTIONS)
        require_sound(result)
        optimum = brute_force(instance, homes)
        if optimum is None:
            assert result.status in (Status.INFEASIBLE, Status.UNKNOWN)
            seen["infeasible"] += 1
            continue
        least = whole_oracle.as_number(optimum.cost)
        assert result.bound in (None, least) or exact(result.bound) <= optimum.cost
        if result.message is None or "no safe order" not in result.message:
            assert result.cost == least
            seen["best"] += 1
        else:
            assert result.cost >= least
            seen["other"] += 1
    assert seen["best"]


def replanning(rng):
    """A random cluster that ran well once: figures drifted, nodes failed, tasks came."""
    nodes, tasks = int(rng.integers(2, 7)), int(rng.integers(2, 16))
    size, need = rng.integers(1, 9, tasks), rng.integers(0, 7, tasks)
    now = rng.integers(0, nodes, tasks)
    broken = rng.random() < 0.3
    loads, stored = (np.bincount(now, each, nodes).astype(int) for each in (size, need))
    slack = rng.integers(-2 if broken else 0, 5, (2, nodes))
    capacity, room = np.maximum(1, loads + slack[0]), np.maximum(1, stored + slack[1])
    settings = {"max_load": 1} if rng.random() < 0.3 else {}
    if rng.random() < 0.4:
        settings["power_off"] = "rented"
    if rng.random() < 0.4:
        settings["move_price"] = [1, 2.5, 30][rng.integers(3)]
    if rng.random() < 0.4:
        settings["max_moves"] = int(rng.integers(0, 7))
    instance = Instance(
        [Node(f"n{i}", int(capacity[i]), storage=int(room[i])) for i in range(nodes)],
        [
            Task(f"t{j}", int(size[j]), storage=int(need[j]), groups=["g"] if j % 3 == 0 else [])
            for j in range(tasks)
        ],
        **settings,
    )
    lost = rng.random(tasks) < (0.15 if rng.random() < 0.5 else 0)
    options = {
        "drain": ["n0"] if rng.random() < 0.15 else [],
        "cordon": ["n1"] if rng.random() < 0.15 else [],
        "during": str(rng.choice(["both", "target"])),
        "max_moving": {"g": 1} if rng.random() < 0.2 else None,
        "moves_per_node": 1 if rng.random() < 0.2 else None,
        "min_saving": [0, 0, 5, "3%"][rng.integers(4)],
    }
    return instance, np.where(lost, -1, now), options


def test_it_is_never_worse_than_staying():
    seen = Counter()
    for seed in range(cases(50, 1000)):
        rng = np.random.default_rng([1502, seed])
        instance, now, options = replanning(rng)
        method = ["cp-sat", "local-search", "greedy"][seed % 3]
        result = rebalance(instance, now, method=method, round_limit=3, **options, **OPTIONS)
        require_sound(result)
        stays = check(result.instance, result.instance.current) == []
        if stays and result.moves and options["min_saving"]:
            least = options["min_saving"]
            wanted = Fraction(3, 100) * exact(result.cost_now) if least == "3%" else least
            assert exact(result.saving) >= wanted
        seen["stays" if stays else "mended" if result.allocation else "nothing"] += 1
    assert min(seen["stays"], seen["mended"], seen["nothing"]) > 3, seen
