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

__all__ = ["STATES", "Field", "Kind", "fields_of", "reserved_names"]

STATES = ("open", "cordoned", "drained")
"""Of a node: takes parts; keeps what it has and takes nothing; must end empty."""


class Kind(enum.Enum):
    """What the values of a field are, and so how they are held, read and written."""

    ID = "unique text"
    NUMBER = "a number, 0 or more"
    LABEL = "text or None"
    CHOICE = "one of a few words"
    LABELS = "ids, kinds and label values of nodes, or None for all nodes"
    RESOURCES = "numbers by the name of a resource"
    TEXTS = "text by key"
    NAMES = "several names, held as the number of a set of them"
    VARIANTS = "variants of a task, held as the number of a set of them"
    MODEL = "the name of a set of variants"
    REPLICAS = "so many tasks instead of one, at construction only"


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
    nullable : bool
        Whether a record has None where the column has the default, infinite.
    choices : tuple of str
        Of a CHOICE; the first is the default.
    unless : tuple of str
        Fields of which one may be given instead of this required one.
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
    nullable: bool = False
    choices: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

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

    @property
    def sets(self) -> str:
        """Name of the tuple of sets in an `Instance`, of NAMES."""
        return {"task_groups": "group_sets", "task_pinned": "pinned_sets"}[self.attribute]


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
    Field("node", "fixed_cost", unit="cost", default=math.inf, nullable=True, since=2),
    Field("node", "labels", Kind.TEXTS, since=2),
    Field("node", "state", Kind.CHOICE, choices=STATES, since=2),
    Field("task", "id", Kind.ID, required=True),
    Field("task", "compute", unit="compute", required=True, unless=("variants", "model")),
    Field("task", "storage", unit="storage", shown=True),
    Field("task", "eligible", Kind.LABELS),
    Field("task", "resources", Kind.RESOURCES),
    Field("task", "variants", Kind.VARIANTS, since=2),
    Field("task", "model", Kind.MODEL, since=2),
    Field("task", "replicas", Kind.REPLICAS, since=2),
    Field("task", "groups", Kind.NAMES, since=2),
    Field("task", "max_loss", unit="loss", default=math.inf, nullable=True, since=2),
    Field("task", "skip_price", unit="cost", default=math.inf, nullable=True, since=2),
    Field("task", "move_price", unit="cost", default=math.inf, nullable=True, since=2),
    Field("task", "pinned", Kind.NAMES, since=2),
)
_OF_THE_INSTANCE = ("max_load",)  # a limit, which reports list beside the resources


def fields_of(owner: str, *kinds: Kind) -> Iterator[Field]:
    """The fields of a node or a task, of the given kinds or of all, in their order."""
    return (f for f in _TABLE if f.owner == owner and (not kinds or f.kind in kinds))


def reserved_names() -> frozenset[str]:
    """Names that no resource may have: it would be mistaken for the field.

    Those of later schemas are free, for the sake of instances of the first; only a table of CSV
    cannot hold such a resource.
    """
    names = (f.name for f in _TABLE if f.kind is not Kind.RESOURCES and f.since == 1)
    return frozenset(names).union(_OF_THE_INSTANCE)
