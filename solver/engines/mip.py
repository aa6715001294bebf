"""Mixed-integer programs through PuLP's command-line solvers. Runs in the child process only."""

from __future__ import annotations

import math
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbcbox
import highsbox
import numpy as np
import pulp

from ..model.exact import Array
from ..programs.linear_model import INFINITE, LinearModel

__all__ = ["available_solvers", "solve_model", "stop"]

_S = pulp.constants.LpSolveStatus
_STATUS = {
    _S.Optimal: "optimal",
    _S.GapLimit: "optimal",
    _S.Infeasible: "infeasible",
    _S.TimeLimit: "limit",
    _S.NodeLimit: "limit",
    _S.MemoryLimit: "limit",
    _S.IterationLimit: "limit",
    _S.SolutionLimit: "limit",
    _S.Interrupted: "limit",
    _S.Stopped: "limit",
    _S.NotSolved: "limit",
    _S.Undefined: "limit",
    _S.NumericalError: "limit",
}
_POLL = 0.2
_NUMBER = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|inf)"
_GAP = r"(?:\d+\.\d+%|Large)"
# Columns are matched within one line: a pattern that ran on would take a time for a bound.
_TABLE_ROW = {
    "HiGHS": rf"^ .*?\d+\.\d+%[ ]+({_NUMBER})[ ]+{_NUMBER}[ ]+{_GAP}[ ]",
    "CBC": rf"^[ ]*\d+[ ]+\d+[ ]+\d+[ ]+{_NUMBER}[ ]+({_NUMBER})[ ]+\d+\.\d+%",
}
_REPORT = {
    "HiGHS": rf"^[ ]*Dual bound[ ]+({_NUMBER})[ ]*$",
    "CBC": rf"^Lower bound:[ ]+({_NUMBER})[ ]*$",
}
_CBC_INFEASIBLE = "infeasibility proved"
_DIGITS = {"HiGHS": 10, "CBC": 6}  # significant digits that their logs are sure to show


def available_solvers(_payload: Any, _send: Callable[[Any], None]) -> list[str]:
    """Names accepted as "solver" by `solve_model`, installed ones only."""
    own = [
        name
        for name, path in (("HiGHS", highsbox.highs_bin_path()), ("CBC", cbcbox.cbc_bin_path()))
        if Path(path).exists()
    ]
    return own + [name for name in pulp.listSolvers(onlyAvailable=True) if name.endswith("_CMD")]


def stop() -> None:
    """Ask the running solver to end, as Ctrl-C in a terminal would."""
    os.killpg(0, signal.SIGINT)


def solve_model(payload: dict[str, Any], send: Callable[[Any], None]) -> dict[str, Any]:
    """Solve a model.

    Parameters
    ----------
    payload : dict
        "solver": "HiGHS", "CBC" or the name of another command-line solver of PuLP; "model":
        LinearModel; "hint": (columns,) int64 or None; "time_limit": seconds for building and
        solving; "seed", "num_workers": int; "rel_gap": float; "folder": an empty folder for
        files, which the caller removes (this process may be killed).

    Returns
    -------
    dict
        "status": "optimal", "infeasible" or "limit"; "values": (columns,) floats or None;
        "objective": float or None; "bound": float or None; "gaps_set": whether "optimal" is
        within an absolute gap of 0.99 and the relative one asked for.

    Notes
    -----
    Sends ``("bound", bound)`` as HiGHS and CBC log it, and ``("solution", values)`` with HiGHS,
    which writes its incumbents while it runs.
    """
    deadline = time.monotonic() + payload["time_limit"]
    folder = Path(payload["folder"])
    program, columns = _build(payload["model"], payload["hint"])
    solver, log, gaps_set = _solver(payload, deadline, folder)
    solver.tmpDir = payload["folder"]
    finished = threading.Event()
    watch = _Watch(folder, payload["solver"], len(columns), send)
    thread = threading.Thread(target=watch.run, args=(finished,), daemon=True)
    thread.start()
    try:
        stats = program.solve(solver)
    finally:
        finished.set()
        thread.join()
    text = log.read_text(errors="replace") if log.exists() else ""
    values = None
    if stats.has_solution:
        values = np.array([column.varValue or 0.0 for column in columns])
    found = _reported_bound(text, payload["solver"])
    status = _STATUS[stats.status]
    if status == "limit" and payload["solver"] == "CBC" and _CBC_INFEASIBLE in text:
        status = "infeasible"  # found before it begins to solve: then it writes no solution file
    return {
        "status": status,
        "values": values,
        "gaps_set": gaps_set,
        "objective": (stats.objective or 0.0) if stats.has_solution else None,
        "bound": found if found is not None else stats.best_bound,
    }


def _solver(payload: dict[str, Any], deadline: float, folder: Path) -> tuple[Any, Path, bool]:
    name = payload["solver"]
    log = folder / "log"
    common = {
        "msg": False,
        "timeLimit": max(0.05, deadline - time.monotonic()),
        "threads": payload["num_workers"],
        "warmStart": payload["hint"] is not None,
        "logPath": str(log),
    }
    # The objective is an integer at every solution worth having: a gap below 1 is no gap.
    gaps = {"gapRel": payload["rel_gap"], "gapAbs": 0.99}
    if name == "HiGHS":
        given = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
        libraries = dict.fromkeys([highsbox.highs_lib_dir(), *given])  # each once: it must not grow
        os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, libraries))
        options = [
            f"random_seed={payload['seed'] % 2**31}",
            "mip_improving_solution_save=true",
            f"mip_improving_solution_file={folder / 'incumbents'}",
        ]
        path = highsbox.highs_bin_path()
        return pulp.HiGHS_CMD(path=path, options=options, **gaps, **common), log, True
    if name == "CBC":
        path, seed = cbcbox.cbc_bin_path(), payload["seed"] % 2**31
        return pulp.COIN_CMD(path=path, randomSeed=seed, **gaps, **common), log, True
    if name not in available_solvers(None, lambda _: None):
        raise ValueError(f"MIP solver {name!r} is not installed")
    plain = {"msg": False, "timeLimit": max(1, int(common["timeLimit"]))}  # some want whole ones
    try:
        return pulp.getSolver(name, **plain, **gaps), log, True
    except TypeError:  # it takes no gaps, and its "optimal" may mean within a gap of its own
        return pulp.getSolver(name, **plain), log, False


def _build(model: LinearModel, hint: Array | None) -> tuple[pulp.LpProblem, list[Any]]:
    program = pulp.LpProblem("nodewise", pulp.LpMinimize)
    kinds = np.where(model.integer, "Integer", "Continuous").tolist()
    limits = zip(_limits(model.lower), _limits(model.upper), kinds, strict=True)
    columns = [
        program.add_variable(f"c{position}", low, high, kind)
        for position, (low, high, kind) in enumerate(limits)
    ]
    used = np.flatnonzero(model.objective)
    program.setObjective(_expression(columns, used.tolist(), model.objective[used].tolist()))
    entry, coefficient = model.column.tolist(), model.coefficient.tolist()
    start = model.row_start.tolist()
    rows = zip(
        start[:-1], start[1:], model.row_lower.tolist(), model.row_upper.tolist(), strict=True
    )
    for first, last, lower, upper in rows:
        if first == last:
            if lower > 0 or upper < 0:
                program.addConstraint(_expression(columns, [0], [0]) >= 1)
            continue
        terms = entry[first:last], coefficient[first:last]
        if lower == upper:
            program.addConstraint(_expression(columns, *terms) == lower)
            continue
        if lower > -INFINITE:
            program.addConstraint(_expression(columns, *terms) >= lower)
        if upper < INFINITE:
            program.addConstraint(_expression(columns, *terms) <= upper)
    if hint is not None:
        for column, value in zip(columns, hint.tolist(), strict=True):
            column.setInitialValue(value, check=False)
    return program, columns


def _expression(columns: list[Any], positions: list[int], coefficients: list[int]) -> Any:
    pairs = [(columns[p], float(c)) for p, c in zip(positions, coefficients, strict=True)]
    return pulp.LpAffineExpression.from_list(pairs)


def _limits(values: Array) -> list[float | None]:
    return [None if abs(value) >= INFINITE else float(value) for value in values.tolist()]


class _Watch:
    """Reads what a solver writes while it runs: bounds off its log, incumbents off a file."""

    def __init__(self, folder: Path, solver: str, size: int, send: Callable[[Any], None]) -> None:
        self._log, self._incumbents = folder / "log", folder / "incumbents"
        self._solver, self._size, self._send = solver, size, send
        self._bound, self._read = -np.inf, 0

    def run(self, finished: threading.Event) -> None:
        """Poll until the solver is done."""
        while not finished.wait(_POLL):
            self._new_bound()
            self._new_incumbent()

    def _new_bound(self) -> None:
        if not self._log.exists():
            return
        bound = _table_bound(self._log.read_text(errors="replace"), self._solver)
        if bound is not None and bound > self._bound:
            self._bound = bound
            self._send(("bound", bound))

    def _new_incumbent(self) -> None:
        """Send the last solution in the file, if it is whole and new."""
        if not self._incumbents.exists():
            return
        text = self._incumbents.read_text()
        start = text.rfind("# Columns")
        lines = text[start:].splitlines()[1 : self._size + 1]
        whole = len(lines) == self._size and text.endswith("\n")
        if start < 0 or start < self._read or not whole:
            return
        self._read = start + 1
        values = np.zeros(self._size)
        for line in lines:
            name, value = line.split()
            values[int(name[1:])] = float(value)
        self._send(("solution", values))


def _table_bound(log: str, solver: str) -> float | None:
    """The bound in the last row of the progress table, or None."""
    return _last(log, _TABLE_ROW, solver)


def _reported_bound(log: str, solver: str) -> float | None:
    """The bound in the closing report, or None."""
    return _last(log, _REPORT, solver)


def _last(log: str, patterns: dict[str, str], solver: str) -> float | None:
    """The last match, lowered by what the solver's printing may have rounded away."""
    if solver not in patterns:
        return None
    found = re.findall(patterns[solver], log, re.MULTILINE)
    if not found or not math.isfinite(float(found[-1])):
        return None
    bound = float(found[-1])
    size = math.floor(math.log10(abs(bound))) if bound else 0
    return bound - 10.0 ** (size + 1 - _DIGITS[solver])
