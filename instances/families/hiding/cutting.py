"""Tasks cut out of hidden nodes: amounts split at random into integer parts of exact total.

A generator decides first what each hidden node holds, then cuts that into tasks and shuffles
them. Whatever it hides is feasible by construction, and the totals are exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

import numpy as np

from solver.model.exact import Array, fraction_of

__all__ = [
    "apportion",
    "cut",
    "draw_triples",
    "matched",
    "scaled_total",
    "task_weights",
    "tasks_per_node",
]

# Weights of the tasks of a node: the heaviest is at most ten times the lightest.
_LIGHTEST, _HEAVIEST = 100, 1000
_NOISE = 200


def scaled_total(amounts: Array, factor: float) -> int:
    """The sum of integer amounts times a decimal factor, rounded half up, exactly.

    >>> scaled_total(np.array([1000, 1000]), 1.1)
    2200
    """
    product = fraction_of(factor) * sum(amounts.tolist())
    return int((2 * product.numerator + product.denominator) // (2 * product.denominator))


def apportion(total: int, weights: Iterable[int]) -> Array:
    """Split a total into integers proportional to weights, by rounding the running sums.

    Each part lies within 1 of its exact share, and is at most the share rounded up.

    >>> apportion(10, [1, 1, 1]).tolist()
    [3, 4, 3]
    """
    running = list(accumulate(weights))
    whole = running[-1]
    edges = [(2 * total * part + whole) // (2 * whole) for part in running]
    return np.diff(np.array([0, *edges], dtype=np.int64))


def tasks_per_node(rng: np.random.Generator, tasks: int, node_compute: Array) -> Array:
    """How many tasks to cut out of each node: one at least, about in proportion to its compute.

    Parameters
    ----------
    rng : numpy.random.Generator
    tasks : int
        Number of tasks of all nodes, n or more.
    node_compute : (n,) integers

    Returns
    -------
    (n,) integers that sum to `tasks`
    """
    noise = rng.integers(75, 126, size=node_compute.size).tolist()
    weights = [C * r for C, r in zip(node_compute.tolist(), noise, strict=True)]
    return 1 + apportion(tasks - node_compute.size, weights)


def task_weights(rng: np.random.Generator, tasks: int) -> Array:
    """(m,) random integer weights, uniform over one decade."""
    return rng.integers(_LIGHTEST, _HEAVIEST + 1, size=tasks)


def cut(totals: Array, weights: Array, hidden: Array) -> Array:
    """Cut the total of each node into one integer part a task, in proportion to the weights.

    Parameters
    ----------
    totals : (n,) integers below 2**53
    weights : (m,) positive integers
    hidden : (m,) integers, ascending
        The node each task is cut out of; every node has one at least.

    Returns
    -------
    (m,) integers whose sum over each node is exactly its total

    Notes
    -----
    O(m), no Python object a task.

    Examples
    --------
    >>> cut(np.array([10, 7]), np.array([1, 3, 5]), np.array([0, 0, 1])).tolist()
    [2, 8, 7]
    """
    starts = np.flatnonzero(np.diff(hidden, prepend=-1))
    running = np.cumsum(weights)
    before = (running - weights)[starts]
    share = (running - before[hidden]) / np.add.reduceat(weights, starts)[hidden]
    edges: Array = np.rint(share * totals[hidden]).astype(np.int64)
    previous = np.concatenate(([0], edges[:-1]))
    previous[starts] = 0
    parts: Array = edges - previous
    return parts


def matched(
    rng: np.random.Generator, parts: Array, weights: Array, hidden: Array, correlation: str
) -> Array:
    """Reorder the parts within each node so that they rise or fall with the weights.

    Parameters
    ----------
    rng : numpy.random.Generator
    parts, weights, hidden : (m,) integers, `hidden` ascending
    correlation : "none", "positive" or "negative"
        Ranks are matched up to noise of a fifth of the weights' range.
    """
    if correlation == "none":
        return parts
    sign = 1 if correlation == "positive" else -1
    noisy = sign * weights + rng.integers(-_NOISE, _NOISE + 1, size=weights.size)
    reordered = np.empty_like(parts)
    reordered[np.lexsort((noisy, hidden))] = parts[np.lexsort((parts, hidden))]
    return reordered


def draw_triples(rng: np.random.Generator, number: int, capacity: int) -> Array:
    """(3, number) sizes between 1/4 and 1/2 of a capacity, each three of which fill it.

    The first is drawn from 38 % to 49 % of the capacity, the second from 25 % up to half of what
    is left, and the third is the rest (Falkenauer 1996).
    """
    quarter = -(-capacity // 4)
    largest = min(49 * capacity // 100, capacity - 2 * quarter)
    first = rng.integers(-(-38 * capacity // 100), largest + 1, size=number)
    second = rng.integers(quarter, (capacity - first) // 2 + 1)
    return np.stack([first, second, capacity - first - second])
