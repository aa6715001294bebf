"""Compiling ahead, in child processes, so that a time limit or Ctrl-C never waits for it.

The kernels are compiled once for an installation, which takes some tens of seconds; from
then on every process loads them from numba's cache. A stamp beside the cache says for which
sources, numba and processor this has been done.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from llvmlite.binding import get_host_cpu_name

from ..files import atomic_text
from ..model import Instance
from ..presolve import Problem
from .descent import descend, feed, make_ranking, regroup_some, relieve, switch_off
from .greedy import fill_greedily, fill_quickly
from .pricing import Knapsack, make_tables, multipliers, price_out
from .sets import make_buffers
from .state import Facts, State, make_facts, make_state, task_order, total_cost, total_excess

__all__ = ["COMPILING", "compile_ahead", "is_compiled"]

COMPILING = (
    "the time limit came while the search was being compiled, which happens once; it goes on in "
    "the background, and the next run will find it done"
)

_POLL_SECONDS = 0.05


def is_compiled() -> bool:
    """Whether the kernels can be loaded from the cache, or cannot be compiled into one."""
    if numba.config.DISABLE_JIT or total_cost.stats.cache_path is None:  # type: ignore[attr-defined]
        return True
    return _stamp().exists()


def compile_ahead(stopped: Callable[[], bool]) -> bool:
    """Compile all kernels into the cache, in child processes.

    Parameters
    ----------
    stopped : callable
        Asked all the time; once it returns True the children are left to finish alone.

    Returns
    -------
    bool
        Whether the kernels are ready, or cannot be made so this way; False if stopped.
    """
    if is_compiled():
        return True
    for stale in _stamp().parent.glob("*.nb[ci]"):
        # numba looks at the file of a function only, not at those of the functions it calls.
        stale.unlink(missing_ok=True)
    children = [
        subprocess.Popen(
            [sys.executable, "-m", __name__, part],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )
        for part in _PARTS
    ]
    while any(child.poll() is None for child in children):
        if stopped():
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _stamp() -> Path:
    """File that exists once everything is in the cache."""
    text = "".join(
        path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))
    )
    text += f"{numba.__version__} {np.__version__} {sys.version} {get_host_cpu_name()}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder = Path(total_cost.stats.cache_path)  # type: ignore[attr-defined]
    return folder / f"kernels-{digest}"


def _example() -> tuple[Facts, State, dict[str, Any]]:
    """A small problem, of the types that the kernels are always called with."""
    instance = Instance.from_arrays(
        node_compute=[10, 10, 10],
        node_storage=[5, 6, 7],
        task_compute=[4, 4, 3, 5, 6],
        task_storage=[2, 2, 1, 1, 2],
    )
    problem = Problem(instance)
    facts = make_facts(problem, task_order(problem))
    state = make_state(facts, np.zeros(5, dtype=np.int64))
    common = {"buffers": make_buffers(), "rng": np.random.default_rng(0)}
    return facts, state, common


def _exchanges() -> None:
    facts, state, common = _example()
    nodes, ranking = np.arange(3), make_ranking(facts)
    descend(facts, state, nodes, ranking, 2, 1, **common)
    switch_off(facts, state, nodes, 2, **common)
    total_cost(facts, state)


def _others() -> None:
    facts, state, common = _example()
    nodes, ranking = np.arange(3), make_ranking(facts)
    relieve(facts, state, nodes, 2, True, **common)
    feed(facts, state, nodes, ranking, 2, **common)
    regroup_some(facts, state, nodes, 2, 2, 100, False, **common)
    total_excess(facts, state)
    place = np.full(5, -1, dtype=np.int64)
    load, count = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    room, order = facts.capacity.copy(), np.arange(5)
    fill_greedily(facts, order, place, load, count, room)
    fill_quickly(facts, order, place, load, count, room, common["rng"])
    most, apart = np.ones(5, dtype=np.int64), np.zeros((0, 0), dtype=np.bool_)
    knapsack = Knapsack(facts.demand, most, facts.needs, 10, 3, 0, room[0], apart)
    weights, found = np.zeros(2), np.zeros((3, 4), dtype=np.int32)
    multipliers(knapsack, facts.demand, weights)
    tables = make_tables(knapsack, facts.demand, weights)
    values, work = np.zeros(3, dtype=np.int64), np.zeros(1, dtype=np.int64)
    price_out(knapsack, facts.demand, knapsack.most, tables, 0, 0, False, 9, found, values, work)


_PARTS = {"exchanges": _exchanges, "others": _others}


def main(part: str) -> None:
    """Compile one part; whoever is the last to finish leaves the stamp."""
    stamp = _stamp()
    _PARTS[part]()
    (stamp.parent / f"{stamp.name}-{part}").touch()
    if all((stamp.parent / f"{stamp.name}-{name}").exists() for name in _PARTS):
        with atomic_text(stamp) as file:
            file.write("All kernels of these sources are in the cache.\n")


if __name__ == "__main__":
    main(sys.argv[1])
