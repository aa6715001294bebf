"""Limits that other limits imply are left out, and nothing else changes."""

import numpy as np
import oracle
import pytest
from nightly import cases

from instances import from_spec
from solver import Instance, Status, solve
from solver.methods.placing import on_merged
from solver.methods.placing.on_merged import run_on_merged
from solver.problem.merging import without_implied
from solver.problem.problem import Problem


def drawn(seed):
    """Storage, and a resource that storage or `max_load` may imply or just fail to."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 4)), int(rng.integers(1, 6))
    compute, storage = rng.integers(0, 12, n), rng.integers(0, 12, n)
    demand, need = rng.integers(0, 7, m), rng.integers(0, 7, m)
    bound_to_load = bool(rng.random() < 0.5)
    ratio = int(rng.integers(1, 4))
    have = ratio * (compute if bound_to_load else storage) + rng.integers(-1, 3, n)
    most = ratio * (demand if bound_to_load else need)
    other = np.array([rng.integers(0, most_j + 1) for most_j in most.tolist()], dtype=np.int64)
    other += (rng.random(m) < 0.1).astype(np.int64)
    return Instance.from_arrays(
        node_compute=compute,
        node_storage=storage,
        node_price=rng.integers(1, 4, n),
        node_resources={"gpu": np.maximum(0, have)},
        task_compute=demand,
        task_storage=need,
        task_resources={"gpu": other},
        max_load=[1, 1.5, None][int(rng.integers(3))],
        power_off=bool(rng.random() < 0.5),
    )


def test_the_optimum_is_the_same_without_them():
    reduced = kept = 0
    for seed in range(cases(400, 5000)):
        instance = drawn(seed)
        simpler = without_implied(instance)
        if simpler is None:
            kept += 1
            continue
        reduced += 1
        assert set(simpler.exact.dimensions) < set(instance.exact.dimensions)
        assert simpler.exact.cost_scale == instance.exact.cost_scale
        before, after = oracle.brute_force(instance), oracle.brute_force(simpler)
        assert (before is None) == (after is None)
        if before is not None:
            assert before.cost == after.cost
            assert oracle.feasible(instance, list(after.positions))
    assert min(reduced, kept) >= 50


def test_whole_gpus_imply_the_rest_and_the_classes_are_few():
    instance = from_spec("rentals:tasks=100")
    simpler = without_implied(instance)
    assert simpler.exact.dimensions == ("max_load",)
    before, after = (Problem(each).classes.num_task_classes for each in (instance, simpler))
    assert after <= 16 < before


def test_one_of_two_equal_dimensions_is_kept():
    instance = Instance.from_arrays(
        node_compute=[9, 9],
        node_resources={"a": [4, 4], "b": [4, 4]},
        task_compute=[1, 1, 1],
        task_resources={"a": [2, 3, 1], "b": [2, 3, 1]},
    )
    assert len(without_implied(instance).exact.dimensions) == 1


@pytest.mark.parametrize("number", [10**25, 1.5])
def test_numbers_of_any_width_are_left_as_they_are_or_compared_exactly(number):
    instance = Instance.from_arrays(
        node_compute=[number],
        node_storage=[number],
        task_compute=[number],
        task_storage=[number],
        max_load=1,
    )
    simpler = without_implied(instance)
    assert simpler is None or simpler.exact.dimensions == ("max_load",)
    assert solve(instance).status is Status.OPTIMAL


def test_methods_get_the_simpler_instance(monkeypatch):
    seen = []
    instance = from_spec("rentals:nodes=4,tasks=12")
    run_on_merged(lambda problem, _: seen.append(problem.instance), Problem(instance), None)
    assert seen[0].exact.dimensions == ("max_load",)
    monkeypatch.setattr(on_merged, "without_implied", lambda _: None)
    run_on_merged(lambda problem, _: seen.append(problem.instance), Problem(instance), None)
    assert seen[1] is instance
    result = solve(instance, time_limit=20)
    assert result.instance is instance
    assert result.status is Status.OPTIMAL
