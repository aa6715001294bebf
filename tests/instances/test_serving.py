"""Families of the whole model: what they promise beside a feasible hidden allocation."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import instances.figures as figures
from instances import planted
from instances.families import fleet, rebalance, services, serving
from solver.judge.check import check
from solver.judge.cost import cost_of


def test_every_figure_has_a_source():
    for path in (Path(figures.__file__).parent / "data").glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert rows
        assert all(row["source"] for row in rows), path.name


def test_figures_of_forms_of_one_model_stand_under_one_name():
    forms = figures.serving("Llama-3.1-405B", "lm-arena-chat")
    assert {(one.precision, one.gpu, one.num_gpus) for one in forms} == {
        ("fp8", "B200", 4),
        ("fp8", "H100", 8),
        ("bf16", "B200", 8),
    }


def test_losses_are_those_of_the_model_nearest_in_size():
    assert figures.losses("int4", 8).loss_percent == 1.1
    assert figures.losses("int4", 405).loss_percent == 0.6
    assert figures.losses("bf16", 30).loss_percent == 0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"nodes": 16, "tasks": 32, "models": 2, "zones": 2},
        {"nodes": 30, "tasks": 1500, "models": 10, "max_skew": 1},
        {"nodes": 16, "tasks": 64, "models": 5, "variants": 9, "load": 0.5},
    ],
)
def test_the_hidden_allocation_of_serving_is_feasible(parameters, seed):
    instance, node_index = planted("serving", seed=seed, **parameters)
    assert check(instance, node_index) == []


def test_variants_of_serving_are_the_published_engines_and_weights_of_fewer_bits():
    instance = serving(nodes=50, tasks=2000, models=10)
    names = [variant.name for variant in instance.models["Llama-3.1-8B lm-arena-chat"]]
    assert names == [
        f"{bits} 1x{gpu}" for bits in ("bf16", "fp8", "int4") for gpu in ("B200", "H100")
    ]
    assert {len(menu) for menu in instance.models.values()} == {6}
    assert instance.rules[0].max_skew == 5


def test_a_third_of_the_models_of_serving_keeps_its_quality():
    instance = serving()
    strict = instance.task_max_loss < np.inf
    assert set((instance.task_model[strict] % 3).tolist()) == {0}


def test_engines_of_serving_that_are_too_slow_run_in_parts():
    instance = serving(nodes=20, tasks=40, models=3)
    parts = {variant.parts for menu in instance.models.values() for variant in menu}
    assert max(parts) > 1


def test_fleet_is_plain_and_rented():
    instance, node_index = planted("fleet")
    assert instance.is_plain
    assert instance.power_off is True
    rented = sum(instance.node_fixed_cost[i] for i in set(node_index.tolist()))
    assert cost_of(instance, node_index) == pytest.approx(rented)


def test_cards_of_fleet_have_the_memory_that_tasks_need():
    instance = fleet()
    smallest = min((g for g in instance.groups if g), key=len)
    assert smallest == ("A100-80GB", "B200", "H100")


def test_who_stays_at_the_placement_of_rebalance_breaks_rules():
    instance, node_index = planted("rebalance", nodes=20, tasks=100)
    assert check(instance, node_index) == []
    assert check(instance, instance.current) != []
    assert (instance.current != node_index).sum() > 0


def test_the_hidden_moves_of_rebalance_are_within_the_most():
    instance, node_index = planted("rebalance", max_moves=40)
    assert instance.max_moves == 40
    assert check(instance, node_index) == []


def test_rebalance_exchanges_as_many_pairs_as_there_are():
    for seed in range(10):
        parameters = {"nodes": 5, "tasks": 12, "drained": 0.2, "cordoned": 0.4, "drift": 1.0}
        instance, node_index = planted("rebalance", seed=seed, **parameters)
        assert check(instance, node_index) == []


def test_storage_of_the_placement_of_rebalance_fits():
    instance = rebalance(nodes=40, tasks=400, drift=0.8)
    used = np.bincount(instance.current, instance.task_storage, minlength=40)
    assert (used <= instance.node_storage).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "parameters",
    [{}, {"replicas": 2, "near": 0.8}, {"nodes": 40, "services": 60, "zones": 4, "apart": 0.9}],
)
def test_the_hidden_allocation_of_services_is_feasible(parameters, seed):
    instance, node_index = planted("services", seed=seed, **parameters)
    assert check(instance, node_index) == []


def test_services_have_all_four_rules():
    instance = services(services=40, load=0.4)
    assert {rule.name for rule in instance.rules} == {
        "limit", "spread", "affinity", "anti-affinity"
    }  # fmt: skip
