"""Results as JSON."""

from __future__ import annotations

import json
from typing import Any, TextIO

from ..model.allocation import Allocation
from ..model.result import Result
from ..system.whole_files import atomic_text
from .instance import StrPath
from .places import places_of

__all__ = ["dump_result", "result_to_json", "write_result"]

_RESULT_SCHEMAS = ("nodewise-result/1", "nodewise-result/2")


def result_to_json(result: Result) -> dict[str, Any]:
    """A result as JSON data; unknown figures are None.

    In the schema "nodewise-result/1" the allocation has the node of each task. In
    "nodewise-result/2", of instances with variants, rules, skip prices or present places, it has
    an object with "node", a list where the variant has several parts, and "variant", where there
    are several; None stands for a task that is left out. There "left_out" and "moves" are told.
    Where there is no allocation but a partial one, "partial" has the nodes of the tasks "placed"
    and says of those "unplaced" why. Results of `rebalance` have "cost_now", "saving",
    "saving_bound", "broken_now" and "plan" as well.
    """
    allocation, is_plain = result.allocation, result.instance.is_plain
    return {
        "schema": _RESULT_SCHEMAS[0 if is_plain else 1],
        "instance": result.instance.name,
        "method": result.method,
        "status": result.status.value,
        "termination": result.termination.value,
        "cost": result.cost,
        "cost_parts": dict(result.cost_parts),
        "energy": result.energy,
        "bound": result.bound,
        "gap": result.gap,
        "seconds": result.seconds,
        "seed": result.seed,
        "num_workers": result.num_workers,
        "versions": dict(result.versions),
        "allocation": None if allocation is None else _places(allocation),
        **({} if is_plain else {"left_out": list(result.left_out), "moves": result.moves}),
        "infeasible_because": result.infeasible_because,
        "proof": result.proof,
        "unplaced": list(result.unplaced),
        **_partial(result),
        "message": result.message,
        **_rebalanced(result),
        "history": [
            {"seconds": point.seconds, "cost": point.cost, "bound": point.bound}
            for point in result.history
        ],
    }


def _partial(result: Result) -> dict[str, Any]:
    partial = result.partial
    if partial is None:
        return {}
    return {"partial": {"placed": dict(partial.placed), "unplaced": dict(partial.unplaced)}}


def _rebalanced(result: Result) -> dict[str, Any]:
    if result.cost_now is None:
        return {}
    return {
        "cost_now": result.cost_now,
        "saving": result.saving,
        "saving_bound": result.saving_bound,
        "broken_now": [str(broken) for broken in result.broken_now],
        "plan": None if result.plan is None else result.plan.to_dicts(),
    }


def _places(allocation: Allocation) -> dict[str, Any]:
    """Where each task is, by its id."""
    instance, node_index = allocation.instance, allocation.node_index
    tasks = instance.task_ids.tolist()
    if instance.is_plain:
        nodes = instance.node_ids.tolist()
        return dict(zip(tasks, (nodes[i] for i in node_index.tolist()), strict=True))
    placed: dict[str, Any] = dict.fromkeys(tasks)
    for place in places_of(instance, node_index):
        written = {"node": place.nodes if len(place.nodes) > 1 else place.nodes[0]}
        placed[tasks[place.task]] = written | (
            {} if place.variant is None else {"variant": place.variant}
        )
    return placed


def write_result(result: Result, path: StrPath) -> None:
    """Write a result as JSON; see `result_to_json`.

    Raises
    ------
    OSError
        If the place cannot be written to.
    """
    with atomic_text(path) as stream:
        dump_result(result, stream)


def dump_result(result: Result, stream: TextIO) -> None:
    """Write the JSON text of `result_to_json` to an open stream."""
    json.dump(result_to_json(result), stream, ensure_ascii=False, allow_nan=False, indent=1)
    stream.write("\n")
