"""One conformance suite over all methods, and the tests of single ones."""

import sys
import time
from dataclasses import replace

import numpy as np
import oracle
import pytest
from random_instances import random_instances

from solver import Instance, Status, Termination, check, cost_of, methods, solve
from solver.engines.process import EngineCrash
from solver.errors import BackendUnavailableError, ModelTooLargeError
from solver.methods import MethodInfo, Options
from solver.methods.base import outcome_of
from solver.methods.best import warm_started
from solver.methods.cp_sat import cp_sat
from solver.methods.greedy import greedy
from solver.methods.mip import mip, safe_bound
from solver.methods.placing.construction import largest_first
from solver.methods.placing.placement import Placement
from solver.methods.placing.repair import place_stranded
from solver.model.proofs import Proof
from solver.problem.problem import Problem

BASELINES = ["greedy", "first-fit", "best-fit", "round-robin", "blocks"]
EXACT = ["auto", "cp-sat", "mip"]
COLUMNS = ["column-generation"]
SEARCH = ["local-search"]


def options(**changes):
    return replace(Options(deadline=time.monotonic() + 60), **changes)


def tight_instance(seed=4, nodes=6, per_node=3):
    """Equal nodes whose storage is 95 % full and whose load is 1 in the hidden allocation."""
    rng = np.random.default_rng(seed)

    def cut(total):
        return np.diff([0, *sorted(rng.choice(range(1, total), per_node - 1, False)), total])

    compute = np.concatenate([cut(1000) for _ in range(nodes)])
    storage = np.concatenate([cut(950) for _ in range(nodes)])
    return Instance.from_arrays(
        node_compute=[1000] * nodes,
        node_storage=[1000] * nodes,
        task_compute=compute,
        task_storage=storage,
    )


@pytest.mark.parametrize("method", [*BASELINES, *SEARCH, *COLUMNS, *EXACT])
def test_every_method_agrees_with_brute_force(method):
    """No answer breaks a rule or beats the optimum; no bound passes it; exact means equal."""
    for instance in random_instances(60, seed=8):
        best = oracle.brute_force(instance)
        result = solve(instance, method, num_workers=1)
        if best is None:
            assert result.allocation is None
            assert result.status in (Status.INFEASIBLE, Status.UNKNOWN)
            assert method not in EXACT or result.status is Status.INFEASIBLE
            continue
        assert result.status is not Status.INFEASIBLE
        assert result.bound is None or result.bound <= best.cost
        if result.allocation is None:
            assert method not in EXACT
            assert result.unplaced or method in [*SEARCH, *COLUMNS]
            continue
        assert check(instance, result.allocation) == []
        assert result.cost == cost_of(instance, result.allocation) >= best.cost
        if method in EXACT:
            assert (result.status, result.cost) == (Status.OPTIMAL, best.cost)


@pytest.mark.parametrize("mip_solver", ["HiGHS", "CBC"])
def test_exact_methods_prove_without_a_warm_start(mip_solver):
    """The engines themselves, given nothing: neither a start nor a bound."""
    for instance in random_instances(40, seed=12):
        best = oracle.brute_force(instance)
        for method in (cp_sat, mip):
            found, bounds = [], []
            told = {
                "on_incumbent": found.append,
                "on_bound": lambda bound, _, told=bounds: told.append(bound),
            }
            outcome = method(Problem(instance), options(mip_solver=mip_solver, **told))
            assert outcome.termination is Termination.PROVEN
            if best is None:
                assert outcome.infeasible_because is not None
                assert not found
            else:
                costs = [cost_of(instance, node_index) for node_index in found]
                assert min(costs) == best.cost == max(bounds)


@pytest.mark.parametrize("method", [*BASELINES, *SEARCH, *COLUMNS, *EXACT])
def test_decimals_are_placed_safely(method):
    for instance in random_instances(25, seed=31, integers=False):
        best = oracle.brute_force(instance)
        result = solve(instance, method, num_workers=1)
        if best is None:
            assert result.allocation is None
            continue
        assert result.status is not Status.INFEASIBLE
        if result.bound is not None:
            assert result.bound <= float(best.cost)
        if result.allocation is not None:
            assert oracle.feasible(instance, result.allocation.node_index.tolist())
            assert result.cost >= float(best.cost)


@pytest.mark.parametrize("method", [*BASELINES, *SEARCH, "auto"])
def test_same_seed_same_allocation(method):
    instance = tight_instance()
    first, second = (solve(instance, method, seed=5, num_workers=1) for _ in range(2))
    if first.allocation is None:
        assert second.unplaced == first.unplaced
    else:
        assert first.cost == second.cost
        assert method == "auto" or first.allocation == second.allocation


def test_methods_are_listed_with_what_they_need():
    found = methods()
    assert next(iter(found)) == "auto"
    assert set(found) == {*BASELINES, *SEARCH, *COLUMNS, *EXACT}
    assert all(info.available and info.why_not is None for info in found.values())


def test_a_method_without_its_package_says_how_to_get_it():
    info = MethodInfo("x", "", greedy, requires=("no_such_package",))
    assert not info.available
    assert info.why_not == "no_such_package not installed: pip install no_such_package"


def test_an_unknown_mip_solver_is_refused_with_the_choices():
    with pytest.raises(
        BackendUnavailableError, match="'NoSuch' is not installed; available: HiGHS"
    ):
        mip(Problem(tight_instance()), options(mip_solver="NoSuch"))


def test_a_model_too_large_to_build_is_refused_with_advice():
    rng = np.random.default_rng(0)
    instance = Instance.from_arrays(
        node_compute=rng.integers(1, 1_000_000, 2_000), task_compute=rng.integers(1, 10**6, 2_000)
    )
    for method in (cp_sat, mip):
        with pytest.raises(ModelTooLargeError, match=r"variables \(limit .*method='auto'"):
            method(Problem(instance), options())


def test_a_crash_of_the_solver_leaves_the_baseline(monkeypatch):
    def crash(_problem, _options):
        raise EngineCrash("cp_sat: the solver process died (-9): out of memory\ntraceback")

    instance = tight_instance(5)
    found = []
    run = warm_started(crash)
    outcome = run(Problem(instance), options(on_incumbent=found.append))
    assert found
    assert outcome.message == "cp_sat: the solver process died (-9): out of memory"
    monkeypatch.setattr(sys.modules["solver.methods.best"], "run_baselines", lambda *_: None)
    found.clear()
    assert run(Problem(instance), options(on_incumbent=found.append)).message == outcome.message
    assert not found


def test_round_robin_deals_out_in_turn_and_blocks_cut_the_list():
    instance = Instance.from_arrays(node_compute=[1, 1, 1], task_compute=[1] * 7)
    assert solve(instance, "round-robin").allocation.node_index.tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert solve(instance, "blocks").allocation.node_index.tolist() == [0, 0, 0, 1, 1, 2, 2]


def test_round_robin_takes_the_next_node_in_turn_that_fits():
    instance = Instance.from_arrays(
        node_compute=[9, 9, 9],
        node_storage=[1, 0, 5],
        task_compute=[1] * 4,
        task_storage=[1, 1, 1, 1],
    )
    assert solve(instance, "round-robin").allocation.node_index.tolist() == [0, 2, 2, 2]


def test_greedy_takes_the_largest_first_where_it_costs_least():
    """9 and 8 open the two nodes; 5 overloads the dear node by 3·4 or the cheap one by 4·1."""
    instance = Instance.from_arrays(
        node_compute=[10, 10], node_price=[4, 1], task_compute=[5, 9, 8]
    )
    result = solve(instance, "greedy")
    assert result.allocation.node_index.tolist() == [1, 0, 1]
    assert result.cost == 40 + 10 + 3


def test_greedy_places_the_same_with_a_heap_as_by_looking_at_every_node(monkeypatch):
    compared = 0
    for instance in [*random_instances(60, seed=21), *(tight_instance(s, 30) for s in range(5))]:
        found = {}
        for large in (False, True):
            monkeypatch.setattr(sys.modules["solver.methods.greedy"], "is_large", lambda _: large)  # noqa: B023
            kept = []
            outcome = greedy(Problem(instance), options(on_incumbent=kept.append))
            found[large] = ([node_index.tolist() for node_index in kept], outcome.unplaced)
        assert found[True] == found[False]
        compared += bool(found[True][0])
    assert compared >= 40


def test_auto_searches_where_there_are_many_tasks_and_nodes():
    rng = np.random.default_rng(1)
    demand = rng.integers(1, 100, 30_000)
    instance = Instance.from_arrays(
        node_compute=[int(demand.sum()) // 700] * 700, task_compute=demand
    )
    result = solve(instance)
    assert check(instance, result.allocation) == []
    assert result.status is Status.OPTIMAL


def test_first_fit_and_best_fit_differ_where_they_should():
    instance = Instance.from_arrays(node_compute=[10, 6], task_compute=[6, 4])
    assert solve(instance, "first-fit").allocation.node_index.tolist() == [0, 0]
    assert solve(instance, "best-fit").allocation.node_index.tolist() == [1, 0]


def test_largest_first_breaks_ties_by_the_largest_need():
    instance = Instance.from_arrays(
        node_compute=[9], node_storage=[9], task_compute=[2, 3, 2], task_storage=[1, 0, 5]
    )
    assert largest_first(Problem(instance)).tolist() == [1, 2, 0]


def test_repair_places_what_greedy_strands():
    """Largest demand first fills both nodes so that the task with most storage fits nowhere."""
    instance = Instance.from_arrays(
        node_compute=[10, 10],
        node_storage=[10, 10],
        task_compute=[9, 8, 7, 1],
        task_storage=[3, 3, 4, 7],
    )
    result = solve(instance, "greedy")
    assert check(instance, result.allocation) == []


def test_repair_places_all_on_tight_instances():
    placed = 0
    for seed in range(10):
        result = solve(tight_instance(seed, nodes=12, per_node=4), "best-fit")
        placed += result.allocation is not None
    assert placed >= 8


def test_repair_reports_the_tasks_it_cannot_place():
    """Three tasks of 6 on two nodes of 10: no reason is found, and one task is left over."""
    instance = Instance.from_arrays(
        node_compute=[1, 1, 1],
        node_storage=[10, 10, 0],
        task_compute=[1, 1, 1],
        task_storage=[6, 6, 6],
    )
    result = solve(instance, "greedy")
    assert result.status is Status.UNKNOWN
    assert len(result.unplaced) == 1
    assert result.unplaced[0] in result.message
    assert solve(instance, "auto").status is Status.INFEASIBLE


def test_ejection_leaves_the_books_in_order():
    instance = tight_instance(2, nodes=8)
    problem = Problem(instance)
    placement = Placement(problem)
    stranded = list(range(instance.num_tasks))
    unplaced = place_stranded(placement, stranded, options(seed=1))
    on = placement.node_index
    assert sorted(np.flatnonzero(on < 0).tolist()) == unplaced or not unplaced
    placed = np.flatnonzero(on >= 0)
    load = np.bincount(on[placed], problem.grid.task_compute[placed], instance.num_nodes)
    used = np.bincount(on[placed], problem.grid.needs[placed, 0], instance.num_nodes)
    assert placement.load.tolist() == load.astype(int).tolist()
    assert (problem.grid.capacity[:, 0] - placement.room[:, 0]).tolist() == used.astype(
        int
    ).tolist()
    assert (placement.room >= 0).all()


def test_a_late_deadline_ends_a_construction_with_nothing():
    outcome = greedy(Problem(tight_instance()), Options(deadline=time.monotonic() - 1))
    assert outcome.termination is Termination.TIME_LIMIT


def test_an_engine_that_stops_early_has_met_its_limit():
    """Whether or not the clock has quite reached the deadline."""
    problem = Problem(tight_instance())
    for status in ("feasible", "unknown", "limit"):
        outcome = outcome_of(problem, options(), status)
        assert outcome.termination is Termination.TIME_LIMIT


def test_safe_bounds_stay_below_what_the_solver_says():
    assert safe_bound(7.0, 100) == 7
    assert safe_bound(7.0000001, 100) == 7
    assert safe_bound(6.9999, 100) == 7
    assert safe_bound(7.5, 100) == 8
    assert safe_bound(7.0, 10**8) == -3
    assert safe_bound(1e15, 0) < 10**15


def test_numbers_too_wide_for_floating_point_prove_nothing_by_mip():
    """CBC has called such a model infeasible that is not."""
    rng = np.random.default_rng(3)
    storage = rng.integers(10**12, 2 * 10**12, 8)
    instance = Instance.from_arrays(
        node_compute=[1, 1, 1],
        node_storage=[int(storage.sum()) // 3 + 10**11] * 3,
        task_compute=[1] * 8,
        task_storage=storage,
    )
    bounds = []
    outcome = mip(Problem(instance), options(on_bound=lambda bound, _: bounds.append(bound)))
    best = oracle.brute_force(instance)
    assert (outcome.infeasible_because is not None) <= (best is None)
    assert outcome.proof in (None, Proof.CP_SAT)
    assert best is None or not bounds or max(bounds) <= best.cost
