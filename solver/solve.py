"""`solve`: run a method, and trust nothing it says that has not been checked."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from .bounds.closed_form import closed_form_bound
from .bounds.infeasible import why_infeasible
from .bounds.moves import moves_bound
from .errors import (
    AllocationError,
    BackendUnavailableError,
    OptionError,
)
from .judge.check import check
from .judge.cost import AnyAllocation, as_allocation, cost_parts, energy_of, in_user_units
from .judge.moves import count_moves
from .methods import MethodInfo, Options, Outcome, features_of, methods
from .methods.best import Best
from .methods.placing.balance import balance
from .methods.placing.fewest_moves import fewest_moves
from .methods.placing.on_merged import run_on_merged
from .model.allocation import Allocation
from .model.exact import Array
from .model.instance import Instance, Number
from .model.proofs import Proof
from .model.result import (
    PartialAllocation,
    Progress,
    ProgressCallback,
    Result,
    Status,
    Termination,
)
from .problem.problem import Problem
from .problem.rounding import what_to_round
from .system.interrupts import interrupted_once
from .system.undisturbed import load
from .time_limits import LONGEST, TIME_LIMIT_RULE, is_number, is_time_limit
from .versions import show_versions

__all__ = ["processors", "solve"]

_BALANCING, _LEAST_BALANCING = 0.05, 0.2  # share of the time, and seconds
_LEAST_SAVING = 2.0  # seconds: the solver that saves moves has to be started

_NEARLY = 10**6
_INCOMPLETE = "the search is complete, but its bound stays below the cost"


def solve(
    instance: Instance,
    method: str = "auto",
    *,
    time_limit: float = 60.0,
    seed: int = 0,
    num_workers: int | None = None,
    rel_gap: float = 0.0,
    initial: AnyAllocation | None = None,
    on_progress: ProgressCallback | None = None,
    mip_solver: str = "HiGHS",
    round_limit: int | None = None,
) -> Result:
    """Find the cheapest allocation of an instance, with a proven bound beside it.

    Parameters
    ----------
    instance : Instance
    method : str
        One of `methods()`.
    time_limit : float
        Wall seconds for everything, model building included, or inf; at the limit the best
        allocation so far is returned.
    seed : int
        Seed of everything random, 0 or more.
    num_workers : int, optional
        Threads for the solvers; default: the processors this process may use, by its
        affinity and the quota of its container.
    rel_gap : float
        Stop once (cost - bound) / cost is at most this.
    initial : Allocation, mapping of task id to place, or (W,) node positions, optional
        A feasible allocation to begin from, as `check` takes it; the result is never worse.
    on_progress : callable, optional
        Called with a `Progress` at every better cost or bound, in the calling thread. What it
        raises comes out of `solve`.
    mip_solver : str
        For ``method="mip"``: "HiGHS", "CBC", or another command-line solver of PuLP.
    round_limit : int, optional
        Rounds after which a local search ends. With one worker and a time limit that is not
        reached, "local-search" then gives the same allocation for the same seed.

    Returns
    -------
    Result
        Its status is OPTIMAL only if the cost equals a proven bound. On Ctrl-C the best
        allocation so far is returned, with termination INTERRUPTED; another Ctrl-C does not
        disturb that.

    Raises
    ------
    OptionError
        If an option is out of its range.
    AllocationError
        If `initial` does not belong to the instance or breaks a rule.
    BackendUnavailableError
        If the method needs a package that is not installed.
    ModelTooLargeError
        If an exact method is asked to build a model beyond its limit.
    MethodError
        If a method returns an allocation that breaks a rule: a bug in nodewise or in a solver it
        runs. The error carries the best allocation that was checked before.

    Warns
    -----
    NodewiseWarning
        If a bound, or the claim that there is no allocation, is refuted by an allocation. The
        claim is dropped, with all others of its source, and `message` says so.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[10, 10], task_compute=[6, 5, 5, 4])
    >>> result = solve(instance)
    >>> result.status.value, result.cost, result.bound
    ('optimal', 200, 200)
    """
    begun = time.monotonic()
    info = _method(method, instance)
    _require_options(time_limit, seed, num_workers, rel_gap, round_limit)
    time_limit, seed = min(float(time_limit), LONGEST), int(seed)
    workers = processors() if num_workers is None else int(num_workers)
    start = None if initial is None else _start(instance, initial)
    run = _Run(instance, begun, on_progress, start, rel_gap)
    problem = Problem(instance)
    with interrupted_once() as finish:
        try:
            run.tell()
            reason = why_infeasible(problem)
            if reason is not None:
                outcome = Outcome(Termination.PROVEN, infeasible_because=reason)
            else:
                run.best.bounded(closed_form_bound(problem), Proof.CLOSED_FORM)
                by_moves = moves_bound(instance)
                if by_moves is not None:
                    run.best.bounded(by_moves, Proof.MOVES)
                options = Options(
                    deadline=begun + time_limit,
                    seed=seed,
                    num_workers=workers,
                    rel_gap=rel_gap,
                    mip_solver=mip_solver,
                    round_limit=None if round_limit is None else int(round_limit),
                )
                outcome = run_on_merged(info.run, problem, run.best.within(options))
                if info.balances:
                    run.balance(problem, options)
            finish()
        except KeyboardInterrupt:
            finish()
            outcome = Outcome(Termination.INTERRUPTED)
        return _result(run, problem, method, outcome, seed, workers)


class _Run:
    """What is told while a method runs, and what is kept of it."""

    def __init__(
        self,
        instance: Instance,
        begun: float,
        on_progress: ProgressCallback | None,
        start: Array | None,
        rel_gap: float,
    ) -> None:
        self.instance = instance
        self.begun = begun
        self.history: list[Progress] = []
        self.best = Best(
            instance,
            start=start,
            rel_gap=rel_gap,
            on_incumbent=lambda _: self.tell(),
            on_bound=lambda *_: self.tell(),
            judged=True,
        )
        self._on_progress = on_progress

    @property
    def allocation(self) -> Allocation | None:
        """The best allocation, for the user."""
        found = self.best.node_index
        return None if found is None else Allocation(self.instance, found)

    def moves(self) -> int | None:
        """How many parts move in the best allocation, where something is somewhere now."""
        found = self.allocation
        return None if found is None or self.instance.current is None else count_moves(found)

    def balance(self, problem: Problem, options: Options) -> None:
        """Replace the best allocation by one that costs no more: better balanced, fewer moves."""
        if self.best.node_index is None:
            return
        now = time.monotonic()
        least = _LEAST_BALANCING if problem.modes is None else _LEAST_SAVING
        limit = now + max(least, _BALANCING * (now - self.begun))
        limit = min(limit, options.deadline + _LEAST_BALANCING)
        if options.round_limit is not None:  # who wants the same again wants no clock
            limit = options.deadline
        tie_break = balance if problem.modes is None else fewest_moves
        self.best.rebalance(
            tie_break(problem, replace(options, deadline=limit), self.best.node_index)
        )

    def tell(self) -> None:
        """Note the present cost and bound where they are news, and pass them on."""
        cost = in_user_units(self.instance, self.best.cost)
        bound = self.user_bound()
        last = self.history[-1] if self.history else None
        if (cost, bound) == ((None, None) if last is None else (last.cost, last.bound)):
            return
        point = Progress(seconds=time.monotonic() - self.begun, cost=cost, bound=bound)
        self.history.append(point)
        if self._on_progress is not None:
            self._on_progress(point)

    def user_bound(self) -> Number | None:
        """The bound in the user's unit: where it meets the cost, the same number."""
        best = self.best
        return in_user_units(self.instance, best.bound, floor=best.bound != best.cost)


def _result(
    run: _Run, problem: Problem, method: str, outcome: Outcome, seed: int, workers: int
) -> Result:
    instance, best = run.instance, run.best
    if outcome.infeasible_because is not None and best.node_index is not None:
        best.refute(
            f"that there is no allocation ({outcome.infeasible_because})", _proof_of(outcome)
        )
        outcome = Outcome(Termination.FINISHED)
    termination, message = outcome.termination, outcome.message
    proof = best.claims[-1][1] if best.claims else None
    if outcome.infeasible_because is not None:
        status, proof = Status.INFEASIBLE, _proof_of(outcome)
    elif best.cost is not None and best.cost == best.bound:
        status, termination = Status.OPTIMAL, Termination.PROVEN
    else:
        status = Status.UNKNOWN if best.cost is None else Status.FEASIBLE
        if termination is Termination.PROVEN:
            termination, message = Termination.FINISHED, message or _INCOMPLETE
        if _nearly_proved(best) or best.cost is None:
            message = "; ".join(filter(None, [message, what_to_round(problem)])) or None
    if best.refuted:
        message = "; ".join(filter(None, [*best.refuted.values(), message]))
    infeasible = status is Status.INFEASIBLE
    partial = _partial(best) if status is Status.UNKNOWN else None
    return Result(
        instance=instance,
        method=method,
        status=status,
        termination=termination,
        allocation=run.allocation,
        cost=in_user_units(instance, best.cost),
        bound=None if infeasible else run.user_bound(),
        seconds=time.monotonic() - run.begun,
        seed=seed,
        num_workers=workers,
        history=tuple(run.history),
        infeasible_because=outcome.infeasible_because,
        unplaced=tuple(str(instance.task_ids[j]) for j in _unplaced(partial, outcome)),
        partial=partial,
        message=message,
        proof=None if proof is None else proof.value,
        cost_parts={} if best.node_index is None else cost_parts(instance, best.node_index),
        energy=None if best.node_index is None else energy_of(instance, best.node_index),
        moves=run.moves(),
        left_out=() if run.allocation is None else run.allocation.left_out,
        versions=show_versions(),
    )


def _partial(best: Best) -> PartialAllocation | None:
    """What was found of some tasks, if all but its being incomplete passes the check."""
    if best.partial is None:
        return None
    if any(broken.rule != "unassigned" for broken in check(best.instance, best.partial)):
        return None
    return PartialAllocation(best.instance, best.partial)


def _unplaced(partial: PartialAllocation | None, outcome: Outcome) -> Iterable[int]:
    return outcome.unplaced if partial is None else np.flatnonzero(partial.node_index < 0).tolist()


def _proof_of(outcome: Outcome) -> Proof:
    return Proof.LIMITS if outcome.proof is None else outcome.proof


def _nearly_proved(best: Best) -> bool:
    """Whether the gap is so small that only digits are missing."""
    if best.cost is None or best.bound is None:
        return False
    return (best.cost - best.bound) * _NEARLY <= best.cost


def _method(name: str, instance: Instance) -> MethodInfo:
    known = methods()
    if name not in known:
        raise OptionError(f"method {name!r} is none of: {', '.join(known)}")
    info = known[name]
    if not info.available:
        raise BackendUnavailableError(f"method {name!r}: {info.why_not}")
    features = () if instance.is_plain else features_of(instance)
    if info.lacks(features):
        able = [other.name for other in known.values() if not other.lacks(features)]
        raise OptionError(
            f"method {name!r} does not take {', '.join(info.lacks(features))}, which the instance "
            f"has; these do: {', '.join(able)}"
        )
    return info


def _require_options(
    time_limit: Any, seed: Any, num_workers: Any, rel_gap: Any, round_limit: Any
) -> None:
    rules: list[tuple[str, Any, bool, str]] = [
        ("time_limit", time_limit, is_time_limit(time_limit), TIME_LIMIT_RULE),
        ("seed", seed, _is_whole(seed) and seed >= 0, "an integer, 0 or more"),
        (
            "num_workers",
            num_workers,
            num_workers is None or (_is_whole(num_workers) and num_workers >= 1),
            "an integer, 1 or more",
        ),
        (
            "round_limit",
            round_limit,
            round_limit is None or (_is_whole(round_limit) and round_limit >= 0),
            "an integer, 0 or more",
        ),
        (
            "rel_gap",
            rel_gap,
            is_number(rel_gap) and 0 <= rel_gap < math.inf,
            "a finite number, 0 or more",
        ),
    ]
    for name, value, holds, rule in rules:
        if not holds:
            raise OptionError(f"{name} is {value!r}; it must be {rule}")


def _is_whole(value: Any) -> bool:
    return is_number(value) and math.isfinite(value) and value == int(value)


def processors() -> int:
    """Processors by affinity, or fewer where a container's quota of time is smaller."""
    # Loaded here: whoever gives a number need not wait for it.
    return int(load("joblib").cpu_count())


def _start(instance: Instance, initial: AnyAllocation) -> Array:
    allocation = as_allocation(instance, initial)
    violations = check(instance, allocation)
    if violations:
        raise AllocationError(
            f"initial breaks {len(violations)} rules, the first: {violations[0]}; "
            "solve without it, or repair it first"
        )
    return allocation.node_index
