"""Numbers with units are read exactly, or refused with what to write instead."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.model.exact import fraction_of
from solver.model.frames.units import exact_number, quantity_of, unit_size

GI = 2**30


@pytest.mark.parametrize(
    ("text", "value", "counts"),
    [
        ("80GiB", 80 * GI, "B"),
        ("80 GiB", 80 * GI, "B"),
        ("1.5 TB", 15 * 10**11, "B"),
        ("1.5tb", 15 * 10**11, "B"),
        ("64Gi", 64 * GI, None),
        ("500m", Fraction(1, 2), None),
        ("250u", Fraction(1, 4000), None),
        ("$98.32", Fraction(9832, 100), "USD"),
        ("USD 98.32", Fraction(9832, 100), "USD"),
        ("98.32 €/h", Fraction(9832, 100), "EUR"),
        ("$3.5 per hour", Fraction(7, 2), "USD"),
        ("1,024", 1024, None),
        ("1,234,567.5", Fraction(12345675, 10), None),
        ("1e3", 1000, None),
        ("5E", 5 * 10**18, None),
        ("5E2", 500, None),
        ("16 vCPU", 16, None),
        ("8 GPUs", 8, None),
        ("1.2 kW", 1200, "W"),
        ("312 TFLOPS", 312 * 10**12, "FLOPS"),
        ("0.1", Fraction(1, 10), None),
        (".5", Fraction(1, 2), None),
        ("+7", 7, None),
        ("-7", -7, None),
        ("9" * 300, int("9" * 300), None),
    ],
)
def test_what_a_text_stands_for(text: str, value: Fraction | int, counts: str | None) -> None:
    quantity = quantity_of(text)
    assert (quantity.value, quantity.counts) == (value, counts)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write a number"),
        ("x", "write a number"),
        ("1,5", "groups of three digits"),
        ("1.5.2", "write a number"),
        ("10Gb", "write GB"),
        ("50%", "a share"),
        ("1_000", "is not known"),
        ("٣", "write a number"),
        ("1e500", "beyond"),
        ("9" * 400, "characters"),
        ("$5 EUR", "is not known"),
        ("5 apples", "is not known"),
        ("2026-01-01", "is not known"),
        ("0x10", "is not known"),
    ],
)
def test_what_is_no_number(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        quantity_of(text)


def test_a_decimal_comma() -> None:
    assert quantity_of("1.234,5 €", ",").value == Fraction(2469, 2)
    with pytest.raises(ValueError, match="decimal mark"):
        quantity_of("1.5", ",")


def test_exact_numbers() -> None:
    assert exact_number(Fraction(3)) == 3
    assert isinstance(exact_number(Fraction(3)), int)
    assert exact_number(Fraction(1, 10)) == 0.1
    for value in (Fraction(1, 3), Fraction(10**20 + 1, 10), Fraction(10**400 + 1, 2)):
        with pytest.raises(ValueError, match="digits"):
            exact_number(value)
    with pytest.raises(ValueError, match="beyond"):
        exact_number(Fraction(10**309))


def test_units_of_columns() -> None:
    assert unit_size("GiB") == (GI, "B")
    for unit in ("", "G", "m", "cores", "parsec"):
        with pytest.raises(ValueError, match="not known"):
            unit_size(unit)


@given(st.decimals(0, 10**12, places=3), st.sampled_from(["", "k", "Mi", "GB", "TiB", "W"]))
def test_every_decimal_is_read_as_it_stands(number: object, unit: str) -> None:
    size = {"": 1, "k": 1000, "Mi": 2**20, "GB": 10**9, "TiB": 2**40, "W": 1}[unit]
    assert quantity_of(f"{number:f} {unit}").value == Fraction(str(number)) * size


@given(st.text(max_size=12) | st.from_regex(r"[$€]?[0-9.,]{1,6}[eE]?[0-9]? ?[a-zA-Z$]{0,3}"))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = quantity_of(text).value
        number = exact_number(value)
    except ValueError:
        return
    assert fraction_of(number) == value
