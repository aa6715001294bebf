"""Local search as a method: repeatable, anytime, never worse than its start."""

import os
import signal
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import oracle
import pytest
from random_instances import random_instances
from stops import time_runs_out

from instances import from_spec
from instances.families import planted
from solver import Instance, Status, Termination, check, cost_of, solve
from solver.bounds.closed_form import closed_form_bound
from solver.methods import Options
from solver.methods.local_search import local_search
from solver.methods.placing.balance import balance, greatest_ratio_key
from solver.problem.problem import Problem

HARD = "few_per_node:nodes=20,seed=2"


def options(**changes):
    return replace(Options(deadline=time.monotonic() + 60), **changes)


def searched(instance, **changes):
    """The costs of the allocations found, and the last one."""
    found = []
    local_search(Problem(instance), options(on_incumbent=found.append, **changes))
    return [cost_of(instance, node_index) for node_index in found], found[-1]


def test_same_seed_and_rounds_with_one_worker_same_allocation():
    instance = from_spec(HARD)
    first, second, other = (
        searched(instance, seed=seed, round_limit=40)[1].tolist() for seed in (3, 3, 4)
    )
    assert first == second
    assert first != other


def test_costs_only_fall():
    costs, last = searched(from_spec(HARD), round_limit=40)
    assert len(costs) > 1
    assert costs == sorted(costs, reverse=True)
    assert check(from_spec(HARD), last) == []


def test_it_is_never_worse_than_where_it_began():
    instance, hidden = planted("few_per_node", nodes=12, seed=1)
    result = solve(instance, "local-search", initial=hidden, time_limit=2, num_workers=1)
    assert result.cost <= cost_of(instance, hidden)


def test_it_comes_within_a_thousandth_where_greedy_is_four_percent_off():
    instance = from_spec("uniform:nodes=60,tasks=600,storage=0.95,node_types=all")
    greedy = solve(instance, "greedy")
    result = solve(instance, "local-search", time_limit=20)
    assert float(greedy.gap) > 0.02
    assert float(result.gap) < 0.001


def test_a_start_that_breaks_hard_limits_is_repaired():
    """Greedy strands tasks on each of these; what search returns keeps every limit."""
    repaired = 0
    for seed in range(8):
        instance = from_spec(f"few_per_node:nodes=20,storage=0.97,seed={seed}")
        costs, last = searched(instance, round_limit=12)
        assert check(instance, last) == []
        repaired += bool(costs)
    assert repaired == 8


def test_empty_nodes_are_switched_off():
    """Greedy opens both dear nodes for the two large tasks; the cheap node can hold them."""
    instance = Instance.from_arrays(
        node_compute=[10, 10, 20, 40],
        node_price=[3, 3, 2, 1],
        task_compute=[9, 8, 7, 6, 5, 4],
        power_off=True,
    )
    _, last = searched(instance, round_limit=20)
    assert cost_of(instance, last) == oracle.brute_force(instance).cost


@pytest.mark.parametrize("workers", [1, 2])
def test_it_reaches_the_optimum_of_most_small_instances(workers):
    compared = optimal = 0
    for instance in random_instances(60, seed=77):
        best = oracle.brute_force(instance)
        if best is None:
            continue
        result = solve(instance, "local-search", num_workers=workers)
        compared += 1
        optimal += result.allocation is not None and result.cost == best.cost
    assert compared >= 40
    assert optimal >= 0.95 * compared


def test_the_time_limit_ends_it_with_the_best_so_far():
    with time_runs_out(at=200):
        result = solve(from_spec("few_per_node:nodes=200"), "local-search", time_limit=600)
    assert result.termination is Termination.TIME_LIMIT
    assert result.status is Status.FEASIBLE
    assert len(result.history) > 2


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_returns_the_best_so_far(workers):
    instance = from_spec("few_per_node:nodes=200")
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))

    def begin(point):
        if point.cost is not None and not timer.ident:  # there is something to be kept
            timer.start()

    result = solve(instance, "local-search", time_limit=60, num_workers=workers, on_progress=begin)
    assert result.termination is Termination.INTERRUPTED
    assert check(instance, result.allocation) == []


def test_small_instances_never_load_the_compiler():
    code = (
        "import sys; from instances import from_spec; from solver import solve;"
        "print(solve(from_spec('uniform:nodes=4,tasks=9,load=1.1')).status.value,"
        "'numba' in sys.modules)"
    )
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["optimal", "False"]


def test_of_equal_costs_the_better_balanced_allocation_is_returned():
    instance = Instance.from_arrays(node_compute=[10, 10, 10], task_compute=[6, 2, 2, 3, 3, 3])
    result = solve(instance)
    assert result.status is Status.OPTIMAL
    assert max(result.allocation.loads().tolist()) == 7


def test_balancing_never_costs_anything_and_keeps_every_limit():
    improved = 0
    for instance in random_instances(80, seed=5):
        found = solve(instance, "greedy").allocation
        if found is None:
            continue
        problem = Problem(instance)
        after = balance(problem, options(), found.node_index)
        before = greatest_ratio_key(problem, found.node_index)
        assert check(instance, after) == []
        assert cost_of(instance, after) <= cost_of(instance, found)
        assert greatest_ratio_key(problem, after) <= before
        improved += greatest_ratio_key(problem, after) < before
    assert improved >= 10


def test_auto_closes_the_gap_of_a_large_instance():
    instance = from_spec("uniform:nodes=300,tasks=9000,storage=0.9,node_types=all")
    result = solve(instance, time_limit=30)
    assert result.bound == closed_form_bound(Problem(instance))
    assert float(result.gap) < 0.0005
    assert np.bincount(result.allocation.node_index, minlength=300).min() > 0
