"""The decorators of the compiled functions, and the cache they share."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.compiler_lock import global_compiler_lock
from numba.core.types.misc import unliteral

from ...system.undisturbed import undisturbed
from . import store

__all__ = ["KERNELS", "inner", "kernel", "lean"]

_log = logging.getLogger(__name__)

KERNELS: list[str] = []
"""``module.name`` of every function that Python calls, as far as their modules are loaded."""


def kernel[F: Callable[..., Any]](function: F) -> F:
    """Compile a function when it is first called; it runs without the interpreter's lock.

    The machine code is kept in the folder that `store` names; where there is none it is made
    anew in every process.
    """
    KERNELS.append(f"{Path(inspect.getfile(function)).stem}.{function.__qualname__}")
    return cast(F, _compiled(function, _nrt=True))


def inner[F: Callable[..., Any]](function: F) -> F:
    """The same for a function that only other compiled ones call: half the work to compile."""
    return cast(F, _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=True))


def lean[F: Callable[..., Any]](function: F) -> F:
    """As `inner`, for a function that makes no array: nothing in it counts references."""
    return cast(F, _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False))


def _compiled(function: Callable[..., Any], **options: bool) -> Any:
    dispatcher = numba.njit(nogil=True, **options)(function)
    place = store.folder()
    if numba.config.DISABLE_JIT:
        return dispatcher
    if place is not None:
        dispatcher._cache = _Cache(function, place)
    _ignore_literals(dispatcher)
    _compile_undisturbed(dispatcher)
    return dispatcher


def _compile_undisturbed(dispatcher: Any) -> None:
    """Let no interrupt come while numba holds its lock: it would hold it for good."""
    plain = dispatcher.compile

    def compiled(signature: Any) -> Any:
        if global_compiler_lock.is_locked():  # by this thread: no other one would get it
            return plain(signature)
        return undisturbed(lambda: plain(signature))

    dispatcher.compile = compiled


def _ignore_literals(dispatcher: Any) -> None:
    """Compile once for all constants that callers pass, not once for each."""
    plain = dispatcher.get_call_template

    def template(arguments: Any, keywords: Any) -> Any:
        return plain(
            tuple(unliteral(each) for each in arguments),
            {name: unliteral(each) for name, each in keywords.items()},
        )

    dispatcher.get_call_template = template


class _Locator:
    """What numba asks about the place of a function's code."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def get_cache_path(self) -> str:
        return str(self._place)

    def ensure_cache_path(self) -> None:
        self._place.mkdir(parents=True, exist_ok=True)

    def get_source_stamp(self) -> str:
        return self._place.name

    def get_disambiguator(self) -> str:
        return "0"


class _Files(CompileResultCacheImpl):  # type: ignore[misc]
    """The names of a function's files; numba's own choice of the folder is passed over."""

    def __init__(self, function: Callable[..., Any], place: Path) -> None:
        self._locator = _Locator(place)
        module = Path(inspect.getfile(function)).stem
        self._filename_base = self.get_filename_base(f"{module}.{function.__qualname__}", "")


class _Cache(FunctionCache):  # type: ignore[misc]
    """numba's cache of a function in a folder of ours, which may be read-only or damaged."""

    def __init__(self, function: Callable[..., Any], place: Path) -> None:
        self._impl_class = lambda _: _Files(function, place)
        super().__init__(function)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # whatever a damaged file makes of pickle
            _log.warning("%s: compiled code cannot be read: %r", self.cache_path, error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _log.info("compiled code cannot be kept (process %d): %s", os.getpid(), error)
