"""The generator families: totals, hidden allocations, seeds, specs and every error rule."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from benchmarks.fingerprint import content_hash
from instances import FAMILIES, from_spec, generate, planted
from instances.families import few_per_node, gpu_cluster, packing, triplets, uniform
from instances.families.hiding.cutting import apportion, cut, scaled_total
from instances.families.openb_classes import MODEL_LISTS, NODE_CLASSES, POD_CLASSES
from solver.errors import InstanceError
from solver.judge.check import check
from solver.judge.cost import cost_of

SMALL: dict[str, dict[str, Any]] = {
    "uniform": {"nodes": 7, "tasks": 40, "node_types": "all", "correlation": "positive"},
    "few_per_node": {"nodes": 8, "node_types": "three"},
    "gpu_cluster": {"nodes": 12, "load": 0.9, "eligible_share": 0.3},
    "triplets": {"nodes": 9},
    "vector_packing": {"nodes": 8, "tasks": 30, "node_types": 2, "slack": 0.05},
    "augmented_irup": {"triples": 7},
    "fleet": {"nodes": 3, "tasks": 30},
    "rebalance": {"nodes": 10, "tasks": 40},
    "rentals": {"nodes": 4, "tasks": 30},
    "services": {"nodes": 9, "services": 8},
    "serving": {"nodes": 8, "tasks": 60, "models": 4},
}
DOLLARS = {"fleet", "rentals", "services", "serving"}


def test_every_family_is_covered_here():
    assert set(SMALL) == set(FAMILIES)


@pytest.mark.parametrize("family", SMALL)
def test_hidden_allocation_is_feasible(family):
    for seed in range(5):
        instance, node_index = planted(family, seed=seed, **SMALL[family])
        assert check(instance, node_index) == []


@pytest.mark.parametrize("family", SMALL)
def test_same_seed_same_instance(family):
    one, two = (generate(family, seed=3, **SMALL[family]) for _ in range(2))
    assert one == two
    assert generate(family, seed=4, **SMALL[family]).replace(name=None) != one.replace(name=None)


@pytest.mark.parametrize("family", sorted(set(SMALL) - DOLLARS))
def test_all_quantities_are_integers(family):
    instance = generate(family, **SMALL[family])
    assert instance.exact.cost_scale == 1
    assert instance.node_compute.dtype == np.int64
    assert isinstance(cost_of(instance, [0] * instance.num_tasks), int)


@pytest.mark.parametrize("family", SMALL)
def test_name_is_a_spec_that_gives_the_same_instance_back(family):
    instance = generate(family, seed=2, **SMALL[family])
    assert instance.name is not None
    assert from_spec(instance.name) == instance


@pytest.mark.parametrize("family", SMALL)
def test_family_functions_are_documented_and_typed(family):
    function = FAMILIES[family]
    signature = inspect.signature(function)
    assert signature.return_annotation == "Instance"
    for name, parameter in signature.parameters.items():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.annotation in ("int", "float", "str", "bool")
        assert parameter.default is not inspect.Parameter.empty
        assert name in (function.__doc__ or "")


@pytest.mark.parametrize(
    "module",
    [
        "instances",
        "instances.families.renting",
        "instances.families.packing",
        "instances.families.generators",
        "instances.families.failures",
        "instances.families.microservices",
        "instances.families.language_models",
        "instances.figures",
        "instances.families.registry",
        "instances.families.hiding.cutting",
        "instances.families.parameters",
    ],
)
def test_doctests(module):
    outcome = doctest.testmod(importlib.import_module(module))
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_all_families_have_a_doctest():
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = {importlib.import_module(make.__module__) for make in FAMILIES.values()}
    found = [test for module in modules for test in finder.find(module) if test.examples]
    assert set(FAMILIES) <= {test.name.split(".")[-1] for test in found}


# uniform and few_per_node


@pytest.mark.parametrize("node_types", ["equal", "three", "all"])
@pytest.mark.parametrize("load", [0.7, 0.95, 1.0, 1.1])
@pytest.mark.parametrize("balanced", [True, False])
def test_uniform_totals_are_exact(node_types, load, balanced):
    instance = uniform(
        nodes=7, tasks=33, load=load, storage=0.85, node_types=node_types, balanced=balanced
    )
    C, S = int(instance.node_compute.sum()), int(instance.node_storage.sum())
    assert instance.num_tasks == 33
    assert abs(int(instance.task_compute.sum()) - Fraction(str(load)) * C) <= Fraction(1, 2)
    assert abs(int(instance.task_storage.sum()) - Fraction("0.85") * S) <= Fraction(1, 2)


@pytest.mark.parametrize("node_types", ["equal", "three", "all"])
def test_balanced_hidden_allocation_overloads_no_node(node_types):
    instance, node_index = planted("uniform", nodes=9, tasks=40, load=1.0, node_types=node_types)
    load = np.bincount(node_index, instance.task_compute, minlength=9)
    assert load.tolist() == instance.node_compute.tolist()
    assert cost_of(instance, node_index) == int((instance.node_compute**2).sum())


def test_unbalanced_hidden_allocation_is_not_the_lower_bound():
    instance, node_index = planted("few_per_node", nodes=12)
    assert check(instance, node_index) == []
    assert cost_of(instance, node_index) > int((instance.node_compute**2).sum())


@pytest.mark.parametrize("node_types", ["three", "all"])
def test_storage_tightness_of_one_still_fits(node_types):
    instance, node_index = planted("uniform", tasks=31, storage=1.0, node_types=node_types)
    assert check(instance, node_index) == []
    assert instance.task_storage.sum() == instance.node_storage.sum()


def test_storage_of_zero_means_no_limit():
    instance = uniform(storage=0.0)
    assert np.isinf(instance.node_storage).all()
    assert not instance.task_storage.any()


def test_node_types():
    assert set(uniform(node_types="equal").node_compute.tolist()) == {1000}
    three = uniform(nodes=6, node_types="three", capacity=100)
    assert three.node_compute.tolist() == [50, 100, 200] * 2
    assert three.node_kind == ("small", "medium", "large") * 2
    every = uniform(nodes=30, tasks=60, node_types="all")
    assert len(set(every.node_compute.tolist())) > 20
    assert 500 <= every.node_compute.min() <= every.node_compute.max() <= 1500


@pytest.mark.parametrize("balanced", [True, False])
def test_correlation(balanced):
    def measured(correlation: str) -> float:
        instance = uniform(nodes=20, tasks=400, correlation=correlation, balanced=balanced)
        return float(np.corrcoef(instance.task_compute, instance.task_storage)[0, 1])

    assert measured("positive") > 0.7
    assert measured("negative") < -0.6
    assert abs(measured("none")) < 0.3


def test_positive_and_negative_correlation_only_reorder_the_storage_needs():
    needs = [
        sorted(uniform(correlation=correlation).task_storage.tolist())
        for correlation in ("none", "positive", "negative")
    ]
    assert needs[0] == needs[1] == needs[2]


@pytest.mark.parametrize("correlation", ["none", "positive", "negative"])
@pytest.mark.parametrize("family", ["uniform", "few_per_node"])
def test_independent_storage_has_nothing_to_do_with_the_compute_of_nodes(family, correlation):
    size = {"tasks": 3000} if family == "uniform" else {"tasks_per_node": 10}
    shape = {"node_types": "all", "storage": 0.97, "correlation": correlation}
    means = {}
    for independent in (False, True):
        instance, node_index = planted(
            family, nodes=300, independent=independent, seed=1, **size, **shape
        )
        assert check(instance, node_index) == []
        C, S = instance.node_compute, instance.node_storage
        assert abs(int(instance.task_storage.sum()) - Fraction("0.97") * int(S.sum())) <= 0.5
        assert int(instance.task_compute.sum()) == int(C.sum())
        count = np.maximum(1, np.bincount(node_index, minlength=300))
        mean = np.bincount(node_index, instance.task_storage, minlength=300) / count
        means[independent] = float(np.corrcoef(mean, S / C)[0, 1])
        together = float(np.corrcoef(instance.task_compute, instance.task_storage)[0, 1])
        if independent:
            assert {"none": -0.1, "positive": 0.6, "negative": -1}[correlation] <= together
            assert together <= {"none": 0.1, "positive": 1, "negative": -0.5}[correlation]
    assert means[False] > 0.9
    assert abs(means[True]) < 0.3


def test_different_nodes_spread_as_far_as_they_are_told():
    narrow = uniform(nodes=200, tasks=400, node_types="all", spread=0.1, capacity=1001)
    assert 900 <= narrow.node_compute.min() <= narrow.node_compute.max() <= 1101
    wide = uniform(nodes=200, tasks=400, node_types="all", spread=0.95)
    assert 50 <= wide.node_compute.min() < 100
    assert 1900 < wide.node_storage.max() <= 1950
    assert set(uniform(node_types="all", spread=0.0).node_compute.tolist()) == {1000}


def test_instances_made_before_there_were_more_parameters_are_the_same():
    instance = uniform(nodes=9, tasks=40, node_types="all", capacity=1001, seed=3)
    known = "8dd35d4cbc6a5e8bbf94dc003c1f202bf358a8aea64a6500fe0bd8816ed522ca"
    assert content_hash(instance) == known


def test_as_many_tasks_as_nodes_and_one_node():
    assert uniform(nodes=5, tasks=5).task_compute.tolist() == [1000] * 5
    assert int(uniform(nodes=1, tasks=9).task_compute.sum()) == 1000


def test_price_is_the_default():
    instance = uniform(node_types="three")
    assert instance.node_price.tolist() == instance.node_compute.tolist()
    assert instance.node_overload_price.tolist() == instance.node_compute.tolist()


@pytest.mark.parametrize("load", [0.95, 1.0, 1.1])
@pytest.mark.parametrize("storage", [0.8, 0.95])
@pytest.mark.parametrize("tasks_per_node", [3, 4, 5])
def test_few_per_node_totals_are_exact(load, storage, tasks_per_node):
    instance, node_index = planted(
        "few_per_node", nodes=20, load=load, storage=storage, tasks_per_node=tasks_per_node
    )
    assert instance.num_tasks == 20 * tasks_per_node
    assert int(instance.task_compute.sum()) == round(20_000 * load)
    assert int(instance.task_storage.sum()) == round(20_000 * storage)
    per_node = np.bincount(node_index, minlength=20)
    assert abs(per_node - tasks_per_node).max() <= 2


def test_a_large_instance_needs_no_object_a_task():
    instance, node_index = planted("uniform", nodes=2_000, tasks=100_000, correlation="negative")
    assert int(instance.task_compute.sum()) == 2_000_000
    assert np.bincount(node_index, instance.task_storage).tolist() == [900] * 2_000


def test_cutting_large_totals_is_exact():
    totals = np.array([3 * 10**14, 7])
    parts = cut(totals, np.array([700, 100, 333, 512]), np.array([0, 0, 0, 1]))
    assert parts[:3].sum() == totals[0]
    assert parts[3] == 7
    assert (parts >= 0).all()


def test_apportion_stays_within_one_of_the_exact_share():
    weights = [5, 1, 1, 3, 11, 2]
    for total in range(60):
        parts = apportion(total, weights)
        assert parts.sum() == total
        for part, weight in zip(parts.tolist(), weights, strict=True):
            assert abs(part - Fraction(total * weight, 23)) < 1


def test_scaled_total_reads_the_decimal_as_written():
    assert scaled_total(np.array([10**15]), 0.1) == 10**14
    assert scaled_total(np.array([5]), 0.5) == 3


# triplets


@pytest.mark.parametrize("capacity", [100, 101, 102, 103, 149, 1000, 10**9])
def test_triplets_fill_every_bin_exactly(capacity):
    instance, node_index = planted("triplets", nodes=30, capacity=capacity)
    assert np.bincount(node_index).tolist() == [3] * 30
    assert np.bincount(node_index, instance.task_compute).tolist() == [capacity] * 30
    assert 4 * instance.task_compute.min() >= capacity
    assert 2 * instance.task_compute.max() < capacity
    assert cost_of(instance, node_index) == 30 * capacity**2


# vector_packing and augmented_irup


def _used(instance, node_index):
    need = np.column_stack(
        [instance.task_compute, instance.task_storage, *instance.task_resources.values()]
    )
    have = np.column_stack(
        [instance.node_compute, instance.node_storage, *instance.node_resources.values()]
    )
    used = np.zeros_like(have)
    np.add.at(used, node_index, need)
    return used, have


@pytest.mark.parametrize("node_types", [1, 3])
@pytest.mark.parametrize("dimensions", [2, 3, 5])
def test_a_perfect_vector_packing_uses_everything_up(dimensions, node_types):
    for seed in range(4):
        instance, node_index = planted(
            "vector_packing",
            nodes=12,
            tasks=60,
            dimensions=dimensions,
            node_types=node_types,
            seed=seed,
        )
        used, have = _used(instance, node_index)
        assert have.shape == (12, dimensions)
        assert np.array_equal(used, have)
        assert check(instance, node_index) == []
        assert len(set(instance.node_kind)) == node_types


def test_slack_is_the_share_that_is_left_free_in_every_dimension():
    for slack in (0.01, 0.1, 0.25):
        used, have = _used(*planted("vector_packing", nodes=30, tasks=90, slack=slack))
        share = (have - used).sum(axis=0) / have.sum(axis=0)
        assert np.allclose(share, slack, atol=0.01)
        assert (used <= have).all()


def test_all_vector_packings_cost_the_same():
    instance, node_index = planted("vector_packing", nodes=5, tasks=20)
    assert cost_of(instance, node_index) == 5 * 1000**2


def test_an_augmented_instance_is_a_perfect_packing():
    for seed in range(4):
        instance, node_index = planted("augmented_irup", seed=seed)
        assert (instance.num_tasks, instance.num_nodes) == (202, 65)
        load = np.bincount(node_index, instance.task_compute)
        assert load.tolist() == [2500] * 65
        assert cost_of(instance, node_index) == 65 * 2500**2
        held = sorted(np.bincount(node_index).tolist())
        assert held[:62] == [3] * 62
        assert sum(held[62:]) == 16


def test_only_the_perfect_matchings_of_the_core_fill_a_node():
    ends = np.array([*packing._CYCLE, *packing._STAR, *packing._SPOKES])
    assert sorted(np.bincount(ends.reshape(-1)).tolist()) == [3] * 10
    sizes = packing._edges(np.random.default_rng(3), 2500)
    chosen = (np.arange(2**15)[:, np.newaxis] >> np.arange(15)) & 1
    full = chosen[chosen @ sizes == 2500]
    assert full.sum(axis=1).tolist() == [5] * 6
    assert full.sum(axis=0).tolist() == [2] * 15
    for edges in full:
        assert np.bincount(ends[edges == 1].reshape(-1)).tolist() == [1] * 10
    # Two of them always share an edge: no three are disjoint.
    assert ((full @ full.T) > 0).all()


# gpu_cluster


def test_openb_tables_add_up_to_the_trace():
    assert len(NODE_CLASSES) == 15
    assert sum(kind.copies for kind in NODE_CLASSES) == 1213
    assert len(POD_CLASSES) == 151
    assert sum(pod.copies for pod in POD_CLASSES) == 8152
    gpu = sum(kind.copies * kind.gpu * 1000 for kind in NODE_CLASSES)
    asked = sum(pod.copies * pod.num_gpu * pod.gpu_milli for pod in POD_CLASSES)
    assert (asked, gpu) == (6_086_800, 6_212_000)
    assert sum(count for count, _ in MODEL_LISTS) == 2388
    assert {kind.model for kind in NODE_CLASSES} == {m for _, models in MODEL_LISTS for m in models}


@pytest.mark.parametrize("load", [0.3, 0.98, 1.1])
def test_gpu_cluster_passes_its_load_by_less_than_a_pod(load):
    instance = gpu_cluster(nodes=40, load=load)
    wanted = Fraction(str(load)) * int(instance.node_compute.sum())
    asked = int(instance.task_compute.sum())
    assert wanted <= asked < wanted + int(instance.task_compute.max())


def test_every_gpu_pod_fits_its_hidden_node_alone():
    instance, node_index = planted("gpu_cluster", nodes=25, load=1.0)
    assert (instance.task_compute <= instance.node_compute[node_index]).all()


def test_gpu_cluster_follows_the_frequencies_of_the_trace():
    instance = gpu_cluster(nodes=150, eligible_share=0.34, seed=1)
    classes = {(1000 * kind.gpu, kind.memory_mib, kind.model) for kind in NODE_CLASSES}
    nodes = zip(
        instance.node_compute.tolist(),
        instance.node_storage.tolist(),
        instance.node_kind,
        strict=True,
    )
    assert set(nodes) <= classes
    assert 0.35 < instance.node_kind.count("G2") / 150 < 0.55
    assert 0.10 < (instance.task_compute == 0).mean() < 0.17
    named = (instance.task_group > 0).sum()
    assert named == round(0.34 * int((instance.task_compute > 0).sum()))
    assert not instance.task_group[instance.task_compute == 0].any()


def test_share_of_zero_names_no_model():
    assert gpu_cluster(nodes=5, load=0.5).groups == (None,)


def test_load_of_zero_gives_no_pods():
    assert gpu_cluster(nodes=5, load=0.0).num_tasks == 0


def test_one_node_cluster_draws_only_pods_that_fit():
    for seed in range(15):
        instance, node_index = planted("gpu_cluster", nodes=1, load=0.4, seed=seed)
        assert check(instance, node_index) == []


def test_unreachable_load_is_an_error():
    with pytest.raises(InstanceError, match=r"gpu_cluster: load 5\.0 cannot be reached.*ask for"):
        gpu_cluster(nodes=4, load=5.0)


# specs and errors


def test_spec_values_take_the_type_of_the_parameter():
    instance = from_spec("uniform:nodes=4, tasks=12 ,load=1,balanced=False,node_types=three")
    assert instance == uniform(nodes=4, tasks=12, load=1, balanced=False, node_types="three")
    assert instance.name == "uniform:nodes=4,tasks=12,load=1.0,node_types=three,balanced=false"


def test_name_holds_the_parameters_given_in_the_order_of_the_signature():
    assert uniform(seed=3, nodes=20, tasks=60).name == "uniform:nodes=20,tasks=60,seed=3"
    assert from_spec("triplets").name == "triplets"


def test_numpy_scalars_are_taken():
    assert uniform(nodes=np.int64(4), load=np.float64(1.0)) == uniform(nodes=4, load=1.0)  # type: ignore[arg-type]


def test_instances_pickle():
    instance = gpu_cluster(nodes=6, load=0.5, eligible_share=0.5)
    assert pickle.loads(pickle.dumps(instance)) == instance


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("unifrom:nodes=4", r"family 'unifrom' is unknown; did you mean 'uniform'\? Choose from: "),
        ("zzz", r"family 'zzz' is unknown; Choose from: "),
        ("", r"family '' is unknown"),
        ("uniform:node=4", r"uniform: parameter 'node' is unknown; did you mean 'nodes'\?"),
        ("uniform:nodes", r"'nodes' is not of the form name=value"),
        ("uniform:nodes=", r"'nodes=' is not of the form name=value"),
        ("uniform:nodes=4,", r"'' is not of the form name=value"),
        ("uniform:nodes=4,nodes=5", r"the parameter 'nodes' stands twice"),
        ("uniform:nodes=four", r"uniform: nodes is 'four'; it must be a whole number"),
        ("uniform:nodes=4.5", r"uniform: nodes is '4\.5'; it must be a whole number"),
        ("uniform:load=high", r"uniform: load is 'high'; it must be a number"),
        ("uniform:load=nan", r"uniform: load is nan; it must be from 0\.0 to 100\.0"),
        ("uniform:load=inf", r"uniform: load is inf; it must be from"),
        ("uniform:balanced=yes", r"uniform: balanced is 'yes'; it must be true or false"),
        ("uniform:node_types=treee", r"node_types 'treee' is unknown; did you mean 'three'\?"),
    ],
)
def test_malformed_spec(spec, message):
    with pytest.raises(InstanceError, match=message):
        from_spec(spec)


@pytest.mark.parametrize(
    ("family", "parameters", "message"),
    [
        ("uniform", {"nodes": 0}, r"uniform: nodes is 0; it must be from 1 to"),
        ("uniform", {"nodes": 20, "tasks": 19}, r"uniform: tasks is 19; it must be 20 or more"),
        ("uniform", {"tasks": 10**9}, r"uniform: tasks is 1000000000; it must be from"),
        ("uniform", {"load": -0.1}, r"uniform: load is -0\.1"),
        ("uniform", {"storage": 1.01}, r"uniform: storage is 1\.01; it must be from 0\.0 to 1\.0"),
        ("uniform", {"storage": -1}, r"uniform: storage is -1\.0"),
        ("uniform", {"correlation": "some"}, r"uniform: correlation 'some' is unknown"),
        ("uniform", {"capacity": 1}, r"uniform: capacity is 1"),
        ("uniform", {"seed": -1}, r"uniform: seed is -1; it must be 0 or more"),
        ("uniform", {"nodes": "4"}, r"uniform: nodes is '4'; it must be a whole number"),
        ("uniform", {"nodes": True}, r"uniform: nodes is True; it must be a whole number"),
        ("uniform", {"load": True}, r"uniform: load is True; it must be a number"),
        ("uniform", {"load": 10**400}, r"uniform: load is 1000.*the number is too large"),
        ("uniform", {"balanced": 1}, r"uniform: balanced is 1; it must be true or false"),
        ("uniform", {"node_types": 3}, r"uniform: node_types is 3; it must be text"),
        ("uniform", {"sed": 1}, r"uniform: parameter 'sed' is unknown; did you mean 'seed'\?"),
        ("few_per_node", {"nodes": 0}, r"few_per_node: nodes is 0"),
        ("few_per_node", {"tasks_per_node": 0}, r"few_per_node: tasks_per_node is 0"),
        ("few_per_node", {"node_types": "x"}, r"few_per_node: node_types 'x' is unknown"),
        ("few_per_node", {"seed": -1}, r"few_per_node: seed is -1"),
        ("gpu_cluster", {"nodes": 0}, r"gpu_cluster: nodes is 0"),
        ("gpu_cluster", {"load": -1}, r"gpu_cluster: load is -1\.0"),
        ("gpu_cluster", {"eligible_share": 1.5}, r"gpu_cluster: eligible_share is 1\.5"),
        ("gpu_cluster", {"seed": -1}, r"gpu_cluster: seed is -1"),
        ("triplets", {"nodes": 0}, r"triplets: nodes is 0"),
        ("triplets", {"capacity": 99}, r"triplets: capacity is 99; it must be from 100 to"),
        ("triplets", {"seed": -1}, r"triplets: seed is -1"),
        ("vector_packing", {"tasks": 9}, r"vector_packing: tasks is 9; it must be from 50"),
        ("vector_packing", {"dimensions": 1}, r"vector_packing: dimensions is 1"),
        ("vector_packing", {"node_types": 51}, r"vector_packing: node_types is 51"),
        ("vector_packing", {"slack": 0.3}, r"vector_packing: slack is 0\.3"),
        ("vector_packing", {"capacity": 9}, r"vector_packing: capacity is 9"),
        ("augmented_irup", {"triples": -1}, r"augmented_irup: triples is -1"),
        ("augmented_irup", {"capacity": 999}, r"augmented_irup: capacity is 999"),
        ("fleet", {"nodes": 1, "tasks": 400}, r"fleet: 400 tasks do not fit on 6 servers; ask for"),
        ("fleet", {"tasks": 0}, r"fleet: tasks is 0"),
        ("rebalance", {"nodes": 3}, r"rebalance: nodes is 3; it must be from 4"),
        ("rebalance", {"nodes": 9, "tasks": 8}, r"rebalance: tasks is 8; it must be from 9"),
        ("rebalance", {"max_moves": 1}, r"rebalance: max_moves is 1; the hidden .* takes \d+, ask"),
        ("services", {"replicas": 13}, r"services: replicas is 13; it must be from 1 to 12"),
        (
            "services",
            {"nodes": 3, "services": 2, "apart": 1.0},
            r"services: 2 services do not fit on 3 nodes; ask",
        ),
        ("serving", {"nodes": 7}, r"serving: nodes is 7; it must be from 8"),
        ("serving", {"tasks": 19}, r"serving: tasks is 19; it must be from 40"),
        ("serving", {"models": 99}, r"serving: models is 99; it must be from 1 to 29"),
        (
            "serving",
            {"tasks": 10**4},
            r"serving: 10000 tasks do not fit on 20 nodes; ask for fewer",
        ),
        ("triplet", {}, r"family 'triplet' is unknown; did you mean 'triplets'\?"),
    ],
)
def test_each_rule(family, parameters, message):
    with pytest.raises(InstanceError, match=message):
        generate(family, **parameters)


def test_functions_check_as_generate_does():
    with pytest.raises(InstanceError, match=r"triplets: nodes is 'x'"):
        triplets(nodes="x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"few_per_node\(\) takes keyword arguments only"):
        few_per_node(20)  # type: ignore[misc]
