"""Searches in which moves cost more than they do: they lead to placements that few moves reach.

Where moves are capped, a search that keeps within the cap is soon stuck: each further move needs
another one taken back. Priced instead (the cap's Lagrangian relaxation), moves that gain little
are left out by themselves, and a falling price lets in as many as there may be.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...bounds.closed_form import closed_form_bound
from ...errors import ModelTooLargeError
from ...judge.check import check
from ...judge.cost import cost_in_units
from ...judge.moves import count_moves
from ...methods.base import Options
from ...methods.placing.whole_construction import run_whole
from ...methods.placing.whole_placement import WholePlacement
from ...methods.whole.search import search_whole
from ...model.allocation import Allocation
from ...model.exact import Array, fraction_of
from ...model.instance import Instance, Number
from ...problem.problem import Problem
from ...programs.assignment import count_cells
from ...settings import PLACING
from ...whole_settings import REBALANCING
from .groups import best_of_groups

__all__ = ["Guide", "is_guided", "mended_start"]


def mended_start(planned: Instance, deadline: float) -> Array | None:
    """What runs now with as little changed as breaks nothing, all else placed where it is cheap.

    Returns
    -------
    (W,) int64 or None
        None where tasks are left without a place, the time is up, or it breaks a rule.
    """
    found: list[Array] = []
    options = Options(
        deadline=deadline,
        on_incumbent=lambda node_index: found.append(node_index.copy()),
    )
    problem = Problem(planned)
    if problem.modes is None:
        return None
    try:
        run_whole(problem, options, WholePlacement.cheapest)
    except ModelTooLargeError:
        return None
    return found[-1] if found and not check(planned, found[-1]) else None


def is_guided(planned: Instance) -> bool:
    """Whether an instance is too large for an exact model of its moves."""
    problem = Problem(planned)
    return problem.modes is not None and count_cells(problem) > PLACING.moves_cells


@dataclass
class Guide:
    """Searches with a price of moves, from where tasks are now.

    Parameters
    ----------
    planned : Instance
        One with `current`.
    seed, num_workers : int
    tell : callable
        Called with every better allocation.

    Attributes
    ----------
    interrupted : bool
        Whether a search was ended from outside.
    """

    planned: Instance
    seed: int
    num_workers: int
    tell: Callable[[Array], None] = lambda _: None
    interrupted: bool = False

    def within_cap(self, start: Array, deadline: float) -> Array:
        """A better allocation within the cap on moves, from one within it.

        Where there is no cap, one that takes few moves.

        Notes
        -----
        The price begins where a few times the moves that the cap leaves would pay for all there is
        to gain at most. It falls while fewer move, and rises where more do; of what is found then,
        the groups of moves that gain most are taken.
        """
        planned, cap = self.planned, self.planned.max_moves
        if cap is None:
            cap = self._moves(start) + planned.num_tasks // REBALANCING.tasks_a_move
        best, seed = start, start
        gain = cost_in_units(planned, start) - closed_form_bound(Problem(planned))
        price = Fraction(gain, REBALANCING.first_price * max(1, cap - self._moves(start)))
        for step in range(REBALANCING.steps):
            left = deadline - time.monotonic()
            if price <= 0 or left <= 0 or self.interrupted:
                break
            found = self._search(seed, price, left / (REBALANCING.steps - step))
            if found is None:
                break
            for base in (start, best):
                better = best_of_groups(planned, base, found, cap)
                if cost_in_units(planned, better) < cost_in_units(planned, best):
                    best = better
                    self.tell(best)
            moves = self._moves(found)
            if moves > cap:
                price *= REBALANCING.rise
            else:
                price /= REBALANCING.fall if moves < REBALANCING.near * cap else REBALANCING.rise
            seed = found
        return best

    def fewer_moves(self, node_index: Array, few: Array, deadline: float) -> Array:
        """An allocation that costs no more, with no more moves: each has the least price.

        Parameters
        ----------
        node_index : (W,) int64
        few : (W,) int64
            One of few moves: if it can be made to cost as little, it is taken.
        deadline : float
        """
        planned, most = self.planned, cost_in_units(self.planned, node_index)
        best, fewest = node_index, self._moves(node_index)
        price = Fraction(1, 10 ** len(str(fewest)))  # all together they cost less than one unit
        for share, seed in ((2, few), (1, node_index)):
            left = deadline - time.monotonic()
            if not fewest or left <= 0 or self.interrupted:
                break
            found = self._search(seed, price, left / share)
            if found is None or cost_in_units(planned, found) > most:
                continue
            if self._moves(found) < fewest:
                best, fewest = found, self._moves(found)
                break
        return best

    def _moves(self, node_index: Array) -> int:
        return count_moves(Allocation(self.planned, node_index))

    def _search(self, start: Array, price: Fraction, seconds: float) -> Array | None:
        """What the local search finds where every move costs so many exact units more."""
        problem = Problem(self._priced(price / self.planned.exact.cost_scale))
        found = [start]
        options = Options(
            deadline=time.monotonic() + seconds,
            seed=self.seed,
            num_workers=self.num_workers,
            start=start,
            near_start=True,
            on_incumbent=lambda node_index: found.append(node_index.copy()),
        )
        try:
            search_whole(problem, options)
        except KeyboardInterrupt:
            self.interrupted = True
        return None if check(problem.instance, found[-1]) else found[-1]

    def _priced(self, price: Fraction) -> Instance:
        """The instance without its cap, every move dearer; nothing that is proved rests on it."""
        planned, own = self.planned, self.planned.task_move_price
        changes: dict[str, Any] = {"move_price": _sum(planned.move_price, price), "max_moves": None}
        if (own < np.inf).any():
            changes["task_move_price"] = [
                None if each == float("inf") else _sum(each, price) for each in own.tolist()
            ]
        return planned.replace(**changes)


def _sum(number: Number, price: Fraction) -> Number:
    """A price and another of two digits."""
    rounded = float(f"{float(price):.1e}")
    total = fraction_of(number) + fraction_of(rounded)
    return int(total) if total.denominator == 1 else float(total)
