"""What the arguments of the command line stand for: instances, and places to write to."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import InstanceError, OptionError
from ..files.instance import FOLDER_FILES, read_instance
from ..files.text import did_you_mean
from ..model.instance import Instance
from ..system.scratch import is_stream, require_writable

__all__ = [
    "STDOUT",
    "families_listed",
    "generated",
    "instance_of",
    "require_instance_place",
    "require_places",
]

STDOUT = "-"
"""Stands for standard output where a file may be named."""


def instance_of(argument: str) -> Instance:
    """The instance that an argument names.

    Parameters
    ----------
    argument : str
        A file or folder, else a named instance, else a spec such as "uniform:nodes=20".

    Raises
    ------
    InstanceError
        If it is none of them, or the instance breaks a rule.
    """
    if os.path.lexists(argument):
        return read_instance(argument)
    from instances import FAMILIES
    from instances.catalog import named

    if argument in named() or argument.partition(":")[0].strip() in FAMILIES:
        return generated(argument)
    known = [*named(), *FAMILIES]
    if _looks_like_path(argument):
        raise InstanceError(f"{argument}: there is no such file or folder")
    raise InstanceError(
        f"{argument!r} is neither a file nor a folder, nor a named instance "
        f"({', '.join(named())}), nor a spec such as uniform:nodes=20,tasks=60,seed=3 "
        f"(families: {', '.join(FAMILIES)})"
        f"{did_you_mean(argument.partition(':')[0].strip(), known)}"
    )


def _looks_like_path(argument: str) -> bool:
    if ":" in argument and "=" in argument:
        return False
    separators = {os.sep, os.altsep or os.sep}
    return any(mark in argument for mark in separators) or bool(Path(argument).suffix)


def generated(spec: str) -> Instance:
    """The instance of a name or of a spec of a family.

    Raises
    ------
    InstanceError
        If the family or a parameter is unknown, or a value is out of its range.
    """
    from instances import from_spec
    from instances.catalog import named

    catalog = named()
    return catalog[spec]() if spec in catalog else from_spec(spec)


def families_listed() -> Iterator[str]:
    """Lines that list the families with their parameters and defaults, and the named instances."""
    from instances import FAMILIES
    from instances.catalog import named

    for name, make in FAMILIES.items():
        yield f"{name}: {_first_line(make)}"
        for parameter in inspect.signature(make).parameters.values():
            default = parameter.default
            text = str(default).lower() if isinstance(default, bool) else str(default)
            yield f"    {parameter.name}={text}"
    yield "named instances:"
    for name, make in named().items():
        yield f"    {name}: {_first_line(make)}"


def _first_line(documented: object) -> str:
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def require_places(
    outputs: Sequence[tuple[str, str | None]], inputs: Sequence[str | None] = ()
) -> None:
    """Require that every output can be written, before any time is spent on it.

    Parameters
    ----------
    outputs : sequence of (option, path or None)
        "-" stands for standard output.
    inputs : sequence of path or None
        Files that must not be overwritten.

    Raises
    ------
    OptionError
        If no file can be made or replaced there (it is tried, with a scratch file), standard
        output is closed, two outputs are the same, or an output is an input.
    """
    taken: dict[str, str] = {}
    sources = {file for source in inputs if source for file in _files_of(Path(source))}
    for option, path in outputs:
        if path is None:
            continue
        place = path if path == STDOUT else os.path.realpath(path)
        if place in taken and not (path != STDOUT and is_stream(path)):
            raise OptionError(f"{taken[place]} and {option} both name {path}; they must differ")
        taken[place] = option
        if place in sources:
            raise OptionError(f"{option} {path} would overwrite an input; name another file")
        _require_writable(option, path)


def require_instance_place(option: str, path: Path, inputs: Sequence[str]) -> None:
    """Require that an instance can be written: to a file, or to a folder of CSV files.

    Raises
    ------
    OptionError
        As in `require_places`.
    """
    if not path.is_dir():
        require_places([(option, str(path))], inputs)
    elif path.suffix.lower() in (".json", ".zip"):
        raise OptionError(f"{option} {path}: this is a folder; name a file")
    else:
        require_places([(option, str(path / name)) for name in FOLDER_FILES], inputs)


def _files_of(source: Path) -> list[str]:
    """The files that an instance is read from; none for one that is generated."""
    files = [source / name for name in FOLDER_FILES] if source.is_dir() else [source]
    return [os.path.realpath(file) for file in files if file.is_file()]


def _require_writable(option: str, path: str) -> None:
    if path == STDOUT:
        if sys.stdout is None:
            raise OptionError(f"{option} -: standard output is closed")
        return
    try:
        require_writable(path)
    except OSError as error:
        # Those of the system have a number and the path apart; ours are sentences with the path.
        reason = str(error) if error.errno is None else f"{path}: {error.strerror}"
        raise OptionError(f"{option} {reason}") from None
