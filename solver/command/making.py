"""The verb that makes instances of families, and writing instances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..errors import OptionError
from ..files.instance import write_instance
from ..model.instance import Instance
from ..system import signals
from ..system.scratch import is_stream
from .display import describe, say
from .shared import OutputInstance
from .sources import families_listed, generated, require_instance_place

__all__ = ["generate_command", "put_instance"]


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
    put_instance(lambda: generated(spec), output)


def put_instance(
    make: Callable[[], Instance], output: Path | None, inputs: Sequence[str] = ()
) -> None:
    """Make an instance and write it, once its place is known to be good."""
    if output is None:
        raise OptionError("name the file to write: -o FILE")
    require_instance_place("--output", output, inputs)
    instance = make()
    if not is_stream(output):
        signals.hold()  # the files of a folder are replaced together
    write_instance(instance, output)
    say(f"written {output} ({describe(instance)})")
