"""Where the compiled kernels are kept: a folder for each version of everything they depend on.

The folder's name is a digest of the kernels' sources, of numba, NumPy and Python, and of the
processor. So what lies in a folder is never out of date, and nobody needs to delete what another
process may be using. A stamp that lists the files says that a folder is complete.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from ...system.undisturbed import load

__all__ = ["candidates", "digest", "folder", "is_complete", "leave_stamp", "remove_unused"]

_log = logging.getLogger(__name__)

_STAMPS = {False: "complete.json", True: "complete-whole.json"}
_NOT_COMPILED = ("ready", "store")  # modules whose code does not matter here
_KINDS = (".nbi", ".nbc")  # numba's index and data files
_UNUSED_DAYS = 30
_DAY = 86_400.0
_KERNELS = Path(__file__).parents[1]


@lru_cache
def digest() -> str:
    """What compiled code depends on, in 16 hexadecimal digits."""
    binding = load("llvmlite.binding")  # not above: it takes a tenth of a second
    files = (path for path in sorted(_KERNELS.rglob("*.py")) if path.stem not in _NOT_COMPILED)
    sources = [path.read_bytes() for path in files]
    features = os.environ.get("NUMBA_CPU_FEATURES", binding.get_host_cpu_features().flatten())
    rest = [
        *(f"{name} {version(name)}" for name in ("numba", "llvmlite", "numpy")),
        sys.version,
        sys.platform,
        os.environ.get("NUMBA_CPU_NAME", binding.get_host_cpu_name()),
        features,
    ]
    parts = [*sources, *(text.encode() for text in rest)]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[
        :16
    ]


@lru_cache
def folder() -> Path | None:
    """The folder of this process: a complete one, else the first that can be written, else None.

    One that the user has named is taken where it can be written, complete or not.
    """
    places = list(candidates())
    if os.environ.get("NUMBA_CACHE_DIR") and _is_writable(places[0]):
        return places[0]
    complete = (place for place in places if is_complete(place))
    return next(complete, None) or next((place for place in places if _is_writable(place)), None)


def candidates() -> Iterator[Path]:
    """Folders that come into question, the most wanted first.

    The one that NUMBA_CACHE_DIR names, beside the sources, the user's cache folder, and a
    private one among the temporary files.
    """
    own = os.environ.get("NUMBA_CACHE_DIR")
    if own:
        yield Path(own).absolute() / f"nodewise-{digest()}"
    yield _KERNELS / "__pycache__" / f"nodewise-{digest()}"
    cache = _user_cache()
    if cache is not None:
        yield cache / "nodewise" / f"nodewise-{digest()}"
    user = os.getuid() if hasattr(os, "getuid") else "user"
    for base in (_temporary(), "/dev/shm"):
        if base is not None and Path(base).is_dir():
            private = Path(base) / f"nodewise-{user}"
            if _is_private(private):
                yield private / f"nodewise-{digest()}"


def is_complete(place: Path, whole: bool = False) -> bool:
    """Whether everything is in a folder: the stamp is there, and so is every file it lists.

    `whole` asks for the kernels of whole models and of `packing` too, which have a stamp of their
    own.
    """
    try:
        sizes = json.loads((place / _STAMPS[whole]).read_text(encoding="utf-8"))
        return all((place / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def leave_stamp(place: Path, functions: list[str], whole: bool = False) -> None:
    """Say that a folder is complete, with or without the kernels of whole models.

    Parameters
    ----------
    functions : list of str
        ``module.name`` of all functions whose code has to be there.

    Raises
    ------
    FileNotFoundError
        If the code of a function is not there.
    """
    sizes = {path.name: path.stat().st_size for path in _code_in(place)}
    for function in functions:
        for kind in _KINDS:
            if not any(name.startswith(f"{function}-") and name.endswith(kind) for name in sizes):
                raise FileNotFoundError(f"{place} has no {kind} file of {function}")
    handle, name = tempfile.mkstemp(dir=place, prefix=".stamp.")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(sizes, stream)
    Path(name).chmod(0o644)
    Path(name).replace(place / _STAMPS[whole])


def remove_unused(place: Path) -> None:
    """Remove the folders of other versions beside this one that are a month old or more."""
    for other in place.parent.glob("nodewise-*"):
        try:
            newest = max(path.stat().st_mtime for path in (other, *other.iterdir()))
            if other != place and time.time() - newest > _UNUSED_DAYS * _DAY:
                shutil.rmtree(other)
        except OSError as error:
            _log.info("%s could not be removed: %s", other, error)


def _code_in(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.suffix in _KINDS)


def _user_cache() -> Path | None:
    if os.name == "nt":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) if local else None
    cache = os.environ.get("XDG_CACHE_HOME")
    if cache:
        return Path(cache) if Path(cache).is_absolute() else None
    try:
        home = Path.home()
    except RuntimeError:  # nobody knows where the user is at home
        return None
    if not home.is_absolute() or not home.is_dir():
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache")


def _temporary() -> str | None:
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        return None


def _is_private(path: Path) -> bool:
    """Whether a folder that others could have made first is, or will be, the user's alone."""
    if not hasattr(os, "getuid"):
        return True
    try:
        found = path.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.getuid()
        and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def _is_writable(place: Path) -> bool:
    """Whether files can be made in a folder, which is made if need be."""
    try:
        if place.parent.name.startswith("nodewise-") and not place.parent.is_dir():
            place.parent.mkdir(mode=0o700)
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False
