"""The closed form: the total demand poured into the cheapest places."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np

from ..model.exact import Array, exact_sum
from ..model.instance import Instance
from ..problem.attainable import round_up_to_attainable
from ..problem.modes import Modes
from ..problem.problem import Problem

__all__ = ["closed_form_bound"]

_MAX_CELLS = 20_000_000


def closed_form_bound(problem: Problem, _time_limit: float = 0.0) -> int:
    """Pour the demand into the cheapest places: a bound in exact cost units.

    Each node offers C at its use price u, and with power_off at u and its share of what being off
    would save, and what max_load leaves above C at price o. Being off is paid for anyway.

    Complexity: O(m + n log n).
    """
    if problem.modes is not None:
        return _with_modes(problem, problem.modes)
    instance, exact = problem.instance, problem.instance.exact
    demand = exact_sum(exact.task_compute)
    total: Fraction | int = sum(exact.node_off_cost.tolist())
    left = demand
    for price, room in sorted(_places(instance, demand)):
        amount = min(left, room)
        total += price * amount
        left -= amount
    return round_up_to_attainable(problem, math.ceil(total))


def _with_modes(problem: Problem, modes: Modes) -> int:
    """The same where tasks have forms or may be left out: every task takes a mixture of these.

    A mixture of choices costs at least what their lower hull over the load says. All tasks begin
    at their least load, which is poured; then those that save most for a unit of load go on along
    their hulls, as long as that saves more than the cheapest place left costs.

    Complexity: O(Q log Q + n log n) for Q forms.
    """
    instance, exact = problem.instance, problem.instance.exact
    total: Fraction | int = sum(exact.node_off_cost.tolist())
    least = 0
    steps: list[tuple[Fraction, int]] = []
    for choices, count in zip(_choices(problem, modes), modes.task_count.tolist(), strict=True):
        hull = _lower_hull(choices)
        least += hull[0][0] * count
        total += hull[0][1] * count
        for (load, cost), (more, less) in itertools.pairwise(hull):
            steps.append((Fraction(cost - less, more - load), (more - load) * count))
    demand = least + sum(amount for _, amount in steps)
    used = _fitting(problem)[1][problem.classes.node_class]
    places = [
        (price, room)
        for (price, room), may in zip(_places(instance, demand), np.tile(used, 2), strict=True)
        if may and room > 0
    ]
    places.sort()
    # What must be poured saves more than anything costs.
    wanted: list[tuple[Fraction | None, int]] = [(None, least), *sorted(steps, reverse=True)]
    at, left = 0, places[0][1] if places else 0
    for saved, load in wanted:
        while load and at < len(places) and (saved is None or places[at][0] < saved):
            amount = min(load, left)
            total += (places[at][0] - (saved or 0)) * amount
            load -= amount
            left -= amount
            if not left:
                at += 1
                left = places[at][1] if at < len(places) else 0
    return round_up_to_attainable(problem, math.ceil(total))


def _fitting(problem: Problem) -> tuple[Array, Array]:
    """(P,) and (G,) bool: which modes and nodes fit any other; all, if there are too many."""
    modes, nodes = problem.exact_numbers.demand.size, problem.classes.num_node_classes
    if modes * nodes > _MAX_CELLS:
        return np.ones(modes, dtype=bool), np.ones(nodes, dtype=bool)
    return problem.fits.any(axis=1), problem.fits.any(axis=0)


def _choices(problem: Problem, modes: Modes) -> list[list[tuple[int, int]]]:
    """Load and cost of each choice that a task of each class has, load on any node."""
    demand, fits = problem.exact_numbers.demand.tolist(), _fitting(problem)[0].tolist()
    load: list[int | None] = [0] * len(modes.form_cost)
    for p, f in enumerate(modes.mode_form.tolist()):
        so_far = load[f]
        fit = so_far is not None and fits[p]
        load[f] = so_far + demand[p] * int(modes.mode_parts[p]) if fit else None
    choices: list[list[tuple[int, int]]] = [
        [] if skip is None else [(0, skip)] for skip in modes.skip_cost
    ]
    for f, k in enumerate(modes.form_class.tolist()):
        of_form = load[f]
        if of_form is not None:
            choices[k].append((of_form, modes.form_cost[f]))
    return [each or [(0, 0)] for each in choices]  # no choice at all: any bound holds


def _lower_hull(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The convex chain from the least load to the least cost, by rising load and falling cost."""
    hull: list[tuple[int, int]] = []
    for load, cost in sorted(points):
        if hull and cost >= hull[-1][1]:
            continue
        while len(hull) > 1 and _is_above(hull[-2], hull[-1], (load, cost)):
            hull.pop()
        hull.append((load, cost))
    return hull


def _is_above(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> bool:
    """Whether b is on or above the line from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) >= (c[1] - a[1]) * (b[0] - a[0])


def _places(instance: Instance, demand: int) -> list[tuple[Fraction | int, int]]:
    """Prices of load and how much takes them: above each node's compute, then up to it."""
    exact = instance.exact
    nodes = list(
        zip(
            exact.node_compute.tolist(),
            (exact.node_on_cost - exact.node_off_cost).tolist(),
            exact.node_use_price.tolist(),
            exact.node_overload_price.tolist(),
            _load_limits(instance, demand),
            strict=True,
        )
    )
    places: list[tuple[Fraction | int, int]] = [
        (o, max(0, limit - C)) for C, _, _, o, limit in nodes
    ]
    # A node that may be off is paid for, in part, by what it carries.
    places += [(_share(saved, C) + u, min(C, limit)) for C, saved, u, _, limit in nodes]
    return places


def _share(cost: int, compute: int) -> Fraction | int:
    """What a unit of compute carries of a cost."""
    if compute == 0 or cost == 0:
        return 0
    return cost // compute if cost % compute == 0 else Fraction(cost, compute)


def _load_limits(instance: Instance, demand: int) -> list[int]:
    """The most load each node may carry, in exact units."""
    names = instance.exact.dimensions
    if "max_load" not in names:
        return [demand] * instance.num_nodes
    return [int(limit) for limit in instance.exact.capacity[:, names.index("max_load")].tolist()]
