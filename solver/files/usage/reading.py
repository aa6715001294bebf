"""Reading usage from files, whichever of the formats each is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ...errors import UsageError
from ..instance import StrPath
from ..text import read_bytes
from .prometheus import parse_prometheus
from .samples import Usage
from .sources import TaskName, sources_of
from .table import parse_table

__all__ = ["joined", "read_usage"]


def read_usage(
    paths: StrPath | Sequence[StrPath],
    *,
    fields: Mapping[str, str] | Iterable[str] | None = None,
    task: str | None = None,
    time: str | None = None,
) -> Usage:
    """Read samples of what tasks use.

    Parameters
    ----------
    paths : path or sequence of paths
        CSV with a row a sample (`task_id,time,compute,storage,...`), or JSON as Prometheus
        answers queries.
    fields : mapping of field to column or metric, or sequence of "field=column", optional
        With a factor where units differ: "storage=DCGM_FI_DEV_FB_USED*1048576",
        "compute=gpu_util/100"; "file:column" where several files have a column of that name.
        Default: every column and metric is the field that it is called.
    task : str, optional
        The column or label that names the task, or several in braces: "{namespace}/{pod}".
        Default: the first that is there of task_id, task, exported_pod and pod.
    time : str, optional
        The column of a CSV file that has the times. Default: time or timestamp, if it is there.

    Raises
    ------
    UsageError
        If a file cannot be read; names the file, and the line or the series.
    OptionError
        If `fields` or `task` is not of its form.
    """
    sources, name = sources_of(fields), TaskName(task)
    listed = [paths] if isinstance(paths, (str, Path)) or not isinstance(paths, Sequence) else paths
    read = []
    for path in listed:
        data = read_bytes(Path(path), UsageError)
        where, stem = str(path), Path(path).stem
        if data.lstrip(_BLANKS)[:1] in (b"{", b"["):
            read.append(parse_prometheus(data, where, stem, sources, name))
        else:
            read.append(parse_table(data, where, stem, sources, name, time))
    return joined(read)


_BLANKS = b"\xef\xbb\xbf \t\r\n"


def joined(usages: Iterable[Usage]) -> Usage:
    """The samples of several files together."""
    listed = list(usages)
    return Usage(
        tuple(series for usage in listed for series in usage.series),
        {name: factor for usage in listed for name, factor in usage.factors.items()},
        sum((usage.dropped for usage in listed), Counter()),
        tuple(note for usage in listed for note in usage.notes),
    )
