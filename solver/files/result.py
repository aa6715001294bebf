"""Results as JSON."""

from __future__ import annotations

import json
from typing import Any, TextIO

from ..model.result import Result
from ..system.whole_files import atomic_text
from .instance import StrPath

__all__ = ["dump_result", "result_to_json", "write_result"]

_RESULT_SCHEMA = "nodewise-result/1"


def result_to_json(result: Result) -> dict[str, Any]:
    """A result as JSON data of the schema "nodewise-result/1"; unknown figures are None."""
    allocation = result.allocation
    return {
        "schema": _RESULT_SCHEMA,
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
        "allocation": None if allocation is None else allocation.to_mapping(),
        "infeasible_because": result.infeasible_because,
        "proof": result.proof,
        "unplaced": list(result.unplaced),
        "message": result.message,
        "history": [
            {"seconds": point.seconds, "cost": point.cost, "bound": point.bound}
            for point in result.history
        ],
    }


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
