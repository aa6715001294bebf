"""The verb that gives tasks the figures that they turned out to use."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from ...errors import OptionError
from ...files.instance import write_instance
from ...files.usage.reading import read_usage
from ...system import signals
from ...system.scratch import is_stream
from ...usage.adjusting import with_usage
from ...usage.options import DEFAULTS
from ...usage.report import dump_report
from ..display import describe, say
from ..outputs import Output
from ..shared import BAD_INPUT, InstanceArgument, OutputInstance, Stop, write_all
from ..sources import instance_of, require_instance_place, require_places
from .options import (
    Digits,
    Fields,
    Floors,
    Margins,
    MinSamples,
    Multiples,
    Percentiles,
    Several,
    Step,
    TaskRule,
    TimeColumn,
    UsageFiles,
    Window,
    usage_options,
)

__all__ = ["usage_command"]


def usage_command(
    instance: InstanceArgument,
    usage: UsageFiles,
    output: OutputInstance = None,
    report_file: Annotated[
        str | None,
        typer.Option("--report", metavar="FILE", help="Old and new figures to write, CSV."),
    ] = None,
    fields: Fields = None,
    task: TaskRule = None,
    time: TimeColumn = None,
    percentile: Percentiles = None,
    margin: Margins = None,
    floor: Floors = None,
    min_samples: MinSamples = DEFAULTS["min_samples"],
    several: Several = DEFAULTS["several"],
    step: Step = None,
    window: Window = None,
    digits: Digits = None,
    multiple: Multiples = None,
) -> None:
    """Give tasks the figures that they turned out to use.

    Each figure becomes the percentile of its samples and a margin; what has too few samples stays
    as it is. For example:
    nodewise usage cluster.json usage.csv -o adjusted.json
    """
    if output is None:
        raise OptionError("name the instance to write: -o FILE")
    inputs = [instance, *map(str, usage)]
    require_instance_place("--output", output, inputs)
    require_places([("--report", report_file)], inputs)
    reading, options = usage_options(
        fields,
        task,
        time,
        percentile,
        margin,
        floor,
        min_samples,
        several,
        step,
        window,
        digits,
        multiple,
    )
    adjusted, report = with_usage(instance_of(instance), read_usage(usage, **reading), **options)
    for line in report.lines():
        say(line)
    if not is_stream(output):
        signals.hold()  # the files of a folder are replaced together
    write_instance(adjusted, output)
    say(f"written {output} ({describe(adjusted)})")
    if report_file is not None and not write_all(
        [Output("--report", report_file, partial(dump_report, report))]
    ):
        raise Stop(BAD_INPUT)
