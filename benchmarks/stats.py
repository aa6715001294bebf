"""The measures of a comparison, each a function of numbers alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from solver.model.exact import Array

from .record import Number, Point

__all__ = [
    "geometric_mean",
    "mean_gap_over_time",
    "par2",
    "performance_profile",
    "primal_gap",
    "primal_integral",
    "shifted_geometric_mean",
    "time_to_target",
]


def shifted_geometric_mean(values: Sequence[float], shift: float = 1.0) -> float:
    """exp(mean(log(v + shift))) - shift: neither the largest nor the tiniest values rule it.

    References
    ----------
    T. Achterberg (2007), "Constraint Integer Programming", thesis, TU Berlin, appendix A.

    Examples
    --------
    >>> round(shifted_geometric_mean([0, 3, 15], 1), 6)
    3.0
    """
    if not len(values):
        return math.nan
    return float(np.exp(np.mean(np.log(np.asarray(values, dtype=float) + shift))) - shift)


def geometric_mean(values: Sequence[float]) -> float:
    """The geometric mean of positive ratios.

    >>> round(geometric_mean([0.5, 2.0]), 6)
    1.0
    """
    return shifted_geometric_mean(values, 0.0)


def par2(seconds: float, limit: float) -> float:
    """Penalised time: twice the limit where the run did not get there (infinite seconds).

    >>> par2(3.0, 10.0), par2(math.inf, 10.0)
    (3.0, 20.0)
    """
    return seconds if seconds < math.inf else 2 * limit


def primal_gap(cost: Number | None, best: Number) -> float:
    """(cost - best) / max(cost, best), 1 without an allocation; from 0 to 1.

    References
    ----------
    T. Berthold (2013), "Measuring the impact of primal heuristics", Operations Research
    Letters 41, 611-614.

    Examples
    --------
    >>> primal_gap(125, 100), primal_gap(100, 100), primal_gap(None, 100)
    (0.2, 0.0, 1.0)
    """
    if cost is None:
        return 1.0
    if cost == best:
        return 0.0
    exact, known = Fraction(cost), Fraction(best)
    return float(abs(exact - known) / max(abs(exact), abs(known)))


def _steps(history: Sequence[Point], best: Number) -> list[tuple[float, float]]:
    """When the primal gap fell, and to what."""
    found, least = [], 1.0
    for seconds, cost, _ in history:
        gap = primal_gap(cost, best)
        if gap < least:
            least = gap
            found.append((seconds, gap))
    return found


def primal_integral(history: Sequence[Point], best: Number, limit: float) -> float:
    """The mean primal gap from the start to the limit (Berthold 2013, divided by the limit).

    Parameters
    ----------
    history : sequence of (seconds, cost, bound)
    best : int or float
        The best known cost.
    limit : float
        Seconds.

    Examples
    --------
    >>> primal_integral([(2, 200, None), (6, 100, None)], best=100, limit=10)
    0.4
    """
    area, gap, since = 0.0, 1.0, 0.0
    for seconds, after in _steps(history, best):
        until = min(seconds, limit)
        area += gap * (until - since)
        gap, since = after, until
    return (area + gap * (limit - since)) / limit


def time_to_target(history: Sequence[Point], best: Number, tolerance: float) -> float:
    """Seconds until the cost was within a relative tolerance of the best; infinite if never.

    >>> time_to_target([(2, 101, None), (6, 100, None)], best=100, tolerance=0.0)
    6
    """
    most = Fraction(best) * (1 + Fraction(tolerance))
    reached = (seconds for seconds, cost, _ in history if cost is not None and cost <= most)
    return next(reached, math.inf)


def mean_gap_over_time(histories: Sequence[tuple[Sequence[Point], Number]], grid: Array) -> Array:
    """Mean primal gap of runs at each time of a grid; each run counts 1 until its first cost.

    Parameters
    ----------
    histories : sequence of (history, best known cost)
    grid : (t,) seconds, rising

    Examples
    --------
    >>> runs = [([(2, 200, None)], 100), ([], 100)]
    >>> mean_gap_over_time(runs, np.array([1.0, 2.0])).tolist()
    [1.0, 0.75]
    """
    total = np.zeros(len(grid))
    for history, best in histories:
        gaps = np.ones(len(grid))
        for seconds, gap in _steps(history, best):
            gaps[grid >= seconds] = gap
        total += gaps
    return total / max(1, len(histories))


def performance_profile(
    times: Mapping[str, Sequence[float]], least: float = 0.01
) -> dict[str, tuple[Array, Array]]:
    """For each method the share of instances that it solves within a factor of the fastest.

    Parameters
    ----------
    times : mapping of method to (k,) seconds
        One for each of the same k instances, infinite where it was not solved.
    least : float
        Shorter times count as this: below it they are noise.

    Returns
    -------
    dict of method to (factors, shares)
        Corners of a step function that rises at each factor; factors begin at 1.

    References
    ----------
    E. D. Dolan and J. J. Moré (2002), "Benchmarking optimization software with performance
    profiles", Mathematical Programming 91, 201-213.

    Examples
    --------
    >>> profile = performance_profile({"a": [1.0, 8.0], "b": [2.0, math.inf]})
    >>> [part.tolist() for part in profile["b"]]
    [[1.0, 2.0], [0.0, 0.5]]
    """
    table = np.maximum(np.array([list(column) for column in times.values()], dtype=float), least)
    if not table.size:
        return {}
    with np.errstate(invalid="ignore"):
        ratios = table / table.min(axis=0)
    profile = {}
    for method, row in zip(times, ratios, strict=True):
        solved = np.sort(row[np.isfinite(row)])
        factors = np.unique(np.concatenate([[1.0], solved]))
        shares = np.searchsorted(solved, factors, side="right") / len(row)
        profile[method] = (factors, shares)
    return profile
