"""A start for the search from patterns of what a node holds, where there are few classes."""

from __future__ import annotations

import logging
import math

import numpy as np

from ...columns.modes.program import deal_columns
from ...columns.modes.remainder import remainder_model
from ...columns.modes.table import ModeTable
from ...columns.session import Session
from ...engines.limits import CP_SAT, hard_limit
from ...engines.process import EngineCrash, HardLimitReached, run_job
from ...errors import BackendUnavailableError
from ...model.exact import Array
from ...model.rules import Affinity, AntiAffinity
from ...problem.problem import Problem
from ...problem.table import Column
from ...settings import PATTERNS
from ..base import Options

__all__ = ["pattern_start", "suits_patterns"]

_log = logging.getLogger(__name__)

_WIDEST = 2**61


def suits_patterns(problem: Problem) -> bool:
    """Whether tasks and nodes are many of few classes, and no rule binds single ones together."""
    modes = problem.modes
    if modes is None or modes.has_homes or not problem.table.capacity.shape[1]:
        return False
    if any(isinstance(rule.rule, Affinity | AntiAffinity) for rule in modes.rules):
        return False
    tasks, nodes = int(modes.task_count.sum()), problem.instance.num_nodes
    node_classes = problem.classes.num_node_classes
    return (
        tasks >= PATTERNS.tasks_per_class * modes.num_classes
        and nodes >= PATTERNS.nodes_per_class * node_classes
        and modes.num_modes * node_classes <= PATTERNS.pairs
    )


def pattern_start(problem: Problem, options: Options, bound: int) -> Array | None:
    """Rows placed by patterns, and the last of them by an exact model.

    Parameters
    ----------
    problem : Problem
    options : Options
    bound : int
        On the cost, in exact units.

    Returns
    -------
    (W,) int64 or None
        Node positions, -1 where a row is not in use; some tasks may be left. None if there are no
        patterns.
    """
    seconds = PATTERNS.share * options.seconds_left()
    if seconds <= 0 or not suits_patterns(problem):
        return None
    grid_bound = (bound - problem.outer_grid.offset) // problem.outer_grid.cost_unit
    try:
        with Session(problem) as session:
            found = session.patterns(seconds, grid_bound)
            table = session.table
        assert isinstance(table, ModeTable)
        if found is None:
            return None
        columns = _completed(table, *found, options, grid_bound)
    except (BackendUnavailableError, EngineCrash) as error:
        _log.warning("no patterns: %s", error)
        return None
    if not columns:
        return None
    times = np.ones(len(columns), dtype=np.int64)
    return deal_columns(problem, table, columns, times, whole=False)


def _completed(
    data: ModeTable, fixed: list[Column], amounts: list[float], options: Options, bound: int
) -> list[Column]:
    """The columns of patterns and those for the tasks that these leave, by CP-SAT.

    Without the latter, where it finds none in the time.
    """
    free = data.node_count - np.bincount([g for g, _ in fixed], minlength=data.node_count.size)
    wanted = [math.ceil(amount) + PATTERNS.spare for amount in amounts]
    wanted = np.minimum(free, wanted).tolist()
    slots = tuple(g for g, number in enumerate(wanted) for _ in range(number))
    seconds = PATTERNS.exact_share * options.seconds_left()
    if not slots or seconds <= 0:
        return fixed
    built = remainder_model(data, fixed, slots)
    model = built.model
    most = int((model.objective.astype(object) * model.upper.astype(object)).sum())
    if most >= _WIDEST:
        return fixed
    try:
        answer = run_job(
            CP_SAT,
            "solve_model",
            {
                "model": model,
                "hint": None,
                "objective_lower": min(max(0, bound), most),
                "objective_upper": most,
                "time_limit": seconds,
                "seed": options.seed,
                "num_workers": options.num_workers,
                "rel_gap": PATTERNS.exact_gap,
                "deterministic_limit": None,
            },
            hard_limit=hard_limit(seconds),
        )
    except (EngineCrash, HardLimitReached) as error:
        _log.info("the last tasks of patterns: %s", error)
        return fixed
    return fixed if answer["values"] is None else built.columns(answer["values"])
