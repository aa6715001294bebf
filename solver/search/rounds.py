"""Rounds of local search on the arrays of `solver.kernels`: repair first, then cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..kernels.descent import descend, feed, make_ranking, regroup_some, relieve, switch_off
from ..kernels.moves.sets import make_buffers
from ..kernels.state import Facts, make_state, own_arrays, total_cost, total_excess
from ..model.exact import Array
from ..settings import SEARCH

__all__ = ["Search"]


class Search:
    """A local search on one allocation, a round at a time.

    The cost never rises once no hard limit is exceeded; until then the excess never rises.
    A round draws the same for the same seed, however long it takes.

    Parameters
    ----------
    facts : Facts
    node_of : (m,) int64
        Where to begin; hard limits may be exceeded, eligibility must hold.
    seed : int or sequence of int
    stopped : callable
        Asked between the steps of a round, of some tenths of a second at most; once it
        returns True the round ends early.
    """

    def __init__(
        self,
        facts: Facts,
        node_of: Array,
        seed: int | list[int],
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.facts = own_arrays(facts)
        self.state = make_state(self.facts, node_of)
        self.rounds = 0
        self._ranking = make_ranking(self.facts)
        self._buffers = make_buffers()
        self._rng = np.random.default_rng(seed)
        self._stopped = stopped
        self._empties = bool(self.facts.idle.any())

    @property
    def cost(self) -> int:
        """Cost on the grid, recomputed."""
        return int(total_cost(self.facts, self.state))

    @property
    def excess(self) -> float:
        """Weighted excess of the hard limits, recomputed; exactly 0 if all are kept."""
        return float(total_excess(self.facts, self.state))

    @property
    def work(self) -> tuple[int, int]:
        """Moves looked at and moves made so far."""
        looked, made = self._buffers.work.tolist()
        return looked, made

    def round(self) -> None:
        """Repair if a limit is exceeded; else lower the cost, the first rounds with less effort."""
        effort = min(1, self.rounds // 3)
        self.rounds += 1
        if self.excess > 0:
            self._repair(effort)
        else:
            self._improve(effort)

    def _repair(self, effort: int) -> None:
        facts, state, rng = self.facts, self.state, self._rng
        for nodes in self._batches((state.room < 0).any(axis=1)):
            relieve(facts, state, nodes, SEARCH.partners[effort], effort > 0, self._buffers, rng)
        seeds = np.flatnonzero((state.room < 0).any(axis=1))
        if seeds.size and effort and not self._stopped():
            self._regroup(seeds, anything=True)

    def _improve(self, effort: int) -> None:
        facts, state, rng = self.facts, self.state, self._rng
        partners = SEARCH.partners[effort]
        for nodes in self._batches(state.load < facts.node_compute):
            feed(facts, state, nodes, self._ranking, 4, self._buffers, rng)
        for nodes in self._batches(self._dear(), effort):
            descend(facts, state, nodes, self._ranking, partners, effort, self._buffers, rng)
        if self._empties:
            for nodes in self._batches(state.count > 0):
                switch_off(facts, state, nodes, partners, self._buffers, rng)
        dear = self._dear()
        if self._empties:
            dear |= state.count > 0
        seeds = np.flatnonzero(dear)
        if seeds.size and effort and not self._stopped():
            self._regroup(seeds, anything=False)

    def _dear(self) -> Array:
        """(n,) bool: which nodes cost more than being on."""
        load, facts = self.state.load, self.facts
        dear: Array = (load > facts.node_compute) | ((facts.use > 0) & (load > 0))
        return dear

    def _regroup(self, seeds: Array, *, anything: bool) -> None:
        if self.state.load.size < 2:
            return
        rounds = SEARCH.regrouped // len(SEARCH.sizes)
        for size in SEARCH.sizes:
            size = min(size, self.state.load.size)
            regroup_some(
                self.facts,
                self.state,
                seeds,
                size,
                rounds,
                SEARCH.branches,
                anything,
                self._buffers,
                self._rng,
            )
            if self._stopped():
                break

    def _batches(self, chosen: Array, effort: int = 0) -> Iterator[Array]:
        """The chosen nodes in random order, as many at a time as take some tenths of a second.

        Where much is tried for every node, only some of them have their turn in a round.
        """
        nodes = self._rng.permutation(np.flatnonzero(chosen))
        tasks_per_node = 1 + self.facts.demand.size // self.facts.node_compute.size
        step = max(1, SEARCH.batch // (min(tasks_per_node, 256) * (1 + effort * SEARCH.effort)))
        for begin in range(0, min(nodes.size, SEARCH.turns * step) if effort else nodes.size, step):
            if self._stopped():
                return
            yield nodes[begin : begin + step]
