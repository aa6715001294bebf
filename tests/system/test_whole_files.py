"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from solver.system.whole_files import atomic_path, atomic_paths, atomic_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_half(target, error):
    with atomic_text(target) as stream:
        stream.write("half of the n")
        raise error


def test_a_new_file_is_written_in_utf8_with_plain_line_ends(tmp_path):
    with atomic_text(tmp_path / "a.csv") as stream:
        stream.write("knoten-ü\r\nx\n")
    assert (tmp_path / "a.csv").read_bytes() == "knoten-ü\r\nx\n".encode()
    assert names(tmp_path) == ["a.csv"]


def test_a_path_may_be_text(tmp_path):
    with atomic_text(str(tmp_path / "a.csv")) as stream:
        stream.write("x")
    assert (tmp_path / "a.csv").read_text() == "x"


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("old")
    with atomic_text(target) as stream:
        stream.write("new")
        stream.flush()
        assert target.read_text() == "old"
    assert target.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_midway_leaves_the_old_file_and_no_scratch_file(tmp_path, error):
    target = tmp_path / "a.csv"
    target.write_text("old")
    with pytest.raises(error):
        write_half(target, error())
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


def test_an_error_midway_makes_no_new_file(tmp_path):
    with pytest.raises(ValueError, match="midway"):
        write_half(tmp_path / "a.csv", ValueError("midway"))
    assert names(tmp_path) == []


def test_text_that_has_no_encoding_leaves_nothing_behind(tmp_path):
    with pytest.raises(UnicodeEncodeError), atomic_text(tmp_path / "a.csv") as stream:
        stream.write("\ud800")
    assert names(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path):
    target = tmp_path / "nowhere" / "a.csv"
    with (
        pytest.raises(FileNotFoundError, match=r"nowhere does not exist$"),
        atomic_text(target) as stream,
    ):
        stream.write("x")
    assert names(tmp_path) == []


def test_a_folder_is_no_file(tmp_path):
    with (
        pytest.raises(IsADirectoryError, match="is a folder; name a file"),
        atomic_text(tmp_path) as stream,
    ):
        stream.write("x")
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
def test_the_mode_of_the_old_file_is_kept_and_a_new_one_gets_the_usual(tmp_path):
    old, new, plain = tmp_path / "old", tmp_path / "new", tmp_path / "plain"
    old.write_text("x")
    old.chmod(0o640)
    plain.write_text("x")
    for target in (old, new):
        with atomic_text(target) as stream:
            stream.write("y")
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert stat.S_IMODE(new.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_link_keeps_pointing_at_the_file(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    with atomic_text(tmp_path / "link") as stream:
        stream.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()), daemon=True)
    reader.start()
    with atomic_text(pipe) as stream:
        stream.write("text")
    reader.join(timeout=10)
    assert received == ["text"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_file_that_nobody_may_write_to_is_refused(tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("old")
    target.chmod(0o444)
    with pytest.raises(PermissionError, match="read-only; change its mode"):
        write_half(target, ValueError())
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


def test_a_loop_of_links_is_an_error_that_names_it(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match=r"symbolic links: '.*loop'"):
        write_half(tmp_path / "loop", ValueError())
    assert names(tmp_path) == ["loop"]


def test_errors_name_the_target_and_not_the_scratch_file(tmp_path):
    target = tmp_path / "a.csv"
    with pytest.raises(OSError, match=r"No space.*a\.csv'$"):
        write_half(target, OSError(28, "No space left on device"))
    with pytest.raises(OSError, match=r"other\.csv'$"):
        write_half(target, OSError(28, "No space left on device", "other.csv"))


def test_names_of_any_length_and_script_have_room_for_a_scratch_file(tmp_path):
    for name in ("x" * 255, "ü" * 127, "\U0001f600" * 63):
        with atomic_text(tmp_path / name) as stream:
            stream.write("text")
        assert (tmp_path / name).read_text() == "text"


def test_the_umask_is_not_touched(tmp_path, monkeypatch):
    def never(mask):
        raise AssertionError("threads share the umask")

    monkeypatch.setattr(os, "umask", never)
    with atomic_text(tmp_path / "a.csv") as stream:
        stream.write("text")
    assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) & 0o600 == 0o600


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
def test_an_umask_that_leaves_new_files_read_only(tmp_path):
    code = (
        "import os, sys; from solver.system.whole_files import atomic_text; os.umask(0o222)\n"
        "with atomic_text(sys.argv[1]) as stream: stream.write('text')"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code, tmp_path / "a.csv"], cwd=root, check=True)
    assert (tmp_path / "a.csv").read_text() == "text"
    assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o444


def test_a_secret_file_is_secret_while_it_is_written(tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("old")
    target.chmod(0o600)
    with atomic_path(target) as scratch:
        assert stat.S_IMODE(scratch.stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [errno.EBUSY, errno.EPERM, errno.EXDEV])
def test_a_file_that_cannot_be_replaced_is_written_in_place(tmp_path, monkeypatch, error):
    def busy(self, target):
        raise OSError(error, os.strerror(error), str(self))

    target = tmp_path / "a.csv"
    target.write_text("old and longer")
    number = target.stat().st_ino
    monkeypatch.setattr(Path, "replace", busy)
    with atomic_text(target) as stream:
        stream.write("new")
    assert (target.read_text(), target.stat().st_ino) == ("new", number)
    with pytest.raises(OSError, match=r"new\.csv'$"), atomic_text(tmp_path / "new.csv") as stream:
        stream.write("new")
    assert names(tmp_path) == ["a.csv"]


def test_no_room_in_place_leaves_the_old_text(tmp_path, monkeypatch):
    def busy(self, target):
        raise OSError(errno.EBUSY, "busy", str(self))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "a.csv"
    target.write_text("old")
    monkeypatch.setattr(Path, "replace", busy)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=r"No space.*a\.csv'$"), atomic_text(target) as stream:
        stream.write("new and longer")
    assert target.read_text() == "old"


def test_several_files_take_their_names_together(tmp_path):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    with atomic_paths(paths) as scratches:
        for scratch in scratches:
            scratch.write_text("new")
        assert not any(path.exists() for path in paths)
    assert names(tmp_path) == ["a.csv", "b.csv"]
    with pytest.raises(FileNotFoundError), atomic_paths([paths[0], tmp_path / "none" / "c.csv"]):
        pass
    assert names(tmp_path) == ["a.csv", "b.csv"]


WRITER = """
import sys, time
from solver.system.scratch import Scratch
with Scratch(sys.argv[1]):
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="locks of files are a POSIX matter")
def test_scratch_files_of_dead_processes_are_removed_and_of_living_ones_not(tmp_path):
    target = tmp_path / "a.csv"
    (tmp_path / ".a.csv.backup_1").write_text("the user's")
    (tmp_path / ".b.csv.01234567.nodewise-scratch").write_text("of another target")
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", WRITER, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as writer:
        try:
            writer.stdout.readline()
            before = names(tmp_path)
            assert len(before) == 3
            with atomic_text(target) as stream:
                stream.write("text")
            assert names(tmp_path) == sorted([*before, "a.csv"])
        finally:
            writer.kill()
    assert names(tmp_path) == sorted([*before, "a.csv"])
    with atomic_text(target) as stream:
        stream.write("text")
    assert names(tmp_path) == [".a.csv.backup_1", ".b.csv.01234567.nodewise-scratch", "a.csv"]
