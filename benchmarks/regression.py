"""Is it as fast as it was? Two checkouts on the same instances, in turn, in one run.

    python -m benchmarks.regression BEFORE AFTER --data FOLDER [--runs 5] [--cases few_20,few_50]

BEFORE and AFTER are folders with a checkout each (`git worktree add BEFORE COMMIT` makes one). The
instances are made once, by BEFORE. Every run is a process of its own that reads the file and solves
it up to a proof or the gap stated; compiled code is made ready first. The order is before, after,
after, before, ..., so that neither gains where the machine slows down. Medians, and their ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

_NODES = "openb_node_list_gpu_node.csv"
_RUN = """
import json, resource, sys, time
from solver import read_instance, solve
path, limit, gap, workers = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
begun = time.perf_counter()
instance = read_instance(path)
read = time.perf_counter() - begun
result = solve(instance, time_limit=limit, rel_gap=gap, num_workers=workers)
print(json.dumps({
    "read": read,
    "solve": time.perf_counter() - begun - read,
    "status": result.status.value,
    "termination": result.termination.value,
    "cost": float(result.cost or 0),
    "bound": float(result.bound or 0),
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
}))
"""


@dataclass(frozen=True)
class Case:
    """An instance: a spec, or a list of pods of the openb trace; and when a run may stop."""

    spec: str = ""
    pods: str = ""
    gap: float = 0.0
    limit: float = 60.0
    suffix: str = "json"


CASES = {
    "openb": Case(pods="default"),
    "multigpu20": Case(pods="multigpu20", gap=1e-5),
    "few_20": Case("few_per_node:nodes=20"),
    "few_50": Case("few_per_node:nodes=50"),
    "million": Case(
        "uniform:nodes=10000,tasks=1000000,node_types=all,storage=0.9", suffix="zip", limit=120
    ),
}
"""What is timed, by name."""


def nodewise(tree: Path, *arguments: str) -> None:
    """A command of one of the checkouts."""
    subprocess.run(
        [sys.executable, "-m", "solver", *arguments],
        cwd=tree, env=_environment(tree), check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def make(case: Case, tree: Path, folder: Path, data: Path | None) -> Path:
    """The file of an instance, written by the checkout before."""
    path = folder / f"instance.{case.suffix}"
    if case.pods:
        if data is None:
            raise SystemExit(
                "name the folder of the openb trace with --data, or leave out its cases"
            )
        pods = data.resolve() / f"openb_pod_list_{case.pods}.csv"
        nodes = data.resolve() / _NODES
        nodewise(tree, "convert", "openb", str(nodes), str(pods), "-o", str(path))
    else:
        nodewise(tree, "generate", case.spec, "-o", str(path))
    return path


def one_run(case: Case, tree: Path, path: Path, workers: int) -> dict[str, Any]:
    """What a run of a checkout says."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(path), str(case.limit), str(case.gap), str(workers)],
        cwd=tree, env=_environment(tree), check=True, text=True, capture_output=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(
    case: Case, trees: tuple[Path, Path], path: Path, runs: int, workers: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The runs of both, in turn."""
    found: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for number in range(runs):
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            found[which].append(one_run(case, trees[which], path, workers))
    return found


def row(name: str, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    """A line of the table: medians of both, the ratio of the solve times, and of the worst costs.

    >>> runs = [{"solve": 2.0, "read": 1.0, "peak": 0.1, "cost": 5, "status": "optimal"}]
    >>> row("x", runs, [{**runs[0], "solve": 3.0}])[:5]
    ['x', '2.00', '3.00', '1.50', '1.00']
    """
    cells = [name]  # of the times of reading, no ratio: they are short
    for key in ("solve", "read"):
        medians = [statistics.median(one[key] for one in runs) for runs in (before, after)]
        ratio = medians[1] / medians[0] if medians[0] else float("nan")
        cells += [f"{medians[0]:.2f}", f"{medians[1]:.2f}", f"{ratio:.2f}"][
            : 3 if key == "solve" else 2
        ]
    cells += [f"{max(one['peak'] for one in runs):.2f}" for runs in (before, after)]
    costs = [max(one["cost"] for one in runs) for runs in (before, after)]
    cells.append(f"{costs[1] / costs[0]:.6f}" if costs[0] else "")
    states = [sorted({one["status"] for one in runs}) for runs in (before, after)]
    return [*cells, " -> ".join(dict.fromkeys("/".join(one) for one in states))]


def _environment(tree: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(tree)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--data", type=Path, help="folder with the openb trace")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cases", default=",".join(CASES), help="by comma")
    given = parser.parse_args()
    names = given.cases.split(",")
    if unknown := set(names) - set(CASES):
        parser.error(f"no case {sorted(unknown)[0]!r}; known: {', '.join(CASES)}")
    trees = given.before.resolve(), given.after.resolve()
    for tree in trees:
        nodewise(tree, "warm-up")
    table = Table("case", "before s", "after s", "ratio", "read before s", "read after s",
                  "GiB before", "GiB after", "cost ratio", "status",
                  title=f"medians of {given.runs} runs, solve times")  # fmt: skip
    console = Console(width=150)
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            path = make(CASES[name], trees[0], Path(folder), given.data)
            before, after = compare(CASES[name], trees, path, given.runs, given.workers)
        cells = row(name, before, after)
        console.print(" ".join(cells), style="dim")
        table.add_row(*cells)
    console.print(table)


if __name__ == "__main__":
    main()
