"""One run is one record, one record is one JSON line, appended whole or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from solver import InstanceError

__all__ = ["Outcome", "Point", "Record", "RunKey", "append", "read_records"]

Number = int | float
Point = tuple[float, Number | None, Number | None]
"""Seconds since the start, best cost and best bound so far."""

RunKey = tuple[str, str, int, float, int, float]
"""What makes two runs the same: hash, method, seed, time limit, workers, memory limit."""


class Outcome(StrEnum):
    """What became of a run."""

    ANSWERED = "answered"
    """An allocation, checked and costed."""
    INFEASIBLE = "infeasible"
    """Said that no allocation exists."""
    NOTHING = "nothing"
    """Ended without an allocation and without a proof."""
    WRONG = "wrong"
    """An answer that a check refutes."""
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    """Ended from outside, long after its time limit."""
    MEMORY = "memory"
    """Ended from outside at the memory limit."""
    UNSUPPORTED = "unsupported"
    """The method cannot express this instance."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run of one method on one instance.

    Attributes
    ----------
    suite, instance : str
        Names, for readers.
    hash : str
        Content hash of the instance, which identifies it.
    nodes, tasks : int
    method : str
    seed : int
        Of the method.
    time_limit : float
        Seconds.
    workers : int
    memory_limit : float
        GiB.
    outcome : Outcome
    status, termination : str
        As the method says them; "optimal", "feasible", "infeasible" or "unknown".
    cost : int, float or None
        Recomputed from the allocation; None where there is none, or it breaks a rule.
    claimed_cost : int, float or None
        What the method says that its allocation costs.
    bound : int, float or None
        As the method says it.
    verdict : str
        "clean", or what the checker found, or why there is nothing to check.
    build_seconds, solve_seconds : float
        As measured in the process, without loading its libraries.
    wall_seconds : float
        Of the whole process.
    peak_memory : float
        GiB, of the process and those it started.
    history : tuple of Point
        Costs here are the method's own claims.
    versions, machine : dict of str to str
    commit : str
    started : str
        ISO 8601, UTC.
    """

    suite: str
    instance: str
    hash: str
    nodes: int
    tasks: int
    method: str
    seed: int
    time_limit: float
    workers: int
    memory_limit: float
    outcome: Outcome
    verdict: str
    status: str = "unknown"
    termination: str = ""
    cost: Number | None = None
    claimed_cost: Number | None = None
    bound: Number | None = None
    build_seconds: float | None = None
    solve_seconds: float | None = None
    wall_seconds: float = 0.0
    peak_memory: float = 0.0
    history: tuple[Point, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    commit: str = "unknown"
    started: str = ""

    @property
    def key(self) -> RunKey:
        """What makes two runs the same."""
        return (
            self.hash,
            self.method,
            self.seed,
            self.time_limit,
            self.workers,
            self.memory_limit,
        )

    @property
    def seconds(self) -> float | None:
        """Seconds to build and to solve, None where the process did not live to say."""
        if self.build_seconds is None or self.solve_seconds is None:
            return None
        return self.build_seconds + self.solve_seconds


_FIELDS = frozenset(f.name for f in fields(Record))


def append(path: Path, record: Record) -> None:
    """Append a record in one write, on disk when this returns.

    Only one process at a time may append to a file.
    """
    line = json.dumps(asdict(record), allow_nan=False) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        data = line.encode()
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def read_records(path: Path, *, repair: bool = False) -> list[Record]:
    """All records of a file, none where it does not exist.

    Parameters
    ----------
    path : Path
    repair : bool
        Cut off a last line that was never finished; otherwise it is only left out.

    Raises
    ------
    InstanceError
        If a finished line is not a record; it names the line.
    """
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if repair and len(whole) < len(data):
        os.truncate(path, len(whole))
    return [_parsed(path, n, line) for n, line in enumerate(whole.splitlines(), start=1)]


def _parsed(path: Path, number: int, line: bytes) -> Record:
    try:
        given: dict[str, Any] = json.loads(line)
        given["outcome"] = Outcome(given["outcome"])
        given["history"] = tuple((s, cost, bound) for s, cost, bound in given["history"])
        return Record(**{name: value for name, value in given.items() if name in _FIELDS})
    except (ValueError, KeyError, TypeError) as error:
        raise InstanceError(
            f"{path}, line {number}: not a record ({error}); "
            "remove the line, and its run is done again"
        ) from None
