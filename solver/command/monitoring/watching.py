"""The verb that watches a cluster round by round, and what it says of a round."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ...errors import OptionError
from ...files.places import read_current
from ...files.usage.reading import read_usage
from ...model.instance import Instance
from ...model.plans.plan import DURING
from ...usage.options import DEFAULTS
from ...usage.watching import COOLING, FAILED, PROPOSED, STAYING, Clock, Outputs, Record, Watch
from ..display import number, say
from ..shared import BAD_INPUT, InstanceArgument, Stop, TimeLimit
from ..sources import STDOUT, instance_of, require_places
from .analysing import saving
from .options import (
    Digits,
    Fields,
    Floors,
    Margins,
    MinSamples,
    Multiples,
    Percentiles,
    Several,
    Step,
    TaskRule,
    TimeColumn,
    UsageFiles,
    Window,
    usage_options,
)

__all__ = ["CLOCK", "line_of", "watch_command"]

CLOCK = Clock()
"""What `watch` lives by."""

_MOST_BROKEN = 2


Current = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Where tasks are now, CSV; else as INSTANCE says."),
]
Every = Annotated[
    float, typer.Option(metavar="SECONDS", help="From the start of a round to the next.")
]
MinSaving = Annotated[
    str, typer.Option(metavar="COST|PERCENT", help="Below it nothing is proposed: 10, or 2%.")
]
Cooldown = Annotated[
    float, typer.Option(metavar="SECONDS", help="After a proposal there is none for so long.")
]
Rounds = Annotated[int | None, typer.Option(help="Rounds until it ends by itself.")]
Once = Annotated[bool, typer.Option("--once", help="One round, as cron wants it.")]
StateFile = Annotated[
    Path, typer.Option(metavar="FILE", help="What has to survive the process, JSON.")
]
Log = Annotated[
    str | None, typer.Option(metavar="FILE", help="A line of JSON a round; - for stdout.")
]
NewAllocation = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Allocation to propose, CSV."),
]
PlanFile = Annotated[
    Path | None, typer.Option("--plan", metavar="FILE", help="Moves in their order, CSV.")
]
Adjusted = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The instance that it holds for, with new figures."),
]
MaxMoves = Annotated[int | None, typer.Option(help="The most parts that move.")]
During = Annotated[
    str, typer.Option(help="Where a moving part counts: on both nodes, or the target.")
]
MovesPerNode = Annotated[int | None, typer.Option(help="Most moves from or to one node in a wave.")]
Workers = Annotated[int | None, typer.Option(help="Threads; else all processors.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]


def watch_command(
    instance: InstanceArgument,
    usage: UsageFiles,
    current: Current = None,
    every: Every = 300.0,
    min_saving: MinSaving = "2%",
    cooldown: Cooldown = 1800.0,
    rounds: Rounds = None,
    once: Once = False,
    state: StateFile = Path("nodewise-watch.json"),
    log: Log = None,
    output: NewAllocation = None,
    plan: PlanFile = None,
    adjusted: Adjusted = None,
    max_moves: MaxMoves = None,
    during: During = DURING[0],
    moves_per_node: MovesPerNode = None,
    time_limit: TimeLimit = 60.0,
    workers: Workers = None,
    seed: Seed = 0,
    fields: Fields = None,
    task: TaskRule = None,
    time: TimeColumn = None,
    percentile: Percentiles = None,
    margin: Margins = None,
    floor: Floors = None,
    min_samples: MinSamples = DEFAULTS["min_samples"],
    several: Several = DEFAULTS["several"],
    step: Step = None,
    window: Window = None,
    digits: Digits = None,
    multiple: Multiples = None,
) -> None:
    """Watch a cluster: measure, adjust, and propose what to move where that saves enough.

    A round reads all files anew. A line a round goes to stderr; Ctrl-C and SIGTERM end
    it in order, and started again it goes on where it was, even after a kill.
    """
    _require_times(every, cooldown, rounds)
    if during not in DURING:
        raise OptionError(f"--during {during}: it must be one of: {', '.join(DURING)}")
    log_file = None if log in (None, STDOUT) else Path(str(log))
    inputs = [instance, current, *map(str, usage)]
    _require_watch_places(inputs, (state, log_file, output, plan, adjusted))
    reading, measuring = usage_options(
        fields,
        task,
        time,
        percentile,
        margin,
        floor,
        min_samples,
        several,
        step,
        window,
        digits,
        multiple,
    )

    watch = Watch(
        instance=partial(_with_current, instance, current),
        usages=[partial(read_usage, path, **reading) for path in usage],
        state=state,
        log=log_file,
        outputs=Outputs(allocation=output, plan=plan, adjusted=adjusted),
        tell=partial(_show, to_stdout=log == STDOUT),
        min_saving=min_saving,
        cooldown=cooldown,
        measuring=measuring,
        rebalancing={
            "max_moves": max_moves,
            "during": during,
            "moves_per_node": moves_per_node,
            "time_limit": time_limit,
            "num_workers": workers,
            "seed": seed,
        },
        clock=CLOCK,
    )
    _run(watch, every, 1 if once else rounds, ends_badly=once)


def _run(watch: Watch, every: float, rounds: int | None, ends_badly: bool) -> None:
    """Watch; where the exit code tells of one round, that of bad input if it failed."""
    try:
        last = watch.run(every, rounds).last
    except KeyboardInterrupt:
        say("stopped")
        return
    if ends_badly and last is not None and last["status"] == FAILED:
        raise Stop(BAD_INPUT)


def _show(record: Record, to_stdout: bool) -> None:
    say(line_of(record))
    if to_stdout:
        typer.echo(json.dumps(record, allow_nan=False))


def _require_times(every: float, cooldown: float, rounds: int | None) -> None:
    for name, seconds in (("--every", every), ("--cooldown", cooldown)):
        if not 0 <= seconds < math.inf:
            raise OptionError(f"{name} {seconds}: give seconds, 0 or more")
    if rounds is not None and rounds < 1:
        raise OptionError(f"--rounds {rounds}: give a number of 1 or more")


def _require_watch_places(inputs: Sequence[str | None], places: Sequence[Path | None]) -> None:
    names = ("--state", "--log", "--output", "--plan", "--adjusted")
    wanted = [
        (name, None if place is None else str(place))
        for name, place in zip(names, places, strict=True)
    ]
    require_places(wanted, inputs)


def _with_current(argument: str, current: str | None) -> Instance:
    """The instance as it stands now, and where tasks are."""
    instance = instance_of(argument)
    return instance if current is None else instance.replace(current=read_current(current))


def line_of(record: Record) -> str:
    """A round as a person reads it."""
    said = [f"{record['at'].replace('+00:00', 'Z')} round {record['round']}"]
    unit = f" {record['currency']}" if record.get("currency") else ""
    if "cost_now" in record:
        told = [f"cost {number(record['cost_now'])}{unit}"]
        if record["num_nowhere"]:
            told.append(f"{record['num_nowhere']:,} tasks nowhere")
        if record["num_broken"]:
            some = "; ".join(record["broken"][:_MOST_BROKEN])
            told.append(f"{record['num_broken']:,} broken ({some})")
        said.append(", ".join(told))
    status = record["status"]
    if status == COOLING:
        until = datetime.fromtimestamp(record["cooling_until"], UTC)
        said.append(f"cooling down until {until:%H:%M:%S}Z")
    elif status in (PROPOSED, STAYING):
        said.append(_verdict(record, unit))
    else:
        said.append(f"{status}{': ' if record.get('message') else ''}{record.get('message') or ''}")
    return "; ".join([": ".join(said[:2]), *said[2:], *record["problems"]])


def _verdict(record: Record, unit: str) -> str:
    most, cost = record["saving_bound"], record["cost_now"]
    proved = "" if most is None else f"no plan saves more than {saving(most, cost, unit)}"
    if most is not None and most <= 0:
        proved = "no plan saves anything"
    if record["status"] == STAYING:
        return f"nothing to move{', ' if proved else ''}{proved}"
    one = record["moves"] == 1
    moves = "1 move" if one else f"{record['moves']:,} moves"
    if record.get("waves"):
        moves += f" in {record['waves']:,} wave{'s' if record['waves'] > 1 else ''}"
    saved = record["saving"]
    if saved > 0:
        gain = f"save{'s' if one else ''} {saving(saved, cost, unit)}"
    else:
        gain = f"for {number(-saved)}{unit} more" if saved else "at the same cost"
    written = f"; written {', '.join(record['files'])}" if record["files"] else ""
    return f"{moves} {gain}{', ' if proved else ''}{proved}{written}"
