"""What a watch remembers between rounds, and the log of its rounds: both survive a kill."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import OptionError
from ..model.instance import Number
from ..system.locks import lock
from ..system.whole_files import atomic_text
from .report import Key

__all__ = ["State", "alone", "append_record", "mended_log", "read_state", "write_state"]

_SCHEMA = "nodewise-watch/1"
_TAIL = 1 << 16


@dataclass(frozen=True)
class State:
    """What is known after a round.

    Attributes
    ----------
    round : int
        How many rounds there were.
    proposed_at : float or None
        Seconds since 1970 of the last proposal.
    figures : dict of Key to (number, number)
        The figure that the instance had, and the one that was measured.
    last : mapping or None
        The record of the last round, as the log has it.
    """

    round: int = 0
    proposed_at: float | None = None
    figures: Mapping[Key, tuple[Number, Number]] = field(default_factory=dict)
    last: Mapping[str, Any] | None = None


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """A block in which no other process has the state; the lock goes when the process does.

    Raises
    ------
    OptionError
        If another process has it.
    OSError
        If no lock can be made beside the state.
    """
    beside = path.with_name(path.name + ".lock")  # the state itself is replaced by every write
    with beside.open("a") as held:
        if lock(held.fileno()) is False:
            raise OptionError(f"{path}: another watch has this state; name another file, or end it")
        yield


def read_state(path: Path) -> State:
    """The state that a file has; that of the beginning where there is none.

    Raises
    ------
    OptionError
        If the file is something else.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return State()
    try:
        return _state_of(json.loads(text))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise OptionError(
            f"{path}: this is not the state of a watch; name another file, or remove it to begin "
            "anew"
        ) from None


def _state_of(loaded: Any) -> State:
    if not isinstance(loaded, dict) or loaded["schema"] != _SCHEMA:
        raise ValueError
    figures = {}
    for *names, base, measured in loaded["figures"]:
        task, model, variant, part, name = names
        texts = [each for each in (task, model, variant) if each is not None]
        if not all(isinstance(each, str) for each in (*texts, name)):
            raise ValueError
        if part is not None:
            _require_number(part, int)
        _require_number(base)
        _require_number(measured)
        figures[Key(task, model, variant, part, name)] = (base, measured)
    moment, last = loaded["proposed_at"], loaded["last"]
    _require_number(loaded["round"], int)
    if moment is not None:
        _require_number(moment)
    if last is not None and not isinstance(last["round"], int):
        raise ValueError
    return State(loaded["round"], moment, figures, last)


def _require_number(value: Any, kind: Any = int | float) -> None:
    if isinstance(value, bool) or not isinstance(value, kind) or not 0 <= value < math.inf:
        raise ValueError


def write_state(state: State, path: Path) -> None:
    """Write the state whole, or not at all.

    Raises
    ------
    OSError
        If the place cannot be written to.
    """
    written = {
        "schema": _SCHEMA,
        "round": state.round,
        "proposed_at": state.proposed_at,
        "last": state.last,
        "figures": [[*key, *numbers] for key, numbers in state.figures.items()],
    }
    with atomic_text(path) as stream:
        json.dump(written, stream, ensure_ascii=False, allow_nan=False)
        stream.write("\n")


def append_record(path: Path, record: Mapping[str, Any]) -> None:
    """Append a line of JSON to a log.

    Raises
    ------
    OSError
        If the log cannot be written to.
    """
    line = json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
    with path.open("ab") as stream:
        stream.write(line.encode("utf-8", "backslashreplace"))
        stream.flush()
        os.fsync(stream.fileno())


def mended_log(path: Path, state: State) -> None:
    """After a kill: cut off half a line, and append the record that the state has and the log not.

    Raises
    ------
    OSError
        If the log cannot be written to.
    """
    last = _last_line(path)
    if state.last is None:
        return
    try:
        known = json.loads(last)["round"] if last else 0
    except (ValueError, TypeError, KeyError):
        known = 0
    if known != state.last["round"]:
        append_record(path, state.last)


def _last_line(path: Path) -> bytes:
    """The last whole line of a file, once what follows it is cut off."""
    if not path.exists():
        return b""
    with path.open("r+b") as stream:
        end = stream.seek(0, os.SEEK_END)
        begin, tail = end, b""
        while begin and tail.count(b"\n") < 2:
            begin = max(0, begin - _TAIL)
            stream.seek(begin)
            tail = stream.read(end - begin)
        whole = tail.rfind(b"\n") + 1
        if begin + whole < end:
            stream.truncate(begin + whole)
        return tail[:whole].rstrip(b"\n").rpartition(b"\n")[2]
