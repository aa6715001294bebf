"""Readers of public formats: each turns a list of files into an instance."""

from collections.abc import Callable, Sequence
from pathlib import Path

from solver.model.instance import Instance

from .kubernetes import convert_kubernetes, read_kubernetes
from .openb import read_openb
from .slurm import convert_slurm, read_slurm
from .table import read_table_files

__all__ = [
    "READERS",
    "convert_kubernetes",
    "convert_slurm",
    "read_kubernetes",
    "read_openb",
    "read_slurm",
    "read_table_files",
]

READERS: dict[str, Callable[[Sequence[Path]], Instance]] = {
    "kubernetes": read_kubernetes,
    "openb": read_openb,
    "slurm": read_slurm,
    "table": read_table_files,
}
"""From the name of a format to its reader."""
