"""Dantzig-Wolfe reformulation: whole nodes are chosen instead of single assignments.

A column is a set of tasks that fits one node of a class; it costs what that node then costs:

    minimise   sum_c  cost_c x_c
    subject to sum_c  a_kc x_c >= m_k      every task class is covered
               sum_{c of g}  x_c <= n_g    no node is used twice
               x_c >= 0, integer

Its linear relaxation is stronger than that of the assignment model, because no fraction of a
set overloads a node by a fraction. The columns are generated as needed (Gilmore and Gomory
1961; Desaulniers, Desrosiers and Solomon 2005, "Column Generation"). For any prices pi >= 0 of
the task classes

    sum_k m_k pi_k - sum_g n_g max_c of g (sum_k pi_k a_kc - cost_c, 0)

is a lower bound: it is evaluated at integer prices, in exact integers.

The way of a problem: a method opens a `Session`; each of its calls is a job for `worker` in a
child process, which keeps the table, the columns and the master from one job to the next.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Self

from ..engines.child import Child
from ..engines.process import EngineCrash, Favourite, HardLimitReached, run_job
from ..errors import BackendUnavailableError
from ..kernels.build.ready import compile_ahead
from ..problem.attainable import round_up_to_attainable
from ..problem.problem import Problem
from ..problem.table import Column
from ..settings import COLUMNS
from .modes.domains import merge_domains
from .modes.table import ModeTable, column_table
from .prices import Prices

__all__ = ["Session"]

WORKER = "solver.columns.worker"
_GRACE_SECONDS = 1.0
_FORGET_SECONDS = 0.5


class Session:
    """What is known of a problem's columns, and a child that knows it too.

    Used in a ``with`` statement, at whose end every child that is idle forgets it. If the child
    is lost, the next one is told everything anew.

    Parameters
    ----------
    problem : Problem

    Attributes
    ----------
    table : ClassTable
    columns : list of Column
        All that are known, in the order in which they came.
    bound : int or None
        A proven bound on the cost on the grid.
    prices : list of Prices
        Those behind the bound, and others: what tells which columns come into question.
    converged : bool
        Whether the bound is that of the linear relaxation itself.
    rounds, branches : int
        Work done by `generate`.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.columns: list[Column] = []
        self.bound: int | None = None
        self.prices: list[Prices] = []
        self.converged = False
        self.rounds = self.branches = 0
        self.table = column_table(problem)
        self._known: set[Column] = set()
        self._token = uuid.uuid4().hex
        self._child = Favourite()
        self._used: list[Child] = []  # the children that may remember something
        self._told = 0  # how many of the columns the child has been told, or told us

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._used:
            self._child.child = child
            if self._child.is_idle():
                with contextlib.suppress(EngineCrash, HardLimitReached, BackendUnavailableError):
                    run_job(
                        WORKER,
                        "forget",
                        {"token": self._token},
                        hard_limit=_FORGET_SECONDS,
                        favourite=self._child,
                    )

    def add(self, columns: Iterable[Column]) -> None:
        """Add columns, such as those of an allocation."""
        for column in columns:
            if column not in self._known:
                self._known.add(column)
                self.columns.append(column)

    def generate(
        self,
        time_limit: float,
        upper: int | None = None,
        on_bound: Callable[[int], None] | None = None,
    ) -> None:
        """Solve the linear relaxation of the reformulation, or bound it until time is up.

        Parameters
        ----------
        time_limit : float
        upper : int, optional
            Cost on the grid of a known allocation; the work ends when the bound reaches it.
        on_bound : callable, optional
            Told of every better bound, in exact units of cost.
        """
        deadline = time.monotonic() + time_limit
        if not compile_ahead(lambda: time.monotonic() >= deadline):
            return

        def news(prices: Prices) -> None:
            if self.bound is None or prices.grid_bound > self.bound:
                self.bound = prices.grid_bound
            self.prices = [prices]
            if on_bound is not None:
                self._pass_on(prices.grid_bound, on_bound)

        answer = self._run("generate", deadline - time.monotonic(), news, {"enough": upper})
        if answer is not None:
            self.prices, self.converged = answer["prices"], answer["converged"]
            self.rounds += answer["rounds"]
            self.branches += answer["branches"]

    def patterns(self, time_limit: float, bound: int) -> tuple[list[Column], list[float]] | None:
        """Columns of an allocation, a node each, up to a few nodes; of tasks of few classes.

        See `solver.columns.modes.patterns`; only for problems with modes.

        Parameters
        ----------
        time_limit : float
        bound : int
            On the cost on the grid: where the relaxation may stop.

        Returns
        -------
        columns : list of Column
        amounts : list of G floats
            Nodes of each class that the relaxation uses for the tasks that are left.
        """
        assert self.problem.modes is not None
        assert isinstance(self.table, ModeTable)
        merged = merge_domains(self.problem.modes, self.table)
        answer = self._run("patterns", time_limit, None, {"bound": bound, "merged": merged})
        return None if answer is None else (answer["fixed"], answer["amounts"])

    def dive(
        self,
        time_limit: float,
        most_dives: int,
        upper: int | None,
        enough: int,
        seed: int,
        on_allocation: Callable[[list[Column]], None],
    ) -> int:
        """Look for allocations by diving (`solver.columns.diving`); how many dives were made.

        Parameters
        ----------
        time_limit : float
        most_dives : int
        upper, enough : int
            Costs on the grid: the one to beat, and the one at which to stop.
        seed : int
        on_allocation : callable
            Told the columns of every cheaper allocation.
        """
        job = {"most_dives": most_dives, "upper": upper, "enough": enough, "seed": seed}
        answer = self._run("dive", time_limit, lambda news: on_allocation(news[2]), job)
        return 0 if answer is None else int(answer["dives"])

    def branch(
        self,
        time_limit: float,
        upper: int,
        bound: int,
        on_allocation: Callable[[list[Column]], None],
        on_bound: Callable[[int], None],
    ) -> int:
        """Raise the bound by branching (`solver.columns.branching`); the parts looked at.

        Parameters
        ----------
        time_limit : float
        upper, bound : int
            Costs on the grid: the one to beat, and a proven bound.
        on_allocation : callable
            Told the columns of every cheaper allocation.
        on_bound : callable
            Told of every better bound, in exact units of cost.
        """
        news = self._told_of(on_allocation, on_bound)
        answer = self._run("branch", time_limit, news, {"upper": upper, "bound": bound})
        return 0 if answer is None else int(answer["parts"])

    def close(
        self,
        time_limit: float,
        upper: int,
        bound: int,
        on_allocation: Callable[[list[Column]], None],
        on_bound: Callable[[int], None],
    ) -> int:
        """Raise the bound by a search of all columns within the gap (`solver.columns.partition`).

        Only for plain problems; the parameters are as in `branch`. Returns how many were listed,
        0 if they are too many.
        """
        job = {"prices": self.prices, "upper": upper, "bound": bound}
        answer = self._run("close", time_limit, self._told_of(on_allocation, on_bound), job)
        return 0 if answer is None else int(answer["listed"])

    def count_nodes(
        self,
        time_limit: float,
        upper: int | None,
        bound: int,
        most_probes: int,
        seed: int,
        on_allocation: Callable[[list[Column]], None],
        on_bound: Callable[[int], None],
    ) -> int:
        """Branch on how many nodes of each class are on (`solver.columns.counting`).

        Parameters
        ----------
        time_limit : float
        upper, bound : int
            Costs on the grid: the one to beat, if any, and a proven bound.
        most_probes, seed : int
            At most so many numbers are tried by column generation.
        on_allocation, on_bound : callable
            As in `branch`.

        Returns
        -------
        int
            How many numbers were tried by column generation.
        """
        deadline = time.monotonic() + time_limit
        if not compile_ahead(lambda: time.monotonic() >= deadline):
            return 0
        job = {
            "upper": upper,
            "bound": bound,
            "most_probes": most_probes,
            "seed": seed,
            "prices": self.prices,
        }
        news = self._told_of(on_allocation, on_bound)
        answer = self._run("count_nodes", deadline - time.monotonic(), news, job)
        return 0 if answer is None else int(answer["probes"])

    def list_columns(
        self, below: int, most: int, time_limit: float, prices: list[Prices] | None = None
    ) -> tuple[list[Column], bool]:
        """All columns that an allocation of cost at most `below` may use.

        A column whose reduced cost exceeds the gap between `below` and the bound of any prices
        cannot be part of such an allocation.

        Parameters
        ----------
        below : int
            A cost on the grid.
        most : int
            Give up on a class of nodes beyond this many.
        time_limit : float
        prices : list of Prices, optional
            Default: those of `generate`.

        Returns
        -------
        columns : list of Column
            They are not added to those of the session.
        complete : bool
            Whether these are all.
        """
        job = {
            "prices": self.prices if prices is None else prices,
            "below": below,
            "most": most,
            "branches": COLUMNS.listing_branches,
        }
        answer = self._run("list_columns", time_limit, None, job)
        return ([], False) if answer is None else (answer["listed"], answer["complete"])

    def _run(
        self,
        function: str,
        time_limit: float,
        on_news: Callable[[Any], None] | None,
        job: dict[str, Any],
    ) -> Any:
        """Have the child do a job, telling it what it lacks; None at the hard limit."""
        deadline = time.monotonic() + time_limit
        new: dict[str, Any] = {"table": None, "columns": self.columns[self._told :]}
        while True:
            left = deadline - time.monotonic()
            payload = {"token": self._token, **new, **job, "time_limit": left}
            told = len(self.columns)
            try:
                answer = run_job(
                    WORKER,
                    function,
                    payload,
                    hard_limit=left + _GRACE_SECONDS,
                    on_news=on_news,
                    favourite=self._child,
                )
            except HardLimitReached:
                return None
            finally:
                if self._child.child is not None and self._child.child not in self._used:
                    self._used.append(self._child.child)
            if answer is not None:
                break
            new = {"table": self.table, "columns": self.columns}
        fresh = [column for column in answer["columns"] if column not in self._known]
        later = self.columns[told:]  # added while the child was at work
        del self.columns[told:]
        self.columns += fresh
        self._known.update(fresh)
        self._told = len(self.columns)
        self.columns += later
        return answer

    def _told_of(
        self, on_allocation: Callable[[list[Column]], None], on_bound: Callable[[int], None]
    ) -> Callable[[tuple[Any, ...]], None]:
        def news(item: tuple[Any, ...]) -> None:
            if item[0] == "allocation":
                on_allocation(item[2])
            else:
                self._pass_on(item[1], on_bound)

        return news

    def _pass_on(self, grid_bound: int, on_bound: Callable[[int], None]) -> None:
        units = self.problem.outer_grid.bound_in_units(grid_bound)
        on_bound(round_up_to_attainable(self.problem, max(0, units)))
