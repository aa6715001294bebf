"""The values that a cost can take."""

from __future__ import annotations

import itertools
import math

from ..model.exact import common_divisor, exact_sum
from .modes import Modes
from .problem import Problem

__all__ = ["round_up_to_attainable"]


def round_up_to_attainable(problem: Problem, units: int) -> int:
    """Smallest value not below `units` that the cost of an allocation can take.

    Overload comes in multiples of what divides all demands and the node's capacity, so the
    cost moves in steps.
    """
    if problem.modes is not None:
        return _next(units, *_base_and_step(problem, problem.modes))
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
    return _next(units, base, step)


def _next(units: int, base: int, step: int) -> int:
    """The least of base, base + step, ... that is not below `units`; no step: only that."""
    if units <= base:
        return base
    return base + -(-(units - base) // step) * step if step else units


def _base_and_step(problem: Problem, modes: Modes) -> tuple[int, int]:
    """A cost that none is below, and what divides every cost's distance from it.

    A cost is what is paid while all is off, for each task its choice (a form with all its load at
    the least use price, or being left out), and multiples of: idle costs, of use prices above the
    least and of overload prices by the steps of the load, and of the prices of moves.
    """
    instance, exact, numbers = problem.instance, problem.instance.exact, problem.exact_numbers
    demand = numbers.demand.tolist()
    demand_step = math.gcd(*demand)
    compute, use = exact.node_compute.tolist(), exact.node_use_price.tolist()
    least = min(use)
    overload = exact.node_surcharge.tolist()
    step = math.gcd(*(o * math.gcd(demand_step, C) for C, o in zip(compute, overload, strict=True)))
    step = math.gcd(step, *((u - least) * demand_step for u in use))
    if instance.power_off:
        step = math.gcd(step, *(exact.node_on_cost - exact.node_off_cost).tolist())
    step = math.gcd(step, *itertools.compress(modes.move_cost, modes.counts_as_move.tolist()))
    choices: list[list[int]] = [[] if skip is None else [skip] for skip in modes.skip_cost]
    load = [0] * len(modes.form_cost)
    for p, f in enumerate(modes.mode_form.tolist()):
        load[f] += demand[p] * int(modes.mode_parts[p])
    for f, k in enumerate(modes.form_class.tolist()):
        choices[k].append(modes.form_cost[f] + least * load[f])
    base: int = sum(exact.node_off_cost.tolist())
    for costs, count in zip(choices, modes.task_count.tolist(), strict=True):
        cheapest = min(costs, default=0)
        base += cheapest * count
        step = math.gcd(step, *(cost - cheapest for cost in costs))
    return base, step
