"""What the command line shows: a live line while it solves, and a summary after."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import typer
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from ..judge.choices import choices_of
from ..model.allocation import Allocation
from ..model.exact import sums_by_group
from ..model.instance import Instance, Number
from ..model.result import Progress, Result, Status, relative_gap

__all__ = [
    "console",
    "describe",
    "live_progress",
    "number",
    "say",
    "say_row",
    "show_error",
    "show_summary",
    "show_unplaced",
    "show_written",
    "shown",
    "status_of",
    "tell",
]

_MOST = 4000  # characters of one message
_DECIMALS = 6
_REASONS = 5  # tasks without a node of which is told why
_IN_FULL = 10**12

_STYLES = {
    Status.OPTIMAL: "bold green",
    Status.FEASIBLE: "green",
    Status.INFEASIBLE: "bold red",
    Status.UNKNOWN: "yellow",
}


class _Stderr(Console):
    """A console that goes on where nobody listens any more."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


def console() -> Console:
    """The console on stderr; all that is not data goes there."""
    return _Stderr(stderr=True, highlight=False, markup=False, emoji=False)


def shown(text: str) -> str:
    """Text from a file as a terminal may have it: what would not print is escaped.

    >>> print(shown("\x1b[31mred\x07, 4 nodes"))
    \\x1b[31mred\\x07, 4 nodes
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= _MOST else f"{text[:_MOST]} ... ({len(text) - _MOST:,} more)"


def say(line: str | Text) -> None:
    """One line on stderr, of text that is to be `shown`."""
    with suppress(OSError):  # a terminal that is gone, or a full disk
        console().print(shown(line) if isinstance(line, str) else line, soft_wrap=True)


def tell(line: str) -> None:
    """One line on stdout, of text that is to be `shown`."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    typer.echo(shown(line).encode(encoding, "backslashreplace").decode(encoding))


def show_error(message: str) -> None:
    """One line on stderr, in red on a terminal; several where a message lists what is wrong."""
    for k, line in enumerate(message.split("\n  ")):
        lead = "  " if k else "error: "
        say(Text(shown(lead + " ".join(line.split("\n"))), style="red"))


@contextmanager
def live_progress() -> Iterator[Callable[[Progress], None] | None]:
    """A line on stderr that shows time, cost, bound and gap while the block runs.

    Yields the callback for `solve`, or None where stderr is not a terminal.
    """
    stderr = console()
    if not stderr.is_terminal or stderr.is_dumb_terminal:
        yield None
        return
    line = _Line()
    live = Live(line, console=stderr, refresh_per_second=8, transient=True)
    with suppress(OSError):
        live.start(refresh=True)
    try:
        yield line.update
    finally:
        with suppress(OSError):  # the terminal may be gone, the result is not
            live.stop()


class _Line:
    """Drawn anew at each refresh, so that the clock moves between two messages."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._latest = Progress(0.0, None, None)
        self._spinner = Spinner("dots")

    def update(self, progress: Progress) -> None:
        self._latest = progress

    def __rich__(self) -> Spinner:
        latest = self._latest
        gap = _gap(relative_gap(latest.cost, latest.bound))
        self._spinner.update(
            text=Text(
                f"{time.monotonic() - self._begun:6.1f} s   cost {number(latest.cost)}   "
                f"bound {number(latest.bound, down=latest.bound != latest.cost)}   gap {gap}"
            )
        )
        return self._spinner


def show_summary(result: Result, missing: Sequence[str] = ()) -> None:
    """What was found, on stderr, one figure a line.

    Parameters
    ----------
    result : Result
    missing : sequence of str
        Files that were asked for, but there is no allocation to write.
    """
    for name, value in [*_rows(result), *(("not written", path) for path in missing)]:
        say_row(name, value)
    for reason in (result.infeasible_because, result.message):
        if reason:
            say(reason)
    show_unplaced(result)


def show_unplaced(result: Result) -> None:
    """The tasks for which no node was found, and why."""
    if result.partial is not None:
        unplaced = result.partial.unplaced
        for task, reason in list(unplaced.items())[:_REASONS]:
            say(f"no node was found for {task}: {reason}")
        if len(unplaced) > _REASONS:
            say(f"nor for {len(unplaced) - _REASONS:,} more tasks")
    elif result.unplaced:
        first = ", ".join(result.unplaced[:5])
        more = f" and {len(result.unplaced) - 5:,} more" if len(result.unplaced) > 5 else ""
        say(f"no node was found for: {first}{more}")


def show_written(path: str) -> None:
    """A further line of the summary: a file that was written."""
    say_row("written", path)


def say_row(name: str, value: str | Text) -> None:
    """One figure of a summary, on stderr."""
    value = shown(value) if isinstance(value, str) else value
    say(Text.assemble((f"{name:<13}", "dim"), value))


def describe(instance: Instance) -> str:
    """Name and size: "example: 4 nodes, 9 tasks, 3 variants, 1 rule"."""
    size = f"{instance.num_nodes:,} nodes, {instance.num_tasks:,} tasks"
    for count, what in (
        (len(instance.rows.all_variants), "variant"),
        (len(instance.rules), "rule"),
    ):
        if count:
            size += f", {_counted(count, what)}"
    return f"{instance.name}: {size}" if instance.name else size


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _rows(result: Result) -> Iterator[tuple[str, str | Text]]:
    yield "instance", describe(result.instance)
    yield "status", status_of(result)
    unit = f" {result.instance.currency}" if result.instance.currency else ""
    if result.allocation is not None:
        yield "cost", number(result.cost) + unit
    if result.partial is not None:
        yield "placed", f"{len(result.partial.placed):,} of {result.instance.num_tasks:,} tasks"
    if result.status is not Status.INFEASIBLE:
        bound = number(result.bound, down=result.bound != result.cost)
        yield "bound", bound if result.bound is None else bound + unit
    if result.allocation is not None:
        yield "gap", _gap(result.gap)
    if result.proof is not None:
        yield "proof", result.proof
    if result.allocation is not None:
        yield from _load_rows(result.allocation)
        yield from _choice_rows(result, result.allocation, unit)
    if result.energy is not None:
        kwh, grams, cost = (result.energy[name] for name in ("kwh", "grams", "cost"))
        price = number(cost) + unit
        yield "energy", f"{number(kwh)} kWh at a cost of {price}, {number(grams)} g CO2e"
    yield "method", result.method
    yield "seconds", f"{result.seconds:.2f}"


def status_of(result: Result) -> Text:
    """The status in its colour, and why the run stopped where that says more."""
    status = Text(result.status.value, style=_STYLES[result.status])
    if result.termination.value not in ("proven", "finished"):
        status.append(f" ({result.termination.value})", style="default")
    return status


def _choice_rows(result: Result, allocation: Allocation, unit: str) -> Iterator[tuple[str, str]]:
    """What is left out, moved and lost, and what that and the variants cost."""
    parts = result.cost_parts
    if parts.get("forms"):
        yield "variants", f"{number(parts['forms'])}{unit} for prices and losses"
    for name, told in choices_of(allocation):
        cost = parts.get(name.replace(" ", "_"))
        yield name, f"{told}, at a cost of {number(cost)}{unit}" if cost else told


def _load_rows(allocation: Allocation) -> Iterator[tuple[str, str]]:
    """Overload and utilisation, from exact integers: loads may be of any size."""
    exact, n = allocation.instance.exact, allocation.instance.num_nodes
    loads = sums_by_group(*allocation.on_nodes(exact.task_compute), n).tolist()
    pairs = list(zip(loads, exact.node_compute.tolist(), strict=True))
    over = [L - C for L, C in pairs if L > C]
    if over:
        share = _percent(Fraction(sum(over), sum(loads)), 2)
        yield "overload", f"{share} of the load, on {len(over):,} of {n:,} nodes"
    else:
        yield "overload", "none"
    ratios = [Fraction(L, C) for L, C in pairs if C > 0]
    if ratios:
        overall = Fraction(sum(loads), sum(C for _, C in pairs))
        most = _percent(max(ratios), 1)
        yield "utilisation", f"{_percent(overall, 1)} overall, {most} at most"


def _percent(share: Fraction, decimals: int) -> str:
    """A share in per cent; one that no float holds by its power of ten."""
    percent = 100 * share
    if percent < _IN_FULL:
        return f"{float(percent):,.{decimals}f}%"
    return f"{Decimal(percent.numerator) / Decimal(percent.denominator):.2e}%"


def number(value: Number | None, *, down: bool = False) -> str:
    """A cost as a person writes it: an integer in full, else with at most six decimals.

    With `down` what does not fit is cut off, so that a bound stays one; otherwise it is rounded.

    >>> number(2**64), number(162.89599999999976), number(162.89599999999976, down=True)
    ('18,446,744,073,709,551,616', '162.896', '162.895999')
    """
    if value is None or isinstance(value, int) or not math.isfinite(value):
        return "unknown" if value is None else f"{value:,}"
    exact = Decimal(repr(value))
    rounding = ROUND_FLOOR if down else ROUND_HALF_EVEN
    if exact and exact.adjusted() < -_DECIMALS:
        return str(Context(prec=_DECIMALS, rounding=rounding).plus(exact).normalize())
    shortened = exact.quantize(Decimal(1).scaleb(-_DECIMALS), rounding, Context(prec=400))
    return f"{shortened:,f}".rstrip("0").rstrip(".")


def _gap(gap: float | None) -> str:
    if gap is None:
        return "unknown"
    return "< 0.001%" if 0 < gap < 1e-5 else f"{gap:.3%}"
