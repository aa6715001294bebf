"""Re-planning the openb trace: what it saves within so many moves, proved, and in which order.

    python -m benchmarks.rebalancing NODES.csv PODS.csv [--changed 0.05] [--seed 0]
                                     [--caps 0,5,20,100,400,none] [--time-limit 30] [--workers 2]

The pods run where an optimal allocation has them; then the demands of some change, each by a
factor between a half and three halves. Every cap begins from what the one before has found, so that
the savings never fall.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from instances.readers import read_openb
from solver import Instance, Result, check_plan, close_engines, rebalance, solve

CAPS = (0, 5, 20, 100, 400, None)


def drifted(instance: Instance, share: float, seed: int, **options: Any) -> Instance:
    """The instance, its tasks where an allocation of least cost has them, with other demands."""
    now = solve(instance, **options).allocation
    assert now is not None
    rng = np.random.default_rng(seed)
    demand = instance.task_compute.copy()
    picked = rng.choice(demand.size, round(share * demand.size), replace=False)
    demand[picked] = np.rint(demand[picked] * rng.uniform(0.5, 1.5, picked.size)).astype(np.int64)
    return instance.replace(task_compute=demand, current=now.node_index)


def savings(
    instance: Instance, caps: Sequence[int | None], **options: Any
) -> Iterator[tuple[int | None, Result, float]]:
    """Of each cap on moves, which ascend, the result and the seconds it took."""
    best = None
    for cap in caps:
        begun = time.perf_counter()
        result = rebalance(instance, max_moves=cap, initial=best, **options)
        yield cap, result, time.perf_counter() - begun
        best = result.allocation or best


def main() -> None:
    """Print a row a cap."""
    parser = argparse.ArgumentParser(prog="benchmarks.rebalancing")
    parser.add_argument("files", nargs=2, type=Path, metavar="CSV")
    parser.add_argument("--changed", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--caps", default=",".join("none" if c is None else str(c) for c in CAPS))
    parser.add_argument("--time-limit", type=float, default=30.0)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    given = parser.parse_args()
    options = {"num_workers": given.workers, "time_limit": given.time_limit}
    instance = drifted(read_openb(given.files), given.changed, given.seed, **options)
    caps = [None if cap == "none" else int(cap) for cap in given.caps.split(",")]
    table = Table()
    for name in ("moves at most", "moves", "waves", "saving", "could save", "gap", "status", "s"):
        table.add_column(name, justify="right")
    for cap, result, seconds in savings(instance, caps, **options):
        assert result.allocation is not None
        assert result.plan is not None
        assert not check_plan(result.instance, result.allocation, result.plan)
        table.add_row(
            "any" if cap is None else f"{cap:,}",
            f"{result.moves:,}",
            f"{len(result.plan.waves):,}",
            f"{result.saving:,}",
            f"{result.saving_bound:,}",
            f"{result.gap:.4%}",
            result.status.value,
            f"{seconds:.1f}",
        )
    close_engines()
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
