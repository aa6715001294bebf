"""The linear relaxation over modes: its bound, and its solution for whoever rounds it."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from ...model.exact import Array
from ...problem.attainable import round_up_to_attainable
from ...problem.problem import Problem
from ...programs.modes_relaxation import ModesRelaxation
from .branching import branched_bound
from .lagrangian import program_bound, with_best_prices
from .prices import priced
from .shortage import why_short

__all__ = [
    "RelaxationSolution",
    "divided_bound",
    "modes_linear_bound",
    "relaxation_solution",
    "why_relaxation_infeasible",
]

_PROGRAM_CELLS = 60_000
_UNION_CELLS = {False: 150_000, True: 60_000}  # with nodes that may be off there are more rows
_MAX_CELLS = 20_000_000


@dataclass(frozen=True)
class RelaxationSolution:
    """A solution of the linear relaxation over modes, and the bound that its prices prove.

    Attributes
    ----------
    forms : (F,) floats
        Tasks in each form.
    parts : (P, G) floats
        Parts of each mode on each class of nodes.
    bound : int
        In exact cost units, evaluated in integers; the floats prove nothing.
    """

    forms: Array
    parts: Array
    bound: int


@dataclass(frozen=True)
class _Solved:
    """What is known of the relaxation of a problem."""

    relaxation: ModesRelaxation
    status: str
    bound: int | None
    values: Array | None


_solved: WeakKeyDictionary[Problem, _Solved] = WeakKeyDictionary()


def relaxation_solution(problem: Problem, time_limit: float = 60.0) -> RelaxationSolution | None:
    """Solve the linear relaxation of a problem with modes.

    Where nodes that differ only in what is at home there make too many classes, those are taken
    together (see `node_sets_of`), and their parts are spread evenly.

    Returns
    -------
    RelaxationSolution or None
        None if the program is too large, or GLOP finds no solution in the time.
    """
    solved = _solve(problem, time_limit)
    if solved is None or solved.values is None or solved.bound is None:
        return None
    relaxation, values = solved.relaxation, solved.values
    return RelaxationSolution(
        forms=relaxation.forms(values), parts=relaxation.parts(values), bound=solved.bound
    )


def modes_linear_bound(problem: Problem, time_limit: float = 60.0) -> int | None:
    """The bound of the linear relaxation over modes, in exact cost units; None if there is none."""
    solved = _solve(problem, time_limit)
    return None if solved is None else solved.bound


def divided_bound(problem: Problem, time_limit: float = 60.0) -> int | None:
    """The bound of the relaxation with whole numbers of nodes that are on; None without one.

    Only where nodes may be off, and of use where they are dear and few.
    """
    solved = _solve(problem, time_limit)
    if solved is None or solved.status != "optimal" or not problem.instance.power_off:
        return None
    bounds = [solved.bound, branched_bound(solved.relaxation, time_limit)]
    known = [bound for bound in bounds if bound is not None]
    return round_up_to_attainable(problem, max(known)) if known else None


def why_relaxation_infeasible(problem: Problem, time_limit: float = 60.0) -> str | None:
    """A proof, as a sentence, that not even the relaxation has a solution; None without one.

    It takes another program, which is solved only where GLOP calls the first one infeasible.
    """
    solved = _solve(problem, time_limit)
    if solved is None or solved.status != "infeasible":
        return None
    return why_short(solved.relaxation, time_limit)


def _solve(problem: Problem, time_limit: float) -> _Solved | None:
    """The relaxation of a problem solved, or what was found before; None if it is too large."""
    if problem in _solved:
        return _solved[problem]
    relaxation = _relaxation(problem) if time_limit > 0 else None
    if relaxation is None:
        return None
    found = priced(relaxation.program, time_limit)
    bounds = [_bound(relaxation, y, found.shift) for y in found.multipliers]
    bound = round_up_to_attainable(problem, max(bounds)) if bounds else None
    solved = _Solved(relaxation, found.status, bound, found.values)
    if found.status in ("optimal", "infeasible"):
        _solved[problem] = solved
    return solved


def _bound(relaxation: ModesRelaxation, multipliers: Array, shift: int) -> int:
    """The better bound of the multipliers as they are and with the best prices of the classes."""
    best = with_best_prices(relaxation, multipliers, shift)
    return max(program_bound(relaxation.program, y, shift) for y in (multipliers, best))


def _relaxation(problem: Problem) -> ModesRelaxation | None:
    """The program over classes of nodes, or over unions of them; None if it is too large."""
    modes = problem.modes
    assert modes is not None
    cells = modes.num_modes * problem.classes.num_node_classes
    if cells <= _PROGRAM_CELLS:
        return ModesRelaxation(problem)
    if cells > _MAX_CELLS:
        return None
    relaxation = ModesRelaxation(problem, merged=True)
    most = _UNION_CELLS[bool(problem.instance.power_off)]
    return relaxation if relaxation.mode.size <= most else None
