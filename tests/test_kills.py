"""Kills at random moments: nothing is left running, and outputs are whole or old."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import uuid
from pathlib import Path

import pytest
from nightly import cases
from process_tree import carriers, left_after
from test_solve import hard_instance

from solver import check, read_allocation, write_instance
from solver.engines.folders import scratch_folder

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="looks at processes through /proc"
)

OLD = "task_id,node_id\nold,old\n"
SOLVES = [
    ("auto", "HiGHS"),
    ("mip", "HiGHS"),
    ("mip", "CBC"),
    ("column-generation", "HiGHS"),
]


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    path = tmp_path_factory.mktemp("kills") / "hard.json"
    data = hard_instance()
    write_instance(data, path)
    return data, path


def start(path, folder, method, mip_solver):
    """`nodewise solve` under way, and a mark in its environment that all it starts inherit."""
    mark = f"NODEWISE_TEST_{uuid.uuid4().hex}"
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, mark: "1", "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "solver", "solve", str(path), "--method", method]
    command += ["--mip-solver", mip_solver, "--time-limit", "60", "--workers", "2"]
    process = subprocess.Popen(
        [*command, "-o", str(folder / "allocation.csv")],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return process, mark, temporary


ROUNDS = cases(1, 10)
KILLS = [
    (number, method, mip_solver, kill)
    for number in range(ROUNDS)
    for method, mip_solver in SOLVES
    for kill in range(cases(1, 5))
]


@pytest.mark.parametrize(("number", "method", "mip_solver", "kill"), KILLS)
def test_nothing_is_left_after_a_kill(
    number, method, mip_solver, kill, instance, tmp_path, monkeypatch
):
    data, path = instance
    output = tmp_path / "allocation.csv"
    output.write_text(OLD)
    rng = random.Random(f"{number} {method} {mip_solver} {kill}")
    process, mark, temporary = start(path, tmp_path, method, mip_solver)
    time.sleep(rng.uniform(0.2, 8.0))
    sent = rng.choice([signal.SIGKILL, signal.SIGTERM])
    process.send_signal(sent)
    process.wait(timeout=30)
    assert left_after(mark) == []
    if sent == signal.SIGKILL:  # what is left then, the next run removes
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        with scratch_folder():
            pass
    assert list(temporary.glob("nodewise-*")) == []
    if output.read_text() != OLD:
        assert check(data, read_allocation(data, output)) == []


def test_a_solver_ends_though_its_host_and_the_user_s_process_are_killed_at_once(
    instance, tmp_path
):
    _, path = instance
    process, mark, temporary = start(path, tmp_path, "mip", "HiGHS")
    deadline = time.monotonic() + 60
    while not (solvers := named(mark, "highs")) and time.monotonic() < deadline:
        time.sleep(0.1)
    hosts = named(mark, "python")
    assert solvers
    assert process.pid in hosts
    for kind in (signal.SIGSTOP, signal.SIGKILL):  # so that none sees another's end
        for pid in hosts:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself just now
                os.kill(pid, kind)
    process.wait()
    assert left_after(mark) == []
    assert len(list(temporary.glob("nodewise-*"))) <= 1  # which the next run removes


def named(mark, word):
    found = []
    for pid in carriers(mark):
        try:
            target = str(Path(f"/proc/{pid}/exe").readlink())
        except OSError:
            continue
        if word in target.rsplit("/", 1)[-1]:
            found.append(pid)
    return found


def test_the_next_run_removes_what_a_killed_one_left_and_nothing_else(tmp_path, monkeypatch):
    code = """
        import sys, time
        from solver.engines.folders import scratch_folder
        with scratch_folder() as folder:
            (folder / "model").write_text("x")
            print(folder, flush=True)
            time.sleep(60)
    """
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "nodewise-of-the-user").mkdir()
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    dead, alive = (Path(run.stdout.readline().strip()) for run in runs)
    runs[0].kill()
    runs[0].wait()
    with scratch_folder() as mine:
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {"nodewise-of-the-user", alive.name, mine.name}
        assert not dead.exists()
    runs[1].kill()
    runs[1].wait()
    assert not mine.exists()
