"""Instances, and usage as files have it, that the tests of usage share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from solver import Instance, Node, Part, Task, Variant


def small() -> Instance:
    """Own figures, a model of two tasks, and a task with variants of its own."""
    return Instance(
        [
            Node("a", 20, storage=64, fixed_cost=10, overload_price=1, resources={"gpu": 8}),
            Node("b", 20, storage=64, fixed_cost=10, overload_price=1, resources={"gpu": 8}),
        ],
        [
            Task("own", compute=6, storage=20, resources={"gpu": 1}),
            Task("rest", compute=5),
            Task("m-0", model="m"),
            Task("m-1", model="m"),
            Task(
                "v",
                variants=[
                    Variant("listed", parts=[Part(1, storage=2), Part(2)]),
                    Variant("whole", 4),
                ],
            ),
        ],
        models={"m": [Variant("two", compute=3, parts=2), Variant("one", 5, loss=1)]},
        current={
            "own": "a",
            "m-0": {"node": ["a", "b"], "variant": "two"},
            "m-1": {"node": ["a", "b"], "variant": "two"},
            "v": {"node": ["a", "b"], "variant": "listed"},
        },
        power_off=True,
    )


def series(metric: Mapping[str, str], values: Sequence[tuple[Any, str]]) -> dict[str, Any]:
    return {"metric": dict(metric), "values": [list(pair) for pair in values]}


def answer(*listed: dict[str, Any], kind: str = "matrix", **more: Any) -> str:
    """What Prometheus answers a query."""
    data = {"resultType": kind, "result": list(listed)}
    return json.dumps({"status": "success", "data": data, **more})
