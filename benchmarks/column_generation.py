"""What column generation is held to.

    python -m benchmarks.column_generation grid [--nodes 10 20 50] [--seeds 3] [--time-limit 60]
        [--sample N] [--rivals]
    python -m benchmarks.column_generation triplets [--nodes 20 30 40] [--seeds 3]
        [--time-limit 60]
    python -m benchmarks.column_generation trace FOLDER [--time-limit 60]

grid: few tasks a node, tight storage. Every combination of three to five tasks a node, load 0.95,
1.0 and 1.1, storage 0.8 and 0.95, equal and three types of nodes is solved by `auto`, and with
--rivals by the textbook model in CP-SAT, HiGHS and CBC with the same limit and workers; every run
is a process of its own. --sample takes N of the combinations at random.

triplets: bin packing where three tasks fill a node exactly, so that an allocation without
overload exists and has to be found.

trace: the bounds, linear and by column generation, on the openb trace in FOLDER.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.against_textbook import NODEWISE, WORKERS, run
from benchmarks.local_search import NODES, TRACES
from instances.readers.openb import read_openb
from solver import lower_bound

LARGEST_POD = "openb-pod-1639"  # in gpuspec33; no node of the model it names can hold it
RIVALS = ("CP-SAT", "HiGHS", "CBC")


def specs(nodes: list[int], seeds: int) -> list[str]:
    """All combinations as specs of instances."""
    rest = itertools.product((3, 4, 5), (0.95, 1.0, 1.1), (0.8, 0.95), ("equal", "three"))
    return [
        f"few_per_node:nodes={n},tasks_per_node={per_node},load={load},storage={storage},"
        f"node_types={types},seed={seed}"
        for n, (per_node, load, storage, types), seed in itertools.product(
            nodes, rest, range(seeds)
        )
    ]


def run_rival(name: str, spec: str, limit: str) -> dict[str, Any]:
    """The textbook model in one of the solvers."""
    if name == "CP-SAT":
        return run("-m", "benchmarks.textbook", spec, limit, str(WORKERS))
    return run("-m", "benchmarks.textbook_mip", spec, limit, str(WORKERS), name)


def gap(answer: dict[str, Any]) -> float:
    """(cost - bound) / cost; 1 where nothing was found."""
    if answer["cost"] is None or answer["bound"] is None:
        return 1.0
    return 1 - float(answer["bound"]) / float(answer["cost"])


def describe(answer: dict[str, Any]) -> str:
    """One run in a few words."""
    return f"{answer['status']}, {100 * gap(answer):.4f} %, {answer['seconds']:.1f} s"


def summary(title: str, answers: dict[str, list[dict[str, Any]]]) -> Table:
    """One row a method and number of nodes."""
    table = Table("method", "instances", "proved", "mean gap", "worst gap", title=title)
    for name, found in answers.items():
        gaps = [gap(answer) for answer in found]
        proved = sum(answer["status"] == "optimal" for answer in found)
        table.add_row(name, str(len(found)), str(proved), f"{100 * sum(gaps) / len(gaps):.4f} %",
                      f"{100 * max(gaps):.4f} %")  # fmt: skip
    return table


def grid(console: Console, given: argparse.Namespace) -> None:
    """All combinations, or a sample of them."""
    for nodes in given.nodes:
        chosen = specs([nodes], given.seeds)
        if given.sample is not None:
            chosen = random.Random(nodes).sample(chosen, min(given.sample, len(chosen)))
        compare(console, f"{nodes} nodes", chosen, given.time_limit, rivals=given.rivals)


def triplets(console: Console, given: argparse.Namespace) -> None:
    """Bin packing with nothing to spare."""
    for nodes in given.nodes:
        chosen = [f"triplets:nodes={nodes},seed={seed}" for seed in range(given.seeds)]
        compare(console, f"triplets, {3 * nodes} tasks", chosen, given.time_limit)


def compare(
    console: Console, title: str, chosen: list[str], time_limit: float, *, rivals: bool = False
) -> None:
    """Solve each by all, in turn."""
    answers: dict[str, list[dict[str, Any]]] = {"auto": []}
    limit = str(time_limit)
    for spec in chosen:
        answers["auto"].append(run("-c", NODEWISE, spec, "auto", limit, str(WORKERS)))
        for name in RIVALS if rivals else ():
            answers.setdefault(name, []).append(run_rival(name, spec, limit))
        said = (f"{name}: {describe(found[-1])}" for name, found in answers.items())
        console.print(spec, *said, sep="; ")
    console.print(summary(f"{title}, {time_limit:g} s", answers))


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
    choice = parser.add_subparsers(dest="what", required=True)
    for part, nodes in ((grid, [10, 20, 50]), (triplets, [20, 30, 40]), (trace, [])):
        options = choice.add_parser(part.__name__)
        options.set_defaults(part=part)
        options.add_argument("--time-limit", type=float, default=60)
        if nodes:
            options.add_argument("--nodes", type=int, nargs="+", default=nodes)
            options.add_argument("--seeds", type=int, default=3)
        else:
            options.add_argument("folder", type=Path)
    choice.choices["grid"].add_argument("--sample", type=int)
    choice.choices["grid"].add_argument("--rivals", action="store_true")
    given = parser.parse_args()
    given.part(Console(width=200), given)


if __name__ == "__main__":
    main()
