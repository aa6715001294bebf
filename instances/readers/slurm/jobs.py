"""The jobs of a Slurm cluster, from squeue: what they take, where they run, where they may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from solver.errors import InstanceError

from ..notes import Notes
from .hostlists import array_tasks, expand_hosts
from .nodes import natural
from .shares import shares_of
from .values import Needs, Record, gres_of, needs_of_tres

__all__ = ["MOST_JOBS", "Job", "read_jobs"]

MOST_JOBS = 1_000_000
"""Jobs, each task of an array one, that are read at most."""

_MOST_NODES = 65_533

_RUNNING = ("RUNNING", "SUSPENDED")
_PENDING = ("PENDING",)
_GONE = (
    "COMPLETED", "COMPLETING", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED",
    "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY", "REVOKED", "LAUNCH_FAILED", "RECONFIG_FAIL",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """A job, or a task of a job array.

    Attributes
    ----------
    id : str
        ``1041``, ``1200_3`` for a task of an array, ``1300+1`` for a part of a mixed job.
    group : str or None
        The array.
    nodes : tuple of str
        Where it runs; none if it waits.
    shares : tuple of Needs
        What it takes on each of its nodes.
    guessed : bool
        Whether squeue does not say how it is shared by the nodes, and not evenly.
    partitions : tuple of str
        Any of them will do.
    constraint : str
        On features.
    required, excluded : tuple of str
        Nodes that it must have, and may not have.
    """

    id: str
    group: str | None
    nodes: tuple[str, ...]
    shares: tuple[Needs, ...]
    guessed: bool
    partitions: tuple[str, ...]
    constraint: str
    required: tuple[str, ...]
    excluded: tuple[str, ...]


def read_jobs(
    loaded: Mapping[str, Any], where: str, notes: Notes, *, pending: bool = True
) -> list[Job]:
    """The jobs of ``squeue --json``, in the order of their ids.

    Parameters
    ----------
    loaded : dict
    where : str
        The file.
    notes : Notes
    pending : bool
        Whether those that wait are wanted.

    Raises
    ------
    InstanceError
        Naming the file, the job and the key.
    """
    records = loaded["jobs"]
    if not isinstance(records, list):
        raise InstanceError(f"{where}: jobs must be a list")
    numbered: list[tuple[int, Record]] = []
    for k, given in enumerate(records):
        record = Record(given, f"{where}: job {k + 1}")
        number = record.number("job_id")
        if number is None:
            record.fail("job_id", "is missing")
        numbered.append((number, Record(record.data, f"{where}: job {number}")))
    found: dict[str, Job] = {}
    for number, named in sorted(numbered, key=lambda each: each[0]):
        for job in _jobs_of(named, str(number), notes, pending, MOST_JOBS - len(found)):
            if job.id in found:
                named.fail("job_id", f"makes the id {job.id}, which stands twice")
            found[job.id] = job
    return sorted(found.values(), key=lambda job: natural(job.id))


def _jobs_of(record: Record, number: str, notes: Notes, pending: bool, most: int) -> Iterator[Job]:
    """The jobs that one record stands for: several if it is an array that waits."""
    states = record.states("job_state")
    if states.intersection(_GONE):
        state = next(state for state in _GONE if state in states).lower().replace("_", " ")
        notes.add("left out", f"jobs that have ended or are ending ({state})", number)
        return
    if not states.intersection((*_RUNNING, *_PENDING)):
        shown = "+".join(sorted(states))[:60] or "empty"
        record.fail("job_state", f"is {shown}; none of it is a state of a job that is known")
    runs = not states.isdisjoint(_RUNNING)
    if "SUSPENDED" in states:
        notes.add("read as", "running: suspended jobs, which keep their memory", number)
    if not runs and not pending:
        notes.add("left out", "jobs that wait", number)
        return
    if most <= 0:
        record.fail("job_id", f"is one job too many; {MOST_JOBS:,} are read at most")
    _note_what_is_not_modelled(record, number, runs, notes)
    job = _job(record, number, runs)
    array = record.number("array_job_id")
    if not array:
        offset = record.number("het_job_offset")
        leader = record.number("het_job_id")
        yield replace(job, id=f"{leader}+{offset}" if leader and offset else number)
        return
    task = record.number("array_task_id")
    if task is not None:
        yield replace(job, id=f"{array}_{task}", group=str(array))
        return
    listed = record.text("array_task_string")
    try:
        tasks, is_cut = array_tasks(listed, most) if listed else ([], False)
    except ValueError as error:
        record.fail("array_task_string", str(error))
    if is_cut:
        what = "tasks that squeue cut off; set SLURM_BITSTR_LEN=0 for it"
        notes.add("left out", what, str(array), "arrays")
    if not tasks:
        yield replace(job, group=str(array))
    for each in tasks:
        yield replace(job, id=f"{array}_{each}", group=str(array))


def _job(record: Record, number: str, runs: bool) -> Job:
    try:
        nodes = tuple(dict.fromkeys(expand_hosts(_nodes_text(record)))) if runs else ()
        required = tuple(expand_hosts(record.text("required_nodes")))
        excluded = tuple(expand_hosts(record.text("excluded_nodes")))
    except ValueError as error:
        record.fail("nodes", str(error))
    if runs and not nodes:
        record.fail("nodes", "is empty, though the job runs")
    needs, count = _needs(record, runs)
    count = len(nodes) or count
    if count > _MOST_NODES:
        record.fail("node_count", f"is {count:,}; a cluster has {_MOST_NODES:,} nodes at most")
    shares, guessed = shares_of(record, needs, count)
    return Job(
        number, None, nodes, shares, guessed, tuple(sorted(set(record.texts("partition")))),
        record.text("features"), required, excluded,
    )  # fmt: skip


def _nodes_text(record: Record) -> str:
    """The host list of a job: text, or in an object of its resources."""
    listed = record.data.get("nodes")
    if isinstance(listed, dict):
        return record.child("nodes").text("list")
    if record.text("nodes"):
        return record.text("nodes")
    resources = record.child("job_resources")
    inner = resources.data.get("nodes")
    return (
        resources.child("nodes").text("list")
        if isinstance(inner, dict)
        else resources.text("nodes")
    )


def _needs(record: Record, runs: bool) -> tuple[Needs, int]:
    """What a job takes on all its nodes together, and how many nodes it wants."""
    listed = (runs and record.text("tres_alloc_str")) or record.text("tres_req_str")
    try:
        needs, nodes = needs_of_tres(listed)
    except ValueError as error:
        record.fail("tres_alloc_str" if runs else "tres_req_str", str(error))
    count = record.number("node_count") or nodes or 1
    if not listed:
        needs = _told_apart(record, count)
    return needs, max(count, 1)


def _told_apart(record: Record, count: int) -> Needs:
    """The same from the options of the job, where squeue has no sums."""
    needs = Needs(cpu=record.number("cpus") or 0)
    of_node, of_cpu = record.number("memory_per_node"), record.number("memory_per_cpu")
    if of_node is not None:
        needs.memory = Fraction(of_node * count)
    elif of_cpu is not None:
        needs.memory = Fraction(of_cpu * needs.cpu)
    times = {
        "tres_per_node": count,
        "tres_per_task": record.number("tasks") or 1,
        "tres_per_job": 1,
    }
    for key, factor in times.items():
        try:
            listed = gres_of(record.text(key))
        except ValueError as error:
            record.fail(key, str(error))
        needs.add_gres([(name, kind, each * factor) for name, kind, each in listed])
    return needs


_TEXTS = {
    "dependency": "dependencies on other jobs",
    "licenses": "licences",
    "prefer": "preferred features",
}


def _note_what_is_not_modelled(record: Record, number: str, runs: bool, notes: Notes) -> None:
    """Count what the record asks for that an instance does not say."""

    def note(what: str) -> None:
        notes.add("not modelled", what, number)

    for key, what in _TEXTS.items():
        if record.text(key) and not (runs and key == "dependency"):
            note(what)
    if record.text("resv_name"):
        note("reservations")
    if record.number("minimum_tmp_disk_per_node"):
        note("room on the local disk")
    if record.number("array_max_tasks"):
        note("how many tasks of an array may run at a time")
    if record.number("het_job_id"):
        note("mixed jobs, whose parts start together")
    if record.data.get("contiguous") is True:
        note("nodes next to each other")
    words = {str(word).lower() for key in ("shared", "exclusive") for word in _list(record, key)}
    if words & {"none", "exclusive", "true", "user", "mcs", "topo"} and not runs:
        note("whole nodes (exclusive)")
    if record.data.get("hold") is True or record.text("state_reason").startswith("JobHeld"):
        note("jobs that are held")


def _list(record: Record, key: str) -> list[Any]:
    value = record.data.get(key)
    return value if isinstance(value, list) else [value] if value is not None else []
