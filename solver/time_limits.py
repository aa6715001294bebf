"""What a time limit may be."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["LONGEST", "TIME_LIMIT_RULE", "is_number", "is_time_limit"]

LONGEST = 1e8
"""Seconds, some three years: no limit for anybody, and every clock and solver can take it."""
TIME_LIMIT_RULE = "a number of seconds, 0 or more, or inf"


def is_number(value: Any) -> bool:
    """Whether a value is a Python or NumPy number that is no Boolean."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def is_time_limit(value: Any) -> bool:
    """Whether a value can be a time limit.

    >>> is_time_limit(float("inf")), is_time_limit(float("nan")), is_time_limit(-5)
    (True, False, False)
    """
    return is_number(value) and bool(value >= 0)
