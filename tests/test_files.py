"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
import threading

import pytest

from solver.files import atomic_text


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
