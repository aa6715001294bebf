"""The runner of the benchmarks: limits, outcomes, and going on after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks import competitors
from benchmarks.best_known import read_table
from benchmarks.competitors import COMPETITORS, ROOT, Competitor
from benchmarks.fingerprint import content_hash
from benchmarks.limits import run_limited
from benchmarks.record import Outcome, append, read_records
from benchmarks.run import RECORDS, Plan, pending, run_all, run_one, update_table
from benchmarks.suites import Entry, Suite
from solver import Instance, InstanceError
from solver.errors import BackendUnavailableError, OptionError
from tests.peer_double import HONEST_COST


def two_nodes() -> Instance:
    """Each node stores one task, so one on each; the best cost is 16 + 16."""
    return Instance.from_arrays(
        node_compute=[4, 4], node_storage=[1, 1], task_compute=[3, 4], task_storage=[1, 1]
    )


@pytest.fixture
def double(monkeypatch):
    """Registers a misbehaving method and gives the plan that runs it on `two_nodes`."""

    def plan_of(*names: str, exact: bool = True, **options: float) -> Plan:
        for name in names:
            made = Competitor(name, "tests.peer_double", exact_bound=exact, random=False)
            monkeypatch.setitem(COMPETITORS, name, made)
        instance = two_nodes()
        entry = Entry("two_nodes", hash=content_hash(instance))
        monkeypatch.setattr("benchmarks.run.instance_of", lambda *_: instance)
        methods = tuple(COMPETITORS[name] for name in names)
        return Plan(Suite("doubles", "", (entry,)), methods, **{"time_limit": 5, **options})

    return plan_of


def run(plan: Plan, folder: Path) -> dict[str, object]:
    return {record.method: record for record in run_all(pending(plan, folder), folder)}


@pytest.mark.parametrize(
    ("method", "outcome", "says"),
    [
        ("honest", Outcome.ANSWERED, "clean"),
        ("breaks-storage", Outcome.WRONG, "breaks 1 rules: node 'node-0' lacks 1 of storage"),
        ("forgets-a-task", Outcome.WRONG, "task 'task-1' has no node"),
        ("wrong-cost", Outcome.WRONG, "says it costs 31; it costs 32"),
        ("bound-above-own-cost", Outcome.WRONG, "bound of 33 above the cost 32"),
        ("optimal-without-proof", Outcome.WRONG, "says 'optimal' with bound None"),
        ("no-allocation", Outcome.WRONG, "gives no allocation"),
        ("says-infeasible", Outcome.INFEASIBLE, "no allocation to check"),
        ("silent", Outcome.NOTHING, "no allocation to check"),
        ("not-a-number", Outcome.CRASHED, "NaN where a number or null is wanted"),
        ("crashes", Outcome.CRASHED, "exit code -6"),
        ("raises", Outcome.CRASHED, "exit code 1: RuntimeError: out of luck"),
        ("gives-up", Outcome.UNSUPPORTED, "no nodes allowed here"),
    ],
)
def test_whatever_a_method_does_becomes_a_row(double, method, outcome, says):
    record = run_one(double(method).tasks().__next__())
    assert (record.outcome, record.method) == (outcome, method)
    assert says in record.verdict
    assert record.wall_seconds > 0


def test_the_others_go_on_and_a_refuted_claim_is_wrong(double, tmp_path):
    plan = double("crashes", "says-infeasible", "honest", "wrong-cost")
    records = run(plan, tmp_path)
    assert len(records) == 4
    improved, wrong = update_table(list(records.values()), tmp_path / "best.csv")
    assert {record.method for record in wrong} == {"says-infeasible", "wrong-cost"}
    found = [record.verdict for record in wrong if record.method == "says-infeasible"]
    assert found == ["says 'infeasible', but honest found an allocation of cost 32"]
    (known,) = read_table(tmp_path / "best.csv").values()
    assert improved == 1
    assert (known.cost, known.bound, known.proved) == (HONEST_COST, None, "")


def test_floating_point_claims_have_a_tolerance_but_no_more(double):
    record = run_one(double("wrong-cost", exact=False).tasks().__next__())
    assert record.outcome is Outcome.WRONG


def test_a_run_that_never_ends_is_ended(double, monkeypatch):
    monkeypatch.setattr("benchmarks.run._LEAST_GRACE", 0.1)
    record = run_one(double("never-ends", time_limit=1.0).tasks().__next__())
    assert record.outcome is Outcome.TIMEOUT
    assert record.seconds is None


def test_a_run_that_takes_too_much_memory_is_ended(double):
    record = run_one(double("eats-memory", memory_limit=0.5).tasks().__next__())
    assert record.outcome is Outcome.MEMORY
    assert record.peak_memory > 0.5


def test_what_a_process_started_ends_with_it(tmp_path):
    inner = "import time; time.sleep(600)"
    file = tmp_path / "pid"
    outer = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {inner!r}], start_new_session=True)\n"
        f"open({str(file)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    ended = run_limited([sys.executable, "-c", outer], wall_seconds=4, memory_gib=4)
    assert ended.stopped == "timeout"
    assert not _alive(int(file.read_text()))


def _alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def suite_file(folder: Path, count: int) -> Path:
    from instances import generate

    items = []
    for seed in range(count):
        parameters = {"nodes": 4, "tasks": 12}
        instance = generate("uniform", **parameters, seed=seed)
        item = {"family": "uniform", "parameters": parameters, "seed": seed}
        items.append({**item, "hash": content_hash(instance)})
    path = folder / "few.json"
    path.write_text(json.dumps({"schema": "nodewise-suite/1", "instances": items}))
    return path


def command(suite: Path, folder: Path, *more: str) -> list[str]:
    table = str(suite.parent / "best.csv")
    return [sys.executable, "-m", "benchmarks", "run", str(suite), "--methods",
            "round-robin,greedy,blocks", "--time-limit", "5", "-o", str(folder),
            "--best-known", table, *more]  # fmt: skip


def test_killed_and_started_again_it_skips_what_is_done_and_loses_nothing(tmp_path):
    suite, folder = suite_file(tmp_path, 6), tmp_path / "results"
    log = folder / RECORDS
    process = subprocess.Popen(command(suite, folder), cwd=ROOT, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(read_records(log)) < 4:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    before = log.read_bytes()
    kept = before[: before.rfind(b"\n") + 1]
    assert 4 <= len(read_records(log)) < 18
    with log.open("ab") as stream:
        stream.write(b'{"suite": "few", "inst')  # a line that a kill cut off
    again = subprocess.run(command(suite, folder), cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert f"{kept.count(b'{"suite"')} of 18 runs are done already" in again.stderr
    assert log.read_bytes().startswith(kept)
    records = read_records(log)
    assert len(records) == len({record.key for record in records}) == 18
    assert {record.outcome for record in records} == {Outcome.ANSWERED}
    third = subprocess.run(command(suite, folder), cwd=ROOT, capture_output=True, text=True)
    assert "18 of 18 runs are done already" in third.stderr
    assert len(read_records(log)) == 18


def test_a_peer_ends_when_its_runner_is_killed(tmp_path):
    code = (
        "import sys\n"
        "from benchmarks.limits import run_limited\n"
        "run_limited([sys.executable, '-m', 'tests.peer_double', sys.argv[1], '--method',"
        "'never-ends', '--time-limit', '5', '-o', sys.argv[1] + '.out', '--watched'],"
        "wall_seconds=600, memory_gib=4)\n"
    )
    source = tmp_path / "instance.json"
    source.write_text('{"tasks": [], "nodes": []}')
    runner = subprocess.Popen([sys.executable, "-c", code, str(source)], cwd=ROOT)
    deadline = time.monotonic() + 30
    peers: list[psutil.Process] = []
    while not peers and time.monotonic() < deadline:
        peers = psutil.Process(runner.pid).children()
        time.sleep(0.05)
    time.sleep(1)  # until it listens
    runner.kill()
    runner.wait()
    gone, alive = psutil.wait_procs(peers, timeout=10)
    assert (len(gone), alive) == (1, [])


def test_ctrl_c_keeps_what_is_done(tmp_path):
    suite, folder = suite_file(tmp_path, 6), tmp_path / "results"
    process = subprocess.Popen(
        command(suite, folder, "--jobs", "2"), cwd=ROOT, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    while process.poll() is None and not read_records(folder / RECORDS):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "the same command goes on from here" in said
    assert 1 <= len(read_records(folder / RECORDS)) < 18


def test_two_runners_do_not_write_to_one_folder(double, tmp_path):
    import fcntl

    with (tmp_path / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OptionError, match="another run is adding records"):
            run(double("honest"), tmp_path)


def test_records_of_another_commit_are_not_mixed(double, tmp_path, monkeypatch):
    plan = double("honest")
    run(plan, tmp_path)
    monkeypatch.setattr("benchmarks.run.commit_of", lambda _: "0123456789ab")
    with pytest.raises(OptionError, match="another state of the code"):
        pending(plan, tmp_path)


def test_runs_through_a_joblib_backend_of_the_user(tmp_path):
    joblib = pytest.importorskip("joblib")
    suite = suite_file(tmp_path, 2)
    from benchmarks.suites import load_suite

    plan = Plan(load_suite(str(suite)), (COMPETITORS["greedy"],), time_limit=5.0)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        found = list(run_all(list(plan.tasks()), tmp_path, jobs=2))
    assert [record.outcome for record in found] == [Outcome.ANSWERED] * 2


def test_seeds_are_for_random_methods_only():
    entry = Entry("named", {"name": "example"})
    methods = (COMPETITORS["auto"], COMPETITORS["greedy"])
    plan = Plan(Suite("s", "", (entry,)), methods, seeds=3)
    assert [(task.method, task.seed) for task in plan.tasks()] == [
        *(("auto", 0), ("auto", 1), ("auto", 2)),
        ("greedy", 0),
    ]


def test_a_record_reads_back(double, tmp_path):
    record = run_one(double("honest").tasks().__next__())
    append(tmp_path / "x.jsonl", record)
    assert read_records(tmp_path / "x.jsonl") == [record]


def test_a_line_that_is_no_record_is_named(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"suite": "s"}\n')
    with pytest.raises(InstanceError, match="line 1: not a record"):
        read_records(tmp_path / "x.jsonl")


@pytest.mark.parametrize("name", ["time_limit", "seeds", "workers", "memory_limit"])
def test_limits_above_zero(name):
    with pytest.raises(OptionError, match=name):
        Plan(Suite("s", "", ()), (), **{name: 0})


def test_unknown_and_missing_methods_are_told_with_the_remedy(monkeypatch):
    with pytest.raises(OptionError, match="none of: auto"):
        competitors.require(["autp"])
    lacking = Competitor("lacking", "x", "no_such_package", "lack")
    monkeypatch.setitem(COMPETITORS, "lacking", lacking)
    with pytest.raises(BackendUnavailableError, match=r"pip install -e '\.\[lack\]', or set NODE"):
        competitors.require(["lacking"])


def test_a_peer_may_live_in_an_environment_of_its_own(monkeypatch):
    monkeypatch.setenv("NODEWISE_PYTHON_MIP_CBC", "/opt/python")
    assert COMPETITORS["mip:CBC"].command[0] == "/opt/python"
    assert os.environ.get("NODEWISE_PYTHON_AUTO") is None
    assert COMPETITORS["auto"].command[0] == sys.executable
