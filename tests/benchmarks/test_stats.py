from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.stats import (
    geometric_mean,
    mean_gap_over_time,
    par2,
    performance_profile,
    primal_gap,
    primal_integral,
    shifted_geometric_mean,
    time_to_target,
)

TIMES = st.floats(0, 1e6)
HISTORIES = st.lists(
    st.tuples(st.floats(0, 20), st.integers(100, 10_000), st.none()), max_size=6
).map(lambda points: sorted(points, key=lambda point: point[0]))


@given(st.lists(TIMES, min_size=1, max_size=20), st.floats(0.1, 100))
def test_a_shifted_geometric_mean_lies_between_least_and_largest(values, shift):
    mean = shifted_geometric_mean(values, shift)
    slack = 1e-6 * (1 + max(values) + shift)
    assert min(values) - slack <= mean <= max(values) + slack
    assert mean <= np.mean(values) + slack


def test_hand_computed_means():
    assert shifted_geometric_mean([1, 7], 1) == pytest.approx(3)
    assert shifted_geometric_mean([9, 9], 10) == pytest.approx(9)
    assert geometric_mean([1, 4]) == pytest.approx(2)
    assert math.isnan(shifted_geometric_mean([]))


def test_an_unsolved_run_costs_twice_the_limit():
    assert [par2(seconds, 30) for seconds in (0.0, 29.0, math.inf)] == [0, 29, 60]


@pytest.mark.parametrize(
    ("cost", "best", "gap"),
    [(None, 5, 1.0), (5, 5, 0.0), (0, 0, 0.0), (10, 5, 0.5), (10**24 + 1, 10**24, 1e-24)],
)
def test_primal_gaps(cost, best, gap):
    assert primal_gap(cost, best) == pytest.approx(gap, rel=1e-9)


@pytest.mark.parametrize(
    ("history", "mean"),
    [
        ([], 1.0),
        ([(0, 100, None)], 0.0),
        ([(5, 100, None)], 0.5),
        ([(2, 200, None), (6, 100, None)], 0.4),
        ([(2, 200, None), (3, 400, None), (6, 100, None)], 0.4),  # a worse cost changes nothing
        ([(12, 100, None)], 1.0),  # after the limit
        ([(2, None, 50), (5, 100, 50)], 0.5),
    ],
)
def test_primal_integrals_by_hand(history, mean):
    assert primal_integral(history, 100, 10.0) == pytest.approx(mean)


@given(HISTORIES)
def test_a_primal_integral_is_a_share_and_more_incumbents_never_hurt(history):
    whole = primal_integral(history, 100, 10.0)
    assert 0 <= whole <= 1
    assert whole <= primal_integral(history[1:], 100, 10.0) + 1e-12


@given(HISTORIES)
def test_the_curve_and_the_integral_agree(history):
    grid = np.linspace(0, 10, 20_001)[1:]
    curve = mean_gap_over_time([(history, 100)], grid)
    assert np.all(np.diff(curve) <= 0)
    assert float(curve.mean()) == pytest.approx(primal_integral(history, 100, 10.0), abs=2e-3)


def test_time_to_target():
    history = [(1, 130, None), (2, 101, None), (3, 100, None)]
    found = [time_to_target(history, 100, tolerance) for tolerance in (0.5, 0.01, 0.0)]
    assert found == [1, 2, 3]
    assert time_to_target(history, 99, 0.0) == math.inf
    assert time_to_target([], 99, 0.0) == math.inf


def test_a_profile_by_hand():
    times = {"a": [1.0, 10.0, 4.0, math.inf], "b": [2.0, 5.0, math.inf, math.inf]}
    profile = performance_profile(times)
    assert [part.tolist() for part in profile["a"]] == [[1.0, 2.0], [0.5, 0.75]]
    assert [part.tolist() for part in profile["b"]] == [[1.0, 2.0], [0.25, 0.5]]


def test_times_below_the_least_are_equal():
    profile = performance_profile({"a": [1e-6], "b": [1e-3]})
    assert [part.tolist() for part in profile["b"]] == [[1.0], [1.0]]


@given(
    st.integers(1, 8).flatmap(
        lambda count: st.lists(
            st.lists(st.one_of(TIMES, st.just(math.inf)), min_size=count, max_size=count),
            min_size=1,
            max_size=5,
        )
    )
)
def test_profiles_rise_from_wins_to_the_share_solved(table):
    times = {str(name): row for name, row in enumerate(table)}
    for name, (factors, shares) in performance_profile(times).items():
        assert factors[0] == 1
        assert np.all(np.diff(factors) > 0)
        assert np.all(np.diff(shares) >= 0)
        assert shares[-1] == pytest.approx(np.mean(np.isfinite(times[name])))
