"""Local search on whole models: a start from the linear relaxation or built, then rounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...errors import ModelTooLargeError
from ...kernels.build.ready import (
    compile_ahead,
    is_ready,
    is_usable,
    load_kernels,
    mark_used,
    prepare,
    why_not,
)
from ...model.result import Termination
from ...problem.dealing import deal_again
from ...problem.problem import Problem
from ...settings import LOCAL_SEARCH, WHOLE_SEARCH
from ..base import Options, Outcome
from ..best import Best, run_baselines
from .start import guided_start

__all__ = ["search_whole", "wait_for_kernels"]

_TOO_SHORT = "there was no search: the time was too short to load it"


def search_whole(problem: Problem, options: Options) -> Outcome:
    """Search until the cost meets the bound, a limit is reached or nothing better is found.

    With one worker and a limit on the rounds, the same seed gives the same allocation. Without
    compiled code the baselines are all there is.
    """
    best = Best.of(problem, options)
    if best.settled():
        return best.outcome(Termination.FINISHED)
    if not is_usable(options.seconds_left(), whole=True):
        baseline = wait_for_kernels(problem, options, best)
        if not is_usable(options.seconds_left(), whole=True):
            late = options.seconds_left() <= 0
            outcome = best.outcome(Termination.TIME_LIMIT if late else Termination.FINISHED)
            reason = _TOO_SHORT if is_ready(whole=True) else why_not()
            message = "; ".join(text for text in (baseline.message, reason) if text)
            return replace(outcome, unplaced=baseline.unplaced, message=message)
    try:
        run = _Run(problem, options, best)
    except ModelTooLargeError as error:
        return Outcome(best.outcome(Termination.FINISHED).termination, message=str(error))
    try:
        return run.run()
    except KeyboardInterrupt:
        run.publish()
        raise


def wait_for_kernels(problem: Problem, options: Options, best: Best) -> Outcome:
    """Run the baselines, if there is no allocation, and wait for the compiled code."""
    prepare(whole=True)
    baseline = Outcome(Termination.FINISHED)
    if best.node_index is None:
        baseline = run_baselines(best, problem, options)
    compile_ahead(lambda: options.seconds_left() <= 0 or best.settled(), whole=True)
    return baseline


def _never() -> bool:
    return False


class _Run:
    """One run: a search for each worker, which go on from the best of them."""

    def __init__(self, problem: Problem, options: Options, best: Best) -> None:
        load_kernels()  # here: numba takes half a second, which only those who search should pay
        from ...kernels.whole.setup import make_facts
        from ...search.parts import Pool
        from ...search.whole import WholeSearch, kin_of

        self.problem, self.options, self.best = problem, options, best
        self.facts, kin = make_facts(problem), kin_of(problem)
        self.pool = Pool(max(1, options.workers_now()))
        self.rounds = self.improved = 0
        self.published_key: tuple[int, int] | None = None
        self.published_at = self.seconds_to_publish = 0.0
        self.seen = best.found
        start = best.node_index if options.start is None else options.start
        node_of = np.full(self.facts.row.shape[0], -1) if start is None else start

        def search(worker: int) -> WholeSearch:
            seed = [options.seed, worker]
            return WholeSearch(self.facts, node_of, seed, kin, self._stopped)

        self._make_search = search
        self.searches = [guided_start(problem, options, search, known=start is not None)]
        self.node_of, self.key = self.searches[0].state.node_of.copy(), self.searches[0].key
        self._resize(self.pool.size)

    def run(self) -> Outcome:
        """Rounds until something ends them."""
        self.publish_if_due()
        while not (self.best.settled() or self._out_of_time() or self._out_of_rounds()):
            self._take_over()
            if self._out_of_patience():
                break
            workers = self.options.workers_now()
            if workers == 0:
                break
            self._resize(workers)
            self._search()
            self.pool.raise_if_interrupted()
            self.publish_if_due()
        self.publish()
        late = self._out_of_time()
        outcome = self.best.outcome(Termination.TIME_LIMIT if late else Termination.FINISHED)
        if self.best.cost is None:
            absent = self.searches[0].absent
            message = (
                "no feasible allocation was found; in the nearest, "
                f"{absent.size:,} tasks have no place"
            )
            return Outcome(
                outcome.termination, unplaced=tuple(sorted(absent.tolist())), message=message
            )
        return outcome

    def publish(self) -> None:
        """Pass the best allocation on, if it keeps all limits: whenever asked, the same one."""
        if self.key[0] > 0 or self.key == self.published_key:
            return
        begun = time.monotonic()
        node_index = self.node_of
        if self.problem.instance.current is not None:  # identical tasks change places for free
            node_index = deal_again(self.problem, node_index)
        self.best.incumbent(node_index)
        self.published_key, self.published_at = self.key, time.monotonic()
        self.seconds_to_publish = self.published_at - begun

    def publish_if_due(self) -> None:
        """Publish an improvement unless checking takes too large a share of the time."""
        bound, grid = self.best.bound, self.problem.grid
        met = bound is not None and self.key[1] * grid.cost_unit + grid.offset <= bound
        wait = self.seconds_to_publish / LOCAL_SEARCH.share_of_checks
        if met or time.monotonic() - self.published_at >= wait:
            self.publish()

    def _search(self) -> None:
        """A few rounds of each worker; all go on from the best."""
        at_work = self.searches[: self.pool.size]
        jobs = [(search, self.options.seconds_left()) for search in at_work]
        self.searches[: len(jobs)] = self.pool.map(_advance, jobs)
        self.rounds += 1
        found = min(self.searches, key=lambda search: search.key)
        if found.key < self.key:
            self.key, self.node_of = found.key, found.state.node_of.copy()
            self.improved = self.rounds
            self._share()
        mark_used()

    def _take_over(self) -> None:
        """Go on from what others have found, if that is better."""
        if self.best.found is self.seen:
            return
        self.seen = self.best.found
        node_index = self.best.node_index
        assert node_index is not None
        first = self.searches[0]
        before = first.state
        first.restart(node_index)
        if first.key < self.key:
            self.key, self.node_of, self.improved = first.key, node_index.copy(), self.rounds
            self._share()
        else:
            first.state = before

    def _resize(self, workers: int) -> None:
        """One search for each worker there is at present."""
        self.pool.resize(workers)
        while len(self.searches) < self.pool.size:
            self.searches.append(self._make_search(len(self.searches)))
            self._share()

    def _share(self) -> None:
        """Let every search go on from the best; where tasks have no place, each its own way."""
        violation = self.key[0]
        for search in self.searches:
            if search.key > self.key and (violation == 0 or search.key[0] > violation):
                search.restart(self.node_of)

    def _stopped(self) -> bool:
        return self._out_of_time()

    def _out_of_time(self) -> bool:
        return self.options.seconds_left() <= 0

    def _out_of_rounds(self) -> bool:
        limit = self.options.round_limit
        return limit is not None and self.rounds >= limit

    def _out_of_patience(self) -> bool:
        least = WHOLE_SEARCH.least_patience
        most = max(least, WHOLE_SEARCH.most_patience)
        return self.rounds - self.improved > min(most, least + 2 * self.improved)


def _advance(job: tuple[object, float], interrupted: Callable[[], bool] = _never) -> object:
    """One round of a search, within some seconds and until an interrupt."""
    from ...search.whole import WholeSearch

    search, seconds = job
    assert isinstance(search, WholeSearch)
    deadline = time.monotonic() + seconds
    search.stopped = lambda: interrupted() or time.monotonic() > deadline
    search.round()
    search.stopped = _never
    return search
