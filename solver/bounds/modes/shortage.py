"""Proof, by the linear relaxation, that some tasks that must run have no place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...model.exact import Array
from ...programs.exact_program import ExactProgram
from ...programs.modes_relaxation import ModesRelaxation
from ..words import title
from .lagrangian import program_bound
from .prices import priced

__all__ = ["why_short"]

_NAMES = 4


def why_short(relaxation: ModesRelaxation, time_limit: float) -> str | None:
    """A proof that no allocation exists, as a sentence; None if none is found in the time.

    The tasks that must run may be left out at a price of 1 each, all else costs nothing, and the
    bound of that program says how many are left out at least. It is evaluated in exact integers,
    like that of the relaxation itself.
    """
    program = _program(relaxation)
    found = priced(program, time_limit)
    if not found.multipliers:
        return None
    bounds = [program_bound(program, y, found.shift) for y in found.multipliers]
    short = max(bounds)
    if short < 1:
        return None
    return _sentence(relaxation, found.multipliers[bounds.index(short)], short)


def _program(relaxation: ModesRelaxation) -> ExactProgram:
    """The program of the relaxation in which only leaving out what must run has a price."""
    program = relaxation.program
    must = np.setdiff1d(np.arange(relaxation.cover_row.size), relaxation.left_out)
    rows = relaxation.cover_row[must]
    added = program.num_columns + np.arange(must.size)
    row = np.concatenate((program.row, rows))
    order = np.argsort(row, kind="stable")
    one = np.ones(must.size, dtype=np.int64)
    return replace(
        program,
        cost=np.concatenate((program.cost * 0, one.astype(object))),
        upper=np.concatenate((program.upper, program.limit[rows])),
        unit=np.concatenate((program.unit, one.astype(object))),
        # Only what must run makes a row ask for anything.
        limit=np.where(program.equal, program.limit, np.maximum(program.limit, 0)),
        row=row[order],
        column=np.concatenate((program.column, added))[order],
        coefficient=np.concatenate((program.coefficient, one))[order],
        constant=0,
    )


def _sentence(relaxation: ModesRelaxation, y: Array, short: int) -> str:
    """What clashes: the limits that have a price."""
    names = [title(name) for name, rows in relaxation.limits if (y[rows] != 0).any()]
    names = list(dict.fromkeys(names)) or ["the places that each may use"]
    shown = ", ".join(names[:_NAMES])
    more = f", and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
    tasks = (
        "1 of the tasks that must run has"
        if short == 1
        else (f"{short:,} of the tasks that must run have")
    )
    return (
        f"at least {tasks} no place, even if tasks could be cut into pieces; what clashes: "
        f"{shown}{more}"
    )
