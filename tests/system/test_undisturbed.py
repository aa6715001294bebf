"""Loading that an interrupt does not break off: it goes on to its end in another thread."""

import json
import signal
import sys
import threading

import numba
import pytest
from numba.core.compiler_lock import global_compiler_lock

from solver.kernels.build.jit import _compile_undisturbed
from solver.kernels.descent import feed
from solver.system.undisturbed import load, undisturbed

MAIN = threading.main_thread()

# As in networkx: what is left of an import broken off is no attribute of its parent any more.
PACKAGE = {
    "__init__": "import half.one\nfrom half.two import answer\nvalue = half.one.value\n",
    "one": "value = 1\n",
    "two": "import json\njson.interrupt()\nanswer = 2\n",
}


@pytest.fixture
def interrupt():
    """Send the main thread Ctrl-C, the first time."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    sent = []

    def send():
        if not sent:
            sent.append(True)
            signal.pthread_kill(MAIN.ident, signal.SIGINT)

    yield send
    signal.signal(signal.SIGINT, before)


def test_the_result_and_what_is_raised_come_from_another_thread():
    assert undisturbed(threading.current_thread) is not MAIN

    def fail():
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        undisturbed(fail)


def test_other_threads_call_it_themselves_and_so_does_this_one_where_there_are_no_more(monkeypatch):
    def refuse(_self):
        raise RuntimeError("can't start new thread")

    threads = []
    work = threading.Thread(target=lambda: threads.append(undisturbed(threading.current_thread)))
    work.start()
    work.join()
    assert threads == [work]
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert undisturbed(threading.current_thread) is MAIN


def test_it_goes_on_after_an_interrupt(interrupt):
    gone, done = threading.Event(), threading.Event()

    def work():
        interrupt()
        gone.wait(60)
        done.set()

    with pytest.raises(KeyboardInterrupt):
        undisturbed(work)
    assert not done.is_set()
    gone.set()
    assert done.wait(60)


def test_a_package_whose_import_was_interrupted_is_whole_the_next_time(
    interrupt, tmp_path, monkeypatch
):
    (tmp_path / "half").mkdir()
    for name, text in PACKAGE.items():
        (tmp_path / "half" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(json, "interrupt", interrupt, raising=False)
    with pytest.raises(KeyboardInterrupt):
        load("half")
    assert load("half").value == 1
    for name in ("half", "half.one", "half.two"):
        del sys.modules[name]


def test_compiled_code_is_not_loaded_in_the_main_thread(monkeypatch):
    seen, plain = [], global_compiler_lock.acquire

    def acquire():
        seen.append(threading.current_thread())
        plain()

    monkeypatch.setattr(global_compiler_lock, "acquire", acquire)
    with pytest.raises(TypeError):
        feed.compile(())  # of no arguments there is none
    assert seen
    assert MAIN not in seen


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_who_holds_the_lock_compiles_what_is_called_within():
    one = numba.njit(lambda number: number + 1)
    _compile_undisturbed(one)

    @numba.njit
    def twice(number):
        return 2 * one(number)

    assert twice(1) == 4
