"""The command line: `nodewise`, also `python -m solver`.

Data goes to files or stdout; progress, summaries and errors go to stderr. Exit codes: 0 a
feasible allocation was found, 1 bad input or usage, 2 proved that there is none, 3 none found
in the time, 130 interrupted before one was found.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ..bounds.lower_bound import BOUNDS, lower_bound
from ..errors import MethodError, NodewiseError, NodewiseWarning, OptionError
from ..files.allocation import dump_allocation, read_allocation
from ..files.instance import write_instance
from ..files.loads import dump_loads
from ..files.result import dump_result
from ..files.text import did_you_mean
from ..judge.check import check
from ..judge.choices import choices_of
from ..judge.cost import cost_of
from ..methods import FEATURES, methods
from ..model.allocation import Allocation
from ..model.instance import Instance
from ..model.result import Result, Status, Termination
from ..solve import solve
from ..system import signals
from ..system.scratch import is_stream
from ..versions import __version__, show_versions
from .display import describe, live_progress, say, show_error, show_summary, show_written, tell
from .outputs import Output, write_outputs
from .sources import (
    STDOUT,
    families_listed,
    generated,
    instance_of,
    require_instance_place,
    require_places,
)

__all__ = ["app", "run"]

OK, BAD_INPUT, INFEASIBLE, NOTHING_FOUND, INTERRUPTED = 0, 1, 2, 3, signals.INTERRUPTED

_MOST_VIOLATIONS = 50

app = typer.Typer(
    name="nodewise",
    help="Assign tasks to nodes at the least cost, and prove how good the answer is.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _Stop(Exception):
    """Ends a command with an exit code of our own."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.
    """
    try:
        app(arguments, prog_name="nodewise")
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer's, of a KeyboardInterrupt
            show_error("interrupted")
        # The one code that typer gives for wrong usage is the one that says "infeasible" here.
        return BAD_INPUT if end.code == INFEASIBLE else int(end.code or OK)
    except _Stop as stop:
        return stop.code
    except NodewiseError as error:
        show_error(str(error))
        return BAD_INPUT
    except OSError as error:
        reason = error.strerror or str(error)
        show_error(f"{error.filename}: {reason}" if error.filename else reason)
        return BAD_INPUT
    except KeyboardInterrupt:
        show_error("interrupted")
        return INTERRUPTED
    return OK


InstanceArgument = Annotated[
    str,
    typer.Argument(
        metavar="INSTANCE",
        help="A JSON file, a folder or zip with nodes.csv and tasks.csv, a spec such as "
        "uniform:nodes=20,tasks=60,seed=3, or a name that `nodewise generate --list` shows.",
        show_default=False,
    ),
]
TimeLimit = Annotated[float, typer.Option(help="Wall seconds for everything.", metavar="SECONDS")]
OutputInstance = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        help="Instance to write: .json, .zip, or a folder.",
        metavar="FILE",
        show_default=False,
    ),
]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nodewise {__version__}")
        raise typer.Exit


@app.callback()
def _nodewise(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


@app.command("solve")
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
        result = _until_stopped(
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
        _write(_of_allocation(error.allocation, output, loads))
        raise
    missing = [path for path in (output, loads) if path and result.allocation is None]
    wanted = _of_allocation(result.allocation, output, loads)
    if json_file is not None:
        wanted.append(Output("--json", json_file, partial(dump_result, result)))
    try:
        show_summary(result, missing)
    finally:
        all_written = _write(wanted)
    _stop(_exit_code(result) if all_written else BAD_INPUT)


def _until_stopped(data: Instance, method: str, **options: Any) -> Result:
    """The result of `solve`; once it is there, no signal can lose it."""
    signals.hold()
    result = None
    with live_progress() as on_progress, warnings.catch_warnings():
        warnings.simplefilter("ignore", NodewiseWarning)  # the message of the result says it, too
        try:
            with signals.let_through():
                result = solve(data, method, on_progress=on_progress, **options)
        except KeyboardInterrupt:
            if result is None:
                raise
    return result


def _of_allocation(
    allocation: Allocation | None, output: str | None, loads: str | None
) -> list[Output]:
    """What is to be written of an allocation, if there is one."""
    wanted = []
    if allocation is not None and output is not None:
        wanted.append(Output("--output", output, partial(dump_allocation, allocation)))
    if allocation is not None and loads is not None:
        wanted.append(Output("--loads", loads, partial(dump_loads, allocation)))
    return wanted


def _write(wanted: Sequence[Output]) -> bool:
    """Write outputs and say which; whether all of them could be written."""
    problems = write_outputs(wanted)
    for done, problem in problems:
        if problem is not None:
            show_error(f"{done.option} {done.path} could not be written: {problem}")
        elif done.path != STDOUT:
            show_written(done.path)
    return all(problem is None for _, problem in problems)


def _stop(code: int) -> None:
    if code != OK:
        raise _Stop(code)


def _exit_code(result: Result) -> int:
    if result.allocation is not None:
        return OK
    if result.status is Status.INFEASIBLE:
        return INFEASIBLE
    interrupted = result.termination is Termination.INTERRUPTED
    return INTERRUPTED if interrupted else NOTHING_FOUND


@app.command("check")
def check_command(
    instance: InstanceArgument,
    allocation: Annotated[str, typer.Argument(help="CSV: task_id,node_id[,variant,part].")],
) -> None:
    """Check an allocation: print its cost, what is left out or moves, and every rule it breaks.

    Exit code 0 only if it is feasible.
    """
    data = instance_of(instance)
    placed = read_allocation(data, allocation)
    violations = check(data, placed)
    typer.echo(f"cost {cost_of(data, placed)}")
    for name, value in choices_of(placed):
        typer.echo(f"{name} {value}")
    for violation in violations[:_MOST_VIOLATIONS]:
        tell(str(violation))
    if len(violations) > _MOST_VIOLATIONS:
        typer.echo(f"... and {len(violations) - _MOST_VIOLATIONS:,} more")
    if violations:
        raise _Stop(BAD_INPUT)
    typer.echo("feasible")


@app.command("bound")
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
        raise _Stop(INFEASIBLE)
    typer.echo(str(bound))
    say(f"no allocation costs less ({describe(data)})")


@app.command("generate")
def generate_command(
    family: Annotated[
        str | None, typer.Argument(help="A family or a named instance.", show_default=False)
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Parameters of the family."),
    ] = None,
    output: OutputInstance = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List the families, their parameters and defaults.")
    ] = False,
) -> None:
    """Generate an instance of a family, or a named instance.

    For example: nodewise generate uniform nodes=20 tasks=60 seed=3 -o FILE
    """
    if listed:
        typer.echo("\n".join(families_listed()))
        return
    if family is None:
        raise OptionError(
            "name a family or a named instance; `nodewise generate --list` shows them"
        )
    spec = f"{family}:{','.join(parameters)}" if parameters else family
    _put_instance(lambda: generated(spec), output)


@app.command("convert")
def convert_command(
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help="A public format: openb.")],
    files: Annotated[list[Path], typer.Argument(metavar="IN...", help="Files of that format.")],
    output: OutputInstance = None,
) -> None:
    """Convert files of a public format to an instance."""
    from instances.readers import READERS

    if format_name not in READERS:
        raise OptionError(
            f"format {format_name!r} is none of: {', '.join(READERS)}"
            f"{did_you_mean(format_name, READERS)}"
        )
    _put_instance(lambda: READERS[format_name](files), output, inputs=[str(path) for path in files])


def _put_instance(
    make: Callable[[], Instance], output: Path | None, inputs: Sequence[str] = ()
) -> None:
    if output is None:
        raise OptionError("name the file to write: -o FILE")
    require_instance_place("--output", output, inputs)
    instance = make()
    if not is_stream(output):
        signals.hold()  # the files of a folder are replaced together
    write_instance(instance, output)
    say(f"written {output} ({describe(instance)})")


@app.command("methods")
def methods_command() -> None:
    """List the methods, whether each can run here, and what it does."""
    known = methods()
    width = max(map(len, known))
    for name, info in known.items():
        state = "available  " if info.available else "unavailable"
        typer.echo(f"{name:{width}}  {state}  {info.description}")
        if info.why_not is not None:
            typer.echo(f"{'':{width}}  {info.why_not}")
        if info.lacks(FEATURES):
            typer.echo(f"{'':{width}}  does not take {', '.join(info.lacks(FEATURES))}")


@app.command("versions")
def versions_command() -> None:
    """List the versions of nodewise and of everything it runs on."""
    for name, version in show_versions().items():
        typer.echo(f"{name} {version}")


@app.command("warm-up")
def warm_up_command() -> None:
    """Compile the search now, for container images; else the first run does it on the side.

    Exit code 0 once everything is compiled.
    """
    from ..kernels.build.ready import warm_up

    place = warm_up()
    if place is None:
        say("nothing to compile: NUMBA_DISABLE_JIT is set")
    else:
        say(f"compiled code is in {place}")
