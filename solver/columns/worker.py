"""The child's side of a session: what it keeps between jobs, and the jobs. In the child only."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..problem.table import ClassTable, Column
from .branching import branch_and_price
from .counting.nodes import Counting
from .counting.settings import COUNTING
from .counting.table import costs_nothing_else
from .diving import Diving
from .enumeration import enumerate_columns
from .generation import Generation
from .modes.generation import generation
from .modes.patterns import deal_patterns
from .modes.table import ModeTable
from .partition.closing import Closing

__all__ = [
    "branch", "close", "count_nodes", "dive", "forget", "generate", "list_columns", "patterns",
]  # fmt: skip


class _Kept:
    """The table, the columns and, once it is needed, the master of one session."""

    def __init__(self, table: ClassTable) -> None:
        self.table = table
        self.columns: list[Column] = []
        self.told = 0  # how many of the columns the parent knows
        self._known: set[Column] = set()
        self._master: Generation | None = None
        self._entered = 0  # how many of the columns the master has

    def add(self, columns: list[Column]) -> None:
        """Take over columns that the parent knows, or that a job has found."""
        for column in columns:
            if column not in self._known:
                self._known.add(column)
                self.columns.append(column)

    def master(self, deadline: float, enough: int | None = None) -> Generation:
        """The master of the whole problem, with all columns."""
        if self._master is None:
            self._master = generation(self.table)
        self._master.begin(deadline, enough)
        for g, tasks in self.columns[self._entered :]:
            self._master.add(g, tasks)
        self._entered = len(self.columns)
        return self._master

    def news(self) -> list[Column]:
        """The columns that the parent does not know yet."""
        if self._master is not None:
            self.add(self._master.columns)
        news, self.told = self.columns[self.told :], len(self.columns)
        return news


_kept: dict[str, _Kept] = {}


def _session(payload: dict[str, Any]) -> _Kept | None:
    """The session that a job belongs to; None if its table has to be sent first."""
    token = payload["token"]
    if payload["table"] is not None:
        _kept.clear()  # one at a time is enough
        _kept[token] = _Kept(payload["table"])
    session = _kept.get(token)
    if session is not None:
        session.add(payload["columns"])
        session.told = len(session.columns)
    return session


def forget(payload: dict[str, Any], _send: Callable[[Any], None]) -> bool:
    """Drop what is kept of a session."""
    return _kept.pop(payload["token"], None) is not None


def generate(payload: dict[str, Any], send: Callable[[Any], None]) -> dict[str, Any] | None:
    """Solve the master's linear relaxation by column generation.

    Parameters
    ----------
    payload : dict
        "token": of the session; "table": ClassTable, or None if it was sent before; "columns":
        list of Column that are new; "time_limit": seconds; "enough": a bound at which to stop,
        or None.

    Returns
    -------
    dict or None
        "prices": list of Prices, the best ones and, if there was time for them, some from the
        middle of all optimal ones; "columns": those that are new; "converged": bool; "rounds",
        "branches": int. None if the table is needed.

    Notes
    -----
    Sends the Prices of every better bound.
    """
    session = _session(payload)
    if session is None:
        return None
    master = session.master(time.monotonic() + payload["time_limit"], payload["enough"])
    master.send = send
    if costs_nothing_else(session.table):
        master.near = COUNTING.near  # the numbers of nodes come to a better bound
    before = master.rounds, int(master.pricing.work[0])
    converged = master.iterate()
    if converged:
        master.move_inwards()
    return {
        "prices": [prices for prices in (master.central, master.best) if prices is not None],
        "columns": session.news(),
        "converged": converged,
        "rounds": master.rounds - before[0],
        "branches": int(master.pricing.work[0]) - before[1],
    }


def dive(payload: dict[str, Any], send: Callable[[Any], None]) -> dict[str, Any] | None:
    """Dive until time is up, or until an allocation of cost `enough` is found.

    Parameters
    ----------
    payload : dict
        As for `generate`; "most_dives": int; "upper": the cost that is to be beaten, or None;
        "seed": with another one than 0, near choices are made at random.

    Returns
    -------
    dict or None
        "columns": those that are new; "dives": int.

    Notes
    -----
    Sends ``("allocation", cost, columns)``, a column for each node that has tasks, for every
    allocation that is cheaper than those before.
    """
    session = _session(payload)
    if session is None:
        return None
    master = session.master(time.monotonic() + payload["time_limit"])
    run = Diving(master, payload, send)
    run.run()
    return {"columns": session.news(), "dives": run.dives}


def branch(payload: dict[str, Any], send: Callable[[Any], None]) -> dict[str, Any] | None:
    """Branch and price: `branching.branch_and_price`, from all columns of the session."""
    session = _session(payload)
    if session is None:
        return None
    parts = branch_and_price(session.table, session.columns, payload, send)
    return {"columns": [], "parts": parts}


def count_nodes(payload: dict[str, Any], send: Callable[[Any], None]) -> dict[str, Any] | None:
    """Branch on how many nodes of each class are on: `counting.nodes.Counting`."""
    session = _session(payload)
    if session is None:
        return None
    run = Counting(session.table, session.columns, payload, send)
    run.run()
    session.add(run.columns)
    return {"columns": session.news(), "probes": run.probes}


def close(payload: dict[str, Any], send: Callable[[Any], None]) -> dict[str, Any] | None:
    """Search all columns within the gap: `partition.closing.Closing`."""
    session = _session(payload)
    if session is None:
        return None
    run = Closing(session.table, payload, send)
    run.run()
    return {"columns": [], "listed": run.listed, "work": run.work}


def list_columns(payload: dict[str, Any], _send: Callable[[Any], None]) -> dict[str, Any] | None:
    """List the columns that a cheap allocation can use: `enumeration.enumerate_columns`."""
    session = _session(payload)
    if session is None:
        return None
    listed, complete = enumerate_columns(session.table, payload)
    return {"columns": [], "listed": listed, "complete": complete}


def patterns(payload: dict[str, Any], _send: Callable[[Any], None]) -> dict[str, Any] | None:
    """Deal the tasks of few classes out by patterns: `modes.patterns.deal_patterns`."""
    session = _session(payload)
    if session is None:
        return None
    assert isinstance(session.table, ModeTable)
    deadline = time.monotonic() + payload["time_limit"]
    fixed, amounts = deal_patterns(session.table, payload["merged"], deadline, payload["bound"])
    return {"columns": session.news(), "fixed": fixed, "amounts": amounts}
