"""The rounds of the local search: which nodes meet which, and what they try.

Every function works through a list of nodes or a number of tries and returns what it gained,
so that the caller can look at the clock in between.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..model.exact import Array
from .build.jit import inner, kernel, lean
from .moves.chains import improve_chain
from .moves.emptying import empty_node, replace_node
from .moves.exchange import improve_pair
from .moves.regroup import MOST_TASKS, regroup
from .moves.relief import feed_pair, relieve_pair, starvation
from .moves.sets import Buffers
from .moves.split import split_pair
from .settings import LOOPS
from .state import Facts, State, costs_more, excess_of

__all__ = ["Ranking", "descend", "feed", "make_ranking", "regroup_some", "relieve", "switch_off"]

_FREE_FIRST = LOOPS.free_first
_ANYWHERE = LOOPS.anywhere
_REMEMBERED = LOOPS.remembered
_PAIRS_EVERY = LOOPS.pairs_every


class Ranking(NamedTuple):
    """What the choice of partners goes by.

    Attributes
    ----------
    by_price, cheaper : (n,) int64
        Nodes by rising overload price, and how many are cheaper than each.
    mean : (d,) float64
        Mean need of each hard dimension per unit of demand.
    """

    by_price: Array
    cheaper: Array
    mean: Array


def make_ranking(facts: Facts) -> Ranking:
    """The ranking of the nodes of a problem."""
    by_price = np.argsort(facts.price, kind="stable")
    demand = max(1.0, float(facts.demand.sum()))
    mean = facts.needs.sum(axis=0, dtype=float) / demand
    return Ranking(
        by_price=by_price,
        cheaper=np.searchsorted(facts.price[by_price], facts.price),
        mean=np.maximum(mean, 1e-300),
    )


@inner
def _free_nodes(facts: Facts, state: State) -> Array:
    """Nodes with free compute that cost nothing more to use."""
    nodes = np.empty(state.load.size, dtype=np.int64)
    size = 0
    for i in range(state.load.size):
        if state.load[i] < facts.node_compute[i] and (state.count[i] > 0 or facts.idle[i] == 0):
            nodes[size] = i
            size += 1
    return nodes[:size].copy()


@lean
def _partner(state: State, i: int, free: Array, ranking: Ranking, rng: np.random.Generator) -> int:
    """A node that load of node i should go to: with free compute, or cheaper, rarely any."""
    cheaper = ranking.cheaper[i]
    draw = rng.random()
    if draw < _ANYWHERE or (cheaper == 0 and free.size == 0):
        return int(rng.random() * state.load.size)
    if free.size and (cheaper == 0 or draw < _FREE_FIRST):
        return int(free[int(rng.random() * free.size)])
    u = rng.random()
    return int(ranking.by_price[int(u * u * cheaper)])


@lean
def _alike(facts: Facts, state: State, i: int, j: int) -> bool:
    """Whether two nodes are of one class, equally full and hold tasks of the same classes."""
    if (
        facts.node_class[i] != facts.node_class[j]
        or state.load[i] != state.load[j]
        or state.count[i] != state.count[j]
    ):
        return False
    for at in range(state.count[i]):
        s, t = state.slots[state.first[i] + at], state.slots[state.first[j] + at]
        if facts.task_class[s] != facts.task_class[t]:
            return False
    return True


@kernel
def descend(
    facts: Facts,
    state: State,
    nodes: Array,
    ranking: Ranking,
    partners: int,
    effort: int,
    buffers: Buffers,
    rng: np.random.Generator,
) -> int:
    """Try to lower the cost of each of the nodes, with random partners.

    Parameters
    ----------
    nodes : int64
        Nodes to work on; those that cost nothing beyond their idle price are passed over.
    partners : int
        Tries in a row without success after which a node is left.
    effort : int
        0: exchanges of single tasks; 1: ejection chains too and, with every fourth partner,
        exchanges of up to two tasks and subset sums.

    Returns
    -------
    int
        By how much the cost fell.
    """
    gained = 0
    free = _free_nodes(facts, state)
    failed = np.empty(_REMEMBERED, dtype=np.int64)
    for i in nodes:
        failures = 0
        while failures < partners and costs_more(facts, state, i):
            j = _partner(state, i, free, ranking, rng)
            failures += 1
            known = i == j or (
                state.load[j] >= facts.node_compute[j]
                and facts.price[j] >= facts.price[i]
                and facts.use[j] >= facts.use[i]
            )
            for k in range(min(failures - 1, _REMEMBERED)):
                known = known or (failed[k] >= 0 and _alike(facts, state, failed[k], j))
            failed[(failures - 1) % _REMEMBERED] = -1 if known else j
            gain = 0
            if not known:
                gain = improve_pair(facts, state, i, j, False, buffers, rng)
                if gain == 0 and effort > 0 and failures % _PAIRS_EVERY == 0:
                    gain = improve_pair(facts, state, i, j, True, buffers, rng)
                    if gain == 0:
                        gain = split_pair(facts, state, i, j, buffers.work)
            if gain == 0 and effort > 0 and i != j:
                k = _partner(state, i, free, ranking, rng)
                j = int(rng.random() * state.load.size)
                if i != k and j not in (i, k):
                    gain = improve_chain(facts, state, i, j, k, buffers, rng)
            if gain > 0:
                gained += gain
                failures = 0
    return gained


@kernel
def relieve(
    facts: Facts,
    state: State,
    nodes: Array,
    partners: int,
    pairs: bool,
    buffers: Buffers,
    rng: np.random.Generator,
) -> float:
    """Try to take the excess of hard limits off each of the nodes; returns by how much it fell."""
    gained = 0.0
    for i in nodes:
        failures = 0
        while failures < partners and excess_of(facts, state, i) > 0:
            j = int(rng.random() * state.load.size)
            gain = 0.0 if j == i else relieve_pair(facts, state, i, j, pairs, buffers, rng)
            gained += gain
            failures = 0 if gain > 0 else failures + 1
    return gained


@kernel
def feed(
    facts: Facts,
    state: State,
    nodes: Array,
    ranking: Ranking,
    partners: int,
    buffers: Buffers,
    rng: np.random.Generator,
) -> float:
    """Make free compute of the nodes usable, at no cost; returns how much."""
    gained = 0.0
    for i in nodes:
        failures = 0
        while failures < partners:
            free = facts.node_compute[i] - state.load[i]
            if free <= 0 or starvation(free, state.room[i], ranking.mean) <= 0:
                break
            j = int(rng.random() * state.load.size)
            gain = 0.0 if j == i else feed_pair(facts, state, i, j, ranking.mean, buffers, rng)
            gained += gain
            failures = 0 if gain > 0 else failures + 1
    return gained


@kernel
def switch_off(
    facts: Facts,
    state: State,
    nodes: Array,
    partners: int,
    buffers: Buffers,
    rng: np.random.Generator,
) -> int:
    """Try to empty each of the nodes, or to replace it by an empty one; returns the gain."""
    gained = 0
    for i in nodes:
        if state.count[i] == 0:
            continue
        gained += empty_node(facts, state, i, buffers.work, rng)
        for _ in range(partners):
            j = int(rng.random() * state.load.size)
            gained += replace_node(facts, state, i, j, buffers.work)
    return gained


@lean
def _draw(
    facts: Facts, state: State, seeds: Array, size: int, nodes: Array, rng: np.random.Generator
) -> int:
    """Draw a group: a seed and random nodes, as many as have few enough tasks together."""
    nodes[0] = seeds[int(rng.random() * seeds.size)]
    held, g = state.count[nodes[0]], 1
    for _ in range(2 * size):
        i = int(rng.random() * state.load.size)
        fresh = held + state.count[i] <= MOST_TASKS
        for p in range(g):
            fresh = fresh and nodes[p] != i
        if fresh:
            nodes[g] = i
            held += state.count[i]
            g += 1
            if g == size:
                break
    for p in range(g - 1, 0, -1):  # a random order
        q = int(rng.random() * (p + 1))
        nodes[p], nodes[q] = nodes[q], nodes[p]
    return g


@kernel
def regroup_some(
    facts: Facts,
    state: State,
    seeds: Array,
    size: int,
    rounds: int,
    branches: int,
    anything: bool,
    buffers: Buffers,
    rng: np.random.Generator,
) -> int:
    """Solve random groups of nodes anew; see `regroup`.

    Parameters
    ----------
    seeds : int64
        Nodes of which each group holds one.
    size : int
        Nodes of a group, 2 or more.
    rounds : int
        Number of groups.

    Returns
    -------
    int
        By how much the cost fell.
    """
    nodes = np.empty(size, dtype=np.int64)
    gained = 0
    for _ in range(rounds):
        g = _draw(facts, state, seeds, size, nodes, rng)
        if g > 1:
            gained += regroup(facts, state, nodes[:g], branches, anything, buffers.work)
    return gained
