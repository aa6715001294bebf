"""What a method gets and returns."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..judge.check import check
from ..model.exact import Array
from ..model.proofs import Proof
from ..model.result import Termination
from ..problem.grid import Grid
from ..problem.problem import Problem
from ..system.lanes import halted

__all__ = ["Method", "Options", "Outcome", "keeps_rules", "outcome_of"]


def _ignore(*_: object) -> None:
    """Default for the callbacks."""


@dataclass(frozen=True)
class Options:
    """How a method is to run.

    Attributes
    ----------
    deadline : float
        Value of ``time.monotonic()`` at which to stop.
    repair_deadline : float
        The same for the repair of what a baseline has left without a node.
    seed, num_workers : int
    rel_gap : float
        Stop once (cost - bound) / cost is at most this.
    start : (m,) int64 or None
        A feasible allocation to begin from.
    near_start : bool
        Whether a search is to go on from `start` at once, without other starts.
    bound : int or None
        A proven bound in exact cost units, known beforehand.
    mip_solver : str
        The solver that method "mip" uses.
    round_limit : int or None
        Rounds after which a local search ends, for runs that can be repeated exactly.
    best : Best or None
        That of the method around this one, if there is one: see `best.Best.of`.
    searched_beside : bool
        Whether a search runs beside the method, so that it needs none of its own.
    workers : callable or None
        Tells how many of the workers a search may use at present, 0 if it is to end; None for
        all of them.
    on_incumbent, on_bound : callables
        Told of every better allocation (node positions) and every better bound (exact cost
        units, and what it rests on) as soon as they are found.
    on_partial : callable
        Told of node positions that keep all limits, -1 for tasks without a node, where a method
        found no more; of plain instances.
    """

    deadline: float
    repair_deadline: float = math.inf
    seed: int = 0
    num_workers: int = 1
    rel_gap: float = 0.0
    start: Array | None = None
    near_start: bool = False
    bound: int | None = None
    mip_solver: str = "HiGHS"
    round_limit: int | None = None
    best: object | None = None
    searched_beside: bool = False
    workers: Callable[[], int] | None = None
    on_incumbent: Callable[[Array], None] = field(default=_ignore)
    on_bound: Callable[[int, Proof], None] = field(default=_ignore)
    on_partial: Callable[[Array], None] = field(default=_ignore)

    def seconds_left(self) -> float:
        """Seconds until the deadline, 0 if it has passed or this is to end now."""
        return 0.0 if halted() else max(0.0, self.deadline - time.monotonic())

    def workers_now(self) -> int:
        """How many workers a search may use at present; 0 if it is to end."""
        return self.num_workers if self.workers is None else self.workers()


@dataclass(frozen=True)
class Outcome:
    """What a method found; incumbents and bounds have gone through the callbacks already.

    Attributes
    ----------
    termination : Termination
    infeasible_because : str or None
        A proof, in words, that there is no allocation.
    proof : Proof or None
        What that proof rests on.
    unplaced : tuple of int
        Positions of the tasks that a heuristic could not place.
    message : str or None
    """

    termination: Termination
    infeasible_because: str | None = None
    proof: Proof | None = None
    unplaced: tuple[int, ...] = ()
    message: str | None = None


Method = Callable[[Problem, Options], Outcome]


def outcome_of(problem: Problem, options: Options, status: str) -> Outcome:
    """How a run ended, from the engine's word for it.

    "infeasible" is believed of CP-SAT, which computes in integers, on the outer grid only.
    """
    if status == "optimal":
        return Outcome(Termination.GAP_REACHED if options.rel_gap else Termination.PROVEN)
    if status == "infeasible":
        return Outcome(
            Termination.PROVEN,
            infeasible_because=(
                "no assignment of whole tasks keeps every limit at once "
                f"({', '.join(_limits(problem))}): proved by exhaustive search"
            ),
            proof=Proof.CP_SAT,
        )
    # A little before the deadline or after: nothing but the limit ends these searches early.
    return Outcome(Termination.TIME_LIMIT)


def keeps_rules(problem: Problem, node_index: Array, grid: Grid | None = None) -> bool:
    """Whether an allocation, from numbers that may have been rounded, breaks nothing.

    Parameters
    ----------
    problem : Problem
    node_index : (W,) int64
    grid : Grid, optional
        Whose hard dimensions a plain allocation is to keep; default: the exact ones.
    """
    if problem.modes is not None:
        return not check(problem.instance, node_index)
    return problem.keeps_limits(node_index) if grid is None else grid.keeps_limits(node_index)


def _limits(problem: Problem) -> list[str]:
    """The names of all that may be in conflict."""
    instance, modes = problem.instance, problem.modes
    names = ["eligibility", *instance.exact.dimensions]
    if modes is None:
        return names
    parts = np.bincount(modes.mode_form, modes.mode_parts)
    others = {
        "pinned": bool(instance.task_pinned.any()),
        "node states": any(state != "open" for state in instance.node_state),
        "max_loss": bool((instance.task_max_loss < math.inf).any()),
        "quality_budget": modes.budget is not None,
        "max_moves": modes.most_moves is not None,
        "parts of a task on different nodes": bool((parts > 1).any()),
    }
    names += [name for name, holds in others.items() if holds]
    rules = Counter(rule.rule.name for rule in modes.rules)
    return names + [
        f"{count} {name} rules" if count > 1 else f"a rule {name}" for name, count in rules.items()
    ]
