"""Watching a cluster round by round: measure, adjust, see what could be saved, propose.

A round reads everything anew, and ends with three things in this order: the files of a proposal,
the state, the line of the log. Each is written whole; a kill between two of them leaves nothing
that the next start does not mend.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import NodewiseError, NodewiseWarning, OptionError
from ..files.allocation import dump_allocation
from ..files.instance import write_instance
from ..files.plan import dump_plan
from ..files.usage.reading import joined
from ..files.usage.samples import Usage
from ..model.instance import Instance, Number
from ..model.plans.plan import PlanStatus
from ..model.result import Result, Termination
from ..plan.present import Present
from ..plan.rebalance import rebalance
from ..system.interrupts import noticed
from ..system.whole_files import atomic_paths
from .adjusting import usage_report
from .figures import figure_of, with_figures
from .report import Key, Note
from .state import State, alone, append_record, mended_log, read_state, write_state

__all__ = ["Clock", "Outputs", "Record", "Watch"]

Record = dict[str, Any]
"""What a round found, as the log has it."""

PROPOSED, STAYING, COOLING = "proposed", "staying", "cooling down"
NO_PLAN, FAILED = "no plan", "failed"

_MOST_TOLD = 20


class Clock:
    """The time, and waiting for it to pass; tests have another one."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def wait(self, seconds: float) -> None:
        """Wait; a signal ends that by a KeyboardInterrupt."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Outputs:
    """The files that a proposal is written to.

    Attributes
    ----------
    allocation, plan : Path or None
        CSV: where everything is to be, and the moves in their order.
    adjusted : Path or None
        The instance with the figures that the two are for.
    """

    allocation: Path | None = None
    plan: Path | None = None
    adjusted: Path | None = None

    def write(self, instance: Instance, result: Result) -> list[str]:
        """Write what a proposal has, and return the names of the files.

        Raises
        ------
        OSError
            If a file cannot be written.
        """
        dumps: tuple[tuple[Path | None, Callable[..., None], Any], ...] = (
            (self.allocation, dump_allocation, result.allocation),
            (self.plan, dump_plan, result.plan),
        )
        wanted = [
            (path, partial(dump, what))
            for path, dump, what in dumps
            if path is not None and what is not None
        ]
        if self.adjusted is not None:
            write_instance(instance, self.adjusted)
        with atomic_paths([path for path, _ in wanted]) as places:
            for place, (_, dump) in zip(places, wanted, strict=True):
                with place.open("w", encoding="utf-8", newline="") as stream:
                    dump(stream)
        first = [] if self.adjusted is None else [self.adjusted]
        return [str(path) for path in (*first, *(path for path, _ in wanted))]


@dataclass
class Watch:
    """Rounds over one cluster.

    Parameters
    ----------
    instance : callable
        Reads the instance, anew every round.
    usages : sequence of callable
        Each reads one file of usage.
    state : Path
        Where to keep what has to survive the process.
    log : Path, optional
        A line of JSON a round is appended to it.
    outputs : Outputs
    tell : callable
        Called with the record of every round.
    min_saving : number or str
        As in `rebalance`.
    cooldown : float
        Seconds after a proposal in which there is no other.
    measuring, rebalancing : mapping
        Options of `with_usage` and of `rebalance`.
    clock : Clock
    """

    instance: Callable[[], Instance]
    usages: Sequence[Callable[[], Usage]]
    state: Path
    log: Path | None = None
    outputs: Outputs = field(default_factory=Outputs)
    tell: Callable[[Record], None] = lambda record: None
    min_saving: Number | str = 0
    cooldown: float = 0.0
    measuring: Mapping[str, Any] = field(default_factory=dict)
    rebalancing: Mapping[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    _known: Instance | None = None

    def run(self, every: float, rounds: int | None = None) -> State:
        """Rounds, one every so many seconds, until there were so many or a signal comes.

        Returns
        -------
        State
            After the last round.

        Raises
        ------
        KeyboardInterrupt
            By a signal; nothing is half done.
        NodewiseError
            If the state is no state or another watch has it, the very first reading of the instance
            fails, or an option is out of its range.
        OSError
            If the state or the log cannot be written.
        """
        with alone(self.state), noticed() as is_called_off:
            return self._run(every, rounds, is_called_off)

    def _run(self, every: float, rounds: int | None, is_called_off: Callable[[], bool]) -> State:
        state = read_state(self.state)
        if self.log is not None:
            mended_log(self.log, state)
        self._known = self._read_instance([])
        usage_report(self._known, Usage(), **self.measuring)  # refuses options that are wrong
        Present(self._known).least_saving(self.min_saving)
        done = 0
        while rounds is None or done < rounds:
            begun = self.clock.now()
            state = self.round(state)
            done += 1
            if is_called_off():  # a solve that was about to end does not raise
                raise KeyboardInterrupt
            if rounds is None or done < rounds:
                passed = min(max(self.clock.now() - begun, 0.0), every)
                self.clock.wait(every - passed)
        return state

    def round(self, state: State) -> State:
        """One round, from what was known before it to what is known after it."""
        now = self.clock.now()
        problems: list[str] = []
        record: Record = {
            "round": state.round + 1,
            "time": now,
            "at": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
            "status": FAILED,
            "problems": problems,
        }
        proposed_at = state.proposed_at
        figures = state.figures
        try:
            instance, figures = self._adjusted(state, record, problems)
            self._look(instance, record)
            left = 0.0 if proposed_at is None else proposed_at + self.cooldown - now
            if 0 < left <= self.cooldown:  # more is a clock that was set back
                record.update(status=COOLING, cooling_until=now + left)
            elif self._propose(instance, record):
                proposed_at = now
        except NodewiseError as error:
            record["status"] = FAILED
            problems.append(str(error))
        except OSError as error:
            record["status"] = FAILED
            problems.append(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        after = State(state.round + 1, proposed_at, figures, record)
        write_state(after, self.state)
        if self.log is not None:
            append_record(self.log, record)
        self.tell(record)
        return after

    def _read_instance(self, problems: list[str]) -> Instance:
        """The instance as it stands now; what is odd about it is told, and not printed."""
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", NodewiseWarning)
            instance = self.instance()
        problems.extend(str(warning.message) for warning in told)
        if instance.current is None:
            raise OptionError(
                "it is not known where tasks are now: the instance needs `current` (in CSV, the "
                "column node)"
            )
        return instance

    def _adjusted(
        self, state: State, record: Record, problems: list[str]
    ) -> tuple[Instance, dict[Key, tuple[Number, Number]]]:
        """The instance with all figures that were measured, now or before, and these."""
        try:
            self._known = self._read_instance(problems)
        except (NodewiseError, OSError) as error:
            problems.append(f"{error}; the instance stays as it was")
        instance = self._known
        assert instance is not None
        read = []
        for usage in self.usages:
            try:
                read.append(usage())
            except (NodewiseError, OSError) as error:
                problems.append(f"{error}; its figures stay as they were")
        task_at = {name: j for j, name in enumerate(instance.task_ids.tolist())}
        figures = {
            key: (base, measured)
            for key, (base, measured) in state.figures.items()
            if figure_of(instance, key, task_at) == base
        }
        try:
            report = usage_report(instance, joined(read), **self.measuring)
        except NodewiseError as error:
            problems.append(f"{error}; the figures stay as they were")
        else:
            record["usage"] = report.counts
            problems.extend(report.notes[:_MOST_TOLD])
            for figure in report.figures:
                if figure.note in (Note.MEASURED, Note.FLOOR):
                    figures[figure.key] = (figure.old, figure.new)
        new = {key: measured for key, (base, measured) in figures.items() if base != measured}
        return with_figures(instance, new), figures

    def _look(self, instance: Instance, record: Record) -> None:
        """What runs now: cost, and what is broken."""
        present = Present(instance)
        record.update(
            status=NO_PLAN,
            cost_now=present.cost,
            currency=instance.currency,
            num_broken=len(present.broken),
            broken=[str(violation) for violation in present.broken[:_MOST_TOLD]],
            num_nowhere=present.num_nowhere,
        )

    def _propose(self, instance: Instance, record: Record) -> bool:
        """Find what to move; whether something was proposed and written."""
        result = rebalance(instance, min_saving=self.min_saving, **self.rebalancing)
        if result.termination is Termination.INTERRUPTED:
            raise KeyboardInterrupt
        record.update(saving_bound=result.saving_bound, bound=result.bound)
        if result.allocation is None:
            record["message"] = result.infeasible_because or result.message
            return False
        assert instance.current is not None
        record.update(cost=result.cost, saving=result.saving, moves=result.moves)
        if (result.allocation.node_index == instance.current).all():
            record["status"] = STAYING
            return False
        plan = result.plan
        if plan is not None:
            record.update(waves=len(plan.waves), bypasses=plan.num_bypasses)
            if plan.status is not PlanStatus.ORDERED:
                record["message"] = result.message
                return False
        record["files"] = self.outputs.write(instance, result)
        record["status"] = PROPOSED
        return True
