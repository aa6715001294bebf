"""Brute force: the optimum, the cost and feasibility straight from the records.

Nothing here calls the solver. Every number is the decimal that Python prints for it, taken
from `instance.nodes` and `instance.tasks` as a Fraction, and scaled to integers by the least
common multiple of the denominators.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from solver.model.instance import Instance, Node, Task


class Optimum(NamedTuple):
    cost: Fraction
    positions: list[int]


def exact(value: float) -> Fraction:
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def cost(instance: Instance, positions: Sequence[int]) -> Fraction:
    """Cost of an allocation by the formula of the model."""
    total = Fraction(0)
    for i, node in enumerate(instance.nodes):
        hosted = [task for task, where in zip(instance.tasks, positions, strict=True) if where == i]
        on, off, use, overload = node_prices(instance, node)
        if not hosted and instance.power_off:
            total += off
            continue
        load = sum((exact(task.compute) for task in hosted), Fraction(0))
        capacity = exact(node.compute)
        total += on + overload * max(Fraction(0), load - capacity) + use * min(load, capacity)
    return total


def feasible(instance: Instance, positions: Sequence[int]) -> bool:
    """Whether an allocation keeps every hard rule."""
    nodes, tasks = list(instance.nodes), list(instance.tasks)
    if any(not may_host(nodes[i], task) for i, task in zip(positions, tasks, strict=True)):
        return False
    for i, node in enumerate(nodes):
        hosted = [task for task, where in zip(tasks, positions, strict=True) if where == i]
        for capacity, needs in _hard_rules(instance, node, hosted):
            if capacity is not None and sum(needs, Fraction(0)) > capacity:
                return False
    return True


def may_host(node: Node, task: Task) -> bool:
    return task.eligible is None or node.id in task.eligible or node.kind in task.eligible


def brute_force(instance: Instance) -> Optimum | None:
    """A cheapest allocation among all n^m, or None if none is feasible.

    Depth first, largest task first, cheapest node first. A branch ends where a hard rule is
    broken or where the cost so far, which never falls, has reached the best one found.
    """
    nodes, all_tasks = list(instance.nodes), list(instance.tasks)
    order = sorted(range(len(all_tasks)), key=lambda j: -exact(all_tasks[j].compute))
    tasks = [all_tasks[j] for j in order]
    n, m = len(nodes), len(tasks)

    prices = [node_prices(instance, node) for node in nodes]
    capacities = [exact(node.compute) for node in nodes]
    demands = [exact(task.compute) for task in tasks]
    unit = _denominator(capacities + demands)
    money = _denominator([each for price in prices for each in price])
    C = [int(capacity * unit) for capacity in capacities]
    D = [int(demand * unit) for demand in demands]
    on, off = ([int(price[k] * unit * money) for price in prices] for k in (0, 1))
    use_price, overload_price = ([int(price[k] * money) for price in prices] for k in (2, 3))

    need, free = _integer_rules(instance, nodes, tasks)
    hosts = [[i for i in range(n) if may_host(nodes[i], task)] for task in tasks]
    if any(
        sum(column) > sum(free[i][r] for i in range(n))
        for r, column in enumerate(zip(*need, strict=True))
    ):
        return None

    load, count, placed = [0] * n, [0] * n, [0] * m
    best_cost: int | None = None
    best: list[int] = []

    def place(k: int, so_far: int) -> None:
        nonlocal best_cost, best
        if k == m:
            best_cost, best = so_far, placed.copy()
            return
        moves = []
        for i in hosts[k]:
            if all(have >= want for have, want in zip(free[i], need[k], strict=True)):
                before, after = max(0, load[i] - C[i]), max(0, load[i] + D[k] - C[i])
                extra = overload_price[i] * (after - before)
                extra += use_price[i] * (D[k] - (after - before))
                if not count[i]:
                    extra += on[i] - off[i]
                moves.append((extra, i))
        moves.sort()
        for extra, i in moves:
            if best_cost is not None and so_far + extra >= best_cost:
                return
            kept = free[i]
            free[i] = [have - want for have, want in zip(kept, need[k], strict=True)]
            load[i] += D[k]
            count[i] += 1
            placed[k] = i
            place(k + 1, so_far + extra)
            free[i] = kept
            load[i] -= D[k]
            count[i] -= 1

    place(0, sum(off))
    if best_cost is None:
        return None
    positions = [0] * m
    for k, j in enumerate(order):
        positions[j] = best[k]
    return Optimum(Fraction(best_cost, unit * money), positions)


def prices(node: Node) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """Capacity, what the node costs when on, and a unit of load within the capacity and above it.

    Without electricity.
    """
    C = exact(node.compute)
    price = node.compute if node.price is None else node.price
    overload = price if node.overload_price is None else node.overload_price
    paid = exact(price) * C if node.fixed_cost is None else exact(node.fixed_cost)
    return C, paid, exact(node.use_price), exact(overload)


def node_prices(instance: Instance, node: Node) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """What a node costs on and off, and a unit of load within its compute and above it."""
    C, paid, use, over = prices(node)
    on = paid
    idle = exact(node.idle_watts)
    most = idle if node.max_watts is None else exact(node.max_watts)
    if instance.energy is not None and most:
        setting = instance.energy
        watt = exact(setting.price_per_kwh) * exact(setting.pue) * exact(setting.hours) / 1000
        on += watt * idle
        if C:
            use += watt * (most - idle) / C
            over += watt * most / C
    if not instance.power_off:
        return on, on, use, over
    return on, paid if instance.power_off == "owned" else Fraction(0), use, over


def _hard_rules(
    instance: Instance, node: Node, tasks: list[Task]
) -> list[tuple[Fraction | None, list[Fraction]]]:
    """Capacity (None if unlimited) and the tasks' needs, one pair a rule, in a fixed order."""
    storage = None if math.isinf(node.storage) else exact(node.storage)
    rules = [(storage, [exact(task.storage) for task in tasks])]
    for name in sorted({name for other in instance.nodes for name in other.resources}):
        needs = [exact(task.resources.get(name, 0)) for task in tasks]
        rules.append((exact(node.resources.get(name, 0)), needs))
    if instance.max_load is not None:
        limit = exact(instance.max_load) * exact(node.compute)
        rules.append((limit, [exact(task.compute) for task in tasks]))
    return rules


def _integer_rules(
    instance: Instance, nodes: list[Node], tasks: list[Task]
) -> tuple[list[list[int]], list[list[int]]]:
    """Needs a task and capacities a node, one integer a rule."""
    per_node = [_hard_rules(instance, node, tasks) for node in nodes]
    need: list[list[int]] = [[] for _ in tasks]
    free: list[list[int]] = [[] for _ in nodes]
    for rule in range(len(per_node[0])):
        needs = per_node[0][rule][1]
        unit = _denominator(needs)
        for k, amount in enumerate(needs):
            need[k].append(int(amount * unit))
        for i, rules in enumerate(per_node):
            capacity = rules[rule][0]
            most = sum(needs) if capacity is None else capacity
            free[i].append(math.floor(most * unit))
    return need, free


def _denominator(values: Iterable[Fraction]) -> int:
    return math.lcm(*(value.denominator for value in values))
