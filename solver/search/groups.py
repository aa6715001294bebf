"""Large neighbourhood search: a group of nodes solved anew by CP-SAT, the others left alone.

(Shaw 1998, "Using constraint programming and local search methods to solve vehicle routing
problems".) The group is an instance of its own, over classes of tasks as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..engines.limits import CP_SAT, hard_limit
from ..engines.process import EngineCrash, HardLimitReached, run_job
from ..errors import BackendUnavailableError
from ..model.exact import Array
from ..model.instance import Instance
from ..problem.problem import Problem
from ..programs.assignment import assignment_model, count_cells
from ..settings import SEARCH

__all__ = ["Group", "draw_group", "make_group", "solve_group"]


class Group(NamedTuple):
    """A group to be solved anew: all that a worker needs.

    Attributes
    ----------
    instance : Instance
        The nodes of the group and the tasks on them.
    node_index : (tasks,) int64
        The present allocation, feasible.
    seed : int
    seconds : float
    """

    instance: Instance
    node_index: Array
    seed: int
    seconds: float


def draw_group(
    node_index: Array, seeds: Array, used: Array, num_tasks: int, rng: np.random.Generator
) -> Array:
    """Draw one of the seeds and random unused nodes until they hold enough tasks.

    Parameters
    ----------
    node_index : (m,) int64
    seeds : int64
        Nodes of which the group should hold one.
    used : (n,) bool
        Nodes that are taken; those drawn are marked.
    num_tasks : int
        Tasks that the group should hold together, about.

    Returns
    -------
    array
        Positions of the nodes; fewer than two if none are left.
    """
    count = np.bincount(node_index, minlength=used.size)
    order = rng.permutation(np.flatnonzero(~used))
    first = rng.permutation(seeds[~used[seeds]])[:1]
    order = np.concatenate((first, order[order != first] if first.size else order))
    held = np.cumsum(count[order])
    size = max(2, int(np.searchsorted(held, num_tasks, side="right")))
    nodes = np.sort(order[:size])
    used[nodes] = True
    return nodes


def make_group(
    problem: Problem, node_index: Array, nodes: Array, seed: int, seconds: float
) -> tuple[Group, Array]:
    """The group of some nodes, and the positions of its tasks."""
    place = np.full(problem.instance.num_nodes, -1, dtype=np.int64)
    place[nodes] = np.arange(nodes.size)
    tasks = np.flatnonzero(place[node_index] >= 0)
    own = problem.restrict(tasks, nodes).instance
    return Group(own, place[node_index[tasks]], seed, seconds), tasks


def solve_group(group: Group, interrupted: Callable[[], bool] | None = None) -> Array | None:
    """Solve a group by CP-SAT, from its present allocation; nothing once interrupted.

    One worker and a limit on deterministic time: the same group and seed give the same
    answer, unless the seconds run out first.

    Returns
    -------
    (tasks,) int64 or None
        The best allocation found; None if there is none, or no solver.
    """
    problem = Problem(group.instance)
    if count_cells(problem) > SEARCH.most_cells or (interrupted is not None and interrupted()):
        return None
    built = assignment_model(problem, problem.grid)
    hint = built.hint(group.node_index)
    payload = {
        "model": built.model,
        "hint": hint,
        "objective_lower": None,
        "objective_upper": None,
        "time_limit": group.seconds,
        "seed": group.seed,
        "num_workers": 1,
        "rel_gap": 0.0,
        "deterministic_limit": SEARCH.deterministic_limit,
    }
    try:
        answer = run_job(CP_SAT, "solve_model", payload, hard_limit=hard_limit(group.seconds))
    except (BackendUnavailableError, EngineCrash, HardLimitReached):
        return None
    if answer["values"] is None:
        return None
    return built.decode(answer["values"])
