"""Greedy on large whole models, by the compiled search."""

from __future__ import annotations

import numpy as np

from ...errors import ModelTooLargeError
from ...kernels.build.ready import load_kernels
from ...kernels.whole.setup import make_facts
from ...model.result import Termination
from ...problem.problem import Problem
from ...settings import WHOLE_SEARCH
from ..base import Options, Outcome
from .start import build_up

__all__ = ["build_large"]


def build_large(problem: Problem, options: Options) -> Outcome:
    """Place every task where and as it costs least; rounds of search only while one has no place.

    Those who have a place now are put there first, where that breaks nothing.
    """
    load_kernels()  # here: numba takes half a second, which small instances should not pay
    from ...search.whole import WholeSearch, kin_of

    try:
        facts, seed = make_facts(problem), options.seed
    except ModelTooLargeError as error:
        return Outcome(Termination.FINISHED, message=str(error))
    nowhere = np.full(facts.row.shape[0], -1, dtype=np.int64)

    def stopped() -> bool:
        return options.seconds_left() <= 0

    search = WholeSearch(facts, nowhere, seed, kin_of(problem), stopped)
    build_up(problem, search)
    for _ in range(WHOLE_SEARCH.least_patience):
        if search.key[0] == 0 or stopped():
            break
        search.round()
    if search.key[0] == 0:
        options.on_incumbent(search.state.node_of)
        return Outcome(Termination.FINISHED)
    absent = search.absent
    return Outcome(
        Termination.TIME_LIMIT if stopped() else Termination.FINISHED,
        unplaced=tuple(sorted(absent.tolist())),
        message=f"{absent.size:,} tasks could not be placed within all rules",
    )
