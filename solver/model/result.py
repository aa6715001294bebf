"""What a solve returns: the allocation, its cost, the proven bound and why it stopped."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from ..plot import plot_loads
from .allocation import Allocation
from .instance import Instance, Number

__all__ = ["Progress", "ProgressCallback", "Result", "Status", "Termination"]

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
    cost_parts: dict[str, Number] = field(default_factory=dict)
    energy: dict[str, Number] | None = None
    moves: int | None = None
    left_out: tuple[str, ...] = ()
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
