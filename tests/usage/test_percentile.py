"""Percentiles by nearest rank, and figures from them, against definitions on sorted lists."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver import Instance, Usage, with_usage
from solver.files.usage.samples import Series
from solver.model.exact import fraction_of
from solver.usage.adjusting import rounded_up
from solver.usage.combining import combined, nearest_rank
from tests.nightly import cases

COUNT = settings(max_examples=cases(100, 20_000))
decimals = st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=6)
lists = st.lists(decimals, min_size=1, max_size=60)
shares = st.fractions(Fraction(1, 1000), 1, max_denominator=1000)


def oracle(values: list[Decimal], share: Fraction) -> Decimal:
    """The smallest value that at least this share of the values does not exceed, by counting."""
    return min(
        value
        for value in values
        if Fraction(sum(other <= value for other in values), len(values)) >= share
    )


@COUNT
@given(values=lists, share=shares)
def test_the_percentile_is_that_of_the_definition(values, share):
    assert nearest_rank(values, share) == oracle(values, share)


@COUNT
@given(values=lists, share=shares, more=st.lists(decimals, min_size=60, max_size=60))
def test_the_percentile_is_monotone(values, share, more):
    raised = [value + add for value, add in zip(values, more, strict=False)]
    assert nearest_rank(raised, share) >= nearest_rank(values, share)
    assert nearest_rank(values, share) <= nearest_rank(values, Fraction(1)) == max(values)


def test_nine_of_ten_is_the_ninth():
    values = [Decimal(n) for n in range(10, 0, -1)]
    assert nearest_rank(values, Fraction(9, 10)) == 9
    assert nearest_rank([*values, Decimal(11)], Fraction(9, 10)) == 10  # 9.9 of eleven: the tenth


@COUNT
@given(
    values=st.lists(st.one_of(st.integers(0, 10**30), st.floats(0, 9e299)), min_size=1),
    share=shares,
    margin=st.fractions(0, 3, max_denominator=100),
)
def test_a_figure_is_exact_or_rounded_up_in_the_last_digit(values, share, margin):
    instance = Instance.from_arrays(node_compute=[1], task_compute=[1])
    usage = Usage.of({"task-0": {"compute": values}})
    if not usage.num_samples:
        return
    percentile, added = rounded_up(share), rounded_up(margin)
    if percentile > 1:
        return
    adjusted, report = with_usage(
        instance, usage, percentile=percentile, margin=added, min_samples=1, floor=0
    )
    kept = [fraction_of(value) for value in values]
    rank = -(-fraction_of(percentile) * len(kept) // 1)
    wanted = sorted(kept)[int(rank) - 1] * (1 + fraction_of(added))
    if not report.dropped:
        found = fraction_of(adjusted.tasks[0].compute)
        assert found >= wanted
        assert found == wanted or found - wanted <= wanted * Fraction(1, 10**15) + Fraction(5e-324)


@COUNT
@given(value=st.fractions(0, 10**40), digits=st.integers(1, 20))
def test_rounding_up_to_digits(value, digits):
    found = fraction_of(rounded_up(value, digits))
    assert found >= value
    assert found - value <= max(value * Fraction(10, 10**digits), value / 10**15)


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (Fraction(57308, 1000), 3, 57.4),
        (Fraction(999), 2, 1000),
        (Fraction(1, 10), 5, 0.1),
        (Fraction(1000), 1, 1000),
        (Fraction(10**30 + 1), 5, 10001 * 10**26),
    ],
)
def test_digits(value, digits, expected):
    assert rounded_up(value, digits) == expected


def timed(label, samples):
    times, values = zip(*samples, strict=True) if samples else ((), ())
    return Series(
        ("t",), "compute", None, label, list(map(Decimal, times)), list(map(Decimal, values))
    )


@COUNT
@given(
    series=st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12),
        min_size=1,
        max_size=4,
    ),
    several=st.sampled_from(["sum", "max"]),
    step=st.sampled_from([None, Fraction(1), Fraction(3)]),
)
def test_series_are_taken_together_time_by_time(series, several, step):
    found = combined([timed(k, each) for k, each in enumerate(series)], several, step)
    totals = {}
    for each in series:
        mine = {}
        for time, value in each:
            moment = time if step is None else time // step
            mine[moment] = max(mine.get(moment, 0), value)
        for moment, value in mine.items():
            totals.setdefault(moment, []).append(value)
    together = {"sum": sum, "max": max}[several]
    assert sorted(found.values) == sorted(Decimal(together(each)) for each in totals.values())


def test_series_side_by_side_that_never_meet_are_told():
    even, odd = timed(0, [(0, 1), (2, 1), (4, 1)]), timed(1, [(1, 1), (3, 1)])
    assert not combined([even, odd], "sum").is_aligned
    assert combined([even, odd], "sum", Fraction(2)).values == [2, 2, 1]
    later = timed(1, [(5, 1), (6, 1)])  # a container that came after the first had ended
    assert combined([even, later], "sum").is_aligned


def test_older_samples_do_not_count():
    assert combined([timed(0, [(0, 9), (5, 1), (6, 2)])], "sum", since=Fraction(5)).values == [1, 2]


def test_samples_that_come_again_count_once():
    twice = [timed(0, [(0, 1), (1, 2)]), timed(0, [(1, 2), (2, 3)])]
    found = combined(twice, "sum")
    assert (found.values, found.repeated) == ([1, 2, 3], 1)
