"""The verbs that solve, check and bound an instance."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from ..bounds.lower_bound import BOUNDS, lower_bound
from ..errors import MethodError, OptionError
from ..files.allocation import read_allocation
from ..files.plan import read_plan
from ..files.result import dump_result
from ..judge.check import Violation, check
from ..judge.choices import choices_of
from ..judge.cost import cost_of
from ..judge.replay import check_plan
from ..solve import solve
from .display import describe, say, show_summary, tell
from .monitoring.analysing import analyse
from .outputs import Output
from .shared import (
    BAD_INPUT,
    INFEASIBLE,
    InstanceArgument,
    Stop,
    TimeLimit,
    exit_code,
    outputs_of,
    stop,
    until_stopped,
    with_current,
    write_all,
)
from .sources import instance_of, require_places

__all__ = ["bound_command", "check_command", "solve_command"]

_MOST_VIOLATIONS = 50


def solve_command(
    instance: InstanceArgument,
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
    loads: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Load and cost of each node to write, CSV."),
    ] = None,
    json_file: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Result to write, JSON; - for stdout."),
    ] = None,
    initial: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Allocation to begin from, CSV."),
    ] = None,
    mip_solver: Annotated[
        str, typer.Option(help="For --method mip: HiGHS, CBC or another solver of PuLP.")
    ] = "HiGHS",
    round_limit: Annotated[
        int | None, typer.Option(help="Rounds of a local search; with --workers 1 runs repeat.")
    ] = None,
) -> None:
    """Find the cheapest allocation of INSTANCE, with a proven bound beside it.

    Exit codes: 0 an allocation was found, 1 bad input or usage,
    2 proved that there is none, 3 none was found in the time,
    130 interrupted before one was found.
    """
    outputs = [("--output", output), ("--loads", loads), ("--json", json_file)]
    require_places(outputs, inputs=[instance])
    data = instance_of(instance)
    start = None if initial is None else read_allocation(data, initial)
    try:
        result = until_stopped(
            solve,
            data,
            method,
            time_limit=time_limit,
            seed=seed,
            num_workers=workers,
            rel_gap=rel_gap,
            initial=start,
            mip_solver=mip_solver,
            round_limit=round_limit,
        )
    except MethodError as error:
        write_all(outputs_of(error.allocation, output, loads))
        raise
    missing = [path for path in (output, loads) if path and result.allocation is None]
    wanted = outputs_of(result.allocation, output, loads)
    if json_file is not None:
        wanted.append(Output("--json", json_file, partial(dump_result, result)))
    try:
        show_summary(result, missing)
    finally:
        all_written = write_all(wanted)
    stop(exit_code(result) if all_written else BAD_INPUT)


def check_command(
    instance: InstanceArgument,
    allocation: Annotated[
        str | None,
        typer.Argument(
            help="CSV: task_id,node_id[,variant,part]. Without it, where tasks are now."
        ),
    ] = None,
    current: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Where tasks are now, CSV; else as INSTANCE has it."),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Moves from there to the allocation, CSV, to replay."),
    ] = None,
    during: Annotated[
        str, typer.Option(help="While they move, parts count on both nodes, or on the target.")
    ] = "both",
    moves_per_node: Annotated[
        int | None, typer.Option(help="Most moves from or to a node in one wave of the plan.")
    ] = None,
    time_limit: TimeLimit = 60.0,
) -> None:
    """Check an allocation: print its cost, what is left out or moves, and every rule it breaks.

    With a plan: replay it, move by move, from where tasks are now, and print what is not safe.
    Without an allocation: what tasks cost where they are now, which rules that breaks, and the most
    that any other allocation could save, within the time limit. Exit code 0 only if it is feasible
    and the plan is safe.
    """
    data = with_current(instance_of(instance), current)
    if plan is not None and (allocation is None or data.current is None):
        lacks = "--current, where tasks are now" if allocation else "the allocation it leads to"
        raise OptionError(f"--plan needs {lacks}")
    if allocation is None:
        analyse(data, time_limit)
        return
    placed = read_allocation(data, allocation)
    violations = check(data, placed)
    typer.echo(f"cost {cost_of(data, placed)}")
    for name, value in choices_of(placed):
        typer.echo(f"{name} {value}")
    _list(violations)
    unsafe: list[Violation] = []
    if plan is not None:
        moves = read_plan(data, plan, during=during)
        unsafe = check_plan(data, placed, moves, moves_per_node=moves_per_node)
        typer.echo(
            f"plan {moves.num_moves:,} moves in {len(moves.waves):,} waves, "
            f"{moves.num_bypasses:,} on a bypass"
        )
        _list(unsafe)
    if violations or unsafe:
        raise Stop(BAD_INPUT)
    typer.echo("feasible" if plan is None else "feasible, and the plan is safe")


def _list(violations: list[Violation]) -> None:
    for violation in violations[:_MOST_VIOLATIONS]:
        tell(str(violation))
    if len(violations) > _MOST_VIOLATIONS:
        typer.echo(f"... and {len(violations) - _MOST_VIOLATIONS:,} more")


def bound_command(
    instance: InstanceArgument,
    method: Annotated[str, typer.Option(help=f"One of: {', '.join(BOUNDS)}.")] = "auto",
    time_limit: TimeLimit = 60.0,
) -> None:
    """Print a cost that no allocation of INSTANCE can go below, or "none".

    Exit code 2 if there is provably no allocation.
    """
    data = instance_of(instance)
    bound = lower_bound(data, method, time_limit=time_limit)
    if bound is None:
        typer.echo("none")
        say("there is no allocation; `nodewise solve` says why")
        raise Stop(INFEASIBLE)
    typer.echo(str(bound))
    say(f"no allocation costs less ({describe(data)})")
