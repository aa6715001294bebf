"""Ctrl-C between any two lines: the best allocation is returned, and nothing is left hanging."""

import signal
import threading

import pytest

from solver.engines import process
from solver.search.parts import Pool


@pytest.fixture(autouse=True)
def own_handler():
    """Python's handler, also where the tests were started with Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_start(monkeypatch, number, *, after):
    """Have the start of the so manyth thread from here on interrupted, before or after it."""
    plain, started = threading.Thread.start, []

    def start(thread):
        started.append(thread)
        if len(started) == number and not after:
            signal.raise_signal(signal.SIGINT)
        plain(thread)
        if len(started) == number and after:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(threading.Thread, "start", start)


BEGUN, ENDED = [], []


def until_stopped(item, is_interrupted):
    BEGUN.append(item)
    while not is_interrupted():
        threading.Event().wait(0.001)
    ENDED.append(item)
    return item


@pytest.mark.parametrize(("number", "after"), [(1, False), (2, False), (1, True)])
def test_parts_that_have_begun_end_where_others_were_not_started(monkeypatch, number, after):
    BEGUN.clear(), ENDED.clear()
    interrupt_start(monkeypatch, number, after=after)
    with pytest.raises(KeyboardInterrupt):
        Pool(2).map(until_stopped, [1, 2])
    assert BEGUN == ENDED


def test_where_all_parts_have_begun_their_results_come_before_the_interrupt(monkeypatch):
    pool = Pool(2)
    interrupt_start(monkeypatch, 2, after=True)
    assert pool.map(until_stopped, [1, 2]) == [1, 2]
    with pytest.raises(KeyboardInterrupt):
        pool.raise_if_interrupted()


def test_an_interrupt_as_a_child_is_given_back_leaves_none_at_work(monkeypatch):
    plain, calls = process._give_back, []

    def interrupted(child, *, fit):
        calls.append(fit)
        if len(calls) == 1:
            raise KeyboardInterrupt
        plain(child, fit=fit)

    monkeypatch.setattr(process, "_give_back", interrupted)
    with pytest.raises(KeyboardInterrupt):
        process.run_job("engine_jobs", "echo", 1, hard_limit=60)
    assert calls == [True, False]
    assert process._busy == []
    assert process.run_job("engine_jobs", "echo", 2, hard_limit=60) == 2
