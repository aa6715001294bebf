"""The default: cheap answers first, then search and proof by turns, as far as each pays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..bounds.linear import linear_bound
from ..bounds.modes.linear import divided_bound, why_relaxation_infeasible
from ..engines.limits import CP_SAT
from ..engines.process import EngineCrash, warm_up
from ..errors import BackendUnavailableError
from ..kernels.build.ready import is_ready, is_usable, prepare, why_not
from ..model.proofs import Proof
from ..model.result import Termination
from ..problem.problem import Problem
from ..programs.assignment import count_cells
from ..settings import AUTO
from .base import Options, Outcome
from .best import Best, run_baselines
from .column_generation import prove
from .cp_sat import cp_sat
from .local_search import local_search, search_plainly
from .placing.construction import is_large
from .plain_search import plain_search

__all__ = ["auto"]


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
    best = Best.of(problem, options)
    baseline = Outcome(Termination.FINISHED)
    whole = problem.modes is not None
    if not (is_large(problem) and is_usable(options.seconds_left() / 2, whole)):
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
    if not (searched or best.settled() or is_ready(whole)):
        note = why_not()
    return replace(outcome, message="; ".join(text for text in (message, note) if text) or None)


def _stages(problem: Problem, best: Best) -> Iterator[_Stage]:
    """The schedule: what comes after what, each with its share of the time then left."""
    cells = count_cells(problem)
    few = problem.instance.num_tasks <= AUTO.few_tasks * problem.instance.num_nodes
    if cells <= AUTO.small_cells:
        warm_up(CP_SAT)  # it starts while the bound is computed
        if not is_ready():
            yield _Stage(_plain, AUTO.plain_share, AUTO.least_plain)
        yield _Stage(_bound)
        if few:
            yield _Stage(_exact, AUTO.glance)
            if not is_ready(problem.modes is not None):
                prepare(problem.modes is not None)
                yield _Stage(_exact, AUTO.exact_share)
            yield _Stage(_search, AUTO.glance, AUTO.least_search)
            yield from _columns_in(AUTO.column_share)
            yield _Stage(_search_on, AUTO.later_share)
        else:
            yield _Stage(_exact, AUTO.exact_share)
            yield _Stage(_search, AUTO.small_search_share, AUTO.least_search)
        yield _Stage(_divide, AUTO.divide_share)
        yield _Stage(_exact)
        return
    few = few and cells <= AUTO.exact_cells  # beyond that, the relaxation may take all the time
    share = AUTO.glance if few else AUTO.search_share
    yield _Stage(_search, share, AUTO.least_search)
    yield _Stage(_bound)
    yield _Stage(_divide, AUTO.divide_share)
    if few and problem.modes is not None:  # under rules, CP-SAT often proves what columns do not
        yield _Stage(_exact, AUTO.exact_share)
    classes = problem.classes
    if classes.num_task_classes * classes.num_node_classes <= AUTO.column_pairs:
        yield from _columns_in(AUTO.column_share if few else AUTO.column_share_of_many)
    if cells <= AUTO.exact_cells and not few:
        yield _Stage(_exact, AUTO.later_share)
    yield _Stage(_search_on)


def _columns_in(share: float) -> Iterator[_Stage]:
    """Column generation, once there is compiled code for it."""
    if not is_ready():
        yield _Stage(_search_plainly, AUTO.until_compiled)
    yield _Stage(_columns, share)


def _bound(problem: Problem, options: Options, best: Best) -> Outcome | None:
    known = problem.modes is not None and any(proof is Proof.LINEAR for _, proof in best.claims)
    if not known:  # a search of a whole model may have begun from the relaxation
        best.bounded(linear_bound(problem, options.seconds_left()), Proof.LINEAR)
    if problem.modes is None or best.node_index is not None:
        return None
    reason = why_relaxation_infeasible(problem, options.seconds_left())
    if reason is None:
        return None
    return Outcome(Termination.PROVEN, infeasible_because=reason, proof=Proof.LINEAR)


def _divide(problem: Problem, options: Options, best: Best) -> None:
    if problem.modes is None:
        return
    bound = divided_bound(problem, options.seconds_left())
    if bound is not None:
        best.bounded(bound, Proof.LINEAR)


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
