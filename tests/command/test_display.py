"""Numbers and lines as the command line shows them."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.command import display
from solver.command.display import number


@pytest.mark.parametrize(
    ("value", "nearest", "down"),
    [
        (None, "unknown", "unknown"),
        (0, "0", "0"),
        (1234567, "1,234,567", "1,234,567"),
        (10**30 + 1, f"{10**30 + 1:,}", f"{10**30 + 1:,}"),
        (0.0, "0", "0"),
        (136.0, "136", "136"),
        (162.89599999999976, "162.896", "162.895999"),
        (1234567.25, "1,234,567.25", "1,234,567.25"),
        (0.1 + 0.2, "0.3", "0.3"),
        (2.9999999, "3", "2.999999"),
        (1e22, "10,000,000,000,000,000,000,000", "10,000,000,000,000,000,000,000"),
        (0.000123456789, "0.000123", "0.000123"),
        (1.23456789e-9, "1.23457E-9", "1.23456E-9"),
        (5e-324, "5E-324", "5E-324"),
        (math.inf, "inf", "inf"),
    ],
)
def test_numbers_are_written_as_a_person_writes_them(value, nearest, down):
    assert number(value) == nearest
    assert number(value, down=True) == down


@given(st.floats(0, 1.7e308))
def test_a_bound_is_never_shown_above_what_it_is(value):
    shown = Decimal(number(value, down=True).replace(",", ""))
    assert shown <= Decimal(repr(value))
    assert shown <= Decimal(number(value).replace(",", ""))


def test_shares_that_no_float_holds_are_shown():
    assert display._percent(Fraction(11275, 10000), 1) == "112.8%"
    assert display._percent(Fraction(13125), 1) == "1,312,500.0%"
    assert display._percent(Fraction(10**308) / Fraction(5, 10**324), 1) == "2.00e+633%"


def test_what_would_not_print_is_escaped():
    assert display.shown("knoten-ü 7 \U0001f600") == "knoten-ü 7 \U0001f600"
    assert display.shown("a\nb\x1b[0m\udc80\u2028\u202e\x7f") == (
        "a\\nb\\x1b[0m\\udc80\\u2028\\u202e\\x7f"
    )
