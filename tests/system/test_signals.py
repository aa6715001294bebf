"""Signals to the command line, as processes: exit codes, no tracebacks, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from solver.system import signals
from tests.nightly import cases

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(sys.executable).with_name("nodewise")
ALL = [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)]
HARD = "few_per_node:nodes=40,tasks_per_node=4,node_types=all,storage=0.97,seed=3"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start(*arguments: str, script: bool = False, **options: Any) -> subprocess.Popen[str]:
    by_name = [str(SCRIPT)] if script else [sys.executable, "-m", "solver"]
    return subprocess.Popen(
        [*by_name, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **options,
    )


def until_loaded(process: subprocess.Popen[str], library: str) -> None:
    """Wait until a process has a library in its memory, or is at its end."""
    while process.poll() is None:
        try:
            if library in Path(f"/proc/{process.pid}/maps").read_text():
                return
        except OSError:
            return
        time.sleep(0.001)


@pytest.mark.parametrize("number", ALL)
@pytest.mark.parametrize("script", [False, True])
def test_a_signal_while_it_starts_ends_it_without_a_traceback(
    number: signal.Signals, script: bool
) -> None:
    if script and not SCRIPT.exists():
        pytest.skip("the command is not installed")
    for delay in [0.05 * k for k in range(cases(3, 30))]:
        process = start("versions", script=script)
        until_loaded(process, "_multiarray_umath")
        time.sleep(delay)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        assert (process.returncode, err) == (130, "error: interrupted\n") or out


@pytest.mark.parametrize("number", ALL)
def test_every_signal_keeps_the_best_allocation_and_a_second_one_changes_nothing(
    folder: Path, number: signal.Signals
) -> None:
    for patience in (4, 30):  # seconds until something is found, on a machine that is busy
        process = start(
            *("solve", HARD, "--time-limit", "100", "--json", "r.json", "-o", "a.csv"),
            *("--method", "local-search"),
        )
        time.sleep(patience)
        for _ in range(100):  # up to the very end of the process
            if process.poll() is None:
                process.send_signal(number)
                time.sleep(0.02)
        err = process.communicate(timeout=60)[1]
        if process.returncode != signals.INTERRUPTED:
            break
    assert process.returncode == 0, err
    assert json.loads((folder / "r.json").read_text())["termination"] in ("interrupted", "proven")
    assert sorted(path.name for path in folder.iterdir()) == ["a.csv", "r.json"]


def test_signals_that_are_ignored_from_outside_stay_ignored(folder: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    process = start("solve", "example", "--json", "r.json", preexec_fn=ignore)
    while process.poll() is None:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert process.returncode == 0, process.communicate()[1]
    assert json.loads((folder / "r.json").read_text())["termination"] == "proven"


def test_importing_the_library_touches_no_handler() -> None:
    code = (
        "import signal; before = [signal.getsignal(n) for n in (1, 2, 15)]; import solver;"
        "assert before == [signal.getsignal(n) for n in (1, 2, 15)]"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


WRITER = """
import sys, time
from solver.command import solving
from solver.system import signals
from solver.__main__ import main
def slowly(result, stream):
    print("writing", flush=True)
    time.sleep(1)
    dump(result, stream)
dump, solving.dump_result = solving.dump_result, slowly
sys.exit(main())
"""


@pytest.mark.parametrize("number", ALL)
def test_a_signal_while_files_are_written_waits(folder: Path, number: signal.Signals) -> None:
    arguments = ["solve", "example", "--method", "greedy", "-o", "a.csv", "--json", "r.json"]
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    process.stdout.readline()
    for _ in range(3):
        process.send_signal(number)
        time.sleep(0.05)
    assert process.wait(timeout=60) == 0
    process.stdout.close()
    assert sorted(path.name for path in folder.iterdir()) == ["a.csv", "r.json"]


def test_the_first_signal_raises_and_further_ones_only_much_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr(signals, "_let_through", True)
    monkeypatch.setattr(signals, "_raised_at", None)
    monkeypatch.setattr(signals.time, "monotonic", lambda: clock[0])
    with pytest.raises(KeyboardInterrupt):
        signals._interrupt(2, None)
    clock[0] += 9
    signals._interrupt(15, None)
    clock[0] += 2
    with pytest.raises(KeyboardInterrupt):
        signals._interrupt(1, None)
    signals.hold()
    clock[0] += 100
    signals._interrupt(2, None)
    with signals.let_through(), pytest.raises(KeyboardInterrupt):
        signals._interrupt(2, None)
    signals._interrupt(2, None)
