"""What the compiling process runs: every kernel is called once on a small problem.

Started as ``python -m solver.kernels.build.compiling [LOCK]``; LOCK is the open lock of the folder,
inherited from the process that started this one, or is taken here. Half the work is done by a
second process where there is a second processor; it holds the lock too.
"""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from ...model.instance import Instance
from ...model.records import Node, Task, Variant
from ...problem.problem import Problem
from ...system.locks import hold
from ..annealing import pack
from ..descent import descend, feed, make_ranking, regroup_some, relieve, switch_off
from ..greedy import fill_greedily, fill_quickly
from ..listed import Listed, make_search
from ..moves.sets import make_buffers
from ..partition import search_on
from ..pricing import price_out
from ..quick_sets import fill_node
from ..state import Facts, State, make_facts, make_state, task_order
from ..tables import Knapsack, make_tables, multipliers, upper_limit, useful
from . import store
from .jit import KERNELS
from .ready import child_environment, mark_failed

__all__ = ["compile_part"]

_MOST_SECONDS = 900.0
_NICENESS = 19
_AUTOGROUP = Path("/proc/self/autogroup")


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
    feed(facts, state, nodes, ranking, 2, **common)
    relieve(facts, state, nodes, 2, True, **common)


def _others() -> None:
    facts, state, common = _example()
    nodes = np.arange(3)
    place = np.full(5, -1, dtype=np.int64)
    load, count = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    room, order = facts.capacity.copy(), np.arange(5)
    hosts = np.zeros(2, dtype=np.int64), np.zeros(0, dtype=np.int64)
    fill_greedily(facts, *hosts, order, place, load, count, room)
    fill_quickly(facts, *hosts, order, place, load, count, room, common["rng"])
    regroup_some(facts, state, nodes, 2, 2, 100, False, **common)
    switch_off(facts, state, nodes, 2, **common)


def _pricing() -> None:
    facts = _example()[0]
    room = facts.capacity.copy()
    most, apart = np.ones(5, dtype=np.int64), np.zeros((0, 0), dtype=np.bool_)
    place, holds = np.zeros(5, dtype=np.int64), np.ones((5, 3), dtype=np.bool_)
    rng = np.random.default_rng(0)
    pack(facts.needs, holds, np.ones(facts.needs.shape[1]), place, room.copy(), 9, 1.0, 0.1, rng)
    knapsack = Knapsack(facts.demand, most, facts.needs, 10, 3, 0, room[0], apart)
    weights, found = np.zeros(2), np.zeros((3, 4), dtype=np.int32)
    multipliers(knapsack, facts.demand, weights)
    upper_limit(knapsack, facts.demand, weights)
    useful(knapsack, facts.demand, weights, 0.0)
    fill_node(knapsack, facts.demand, most, weights, np.zeros(5, dtype=np.int64))
    tables = make_tables(knapsack, facts.demand, weights)
    values, work = np.zeros(3, dtype=np.int64), np.zeros(1, dtype=np.int64)
    price_out(knapsack, facts.demand, knapsack.most, tables, 0, 0, False, 9, found, values, work)
    listed = Listed(found, np.zeros(3, dtype=np.int32), values)
    search_on(listed, make_search(values, most, most, 0), 9)


def _whole_example() -> tuple[Any, Any]:
    from ..whole.setup import make_facts as make_whole_facts
    from ..whole.states import make_state as make_whole_state

    variant = Variant("half", compute=2, storage=1, parts=2)
    tasks = [Task("a", variants=[variant]), Task("b", 3, 1, skip_price=9)]
    problem = Problem(Instance([Node("x", 10, 5), Node("y", 10, 5)], tasks, power_off=True))
    facts = make_whole_facts(problem)
    return facts, make_whole_state(facts, np.full(3, -1))


def _whole_passes() -> None:
    from ..whole.passes import Deck, deal, exchange, improve

    (facts, state), rng = _whole_example(), np.random.default_rng(0)
    items = np.arange(2)
    one = np.ones((2, 1), dtype=np.int64)
    deck = Deck(np.full(3, -1), one, np.array([0, 2]), items, one[0].copy())
    deal(facts, state, items, items, deck, rng)
    improve(facts, state, items, False, True, rng)
    exchange(facts, state, items, 1, rng)


def _whole_ruins() -> None:
    from ..whole.filling import Groups, fill_node
    from ..whole.ruin import ruin
    from ..whole.states import fill_table, make_bench

    (facts, state), rng = _whole_example(), np.random.default_rng(0)
    bench, nothing = make_bench(facts, [np.arange(2)]), np.zeros(0, dtype=np.int64)
    ruin(facts, state, bench, 1, nothing, 2, 0.0, 0.5, rng)
    fill_table(np.full(4, -1), np.zeros(4, dtype=np.int64), np.arange(2), np.arange(2))
    one, most, apart = np.ones((2, 1), dtype=np.int64), np.arange(2), np.zeros((0, 0), np.bool_)
    knapsack = Knapsack(most, most, one, 10, 3, 0, most[1:].copy(), apart)
    groups = Groups(np.array([0, 2]), np.arange(2), np.zeros(2, dtype=np.int64), most[1:].copy())
    fill_node(knapsack, most, most, np.zeros(2), 0, 9, groups, np.zeros(2, dtype=np.int64))


def _breakout() -> None:
    from ..packing.breakout import break_out, make_lessons

    facts, state, common = _example()
    break_out(facts, state, make_lessons(facts, state.node_of), 1, 9, common["rng"])


def _switching() -> None:
    from ..packing.switching import Stage, anneal, make_course

    facts, state, common = _example()
    course = make_course(facts, state.node_of, np.ones(facts.needs.shape[1]))
    anneal(facts, course, Stage(9, 1.0, 0.1, 1.0, 9.0, 0.1), common["rng"])


def _fills() -> None:
    from ..packing.cover import Sets, cover_all
    from ..packing.fills import Target, exact_fills, fill_one, make_halves

    facts, _, common = _example()
    rng, one = common["rng"], np.ones(1, dtype=np.int64)
    room, exact = facts.capacity[0].copy(), np.ones(1, dtype=np.bool_)
    target, halves = Target(facts.needs, facts.demand, room, exact, one), make_halves(4)
    exact_fills(target, 2, 0, 1, halves, np.zeros((9, 6), dtype=np.int64), 0)
    worth, found = np.ones(5), np.zeros(2, dtype=np.int64)
    fill_one(target, np.arange(2), np.arange(2), 2, worth, halves, found, rng)
    sets = Sets(np.zeros((1, 6), dtype=np.int64), one, np.arange(2), one)
    cover_all(sets, np.ones(2, dtype=np.int64), 0, one.copy(), rng)


_PARTS = {
    "exchanges": _exchanges,
    "others": _others,
    "pricing": _pricing,
    "whole passes": _whole_passes,
    "whole ruins": _whole_ruins,
    "breakout": _breakout,
    "fills": _fills,
    "switching": _switching,
}
# Each list is compiled by two processes, which take about as long.
_PLAIN = (["exchanges"], ["others", "pricing"])
_WHOLE = (["whole passes", "breakout", "switching"], ["whole ruins", "fills"])


def compile_part(name: str) -> None:
    """Call the kernels of one part, which puts their code into the folder."""
    _PARTS[name]()


def main(place: Path, lock: int, whole: bool) -> None:
    """Compile everything into the folder, and leave a stamp once it is all there.

    The kernels of whole models and of `packing` come after the others, if they are wanted.
    """
    if not store.is_complete(place):
        _compile(*_PLAIN, lock)
        store.leave_stamp(place, KERNELS)  # those of whole models are not loaded yet
    if whole:
        from ..packing import breakout, cover, fills, switching  # noqa: F401 - the stamp is for their kernels
        from ..whole import filling, passes, ruin  # noqa: F401 - and these

        _compile(*_WHOLE, lock)
        store.leave_stamp(place, KERNELS, whole=True)


def _compile(own: list[str], others: list[str], lock: int) -> None:
    """Compile some parts here and others in a helper."""
    helper = _helper(others, lock) if (os.cpu_count() or 1) > 1 else None
    try:
        for part in own:
            compile_part(part)
        if helper is None or helper.wait() != 0:
            for part in others:
                compile_part(part)
    finally:
        if helper is not None:
            helper.kill()


def _helper(parts: list[str], lock: int) -> subprocess.Popen[bytes]:
    inherited = () if os.name == "nt" else (lock,)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", __spec__.name, "--parts", *parts],
        env=child_environment(),
        pass_fds=inherited,
    )


def _behave() -> None:
    """Leave the processors to others, and end at last whatever happens."""
    gc.disable()  # a twelfth of the time, for 80 MB
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(max(0, _NICENESS - os.nice(0)))
    with contextlib.suppress(OSError):
        # Linux shares time between sessions first (sched(7), "autogroup"), where it does so at
        # all, and niceness counts only within one: the session needs its own.
        if _AUTOGROUP.exists():
            _AUTOGROUP.write_text(str(_NICENESS))
    end = threading.Timer(_MOST_SECONDS, os._exit, (1,))
    end.daemon = True
    end.start()


def _run(arguments: list[str]) -> int:
    _behave()
    if arguments[:1] == ["--parts"]:
        for part in arguments[1:]:
            compile_part(part)
        return 0
    whole = arguments[:1] == ["--whole"]
    arguments = arguments[whole:]
    place = store.folder()
    if place is None or (store.is_complete(place) and store.is_complete(place, whole)):
        return 0
    lock = int(arguments[0]) if arguments else hold(place)
    if lock is None:
        return 0
    try:
        main(place, lock, whole)
    except Exception:  # whoever waits reads it in the file
        mark_failed(place, traceback.format_exc())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
