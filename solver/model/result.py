"""What a solve returns: the allocation, its cost, the proven bound and why it stopped."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..plot import plot_loads
from ..system.whole_files import atomic_text, write_csv
from .exact import Array, decimal_places, number_of, scaled_integers, sums_by_group
from .instance import Instance, Number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Allocation", "Progress", "ProgressCallback", "Result", "Status", "Termination"]


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


class _NodeOf(Mapping[str, str]):
    """Read-only view from task id to node id."""

    def __init__(self, allocation: Allocation) -> None:
        self._allocation = allocation

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {task: j for j, task in enumerate(self._allocation.instance.task_ids.tolist())}

    def __getitem__(self, task: str) -> str:
        instance = self._allocation.instance
        return str(instance.node_ids[self._allocation.node_index[self._positions[task]]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._allocation.instance.task_ids.tolist())

    def __len__(self) -> int:
        return self._allocation.instance.num_tasks


class Allocation:
    """A node for every task.

    Parameters
    ----------
    instance : Instance
    node_index : (m,) integers
        Position of the node that hosts each task.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2, 2])
    >>> allocation = Allocation(instance, [0, 1, 1])
    >>> allocation.node_of["task-2"], allocation.loads().tolist()
    ('node-1', [3, 4])
    """

    def __init__(self, instance: Instance, node_index: Any) -> None:
        given = np.asarray(node_index)
        if given.size and given.dtype.kind not in "iu":
            raise ValueError(f"node_index must hold integer positions, not {given.dtype}")
        index = np.array(given, dtype=np.int64).reshape(-1)
        if index.shape != (instance.num_tasks,):
            raise ValueError(f"node_index has {index.size} entries for {instance.num_tasks} tasks")
        if index.size and not (int(index.min()) >= 0 and int(index.max()) < instance.num_nodes):
            raise ValueError(f"node_index must hold positions 0..{instance.num_nodes - 1}")
        index.flags.writeable = False
        self.instance = instance
        self.node_index: Array = index

    @cached_property
    def node_of(self) -> Mapping[str, str]:
        """Mapping from task id to the id of its node."""
        return _NodeOf(self)

    def loads(self) -> Array:
        """(n,) load of each node, in the user's unit of compute."""
        exact = self.instance.exact
        return self._per_node(exact.task_compute, exact.compute_scale)

    def tasks_per_node(self) -> Array:
        """(n,) number of tasks on each node."""
        return np.bincount(self.node_index, minlength=self.instance.num_nodes)

    def used(self, dimension: str) -> Array:
        """(n,) amount used of "storage" or of a further resource, in the user's unit."""
        instance, exact = self.instance, self.instance.exact
        if dimension in exact.dimensions:
            column = exact.dimensions.index(dimension)
            return self._per_node(exact.needs[:, column], exact.scales[column])
        if dimension != "storage":
            raise KeyError(
                f"{dimension!r} is none of: storage, {', '.join(instance.node_resources)}"
            )
        return self._per_node(*_scaled(instance.task_storage))

    def _per_node(self, amounts: Array, scale: int) -> Array:
        sums = sums_by_group(amounts, self.node_index, self.instance.num_nodes)
        if scale == 1:
            return sums
        totals = [number_of(int(total), scale) for total in sums.tolist()]
        wide = any(isinstance(total, int) for total in totals)
        return np.array(totals, dtype=object if wide else np.float64)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write `task_id,node_id`, one row a task, in the order of the instance."""
        nodes = self.instance.node_ids.tolist()
        tasks = self.instance.task_ids.tolist()
        rows = zip(tasks, (nodes[i] for i in self.node_index.tolist()), strict=True)
        with atomic_text(path) as stream:
            write_csv(stream, ("task_id", "node_id"), rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Allocation):
            return NotImplemented
        same = np.array_equal(self.node_index, other.node_index)
        return same and self.instance == other.instance

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Allocation of {self.instance.num_tasks} tasks to {self.instance.num_nodes} nodes>"


def _scaled(column: Array) -> tuple[Array, int]:
    places = decimal_places(column)
    return scaled_integers(column, places), 10**places


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
    proof : str or None
        What the bound, or the infeasibility, rests on; see docs/proofs.md.
    message : str or None
        What else there is to say.
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
    message: str | None = None
    proof: str | None = None
    versions: dict[str, str] = field(default_factory=dict)

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
