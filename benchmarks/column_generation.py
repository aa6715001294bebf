"""The bounds on classes of the openb trace, linear and by column generation.

    python -m benchmarks.column_generation FOLDER [--time-limit 60]

Proofs with few tasks a node are in the suites `grid_10`, `grid_20`, `grid_50` and `triplets`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from instances.readers.openb import read_openb
from solver import lower_bound

from .local_search import NODES, TRACES

LARGEST_POD = "openb-pod-1639"  # in gpuspec33; no node of the model it names can hold it


def without(pods: Path, name: str, place: Path) -> Path:
    """A copy of a pod list without one of its pods."""
    lines = pods.read_text(encoding="utf-8").splitlines(keepends=True)
    path = place / f"{pods.stem}_without_{name}.csv"
    path.write_text("".join(line for line in lines if not line.startswith(f"{name},")))
    return path


def trace(console: Console, given: argparse.Namespace) -> None:
    """Both bounds, each with the limit."""
    table = Table("pods", "linear", "seconds", "column generation", "seconds", title="openb")
    lists = [given.folder / f"openb_pod_list_{name}.csv" for name in TRACES]
    with tempfile.TemporaryDirectory() as place:
        lists.append(without(lists[1], LARGEST_POD, Path(place)))
        for pods in lists:
            row = [pods.stem]
            for method in ("linear", "column-generation"):
                begun = time.perf_counter()
                instance = read_openb((given.folder / NODES, pods))
                bound = lower_bound(instance, method, time_limit=given.time_limit)
                row += [f"{bound:,}" if bound is not None else "infeasible",
                        f"{time.perf_counter() - begun:.1f}"]  # fmt: skip
            table.add_row(*row)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--time-limit", type=float, default=60)
    trace(Console(width=200), parser.parse_args())


if __name__ == "__main__":
    main()
