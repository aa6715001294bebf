"""The default: cheap answers first, then search and proof, side by side where workers allow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..engines.limits import CP_SAT
from ..engines.process import EngineCrash, warm_up
from ..errors import BackendUnavailableError
from ..kernels.build.ready import is_ready, is_usable, prepare, why_not
from ..model.result import Termination
from ..problem.problem import Problem
from ..programs.assignment import count_cells
from ..search.backend import has_backend
from ..settings import AUTO
from .base import Options, Outcome
from .best import Best, run_baselines
from .placing.construction import is_large
from .together import stages
from .together.schedule import Step, side_by_side

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
    go to CP-SAT first and to the others only if that does not settle them. With two workers or
    more, search and proof then run side by side; one takes turns. Stops as soon as the cost
    meets the bound. Until compiled code is there, the search is a plain one, and column
    generation waits; the message says so if it never came.
    """
    best = Best.of(problem, options)
    baseline = Outcome(Termination.FINISHED)
    whole = problem.modes is not None
    if not (is_large(problem) and is_usable(options.seconds_left() / 2, whole)):
        # Compiled code repairs better.
        repair_share = AUTO.repair_share if is_ready(whole=True) else 1.0
        baseline = run_baselines(best, problem, options, repair_share)
    run = _Run(problem, options, best, baseline)
    if options.num_workers == 1 or options.round_limit is not None or has_backend():
        run.by_turns(_stages(problem, best))
    else:
        run.by_turns(_opening(problem))
        run.side_by_side()
    return run.outcome()


class _Run:
    """What the stages and steps came to."""

    def __init__(self, problem: Problem, options: Options, best: Best, baseline: Outcome) -> None:
        self.problem, self.options, self.best = problem, options, best
        self.baseline = self.last = baseline
        self.message: str | None = None
        self.note: str | None = None
        self.searched = False

    def by_turns(self, stages_in_order: Iterator[_Stage]) -> None:
        """One stage after the other, until something settles it."""
        for stage in stages_in_order:
            if self._over():
                return
            deadline = time.monotonic() + stage.seconds(self.options.seconds_left())
            try:
                outcome = stage.run(
                    self.problem, replace(self.options, deadline=deadline), self.best
                )
            except (BackendUnavailableError, EngineCrash) as error:
                self.message = str(error).splitlines()[0]
                continue
            if stage.run in (stages.search, stages.search_on) and outcome is not None:
                self.note, self.searched = outcome.message, True
            self.last = outcome or self.last

    def side_by_side(self) -> None:
        """Search and proof at once, until something settles it."""
        if self._over():
            return
        if self.problem.instance.rows.num_rows <= AUTO.trail_rows:
            self.best.trail = []
        steps = _steps(self.problem, self.options, self.best)
        outcomes, message = side_by_side(self.problem, self.options, self.best, steps)
        self.message = message or self.message
        for outcome in outcomes:
            if outcome.infeasible_because is None:
                self.note, self.searched = outcome.message, True
        self.last = next(
            (outcome for outcome in outcomes if outcome.infeasible_because is not None),
            outcomes[-1] if outcomes else self.last,
        )

    def outcome(self) -> Outcome:
        """How it ended."""
        best, last = self.best, self.last
        if last.infeasible_because is not None:
            return last
        late = self.options.seconds_left() <= 0
        outcome = best.outcome(Termination.TIME_LIMIT if late else Termination.FINISHED)
        if best.node_index is None:
            message = last.message or self.baseline.message
            return replace(self.baseline, termination=outcome.termination, message=message)
        if not (self.searched or best.settled() or is_ready(self.problem.modes is not None)):
            self.note = why_not()
        texts = [text for text in (self.message, self.note) if text]
        return replace(outcome, message="; ".join(texts) or None)

    def _over(self) -> bool:
        refuted = self.last.infeasible_because is not None
        return refuted or self.best.settled() or self.options.seconds_left() <= 0


def _stages(problem: Problem, best: Best) -> Iterator[_Stage]:
    """What comes after what, each with its share of the time then left, for one worker."""
    cells = count_cells(problem)
    few = problem.instance.num_tasks <= AUTO.few_tasks * problem.instance.num_nodes
    if cells <= AUTO.small_cells:
        warm_up(CP_SAT)  # it starts while the bound is computed
        if not is_ready():
            yield _Stage(stages.plain, AUTO.plain_share, AUTO.least_plain)
        yield _Stage(stages.bound)
        yield _Stage(stages.await_exact, AUTO.await_share)
        if few:
            yield _Stage(stages.exact, AUTO.glance, AUTO.least_glance)
            if not is_ready(problem.modes is not None):
                prepare(problem.modes is not None)
                yield _Stage(stages.exact, AUTO.exact_share)
            yield _Stage(stages.search, AUTO.glance, AUTO.least_search)
            yield from _columns_in(AUTO.column_share)
            yield _Stage(stages.search_on, AUTO.later_share)
        else:
            yield _Stage(stages.exact, AUTO.exact_share)
            yield _Stage(stages.search, AUTO.small_search_share, AUTO.least_search)
        yield _Stage(stages.divide, AUTO.divide_share)
        yield _Stage(stages.exact)
        return
    few = few and cells <= AUTO.exact_cells  # beyond that, the relaxation may take all the time
    share = AUTO.glance if few else AUTO.search_share
    yield _Stage(stages.search, share, AUTO.least_search)
    if best.node_index is None and problem.modes is None:
        yield _Stage(stages.search_on, AUTO.first_share)  # what proves needs an allocation, too
    yield _Stage(stages.bound)
    yield _Stage(stages.divide, AUTO.divide_share)
    if few and problem.modes is not None:  # under rules, CP-SAT often proves what columns do not
        yield _Stage(stages.exact, AUTO.exact_share)
    elif few and problem.instance.power_off:
        yield _Stage(stages.exact, AUTO.early_share, AUTO.least_early)
    if _has_columns(problem):
        yield from _columns_in(AUTO.column_share if few else AUTO.column_share_of_many)
    if cells <= AUTO.exact_cells and not few:
        yield _Stage(stages.exact, AUTO.later_share)
    yield _Stage(stages.search_on)


def _columns_in(share: float) -> Iterator[_Stage]:
    """Column generation, once there is compiled code for it."""
    if not is_ready():
        yield _Stage(stages.wait_plainly, AUTO.until_compiled)
    yield _Stage(stages.columns, share)


def _has_columns(problem: Problem) -> bool:
    classes = problem.classes
    return classes.num_task_classes * classes.num_node_classes <= AUTO.column_pairs


def _opening(problem: Problem) -> Iterator[_Stage]:
    """What settles a small instance at once, by all workers."""
    if count_cells(problem) > AUTO.opening_cells:
        return
    warm_up(CP_SAT)  # it starts while the bound is computed
    yield _Stage(stages.bound)
    yield _Stage(stages.await_exact, AUTO.await_share)
    yield _Stage(stages.exact, AUTO.glance, AUTO.least_glance)


def _steps(problem: Problem, options: Options, best: Best) -> list[Step]:
    """The steps of the proof that runs beside the search, in the order in which they are tried."""
    left, cells = options.seconds_left(), count_cells(problem)
    few = problem.instance.num_tasks <= AUTO.few_tasks * problem.instance.num_nodes
    prepare(problem.modes is not None)

    def seconds(share: float, least: float = 0.0) -> float:
        return min(AUTO.longest_slice, max(share * left, min(least, left / 2)))

    steps = []
    if cells > AUTO.opening_cells:  # else it is known
        steps.append(Step("bound", stages.bound, left, once=True))
    if problem.modes is not None and is_large(problem):
        steps.append(Step("placing by classes", stages.place, left, once=True))
    divide = Step("division", stages.divide, seconds(AUTO.divide_share), once=True)
    exact = Step("exact model", stages.exact, seconds(AUTO.exact_share))
    columns = Step(
        "columns",
        stages.columns,
        AUTO.column_share * left if few else seconds(AUTO.column_share_of_many),
        needs_code=True,
    )
    first = not few or problem.modes is not None or problem.instance.power_off
    if few and problem.modes is None:
        exact.seconds = seconds(AUTO.early_share, AUTO.least_early)
    if cells <= AUTO.exact_cells and first:
        steps.append(exact)
    if problem.modes is not None and problem.instance.power_off:
        steps.append(divide)
    if _has_columns(problem):
        steps.append(columns)
    if few and not first:
        columns.rate = AUTO.worth  # a search that gains more comes first
    if cells <= AUTO.exact_cells and not first:
        steps.append(exact)
        exact.rate = 0.0  # where nodes hold few tasks, columns prove more
    return steps
