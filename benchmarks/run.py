"""Run every method on every instance of a suite, one process each, and lose nothing.

The records are the state: a run whose record is there is done. Records are appended by this
process alone, as the runs end, so that it can be killed at any moment and started again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from solver import Instance, write_instance
from solver.errors import OptionError

from .best_known import TABLE, Known, read_table, write_table
from .competitors import COMPETITORS, ROOT, Competitor
from .environment import commit_of, machine
from .judge import best_of, judge, refuted
from .limits import Ended, cancel_all, run_limited
from .peers.protocol import UNSUPPORTED_EXIT
from .record import Outcome, Point, Record, RunKey, append, read_records
from .suites import Entry, Suite, make

__all__ = ["RECORDS", "Plan", "Task", "pending", "run_all", "update_table"]

RECORDS = "records.jsonl"
_LOCK = ".lock"
_LEAST_GRACE, _GRACE = 15.0, 0.5  # seconds, and share of the time limit
_BUILDING = 2e-5  # seconds a node-task pair: what a textbook model takes to build at worst
_MOST_GRACE = 600.0


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Attributes
    ----------
    suite : Suite
    methods : tuple of Competitor
    time_limit : float
        Seconds.
    seeds : int
        Runs of a method that uses random numbers; one suffices for the others.
    workers : int
        Threads for each run.
    memory_limit : float
        GiB for each run.
    data : Path or None
        Folder with the openb trace.
    """

    suite: Suite
    methods: tuple[Competitor, ...]
    time_limit: float = 30.0
    seeds: int = 1
    workers: int = 1
    memory_limit: float = 8.0
    data: Path | None = None

    def __post_init__(self) -> None:
        for name in ("time_limit", "seeds", "workers", "memory_limit"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise OptionError(f"{name} is {value}; it must be above 0")

    def tasks(self) -> Iterator[Task]:
        """All runs; all methods on one instance before the next."""
        for entry in self.suite.entries:
            for method in self.methods:
                for seed in range(self.seeds if method.random else 1):
                    yield Task(self, entry, method.name, seed)


@dataclass(frozen=True)
class Task:
    """One run to be done."""

    plan: Plan
    entry: Entry
    method: str
    seed: int

    @property
    def key(self) -> RunKey:
        """The key that its record will have."""
        plan = self.plan
        limits = (plan.time_limit, plan.workers, plan.memory_limit)
        return (self.entry.hash, self.method, self.seed, *limits)

    @property
    def wall_seconds(self) -> float:
        """When it is ended from outside: well after its limit, and later for large models."""
        limit = self.plan.time_limit
        instance = instance_of(self.entry, self.plan.data)
        building = _BUILDING * instance.num_nodes * instance.num_tasks
        return limit + min(_MOST_GRACE, max(_LEAST_GRACE, _GRACE * limit, building))


def pending(plan: Plan, folder: Path) -> list[Task]:
    """The runs that have no record yet.

    Raises
    ------
    OptionError
        If the folder holds records of another commit: they must not be mixed.
    """
    records = read_records(folder / RECORDS)
    others = {record.commit for record in records} - {commit_of(ROOT)}
    if others:
        raise OptionError(
            f"{folder} holds records of another state of the code ({', '.join(sorted(others))}); "
            "name another folder with -o"
        )
    done = {record.key for record in records}
    return [task for task in plan.tasks() if task.key not in done]


def run_all(tasks: Sequence[Task], folder: Path, *, jobs: int = 1) -> Iterator[Record]:
    """Do runs and append their records, in the order in which they end.

    They go through joblib: on threads of this process, each of which waits for a process, or on
    the backend of a ``joblib.parallel_config`` around the call, such as a cluster.

    Raises
    ------
    OptionError
        If another process is adding to this folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RECORDS
    with _alone(folder):
        read_records(path, repair=True)
        options = {"prefer": "threads", "return_as": "generator_unordered"}
        parallel = Parallel(jobs, pre_dispatch=jobs, **options)
        try:
            for record in parallel(delayed(run_one)(task) for task in tasks):
                if record is not None:
                    append(path, record)
                    yield record
        except BaseException:
            cancel_all()
            raise


def run_one(task: Task) -> Record | None:
    """Do one run; whatever happens to it becomes a record. None if it was cancelled."""
    plan, entry = task.plan, task.entry
    instance = instance_of(entry, plan.data)
    competitor = COMPETITORS[task.method]
    record = Record(
        suite=plan.suite.name,
        instance=entry.name,
        hash=entry.hash,
        nodes=instance.num_nodes,
        tasks=instance.num_tasks,
        method=task.method,
        seed=task.seed,
        time_limit=plan.time_limit,
        workers=plan.workers,
        memory_limit=plan.memory_limit,
        outcome=Outcome.CRASHED,
        verdict="",
        machine=machine(),
        commit=commit_of(ROOT),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        source, answer = Path(place) / "instance.json", Path(place) / "answer.json"
        write_instance(instance, source)
        ended = run_limited(
            [*competitor.command, str(source), "--method", task.method, "-o", str(answer),
             "--time-limit", str(plan.time_limit), "--seed", str(task.seed),
             "--workers", str(plan.workers), "--watched"],
            wall_seconds=task.wall_seconds,
            memory_gib=plan.memory_limit,
            environment={"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        if ended.stopped == "cancelled":
            return None
        record = replace(record, wall_seconds=ended.seconds, peak_memory=ended.peak_memory)
        return _with_answer(record, instance, ended, answer, exact=competitor.exact_bound)


def _with_answer(
    record: Record, instance: Instance, ended: Ended, path: Path, *, exact: bool
) -> Record:
    """The record with what the process left behind."""
    lines = ended.last_words.splitlines() or [""]
    if ended.stopped:
        limits = {"timeout": f"{ended.seconds:.0f} s", "memory": f"{ended.peak_memory:.1f} GiB"}
        text = f"ended from outside after {limits[ended.stopped]}"
        return replace(record, outcome=Outcome(ended.stopped), verdict=text)
    if ended.returncode == UNSUPPORTED_EXIT:
        return replace(record, outcome=Outcome.UNSUPPORTED, verdict=lines[-1])
    if ended.returncode:
        text = f"exit code {ended.returncode}: {lines[-1]}"
        return replace(record, outcome=Outcome.CRASHED, verdict=text)
    try:
        answer = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
        verdict = judge(instance, answer, exact=exact)
        return replace(
            record,
            outcome=verdict.outcome,
            verdict=verdict.text,
            cost=verdict.cost,
            claimed_cost=answer["cost"],
            bound=answer["bound"],
            status=str(answer["status"]),
            termination=str(answer["termination"]),
            build_seconds=float(answer["build_seconds"]),
            solve_seconds=float(answer["solve_seconds"]),
            history=_history(answer["history"]),
            versions=answer["versions"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        text = f"its answer cannot be read: {error!r}"
        return replace(record, outcome=Outcome.CRASHED, verdict=text)


def _history(given: list[Any]) -> tuple[Point, ...]:
    return tuple((float(seconds), cost, bound) for seconds, cost, bound in given)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} where a number or null is wanted")


def update_table(records: Sequence[Record], path: Path = TABLE) -> tuple[int, list[Record]]:
    """Enter what is new into the table of best known costs and bounds.

    Returns
    -------
    improved : int
        Rows that changed.
    wrong : list of Record
        Those that are refuted; they change nothing. A clean allocation below a bound of the
        table, or where the table says there is none, is among them: one of the two is wrong.
    """
    table = read_table(path)
    judged = refuted(records, table)
    best: dict[str, Known] = best_of(judged, table)
    improved = sum(table.get(key) != one for key, one in best.items())
    if improved:
        write_table(best, path)
    return improved, [record for record in judged if record.outcome is Outcome.WRONG]


@lru_cache(maxsize=2)
def _cached(entry_text: str, data: Path | None) -> Instance:
    return make(Entry(**json.loads(entry_text)), data)


def instance_of(entry: Entry, data: Path | None) -> Instance:
    """The instance of an entry; the last two are kept."""
    return _cached(json.dumps(vars(entry)), data)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system gives up when this process dies."""
    with (folder / _LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OptionError(f"another run is adding records to {folder}; wait for it") from None
        yield
