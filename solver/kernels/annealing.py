"""All tasks on given nodes, whatever it costs: simulated annealing on what is over capacity.

(Kirkpatrick, Gelatt and Vecchi 1983.) Every task is somewhere; the sum of what exceeds the
capacities, each as a share, is brought to zero by moves of a task to another node and exchanges
of two. Many small tasks pack almost without waste that way.
"""

from __future__ import annotations

import numpy as np

from ..model.exact import Array
from .build.jit import kernel, lean

__all__ = ["pack"]

_MOVES = 0.15  # share of moves, the others are exchanges


@lean
def _over(room: int, more: int) -> int:
    """By how much what is over capacity grows when so much more is taken."""
    return max(0, more - room) - max(0, -room)


@kernel
def pack(
    needs: Array,
    holds: Array,
    share: Array,
    place: Array,
    room: Array,
    tries: int,
    hot: float,
    cold: float,
    rng: np.random.Generator,
) -> int:
    """Move tasks until no capacity is exceeded.

    Parameters
    ----------
    needs : (m, d) int64
    holds : (m, n) bool
        Which nodes may hold a task.
    share : (d,) float64
        What a unit beyond each capacity counts.
    place : (m,) int64
        Node of each task, changed.
    room : (n, d) int64
        What is left of the capacities, below 0 where they are exceeded; changed.
    tries : int
    hot, cold : float
        First and last temperature, in shares.
    rng : numpy.random.Generator

    Returns
    -------
    int
        Tries that were left when nothing was over capacity any more, or -1.
    """
    m, d = needs.shape
    n = room.shape[0]
    over = 0
    for i in range(n):
        for c in range(d):
            over += max(0, -room[i, c])
    heat, factor = hot, (cold / hot) ** (1.0 / max(1, tries))
    for left in range(tries, 0, -1):
        if over == 0:
            return left
        heat *= factor
        a = int(rng.random() * m)
        i, b = place[a], -1
        if rng.random() < _MOVES:
            j = int(rng.random() * n)
        else:
            b = int(rng.random() * m)
            j = place[b]
        if i == j or not holds[a, j] or (b >= 0 and not holds[b, i]):
            continue
        change, grows = 0.0, 0
        for c in range(d):
            more = needs[a, c] - (needs[b, c] if b >= 0 else 0)
            beyond = _over(room[i, c], -more) + _over(room[j, c], more)
            grows += beyond
            change += share[c] * beyond
        if change > 0.0 and rng.random() >= np.exp(-change / heat):
            continue
        for c in range(d):
            more = needs[a, c] - (needs[b, c] if b >= 0 else 0)
            room[i, c] += more
            room[j, c] -= more
        place[a] = j
        if b >= 0:
            place[b] = i
        over += grows
    return 0 if over == 0 else -1
