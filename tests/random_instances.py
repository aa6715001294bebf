"""Small random instances with every feature of the model switched on and off."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from solver.model.instance import Instance, Node, Task

Number = int | float
KINDS = ("A100", "V100")


def random_instances(count: int, seed: int, **options: Any) -> Iterator[Instance]:
    """Always the same `count` instances for a seed; see `random_instance`."""
    for child in np.random.SeedSequence(seed).spawn(count):
        yield random_instance(np.random.default_rng(child), **options)


def random_instance(
    rng: np.random.Generator,
    *,
    max_nodes: int = 4,
    max_tasks: int = 9,
    integers: bool = True,
) -> Instance:
    """Draw an instance: 2 to `max_nodes` nodes, 4 to `max_tasks` tasks.

    A hidden allocation is drawn first and every hard rule is made to hold for it, often with
    no slack; one instance in four is then spoiled in one rule, which leaves about a fifth
    of all infeasible. Values come from small ranges, so that identical records occur.
    """
    number = _integer if integers else _decimal
    n = int(rng.integers(2, max_nodes + 1))
    m = int(rng.integers(4, max_tasks + 1))
    compute = _draw(rng, m, number, highest=int(rng.choice([3, 9])), zeros=0.1)
    capacity = _capacities(rng, n, compute, number)
    hidden = rng.integers(0, n, size=m).tolist()
    spoil = str(rng.choice(["storage", "resource", "eligible", "max_load"] + ["nothing"] * 13))
    kinds = [str(rng.choice(KINDS)) if _chance(rng, 0.8) else None for _ in range(n)]
    if _chance(rng, 0.5):
        kinds = [None] * n

    storage, node_storage = [0] * m, [math.inf] * n
    if spoil == "storage" or _chance(rng, 0.6):
        storage = _draw(rng, m, number, highest=4, zeros=0.2)
        node_storage = _room(rng, n, storage, hidden, spoiled=spoil == "storage")
        if spoil != "storage" and _chance(rng, 0.3):
            node_storage[int(rng.integers(n))] = math.inf
    resources: list[dict[str, Number]] = [{} for _ in range(m)]
    node_resources: list[dict[str, Number]] = [{} for _ in range(n)]
    for name in ("cpu", "memory")[: int(rng.choice([0, 0, 1, 2])) or int(spoil == "resource")]:
        need = _draw(rng, m, number, highest=3, zeros=0.4)
        room = _room(rng, n, need, hidden, spoiled=spoil == "resource")
        for j in range(m):
            if need[j] or _chance(rng, 0.5):
                resources[j][name] = need[j]
        for i in range(n):
            if room[i] or _chance(rng, 0.5):
                node_resources[i][name] = room[i]
        if not any(name in node for node in node_resources):
            node_resources[0][name] = room[0]

    eligible: list[tuple[str, ...] | None] = [None] * m
    if spoil == "eligible" or _chance(rng, 0.4):
        for j in range(m):
            if _chance(rng, 0.5):
                eligible[j] = _labels(rng, kinds, hidden[j])
        if spoil == "eligible":
            only = (f"n{int(rng.integers(n))}",)
            eligible = [only if _chance(rng, 0.8) else labels for labels in eligible]

    price, overload_price = _prices(rng, n, number)
    return Instance(
        nodes=[
            Node(
                f"n{i}",
                compute=capacity[i],
                storage=node_storage[i],
                price=price[i],
                overload_price=overload_price[i],
                kind=kinds[i],
                resources=node_resources[i],
            )
            for i in range(n)
        ],
        tasks=[
            Task(
                f"t{j}",
                compute=compute[j],
                storage=storage[j],
                eligible=eligible[j],
                resources=resources[j],
            )
            for j in range(m)
        ],
        max_load=_max_load(rng, capacity, compute, hidden, spoiled=spoil == "max_load"),
        power_off=_chance(rng, 0.4),
    )


def _chance(rng: np.random.Generator, probability: float) -> bool:
    return bool(rng.random() < probability)


def _integer(rng: np.random.Generator, k: int) -> Number:
    return k


def _decimal(rng: np.random.Generator, k: int) -> Number:
    """A number near k: whole, short decimals, thirds, and sums that floats round."""
    forms = (k, k * 0.1, k / 3, k + 0.75 if k else 0, k * 1.1, k / 8)
    return forms[int(rng.integers(len(forms)))]


def _draw(
    rng: np.random.Generator,
    count: int,
    number: Callable[[np.random.Generator, int], Number],
    *,
    highest: int,
    zeros: float,
) -> list[Number]:
    """Values up to about `highest`, half of the time from a pool of two or three."""
    pool = [number(rng, int(rng.integers(1, highest + 1))) for _ in range(int(rng.integers(2, 4)))]
    if _chance(rng, 0.5):
        values = [pool[int(k)] for k in rng.integers(len(pool), size=count)]
    else:
        values = [number(rng, int(k)) for k in rng.integers(1, highest + 1, size=count)]
    if _chance(rng, 0.3):
        values = [0 if _chance(rng, zeros) else value for value in values]
    return values


def _capacities(
    rng: np.random.Generator,
    n: int,
    demand: list[Number],
    number: Callable[[np.random.Generator, int], Number],
) -> list[Number]:
    """Compute capacities for a total load of 0.5 to 2 times the total capacity."""
    mean = float(sum(demand)) / n / float(rng.uniform(0.5, 2.0))
    if _chance(rng, 0.4):
        return [number(rng, max(1, round(mean)))] * n
    spread = [float(rng.choice([0.5, 1.0, 1.5])) for _ in range(n)]
    values = [number(rng, max(1, round(mean * factor))) for factor in spread]
    if _chance(rng, 0.1):
        values[int(rng.integers(n))] = 0
    return values


def _room(
    rng: np.random.Generator, n: int, need: list[Number], hidden: list[int], *, spoiled: bool
) -> list[Number]:
    """Capacities of a hard rule that the hidden allocation keeps, unless it is spoiled."""
    used = [Fraction(0)] * n
    for i, amount in zip(hidden, need, strict=True):
        used[i] += _fraction(amount)
    if spoiled:
        factor = Fraction(int(rng.integers(5, 10)), 10)
        return [_whole_or_float(Fraction(math.floor(u * factor))) for u in used]
    if _chance(rng, 0.5):
        return [cover(max(used))] * n
    slack = int(rng.choice([0, 0, 1, 3]))
    return [cover(u + int(rng.integers(0, slack + 1))) for u in used]


def _max_load(
    rng: np.random.Generator,
    capacity: list[Number],
    demand: list[Number],
    hidden: list[int],
    *,
    spoiled: bool,
) -> Number | None:
    choices = [0.7, 0.8, 0.95, 1, 1.2, 1.25, 1.5, 2, 3]
    if spoiled:
        return float(rng.choice([0.7, 0.8, 0.95]))
    if _chance(rng, 0.55):
        return None
    load = [Fraction(0)] * len(capacity)
    for i, amount in zip(hidden, demand, strict=True):
        load[i] += _fraction(amount)
    kept = [
        alpha
        for alpha in choices
        if all(
            used <= _fraction(alpha) * _fraction(C) for used, C in zip(load, capacity, strict=True)
        )
    ]
    return kept[int(rng.integers(min(3, len(kept))))] if kept else None


def _labels(rng: np.random.Generator, kinds: list[str | None], host: int) -> tuple[str, ...]:
    """Ids and kinds that include the hidden host."""
    kind = kinds[host]
    labels = [kind if kind is not None and _chance(rng, 0.6) else f"n{host}"]
    if _chance(rng, 0.4):
        labels.append(f"n{int(rng.integers(len(kinds)))}")
    return tuple(labels)


def _prices(
    rng: np.random.Generator, n: int, number: Callable[[np.random.Generator, int], Number]
) -> tuple[list[Number | None], list[Number | None]]:
    def column() -> list[Number | None]:
        if _chance(rng, 0.3):
            return [number(rng, int(rng.integers(0, 6)))] * n
        return [number(rng, int(k)) for k in rng.integers(0, 6, size=n)]

    price = [None] * n if _chance(rng, 0.4) else column()
    overload_price = [None] * n if _chance(rng, 0.5) else column()
    return price, overload_price


def _fraction(value: Number) -> Fraction:
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def _whole_or_float(value: Fraction) -> Number:
    return int(value) if value.denominator == 1 else float(value)


def cover(value: Fraction) -> Number:
    """The smallest number that is no less than the value."""
    found = _whole_or_float(value)
    while _fraction(found) < value:
        found = math.nextafter(found, math.inf)
    return found
