"""What a solve returns: the allocation, its cost, the proven bound and why it stopped."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..plot import plot_loads
from .allocation import Allocation, allocation_rows
from .exact import Array, number_of, sums_by_group
from .frames.results import frame_of
from .instance import Instance, Number
from .plans.plan import Plan

__all__ = ["PartialAllocation", "Progress", "ProgressCallback", "Result", "Status", "Termination"]

_MOST_LOOKS = 200_000  # nodes looked at to say why tasks have none

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Status(enum.Enum):
    """What is known about the answer."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


class Termination(enum.Enum):
    """Why the run stopped."""

    PROVEN = "proven"
    GAP_REACHED = "gap reached"
    TIME_LIMIT = "time limit"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"
    """A heuristic did all it does; nothing was left to try."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A point on the way: seconds since the start, best cost and best proven bound so far."""

    seconds: float
    cost: Number | None
    bound: Number | None


ProgressCallback = Callable[[Progress], None]


class PartialAllocation:
    """Nodes for some of the tasks, within all limits: no allocation, and never called feasible.

    Parameters
    ----------
    instance : Instance
        A plain one.
    node_index : (m,) integers
        Position of the node of each task, -1 for none.
    """

    def __init__(self, instance: Instance, node_index: Array) -> None:
        self.instance = instance
        self.node_index: Array = np.array(node_index, dtype=np.int64)
        self.node_index.flags.writeable = False

    @cached_property
    def placed(self) -> dict[str, str]:
        """The node of each task that has one, by their ids."""
        tasks, nodes = self.instance.task_ids.tolist(), self.instance.node_ids.tolist()
        return {tasks[j]: nodes[self.node_index[j]] for j in np.flatnonzero(self.node_index >= 0)}

    @cached_property
    def unplaced(self) -> dict[str, str]:
        """Why each other task has none: what the node nearest to taking it lacks.

        Nearest is the node that lacks the least, as a share of its capacity. Of very many tasks
        only the first ones are told why; the others have an empty text.
        """
        exact, index = self.instance.exact, self.node_index
        on, tasks = np.flatnonzero(index >= 0), self.instance.task_ids.tolist()
        columns = range(len(exact.dimensions))
        used = [sums_by_group(exact.needs[on, d], index[on], len(exact.capacity)) for d in columns]
        room = [
            [have - taken for have, taken in zip(exact.capacity[:, d].tolist(), use, strict=True)]
            for d, use in enumerate(map(np.ndarray.tolist, used))
        ]
        missing = np.flatnonzero(index < 0).tolist()
        told = max(1, _MOST_LOOKS // len(exact.capacity))
        reasons = [self._why(j, room) for j in missing[:told]] + [""] * (len(missing) - told)
        return {tasks[j]: reason for j, reason in zip(missing, reasons, strict=True)}

    def _why(self, j: int, room: list[list[int]]) -> str:
        instance, exact = self.instance, self.instance.exact
        able = np.flatnonzero(instance.eligibility.row(int(instance.task_group[j]))).tolist()
        lacks = [
            [max(0, need - room[d][i]) for d, need in enumerate(exact.needs[j].tolist())]
            for i in able
        ]
        shares = [
            max(Fraction(lack, max(1, have)) for lack, have in zip(row, capacity, strict=True))
            for row, capacity in zip(lacks, exact.capacity[able].tolist(), strict=True)
        ]
        best = min(range(len(able)), key=shares.__getitem__)
        missing = ", ".join(
            f"{number_of(lack, scale):,} of {name}"
            for lack, scale, name in zip(lacks[best], exact.scales, exact.dimensions, strict=True)
            if lack
        )
        node = f"node {str(instance.node_ids[able[best]])!r}"
        if not missing:
            return f"{node} has room for it; the time was up before that was seen"
        of = f", the nearest of the {len(able):,} that it may run on," if len(able) > 1 else ""
        return f"{node}{of} lacks {missing}"

    def __repr__(self) -> str:
        placed = int(np.count_nonzero(self.node_index >= 0))
        return f"<PartialAllocation: {placed:,} of {self.node_index.size:,} tasks>"


@dataclass(frozen=True)
class Result:
    """The outcome of a solve.

    Attributes
    ----------
    status : Status
        What is known: OPTIMAL only with a proof and a clean check.
    termination : Termination
        Why the run stopped.
    allocation : Allocation or None
    cost : int, float or None
        Cost of the allocation, recomputed from it; an int where all input is integer.
    bound : int, float or None
        No allocation costs less: proven, or None where nothing is known.
    method : str
        The method that ran.
    seconds : float
        Wall time of the whole solve.
    history : tuple of Progress
        Every improvement of cost or bound, in order of time.
    infeasible_because : str or None
        Why no allocation exists, when `status` is INFEASIBLE.
    unplaced : tuple of str
        Ids of the tasks that a heuristic could not place.
    partial : PartialAllocation or None
        Where no allocation was found: the best that was found of some of the tasks.
    cost_parts : dict of str to int or float
        The cost by what it is paid for: "idle", "use", "overload" and, where there is a price of
        it, "energy"; of an instance that is not plain also "forms" (variants and their loss),
        "left_out" and "moves". Empty without an allocation.
    energy : dict or None
        "kwh", "grams" and "cost" of electricity, where the instance has `energy`.
    moves : int or None
        Parts that are not where they are now, where the instance has `current`.
    left_out : tuple of str
        Ids of the tasks that the allocation leaves out, at their skip price.
    proof : str or None
        What the bound, or the infeasibility, rests on; see docs/proofs.md.
    message : str or None
        What else there is to say.
    plan : Plan or None
        Of `rebalance`: in which order what moves.
    cost_now : int, float or None
        Of `rebalance`: the cost of what runs now as it stands, whatever it breaks. A task that is
        nowhere and must run adds nothing to it.
    saving, saving_bound : int, float or None
        Of `rebalance`: `cost_now` less the cost, moves included, and less the bound: no plan
        within the caps saves more.
    broken_now : tuple of Violation
        Of `rebalance`: the rules that what runs now breaks, and the allocation keeps.
    """

    instance: Instance
    method: str
    status: Status
    termination: Termination
    allocation: Allocation | None
    cost: Number | None
    bound: Number | None
    seconds: float
    seed: int
    num_workers: int
    history: tuple[Progress, ...] = ()
    infeasible_because: str | None = None
    unplaced: tuple[str, ...] = ()
    partial: PartialAllocation | None = None
    message: str | None = None
    proof: str | None = None
    cost_parts: dict[str, Number] = field(default_factory=dict)
    energy: dict[str, Number] | None = None
    moves: int | None = None
    left_out: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    plan: Plan | None = None
    cost_now: Number | None = None
    saving: Number | None = None
    saving_bound: Number | None = None
    broken_now: tuple[Any, ...] = ()

    @property
    def gap(self) -> float | None:
        """(cost - bound) / cost, 0 where they meet, None where either is unknown."""
        return relative_gap(self.cost, self.bound)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the load of every node against its capacity (needs matplotlib).

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure unless given.

        Raises
        ------
        ValueError
            If there is no allocation to draw.
        BackendUnavailableError
            If matplotlib is not installed.
        """
        if self.allocation is None:
            raise ValueError(f"there is no allocation to plot: the status is {self.status.value}")
        return plot_loads(
            self.allocation.loads(), self.instance.node_compute, ax, title=_caption(self)
        )

    def to_frame(self, library: str = "pandas") -> Any:
        """The allocation as a data frame, with the columns of its CSV file.

        Parameters
        ----------
        library : {"pandas", "polars"}

        Returns
        -------
        DataFrame
            Of that library: a row a task, or a part of one; `node_id` is missing where a task is
            left out.

        Raises
        ------
        ValueError
            If there is no allocation.
        BackendUnavailableError
            If the library is not installed.
        """
        if self.allocation is None:
            raise ValueError(f"there is no allocation: the status is {self.status.value}")
        return frame_of(*allocation_rows(self.allocation), library)

    def __repr__(self) -> str:
        return f"<Result {_caption(self)}>"


def relative_gap(cost: Number | None, bound: Number | None) -> float | None:
    """(cost - bound) / cost, exact until the last step; 0 where the two are equal.

    >>> relative_gap(200, 150)
    0.25
    """
    if cost is None or bound is None:
        return None
    if cost == bound or cost == 0:
        return 0.0
    return float((Fraction(cost) - Fraction(bound)) / Fraction(cost))


def _caption(result: Result) -> str:
    parts = [result.status.value]
    if result.cost is not None:
        parts.append(f"cost {result.cost:,}")
    if result.gap is not None:
        parts.append(f"gap {result.gap:.3%}")
    return ", ".join(parts)
