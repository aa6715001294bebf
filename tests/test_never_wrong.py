"""All methods on thousands of small instances of wide numbers: no status and no bound is wrong.

What is right comes from brute force in rationals, which shares nothing with the solvers.
"""

from fractions import Fraction

import oracle
import pytest
from nightly import NIGHTLY, cases
from wide_instances import wide_instances

from solver import Status, check, cost_of, lower_bound, methods, solve
from solver.bounds.lower_bound import BOUNDS

BATCHES = cases(10, 80)
SECONDS = cases(0.4, 0.5)
EXACT = ("auto", "cp-sat", "column-generation", "mip:HiGHS", "mip:CBC")


def require_right(instance, method, best):
    name, _, mip_solver = method.partition(":")
    result = solve(instance, name, time_limit=SECONDS, mip_solver=mip_solver or "HiGHS")
    if result.status is Status.INFEASIBLE:
        assert best is None
        return result
    if best is None:
        assert result.allocation is None
        return result
    if result.allocation is not None:
        assert check(instance, result.allocation) == []
        assert result.cost == cost_of(instance, result.allocation)
    if result.status is Status.OPTIMAL:
        assert result.bound == result.cost
        assert oracle.cost(instance, result.allocation.node_index.tolist()) == best.cost
    elif result.bound is not None:
        assert exact(result.bound) <= best.cost
    return result


def exact(value):
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def some_methods(number):
    """All of them in the nightly suite; in CI `auto`, and the others in turn."""
    heuristics = [name for name, info in methods().items() if not info.exact]
    if NIGHTLY:
        return (*EXACT, *heuristics)
    others = EXACT[1:]
    turn = number % len(others), number // len(others) % len(heuristics)
    return (EXACT[0], others[turn[0]], heuristics[turn[1]])


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_status_and_no_bound_is_wrong(batch):
    count, proved = cases(700, 20_000) // BATCHES, 0
    for number, instance in enumerate(wide_instances(count, seed=7_000 + batch)):
        best = oracle.brute_force(instance)
        for method in some_methods(number):
            result = require_right(instance, method, best)
            proved += result.status in (Status.OPTIMAL, Status.INFEASIBLE)
        method = list(BOUNDS)[number % len(BOUNDS)]
        bound = lower_bound(instance, method, time_limit=SECONDS)
        assert bound is None or best is None or exact(bound) <= best.cost
        assert bound is not None or best is None
    assert proved >= count
