"""What became of the figures of an instance when usage was read, and what was left as it was."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TextIO

from ..model.instance import Number
from ..system.whole_files import write_csv

__all__ = ["Figure", "Key", "Note", "UsageReport", "dump_report"]

_SHOWN = 3


class Key(NamedTuple):
    """A figure of an instance: a field of a task, or of a variant or part of a task or a model."""

    task: str | None
    model: str | None
    variant: str | None
    part: int | None
    field: str


class Note(enum.Enum):
    """What became of a figure."""

    MEASURED = "measured"
    FLOOR = "at its floor"
    IDLE = "not used, kept"
    FEW = "too few samples, kept"


@dataclass(frozen=True)
class Figure:
    """One figure of which there are samples.

    Attributes
    ----------
    key : Key
    tasks : int
        How many tasks were measured for it: of a variant of a model, all that run in it.
    samples : int
        Of the task that decided.
    usage : number or None
        Its percentile, in the unit of the instance; None where samples are too few.
    old, new : number
    note : Note
    """

    key: Key
    tasks: int
    samples: int
    usage: Number | None
    old: Number
    new: Number
    note: Note


@dataclass(frozen=True)
class UsageReport:
    """What became of usage.

    Attributes
    ----------
    figures : tuple of Figure
        Those of which there are samples.
    without_samples : tuple of str
        Ids of tasks of which there is no sample.
    unknown : Counter
        Names of tasks that are not in the instance, with how many samples each.
    unattributed : dict of str to tuple of str
        Tasks whose samples belong to no figure, by reason.
    unaligned : tuple of str
        Tasks of several series that run side by side, but never have samples at one time.
    dropped : Counter
        Samples that are no measurement, by reason.
    unknown_fields : tuple of str
        What was measured that the instance does not have.
    notes : tuple of str
        What the files said.
    """

    figures: tuple[Figure, ...]
    without_samples: tuple[str, ...]
    unknown: Counter[str]
    unattributed: dict[str, tuple[str, ...]]
    unaligned: tuple[str, ...]
    dropped: Counter[str]
    unknown_fields: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many figures there are by what became of them, and what else was counted."""
        notes = Counter(figure.note for figure in self.figures)
        found = {note.value: notes[note] for note in Note if notes[note]}
        if self.without_samples:
            found["tasks without samples"] = len(self.without_samples)
        if self.unknown:
            found["unknown tasks"] = len(self.unknown)
        for reason, tasks in self.unattributed.items():
            found[f"tasks {reason}"] = len(tasks)
        if self.unaligned:
            found["tasks whose series never meet"] = len(self.unaligned)
        found.update((f"samples {reason}", count) for reason, count in self.dropped.items())
        return found

    def lines(self) -> Iterator[str]:
        """The report as a person reads it: counts, and the first few names of each."""
        changed = sum(figure.new != figure.old for figure in self.figures)
        yield f"{_counted(changed, 'figure')} changed, {len(self.figures) - changed:,} as before"
        for note in Note:
            listed = [figure.key for figure in self.figures if figure.note is note]
            if listed and note is not Note.MEASURED:
                names = [f"{_owner(key)} {key.field}" for key in listed]
                yield f"{_counted(len(listed), 'figure')} {note.value}: {_some(names)}"
        named: list[tuple[str, Sequence[str]]] = [
            ("without samples, kept", self.without_samples),
            ("that the instance does not have", list(self.unknown)),
            *((f"{reason}, kept", tasks) for reason, tasks in self.unattributed.items()),
            (
                "of several series that never have samples at one time; give a step",
                self.unaligned,
            ),
        ]
        for what, tasks in named:
            if tasks:
                yield f"{_counted(len(tasks), 'task')} {what}: {_some(tasks)}"
        for reason, count in self.dropped.items():
            yield f"{_counted(count, 'sample')} dropped: {reason}"
        if self.unknown_fields:
            yield f"not a field of the instance: {_some(self.unknown_fields)}"
        yield from self.notes


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _owner(key: Key) -> str:
    owner = key.task if key.task is not None else f"model {key.model}"
    return f"{owner} ({key.variant})" if key.variant is not None else owner


_HEADER = (
    "task_id", "model", "variant", "part", "field", "tasks", "samples", "usage", "old", "new",
    "note",
)  # fmt: skip


def dump_report(report: UsageReport, stream: TextIO) -> None:
    """Write the figures as CSV, a row each, to an open stream."""
    rows = (
        (
            *(cell if cell is not None else "" for cell in figure.key),
            *(figure.tasks, figure.samples),
            "" if figure.usage is None else figure.usage,
            *(figure.old, figure.new, figure.note.value),
        )
        for figure in report.figures
    )
    write_csv(stream, _HEADER, rows)
