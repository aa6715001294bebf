"""The verb that says what to move from where tasks are now."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Annotated, Any, TextIO

import typer
from rich.text import Text

from ..errors import MethodError, OptionError
from ..files.plan import dump_plan
from ..files.result import dump_result
from ..judge.moves import count_moves
from ..model.instance import Number
from ..model.plans.plan import Plan, PlanStatus
from ..model.result import Result, Status
from ..plan.rebalance import rebalance
from .display import describe, number, say, say_row, show_unplaced, status_of
from .outputs import Output
from .shared import (
    BAD_INPUT,
    InstanceArgument,
    TimeLimit,
    exit_code,
    outputs_of,
    stop,
    until_stopped,
    with_current,
    write_all,
)
from .sources import instance_of, require_places

__all__ = ["rebalance_command"]

_MOST_BROKEN = 5  # rules broken now that are told


Current = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Where tasks are now, CSV; may be partial."),
]
Drained = Annotated[
    list[str] | None,
    typer.Option(metavar="NODE", help="Must end empty; an id, kind or label value."),
]
Cordoned = Annotated[
    list[str] | None,
    typer.Option(metavar="NODE", help="Takes nothing new; an id, kind or label value."),
]
LeastSaving = Annotated[
    str, typer.Option(metavar="COST|PERCENT", help="Below it nothing moves: 10, or 2%.")
]
During = Annotated[
    str, typer.Option(help="Where a moving part counts: on both nodes, or the target.")
]
MovesPerNode = Annotated[int | None, typer.Option(help="Most moves from or to one node in a wave.")]
MostMoving = Annotated[
    list[str] | None,
    typer.Option(metavar="GROUP=N", help="Most parts of a group moving in one wave."),
]


def rebalance_command(
    instance: InstanceArgument,
    current: Current = None,
    max_moves: Annotated[int | None, typer.Option(help="The most parts that move.")] = None,
    move_price: Annotated[float | None, typer.Option(help="Price of a part that moves.")] = None,
    drain: Drained = None,
    cordon: Cordoned = None,
    min_saving: LeastSaving = "0",
    during: During = "both",
    moves_per_node: MovesPerNode = None,
    max_moving: MostMoving = None,
    method: Annotated[str, typer.Option(help="See `nodewise methods`.")] = "auto",
    time_limit: TimeLimit = 60.0,
    workers: Annotated[int | None, typer.Option(help="Threads; else all processors.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    rel_gap: Annotated[
        float, typer.Option(help="Stop once (cost - bound) / cost is at most this.")
    ] = 0.0,
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Allocation to write, CSV; - for stdout."
        ),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Moves in their order to write, CSV; - for stdout."),
    ] = None,
    script: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Lines of kubectl for the plan to write; not run."),
    ] = None,
    json_file: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Result to write, JSON; - for stdout."),
    ] = None,
) -> None:
    """Find what to move in INSTANCE, what that saves, and the most that could be saved.

    Exit codes: 0 a plan was found (it may be to stay), 1 bad input or usage,
    2 proved that there is none, 3 none was found in the time,
    130 interrupted before one was found.
    """
    outputs = [("--output", output), ("--plan", plan), ("--script", script), ("--json", json_file)]
    require_places(outputs, inputs=[instance, current])
    data = with_current(instance_of(instance), current)
    try:
        result = until_stopped(
            rebalance,
            data,
            max_moves=max_moves,
            move_price=None if move_price is None else _whole(move_price),
            drain=drain or (),
            cordon=cordon or (),
            min_saving=min_saving,
            during=during,
            max_moving=_numbers("--max-moving", max_moving),
            moves_per_node=moves_per_node,
            method=method,
            time_limit=time_limit,
            num_workers=workers,
            seed=seed,
            rel_gap=rel_gap,
        )
    except MethodError as error:
        write_all(outputs_of(error.allocation, output, None))
        raise
    wanted = outputs_of(result.allocation, output, None) + _plan_outputs(result, plan, script)
    if json_file is not None:
        wanted.append(Output("--json", json_file, partial(dump_result, result)))
    paths = {each.path for each in wanted}
    missing = [path for path in (output, plan, script) if path is not None and path not in paths]
    try:
        _show(result, missing)
    finally:
        all_written = write_all(wanted)
    stop(exit_code(result) if all_written else BAD_INPUT)


def _plan_outputs(result: Result, plan: str | None, script: str | None) -> list[Output]:
    """The plan as a table and as lines of kubectl, where there is one."""
    found = result.plan
    if found is None or found.status is not PlanStatus.ORDERED:
        return []
    wanted = []
    if plan is not None:
        wanted.append(Output("--plan", plan, partial(dump_plan, found)))
    if script is not None:
        wanted.append(Output("--script", script, partial(_dump_script, found)))
    return wanted


def _dump_script(plan: Plan, stream: TextIO) -> None:
    from instances.kubectl import kubectl_script

    stream.write(kubectl_script(plan))


def _whole(value: float) -> Number:
    return int(value) if value.is_integer() else value


def _numbers(option: str, given: list[str] | None) -> dict[str, int] | None:
    """Numbers by name, from texts such as "web=1"."""
    if not given:
        return None
    numbers = {}
    for text in given:
        name, _, amount = text.rpartition("=")
        if not name or not (amount.isascii() and amount.isdigit() and len(amount) < 19):
            raise OptionError(f"{option} {text}: give a group and a number, such as web=1")
        numbers[name] = int(amount)
    return numbers


def _show(result: Result, missing: list[str]) -> None:
    for name, value in [*_rows(result), *(("not written", path) for path in missing)]:
        say_row(name, value)
    for reason in (result.infeasible_because, result.message):
        if reason:
            say(reason)
    show_unplaced(result)


def _rows(result: Result) -> Iterator[tuple[str, str | Text]]:
    unit = f" {result.instance.currency}" if result.instance.currency else ""
    yield "instance", describe(result.instance)
    yield "status", status_of(result)
    yield from _broken_rows(result)
    yield "cost now", number(result.cost_now) + unit
    if result.allocation is not None:
        yield "cost after", number(result.cost) + unit
        yield "moves", _moves(result, unit)
        yield from _plan_rows(result)
        yield "saving", _amount(result.saving, result.cost_now, unit)
    if result.status is not Status.INFEASIBLE:
        proved = ", proved" if result.saving_bound is not None else ""
        yield "could save", f"at most {_amount(result.saving_bound, result.cost_now, unit)}{proved}"
    if result.proof is not None:
        yield "proof", result.proof
    yield "method", result.method
    yield "seconds", f"{result.seconds:.2f}"


def _broken_rows(result: Result) -> Iterator[tuple[str, str]]:
    broken = result.broken_now
    mended = " (mended)" if result.allocation is not None else ""
    for each in broken[:_MOST_BROKEN]:
        yield "broken now", f"{each}{mended}"
    if len(broken) > _MOST_BROKEN:
        yield "broken now", f"and {len(broken) - _MOST_BROKEN:,} more rules{mended}"


def _moves(result: Result, unit: str) -> str:
    assert result.allocation is not None
    instance, told = result.instance, f"{count_moves(result.allocation):,}"
    if instance.max_moves is not None:
        told += f" of at most {instance.max_moves:,}"
    cost: Any = result.cost_parts.get("moves")
    return f"{told}, at a cost of {number(cost)}{unit}" if cost else told


def _plan_rows(result: Result) -> Iterator[tuple[str, str]]:
    plan = result.plan
    if plan is None:
        return
    if plan.status is not PlanStatus.ORDERED:
        known = "proved" if plan.status is PlanStatus.NONE else "none was found"
        yield "plan", f"no safe order ({known}): {plan.reason}"
    elif plan.waves:
        told = _counted(plan.num_moves, "move")
        starts = sum(move.source is None for move in plan.moves)
        stops = sum(move.target is None for move in plan.moves)
        told += f", {_counted(starts, 'start')}" if starts else ""
        told += f", {_counted(stops, 'stop')}" if stops else ""
        told += f" in {_counted(len(plan.waves), 'wave')}"
        if plan.num_bypasses:
            told += f", {plan.num_bypasses:,} of the moves to make room"
        yield "plan", told
    else:
        yield "plan", "nothing moves"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _amount(amount: Number | None, whole: Number | None, unit: str) -> str:
    if amount is None:
        return "unknown"
    if not whole:
        return number(amount) + unit
    share = 100 * Fraction(amount) / Fraction(whole)
    return f"{number(amount)}{unit} ({float(share):.2f}%)"
