"""The two decorators of the compiled functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numba

__all__ = ["inner", "kernel"]


def kernel[F: Callable[..., Any]](function: F) -> F:
    """Compile a function when it is first called; it runs without the interpreter's lock.

    The machine code is kept beside the source or in the user's cache folder; where neither
    can be written it is made anew in every process.
    """
    return cast(F, _compiled(function))


def inner[F: Callable[..., Any]](function: F) -> F:
    """The same for a function that only other compiled ones call: half the work to compile."""
    return cast(F, _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True))


def _compiled(function: Callable[..., Any], **options: bool) -> Any:
    try:
        return numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # numba finds no folder to write to
        return numba.njit(nogil=True, **options)(function)
