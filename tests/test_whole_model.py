"""All methods on small instances of the whole model: what they prove is the brute force's.

The brute force shares nothing with the solvers but the records.
"""

from fractions import Fraction

import pytest
import whole_oracle
from nightly import NIGHTLY, cases
from whole_brute_force import brute_force
from whole_draws import NUMBERS
from whole_instances import whole_instances

from solver import Status, check, cost_of, lower_bound, methods, solve
from solver.bounds.lower_bound import BOUNDS

BATCHES = cases(12, 60)
SECONDS = 60  # for methods that prove all of these; none takes more than a second alone
SHORT = cases(0.5, 2)
COMPLETE = ("auto", "cp-sat", "mip:HiGHS", "mip:CBC")


def exact(value):
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def require_right(case, method, best, *, complete):
    """Solve, and compare all that is claimed with the optimum; `complete`: all is proved."""
    instance, homes = case
    name, _, mip_solver = method.partition(":")
    limit = SECONDS if complete and method in COMPLETE else SHORT
    result = solve(instance, name, time_limit=limit, mip_solver=mip_solver or "HiGHS")
    if complete and method in COMPLETE:
        assert result.status is (Status.INFEASIBLE if best is None else Status.OPTIMAL)
    if best is None:
        assert result.allocation is None
        return result
    assert result.status is not Status.INFEASIBLE
    if result.allocation is not None:
        assert check(instance, result.allocation) == []
        placement = whole_oracle.placement_of(instance, result.allocation.node_index.tolist())
        assert whole_oracle.feasible(instance, homes, placement)
        cost = whole_oracle.cost(instance, homes, placement)
        assert cost >= best.cost
        assert result.cost == cost_of(instance, result.allocation) == whole_oracle.as_number(cost)
        if result.status is Status.OPTIMAL:
            assert cost == best.cost
            assert result.bound == result.cost
    if result.bound is not None and result.status is not Status.OPTIMAL:
        assert exact(result.bound) <= best.cost
    return result


def some_methods(number):
    """All of them in the nightly suite; in CI `auto`, and the others in turn."""
    others = (*COMPLETE[1:], "column-generation")
    heuristics = [name for name, info in methods().items() if not info.exact]
    if NIGHTLY:
        return ("auto", *others, *heuristics)
    turn = number % len(others), number // len(others) % len(heuristics)
    return ("auto", others[turn[0]], heuristics[turn[1]])


@pytest.mark.parametrize("batch", range(BATCHES))
def test_what_is_proved_is_right(batch):
    count, numbers = cases(204, 2_040) // BATCHES, NUMBERS[batch % 3]
    for number, case in enumerate(whole_instances(count, seed=9_000 + batch, numbers=numbers)):
        best = brute_force(*case)
        for method in some_methods(number):  # no 64 bits hold the costs of long numbers
            require_right(case, method, best, complete=numbers != "long")
        for method in BOUNDS if NIGHTLY else [list(BOUNDS)[number % len(BOUNDS)]]:
            bound = lower_bound(case.instance, method, time_limit=SHORT)
            assert bound is None or best is None or exact(bound) <= best.cost
            assert bound is not None or best is None
