"""From records to tables: seeds first, then instances; nothing unsolved is left out.

A run without a checked allocation has a gap of 100 %; one without a proof counts twice the time
limit (PAR-2). A method that cannot express an instance is not measured on it, and that is counted.
Instances that are known to be infeasible have no costs: only verdicts count there.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from solver.model.result import relative_gap

from .best_known import Known
from .competitors import BASELINE, COMPETITORS
from .record import Outcome, Record
from .stats import (
    geometric_mean,
    par2,
    primal_gap,
    primal_integral,
    shifted_geometric_mean,
    time_to_target,
)

__all__ = ["TARGET", "Case", "Row", "Run", "cases_of", "runs_of", "summarise"]

TARGET = 1e-4
"""Relative distance from the best known cost at which an instance counts as solved."""

_FAILED = (Outcome.CRASHED, Outcome.TIMEOUT, Outcome.MEMORY)


@dataclass(frozen=True)
class Run:
    """A record, its line in records.jsonl, and what it measures.

    Attributes
    ----------
    record : Record
    line : int
        From 1.
    proved : bool
        Optimal, or infeasible, and not refuted.
    best : bool
        Whether the cost is the best known one, or the verdict "infeasible" is right.
    to_proof, to_target : float
        Seconds, infinite if it did not get there.
    gap, primal_gap, integral : float or None
        Gap to the best known bound, to the best known cost, and the mean of the latter over
        time. None where the instance is infeasible, or no bound is known.
    ratio : float or None
        Cost / cost of the baseline.
    known : Known
        What is known of the instance.
    """

    record: Record
    line: int
    known: Known
    proved: bool
    best: bool
    to_proof: float
    to_target: float
    gap: float | None
    primal_gap: float | None
    integral: float | None
    ratio: float | None


@dataclass(frozen=True)
class Case:
    """All runs of one method on one instance, as means over the seeds."""

    suite: str
    method: str
    instance: str
    hash: str
    runs: tuple[Run, ...]

    @property
    def supported(self) -> bool:
        """Whether the method can express the instance."""
        return any(run.record.outcome is not Outcome.UNSUPPORTED for run in self.runs)

    def mean(self, measure: str) -> float | None:
        """Mean over the seeds; None where there is no figure."""
        values = [getattr(run, measure) for run in self.runs]
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    def penalised(self) -> float:
        """Mean PAR-2 time to proof."""
        return float(np.mean([par2(run.to_proof, run.record.time_limit) for run in self.runs]))


@dataclass(frozen=True)
class Row:
    """One method on one suite. Counts are of runs, means of instances.

    Attributes
    ----------
    instances, runs : int
        Those that the method could express.
    unsupported : int
        Runs on those that it could not.
    answered, proved, best, nothing, failed, wrong : int
        Runs with a checked allocation or verdict; with a proof; with the best known cost;
        without an answer; crashed or ended from outside; refuted.
    mean_gap, worst_gap : float or None
        To the best known bound; 1 without an answer.
    integral : float or None
        Mean over the instances of the primal integral / time limit.
    seconds : float or None
        Shifted geometric mean (1 s) of the PAR-2 time to proof.
    ratio : float or None
        Geometric mean of cost / cost of the baseline, where both have an answer.
    lines : tuple of int
        The lines of records.jsonl behind the figures.
    """

    suite: str
    method: str
    instances: int
    runs: int
    unsupported: int
    answered: int
    proved: int
    best: int
    nothing: int
    failed: int
    wrong: int
    mean_gap: float | None
    worst_gap: float | None
    integral: float | None
    seconds: float | None
    ratio: float | None
    lines: tuple[int, ...]


def runs_of(records: Sequence[Record], best: Mapping[str, Known]) -> list[Run]:
    """Measure every record.

    Parameters
    ----------
    records : sequence of Record
        All of records.jsonl, in order, lies turned into "wrong" by `judge.refuted`.
    best : mapping of hash to Known
        Best known costs and bounds, those of the records included.
    """
    baseline = {
        record.hash: record.cost
        for record in records
        if record.method == BASELINE and record.outcome is Outcome.ANSWERED
    }
    return [
        _measured(record, line, best.get(record.hash, Known()), baseline.get(record.hash))
        for line, record in enumerate(records, start=1)
    ]


def _measured(record: Record, line: int, known: Known, baseline: float | None) -> Run:
    answered = record.outcome is Outcome.ANSWERED
    infeasible = record.outcome is Outcome.INFEASIBLE
    proved = infeasible or (answered and record.status == "optimal")
    cost = record.cost if answered else None
    seconds = math.inf if record.seconds is None else record.seconds
    gap = distance = integral = None
    to_target = seconds if infeasible else math.inf
    if not known.infeasible and known.cost is not None:
        distance = primal_gap(cost, known.cost)
        integral = 1.0
        if answered:
            history = (*record.history, (seconds, cost, None))
            integral = primal_integral(history, known.cost, record.time_limit)
            to_target = time_to_target(history, known.cost, TARGET)
    if not known.infeasible and known.bound is not None:
        gap = 1.0 if cost is None else relative_gap(cost, known.bound)
    return Run(
        record=record,
        line=line,
        known=known,
        proved=proved,
        best=infeasible or (answered and cost == known.cost),
        to_proof=seconds if proved else math.inf,
        to_target=to_target,
        gap=gap,
        primal_gap=distance,
        integral=integral,
        ratio=None if cost is None or not baseline else float(cost) / float(baseline),
    )


def cases_of(runs: Iterable[Run]) -> list[Case]:
    """Runs by suite, instance and method, in the order of the records and of the methods."""
    groups: dict[tuple[str, str, str], list[Run]] = defaultdict(list)
    for run in runs:
        groups[run.record.suite, run.record.hash, run.record.method].append(run)
    order = {name: place for place, name in enumerate(COMPETITORS)}
    cases = [
        Case(suite, method, found[0].record.instance, key, tuple(found))
        for (suite, key, method), found in groups.items()
    ]
    return sorted(cases, key=lambda case: order.get(case.method, len(order)))


def summarise(cases: Sequence[Case]) -> list[Row]:
    """One row for each suite and method, in the order of the methods."""
    groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.suite, case.method].append(case)
    suites = list(dict.fromkeys(case.suite for case in cases))
    return [
        _row(suite, method, found)
        for wanted in suites
        for (suite, method), found in groups.items()
        if suite == wanted
    ]


def _row(suite: str, method: str, cases: list[Case]) -> Row:
    measured = [case for case in cases if case.supported]
    runs = [run for case in measured for run in case.runs]
    outcomes = Counter(run.record.outcome for run in runs)
    gaps = _means(measured, "gap")
    integrals = _means(measured, "integral")
    ratios = _means(measured, "ratio")
    return Row(
        suite=suite,
        method=method,
        instances=len(measured),
        runs=len(runs),
        unsupported=sum(len(case.runs) for case in cases if not case.supported),
        answered=outcomes[Outcome.ANSWERED] + outcomes[Outcome.INFEASIBLE],
        proved=sum(run.proved for run in runs),
        best=sum(run.best for run in runs),
        nothing=outcomes[Outcome.NOTHING],
        failed=sum(outcomes[one] for one in _FAILED),
        wrong=outcomes[Outcome.WRONG],
        mean_gap=float(np.mean(gaps)) if gaps else None,
        worst_gap=max(gaps, default=None),
        integral=float(np.mean(integrals)) if integrals else None,
        seconds=shifted_geometric_mean([case.penalised() for case in measured])
        if measured
        else None,
        ratio=geometric_mean(ratios) if ratios else None,
        lines=tuple(run.line for case in cases for run in case.runs),
    )


def _means(cases: Sequence[Case], measure: str) -> list[float]:
    values = (case.mean(measure) for case in cases)
    return [value for value in values if value is not None]
