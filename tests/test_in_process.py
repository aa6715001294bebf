"""`solve` inside other people's programs: threads, forks, event loops, small limits."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nightly import cases
from process_tree import children
from test_solve import hard_instance

from solver import Status, check, close_engines, lower_bound, solve
from solver.engines import child, process
from solver.system.interrupts import interrupted_once

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="looks at processes through /proc"
)


COST = 16_751_910


def small():
    """Three nodes that no simple method fills at the least cost, which is COST."""
    return hard_instance(3)


def run(code, timeout=120, **environment):
    """Run a script that may use `small` and `hard`; what it prints."""
    head = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import os, resource, signal, threading, time
        from test_in_process import small
        from test_solve import hard_instance as hard
        from solver import *
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_children_end_when_they_are_idle(monkeypatch):
    close_engines()
    monkeypatch.setattr(child, "IDLE_SECONDS", 0.5)
    before = set(children())
    solve(small(), "cp-sat")
    deadline = time.monotonic() + 30
    while set(children()) - before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert set(children()) <= before
    assert process._idle == []


def test_a_job_that_meets_a_child_about_to_end_is_run_by_another(monkeypatch):
    close_engines()
    monkeypatch.setattr(child, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(child.Child, "is_alive", lambda self: True)
    for pause in (0, 0.005, 0.01, 0.012, 0.02):
        news = []
        process.run_job("engine_jobs", "echo", 1, hard_limit=60, on_news=news.append)
        time.sleep(pause)
        assert news == ["first", "second"]


def test_close_engines_ends_idle_children_at_once():
    solve(small(), "cp-sat")
    assert process._idle
    pids = [idle._process.pid for idle in process._idle]
    close_engines()
    assert process._idle == []
    assert not set(pids) & set(children())


def test_the_engines_of_or_tools_share_their_children():
    close_engines()
    before = set(children())
    solve(hard_instance(6), "column-generation", time_limit=20, num_workers=1)
    solve(small(), "auto", num_workers=1)
    assert len(set(children()) - before) <= 3


def test_four_threads_at_once():
    instance = small()
    methods = ["auto", "cp-sat", "mip", "column-generation"]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda method: solve(instance, method), methods))
    assert {result.cost for result in results} == {COST}


def cost_in_worker(_):
    return solve(small(), "cp-sat", num_workers=1).cost


@pytest.mark.parametrize("way", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_worker_of_multiprocessing(way):
    process.warm_up("solver.engines.cp_sat")
    mine = [idle._process.pid for idle in process._idle]
    with multiprocessing.get_context(way).Pool(1) as pool:
        assert pool.apply_async(cost_in_worker, (0,)).get(timeout=120) == COST
    assert all(idle._process.poll() is None for idle in process._idle)
    assert [idle._process.pid for idle in process._idle] == mine
    assert solve(small(), "cp-sat").cost == COST


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_while_another_thread_holds_the_lock():
    with ThreadPoolExecutor(1) as pool:
        held, go = threading.Event(), threading.Event()

        def hold():
            with process._lock:
                held.set()
                go.wait()

        holding = pool.submit(hold)
        held.wait()
        worker = multiprocessing.get_context("fork").Process(target=close_engines)
        worker.start()
        worker.join(30)
        go.set()
        holding.result()
    assert worker.exitcode == 0


def test_in_an_event_loop():
    assert asyncio.run(asyncio.to_thread(solve, small(), "cp-sat")).cost == COST


def test_a_daemon_thread_does_not_keep_the_process():
    begun = time.monotonic()
    out = run("""
        found = threading.Event()
        options = {"time_limit": 300, "on_progress": lambda _: found.set()}
        work = threading.Thread(
            target=solve, args=(hard(30), "local-search"), kwargs=options, daemon=True)
        work.start()
        found.wait()
        time.sleep(1)
        print("end")
    """)
    assert out == "end\n"
    assert time.monotonic() - begun < 100


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_many_small_solves_need_no_more_and_more():
    instance = small()
    solve(instance, "cp-sat", num_workers=1)
    solve(instance, num_workers=1)
    files, pids = open_files(), len(children())
    threads = threading.active_count()
    for number in range(cases(60, 500)):
        solve(instance, "cp-sat" if number % 2 else "auto", num_workers=1)
    assert open_files() <= files + 4
    assert len(children()) <= pids + 1
    assert threading.active_count() <= threads + 2


def test_what_on_progress_raises_comes_out_and_the_next_solve_works():
    instance = hard_instance(6)

    def refuse(point):
        seen.append(point)
        if len(seen) == 4:
            raise ZeroDivisionError("mine")

    for method in ("cp-sat", "auto", "mip"):
        seen = []
        with pytest.raises(ZeroDivisionError, match="mine"):
            solve(instance, method, time_limit=20, on_progress=refuse)
        assert process._busy == []
    assert solve(small(), "cp-sat").cost == COST


def interrupt_twice():
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("method", ["cp-sat", "local-search", "auto", "mip"])
def test_two_interrupts_keep_the_answer_and_do_not_reach_the_next_solve(method):
    instance = hard_instance()
    before = signal.getsignal(signal.SIGINT)
    timer = threading.Timer(2.0, interrupt_twice)

    def begin(point):
        if point.cost is not None and not timer.ident:  # there is something to be kept
            timer.start()

    result = solve(instance, method, time_limit=60, on_progress=begin)
    timer.join()
    assert result.termination.value == "interrupted"
    assert check(instance, result.allocation) == []
    assert signal.getsignal(signal.SIGINT) is before
    again = solve(small(), "local-search")
    assert again.termination.value != "interrupted"


def test_two_solves_in_two_threads_do_not_interrupt_each_other():
    out = run("""
        results = {}
        def other():
            results["other"] = solve(hard(30), "local-search", time_limit=8, num_workers=2)
        thread = threading.Thread(target=other)
        thread.start()
        threading.Timer(3.0, os.kill, (os.getpid(), signal.SIGINT)).start()
        print(solve(hard(30), "local-search", time_limit=60, num_workers=2).termination.value)
        thread.join()
        print(results["other"].termination.value)
    """)
    first, second = out.splitlines()
    assert first == "interrupted"
    assert second != "interrupted"


def test_the_user_s_own_handlers_are_called_and_kept():
    calls = []

    def mine(*_):
        calls.append(1)

    before = signal.signal(signal.SIGINT, mine)
    try:
        with interrupted_once():
            interrupt_twice()
        assert calls == [1, 1]
        assert signal.getsignal(signal.SIGINT) is mine
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with interrupted_once():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_no_handler_is_touched_outside_the_main_thread():
    before = signal.getsignal(signal.SIGINT)

    def inside():
        with interrupted_once():
            return signal.getsignal(signal.SIGINT)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(inside).result() is before


def refuse_to_start(monkeypatch, error):
    close_engines()

    def refuse(*_args, **_options):
        raise error

    monkeypatch.setattr(child, "_start", refuse)


@pytest.mark.parametrize(
    "error", [OSError(24, "Too many open files"), RuntimeError("can't start new thread")]
)
def test_an_engine_that_cannot_start_leaves_the_answer(monkeypatch, error):
    refuse_to_start(monkeypatch, error)
    instance = hard_instance(6)
    for method in ("auto", "cp-sat", "mip", "column-generation"):
        result = solve(instance, method, time_limit=6)
        assert result.status in (Status.FEASIBLE, Status.OPTIMAL)
        if result.status is Status.FEASIBLE:
            assert str(error).rpartition("] ")[2] in (result.message or ""), method
    known = lower_bound(instance, "closed-form")
    assert lower_bound(instance) == lower_bound(instance, "column-generation") == known


def test_without_threads_the_parts_run_in_the_calling_one(monkeypatch):
    from solver.search.parts import Pool

    def refuse(_self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert Pool(2).map(lambda item, _stopped: item + 1, [1, 2]) == [2, 3]


LIMITS = {
    "file descriptors": ("resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))", {}),
    "few file descriptors": ("resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))", {}),
    "address space": ("resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000,) * 2)", {}),
    "no home": ("del os.environ['HOME']", {}),
    "no temporary folder": (
        "import tempfile; tempfile.tempdir = '/no/such/folder'",
        {"TMPDIR": "/no/such/folder"},
    ),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_under_small_limits_there_is_an_answer(limit):
    line, environment = LIMITS[limit]
    out = run(
        f"""
        {line}
        for method in ("auto", "mip"):
            result = solve(hard(6), method, time_limit=5, num_workers=2)
            print(result.status.value)
        """,
        **environment,
    )
    assert set(out.split()) <= {"optimal", "feasible"}
    assert len(out.split()) == 2
