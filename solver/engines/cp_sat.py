"""Integer programs by OR-Tools CP-SAT. Runs in the child process only."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from ..model.exact import Array
from ..programs.linear_model import LinearModel

__all__ = ["solve_model"]

_STATUS = {
    cp_model.OPTIMAL: "optimal",
    cp_model.FEASIBLE: "feasible",
    cp_model.INFEASIBLE: "infeasible",
    cp_model.UNKNOWN: "unknown",
}
_ROUNDED_AWAY = 2.0**-49
# One rule of the presolve of 9.15 adds up coefficients in 32 bits (google/or-tools 5293); from
# half of that on it is switched off, which this limit on its work does.
_SAFE_ROW = 2**30


def solve_model(payload: dict[str, Any], send: Callable[[Any], None]) -> dict[str, Any]:
    """Solve a model, sending every improvement as it comes.

    Parameters
    ----------
    payload : dict
        "model": LinearModel, all columns integer; "hint": (columns,) int64 or None;
        "objective_lower", "objective_upper": int or None, limits known to hold for an
        optimal solution; "time_limit": seconds for building and solving; "seed", "num_workers":
        int; "rel_gap": float; "deterministic_limit": float or None.

    Returns
    -------
    dict
        "status": "optimal", "feasible", "infeasible" or "unknown"; "values": (columns,) int64
        or None; "bound": int or None.

    Notes
    -----
    Sends ``("solution", values)`` and ``("bound", bound)``.
    """
    deadline = time.monotonic() + payload["time_limit"]
    model: LinearModel = payload["model"]
    program = build(model, payload["objective_lower"], payload["objective_upper"])
    if payload["hint"] is not None:
        _add_hint(program, payload["hint"])
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = payload["num_workers"]
    parameters.random_seed = payload["seed"] % 2**31
    parameters.relative_gap_limit = payload["rel_gap"]
    parameters.max_time_in_seconds = max(0.05, deadline - time.monotonic())
    if payload["deterministic_limit"] is not None:
        parameters.max_deterministic_time = payload["deterministic_limit"]
    if _widest_row(model) >= _SAFE_ROW:
        parameters.presolve_inclusion_work_limit = 0
    largest = _largest_objective(model)
    solver.best_bound_callback = lambda bound: send(("bound", _integer_bound(bound, largest)))
    status = solver.solve(program, _Sender(send))
    if status not in _STATUS:
        raise ValueError(f"CP-SAT says {status}: {program.validate()}")
    word = _STATUS[status]
    found = word in ("optimal", "feasible")
    response = solver.response_proto
    return {
        "status": word,
        "values": np.array(response.solution, dtype=np.int64) if found else None,
        # The integer one: the other is a float, which lacks the last digits of wide numbers.
        "bound": int(response.inner_objective_lower_bound) if found else None,
    }


class _Sender(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
    """Sends each improving solution to the parent."""

    def __init__(self, send: Callable[[Any], None]) -> None:
        super().__init__()
        self._send = send

    def on_solution_callback(self) -> None:
        """Called by CP-SAT at each improvement."""
        self._send(("solution", np.array(self.Response().solution, dtype=np.int64)))


def build(
    model: LinearModel, objective_lower: int | None, objective_upper: int | None
) -> cp_model.CpModel:
    """Translate a model, in bulk; rows "sum of Booleans = 1" become exactly-one constraints."""
    program = cp_model.CpModel()
    proto = program.proto
    _add_columns(proto, model)
    boolean = (model.lower == 0) & (model.upper == 1)
    start = model.row_start
    columns, coefficients = model.column.tolist(), model.coefficient.tolist()
    unit = np.concatenate(([0], np.cumsum((model.coefficient == 1) & boolean[model.column])))
    counting = (unit[start[1:]] - unit[start[:-1]]) == np.diff(start)
    one = counting & (model.row_lower == 1) & (model.row_upper == 1)
    limits = list(zip(model.row_lower.tolist(), model.row_upper.tolist(), strict=True))
    for r, (first, last) in enumerate(zip(start[:-1].tolist(), start[1:].tolist(), strict=True)):
        constraint = proto.constraints.add()
        if one[r]:
            constraint.exactly_one.literals.extend(columns[first:last])
        else:
            linear = constraint.linear
            linear.vars.extend(columns[first:last])
            linear.coeffs.extend(coefficients[first:last])
            linear.domain.extend(limits[r])
    used = np.flatnonzero(model.objective)
    objective = proto.objective
    objective.vars.extend(used.tolist())
    objective.coeffs.extend(model.objective[used].tolist())
    if objective_lower is not None and objective_upper is not None:
        objective.domain.extend((objective_lower, objective_upper))
    return program


def _add_columns(proto: Any, model: LinearModel) -> None:
    """Add all variables; runs of Booleans are copied in blocks, which is five times faster."""
    boolean = (model.lower == 0) & (model.upper == 1)
    change = np.flatnonzero(np.diff(boolean.astype(np.int8))) + 1
    edges = [0, *change.tolist(), model.num_columns]
    for first, last in itertools.pairwise(edges):
        if first < last and boolean[first]:
            _add_booleans(proto, last - first)
            continue
        limits = zip(
            model.lower[first:last].tolist(), model.upper[first:last].tolist(), strict=True
        )
        for limit in limits:
            proto.variables.add().domain.extend(limit)


def _add_booleans(proto: Any, count: int) -> None:
    block_size = 4096
    if count >= block_size:
        block = cp_model.CpModel().proto
        for _ in range(block_size):
            block.variables.add().domain.extend((0, 1))
        for _ in range(count // block_size):
            proto.merge_from(block)
        count %= block_size
    for _ in range(count):
        proto.variables.add().domain.extend((0, 1))


def _add_hint(program: cp_model.CpModel, hint: Array) -> None:
    proto = program.proto
    proto.solution_hint.vars.extend(range(hint.size))
    proto.solution_hint.values.extend(hint.tolist())


def _integer_bound(bound: float, largest: int) -> int:
    """A proven float bound on an integer objective, as an integer that is surely one too.

    CP-SAT computes the float from integers as large as the objective can get, by a sum in which
    they may cancel: it is lowered by what that may round away.
    """
    return math.ceil(bound - 1e-6 - max(abs(bound), float(largest)) * _ROUNDED_AWAY)


def _largest_objective(model: LinearModel) -> int:
    size = np.maximum(np.abs(model.lower.astype(object)), np.abs(model.upper.astype(object)))
    return int((np.abs(model.objective.astype(object)) * size).sum())


def _widest_row(model: LinearModel) -> int:
    """The largest sum of the sizes of the entries of a row."""
    sizes = np.abs(model.coefficient.astype(np.float64))
    row = np.repeat(np.arange(model.num_rows), np.diff(model.row_start))
    return int(np.bincount(row, sizes, minlength=1).max())
