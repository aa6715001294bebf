"""The one table of the fields of a node and of a task.

Records, validation, readers, writers, copies, comparison and fingerprint go through it; what a
field means to the cost or to the limits stands where that is computed (`scaled`, `judge`).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator
from dataclasses import dataclass

from .records import Number

__all__ = ["Field", "Kind", "fields_of", "reserved_names"]


class Kind(enum.Enum):
    """What the values of a field are, and so how they are held, read and written."""

    ID = "unique text"
    NUMBER = "a number, 0 or more"
    LABEL = "text or None"
    LABELS = "ids and kinds of nodes, or None for all nodes"
    RESOURCES = "numbers by the name of a resource"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a node or a task.

    Attributes
    ----------
    owner : {"node", "task"}
    name : str
        In the record, as key in JSON and as column in CSV.
    kind : Kind
    unit : str
        What a number counts.
    required : bool
    default : int or float
        Of a number that is not given; infinite where the field may be unlimited.
    same_as : str or None
        The field of the same record whose value is the default instead.
    shown : bool
        Whether CSV has the column even where every value is the default.
    since : int
        The version of the schema of instances that first has it.
    """

    owner: str
    name: str
    kind: Kind = Kind.NUMBER
    unit: str = ""
    required: bool = False
    default: Number = 0
    same_as: str | None = None
    shown: bool = False
    since: int = 1

    @property
    def attribute(self) -> str:
        """Name of the column in an `Instance`."""
        return f"{self.owner}_{self.name}"

    @property
    def argument(self) -> str:
        """Name of the column as an argument of `Instance.from_arrays`."""
        return f"{self.owner}_ids" if self.kind is Kind.ID else self.attribute

    @property
    def unlimited(self) -> bool:
        """Whether a number may be infinite."""
        return self.default == math.inf


_TABLE = (
    Field("node", "id", Kind.ID, required=True),
    Field("node", "compute", unit="compute", required=True),
    Field("node", "storage", unit="storage", default=math.inf, shown=True),
    Field("node", "price", unit="cost / compute", same_as="compute"),
    Field("node", "overload_price", unit="cost / compute", same_as="price"),
    Field("node", "use_price", unit="cost / compute", since=2),
    Field("node", "idle_watts", unit="watts", since=2),
    Field("node", "max_watts", unit="watts", same_as="idle_watts", since=2),
    Field("node", "kind", Kind.LABEL),
    Field("node", "resources", Kind.RESOURCES),
    Field("task", "id", Kind.ID, required=True),
    Field("task", "compute", unit="compute", required=True),
    Field("task", "storage", unit="storage", shown=True),
    Field("task", "eligible", Kind.LABELS),
    Field("task", "resources", Kind.RESOURCES),
)
_OF_THE_INSTANCE = ("max_load",)  # a limit, which reports list beside the resources


def fields_of(owner: str, *kinds: Kind) -> Iterator[Field]:
    """The fields of a node or a task, of the given kinds or of all, in their order."""
    return (f for f in _TABLE if f.owner == owner and (not kinds or f.kind in kinds))


def reserved_names() -> frozenset[str]:
    """Names that no resource may have: it would be mistaken for the field."""
    names = (field.name for field in _TABLE if field.kind is not Kind.RESOURCES)
    return frozenset(names).union(_OF_THE_INSTANCE)
