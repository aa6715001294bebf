"""The verbs that say what is there: methods, versions, compiled code."""

from __future__ import annotations

import typer

from ..methods import FEATURES, methods
from ..versions import show_versions
from .display import say

__all__ = ["methods_command", "versions_command", "warm_up_command"]


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


def versions_command() -> None:
    """List the versions of nodewise and of everything it runs on."""
    for name, version in show_versions().items():
        typer.echo(f"{name} {version}")


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
