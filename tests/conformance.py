"""What every method owes on any instance small enough for brute force."""

import oracle
import pytest

from solver import Status, check, lower_bound, methods, solve
from solver.bounds.lower_bound import BOUNDS

EXACT = ("auto", "cp-sat", "column-generation", "mip")
ALWAYS_DECIDES = ("auto", "cp-sat")  # the others may not prove that there is no allocation
ENDS_EARLY = ("cp-sat", "mip")  # within a second, where the machine is not busy
PATIENT = 60
HEURISTICS = tuple(name for name, info in methods().items() if not info.exact)


def share_proved(instances):
    """Run the exact methods, a heuristic and a bound, each against the optimum of brute force.

    Returns the share of the exact methods' answers that were proved.
    """
    proved = answered = 0
    for number, instance in enumerate(instances):
        best = oracle.brute_force(instance)
        for method in (*EXACT, HEURISTICS[number % len(HEURISTICS)]):
            limit = PATIENT if method in ENDS_EARLY else 3
            result = solve(instance, method, time_limit=limit, num_workers=1)
            if method == "auto" and result.status is Status.UNKNOWN:  # the machine is busy
                result = solve(instance, method, time_limit=PATIENT, num_workers=1)
            if best is None:
                assert result.allocation is None
                assert method not in ALWAYS_DECIDES or result.status is Status.INFEASIBLE
                continue
            require_right(instance, result, best)
            if method in EXACT:
                assert result.allocation is not None
                answered += 1
                proved += result.status is Status.OPTIMAL
        bound = lower_bound(instance, list(BOUNDS)[number % len(BOUNDS)], time_limit=3)
        assert best is None or oracle.exact(bound) <= best.cost
    return proved / answered


def require_right(instance, result, best):
    """An answer on an instance that has an allocation."""
    assert result.status is not Status.INFEASIBLE
    if result.bound is not None and result.status is not Status.OPTIMAL:
        assert oracle.exact(result.bound) <= best.cost
    if result.allocation is None:
        return
    positions = result.allocation.node_index.tolist()
    assert check(instance, positions) == []
    cost = oracle.cost(instance, positions)
    assert cost >= best.cost
    assert float(cost) == pytest.approx(float(result.cost))
    assert sum(result.cost_parts.values()) == pytest.approx(float(cost))
    if result.status is Status.OPTIMAL:
        assert cost == best.cost
