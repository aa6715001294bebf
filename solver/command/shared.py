"""What the verbs of the command line share: exit codes, arguments, writing the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..model.result import Result, Status, Termination
from ..system import signals
from .display import show_error, show_written
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
    "stop",
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
