"""Column generation: whole-node columns, a strong bound, and proof by enumeration.

The relaxation over columns (`solver.columns.session`) bounds the cost; an allocation from the other
heuristics bounds it from above. Once the gap is small, all columns whose reduced cost lies
within it are listed, and the program over them is solved to optimality: no other column can
belong to a better allocation (Baldacci, Christofides and Mingozzi 2008). Where they are too
many, branching raises the bound.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ..columns.counting.table import costs_nothing_else, may_count
from ..columns.partition.limits import may_close
from ..columns.partition.settings import PARTITION
from ..columns.program import columns_of, decode, most_of_others, set_model
from ..columns.session import Session
from ..engines.process import EngineCrash
from ..judge.check import check
from ..kernels.build.ready import is_ready, why_not
from ..model.exact import Array
from ..model.proofs import Proof
from ..model.result import Termination
from ..problem.attainable import round_up_to_attainable
from ..problem.problem import Problem
from ..problem.table import Column
from ..programs.assignment import require_buildable
from ..programs.linear_model import LinearModel
from ..settings import COLUMN_GENERATION
from .base import Options, Outcome
from .best import Best, run_baselines
from .local_search import local_search
from .mip import is_trusted, run_program

__all__ = ["column_generation"]

# Two to seven times as fast as HiGHS on set partitioning with a weak bound; `Proof.LISTED_CBC`
# names it.
_SOLVER = "CBC"


def column_generation(problem: Problem, options: Options) -> Outcome:
    """Bound by column generation, then prove by enumeration or improve over its columns.

    Raises
    ------
    ModelTooLargeError
        If there are too many classes of tasks and nodes for it.
    """
    require_buildable(problem)
    best = Best.of(problem, options)
    run_baselines(best, problem, options)
    if best.settled():
        return best.outcome(Termination.FINISHED)
    _search(problem, options, best, COLUMN_GENERATION.search_share)
    message = None
    if not best.settled() and options.seconds_left() > 0:
        try:
            prove(problem, options, best)
        except EngineCrash as error:
            message = str(error).splitlines()[0]
    late = options.seconds_left() <= 0
    outcome = best.outcome(Termination.TIME_LIMIT if late else Termination.FINISHED)
    if message is None and not best.settled() and not is_ready():
        message = why_not()
    return replace(outcome, message=message)


def prove(problem: Problem, options: Options, best: Best) -> None:
    """Bound the cost by column generation and close the gap as far as time allows."""
    with Session(problem) as session:
        if best.node_index is not None:
            session.add(columns_of(problem, best.node_index))
        _add_found(session, best)
        if costs_nothing_else(session.table):
            _count_nodes(session, options, best, COLUMN_GENERATION.pack_share, most_probes=0)
        if best.settled():
            return
        session.generate(
            COLUMN_GENERATION.generate_share * options.seconds_left(),
            _grid_cost(problem, best),
            lambda bound: best.bounded(bound, Proof.COLUMNS),
        )
        if session.bound is None:
            return
        is_free = costs_nothing_else(session.table)
        share = COLUMN_GENERATION.count_share if is_free else COLUMN_GENERATION.count_share_of_other
        _count_nodes(session, options, best, share, most_probes=10**6)
        if options.seconds_left() > 0 and not best.settled():
            _take_steps(session, options, best)


def _count_nodes(
    session: Session, options: Options, best: Best, share: float, most_probes: int
) -> None:
    """Branch on how many nodes of each class are on, where being on has a cost."""
    problem, seconds = session.problem, options.seconds_left()
    if seconds <= 0 or best.settled() or not may_count(session.table):
        return
    session.count_nodes(
        share * seconds,
        _grid_cost(problem, best),
        _grid_bound(session, best),
        most_probes,
        options.seed,
        on_allocation=lambda columns: _offer(problem, best, columns, np.ones(len(columns))),
        on_bound=lambda bound: best.bounded(bound, Proof.BRANCHING),
    )


def _take_steps(session: Session, options: Options, best: Best) -> None:
    """Dive, list, branch, solve over the columns and search by turns, until nothing is gained."""
    problem, idle, widest = session.problem, 0, None
    for step in range(COLUMN_GENERATION.steps):
        if options.seconds_left() <= 0 or best.settled() or idle == COLUMN_GENERATION.idle_steps:
            return
        before = best.cost, len(session.columns)
        _add_found(session, best)
        _dive(session, options, best, seed=step)
        if best.settled():
            return
        if _can_close(session, best):
            widest = _search_listed(session, options, best, widest)
            if best.settled() or options.seconds_left() <= 0:
                return
            columns, complete = _close_gap(session, options, best)
            if complete:
                return
            session.add(columns)
            if step == COLUMN_GENERATION.branch_at:
                _branch(session, options, best)
        if options.seconds_left() <= 0:
            return
        share = replace(options, deadline=_part(options, COLUMN_GENERATION.try_share))
        _solve(problem, share, best, session.columns)
        if options.seconds_left() <= 0:
            return
        if not options.searched_beside:
            of_time = COLUMN_GENERATION.search_share
            session.add(_search(problem, options, best, of_time, seed=step + 1))
        idle = idle + 1 if (best.cost, len(session.columns)) == before else 0


def _add_found(session: Session, best: Best) -> None:
    """Add the columns of what others have offered in the meantime."""
    for node_index in best.taken_trail():
        session.add(columns_of(session.problem, node_index))


def _can_close(session: Session, best: Best) -> bool:
    """Whether listed columns may close the gap: of modes, not a wide one that may be narrowed."""
    if best.cost is None or not session.prices or not session.problem.outer_grid.exact_cost:
        return False
    if session.problem.modes is None or session.converged or best.bound is None:
        return True
    return best.cost - best.bound <= COLUMN_GENERATION.mode_gap * best.cost


def _search_listed(
    session: Session, options: Options, best: Best, widest: float | None
) -> float | None:
    """Search all columns within the gap, or within a part of it.

    Parameters
    ----------
    widest : float or None
        The gap on the grid above which it is not worth while, None for none.

    Returns
    -------
    float or None
        The same for the next time: what was in vain is tried again where the gap is smaller.
    """
    problem, upper = session.problem, _grid_cost(session.problem, best)
    if upper is None or problem.modes is not None or not may_close(session.table):
        return widest
    gap = upper - _grid_bound(session, best)
    if widest is not None and gap > widest:
        return widest
    session.close(
        PARTITION.share * options.seconds_left(),
        upper,
        _grid_bound(session, best),
        on_allocation=lambda columns: _offer(problem, best, columns, np.ones(len(columns))),
        on_bound=lambda bound: best.bounded(bound, Proof.BRANCHING),
    )
    return PARTITION.again * gap


def _branch(session: Session, options: Options, best: Best) -> None:
    """Branch and price, where too many columns lie within the gap."""
    problem = session.problem
    upper, seconds = (
        _grid_cost(problem, best),
        COLUMN_GENERATION.branch_share * options.seconds_left(),
    )
    if upper is None or seconds <= 0 or best.settled() or problem.modes is not None:
        return  # of modes, no part of the problem is divided yet
    session.branch(
        seconds,
        upper,
        _grid_bound(session, best),
        on_allocation=lambda columns: _offer(problem, best, columns, np.ones(len(columns))),
        on_bound=lambda bound: best.bounded(bound, Proof.BRANCHING),
    )


def _offer(problem: Problem, best: Best, columns: list[Column], times: Array) -> None:
    """Pass on an allocation that comes as columns, unless it is none.

    Columns of modes do not know every rule, so that such an allocation is checked.
    """
    node_index = decode(problem, columns, times)
    if node_index is None or (problem.modes and check(problem.instance, node_index)):
        return
    best.incumbent(node_index)


def _dive(session: Session, options: Options, best: Best, seed: int) -> None:
    problem = session.problem
    session.dive(
        COLUMN_GENERATION.dive_share * options.seconds_left(),
        COLUMN_GENERATION.dives * 2**seed,
        _grid_cost(problem, best),
        _grid_bound(session, best),
        seed,
        on_allocation=lambda columns: _offer(problem, best, columns, np.ones(len(columns))),
    )


def _search(
    problem: Problem, options: Options, best: Best, share: float, seed: int = 0
) -> list[Column]:
    """Search locally, from the start with another seed than 0; the columns of what was found."""
    columns: list[Column] = []

    def offer(node_index: Array) -> None:
        columns.extend(columns_of(problem, node_index))
        best.incumbent(node_index)

    deadline = _part(options, share)
    if problem.modes is not None:
        least = min(COLUMN_GENERATION.mode_search, options.seconds_left() / 2)
        deadline = max(deadline, time.monotonic() + least)
    within = replace(best.within(options), deadline=deadline, on_incumbent=offer)
    if seed > 0:
        within = replace(within, start=None, seed=options.seed + seed)
    local_search(problem, within)
    return columns


def _part(options: Options, share: float) -> float:
    """The deadline of a step that may take a share of the time left."""
    return time.monotonic() + share * options.seconds_left()


def _grid_cost(problem: Problem, best: Best) -> int | None:
    """Cost of the best allocation on the grid, rounded up."""
    return None if best.cost is None else _on_grid(problem, best.cost)


def _on_grid(problem: Problem, units: int) -> int:
    grid = problem.outer_grid
    return -(-(units - grid.offset) // grid.cost_unit)


def _grid_bound(session: Session, best: Best) -> int:
    """The bound that has been proved by now, on the grid."""
    known = 0 if session.bound is None else session.bound
    return known if best.bound is None else max(known, _on_grid(session.problem, best.bound))


def _close_gap(session: Session, options: Options, best: Best) -> tuple[list[Column], bool]:
    """Prove that no allocation is cheaper than the best, or find one, for ever higher costs.

    For a cost just above the bound few columns come into question: either the program over
    them has a solution of at most that cost, which then is optimal, or the bound rises above
    it, and the distance is doubled.

    Returns
    -------
    columns : list of Column
        Those that come into question last, or the best of them.
    complete : bool
        Whether all up to the cost of the best allocation were dealt with.
    """
    problem, bound = session.problem, _grid_bound(session, best)
    columns: list[Column] = []
    distance = 0
    while options.seconds_left() > 0:
        upper = _grid_cost(problem, best)
        assert upper is not None
        below = min(bound + distance, upper - 1)
        found, complete = session.list_columns(
            below, COLUMN_GENERATION.most_columns, options.seconds_left()
        )
        if not complete:
            return columns or _best_columns(session, options, bound, below), False
        columns, last = found, below == upper - 1
        share = (
            options
            if last
            else replace(options, deadline=_part(options, COLUMN_GENERATION.proof_share))
        )
        _solve(problem, share, best, columns, below)
        if last or best.settled():
            return columns, True
        distance = 2 * distance + 1
    return columns, True


def _best_columns(session: Session, options: Options, bound: int, below: int) -> list[Column]:
    """Columns that would be used below a cost so low that they are not too many."""
    distance = below - bound
    while distance > 1 and options.seconds_left() > 0:
        distance //= 2
        columns, complete = session.list_columns(
            bound + distance, COLUMN_GENERATION.few_columns, options.seconds_left()
        )
        if complete:
            return columns
    return []


def _merged(first: list[Column], second: list[Column]) -> list[Column]:
    return sorted({*first, *second})


def _solve(
    problem: Problem,
    options: Options,
    best: Best,
    columns: list[Column],
    below: int | None = None,
) -> None:
    """Solve the integer program over the columns and those of the best allocation.

    If the columns are all that an allocation of cost `below` can use, then every allocation
    costs as much as this program's optimum, or more than `below`.
    """
    if best.node_index is not None:
        columns = _merged(columns, columns_of(problem, best.node_index))
    model = set_model(problem, columns, exactly=below is not None)
    trusted = below is not None and is_trusted(model)

    def bounded(grid_bound: int) -> None:
        if trusted and below is not None:
            units = problem.outer_grid.bound_in_units(min(grid_bound, below + 1))
            best.bounded(round_up_to_attainable(problem, max(0, units)), Proof.LISTED_CBC)

    run_program(
        model,
        replace(options, mip_solver=_SOLVER),
        hint=None,
        spread=problem.instance.num_nodes + most_of_others(problem),
        on_values=lambda values: _offer(problem, best, columns, values[: len(columns)]),
        on_bound=bounded,
        objective_of=lambda values: objective_of(model, values),
    )


def objective_of(model: LinearModel, values: Array) -> int:
    """Exact objective of nearly integer values."""
    amounts = np.rint(values).astype(np.int64).astype(object)
    return int((model.objective.astype(object) * amounts).sum())
