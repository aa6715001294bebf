"""Brute force, CP-SAT, HiGHS and CBC on the same 300 instances, and all that must lie between."""

import itertools
import time

import oracle
import pytest
from random_instances import random_instances

from solver import Status, Termination, check, cost_of, methods, solve
from solver.bounds.closed_form import closed_form_bound
from solver.bounds.linear import linear_bound
from solver.methods import Options
from solver.methods.cp_sat import cp_sat
from solver.methods.mip import mip
from solver.problem.problem import Problem

HEURISTICS = ["local-search", "greedy", "first-fit", "best-fit", "round-robin", "blocks"]
BATCHES = 10


def suitable(count, seed):
    """Instances of 2 to 4 nodes and 4 to 9 tasks."""
    found = (
        instance
        for instance in random_instances(3 * count, seed=seed)
        if 2 <= instance.num_nodes <= 4 and 4 <= instance.num_tasks <= 9
    )
    instances = list(itertools.islice(found, count))
    assert len(instances) == count
    return instances


def prove(instance, method, mip_solver="HiGHS"):
    """Optimal cost by an engine alone, without start or bound; None if it proves infeasible."""
    found, bounds = [], []
    options = Options(
        deadline=time.monotonic() + 60,
        mip_solver=mip_solver,
        on_incumbent=found.append,
        on_bound=lambda bound, _: bounds.append(bound),
    )
    outcome = method(Problem(instance), options)
    assert outcome.termination is Termination.PROVEN
    if outcome.infeasible_because is not None:
        assert not found
        return None
    assert all(check(instance, node_index) == [] for node_index in found)
    cost = min(cost_of(instance, node_index) for node_index in found)
    assert max(bounds) == cost
    return cost


@pytest.mark.parametrize("batch", range(BATCHES))
def test_all_agree(batch):
    feasible = 0
    for instance in suitable(300 // BATCHES, seed=1000 + batch):
        best = oracle.brute_force(instance)
        optimum = None if best is None else best.cost
        assert prove(instance, cp_sat) == optimum
        assert prove(instance, mip, "HiGHS") == optimum
        assert prove(instance, mip, "CBC") == optimum
        if best is None:
            continue
        feasible += 1
        problem = Problem(instance)
        assert closed_form_bound(problem) <= linear_bound(problem) <= optimum
        columns = solve(instance, "column-generation")
        assert (columns.status, columns.cost) == (Status.OPTIMAL, optimum)
        for baseline in HEURISTICS:
            result = solve(instance, baseline)
            assert result.bound <= optimum
            if result.allocation is not None:
                assert check(instance, result.allocation) == []
                assert result.cost == cost_of(instance, result.allocation) >= optimum
    assert feasible >= 15


def test_the_heuristics_are_all_here():
    assert set(HEURISTICS) == {info.name for info in methods().values() if not info.exact}
