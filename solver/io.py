"""Reading and writing instances, allocations and results.

An instance is one JSON file, or a folder or zip with `nodes.csv`, `tasks.csv` and, for its
name, max_load and power_off, `instance.json`. Every file is written whole or not at all.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from .cost import node_costs
from .csv_io import instance_of_tables, node_table, task_table
from .csv_table import read_table
from .errors import AllocationError, InstanceError
from .files import atomic_path, atomic_text, write_csv
from .json_io import (
    instance_lines,
    load_object,
    parse_instance,
    settings_of,
    settings_to_write,
    tidy,
)
from .model import Instance
from .result import Allocation, Result
from .source_text import did_you_mean, read_bytes

__all__ = [
    "read_allocation",
    "read_instance",
    "result_to_json",
    "write_allocation",
    "write_instance",
    "write_loads",
    "write_result",
]

StrPath = str | os.PathLike[str]

_RESULT_SCHEMA = "nodewise-result/1"
_NODES, _TASKS, _SETTINGS = "nodes.csv", "tasks.csv", "instance.json"
_FORMS = "an instance is a .json file, or a folder or .zip with nodes.csv and tasks.csv"


def read_instance(path: StrPath) -> Instance:
    """Read an instance from a JSON file, or from a folder or zip of CSV files.

    Parameters
    ----------
    path : str or path
        The files of a zip may stand in one folder inside it.

    Raises
    ------
    InstanceError
        If a file is missing, cannot be read or breaks a rule; the message names the file and
        the record or line.
    """
    source = Path(path)
    if source.is_dir():
        return _read_folder(source)
    data = read_bytes(source, InstanceError)
    if data.startswith(b"PK\x03\x04") or source.suffix.lower() == ".zip":
        return _read_zip(source, data)
    if source.suffix.lower() == ".csv":
        raise InstanceError(f"{source}: this is one table; {_FORMS}")
    return parse_instance(data, str(source))


def _read_folder(folder: Path) -> Instance:
    members = {
        name: (folder / name).read_bytes
        for name in (_NODES, _TASKS, _SETTINGS)
        if (folder / name).exists()
    }
    ...
