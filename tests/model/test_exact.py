"""Columns of user numbers and the integers they stand for."""

from __future__ import annotations

import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.model.exact import (
    INT64_MAX,
    common_divisor,
    decimal_places,
    exact_column,
    exact_sum,
    fraction_of,
    largest,
    scaled_integers,
    sums_by_group,
)

finite_floats = st.floats(min_value=0, allow_nan=False, allow_infinity=False, max_value=1.6e308)
decimals = st.builds(lambda k, places: k / 10**places, st.integers(0, 10**15), st.integers(0, 15))
numbers = st.one_of(st.integers(0, 10**25), st.integers(0, 100), decimals, finite_floats)


def fractions(column):
    return [Fraction(v) if isinstance(v, int) else Fraction(repr(v)) for v in exact_list(column)]


def exact_list(column):
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2], np.int64, [1, 2]),
        ([16.0, 2], np.int64, [16, 2]),
        ([0.5, 2], np.float64, [0.5, 2.0]),
        ([INT64_MAX], np.int64, [INT64_MAX]),
        ([INT64_MAX + 1], object, [INT64_MAX + 1]),
        ([2**53 + 1, 0.5], object, [2**53 + 1, 0.5]),
        ([1e23], object, [10**23]),
        ([float("inf"), 4], np.float64, [float("inf"), 4.0]),
        ([float("inf"), 2**60], object, [float("inf"), 2**60]),
        ([Decimal("0.1"), Fraction(1, 4)], np.float64, [0.1, 0.25]),
        ([Decimal("7.00"), Fraction(8, 2)], np.int64, [7, 4]),
        ([np.int32(3), np.float64(4.0)], np.int64, [3, 4]),
        ([np.float32(0.1), np.float16(0.25)], np.float64, [0.1, 0.25]),
        (np.array([1, 2], dtype=np.int16), np.int64, [1, 2]),
        (np.array([2**63], dtype=np.uint64), object, [2**63]),
        (np.array([5], dtype=np.uint64), np.int64, [5]),
        (np.array([1.0, 3.0]), np.int64, [1, 3]),
        (np.array([1.5, 3.0]), np.float64, [1.5, 3.0]),
        (np.array([0.1], dtype=np.float32), np.float64, [0.1]),
        (np.array([1e15, 1e16]), np.int64, [10**15, 10**16]),
        (np.array([1e20, 1.0]), object, [10**20, 1]),
        (np.array([1e20, np.inf]), object, [10**20, float("inf")]),
        (map(int, "12"), np.int64, [1, 2]),
        ([], np.int64, []),
        (np.zeros(0), np.int64, []),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, map) else str(value),
)
def test_column_has_the_narrowest_exact_dtype(values, dtype, expected):
    column = exact_column(values)
    assert column.dtype == dtype
    assert column.tolist() == expected
    assert [type(item) for item in column.tolist()] == [type(item) for item in expected]


@pytest.mark.parametrize(
    ("values", "message", "position"),
    [
        ([1, True], "True is not a number", 1),
        (np.array([True]), "True is not a number", 0),
        ([1, 2, "3"], "'3' is not a number", 2),
        ([None], "None is not a number", 0),
        ([1j], "1j is not a number", 0),
        (np.array([1.0, 1j]), r"\(1\+0j\) is not a number", 0),
        ([[1, 2]], r"\[1, 2\] is not a number", 0),
        ([0, Fraction(1, 3)], r"Fraction\(1, 3\) has more digits than a float holds", 1),
        ([Decimal("0.12345678901234567890")], "has more digits than a float holds", 0),
    ],
)
def test_values_that_are_no_numbers_are_refused_with_their_position(values, message, position):
    with pytest.raises(TypeError, match=message) as caught:
        exact_column(values)
    assert caught.value.args[1] == position


def test_a_decimal_that_is_not_a_number_becomes_nan():
    assert np.isnan(exact_column([Decimal("NaN"), Decimal("sNaN")])).all()
    assert exact_column([Decimal("Infinity")]).tolist() == [float("inf")]


def test_a_column_never_shares_memory_with_the_input():
    given_values = np.array([1, 2, 3])
    column = exact_column(given_values)
    column[0] = 9
    assert given_values.tolist() == [1, 2, 3]


@given(st.lists(numbers, max_size=8))
def test_a_list_and_an_array_of_floats_mean_the_same(values):
    floats = [float(value) for value in values]
    from_list, from_array = exact_column(floats), exact_column(np.array(floats, dtype=float))
    assert fractions(from_list) == fractions(from_array)
    assert from_list.dtype == from_array.dtype


@given(st.lists(numbers, max_size=8))
def test_scaling_loses_nothing(values):
    column = exact_column(values)
    places = decimal_places(column)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled = scaled_integers(column, places)
    assert all(isinstance(item, int) for item in scaled.tolist())
    assert [Fraction(k, 10**places) for k in scaled.tolist()] == fractions(values)


@given(st.lists(decimals, min_size=1, max_size=5))
def test_decimal_places_are_the_fewest(values):
    places = decimal_places(exact_column(values))
    if places:
        fewer = 10 ** (places - 1)
        assert any((fraction_of(value) * fewer).denominator > 1 for value in values)


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([1, 2], 0),
        ([0.1], 1),
        ([2.75, 0.5], 2),
        ([0.1 + 0.2], 17),
        ([1 / 3], 16),
        ([1e-30], 30),
        ([2**70, 0.25], 2),
        ([float("inf"), 0.5], 1),
        ([123456789012.123], 3),
        ([], 0),
    ],
)
def test_decimal_places_of_a_column(values, places):
    assert decimal_places(exact_column(values)) == places


def test_decimal_places_of_several_columns_is_the_largest():
    assert decimal_places(np.array([0.25]), np.array([3]), np.array([0.125])) == 3
    assert decimal_places() == 0


def test_scaling_by_more_than_is_needed_widens_where_it_must():
    column = np.array([3, 10**10])
    assert scaled_integers(column, 2).dtype == np.int64
    wide = scaled_integers(column, 12)
    assert wide.dtype == object
    assert wide.tolist() == [3 * 10**12, 10**22]


def test_zeros_can_be_scaled_by_any_power():
    assert scaled_integers(np.array([0, 0]), 30).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, Fraction(1, 10)),
        (3, Fraction(3)),
        (np.int64(3), Fraction(3)),
        (np.float64(0.3), Fraction(3, 10)),
        (1e23, Fraction(10**23)),
        (2**80 + 1, Fraction(2**80 + 1)),
    ],
)
def test_fraction_of_a_number_is_the_decimal_it_prints_as(value, expected):
    assert fraction_of(value) == expected


def test_largest_of_an_empty_column_is_zero():
    assert largest(np.zeros(0, dtype=np.int64)) == 0
    assert largest(np.array([3, 7])) == 7
    assert largest(np.array([3, 2**90], dtype=object)) == 2**90


@given(st.lists(st.integers(0, INT64_MAX), max_size=6))
def test_sums_do_not_overflow(values):
    assert exact_sum(np.array(values, dtype=np.int64)) == sum(values)
    group = np.arange(len(values)) % 2
    sums = sums_by_group(np.array(values, dtype=np.int64), group, 3)
    assert sums.tolist() == [sum(values[0::2]), sum(values[1::2]), 0]


def test_sums_of_python_integers():
    column = np.array([2**80, 1, 2**80], dtype=object)
    assert exact_sum(column) == 2**81 + 1
    assert sums_by_group(column, np.array([1, 0, 1]), 2).tolist() == [1, 2**81]


def test_small_sums_stay_in_int64():
    assert sums_by_group(np.array([1, 2]), np.array([0, 0]), 1).dtype == np.int64


@pytest.mark.parametrize(
    ("columns", "divisor"),
    [
        ((np.array([6, 9]),), 3),
        ((np.array([6, 9]), [2]), 1),
        ((np.array([0, 0]),), 0),
        ((np.array([2**80, 2**70], dtype=object), np.array([2**40])), 2**40),
        ((np.zeros(0, dtype=np.int64), [4, 6]), 2),
        ((), 0),
    ],
)
def test_common_divisor(columns, divisor):
    assert common_divisor(*columns) == divisor
