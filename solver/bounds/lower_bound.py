"""The proven lower bounds by name: what a user calls, and what each method takes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from ..columns.session import Session
from ..engines.process import EngineCrash
from ..errors import BackendUnavailableError, OptionError
from ..judge.cost import in_user_units
from ..model.instance import Instance, Number
from ..problem.merging import merged
from ..problem.problem import Problem
from ..time_limits import LONGEST, TIME_LIMIT_RULE, is_time_limit
from .closed_form import closed_form_bound
from .infeasible import why_infeasible
from .linear import linear_bound
from .modes.linear import divided_bound, why_relaxation_infeasible

__all__ = ["BOUNDS", "lower_bound"]


def lower_bound(
    instance: Instance, method: str = "auto", *, time_limit: float = 60.0
) -> Number | None:
    """A cost that no allocation of the instance can go below, proven.

    Parameters
    ----------
    instance : Instance
    method : {"auto", "closed-form", "linear", "column-generation"}
        "auto" is the better of the closed form and the linear relaxation, in which numbers of
        nodes that are on are made whole where tasks have variants or rules; column generation
        is stronger where nodes hold few tasks, and takes longer. The closed form knows neither
        rules nor moves nor the quality budget; the linear relaxation takes all of them in, as
        far as fractions of tasks can tell; column generation leaves out affinities, and
        anti-affinities between domains of several nodes (docs/proofs.md).
    time_limit : float
        Seconds; at the limit the best bound so far is returned.

    Returns
    -------
    int or float or None
        In the user's unit of cost; an int where all input is integer, otherwise a float
        that is never above the exact bound. None if there is provably no allocation.

    Raises
    ------
    OptionError
        If the method is unknown or the time limit is none.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 3, 3])
    >>> lower_bound(instance, "closed-form")  # 9 units on 8: one must be overload
    36
    """
    if not is_time_limit(time_limit):
        raise OptionError(f"time_limit is {time_limit!r}; it must be {TIME_LIMIT_RULE}")
    if method not in BOUNDS:
        raise OptionError(f"bound method {method!r} is none of: {', '.join(BOUNDS)}")
    problem = Problem(instance)
    if why_infeasible(problem) is not None:
        return None
    found = None if problem.modes is None else merged(instance)
    if found is not None:
        problem = Problem(found.instance)
    seconds = min(float(time_limit), LONGEST)
    bound = BOUNDS[method](problem, seconds)
    if method != "closed-form" and _is_refuted(problem, seconds):
        return None
    if found is not None:
        bound = found.bound_in_whole(bound)
    return in_user_units(instance, bound, floor=True)


def _is_refuted(problem: Problem, time_limit: float) -> bool:
    """Whether not even the linear relaxation over modes has a solution, provably."""
    if problem.modes is None:
        return False
    try:
        return why_relaxation_infeasible(problem, time_limit) is not None
    except BackendUnavailableError:
        return False


def _column_bound(problem: Problem, time_limit: float) -> int:
    found = [_best(problem, time_limit / 2)]
    with contextlib.suppress(EngineCrash), Session(problem) as session:
        session.generate(time_limit / 2, on_bound=found.append)
    return max(found)


def _best(problem: Problem, time_limit: float) -> int:
    try:
        return linear_bound(problem, time_limit)
    except BackendUnavailableError:
        return closed_form_bound(problem)


def _auto_bound(problem: Problem, time_limit: float) -> int:
    deadline = time.monotonic() + time_limit
    bound = _best(problem, time_limit)
    if problem.modes is None or not problem.instance.power_off:
        return bound
    with contextlib.suppress(BackendUnavailableError):
        divided = divided_bound(problem, deadline - time.monotonic())
        bound = bound if divided is None else max(bound, divided)
    return bound


BOUNDS: dict[str, Callable[[Problem, float], int]] = {
    "auto": _auto_bound,
    "closed-form": closed_form_bound,
    "linear": linear_bound,
    "column-generation": _column_bound,
}
