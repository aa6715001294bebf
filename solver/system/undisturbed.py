"""What Ctrl-C must not break off in its midst: loading a package, or compiled code.

Python raises KeyboardInterrupt in the main thread, between any two of its instructions. A package
whose import ends so may be half there for as long as the process lives, and a lock that was just
taken is never given back. In another thread such work goes on to its end.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

__all__ = ["load", "undisturbed"]

_loaded: dict[str, Any] = {}


def undisturbed[R](function: Callable[[], R]) -> R:
    """Call a function in a thread of its own, if this is the main one, and wait for its result.

    Whoever waits may be interrupted; the function then goes on alone.
    """
    if threading.current_thread() is not threading.main_thread():
        return function()
    future: Future[R] = Future()

    def work() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # raised where the result is waited for
            future.set_exception(error)

    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # there are no more threads to be had
        return function()
    return future.result()


def load(name: str) -> Any:
    """Import a module, all of it even if an interrupt comes; the module.

    Examples
    --------
    >>> load("json.tool").__name__
    'json.tool'
    """
    if name not in _loaded:
        _loaded[name] = undisturbed(lambda: importlib.import_module(name))
    return _loaded[name]
