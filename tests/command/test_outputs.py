"""Outputs of the command line: one transaction, no result lost, targets named in errors."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from solver.command import display, outputs, shared, solving
from solver.errors import MethodError
from solver.files.allocation import read_allocation
from solver.files.instance import write_instance
from solver.model.allocation import Allocation
from solver.model.instance import Instance, Node, Task
from solver.model.result import Progress
from solver.system import signals
from solver.system.scratch import Scratch

ROOT = Path(__file__).resolve().parents[2]
SPEC = "uniform:nodes=3,tasks=9,seed=1"
GREEDY = ["solve", SPEC, "--method", "greedy"]
ALL = ["-o", "a.csv", "--loads", "l.csv", "--json", "r.json"]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="rights, devices and signals of POSIX")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def fresh_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_let_through", True)
    monkeypatch.setattr(signals, "_raised_at", None)


Run = Callable[..., tuple[int, str, str]]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """A line of sh in which $N is the command line."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "N": f"{sys.executable} -m solver"}
    return subprocess.run(
        ["sh", "-c", line], env=environment, capture_output=True, text=True, timeout=120
    )


def test_no_output_takes_its_name_before_all_are_written(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync, commit = Scratch.sync, Scratch.commit
    monkeypatch.setattr(Scratch, "sync", lambda self: (order.append("written"), sync(self))[1])
    monkeypatch.setattr(Scratch, "commit", lambda self: (order.append("named"), commit(self))[1])
    assert run(*GREEDY, *ALL)[0] == 0
    assert order == ["written"] * 3 + ["named"] * 3
    assert names(folder) == ["a.csv", "l.csv", "r.json"]


@pytest.mark.parametrize("step", ["sync", "commit"])
def test_one_output_that_fails_does_not_stop_the_others(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """After the solve: the summary first, the target in the error, exit code 1."""
    (folder / "l.csv").write_text("old")
    whole = getattr(Scratch, step)

    def failing(self: Scratch) -> None:
        if self.path.name.startswith(".l.csv."):
            raise OSError(errno.ENOSPC, "No space left on device", str(self.path))
        whole(self)

    monkeypatch.setattr(Scratch, step, failing)
    code, _, err = run(*GREEDY, *ALL)
    assert code == 1
    lines = err.splitlines()
    assert lines[0].startswith("instance ")
    assert "error: --loads l.csv could not be written: No space left on device" in lines
    assert [line.split()[1] for line in lines if line.startswith("written")] == ["a.csv", "r.json"]
    assert names(folder) == ["a.csv", "l.csv", "r.json"]
    assert (folder / "l.csv").read_text() == "old"


@pytest.mark.parametrize("place", ["solve", "show_summary", "dump_allocation", "dump_result"])
def test_a_signal_after_the_solve_loses_nothing(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """As the handler has it: once the result is there, it is noted and no more."""
    owner = shared if place == "dump_allocation" else solving
    whole = getattr(owner, place)

    def interrupted(*arguments: Any, **options: Any) -> Any:
        result = whole(*arguments, **options)
        with (
            contextlib.suppress(KeyboardInterrupt) if place == "solve" else contextlib.nullcontext()
        ):
            signals._interrupt(2, None)
        return result

    monkeypatch.setattr(owner, place, interrupted)
    assert run(*GREEDY, *ALL)[0] == 0
    assert names(folder) == ["a.csv", "l.csv", "r.json"]


def test_a_signal_as_the_solve_returns_keeps_the_result(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def late() -> Iterator[None]:
        yield
        raise KeyboardInterrupt

    monkeypatch.setattr(signals, "let_through", late)
    assert run(*GREEDY, *ALL)[0] == 0
    assert names(folder) == ["a.csv", "l.csv", "r.json"]


def test_a_pipe_that_nobody_reads_can_be_interrupted(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blocked(output: outputs.Output) -> None:
        with signals.let_through():
            signals._interrupt(2, None)

    monkeypatch.setattr(outputs, "_write_straight", blocked)
    code, _, err = run(*GREEDY, "-o", "-", "--json", "r.json")
    assert code == 1
    assert "error: --output - could not be written: interrupted" in err
    assert names(folder) == ["r.json"]


def never(*_: Any, **__: Any) -> None:
    raise AssertionError("solve was called")


def refused(run: Run, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """The one line by which arguments are refused before solving."""
    monkeypatch.setattr(solving, "solve", never)
    code, out, err = run(*GREEDY, *arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    return err


def test_targets_that_cannot_be_written_are_refused_before_solving(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "loop").symlink_to("loop")
    (folder / "nowhere").symlink_to("none/x.csv")
    (folder / "read-only.csv").write_text("old")
    (folder / "read-only.csv").chmod(0o444)
    err = refused(run, monkeypatch, "-o", "loop")
    assert err == "error: --output loop: Too many levels of symbolic links\n"
    assert "none does not exist" in refused(run, monkeypatch, "--loads", "nowhere")
    assert "the file is read-only" in refused(run, monkeypatch, "--json", "read-only.csv")
    assert "File name too long" in refused(run, monkeypatch, "-o", "x" * 300)
    assert names(folder) == ["loop", "nowhere", "read-only.csv"]


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, where the tests run as root."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def as_nobody_in(place: str) -> Iterator[None]:
    """Without rights to the folder "locked", to which a link leads."""
    Path(place).chmod(0o755)
    Path(place, "locked").mkdir(mode=0o555)
    Path(place, "link").symlink_to("locked/a.csv")
    with as_nobody():
        yield


def test_a_folder_without_rights_is_refused_before_solving(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A folder of its own: other users cannot enter pytest's, whose mode is not ours to change.
    with (
        tempfile.TemporaryDirectory() as place,
        monkeypatch.context() as patch,
        as_nobody_in(place),
    ):
        patch.chdir(place)
        err = refused(run, monkeypatch, "-o", "locked/a.csv")
        assert "--output locked/a.csv: no file can be made in" in err
        assert "Permission denied" in err
        assert "--output link: no file can be made in" in refused(run, monkeypatch, "-o", "link")


def test_standard_output_that_is_closed_or_not_read() -> None:
    done = shell("$N solve example --json - >&-")
    assert done.returncode == 1
    assert done.stderr == "error: --json -: standard output is closed\n"
    done = shell("($N solve example -o - --json r.json; echo code $? >&2) | head -0")
    assert "error: --output - could not be written: Broken pipe\n" in done.stderr
    assert done.stderr.endswith("code 1\n")
    assert "status       optimal" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(Path("r.json").read_text())["status"] == "optimal"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_devices() -> None:
    done = shell("$N solve example -o /dev/full --json r.json")
    assert done.returncode == 1
    assert "error: --output /dev/full could not be written: No space left on device" in done.stderr
    assert Path("r.json").exists()
    assert shell("$N solve example -o a.csv 2>/dev/full").returncode == 0
    assert Path("a.csv").exists()
    done = shell("$N versions >/dev/full")
    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


def test_a_file_that_grows_too_large_leaves_the_old_one() -> None:
    Path("a.csv").write_text("old")
    big = "uniform:nodes=9,tasks=3000"
    done = shell(f"ulimit -f 4; $N solve {big} --method greedy -o a.csv --loads l.csv")
    assert done.returncode == 1
    assert "error: --output a.csv could not be written: File too large" in done.stderr
    assert Path("a.csv").read_text() == "old"
    assert Path("l.csv").exists()
    assert names(Path()) == ["a.csv", "l.csv"]


def can_mount() -> bool:
    line = "unshare -m mount -t tmpfs -o size=4k tmpfs /tmp"
    return sys.platform == "linux" and shell(line).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="mounting needs rights")
def test_mounted_files_are_written_in_place_and_a_full_disk_leaves_the_old_file() -> None:
    write_instance(Instance([Node("a", 10)], [Task("t", 3)]), "i.json")
    Path("inner.csv").write_text("old and longer than what comes in its place, by some")
    Path("outer.csv").touch()
    Path("small").mkdir()
    done = shell(
        "unshare -m sh -c 'mount --bind inner.csv outer.csv && $N solve i.json -o outer.csv &&"
        " mount -t tmpfs -o size=4k tmpfs small && echo old >small/a.csv &&"
        " $N solve uniform:nodes=9,tasks=3000 --method greedy -o small/a.csv;"
        " echo code $?; ls -A small; cat small/a.csv'"
    )
    assert Path("inner.csv").read_text() == "task_id,node_id\nt,a\n", done.stderr
    assert done.stdout == "code 1\na.csv\nold\n"
    assert "error: --output small/a.csv could not be written: No space left" in done.stderr


def test_ids_reach_files_as_they_are_and_terminals_escaped(run: Run) -> None:
    evil = "\x1b]0;title\x07\u202e=cmd()"
    instance = Instance([Node("a", 1, storage=1)], [Task(evil, 1, storage=2)], name=evil)
    write_instance(instance, "i.json")
    code, out, err = run("solve", "i.json", "--json", "r.json")
    assert code == 2
    for control in "\x1b\x07\u202e":
        assert control not in out + err
    assert "\\x1b]0;title\\x07\\u202e=cmd()" in err
    assert json.loads(Path("r.json").read_text())["instance"] == evil
    fine = Instance([Node("a", 1)], [Task(evil, 1)])
    write_instance(fine, "fine.json")
    assert run("solve", "fine.json", "-o", "a.csv")[0] == 0
    assert dict(read_allocation(fine, "a.csv").node_of) == {evil: "a"}


def test_a_summary_that_fails_loses_nothing(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise OverflowError("a bug")

    monkeypatch.setattr(solving, "show_summary", fails)
    with pytest.raises(OverflowError, match="a bug"):
        run(*GREEDY, *ALL)
    assert names(folder) == ["a.csv", "l.csv", "r.json"]


def test_a_contradiction_between_methods_still_writes_the_checked_allocation(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contradicts(instance: Instance, *_: Any, **__: Any) -> None:
        raise MethodError("two claims", Allocation(instance, [0] * instance.num_tasks))

    monkeypatch.setattr(solving, "solve", contradicts)
    code, _, err = run(*GREEDY, *ALL)
    assert code == 1
    assert err.endswith("error: two claims\n")
    assert names(folder) == ["a.csv", "l.csv"]


def test_a_message_without_end_is_cut() -> None:
    assert display.shown("x" * 5000) == "x" * 4000 + " ... (1,000 more)"


def test_a_terminal_that_is_gone_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, run: Run, folder: Path
) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(display.Console, "print", gone)
    monkeypatch.setattr(display.Live, "stop", gone)
    monkeypatch.setattr(display.Console, "is_terminal", True)
    monkeypatch.setattr(display.Console, "is_dumb_terminal", False)
    with display.live_progress() as on_progress:
        assert on_progress is not None
        on_progress(Progress(0.1, None, 150))
    assert run(*GREEDY, *ALL)[0] == 0
    assert names(folder) == ["a.csv", "l.csv", "r.json"]


@pytest.mark.parametrize("command", ["solve", "bound"])
@pytest.mark.parametrize(("limit", "code"), [("nan", 1), ("-5", 1), ("inf", 0), ("1e10", 0)])
def test_time_limits_without_end_and_without_sense(
    run: Run, command: str, limit: str, code: int
) -> None:
    found, _, err = run(command, SPEC, "--time-limit", limit)
    assert found == code, err
    if code:
        assert err.startswith("error: time_limit is ")


def test_files_of_an_instance_do_not_overwrite_those_that_are_read(run: Run, folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    (data / "nodes.csv").write_text("sn,cpu_milli,memory_mib,gpu,model\nn0,64000,262144,2,V100\n")
    (data / "pods.csv").write_text("name,cpu_milli,memory_mib,num_gpu,gpu_milli\np0,4,8,1,500\n")
    code, _, err = run("convert", "openb", "data/nodes.csv", "data/pods.csv", "-o", "data")
    assert code == 1
    assert "--output data/nodes.csv would overwrite an input" in err
