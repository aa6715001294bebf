"""Local search: from a greedy start to a near-optimal allocation, at any size.

Rounds of exchanges, ejection chains and exact solutions of small groups (`Search`), in
parts that run side by side (`parts`); where these find nothing more, larger groups are
solved by CP-SAT (`groups`).
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels.build.ready import (
    compile_ahead,
    is_ready,
    is_usable,
    load_kernels,
    mark_used,
    prepare,
    why_not,
)
from ..model.exact import Array
from ..model.result import Termination
from ..problem.problem import Problem
from ..search.groups import Group, draw_group, make_group, solve_group
from ..search.settings import PACKING, SWITCHING
from ..settings import LOCAL_SEARCH
from .base import Options, Outcome
from .best import Best, run_baselines
from .placing.construction import is_large, largest_first
from .placing.placement import Placement
from .placing.repair import place_stranded
from .plain_search import plain_search
from .whole.search import search_whole

if TYPE_CHECKING:
    from ..search.filling import Filling
    from ..search.packing import Packing

__all__ = ["local_search", "search_plainly"]

_NEVER = 1e6
_TOO_SHORT = "the search was a plain one: the time was too short to load the compiled one"


def local_search(problem: Problem, options: Options) -> Outcome:
    """Search until the cost meets the bound, a limit is reached or nothing better is found.

    It gives up after as many rounds without an improvement as there were until the last one
    and some more. With one worker and a limit on the rounds, the same seed gives the same
    allocation. Until compiled code is there, a plain search stands in.
    """
    if problem.modes is not None:
        return search_whole(problem, options)
    best = Best.of(problem, options)
    if best.settled():
        return best.outcome(Termination.FINISHED)
    if not is_usable(options.seconds_left()):
        baseline = search_plainly(problem, options, best)
        if not is_usable(options.seconds_left()):
            return _without_kernels(options, best, baseline)
        options = replace(options, start=best.node_index)
    run = _Run(problem, options, best)
    try:
        return run.run()
    except KeyboardInterrupt:
        run.publish()
        raise


def search_plainly(problem: Problem, options: Options, best: Best) -> Outcome:
    """Do what can be done without compiled code until that is there, or will not come.

    Returns
    -------
    Outcome
        That of the last baseline, if there was no allocation to begin from.
    """
    prepare()
    baseline = Outcome(Termination.FINISHED)
    if best.node_index is None:
        baseline = run_baselines(best, problem, options)
    plain_search(problem, options, best, lambda: is_usable(options.seconds_left()))
    compile_ahead(lambda: options.seconds_left() <= 0 or best.settled())
    return baseline


def _without_kernels(options: Options, best: Best, baseline: Outcome) -> Outcome:
    late = options.seconds_left() <= 0
    outcome = best.outcome(Termination.TIME_LIMIT if late else Termination.FINISHED)
    reason = _TOO_SHORT if is_ready() else why_not()
    message = "; ".join(text for text in (baseline.message, reason) if text)
    return replace(outcome, unplaced=baseline.unplaced, message=message)


class _Run:
    """One run: the present allocation, in the kernels' order of tasks, and its history."""

    def __init__(self, problem: Problem, options: Options, best: Best) -> None:
        load_kernels()  # here: numba takes half a second, which only those who search should pay
        from ..kernels.state import make_facts, task_order
        from ..search.parts import Pool
        from ..search.switching import may_switch

        self.problem, self.options, self.best = problem, options, best
        self.rng = np.random.default_rng(options.seed)
        self.order = task_order(problem)
        self.facts = make_facts(problem, self.order)
        self.pool = Pool(max(1, options.workers_now()))
        self.packing: Packing | None = None
        self.filling: Filling | None = None
        self.fillings = self.annealings = self.dry = 0
        self.may_switch = may_switch(self.facts)
        self.seconds_annealing = 0.0
        self.rounds = self.improved = self.stalled = self.groups = 0
        self.together = LOCAL_SEARCH.rounds_together
        self.published_cost: int | None = None
        self.published_at = self.seconds_to_publish = 0.0
        start = options.start
        self.seen = best.found
        self.node_of = self._construct() if start is None else start[self.order]
        self.cost, self.excess = self._judge(self.node_of)
        self.shown = self.node_of  # the first allocation of the present cost

    def run(self) -> Outcome:
        """Rounds until something ends them."""
        self.publish_if_due()
        if self.may_switch:
            prepare(whole=True)
        while not self.best.settled():
            if self._out_of_time() or self._out_of_rounds():
                break
            self._take_over()
            if self._out_of_patience():
                break
            workers = self.options.workers_now()
            if workers == 0:
                break
            self.pool.resize(workers)
            if self.excess > 0 and self.rounds > LOCAL_SEARCH.eject_after:
                self._pack()
            elif self._is_time_to_anneal():
                self._anneal()
            elif self.excess == 0 and self.stalled >= LOCAL_SEARCH.stalled:
                if not self._fill_nodes():
                    self._solve_groups()
            else:
                self._search()
            self.pool.raise_if_interrupted()
            self.publish_if_due()
        self.publish()
        late = self._out_of_time()
        outcome = self.best.outcome(Termination.TIME_LIMIT if late else Termination.FINISHED)
        if self.best.cost is None:
            return self._nothing(outcome.termination)
        return outcome

    def _nothing(self, termination: Termination) -> Outcome:
        """How it ended where no allocation was found: with as many tasks placed as there are."""
        from ..search.partial import within_limits

        partial = self._node_index(within_limits(self.facts, self.node_of))
        self.best.partially(partial)
        unplaced = tuple(np.flatnonzero(partial < 0).tolist())
        return Outcome(termination, unplaced=unplaced, message=self._why_nothing())

    def publish(self) -> None:
        """Pass the best allocation on, if it keeps all limits: whenever asked, the same one."""
        if self.excess > 0 or self.cost == self.published_cost:
            return
        begun = time.monotonic()
        self.best.incumbent(self._node_index(self.shown))
        self.published_cost, self.published_at = self.cost, time.monotonic()
        self.seconds_to_publish = self.published_at - begun

    def publish_if_due(self) -> None:
        """Publish an improvement unless checking takes too large a share of the time."""
        bound, grid = self.best.bound, self.problem.grid
        met = bound is not None and self.cost * grid.cost_unit + grid.offset <= bound
        wait = self.seconds_to_publish / LOCAL_SEARCH.share_of_checks
        if met or time.monotonic() - self.published_at >= wait:
            self.publish()

    def _judge(self, node_of: Array) -> tuple[int, float]:
        """Cost on the grid and weighted excess, from nothing but the allocation."""
        grid = self.problem.grid
        load = self._load(node_of)
        above = np.maximum(0, load - grid.node_compute)
        cost = int((grid.overload_price * above + grid.use_price * load).sum())
        cost += int(grid.idle_cost[np.bincount(node_of, minlength=load.size) > 0].sum())
        over = np.maximum(0, -self._room(node_of))
        return cost, float((over * self.facts.weight).sum())

    def _load(self, node_of: Array) -> Array:
        load = np.zeros(self.facts.node_compute.size, dtype=np.int64)
        np.add.at(load, node_of, self.facts.demand)
        return load

    def _room(self, node_of: Array) -> Array:
        room = self.facts.capacity.copy()
        np.subtract.at(room, node_of, self.facts.needs)
        return room

    def _construct(self) -> Array:
        """Greedy; a task that fits nowhere goes to the eligible node that lacks least for it."""
        from ..kernels.greedy import fill_greedily, fill_quickly

        facts, grid = self.facts, self.problem.grid
        place = np.empty_like(self.order)
        place[self.order] = np.arange(self.order.size)
        sequence = place[largest_first(self.problem)]
        n = grid.node_compute.size
        node_of = np.full(self.order.size, -1, dtype=np.int64)
        load, count = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        room = facts.capacity.copy()
        eligibility = self.problem.instance.eligibility
        hosts = eligibility.short_lists
        if is_large(self.problem):
            fill_quickly(facts, *hosts, sequence, node_of, load, count, room, self.rng)
        else:
            fill_greedily(facts, *hosts, sequence, node_of, load, count, room)
        for t in np.flatnonzero(node_of < 0).tolist():
            lack = np.maximum(0, facts.needs[t] - room) * facts.weight
            lack += np.maximum(0, facts.needs[t] - facts.capacity) * (_NEVER * facts.weight)
            total = np.where(eligibility.row(int(facts.group[t])), lack.sum(axis=1), np.inf)
            i = int(np.argmin(total))
            node_of[t] = i
            room[i] -= facts.needs[t]
        return node_of

    def _search(self) -> None:
        """Some rounds: on the whole by one worker, on parts by several."""
        from ..search.parts import Part, cut, search_part, take

        n = self.facts.node_compute.size
        parts = min(self.pool.size, max(1, n // LOCAL_SEARCH.nodes_per_part))
        left = self.options.seconds_left()
        jobs: list[Part] = []
        owners: list[tuple[Array, Any]] = []
        for nodes in cut(self.facts, self._load(self.node_of), parts, self.rng):
            whole = (self.facts, self.node_of, slice(None))
            own, node_of, tasks = take(self.facts, self.node_of, nodes) if parts > 1 else whole
            seed = [self.options.seed, self.rounds, len(jobs)]
            jobs.append(Part(own, node_of, seed, self.together, left, self.rounds))
            owners.append((nodes, tasks))
        begun = time.monotonic()
        found = self.node_of.copy()
        for (nodes, tasks), result in zip(owners, self.pool.map(search_part, jobs), strict=True):
            found[tasks] = nodes[result]
        quick = time.monotonic() - begun < 0.2
        if quick and self.pool.size > 1:
            self.together = min(LOCAL_SEARCH.most_together, 2 * self.together)
        self._accept(found, self.together)
        mark_used()

    def _is_time_to_anneal(self) -> bool:
        """Whether annealing over which nodes are on is next."""
        if not self.may_switch or self.excess > 0 or self.stalled < SWITCHING.after:
            return False
        is_long = self.options.seconds_left() > SWITCHING.least_share * self.seconds_annealing
        return is_long and self.dry < SWITCHING.dry and is_ready(whole=True)

    def _anneal(self) -> None:
        """A run for each worker, longer than the one before."""
        from ..search.switching import anneal_together

        begun, before = time.monotonic(), self.cost
        seconds = SWITCHING.of_time_left * self.options.seconds_left()
        run = [self.options.seed, self.rounds], self.annealings, seconds
        self._accept(anneal_together(self.facts, self.node_of, self.pool, *run), 1)
        self.annealings, self.stalled = self.annealings + 1, 0
        self.dry = 0 if self.cost < before else self.dry + 1
        self.seconds_annealing = time.monotonic() - begun

    def _solve_groups(self) -> None:
        """One group for each worker, solved by CP-SAT."""
        node_index = self._node_index(self.node_of)
        facts = self.facts
        dear = (self._load(self.node_of) > facts.node_compute) | (facts.idle > 0) | (facts.use > 0)
        used = np.zeros(dear.size, dtype=bool)
        num_tasks = LOCAL_SEARCH.group_tasks[self.groups % len(LOCAL_SEARCH.group_tasks)]
        self.groups += 1
        jobs: list[Group] = []
        owners: list[tuple[Array, Array]] = []
        for _ in range(self.pool.size):
            nodes = draw_group(node_index, np.flatnonzero(dear), used, num_tasks, self.rng)
            if nodes.size < 2:
                break
            seed = int(self.rng.integers(2**31))
            left = self.options.seconds_left()
            job, tasks = make_group(self.problem, node_index, nodes, seed, left)
            jobs.append(job)
            owners.append((nodes, tasks))
        for (nodes, tasks), result in zip(owners, self.pool.map(solve_group, jobs), strict=True):
            if result is not None:
                node_index[tasks] = nodes[result]
        self.stalled = 0
        self._accept(node_index[self.order], 1)

    def _pack(self) -> None:
        """Look for any allocation that keeps all limits, now and then by ejecting tasks."""
        if not is_ready(whole=True):
            prepare(whole=True)
            self._eject()
            return
        from ..search.packing import Packing

        if self.packing is None:
            self.packing = Packing(self.facts, self.node_of, self.options.seed, self.pool)
        self._accept(self.packing.round(self.options.seconds_left()), 1)
        if self.excess > 0 and self.rounds % PACKING.eject_every == 0:
            self._eject()

    def _fill_nodes(self) -> bool:
        """Look for an allocation without overload by exact fills; whether there is one now."""
        if not is_ready(whole=True) or self.fillings == PACKING.rounds:
            return False
        from ..search.filling import Filling, without_overload

        if self.filling is None:
            facts = without_overload(self.facts)
            if facts is None:
                self.fillings = PACKING.rounds
                return False
            self.filling = Filling(facts, [self.options.seed, 0])
        self.fillings += 1
        self.filling.run(lambda: self._out_of_time() or self.best.settled())
        found = self.filling.node_of
        if found is not None or self.filling.is_done:
            self.fillings = PACKING.rounds
        if found is None:
            return False
        self._accept(found, 1)
        return True

    def _eject(self) -> None:
        """Take tasks off overfull nodes and place them by guided ejection."""
        room, needs = self._room(self.node_of), self.facts.needs
        leaving = np.zeros(self.order.size, dtype=bool)
        crowded = np.flatnonzero((room < 0).any(axis=1)[self.node_of])
        for t in self.rng.permutation(crowded).tolist():
            i = self.node_of[t]
            if (needs[t][room[i] < 0] > 0).any():
                room[i] += needs[t]
                leaving[t] = True
        placement = Placement(self.problem)
        placement.fill(self.order[~leaving], self.node_of[~leaving])
        options = replace(self.options, seed=int(self.rng.integers(2**31)))
        unplaced = place_stranded(placement, self.order[leaving].tolist(), options)
        self.rounds += 1
        if not unplaced:
            self._accept(placement.node_index[self.order], 0)

    def _take_over(self) -> None:
        """Go on from what others have found, if that is better."""
        if self.best.found is self.seen:
            return
        self.seen = self.best.found
        node_index = self.best.node_index
        assert node_index is not None
        node_of = node_index[self.order]
        cost, excess = self._judge(node_of)
        if (excess, cost) < (self.excess, self.cost):
            self.node_of, self.cost, self.excess, self.shown = node_of, cost, excess, node_of
            self.published_cost, self.improved, self.stalled = cost, self.rounds, 0

    def _accept(self, found: Array, rounds: int) -> None:
        """Go on from what was found if it is no worse."""
        self.rounds += rounds
        cost, excess = self._judge(found)
        better = (excess, cost) < (self.excess, self.cost)
        if (excess, cost) <= (self.excess, self.cost):
            self.node_of, self.cost, self.excess = found, cost, excess
        self.stalled = 0 if better else self.stalled + rounds
        if better:
            self.improved, self.shown = self.rounds, found

    def _node_index(self, node_of: Array) -> Array:
        """Positions of nodes in the order of the instance's tasks."""
        node_index = np.empty_like(node_of)
        node_index[self.order] = node_of
        return node_index

    def _out_of_time(self) -> bool:
        return self.options.seconds_left() <= 0

    def _out_of_rounds(self) -> bool:
        return self.options.round_limit is not None and self.rounds >= self.options.round_limit

    def _out_of_patience(self) -> bool:
        n = self.facts.node_compute.size
        least = min(LOCAL_SEARCH.most_patience, LOCAL_SEARCH.least_patience + 5 * n)
        return self.rounds - self.improved > least + 2 * self.improved

    def _why_nothing(self) -> str:
        count = int((self._room(self.node_of) < 0).any(axis=1).sum())
        return f"no feasible allocation was found; in the nearest, {count:,} nodes are overfull"
