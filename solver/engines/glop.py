"""Linear programs by OR-Tools GLOP, through MathOpt. Runs in the child process only."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from ..model.exact import Array
from ..programs.linear_model import INFINITE, LinearModel

__all__ = ["FAILURES", "solve_relaxation"]

FAILURES = (AttributeError, RuntimeError, ValueError)
"""What MathOpt raises where GLOP ends abnormally.

The first is a slip of OR-Tools 9.15, which looks for the code of the error under a wrong name.
"""

_SOLVED = {
    mathopt.TerminationReason.OPTIMAL: "optimal",
    mathopt.TerminationReason.FEASIBLE: "limit",
    mathopt.TerminationReason.NO_SOLUTION_FOUND: "limit",
    mathopt.TerminationReason.IMPRECISE: "limit",
    mathopt.TerminationReason.NUMERICAL_ERROR: "failed",
    mathopt.TerminationReason.OTHER_ERROR: "failed",
    mathopt.TerminationReason.INFEASIBLE: "infeasible",
    mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED: "infeasible",
}


def solve_relaxation(payload: dict[str, Any], _send: Callable[[Any], None]) -> dict[str, Any]:
    """Solve the linear relaxation of a model.

    Parameters
    ----------
    payload : dict
        "model": LinearModel; "time_limit": seconds.

    Returns
    -------
    dict
        "status": "optimal", "limit", "infeasible" or "failed"; "duals": (rows,) floats or None;
        "values": (columns,) floats or None; "iterations": int.
    """
    model: LinearModel = payload["model"]
    program = mathopt.Model.from_model_proto(_proto(model))
    parameters = mathopt.SolveParameters(
        time_limit=datetime.timedelta(seconds=max(0.01, payload["time_limit"])),
        threads=1,
    )
    try:
        outcome = mathopt.solve(program, mathopt.SolverType.GLOP, params=parameters)
    except FAILURES:
        return {"status": "failed", "duals": None, "values": None, "iterations": 0}
    duals = values = None
    if outcome.has_dual_feasible_solution():
        duals = np.zeros(model.num_rows)
        for row, price in outcome.dual_values().items():
            duals[row.id] = price
    if outcome.has_primal_feasible_solution():
        values = np.zeros(model.num_columns)
        for column, value in outcome.variable_values().items():
            values[column.id] = value
    return {
        "status": _SOLVED[outcome.termination.reason],
        "duals": duals,
        "values": values,
        "iterations": outcome.solve_stats.simplex_iterations,
    }


def _proto(model: LinearModel) -> model_pb2.ModelProto:
    proto = model_pb2.ModelProto()
    columns = list(range(model.num_columns))
    proto.variables.ids.extend(columns)
    proto.variables.lower_bounds.extend(_limits(model.lower))
    proto.variables.upper_bounds.extend(_limits(model.upper))
    proto.variables.integers.extend([False] * model.num_columns)
    rows = range(model.num_rows)
    proto.linear_constraints.ids.extend(rows)
    proto.linear_constraints.lower_bounds.extend(_limits(model.row_lower))
    proto.linear_constraints.upper_bounds.extend(_limits(model.row_upper))
    used = np.flatnonzero(model.objective)
    proto.objective.linear_coefficients.ids.extend(used.tolist())
    proto.objective.linear_coefficients.values.extend(model.objective[used].astype(float).tolist())
    row_of = np.repeat(np.arange(model.num_rows), np.diff(model.row_start))
    order = np.lexsort((model.column, row_of))  # MathOpt wants the entries in row-major order
    matrix = proto.linear_constraint_matrix
    matrix.row_ids.extend(row_of[order].tolist())
    matrix.column_ids.extend(model.column[order].tolist())
    matrix.coefficients.extend(model.coefficient[order].astype(float).tolist())
    return proto


def _limits(values: Array) -> list[float]:
    limits = values.astype(float)
    limits[values >= INFINITE] = np.inf
    limits[values <= -INFINITE] = -np.inf
    return limits.tolist()  # type: ignore[no-any-return]
