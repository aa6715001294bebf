"""Compiled code: one compiler at a time, nothing half-made taken for whole, answers without it."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_instances import random_instances

from instances import from_spec
from solver import Instance, Status, check, lower_bound, solve
from solver.command.cli import run as run_command
from solver.errors import BackendUnavailableError
from solver.kernels.build import ready, store
from solver.methods import Options, methods
from solver.methods.local_search import local_search
from solver.methods.placing.construction import largest_first
from solver.methods.placing.placement import Placement
from solver.methods.placing.plain_greedy import fill_plainly
from solver.methods.plain_search import PlainSearch
from solver.problem.problem import Problem
from solver.system.locks import hold

ROOT = Path(__file__).resolve().parents[2]
MEDIUM = "few_per_node:nodes=30,seed=3"


@pytest.fixture
def nowhere(monkeypatch):
    """As if no folder could be written and nothing were compiled."""
    monkeypatch.setattr(store, "folder", lambda: None)
    monkeypatch.setattr(ready._Compiler, "process", None)


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """An empty folder for compiled code, and no compiler started yet."""
    place = tmp_path / f"nodewise-{store.digest()}"
    place.mkdir()
    monkeypatch.setattr(store, "folder", lambda: place)
    monkeypatch.setattr(ready._Compiler, "process", None)
    monkeypatch.setattr(ready._Compiler, "reported", False)
    return place


@pytest.fixture
def started(monkeypatch, fresh):
    """The calls that would have started a compiler."""
    calls = []

    class Running:
        returncode = None

        def poll(self):
            return None

    def start(place, lock, whole):
        calls.append(place)
        return Running()

    monkeypatch.setattr(ready, "_start", start)
    return calls


def in_python(code, **environment):
    """Run code in a process of its own; what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_the_lock_is_held_by_one_process_at_a_time(tmp_path):
    handle = hold(tmp_path)
    code = (
        "from pathlib import Path; from solver.system.locks import hold;"
        f"print(hold(Path({str(tmp_path)!r})) is None)"
    )
    assert in_python(code) == "True"
    os.close(handle)
    assert in_python(code) == "False"


def test_a_killed_holder_leaves_no_lock(tmp_path):
    code = (
        "import sys, time; from solver.system.locks import hold; from pathlib import Path;"
        f"print(hold(Path({str(tmp_path)!r})) is not None, flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert holder.stdout.readline().strip() == b"True"
    assert hold(tmp_path) is None
    holder.kill()
    holder.wait()
    holder.stdout.close()
    handle = hold(tmp_path)
    assert handle is not None
    os.close(handle)


@pytest.mark.skipif(os.name == "nt", reason="locks are not inherited there")
def test_the_lock_lasts_as_long_as_the_child_that_inherited_it(tmp_path):
    handle = hold(tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        pass_fds=(handle,),
    )
    os.close(handle)
    assert hold(tmp_path) is None
    child.communicate()
    again = hold(tmp_path)
    assert again is not None
    os.close(again)


def test_no_compiler_is_started_while_another_is_at_work(fresh, started):
    handle = hold(fresh)
    assert ready.prepare()
    assert started == []
    os.close(handle)
    assert ready.prepare()
    assert ready.prepare()
    assert started == [fresh]


STARTS_ONE = """
import subprocess, sys, time
from solver.kernels.build import ready

start = subprocess.Popen

def sleeper(command, **options):
    print("started", flush=True)
    return start([sys.executable, "-c", "import time; time.sleep(8)"], **options)

subprocess.Popen = sleeper
print(ready.prepare())
"""


@pytest.mark.skipif(os.name == "nt", reason="locks are not inherited there")
def test_several_solves_at_once_start_one_compiler(tmp_path):
    """Each holds the lock while it starts its compiler, which inherits it."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", STARTS_ONE],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    printed = " ".join(process.communicate()[0] for process in processes).split()
    assert printed.count("started") == 1
    assert printed.count("True") == 4


def test_a_failed_compilation_is_logged_and_not_tried_at_every_run(fresh, monkeypatch, caplog):
    failing = [sys.executable, "-c", "import sys; sys.exit(3)"]
    monkeypatch.setattr(ready, "_start", lambda place, lock, whole: subprocess.Popen(failing))
    with caplog.at_level("WARNING", logger="solver.kernels.build.ready"):
        assert not ready.compile_ahead(lambda: False)
    assert "exit code 3" in caplog.text
    ready.mark_failed(fresh, "Traceback\nOSError: disk full")
    monkeypatch.setattr(ready._Compiler, "process", None)
    monkeypatch.setattr(ready, "_start", lambda place, lock, whole: pytest.fail("started again"))
    assert not ready.prepare()
    assert "OSError: disk full" in ready.why_not()
    long_ago = time.time() - 2 * ready._RETRY_SECONDS
    os.utime(fresh / "failed.txt", (long_ago, long_ago))
    assert ready._reason(fresh) is None


def test_a_stamp_needs_the_code_of_every_kernel(tmp_path):
    functions = ["state.pack", "descent.descend"]
    for name in (
        "state.pack-0.py312.nbi",
        "state.pack-0.py312.1.nbc",
        "descent.descend-0.py312.nbi",
    ):
        (tmp_path / name).write_bytes(b"code")
    with pytest.raises(FileNotFoundError, match=r"no \.nbc file of descent\.descend"):
        store.leave_stamp(tmp_path, functions)
    assert not store.is_complete(tmp_path)
    (tmp_path / "descent.descend-0.py312.1.nbc").write_bytes(b"code")
    store.leave_stamp(tmp_path, functions)
    assert store.is_complete(tmp_path)


@pytest.mark.parametrize("damage", ["removed", "cut", "stamp"])
def test_a_damaged_folder_is_not_taken_for_complete(tmp_path, damage):
    code = tmp_path / "state.pack-0.py312.1.nbc"
    for path in (code, tmp_path / "state.pack-0.py312.nbi"):
        path.write_bytes(b"code")
    store.leave_stamp(tmp_path, ["state.pack"])
    if damage == "removed":
        code.unlink()
    elif damage == "cut":
        code.write_bytes(b"co")
    else:
        (tmp_path / store._STAMPS[False]).write_text("{")
    assert not store.is_complete(tmp_path)


def test_the_kernels_of_whole_models_have_a_stamp_of_their_own(tmp_path):
    code = [tmp_path / f"{name}-x.{kind}" for name in ("pack", "deal") for kind in ("nbi", "nbc")]
    for path in code[:2]:
        path.write_bytes(b"code")
    store.leave_stamp(tmp_path, ["pack"])
    assert store.is_complete(tmp_path)
    assert not store.is_complete(tmp_path, whole=True)
    for path in code[2:]:
        path.write_bytes(b"code")
    store.leave_stamp(tmp_path, ["pack", "deal"], whole=True)
    assert store.is_complete(tmp_path, whole=True)


def test_the_compiled_folder_of_the_tests_lists_all_kernels():
    from solver.kernels.build.compiling import KERNELS
    from solver.kernels.whole import passes, ruin  # noqa: F401

    sizes = json.loads((store.folder() / store._STAMPS[True]).read_text())
    assert len(KERNELS) >= 15
    for name in KERNELS:
        assert any(file.startswith(f"{name}-") for file in sizes)


SEARCHES = """
import json, sys
from instances import from_spec
from solver import Instance, solve
from solver.kernels.build.jit import KERNELS

hard = from_spec("few_per_node:nodes=20,storage=0.97")
tight = from_spec("vector_packing:nodes=6,tasks=30,slack=0")
off = Instance.from_arrays(node_compute=[9] * 12, task_compute=[4, 3, 2] * 9, power_off=True)
for instance in (hard, tight, off):  # so many rounds whatever the machine, and no more
    solve(instance, "local-search", time_limit=600, num_workers=1, round_limit=30)
missed = {}
for path, module in list(sys.modules.items()):
    for name in KERNELS if path.startswith("solver.kernels.") else ():
        stem, function = name.split(".")
        if path.endswith(f".{stem}") and hasattr(module, function):
            assert name not in missed, f"two kernels are called {name}"  # they share a file
            missed[name] = sum(getattr(module, function).stats.cache_misses.values())
assert len(missed) == len(KERNELS) > 10
print(json.dumps(missed))
"""


def test_a_search_finds_all_that_it_needs_in_the_folder():
    missed = json.loads(in_python(SEARCHES))
    assert {name for name, times in missed.items() if times} == set()


def chosen(monkeypatch, *places):
    """The folder that is chosen of some."""
    monkeypatch.setattr(store, "candidates", lambda: iter(places))
    store.folder.cache_clear()
    try:
        return store.folder()
    finally:
        store.folder.cache_clear()


def test_a_folder_that_cannot_be_written_is_passed_over(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    blocked = [tmp_path / "file" / "sub", Path("/proc/nodewise"), Path("/sys/nodewise")]
    free = tmp_path / "free"
    assert chosen(monkeypatch, *blocked, free) == free
    assert chosen(monkeypatch, *blocked) is None


def test_a_complete_folder_comes_before_one_that_can_be_written(monkeypatch, tmp_path):
    done, free = tmp_path / "done", tmp_path / "free"
    done.mkdir()
    store.leave_stamp(done, [])
    assert chosen(monkeypatch, free, done) == done


def test_the_users_settings_name_the_folders(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    places = list(store.candidates())
    assert places[0].parent == tmp_path / "numba"
    assert places[1].is_relative_to(ROOT / "solver")
    if os.name != "nt":
        assert places[2].is_relative_to(tmp_path / "cache")
    assert len({place.name for place in places}) == 1


@pytest.mark.skipif(os.name == "nt", reason="owners are checked on POSIX systems")
def test_a_temporary_folder_that_others_may_write_is_not_trusted(tmp_path):
    own = tmp_path / "own"
    assert store._is_private(own)
    own.mkdir(mode=0o700)
    assert store._is_private(own)
    own.chmod(0o777)
    assert not store._is_private(own)
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert not store._is_private(link)


def test_old_versions_are_removed_once_they_are_a_month_old(tmp_path):
    now, old, young = (tmp_path / f"nodewise-{name}" for name in ("now", "old", "young"))
    for place in (now, old, young):
        place.mkdir()
    for path in (now, old):
        os.utime(path, (1e9, 1e9))
    store.remove_unused(now)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nodewise-now", "nodewise-young"]


@pytest.mark.parametrize("method", list(methods()))
def test_every_method_answers_without_compiled_code(nowhere, method):
    instance = from_spec(MEDIUM)
    result = solve(instance, method, time_limit=1, num_workers=1)
    assert result.status in (Status.FEASIBLE, Status.OPTIMAL)
    assert check(instance, result.allocation) == []


@pytest.mark.parametrize("method", ["auto", "local-search", "column-generation"])
def test_what_was_done_without_compiled_code_is_said(nowhere, method):
    result = solve(from_spec(MEDIUM), method, time_limit=1)
    assert "without its compiled search" in result.message
    assert "NUMBA_CACHE_DIR" in result.message
    assert result.cost <= solve(from_spec(MEDIUM), "greedy").cost


def test_while_another_process_compiles_the_search_is_a_plain_one(fresh, started):
    handle = hold(fresh)
    result = solve(from_spec(MEDIUM), "local-search", time_limit=1)
    os.close(handle)
    assert result.status is Status.FEASIBLE
    assert "a later run will find it done" in result.message
    assert started == []


def test_once_the_code_is_there_the_same_run_goes_on_with_it(fresh, started, monkeypatch):
    done = time.monotonic() + 0.3
    monkeypatch.setattr(ready, "is_ready", lambda whole=False: time.monotonic() > done)
    module = sys.modules[local_search.__module__]
    monkeypatch.setattr(module, "is_ready", lambda whole=False: time.monotonic() > done)
    result = solve(from_spec(MEDIUM), "local-search", time_limit=3)
    assert result.status is Status.FEASIBLE
    assert result.message is None


@pytest.mark.parametrize("method", ["auto", "greedy", "local-search"])
def test_where_loading_the_code_would_take_the_time_a_large_instance_is_placed_without_it(
    monkeypatch, method
):
    monkeypatch.setattr(ready._Compiler, "used", False)
    instance = from_spec("uniform:nodes=300,tasks=9000,storage=0.9,node_types=all")
    result = solve(instance, method, time_limit=1)
    assert check(instance, result.allocation) == []
    assert not ready._Compiler.used


def test_large_instances_get_a_greedy_answer_without_compiled_code(nowhere):
    instance = from_spec("uniform:nodes=300,tasks=9000,storage=0.9,node_types=all")
    result = solve(instance, time_limit=2)
    assert check(instance, result.allocation) == []
    assert float(result.gap) < 0.05


def test_the_bound_by_columns_waits_for_no_compiler(nowhere):
    instance = from_spec("few_per_node:nodes=8")
    assert lower_bound(instance, "column-generation", time_limit=2) > 0


def test_warm_up_says_where_the_code_is(capsys):
    assert run_command(["warm-up"]) == 0
    assert str(store.folder().name) in capsys.readouterr().err.replace("\n", "")


def test_warm_up_without_a_folder_is_an_error(nowhere, capsys):
    assert run_command(["warm-up"]) == 1
    assert "NUMBA_CACHE_DIR" in capsys.readouterr().err.replace("\n", " ")


def test_warm_up_says_why_compiling_failed(fresh, monkeypatch):
    ready.mark_failed(fresh, "OSError: of an earlier time")

    def start(place, lock, whole):
        ready.mark_failed(place, "OSError: disk full")
        return subprocess.Popen([sys.executable, "-c", "import sys; sys.exit(1)"])

    monkeypatch.setattr(ready, "_start", start)
    with pytest.raises(BackendUnavailableError, match="disk full"):
        ready.warm_up()


def options(**changes):
    return replace(Options(deadline=time.monotonic() + 60), **changes)


def test_the_plain_searchs_cost_is_that_of_its_allocation():
    compared = moved = 0
    for instance in random_instances(40, seed=21):
        found = solve(instance, "greedy").allocation
        if found is None:
            continue
        problem = Problem(instance)
        search = PlainSearch(problem, found.node_index, seed=1)
        before = search.cost
        for _ in range(3):
            search.descend(np.arange(instance.num_nodes))
            assert search.cost == search.recomputed() <= before
            search.ruin()
            assert search.cost == search.recomputed() <= before
        assert check(instance, search.placement.node_index) == []
        again = Placement(problem)
        again.fill(np.arange(instance.num_tasks), search.placement.node_index)
        for name in ("load", "count", "room"):
            assert (getattr(again, name) == getattr(search.placement, name)).all()
        compared += 1
        moved += search.cost < before
    assert compared >= 25
    assert moved >= 5


def test_the_plain_search_draws_the_same_for_a_seed():
    problem = Problem(from_spec(MEDIUM))
    start = solve(from_spec(MEDIUM), "greedy").allocation.node_index

    def searched(seed):
        search = PlainSearch(problem, start, seed)
        search.descend(np.arange(30))
        for _ in range(10):
            search.ruin()
        return search.placement.node_index.tolist(), search.looked

    assert searched(3) == searched(3)
    assert searched(3) != searched(4)


@pytest.mark.parametrize(
    "spec",
    [
        "uniform:nodes=150,tasks=900,storage=0.9,node_types=all",
        "uniform:nodes=20,tasks=900,storage=0.9,node_types=all",
        "gpu_cluster:nodes=60",
    ],
)
def test_the_plain_greedy_places_everything_and_keeps_all_limits(spec):
    instance = from_spec(spec)
    problem = Problem(instance)
    placement = Placement(problem)
    assert fill_plainly(placement, largest_first(problem), options()) == []
    assert check(instance, placement.node_index) == []
    again = Placement(problem)
    again.fill(np.arange(instance.num_tasks), placement.node_index)
    for name in ("load", "count", "room"):
        assert (getattr(again, name) == getattr(placement, name)).all()


def test_the_plain_greedy_opens_nodes_only_as_needed_and_says_what_fits_nowhere():
    instance = Instance.from_arrays(
        node_compute=[10] * 4,
        node_storage=[5] * 4,
        task_compute=[4, 3, 2],
        task_storage=[2, 1, 9],
        power_off=True,
    )
    placement = Placement(Problem(instance))
    assert fill_plainly(placement, np.arange(3), options()) == [2]
    assert (placement.count > 0).sum() == 1


def test_the_plain_greedy_stops_at_the_deadline():
    problem = Problem(from_spec(MEDIUM))
    late = options(deadline=time.monotonic() - 1)
    assert fill_plainly(Placement(problem), largest_first(problem), late) is None
