"""The default: cheap answers first, then search and proof by turns, as far as each pays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..bounds.linear import linear_bound
from ..engines.limits import CP_SAT
from ..engines.process import EngineCrash, warm_up
from ..errors import BackendUnavailableError
from ..kernels.build.ready import is_ready, is_usable, prepare, why_not
from ..model.proofs import Proof
from ..model.result import Termination
from ..problem.problem import Problem
from ..programs.assignment import count_cells
from .base import Options, Outcome
from .best import Best, run_baselines
from .column_generation import prove
from .cp_sat import cp_sat
from .local_search import local_search, search_plainly
from .placing.construction import is_large
from .plain_search import plain_search

__all__ = ["COLUMN_PAIRS", "EXACT_CELLS", "FEW_TASKS", "SMALL_CELLS", "auto"]

EXACT_CELLS = 60_000
"""Largest exact model, in cells (task class, node), that `auto` builds."""
COLUMN_PAIRS = 60_000
"""Up to so many pairs of task class and node class `auto` generates columns."""
SMALL_CELLS = 2_000
"""Up to here the exact model comes before the local search."""
FEW_TASKS = 6
"""Up to so many tasks a node, column generation proves more than the assignment model."""
_GLANCE = 0.04  # share of the time for what settles easy instances at once
_PLAIN = 0.15  # share of the time for a plain search of a small instance, which rarely takes it
_LEAST_PLAIN = 1.0  # seconds, where there is time
_UNTIL_COMPILED = 0.5  # share of the time for a plain search while code is being compiled
_LEAST_SEARCH = 2.0  # seconds for the first search where there is time: loading it takes one


@dataclass(frozen=True)
class _Stage:
    """A step of `auto`, the share of the time left that it may take, and its least seconds."""

    run: Callable[[Problem, Options, Best], Outcome | None]
    share: float = 1.0
    least: float = 0.0

    def seconds(self, left: float) -> float:
        """Its share of the seconds left, or its least if that is no more than half of them."""
        return max(self.share * left, min(self.least, left / 2))


def auto(problem: Problem, options: Options) -> Outcome:
    """Run the baselines, the linear bound, local search and what may prove the optimum.

    That is column generation, above all where nodes hold few tasks, and CP-SAT. Small instances
    go to CP-SAT first and to the others only if that does not settle them; larger ones are
    searched first. Stops as soon as the cost meets the bound. Until compiled code is there, the
    search is a plain one, and column generation waits; the message says so if it never came.
    """
    best = Best(problem, options)
    baseline = Outcome(Termination.FINISHED)
    if not (is_large(problem) and is_usable(options.seconds_left() / 2)):
        baseline = run_baselines(best, problem, options)
    last, message = baseline, None
    note, searched = None, False
    for stage in _stages(problem, best):
        if best.settled() or options.seconds_left() <= 0:
            break
        deadline = time.monotonic() + stage.seconds(options.seconds_left())
        try:
            outcome = stage.run(problem, replace(options, deadline=deadline), best)
        except (BackendUnavailableError, EngineCrash) as error:
            message = str(error).splitlines()[0]
            continue
        if stage.run in (_search, _search_on) and outcome is not None:
            note, searched = outcome.message, True
        if outcome is not None:
            last = outcome
            if outcome.infeasible_because is not None:
                return outcome
    late = options.seconds_left() <= 0
    outcome = best.outcome(Termination.TIME_LIMIT if late else Termination.FINISHED)
    if best.node_index is None:
        return replace(
            baseline, termination=outcome.termination, message=last.message or baseline.message
        )
    if not (searched or best.settled() or is_ready()):
        note = why_not()
    return replace(outcome, message="; ".join(text for text in (message, note) if text) or None)


def _stages(problem: Problem, best: Best) -> Iterator[_Stage]:
    cells = count_cells(problem)
    few = problem.instance.num_tasks <= FEW_TASKS * problem.instance.num_nodes
    if cells <= SMALL_CELLS:
        warm_up(CP_SAT)  # it starts while the bound is computed
        if not is_ready():
            yield _Stage(_plain, _PLAIN, _LEAST_PLAIN)
        yield _Stage(_bound)
        if few:
            yield _Stage(_exact, _GLANCE)
            if not is_ready():
                prepare()
                yield _Stage(_exact, 0.4)
            yield _Stage(_search, _GLANCE, _LEAST_SEARCH)
            yield from _columns_in(0.9)
            yield _Stage(_search_on, 0.5)
        else:
            yield from (_Stage(_exact, 0.4), _Stage(_search, 0.1, _LEAST_SEARCH))
        yield _Stage(_exact)
        return
    few = few and cells <= EXACT_CELLS  # beyond that, the relaxation may take all the time
    yield from (_Stage(_search, _GLANCE if few else 0.3, _LEAST_SEARCH), _Stage(_bound))
    classes = problem.classes
    if classes.num_task_classes * classes.num_node_classes <= COLUMN_PAIRS:
        yield from _columns_in(0.9 if few else 0.4)
    if cells <= EXACT_CELLS and not few:
        yield _Stage(_exact, 0.5)
    yield _Stage(_search_on)


def _columns_in(share: float) -> Iterator[_Stage]:
    """Column generation, once there is compiled code for it."""
    if not is_ready():
        yield _Stage(_search_plainly, _UNTIL_COMPILED)
    yield _Stage(_columns, share)


def _bound(problem: Problem, options: Options, best: Best) -> None:
    best.bounded(linear_bound(problem, options.seconds_left()), Proof.LINEAR)


def _exact(problem: Problem, options: Options, best: Best) -> Outcome:
    return cp_sat(problem, best.within(options))


def _columns(problem: Problem, options: Options, best: Best) -> None:
    if is_ready():
        prove(problem, options, best)


def _plain(problem: Problem, options: Options, best: Best) -> None:
    plain_search(problem, options, best, is_ready)


def _search_plainly(problem: Problem, options: Options, best: Best) -> None:
    search_plainly(problem, options, best)


def _search(problem: Problem, options: Options, best: Best) -> Outcome:
    return local_search(problem, best.within(options))


def _search_on(problem: Problem, options: Options, best: Best) -> Outcome:
    """Search again, from the best allocation and with other random choices."""
    return local_search(problem, replace(best.within(options), seed=options.seed + 1))
