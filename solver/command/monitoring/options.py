"""The options by which usage is read, and figures are made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...usage.options import by_field

__all__ = [
    "Digits",
    "Fields",
    "Floors",
    "Margins",
    "MinSamples",
    "Multiples",
    "Percentiles",
    "Several",
    "Step",
    "TaskRule",
    "TimeColumn",
    "UsageFiles",
    "Window",
    "usage_options",
]

UsageFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="USAGE...",
        help="CSV with a row a sample (task_id,time,compute,storage,...), or JSON as Prometheus "
        "answers queries.",
        show_default=False,
    ),
]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help="Which column or metric a field is, and a factor where units differ: "
        "storage=DCGM_FI_DEV_FB_USED*1048576; FILE:COLUMN for one of one file. May be repeated.",
    ),
]
TaskRule = Annotated[
    str | None,
    typer.Option(
        "--task", metavar="LABEL", help="What names the task, such as pod, or {namespace}/{pod}."
    ),
]
TimeColumn = Annotated[
    str | None, typer.Option("--time", metavar="COLUMN", help="The column of the times, in CSV.")
]
Percentiles = Annotated[
    list[str] | None,
    typer.Option(
        "--percentile",
        metavar="P",
        help="Of the samples, by nearest rank; 0.9 unless told. storage=1 for one field.",
    ),
]
Margins = Annotated[
    list[str] | None,
    typer.Option(
        "--margin", metavar="SHARE", help="On top of that; 15% unless told. Or FIELD=SHARE."
    ),
]
Floors = Annotated[
    list[str] | None,
    typer.Option(
        "--floor",
        metavar="NUMBER",
        help="The least figure: FIELD=NUMBER, or a share of the present one, 10% or FIELD=10%.",
    ),
]
MinSamples = Annotated[
    int, typer.Option("--min-samples", help="With fewer samples a figure stays as it is.")
]
Several = Annotated[
    str, typer.Option("--several", help="Series of one task at a time count as their sum or max.")
]
Step = Annotated[
    str | None,
    typer.Option("--step", metavar="SECONDS", help="Times so close together are one time."),
]
Window = Annotated[
    str | None,
    typer.Option("--window", metavar="SECONDS", help="Only samples so much older than the newest."),
]
Digits = Annotated[
    int | None,
    typer.Option("--digits", help="Significant digits that new figures are rounded up to."),
]
Multiples = Annotated[
    list[str] | None,
    typer.Option(
        "--multiple",
        metavar="NUMBER",
        help="New figures are rounded up to a multiple: compute=1 for whole GPUs.",
    ),
]


def usage_options(
    fields: list[str] | None,
    task: str | None,
    time: str | None,
    percentile: list[str] | None,
    margin: list[str] | None,
    floor: list[str] | None,
    min_samples: int,
    several: str,
    step: str | None,
    window: str | None,
    digits: int | None,
    multiple: list[str] | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of the command line as `read_usage` and `with_usage` take them."""
    reading = {"fields": fields or None, "task": task, "time": time}
    return reading, {
        "percentile": by_field("percentile", percentile or ()),
        "margin": by_field("margin", margin or ()),
        "floor": by_field("floor", floor) if floor else None,
        "min_samples": min_samples,
        "several": several,
        "step": step,
        "window": window,
        "digits": digits,
        "multiple": by_field("multiple", multiple) if multiple else None,
    }
