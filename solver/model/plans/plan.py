"""A plan: moves of parts in waves, each of which is safe in any order."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..instance import Instance, Number

__all__ = ["DURING", "Move", "Plan", "PlanStatus"]

DURING = ("both", "target")
"""Where a part counts while it moves: on the node it leaves and the one it comes to, or there."""


class PlanStatus(enum.Enum):
    """What is known about the order of the moves."""

    ORDERED = "ordered"
    NONE = "none"
    """Proved: these parts cannot get there in any order, by way of other nodes neither."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Move:
    """One part of a task, from a node to a node.

    Attributes
    ----------
    task : str
    part : int
        The number of the part, from 1 on.
    variant : str or None
        The variant that the part is of; None for a task with figures of its own.
    source : str or None
        The node it leaves; None for a part that starts.
    target : str or None
        The node it comes to; None for a part that stops.
    storage : int or float
        What the part has on disk, in the user's unit: what has to be carried.
    bypass : bool
        Whether the part has to go on from the target, to where it is to be.
    """

    task: str
    part: int
    variant: str | None
    source: str | None
    target: str | None
    storage: Number
    bypass: bool = False

    @property
    def is_move(self) -> bool:
        """Whether the part goes from a node to a node; otherwise it starts or stops."""
        return self.source is not None and self.target is not None

    def to_dict(self) -> dict[str, Any]:
        """The move as files have it, with the keys of plan.csv."""
        return {
            "task_id": self.task,
            "part": self.part,
            "variant": self.variant,
            "from": self.source,
            "to": self.target,
            "storage": self.storage,
            "bypass": self.bypass,
        }


@dataclass(frozen=True)
class Plan:
    """Waves of moves, one after the other; within a wave any order is safe.

    Attributes
    ----------
    instance : Instance
    status : PlanStatus
    waves : tuple of tuples of Move
        Empty where the status is not ORDERED, or nothing moves.
    during : str
        "both": in a wave, what leaves a node still counts there while what comes already does.
        "target": all that leaves in a wave stops first, then all that comes starts.
    reason : str or None
        Why there is no order, or why none was found.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3], node_ids=["a", "b"])
    >>> plan = Plan(instance, PlanStatus.ORDERED, ((Move("task-0", 1, None, "a", "b", 0),),))
    >>> plan.num_moves, plan.to_dicts()[0]["to"]
    (1, 'b')
    """

    instance: Instance = field(repr=False, compare=False)
    status: PlanStatus
    waves: tuple[tuple[Move, ...], ...] = ()
    during: str = "both"
    reason: str | None = None

    @property
    def moves(self) -> tuple[Move, ...]:
        """All moves, starts and stops in their order."""
        return tuple(move for wave in self.waves for move in wave)

    @property
    def num_moves(self) -> int:
        """How many moves there are from a node to a node, those on a bypass counted."""
        return sum(move.is_move for move in self._all())

    @property
    def num_bypasses(self) -> int:
        """How many of the moves go to a node that the part has to leave again."""
        return sum(move.bypass for move in self._all())

    def _all(self) -> Iterator[Move]:
        return (move for wave in self.waves for move in wave)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows of plan.csv: each move with the number of its wave, from 1 on."""
        return [
            {"wave": number, **move.to_dict()}
            for number, wave in enumerate(self.waves, 1)
            for move in wave
        ]
