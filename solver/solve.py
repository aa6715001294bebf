"""`solve`: run a method, and trust nothing it says that has not been checked."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .bounds import closed_form_bound
from .check import check
from .cost import AnyAllocation, as_allocation, cost_in_units, in_user_units
from .errors import AllocationError, BackendUnavailableError, MethodError, OptionError
from .exact import Array
from .infeasibility import why_infeasible
from .methods import MethodInfo, Options, Outcome, methods
from .methods.balance import balance
from .model import Instance
from .presolve import Problem
from .result import Allocation, Progress, ProgressCallback, Result, Status, Termination
from .versions import show_versions

__all__ = ["solve"]

_BALANCING, _LEAST_BALANCING = 0.05, 0.2  # share of the time, and seconds

_ROUNDED = (
    "the solver's search is complete, but the numbers have more digits than it can hold, and "
    "its bound stays below the cost by what rounding may hide; round the input to close the gap"
)


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
) -> Result:
    """Find the cheapest allocation of an instance, with a proven bound beside it.

    Parameters
    ----------
    instance : Instance
    method : str
        One of `methods()`.
    time_limit : float
        Wall seconds for everything, model building included; at the limit the best
        allocation so far is returned.
    seed : int
        Seed of everything random, 0 or more.
    num_workers : int, optional
        Threads for the solvers; default: the processors this process may use.
    rel_gap : float
        Stop once (cost - bound) / cost is at most this.
    initial : Allocation, mapping of task id to node id, or (m,) node positions, optional
        A feasible allocation to begin from; the result is never worse.
    on_progress : callable, optional
        Called with a `Progress` at every better cost or bound. It must not raise; it runs in
        the calling thread.
    mip_solver : str
        For ``method="mip"``: "HiGHS", "CBC", or another command-line solver of PuLP.

    Returns
    -------
    Result
        Its status is OPTIMAL only if the cost equals a proven bound. On Ctrl-C the best
        allocation so far is returned, with termination INTERRUPTED.

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
        If a method returns an allocation or a bound that a check refutes: a bug in nodewise
        or in a solver it runs.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[10, 10], task_compute=[6, 5, 5, 4])
    >>> result = solve(instance)
    >>> result.status.value, result.cost, result.bound
    ('optimal', 200, 200)
    """
    begun = time.monotonic()
    info = _method(method)
    _require_options(time_limit, seed, num_workers, rel_gap)
    workers = num_workers or _processors()
    run = _Run(instance, begun, on_progress)
    start = None if initial is None else _start(instance, initial)
    problem = Problem(instance)
    try:
        if start is not None:
            run.incumbent(start)
        reason = why_infeasible(problem)
        if reason is not None:
            outcome = Outcome(Termination.PROVEN, infeasible_because=reason)
        else:
            run.bounded(closed_form_bound(problem))
            options = Options(
                deadline=begun + time_limit,
                seed=seed,
                num_workers=workers,
                rel_gap=rel_gap,
                start=start,
                bound=run.bound,
                mip_solver=mip_solver,
                on_incumbent=run.incumbent,
                on_bound=run.bounded,
            )
            outcome = info.run(problem, options)
            if info.balances:
                run.balanced(problem, options)
    except KeyboardInterrupt:
        outcome = Outcome(Termination.INTERRUPTED)
    return _result(run, method, outcome, seed, workers)


class _Run:
    """The best allocation and bound so far, each checked when it comes."""

    def __init__(
        self, instance: Instance, begun: float, on_progress: ProgressCallback | None
    ) -> None:
        self.instance = instance
        self.begun = begun
        self.node_index: Array | None = None
        self.cost: int | None = None
        self.bound: int | None = None
        self.history: list[Progress] = []
        self._on_progress = on_progress

    def incumbent(self, node_index: Array) -> None:
        """Keep an allocation if it is better than the best so far and breaks no rule."""
        cost = cost_in_units(self.instance, node_index)
        if self.cost is not None and cost >= self.cost:
            return
        violations = check(self.instance, node_index)
        if violations:
            raise MethodError(
                f"a method returned an allocation with {len(violations)} violations, "
                f"the first: {violations[0]}"
            )
        self.node_index, self.cost = node_index.copy(), cost
        self._require_order()
        self._tell()

    def bounded(self, bound: int) -> None:
        """Keep a bound if it is better than the best so far."""
        if self.bound is not None and bound <= self.bound:
            return
        self.bound = bound
        self._require_order()
        self._tell()

    def balanced(self, problem: Problem, options: Options) -> None:
        """Replace the best allocation by a better balanced one that costs no more."""
        if self.node_index is None:
            return
        now = time.monotonic()
        limit = now + max(_LEAST_BALANCING, _BALANCING * (now - self.begun))
        limit = min(limit, options.deadline + _LEAST_BALANCING)
        found = balance(problem, replace(options, deadline=limit), self.node_index)
        self.incumbent(found)
        if cost_in_units(self.instance, found) == self.cost and not check(self.instance, found):
            self.node_index = found

    def _require_order(self) -> None:
        if self.cost is not None and self.bound is not None and self.bound > self.cost:
            raise MethodError(
                f"a bound of {self.bound} was claimed, but an allocation of cost {self.cost} "
                "exists (in exact cost units)"
            )

    def _tell(self) -> None:
        point = Progress(
            seconds=time.monotonic() - self.begun,
            cost=in_user_units(self.instance, self.cost),
            bound=self._user_bound(),
        )
        self.history.append(point)
        if self._on_progress is not None:
            self._on_progress(point)

    def _user_bound(self) -> Any:
        """The bound in the user's unit: where it meets the cost, the same number."""
        return in_user_units(self.instance, self.bound, floor=self.bound != self.cost)


def _result(run: _Run, method: str, outcome: Outcome, seed: int, workers: int) -> Result:
    instance = run.instance
    termination, message = outcome.termination, outcome.message
    if outcome.infeasible_because is not None:
        if run.node_index is not None:
            raise MethodError(
                f"called infeasible ({outcome.infeasible_because}), but an allocation exists"
            )
        status = Status.INFEASIBLE
    elif run.node_index is None:
        status = Status.UNKNOWN
        if termination is Termination.PROVEN:
            termination, message = Termination.FINISHED, message or _ROUNDED
    elif run.cost == run.bound:
        status, termination = Status.OPTIMAL, Termination.PROVEN
    else:
        status = Status.FEASIBLE
        if termination is Termination.PROVEN:
            termination, message = Termination.FINISHED, message or _ROUNDED
    infeasible = status is Status.INFEASIBLE
    return Result(
        instance=instance,
        method=method,
        status=status,
        termination=termination,
        allocation=None if run.node_index is None else Allocation(instance, run.node_index),
        cost=in_user_units(instance, run.cost),
        bound=None if infeasible else run._user_bound(),
        seconds=time.monotonic() - run.begun,
        seed=seed,
        num_workers=workers,
        history=tuple(run.history),
        infeasible_because=outcome.infeasible_because,
        unplaced=tuple(str(instance.task_ids[j]) for j in outcome.unplaced),
        message=message,
        versions=show_versions(),
    )


def _method(name: str) -> MethodInfo:
    known = methods()
    if name not in known:
        raise OptionError(f"method {name!r} is none of: {', '.join(known)}")
    info = known[name]
    if not info.available:
        raise BackendUnavailableError(f"method {name!r}: {info.why_not}")
    return info


def _require_options(time_limit: float, seed: int, num_workers: int | None, rel_gap: float) -> None:
    rules: list[tuple[str, Any, Callable[[Any], bool], str]] = [
        ("time_limit", time_limit, lambda value: value >= 0, "a number of seconds, 0 or more"),
        ("seed", seed, lambda value: value == int(value) >= 0, "an integer, 0 or more"),
        (
            "num_workers",
            1 if num_workers is None else num_workers,
            lambda value: value == int(value) >= 1,
            "an integer, 1 or more",
        ),
        ("rel_gap", rel_gap, lambda value: 0 <= value < math.inf, "a number, 0 or more"),
    ]
    for name, value, holds, rule in rules:
        if isinstance(value, bool) or not isinstance(value, int | float) or not holds(value):
            raise OptionError(f"{name} is {value!r}; it must be {rule}")


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start(instance: Instance, initial: AnyAllocation) -> Array:
    allocation = as_allocation(instance, initial)
    violations = check(instance, allocation)
    if violations:
        raise AllocationError(
            f"initial breaks {len(violations)} rules, the first: {violations[0]}; "
            "solve without it, or repair it first"
        )
    return allocation.node_index
