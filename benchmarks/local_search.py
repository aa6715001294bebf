"""What the local search is held to: scale and the real trace, as whole commands.

    python -m benchmarks.local_search scale [--most 1000000]
    python -m benchmarks.local_search trace FOLDER [--time-limit 30]

`scale` measures whole commands, from a zip of CSV files to the written allocation: seconds,
peak memory of the process, gap, and how the time grows from size to size. `trace` solves the
three openb files of a folder. For comparisons with other methods see `benchmarks run`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from instances import from_spec
from solver import write_instance

SIZES = [(100, 10_000), (1_000, 100_000), (10_000, 1_000_000)]
NODES = "openb_node_list_gpu_node.csv"
TRACES = ["default", "gpuspec33", "multigpu20"]


def nodewise(*arguments: str) -> tuple[float, float]:
    """Seconds and peak GiB of a whole command."""
    begun = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    done = subprocess.run([sys.executable, "-m", "solver", *arguments], check=False, text=True,
                          capture_output=True)  # fmt: skip
    if done.returncode not in (0, 2):
        raise RuntimeError(f"nodewise {' '.join(arguments)}: {done.stderr}")
    peak = max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    return time.perf_counter() - begun, peak / 2**20


def scale(most: int) -> Table:
    """Whole commands on `uniform` instances, all nodes different, ten-fold from size to size."""
    table = Table("nodes", "tasks", "status", "gap", "solve s", "whole command s", "growth",
                  "peak GiB", title="uniform, node_types=all, load=1, storage=0.9")  # fmt: skip
    last = None
    for nodes, tasks in SIZES:
        if tasks > most:
            break
        with tempfile.TemporaryDirectory() as folder:
            path, answer = Path(folder) / "instance.zip", Path(folder) / "result.json"
            spec = f"uniform:nodes={nodes},tasks={tasks},node_types=all,storage=0.9"
            write_instance(from_spec(spec), path)
            seconds, peak = nodewise(
                "solve", str(path), "-o", f"{folder}/allocation.csv", "--json", str(answer)
            )
            result = json.loads(answer.read_text())
        growth = "" if last is None else f"{seconds / last:.2f}"
        last = seconds
        table.add_row(f"{nodes:,}", f"{tasks:,}", result["status"], f"{100 * result['gap']:.4f} %",
                      f"{result['seconds']:.2f}", f"{seconds:.2f}", growth,
                      f"{peak:.2f}")  # fmt: skip
    return table


def trace(folder: Path, limit: float) -> Table:
    """Whole commands on the files of the openb trace."""
    table = Table("file", "status", "cost", "bound", "gap", "whole command s", "why", title="openb")
    for name in TRACES:
        with tempfile.TemporaryDirectory() as place:
            path, answer = f"{place}/instance.json", Path(place) / "result.json"
            pods = f"openb_pod_list_{name}.csv"
            nodewise("convert", "openb", str(folder / NODES), str(folder / pods), "-o", path)
            seconds, _ = nodewise("solve", path, "-o", f"{place}/a.csv", "--json", str(answer),
                                  "--time-limit", str(limit))  # fmt: skip
            result = json.loads(answer.read_text())
        gap = "" if result["gap"] is None else f"{100 * result['gap']:.4f} %"
        table.add_row(name, result["status"], f"{result['cost'] or 0:,}",
                      f"{result['bound'] or 0:,}", gap, f"{seconds:.2f}",
                      (result["infeasible_because"] or "")[:60])  # fmt: skip
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    choice = parser.add_subparsers(dest="what", required=True)
    choice.add_parser("scale").add_argument("--most", type=int, default=1_000_000)
    traces = choice.add_parser("trace")
    traces.add_argument("folder", type=Path)
    traces.add_argument("--time-limit", type=float, default=30)
    given = parser.parse_args()
    console = Console(width=150)
    if given.what == "scale":
        console.print(scale(given.most))
    else:
        console.print(trace(given.folder, given.time_limit))


if __name__ == "__main__":
    main()
