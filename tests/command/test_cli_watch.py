"""The verbs `watch` and `check` without an allocation, on the command line."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

import solver.command.monitoring.watching as command
import solver.usage.watching as watching
from solver import Instance, Node, Task, check, read_allocation, read_instance, write_instance
from solver.errors import MethodError
from solver.usage.watching import Clock
from tests.nightly import cases

ROWS = [f"{task},{60 * k},4\n" for k in range(40) for task in "xy"]
USAGE = "task_id,time,compute\n" + "".join(ROWS)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_instance(cluster(), "cluster.json")
    (tmp_path / "usage.csv").write_text(USAGE)
    return tmp_path


def cluster(**changes):
    return Instance(
        [Node("a", 10, fixed_cost=24), Node("b", 10, fixed_cost=24)],
        [Task("x", 8), Task("y", 8)],
        max_load=1,
        power_off=True,
        current={"x": "a", "y": "b"},
        currency="USD",
    ).replace(**changes)


class Patient(Clock):
    """Does not wait."""

    def __init__(self):
        self.at = 1_700_000_000.0

    def now(self):
        return self.at

    def wait(self, seconds):
        self.at += seconds


def test_watch_tells_a_line_a_round(run, place, monkeypatch):
    monkeypatch.setattr(command, "CLOCK", Patient())
    code, out, err = run(
        *("watch", "cluster.json", "usage.csv", "none.csv", "--rounds", "2", "--time-limit", "5"),
        *("-o", "new.csv", "--adjusted", "adjusted.json", "--log", "-", "--workers", "1"),
    )
    assert code == 0
    first, second = err.splitlines()
    missing = "; none.csv: there is no such file; its figures stay as they were"
    assert first.removesuffix(missing) == (
        "2023-11-14T22:13:20Z round 1: cost 48 USD; 1 move in 1 wave saves 24 USD (50.00%), no "
        "plan saves more than 24 USD (50.00%); written adjusted.json, new.csv"
    )
    assert second.removesuffix(missing) == (
        "2023-11-14T22:18:20Z round 2: cost 48 USD; cooling down until 22:43:20Z"
    )
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["proposed", "cooling down"]
    adjusted = read_instance("adjusted.json")
    assert check(adjusted, read_allocation(adjusted, "new.csv")) == []
    assert json.loads((place / "nodewise-watch.json").read_text())["round"] == 2


def test_watch_follows_where_tasks_are_by_a_file(run, place):
    arguments = ("watch", "cluster.json", "usage.csv", "--once", "--cooldown", "0", "-o", "new.csv")
    code, _, err = run(*arguments)
    assert (code, "1 move in 1 wave saves 24 USD" in err) == (0, True)
    (place / "new.csv").rename(place / "current.csv")
    code, _, err = run(*arguments, "--current", "current.csv")
    assert code == 0
    assert "round 2: cost 24 USD; nothing to move, no plan saves anything" in err
    assert not (place / "new.csv").exists()


def test_one_round_that_failed_is_told_by_the_exit_code(run, place, monkeypatch):
    def failing(*arguments, **options):
        raise MethodError("a bug")

    monkeypatch.setattr(watching, "rebalance", failing)
    code, _, err = run("watch", "cluster.json", "usage.csv", "--once")
    assert (code, err.splitlines()[0].endswith("failed; a bug")) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--every", "-1"], "--every -1.0: give seconds"),
        (["--cooldown", "nan"], "--cooldown nan: give seconds"),
        (["--rounds", "0"], "--rounds 0: give a number"),
        (["--state", "usage.csv"], "would overwrite an input"),
        (["--current", "c.csv", "-o", "c.csv"], "c.csv: there is no such file"),
        (["--log", "nodewise-watch.json"], "--state and --log both name"),
        (["-o", "gone/new.csv"], "the folder gone does not exist"),
        (["--min-saving", "x"], "min_saving is 'x'"),
        (["--during", "never"], "--during never: it must be one of: both, target"),
    ],
)
def test_watch_that_is_refused(run, place, arguments, problem):
    code, _, err = run("watch", "cluster.json", "usage.csv", *arguments)
    assert problem in " ".join(err.split())
    assert code == 1


COMMAND = [sys.executable, "-m", "solver", "watch", "cluster.json", "usage.csv", "--workers", "1"]
FILES = ["--log", "log.jsonl", "-o", "new.csv", "--adjusted", "adjusted.json"]
ENDLESS = ["--every", "0", "--cooldown", "0", *FILES]


def started(place):
    path = os.pathsep.join([os.fspath(command.__file__).split("/solver/")[0], *sys.path[1:]])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen(
        [*COMMAND, *ENDLESS], cwd=place, env=environment, stderr=subprocess.DEVNULL
    )


def rounds_of(place):
    path = place / "log.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line)["round"] for line in lines if line.endswith("\n")]


def wait_for_rounds(place, process, count):
    deadline = time.monotonic() + 120
    while len(rounds_of(place)) < count and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)


def test_watch_survives_being_killed_at_any_moment(place):
    rng = random.Random(15)
    for _ in range(cases(2, 100)):
        process = started(place)
        wait_for_rounds(place, process, len(rounds_of(place)) + 1)
        time.sleep(rng.uniform(0.0, 0.5))
        process.kill()
        process.wait(timeout=30)
        adjusted = read_instance(place / "adjusted.json")
        assert check(adjusted, read_allocation(adjusted, place / "new.csv")) == []
    process = started(place)
    wait_for_rounds(place, process, len(rounds_of(place)) + 2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    rounds = rounds_of(place)
    assert rounds == list(range(1, len(rounds) + 1))
    state = json.loads((place / "nodewise-watch.json").read_text())
    assert state["round"] - rounds[-1] in (0, 1)
    names = {"cluster.json", "usage.csv", "nodewise-watch.json", "log.jsonl", "new.csv"}
    names |= {"adjusted.json", "nodewise-watch.json.lock"}
    left = {path.name for path in place.iterdir()} - names
    assert all("scratch" in name for name in left)  # of the last kill; the next write removes them


def test_check_without_an_allocation_analyses_what_runs_now(run, place):
    code, out, _ = run("check", "cluster.json", "--time-limit", "5")
    assert (code, out.splitlines()) == (
        0,
        ["cost now 48 USD", "bound 48 USD", "could save at most nothing", "feasible"],
    )
    write_instance(cluster(task_compute=[4, 5]), "slack.json")
    code, out, _ = run("check", "slack.json", "--time-limit", "5")
    assert (code, out.splitlines()[1:3]) == (
        0,
        ["bound 24 USD", "could save at most 24 USD (50.00%)"],
    )


def test_check_says_what_is_broken_and_nowhere_now(run, place):
    broken = cluster(
        current={"x": "a"},
        task_compute=[12, 4],
        max_load=None,
        node_storage=[1, 9],
        task_storage=[3, 3],
        node_overload_price=[9, 9],
    )
    write_instance(broken, "broken.json")
    code, out, _ = run("check", "broken.json", "--time-limit", "5")
    assert code == 1
    lines = out.splitlines()
    assert lines[:2] == ["cost now 42 USD", "nowhere now 1 of 2 tasks"]
    assert lines[2] == "node 'a' lacks 2 of storage"
    assert "feasible" not in lines
    write_instance(cluster(node_state=["open", "drained"], task_compute=[4, 4]), "drained.json")
    code, out, _ = run("check", "drained.json")
    assert (code, out.splitlines()[1]) == (1, "task 'y' is on node 'b', which is drained")
    write_instance(cluster(task_compute=[12, 4]), "none.json")
    code, out, _ = run("check", "none.json")
    assert code == 2
    assert "there is no allocation" in out


def test_check_without_places_is_refused(run, place):
    write_instance(cluster(current=None), "nowhere.json")
    code, out, err = run("check", "nowhere.json")
    assert (code, out) == (1, "")
    assert "name an allocation" in err
