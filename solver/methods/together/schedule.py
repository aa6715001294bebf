"""Search and proof side by side: who works on what, and for how long.

One lane searches, the other proves; both share the best allocation and bound. A search that has
found nothing for a while makes way for a step of the proof, and goes on afterwards; a step that
has brought nothing for a while is called off where the search still finds something, which then
gets its worker. A step that did not end by itself comes again, for twice as long: next is the one
that gained most a second when it last ran.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from ...engines.process import EngineCrash
from ...errors import BackendUnavailableError
from ...kernels.build.ready import is_ready
from ...problem.problem import Problem
from ...settings import AUTO
from ...system.lanes import Lane
from ..base import Options, Outcome
from ..best import Best
from ..local_search import local_search
from .crew import run_together

__all__ = ["Board", "Step", "side_by_side"]

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
_NEARLY = 0.9  # a step that took so much of its time was ended by it


@dataclass
class Step:
    """A step of the proof.

    Attributes
    ----------
    name : str
    run : callable
    seconds : float
        How long it may take the next time.
    once : bool
        Whether it is done after one run, however that ended.
    needs_code : bool
        Whether it waits for compiled code.
    rate : float
        What it gained a second when it last ran, as a share of the cost; infinite before.
    """

    name: str
    run: Callable[[Problem, Options, Best], Outcome | None]
    seconds: float
    once: bool = False
    needs_code: bool = False
    rate: float = float("inf")
    running: bool = False
    done: bool = False


def side_by_side(
    problem: Problem, options: Options, best: Best, steps: list[Step]
) -> tuple[list[Outcome], str | None]:
    """Search, and take the steps of a proof, until both have nothing left to do.

    Parameters
    ----------
    steps : list of Step
        In the order in which they are tried.

    Returns
    -------
    outcomes : list of Outcome
        That of the last search, and what proves that there is no allocation.
    message : str or None
        Why a step did not run.
    """
    board = Board(problem, options, best, steps)
    works = {"nodewise-proof": board.prove, "nodewise-search": board.search}
    outcomes = run_together(best, options.deadline, works)
    board.report()
    return outcomes, board.message


class Board:
    """What there is to do, who does it, and what it has brought."""

    def __init__(self, problem: Problem, options: Options, best: Best, steps: list[Step]) -> None:
        self.problem, self.options, self.best, self.steps = problem, options, best, steps
        self.message: str | None = None
        self.spent: dict[str, tuple[float, float]] = {}  # seconds, and share of the cost gained
        self._lock = threading.Lock()
        self._provers = 0  # workers that steps of the proof use
        self._searching = True
        self._begun = self._gained_at = time.monotonic()  # of the search, and its last gain
        self._gains = deque([(self._begun, 0)])  # what the search had gained, and when
        self._at_work: dict[Lane, tuple[int, float]] = {}  # what those who prove last gained, when
        self._patience = max(AUTO.least_patience, AUTO.patience_share * options.seconds_left())

    def searchers(self) -> int:
        """Workers that the search may use now: those that no proof does, 0 if it is to make way.

        In plain models it never makes way while there is no allocation.
        """
        if self._is_stale():
            needed = self.best.cost is None and self.problem.modes is None
            if not needed and any(step.rate > 0.0 for step in self._waiting()):
                return 0
        else:
            self._call_off_idlers()
        return max(1, self.options.num_workers - self._provers)

    def _call_off_idlers(self) -> None:
        """End steps of the proof that have brought nothing for a while."""
        now = time.monotonic()
        with self._lock:
            for lane, (gained, since) in list(self._at_work.items()):
                if lane.gained > gained:
                    self._at_work[lane] = lane.gained, now
                elif now - since > self._patience:
                    lane.called_off.set()

    def _is_stale(self, times: float = 1.0) -> bool:
        """Whether the search has found nothing for so long that it is a proof's turn."""
        long = AUTO.stale_share * (self._gained_at - self._begun)
        return time.monotonic() - self._gained_at > times * max(AUTO.least_stale, long)

    def search(self, lane: Lane) -> Outcome | None:
        """Search until nothing is found; then prove for a while, and search again."""
        last, turn, dry = None, 0, 0
        while not self._over():
            before = lane.gained
            last = self._search_once(lane, turn, anew=dry % 2 == 1)
            turn, dry = turn + 1, 0 if lane.gained > before else dry + 1
            promising = any(step.rate > 0.0 for step in self._waiting())
            if dry < AUTO.dry_searches and not (promising and self._is_stale()):
                continue
            step = self._take()
            if step is not None:
                self._searching = False
                outcome = self._prove_once(step, lane)
                self._searching, self._gained_at = True, time.monotonic()
                if outcome is not None and outcome.infeasible_because is not None:
                    return outcome
            elif dry < AUTO.dry_searches:
                continue
            elif all(each.done for each in self.steps):
                break
            else:  # others prove, who may need the processor more
                lane.halt.wait(min(AUTO.longest_pause, _POLL_SECONDS * 2 ** (dry - 1)))
        self._searching = False
        return last

    def prove(self, lane: Lane) -> Outcome | None:
        """One step of the proof after the other, as long as there are any."""
        while not self._over() and not all(step.done for step in self.steps):
            step = None if self._is_search_better() else self._take()
            if step is None:
                lane.halt.wait(_POLL_SECONDS)
                continue
            outcome = self._prove_once(step, lane)
            if outcome is not None and outcome.infeasible_because is not None:
                return outcome
        return None

    def _is_search_better(self) -> bool:
        """Whether the search gains more a second than any step that is left when it last ran.

        One that gained nothing then waits until the search has found nothing for long.
        """
        if not self._searching or self._is_stale(AUTO.in_vain):
            return False
        return all(step.rate <= self._search_rate() for step in self._waiting())

    def _search_rate(self) -> float:
        """What the search has gained a second lately, as a share of the cost."""
        (since, before), (_, after) = self._gains[0], self._gains[-1]
        return self._share(after - before) / max(AUTO.lately, time.monotonic() - since)

    def report(self) -> None:
        """Log where the time went."""
        for name, (seconds, gained) in self.spent.items():
            _log.info("%s: %.1f s, %.4f %% gained", name, seconds, 100 * gained)

    def _over(self) -> bool:
        return self.options.seconds_left() <= 0 or self.best.settled()

    def _take(self) -> Step | None:
        """The next step that nobody works on, if there is one."""
        with self._lock:
            step = max(self._waiting(), key=lambda step: step.rate, default=None)
            if step is not None:
                step.running = True
            return step

    def _waiting(self) -> list[Step]:
        return [
            step
            for step in self.steps
            if not (step.done or step.running) and (is_ready() or not step.needs_code)
        ]

    def _prove_once(self, step: Step, lane: Lane) -> Outcome | None:
        with self._lock:
            free = self.options.num_workers - self._provers
            workers = max(1, free // 2 if self._searching else free)
            self._provers += workers
            self._at_work[lane] = lane.gained, time.monotonic()
        begun, before = time.monotonic(), lane.gained
        deadline = min(self.options.deadline, begun + step.seconds)
        given = replace(self.options, deadline=deadline, num_workers=workers, searched_beside=True)
        try:
            return step.run(self.problem, given, self.best)
        except (BackendUnavailableError, EngineCrash) as error:
            self.message, step.done = str(error).splitlines()[0], True
            return None
        finally:
            seconds = max(1e-9, time.monotonic() - begun)
            gained = self._share(lane.gained - before)
            with self._lock:
                self._provers -= workers
                del self._at_work[lane]
                ended_itself = seconds < _NEARLY * step.seconds and not lane.called_off.is_set()
                lane.called_off.clear()
                step.done = step.done or step.once or ended_itself
                step.rate = gained / seconds
                step.seconds *= 2
                step.running = False
            self._note(step.name, seconds, gained)

    def _search_once(self, lane: Lane, turn: int, *, anew: bool) -> Outcome:
        """Search from the best allocation, or anew, which yields others for the proof."""
        begun, before = time.monotonic(), lane.gained

        def workers() -> int:
            now = time.monotonic()
            if lane.gained > self._gains[-1][1]:
                self._gained_at = now
            self._gains.append((now, lane.gained))
            while len(self._gains) > 2 and self._gains[1][0] < now - AUTO.lately:
                self._gains.popleft()
            return self.searchers()

        given = replace(self.options, seed=self.options.seed + turn, workers=workers)
        given = self.best.within(given)
        if anew and self.best.trail is not None:
            given = replace(given, start=None)
        try:
            return local_search(self.problem, given)
        finally:
            self._note("search", time.monotonic() - begun, self._share(lane.gained - before))

    def _note(self, name: str, seconds: float, gained: float) -> None:
        with self._lock:
            before = self.spent.get(name, (0.0, 0.0))
            self.spent[name] = before[0] + seconds, before[1] + gained
        _log.debug("%s: %.2f s, %.4f %% gained", name, seconds, 100 * gained)

    def _share(self, gained: int) -> float:
        """A gain as a share of the cost."""
        return gained / self.best.cost if self.best.cost else 0.0
