"""The verb that makes instances from files of public formats, one command a format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .making import put_instance
from .shared import OutputInstance

__all__ = ["convert"]

convert = typer.Typer(help="Convert files of a public format to an instance.", no_args_is_help=True)

InputFiles = Annotated[list[Path], typer.Argument(metavar="IN...", help="Files of that format.")]


@convert.command("openb")
def openb_command(files: InputFiles, output: OutputInstance = None) -> None:
    """Convert a node list and a pod list of the GPU trace "openb"."""
    from instances.readers import read_openb

    put_instance(lambda: read_openb(files), output, inputs=[str(path) for path in files])
