"""What a reader of a cluster hands over besides the instance: how it differs from the cluster."""

from __future__ import annotations

from dataclasses import dataclass, field

from solver.model.instance import Instance

__all__ = ["Note", "Notes", "Reading"]

_KINDS = ("read as", "left out", "not modelled")
_EXAMPLES = 2


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the instance does not say as the cluster does, and how often it is there.

    Parameters
    ----------
    kind : {"read as", "left out", "not modelled"}
    what : str
    count : int
    things : str
        What is counted: "pods", "jobs", "nodes".
    examples : tuple of str
        The first few names.
    """

    kind: str
    what: str
    count: int
    things: str
    examples: tuple[str, ...]

    def __str__(self) -> str:
        """One line, as the command line prints it."""
        things = self.things.removesuffix("s") if self.count == 1 else self.things
        such = f" (such as {', '.join(self.examples)})" if self.examples else ""
        return f"{self.kind}: {self.what}: {self.count:,} {things}{such}"


@dataclass(slots=True)
class Notes:
    """Notes as they are counted.

    Parameters
    ----------
    things : str
        What is counted unless it is said.
    """

    things: str
    _names: dict[tuple[str, str, str], dict[str, None]] = field(default_factory=dict)

    def add(self, kind: str, what: str, name: str, things: str | None = None) -> None:
        """Count a thing, once for each name."""
        self._names.setdefault((kind, what, things or self.things), {})[name] = None

    def listed(self) -> tuple[Note, ...]:
        """All notes: what is read as something first, then what is left out, then the rest."""
        found = [
            Note(kind, what, len(names), things, tuple(names)[:_EXAMPLES])
            for (kind, what, things), names in self._names.items()
        ]
        return tuple(sorted(found, key=lambda note: _KINDS.index(note.kind)))


@dataclass(frozen=True)
class Reading:
    """An instance, and what it does not say as the cluster does.

    Attributes
    ----------
    instance : Instance
    notes : tuple of Note
        What is read as something else, left out, or not modelled, each with a count.
    units : dict of str to str
        The units of compute, storage and the resources.
    """

    instance: Instance
    notes: tuple[Note, ...]
    units: dict[str, str]
