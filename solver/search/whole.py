"""Rounds of local search on a whole model: every kernel's sums are recomputed and compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from ..errors import MethodError
from ..kernels.whole.facts import COMPUTE, IDLE, USE, Facts
from ..kernels.whole.ops import ABSENT, COST, TAKEN, VIOLATION
from ..kernels.whole.passes import Deck, deal, exchange, improve
from ..kernels.whole.ruin import ruin
from ..kernels.whole.states import make_bench, make_state
from ..kernels.whole.sums import recomputed
from ..model.exact import Array
from ..problem.problem import Problem
from ..settings import WHOLE_SEARCH

__all__ = ["WholeSearch", "kin_of"]


def kin_of(problem: Problem) -> list[Array]:
    """The tasks that are taken off together: those of a class, and those that a rule counts."""
    modes = problem.modes
    assert modes is not None
    order = np.argsort(modes.task_class, kind="stable")
    start = np.concatenate(([0], np.cumsum(modes.task_count)))
    kin = [order[start[k] : start[k + 1]] for k in range(modes.task_count.size)]
    seen: set[bytes] = set()
    for rule in modes.rules:
        members = np.concatenate((rule.modes, rule.other_modes)).astype(np.int64)
        classes = np.unique(np.asarray(modes.mode_class)[members])
        if classes.size > 1 and classes.tobytes() not in seen:
            seen.add(classes.tobytes())
            kin.append(np.concatenate([kin[k] for k in classes.tolist()]))
    return [tasks for tasks in kin if tasks.size > 1]


class WholeSearch:
    """A local search on one allocation, a round at a time.

    The weighted violation never rises from one round to the next, nor does the cost once there is
    none. A round draws the same for the same seed, however long it takes.

    Parameters
    ----------
    facts : Facts
    node_of : (W,) int64
        Where to begin; -1 where a row is not in use.
    seed : int or sequence of int
    kin : list of arrays
        See `kin_of`.
    stopped : callable
        Asked between the steps of a round, of some tenths of a second at most.
    """

    def __init__(
        self,
        facts: Facts,
        node_of: Array,
        seed: int | list[int],
        kin: list[Array],
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.facts = facts
        self.state = make_state(facts, node_of)
        self.rounds = 0
        self._bench = make_bench(facts, kin)
        self._rng = np.random.default_rng(seed)
        self.stopped = stopped
        self._empties = bool(facts.node[:, IDLE].any())

    @property
    def key(self) -> tuple[int, int]:
        """Weighted violation and cost on the grid."""
        return int(self.state.totals[VIOLATION]), int(self.state.totals[COST])

    def restart(self, node_of: Array) -> None:
        """Go on from another allocation."""
        self.state = make_state(self.facts, node_of)

    def build(self, tasks: Array, tight: bool) -> None:
        """Place tasks without a form one by one."""
        self.state.totals[TAKEN] += 1  # who found no place before may find one now
        for part in self._batches(tasks):
            improve(self.facts, self.state, part, False, tight, self._rng)
            self._compare("improve")

    def follow(self, tasks: Array, forms: Array, wanted: Array) -> None:
        """Put tasks in given forms where they are wanted, as far as all limits are kept."""
        nothing = np.zeros(0, dtype=np.int64)
        deck = Deck(wanted.astype(np.int64), nothing[:, None], nothing, nothing, nothing)
        placed = 1
        while placed and not self.stopped():  # one may be in the way of another
            placed = deal(self.facts, self.state, tasks, forms, deck, self._rng)
            self._compare("deal")

    def deal(self, tasks: Array, forms: Array, deck: Deck) -> None:
        """Place tasks in given forms by quotas of the classes of nodes."""
        for at in self._batches(np.arange(tasks.size)):
            deal(self.facts, self.state, tasks[at], forms[at], deck, self._rng)
            self._compare("deal")

    def repair(self, passes: int) -> None:
        """Put parts elsewhere until no rule is broken, in a few passes over all in use."""
        for _ in range(passes):
            before = self.key[0]
            used = self._rng.permutation(np.flatnonzero(self.state.node_of >= 0))
            for part in self._batches(used):
                improve(self.facts, self.state, part, True, True, self._rng)
                self._compare("improve")
                if self.key[0] == 0:
                    return
            if self.key[0] == before:
                return

    def round(self) -> None:
        """One round; the first looks at every task and every node."""
        facts, state, rng = self.facts, self.state, self._rng
        tasks, n = state.form_of.size, state.load.size
        first = self.rounds == 0
        turn = self.rounds
        self.rounds += 1
        many = min(tasks, WHOLE_SEARCH.tasks_a_round)
        if first or turn % 4 == 0:
            for part in self._batches(rng.permutation(tasks)[:many]):
                improve(facts, state, part, False, bool(turn % 8), rng)
                self._compare("improve")
        if first or turn % 4 == 2:
            used = rng.permutation(np.flatnonzero(state.node_of >= 0))[: 2 * many]
            for part in self._batches(used):
                improve(facts, state, part, True, bool(turn % 8), rng)
                self._compare("improve")
        if first or turn % 2:
            dear = np.flatnonzero((state.load > facts.node[:, COMPUTE]) | (facts.node[:, USE] > 0))
            parts = 1 + int((state.node_of >= 0).sum()) // n
            step = max(1, WHOLE_SEARCH.pairs // (parts * parts))
            for part in self._batches(rng.permutation(dear)[: 4 * step], step):
                exchange(facts, state, part, WHOLE_SEARCH.partners, rng)
                self._compare("exchange")
        if self._empties and (first or turn % 3 == 0):
            nodes = np.flatnonzero((state.count > 0) & (facts.node[:, IDLE] > 0))
            for part in self._batches(rng.permutation(nodes)[: WHOLE_SEARCH.emptied], 32):
                ruin(facts, state, self._bench, part.size, part, 0, 0.0, 0.5, rng)
                self._compare("ruin")
        if not self.stopped():
            self._ruin(turn)

    def _ruin(self, turn: int) -> None:
        facts, state = self.facts, self.state
        effort = WHOLE_SEARCH.efforts[turn % len(WHOLE_SEARCH.efforts)]
        size = facts.task.shape[0]
        slack = 0.0
        if size <= WHOLE_SEARCH.few_tasks and turn % 2:
            slack = WHOLE_SEARCH.slack * float(state.totals[COST]) / size
        times = max(20, WHOLE_SEARCH.ruins // effort)
        nodes = np.zeros(0, dtype=np.int64)
        ruin(facts, state, self._bench, times, nodes, effort, slack, 0.5, self._rng)
        self._compare("ruin")
        record = tuple(self._bench.record.tolist())
        if slack > 0.0 and record < self.key:
            self.state = make_state(facts, self._bench.best)
            if self.key != record:
                raise MethodError("the best allocation of a ruin is not what it was kept for")

    def _batches(self, items: Array, step: int = 0) -> Iterator[Array]:
        """The items in runs that take some tenths of a second; their sizes change no result."""
        step, at = step or WHOLE_SEARCH.batch, 0
        while at < items.size and not self.stopped():
            begun = time.monotonic()
            yield items[at : at + step]
            at += step
            seconds = time.monotonic() - begun
            if seconds > 2 * WHOLE_SEARCH.seconds:
                step = max(1, step // 2)
            elif seconds < WHOLE_SEARCH.seconds / 2:
                step *= 2

    def _compare(self, name: str) -> None:
        """See that the sums the kernels carry are those of the allocation they have made.

        Raises
        ------
        MethodError
            If they differ.
        """
        kept = tuple(self.state.totals[:4].tolist())
        sums = recomputed(self.facts, self.state.node_of)
        if kept != sums:
            raise MethodError(
                f"the search lost count in {name}: it carries {kept} for (cost, violation, loss, "
                f"moves), and its allocation has {sums}; please report it"
            )

    @property
    def absent(self) -> Array:
        """The tasks that must run and have no place."""
        return self.state.absent[: self.state.totals[ABSENT]].copy()
