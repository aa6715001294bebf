"""Reading and writing instances, allocations and results.

An instance is one JSON file, or a folder or zip with `nodes.csv`, `tasks.csv`, `variants.csv`
where tasks have variants, and `instance.json` for its settings. Every file is written whole or
not at all.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from ..errors import InstanceError
from ..model.instance import Instance
from ..system.scratch import naming
from ..system.whole_files import atomic_path, atomic_paths, atomic_text, write_csv
from .archive import read_members
from .objects.loading import load_object
from .objects.reading import parse_instance, settings_of
from .objects.writing import instance_lines, settings_to_write
from .table import Table, read_table
from .tables.reading import instance_of_tables
from .tables.variants import NO_VARIANTS, variant_table
from .tables.writing import node_table, task_table
from .text import read_bytes

__all__ = ["FOLDER_FILES", "read_instance", "write_instance"]

StrPath = str | os.PathLike[str]
FOLDER_FILES = _NODES, _TASKS, _SETTINGS, _VARIANTS = (
    "nodes.csv", "tasks.csv", "instance.json", "variants.csv",
)  # fmt: skip
"""The files of an instance in a folder or zip."""

_FORMS = "an instance is a .json file, or a folder or .zip with nodes.csv and tasks.csv"


_IN_TABLES = {"models": _VARIANTS, "current": f"the column node of {_TASKS}"}
"""Settings that tables hold, and where."""


def read_instance(path: StrPath) -> Instance:
    """Read an instance from a JSON file, or from a folder or zip of CSV files.

    Parameters
    ----------
    path : str or path
        The files of a zip may stand in one folder inside it; together they may unpack to 512 MiB.

    Raises
    ------
    InstanceError
        If a file is missing, cannot be read or breaks a rule; the message names the file and
        the record or line.
    """
    source = Path(path)
    try:
        return _read_folder(source) if source.is_dir() else _read_file(source)
    except RecursionError:  # also by an error message that shows what was found
        raise InstanceError(f"{source}: the JSON is nested too deeply") from None


def _read_file(source: Path) -> Instance:
    data = read_bytes(source, InstanceError)
    if data.startswith(b"PK\x03\x04") or source.suffix.lower() == ".zip":
        return _read_zip(source, data)
    if source.suffix.lower() == ".csv":
        raise InstanceError(f"{source}: this is one table; {_FORMS}")
    return parse_instance(data, str(source))


def _read_folder(folder: Path) -> Instance:
    def read(name: str) -> bytes | None:
        member = folder / name
        return read_bytes(member, InstanceError) if member.exists() else None

    return _from_members(read, str(folder))


def _read_zip(path: Path, data: bytes) -> Instance:
    return _from_members(read_members(data, FOLDER_FILES, str(path)).get, str(path))


def _from_members(read: Callable[[str], bytes | None], where: str) -> Instance:
    """The instance whose files `read` gives by name, None for one that is not there."""

    def table(name: str) -> Table:
        data = read(name)
        if data is None:
            raise InstanceError(f"{where}: there is no {name} in it; {_FORMS}")
        return read_table(data, f"{where}/{name}", InstanceError)

    nodes, tasks = table(_NODES), table(_TASKS)
    variants = None if read(_VARIANTS) is None else table(_VARIANTS)
    data = read(_SETTINGS)
    inside = f"{where}/{_SETTINGS}"
    settings = settings_of({} if data is None else load_object(data, inside), inside)
    for setting, place in _IN_TABLES.items():
        if settings[setting] is not None:
            raise InstanceError(f"{inside}: {setting} is not read from here; put it in {place}")
    return instance_of_tables(nodes, tasks, variants, settings, where)


def write_instance(instance: Instance, path: StrPath) -> None:
    """Write an instance so that `read_instance` gives it back exactly.

    Parameters
    ----------
    instance : Instance
    path : str or path
        A name that ends in .json or .zip, or else the name of a folder for CSV files.

    Raises
    ------
    InstanceError
        If a name cannot be written in that format.
    OSError
        If the place cannot be written to.
    """
    target = Path(path)
    kind = target.suffix.lower()
    if kind == ".csv":
        raise InstanceError(f"{target}: one table cannot hold an instance; {_FORMS}")
    if kind == ".json":
        with atomic_text(target) as stream:
            stream.writelines(instance_lines(instance))
    elif kind == ".zip":
        _write_zip(instance, target)
    else:
        _write_folder(instance, target)


def _write_zip(instance: Instance, target: Path) -> None:
    with (
        atomic_path(target) as scratch,
        zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, write in _members(instance).items():
            entry = zipfile.ZipInfo(name)  # of a fixed date: equal instances, equal bytes
            entry.compress_type = zipfile.ZIP_DEFLATED
            with (
                archive.open(entry, "w", force_zip64=True) as member,
                io.TextIOWrapper(member, encoding="utf-8", newline="") as stream,
            ):
                write(stream)


def _write_folder(instance: Instance, folder: Path) -> None:
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"{folder}: the folder {folder.parent} does not exist")
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; name a folder, or a .json or .zip file")
    made = not folder.exists()
    if made:
        folder.mkdir()
    members = _members(instance)
    if _VARIANTS not in members and (folder / _VARIANTS).exists():
        members[_VARIANTS] = lambda stream: write_csv(stream, NO_VARIANTS, ())
    try:
        with atomic_paths([folder / name for name in members]) as scratches:
            for (name, write), scratch in zip(members.items(), scratches, strict=True):
                with (
                    naming(folder / name, scratch),
                    scratch.open("w", encoding="utf-8", newline="") as stream,
                ):
                    write(stream)
    except BaseException:
        if made:
            with suppress(OSError):  # not empty, if it was the last file that failed
                folder.rmdir()
        raise


def _members(instance: Instance) -> dict[str, Callable[[TextIO], None]]:
    def write_settings(stream: TextIO) -> None:
        settings = settings_to_write(instance, elsewhere=_IN_TABLES)
        json.dump(settings, stream, ensure_ascii=False)
        stream.write("\n")

    members: dict[str, Callable[[TextIO], None]] = {
        _NODES: lambda stream: write_csv(stream, *node_table(instance)),
        _TASKS: lambda stream: write_csv(stream, *task_table(instance)),
        _SETTINGS: write_settings,
    }
    variants = variant_table(instance)
    if variants is not None:
        members[_VARIANTS] = lambda stream: write_csv(stream, *variants)
    return members
