"""Small random instances whose numbers are wide: many digits, far apart, at changing scales."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from random_instances import random_instance

from solver.model.instance import Instance

_PLAIN = 0.3


def wide_instances(count: int, seed: int) -> Iterator[Instance]:
    """Always the same `count` instances for a seed."""
    for child in np.random.SeedSequence(seed).spawn(count):
        rng = np.random.default_rng(child)
        yield (scaled_instance, far_apart_instance, exact_fit_instance)[int(rng.integers(3))](rng)


def scaled_instance(rng: np.random.Generator) -> Instance:
    """A plain random instance, each of its fields measured in a unit of its own."""
    plain = random_instance(rng, max_tasks=7, integers=bool(rng.random() < 0.5))
    compute, storage, money = (_unit(rng) for _ in range(3))
    resources = {name: _unit(rng) for name in plain.node_resources}
    return Instance.from_arrays(
        node_compute=_times(plain.node_compute, compute),
        node_storage=_times(plain.node_storage, storage),
        node_price=_times(plain.node_price, money),
        node_overload_price=_times(plain.node_overload_price, money),
        node_kind=plain.node_kind,
        node_resources={k: _times(v, resources[k]) for k, v in plain.node_resources.items()},
        node_ids=plain.node_ids,
        task_compute=_times(plain.task_compute, compute),
        task_storage=_times(plain.task_storage, storage),
        task_resources={k: _times(v, resources[k]) for k, v in plain.task_resources.items()},
        task_eligible=plain.task_group,
        eligible_groups=plain.groups,
        task_ids=plain.task_ids,
        max_load=plain.max_load,
        power_off=plain.power_off,
    )


def _unit(rng: np.random.Generator) -> float | int:
    units = (1, 1, 1048576 / 1e9, 1 / 3, 10**9 + 7, 1e-9 / 7, 10**16 + 61, 0.1)
    return units[int(rng.integers(len(units)))]


def _times(column: Any, unit: float | int) -> list[Any]:
    return [value if value == math.inf else value * unit for value in column.tolist()]


def far_apart_instance(rng: np.random.Generator) -> Instance:
    """Numbers of any size beside each other, some repeated, up to the largest there are."""
    n, m = int(rng.integers(2, 4)), int(rng.integers(0, 6))
    pool = [_number(rng) for _ in range(3)]

    def column(count: int) -> list[Any]:
        return [
            pool[int(rng.integers(3))] if rng.random() < 0.5 else _number(rng) for _ in range(count)
        ]

    fields: dict[str, Any] = {"node_compute": column(n), "task_compute": column(m)}
    if rng.random() < 0.5:
        fields["node_storage"] = [v if rng.random() < 0.8 else math.inf for v in column(n)]
        fields["task_storage"] = column(m)
    if rng.random() < 0.4:
        fields["node_price"] = column(n)
    if rng.random() < 0.4:
        fields["node_overload_price"] = column(n)
    if rng.random() < 0.3:
        fields["node_resources"] = {"memory": column(n)}
        fields["task_resources"] = {"memory": column(m)}
    if rng.random() < 0.3:
        fields["max_load"] = (1, 0.7, 1.5, 2, 1e300, 1e-300)[int(rng.integers(6))]
    return Instance.from_arrays(**fields, power_off=bool(rng.random() < 0.5))


def _number(rng: np.random.Generator) -> int | float:
    choices = (
        lambda: int(rng.integers(0, 20)),
        lambda: float(rng.random()),
        lambda: int(10 ** int(rng.integers(0, 300))),
        lambda: float(10.0 ** rng.uniform(-300, 300)),
        lambda: int(rng.integers(1, 9)) * 10**160,
        lambda: float(rng.integers(1, 99)) / 7,
        lambda: (0, 0.25, 2**53, 1.797e308)[int(rng.integers(4))],
    )
    if rng.random() < _PLAIN:
        return int(rng.integers(0, 20))
    return choices[int(rng.integers(len(choices)))]()


def exact_fit_instance(rng: np.random.Generator) -> Instance:
    """Nodes whose storage a hidden allocation fills to the last of sixteen digits.

    Beside other tasks with needs as long as these, no 64-bit grid holds all the digits.
    """
    n, m = int(rng.integers(2, 4)), int(rng.integers(3, 6))
    need = rng.random(m).tolist()
    hidden = rng.integers(0, n, size=m).tolist()
    alone = [[s for s, i in zip(need, hidden, strict=True) if i == node] for node in range(n)]
    room = [math.fsum(s) if len(s) > 1 else sum(s) for s in alone]
    others = [0.012345678901234567, *rng.random(11).tolist()]  # eighteen decimals: 2**61 and more
    return Instance.from_arrays(
        node_compute=[*rng.integers(1, 9, size=n).tolist(), 1000],
        node_storage=[*room, math.ceil(sum(others))],
        node_overload_price=[*rng.choice([1, 7, 1000, 100003], size=n).tolist(), 1],
        node_price=[1] * (n + 1),
        node_kind=["small"] * n + ["large"],
        task_compute=[*rng.integers(1, 100, size=m).tolist(), *[1] * len(others)],
        task_storage=[*need, *others],
        task_eligible=[0] * m + [1] * len(others),
        eligible_groups=[("small",), ("large",)],
        power_off=bool(rng.random() < 0.3),
    )
