"""What a solve writes, as one transaction: all files are written, then all take their names."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO, cast

import typer

from ..system import signals
from ..system.scratch import Scratch, is_stream, naming
from .sources import STDOUT

__all__ = ["Output", "write_outputs"]


@dataclass(frozen=True)
class Output:
    """Something to write.

    Attributes
    ----------
    option : str
        The option that asked for it.
    path : str
        A file, or "-" for standard output.
    dump : callable
        Writes it to an open stream.
    """

    option: str
    path: str
    dump: Callable[[TextIO], None]

    @property
    def straight(self) -> bool:
        """Whether it goes to a pipe or device, where nothing can be put in place at once."""
        return self.path == STDOUT or is_stream(self.path)


def write_outputs(outputs: Sequence[Output]) -> list[tuple[Output, str | None]]:
    """Write all outputs, each in UTF-8, and go on where one fails.

    Files come first, and take their names once all of them are written whole; then pipes and
    devices, where a signal may end what has to wait for a reader.

    Returns
    -------
    list of (Output, str or None)
        What went wrong, None where nothing did.
    """
    failures: dict[Output, str] = {}

    def attempt(output: Output, step: Callable[[], None]) -> bool:
        try:
            step()
        except OSError as error:
            failures[output] = error.strerror or str(error)
        except KeyboardInterrupt:
            failures[output] = "interrupted"
        return output not in failures

    with ExitStack() as stack:
        scratches: dict[Output, Scratch] = {}

        def write(output: Output) -> None:
            scratch = stack.enter_context(Scratch(output.path))
            with (
                naming(output.path, scratch.path),
                scratch.path.open("w", encoding="utf-8", newline="") as stream,
            ):
                output.dump(stream)
            scratch.sync()
            scratches[output] = scratch

        for output in outputs:
            if not output.straight:
                attempt(output, partial(write, output))
        for output, scratch in scratches.items():
            attempt(output, scratch.commit)
    for output in outputs:
        if output.straight:
            attempt(output, partial(_write_straight, output))
    return [(output, failures.get(output)) for output in outputs]


def _write_straight(output: Output) -> None:
    with signals.let_through():
        if output.path != STDOUT:
            with Path(output.path).open("w", encoding="utf-8", newline="") as stream:
                output.dump(stream)
            return
        stdout = typer.get_binary_stream("stdout")
        # Not a TextIOWrapper: after a failure that one would close stdout when it goes.
        output.dump(cast(TextIO, codecs.getwriter("utf-8")(stdout)))
        stdout.flush()
