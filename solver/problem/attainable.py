"""The values that a cost can take."""

from __future__ import annotations

import math

from ..model.exact import common_divisor, exact_sum
from .problem import Problem

__all__ = ["round_up_to_attainable"]


def round_up_to_attainable(problem: Problem, units: int) -> int:
    """Smallest value not below `units` that the cost of an allocation can take.

    Overload comes in multiples of what divides all demands and the node's capacity, so the
    cost moves in steps.
    """
    instance, exact = problem.instance, problem.instance.exact
    demand_step = common_divisor(exact.task_compute)
    compute = exact.node_compute.tolist()
    overload, use = exact.node_surcharge.tolist(), exact.node_use_price.tolist()
    least = min(use)
    step = math.gcd(*(o * math.gcd(demand_step, C) for C, o in zip(compute, overload, strict=True)))
    idle = (exact.node_on_cost - exact.node_off_cost).tolist()
    step = math.gcd(step, *((u - least) * demand_step for u in use))
    base: int = sum(exact.node_off_cost.tolist())
    base += least * exact_sum(exact.task_compute)
    if instance.power_off:
        step = math.gcd(step, *idle)
    if units <= base:
        return base
    return base + -(-(units - base) // step) * step if step else units
