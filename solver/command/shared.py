"""What the verbs of the command line share: exit codes, arguments, writing the outputs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import NodewiseWarning
from ..files.allocation import dump_allocation
from ..files.loads import dump_loads
from ..files.places import read_current
from ..model.allocation import Allocation
from ..model.instance import Instance
from ..model.result import Result, Status, Termination
from ..system import signals
from .display import live_progress, say, show_error, show_written
from .outputs import Output, write_outputs
from .sources import STDOUT

__all__ = [
    "BAD_INPUT",
    "INFEASIBLE",
    "INTERRUPTED",
    "NOTHING_FOUND",
    "OK",
    "InstanceArgument",
    "OutputInstance",
    "Stop",
    "TimeLimit",
    "exit_code",
    "outputs_of",
    "stop",
    "until_stopped",
    "with_current",
    "write_all",
]

OK, BAD_INPUT, INFEASIBLE, NOTHING_FOUND, INTERRUPTED = 0, 1, 2, 3, signals.INTERRUPTED


class Stop(Exception):
    """Ends a command with an exit code of our own."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


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


def write_all(wanted: Sequence[Output]) -> bool:
    """Write outputs and say which; whether all of them could be written."""
    problems = write_outputs(wanted)
    for done, problem in problems:
        if problem is not None:
            show_error(f"{done.option} {done.path} could not be written: {problem}")
        elif done.path != STDOUT:
            show_written(done.path)
    return all(problem is None for _, problem in problems)


def stop(code: int) -> None:
    """End the command unless the code is that of success."""
    if code != OK:
        raise Stop(code)


def exit_code(result: Result) -> int:
    """The exit code that says what was found."""
    if result.allocation is not None:
        return OK
    if result.status is Status.INFEASIBLE:
        return INFEASIBLE
    interrupted = result.termination is Termination.INTERRUPTED
    return INTERRUPTED if interrupted else NOTHING_FOUND


def until_stopped(run: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
    """The result of `solve` or the like; once it is there, no signal can lose it."""
    signals.hold()
    result = None
    with live_progress() as on_progress, warnings.catch_warnings():
        warnings.simplefilter("ignore", NodewiseWarning)  # the message of the result says it, too
        try:
            with signals.let_through():
                result = run(*arguments, on_progress=on_progress, **options)
        except KeyboardInterrupt:
            if result is None:
                raise
    return result


def outputs_of(
    allocation: Allocation | None, output: str | None, loads: str | None
) -> list[Output]:
    """What is to be written of an allocation, if there is one."""
    wanted = []
    if allocation is not None and output is not None:
        wanted.append(Output("--output", output, partial(dump_allocation, allocation)))
    if allocation is not None and loads is not None:
        wanted.append(Output("--loads", loads, partial(dump_loads, allocation)))
    return wanted


def with_current(data: Instance, path: str | None) -> Instance:
    """The instance with where tasks are by a file; names that are not there are told."""
    if path is None:
        return data
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", NodewiseWarning)
        data = data.replace(current=read_current(path))
    for warning in told:
        say(str(warning.message))
    return data
