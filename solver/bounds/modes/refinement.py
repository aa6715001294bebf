"""Multipliers of more digits than a float has, where the numbers of a program need them.

At multipliers y the program with costs c + A'y, and y as the price of slack, has the same
solutions; all that its costs say, scaled up, is how far y is from optimal, and the dual prices of
this program correct it (Gleixner, Steffy and Wolter 2016, "Iterative refinement for linear
programming"). Any multipliers are valid, so that nothing here has to be exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ...model.exact import Array
from ...programs.exact_program import ExactProgram, ratios
from ...programs.linear_model import INFINITE, LinearModel
from .lagrangian import reduced_costs

__all__ = ["refined"]

_ROUNDS = 5
_ENOUGH = 0.5  # exact units of cost that are not worth a program
_ON_BOUND = 1e-9
_STEEP = 1e6


def refined(
    program: ExactProgram,
    model: LinearModel,
    row_unit: Array,
    multipliers: Array,
    shift: int,
    values: Array,
    solve: Callable[[LinearModel], dict[str, Any]],
) -> Array:
    """Better multipliers, as integers times 2**-shift.

    Parameters
    ----------
    program, model, row_unit
        A program and what `scaled` makes of it.
    multipliers : (rows,) objects
        Times 2**-shift; near to optimal.
    values : (columns,) floats
        A solution of the model.
    solve : callable
        Solves a model like `solve_relaxation`.
    """
    y = np.where(program.equal, multipliers, np.maximum(multipliers, 0))
    for _ in range(_ROUNDS):
        error = _error(program, model, row_unit, y, shift, values)
        if error.loss <= _ENOUGH or not error.unit:
            break
        answer = solve(_corrected(program, model, error))
        duals = answer["duals"]
        if duals is None or not np.isfinite(duals).all():
            break
        for r in np.flatnonzero(duals).tolist():
            above, below = (-duals[r]).as_integer_ratio()
            y[r] += above * error.unit // (below * row_unit[r])
        y = np.where(program.equal, y, np.maximum(y, 0))
        if answer["values"] is not None:
            values = answer["values"][: program.num_columns]
    return y


class _Error(NamedTuple):
    """How far multipliers are from optimal at a solution.

    `loss` is in exact units of cost; reduced costs and prices of slack are in units of a model's
    columns and rows, of which one is `unit` times 2**-shift exact units.
    """

    loss: float
    unit: int
    reduced: Array
    slack_price: Array


def _error(
    program: ExactProgram,
    model: LinearModel,
    row_unit: Array,
    y: Array,
    shift: int,
    values: Array,
) -> _Error:
    d = reduced_costs(program, y, shift) * program.unit
    price = y * row_unit
    row_of = np.repeat(np.arange(model.num_rows), np.diff(model.row_start))
    activity = np.bincount(
        row_of, weights=model.coefficient * values[model.column], minlength=model.num_rows
    )
    slack = np.where(program.equal, 0.0, np.maximum(0.0, model.row_upper - activity))
    slack[slack <= _ON_BOUND * np.maximum(1.0, np.abs(model.row_upper))] = 0.0
    near = _ON_BOUND * np.maximum(1.0, np.minimum(model.upper, 1e9))
    above, below = values > near, values < model.upper - near
    wrong = np.where(((d > 0) & above) | ((d < 0) & below), np.abs(d), 0)
    wrong_price = np.where(slack > 0, np.abs(price), 0)
    unit = max([*wrong.tolist(), *wrong_price.tolist()], default=0)
    one = np.full(1, 1 << shift, dtype=object)
    size = ratios(wrong, np.repeat(one, wrong.size))
    loss = float(size @ np.where(d > 0, values, np.minimum(model.upper, 1e18) - values))
    loss += float(ratios(wrong_price, np.repeat(one, price.size)) @ slack)
    units = np.full(1, max(1, unit), dtype=object)
    return _Error(
        loss=loss,
        unit=unit,
        reduced=ratios(d, np.repeat(units, d.size)),
        slack_price=ratios(price, np.repeat(units, price.size)),
    )


def _corrected(program: ExactProgram, model: LinearModel, error: _Error) -> LinearModel:
    """The model with these costs; its inequalities are equations with a priced slack."""
    slack_of = np.flatnonzero(~program.equal)
    columns = model.num_columns + np.arange(slack_of.size)
    row_of = np.repeat(np.arange(model.num_rows), np.diff(model.row_start))
    rows = np.concatenate((row_of, slack_of))
    order = np.argsort(rows, kind="stable")
    free = np.zeros(slack_of.size)
    cost = np.concatenate((error.reduced, error.slack_price[slack_of]))
    return replace(
        model,
        objective=np.clip(cost, -_STEEP, _STEEP),
        lower=np.concatenate((model.lower, free)),
        upper=np.concatenate((model.upper, free + float(INFINITE))),
        integer=np.zeros(cost.size, dtype=bool),
        row_start=np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=model.num_rows)))),
        column=np.concatenate((model.column, columns))[order],
        coefficient=np.concatenate((model.coefficient, np.ones(slack_of.size)))[order],
        row_lower=model.row_upper,
    )
