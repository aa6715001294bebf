"""What column generation is held to: few tasks a node, tight storage, everything different.

    python -m benchmarks.few_per_node [--nodes 10 20 50] [--seeds 3] [--time-limit 60]
        [--sample N] [--rivals]

Every combination of three to five tasks a node, load 0.95, 1.0 and 1.1, storage 0.8 and 0.95,
equal and three types of nodes is solved by `auto`, and with --rivals by the textbook model in
CP-SAT, HiGHS and CBC with the same limit and workers; every run is a process of its own.
--sample takes N of the combinations at random.
"""

from __future__ import annotations

import argparse
import itertools
import random
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.against_textbook import NODEWISE, WORKERS, run

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, nargs="+", default=[10, 20, 50])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--time-limit", type=float, default=60)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--rivals", action="store_true")
    given = parser.parse_args()
    console = Console(width=200)
    for nodes in given.nodes:
        chosen = specs([nodes], given.seeds)
        if given.sample is not None:
            chosen = random.Random(nodes).sample(chosen, min(given.sample, len(chosen)))
        answers: dict[str, list[dict[str, Any]]] = {"auto": []}
        for spec in chosen:
            limit = str(given.time_limit)
            answers["auto"].append(run("-c", NODEWISE, spec, "auto", limit, str(WORKERS)))
            for name in RIVALS if given.rivals else ():
                answers.setdefault(name, []).append(run_rival(name, spec, limit))
            console.print(spec, *(f"{name}: {describe(found[-1])}" for name, found in
                                  answers.items()), sep="; ")  # fmt: skip
        console.print(summary(f"{nodes} nodes, {given.time_limit:g} s", answers))


if __name__ == "__main__":
    main()
