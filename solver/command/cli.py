"""The command line: `nodewise`, also `python -m solver`.

Data goes to files or stdout; progress, summaries and errors go to stderr. Exit codes: 0 a
feasible allocation was found, 1 bad input or usage, 2 proved that there is none, 3 none found
in the time, 130 interrupted before one was found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from ..errors import NodewiseError
from ..versions import __version__
from .converting import convert
from .display import show_error
from .listing import methods_command, versions_command, warm_up_command
from .making import generate_command
from .monitoring.measuring import usage_command
from .monitoring.watching import watch_command
from .rebalancing import rebalance_command
from .shared import BAD_INPUT, INFEASIBLE, INTERRUPTED, OK, Stop
from .solving import bound_command, check_command, solve_command

__all__ = ["app", "run"]

VERBS: dict[str, Callable[..., None] | typer.Typer] = {
    "solve": solve_command,
    "check": check_command,
    "bound": bound_command,
    "rebalance": rebalance_command,
    "usage": usage_command,
    "watch": watch_command,
    "generate": generate_command,
    "convert": convert,
    "methods": methods_command,
    "versions": versions_command,
    "warm-up": warm_up_command,
}

app = typer.Typer(
    name="nodewise",
    help="Assign tasks to nodes at the least cost, and prove how good the answer is.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _verb in VERBS.items():
    if isinstance(_verb, typer.Typer):
        app.add_typer(_verb, name=_name)
    else:
        app.command(_name)(_verb)


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
    except Stop as stop:
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
