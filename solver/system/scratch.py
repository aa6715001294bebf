"""Scratch files: written beside their target, they take its name at the end, or go away.

A scratch file is locked by the process that writes it. One that nobody holds a lock on is left
from a process that was killed, and the next one that writes to the same target removes it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from .locks import lock

__all__ = ["Scratch", "is_stream", "naming", "require_writable"]

StrPath = str | os.PathLike[str]

_SUFFIX = ".nodewise-scratch"
_LONGEST_STEM = 100  # bytes of the target's name; a name may have 255
_NO_RIGHTS = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def naming(path: StrPath, *hidden: StrPath) -> Iterator[None]:
    """Errors of the operating system about `hidden` files, or about none, name `path`."""
    try:
        yield
    except OSError as error:
        about = error.filename
        if error.errno is None or (about is not None and str(about) not in map(str, hidden)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


def is_stream(path: StrPath) -> bool:
    """Whether a path is a device, pipe or socket, which cannot be replaced by a file."""
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def require_writable(path: StrPath) -> None:
    """Require that a file can be made or replaced there, by making a scratch file.

    Raises
    ------
    OSError
        Naming `path`.
    """
    if is_stream(path):
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return
    with Scratch(path):
        pass


class Scratch:
    """A file on its way to a target; a context that removes it unless it was committed.

    Parameters
    ----------
    path : str or path
        The target, which may be reached through links. Where a file stands there already, and
        its folder has no room or no rights for another one, the scratch file is made in the
        folder for temporary files.

    Attributes
    ----------
    path : Path
        The scratch file, which exists and is empty.

    Raises
    ------
    OSError
        Naming the target, if nothing can be written there.
    """

    def __init__(self, path: StrPath) -> None:
        self._given = path
        self._target = _place_of(path)
        self._mode = _mode_of(self._target, path)
        with naming(path, self._target):
            self.path, descriptor = _made(self._target, replaces=self._mode is not None)
        self._lock: int | None = descriptor
        self._committed = False
        self._mode_made = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if not self._mode_made & 0o200:  # an umask that leaves new files read-only
            self.path.chmod(self._mode_made | 0o200)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._committed:
            with contextlib.suppress(OSError):
                self.path.unlink()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def sync(self) -> None:
        """See to it that what was written is on the disk."""
        with naming(self._given, self.path), self.path.open("rb+") as stream:
            os.fsync(stream.fileno())

    def commit(self) -> None:
        """Give the file the name of its target; its mode, too, if the target stands there.

        Where a file cannot be replaced, as one that a container mounts by itself, but can be
        written to, the data are copied into it.
        """
        if os.name == "nt":
            self._unlock()  # there, an open file cannot be renamed
        with naming(self._given, self.path, self._target):
            wanted = self._mode_made if self._mode is None else self._mode
            if stat.S_IMODE(self.path.stat().st_mode) != wanted:
                self.path.chmod(wanted)
            try:
                self.path.replace(self._target)
            except OSError:
                if self._mode is None:
                    raise
                _copy_into(self.path, self._target)
            else:
                self._committed = True


def _place_of(path: StrPath) -> Path:
    """The file that a path leads to, which need not exist, in a folder that does."""
    if not Path(path).parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {Path(path).parent} does not exist")
    if Path(path).is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file")
    with naming(path), contextlib.suppress(FileNotFoundError):
        Path(path).stat()  # says no for a loop of links
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {target.parent} does not exist")
    return target


def _mode_of(target: Path, given: StrPath) -> int | None:
    """The mode of the file that will be replaced, None if there is none.

    The system's own rules would let a file that nobody may write to be replaced.
    """
    try:
        mode = stat.S_IMODE(target.stat().st_mode) & 0o777
    except FileNotFoundError:
        return None
    if not mode & 0o222:
        raise PermissionError(
            errno.EACCES, "the file is read-only; change its mode or name another", str(given)
        )
    with naming(given, target):
        os.close(os.open(target, os.O_WRONLY))  # says no for an immutable file, too
    return mode


def _made(target: Path, replaces: bool) -> tuple[Path, int]:
    """A new scratch file and the descriptor that holds its lock."""
    try:
        return _made_in(target.parent, target.name, replaces)
    except OSError as error:
        if not replaces or error.errno not in _NO_RIGHTS:
            raise
    return _made_in(Path(tempfile.gettempdir()), target.name, replaces)


def _made_in(folder: Path, name: str, replaces: bool) -> tuple[Path, int]:
    stem = "." + os.fsencode(name)[:_LONGEST_STEM].decode(errors="ignore") + "."
    _remove_stale(folder, stem)
    mode = 0o600 if replaces else 0o666  # a new file keeps what the umask leaves of it
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    while True:
        path = folder / f"{stem}{secrets.token_hex(4)}{_SUFFIX}"
        try:
            descriptor = os.open(path, flags, mode)
        except FileExistsError:
            continue
        except OSError as error:
            reason = f"no file can be made in {folder}: {error.strerror}"
            raise OSError(error.errno, reason) from None
        lock(descriptor, wait=True)
        if _is_at(descriptor, path):
            return path, descriptor
        os.close(descriptor)  # removed as stale in the moment before it was locked


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _remove_stale(folder: Path, stem: str) -> None:
    """Remove the scratch files of this target that no living process holds."""
    name = re.compile(re.escape(stem) + "[0-9a-f]{8}" + re.escape(_SUFFIX))
    with contextlib.suppress(OSError):
        for found in [entry.name for entry in os.scandir(folder) if name.fullmatch(entry.name)]:
            with contextlib.suppress(OSError):
                _remove_if_stale(folder / found)


def _remove_if_stale(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        if lock(descriptor) and _is_at(descriptor, path):
            path.unlink()
    finally:
        os.close(descriptor)


def _copy_into(source: Path, target: Path) -> None:
    """Write over a file in place; where there is no room for it, before a byte is changed."""
    with source.open("rb") as data, target.open("r+b") as sink:
        before, size = os.fstat(sink.fileno()).st_size, os.fstat(data.fileno()).st_size
        if size and hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(sink.fileno(), 0, size)
            except OSError:
                sink.truncate(before)
                raise
        shutil.copyfileobj(data, sink)
        sink.truncate()
        sink.flush()
        os.fsync(sink.fileno())
