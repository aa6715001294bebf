"""nodewise against Meta's Rebalancer: who is where after how many seconds.

    python -m benchmarks.against_rebalancer --python REBALANCER_ENVIRONMENT/bin/python
        [--cases small large SPEC ...] [--time-limit 30] [--method local-search] [-o FILE.csv]

Rebalancer runs first (see `rebalancer_peer`), in its own environment and process. Its allocation
is checked and its cost computed here. nodewise then solves the same file with the same time limit,
in a fresh process each time: once with an empty cache of compiled code ("cold"), and with a cache
that all cases share, after a tiny instance has loaded the compiled code ("warm"). Its time is
that after which its cost was no higher than Rebalancer's last one, from the start of `solve`. The
ratio divides
Rebalancer's seconds *to its own best allocation* by nodewise's warm time: what Rebalancer spends
after that, up to the limit, is not held against it. The ratio is 0 where nodewise never got there.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
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

from instances import from_spec
from solver.files.instance import write_instance
from solver.judge.check import check
from solver.judge.cost import cost_of
from solver.model.instance import Instance
from solver.model.result import relative_gap

ROOT = Path(__file__).parents[1]
PEER = "benchmarks.peers.rebalancer_peer"
CASES = {
    "small": [
        "uniform:nodes=50,tasks=250,load=1.0,storage=0.95,seed=1",
        "uniform:nodes=100,tasks=1000,load=1.0,storage=0,seed=1",
        "uniform:nodes=100,tasks=1000,load=1.0,storage=0.97,seed=1",
        "uniform:nodes=100,tasks=1000,load=1.1,storage=0.95,node_types=three,seed=1",
        "uniform:nodes=400,tasks=1000,load=1.0,storage=0,seed=1",
    ],
    "large": [
        "uniform:nodes=300,tasks=3000,load=1.0,storage=0.95,seed=1",
        "uniform:nodes=500,tasks=5000,load=1.0,storage=0,seed=1",
        "uniform:nodes=1000,tasks=10000,load=1.0,storage=0.95,seed=1",
    ],
}
NODEWISE = """
import json, sys
from solver import read_instance, solve
path, method, limit, seed, loaded = sys.argv[1:]
if loaded == "loaded":
    from instances import from_spec
    solve(from_spec("few_per_node:nodes=9"), "local-search", time_limit=2)
result = solve(read_instance(path), method, time_limit=float(limit), seed=int(seed))
print(json.dumps({"cost": result.cost, "bound": result.bound, "seconds": result.seconds,
                  "status": result.status.value,
                  "history": [(point.seconds, point.cost) for point in result.history]}))
"""


@dataclass(frozen=True)
class Comparison:
    """One case; costs in the instance's own unit, None where there is none."""

    case: str
    peer_cost: float | None
    peer_seconds_to_best: float | None
    peer_seconds: float | None
    peer_version: str
    peer_failure: str
    warm_seconds: float | None
    cold_seconds: float | None
    ratio: float | None
    cost: float | None
    seconds: float
    bound: float | None
    status: str
    peer_gap: float | None
    gap: float | None


def compare(spec: str, cache: Path, given: argparse.Namespace) -> Comparison:
    instance = from_spec(spec)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "instance.json"
        write_instance(instance, path)
        answer, failure = peer(path, given)
        peer_cost = None
        if answer is not None:
            failure = broken_rules(instance, answer["allocation"])
            peer_cost = None if failure else cost_of(instance, answer["allocation"])
        cold = nodewise(path, Path(folder) / "compiled", given, "empty")
        warm = nodewise_warm(path, cache, given)
    seconds_to_best = None
    if peer_cost is not None and answer is not None:
        seconds_to_best = answer["history"][-1][0] - answer["build_seconds"]
    warm_seconds = reached(warm["history"], peer_cost)
    ratio = None
    if seconds_to_best is not None:
        ratio = 0.0 if warm_seconds is None else seconds_to_best / max(warm_seconds, 1e-6)
    return Comparison(
        case=spec,
        peer_cost=peer_cost,
        peer_seconds_to_best=seconds_to_best,
        peer_seconds=None if answer is None else answer["solve_seconds"],
        peer_version="" if answer is None else answer["versions"]["rebalancer"],
        peer_failure=failure,
        warm_seconds=warm_seconds,
        cold_seconds=reached(cold["history"], peer_cost),
        ratio=ratio,
        cost=warm["cost"],
        seconds=warm["seconds"],
        bound=warm["bound"],
        status=warm["status"],
        peer_gap=relative_gap(peer_cost, warm["bound"]),
        gap=relative_gap(warm["cost"], warm["bound"]),
    )


def peer(path: Path, given: argparse.Namespace) -> tuple[dict[str, Any] | None, str]:
    """Rebalancer's answer, or why there is none."""
    output = path.with_name("allocation.json")
    command = [given.python, "-m", PEER, path, "--time-limit", given.time_limit, "-o", output]
    command += ["--method", "rebalancer", "--seed", given.seed]
    wall = 2 * given.time_limit
    try:
        done = subprocess.run(
            [*map(str, command)], cwd=ROOT, capture_output=True, text=True, timeout=wall
        )
    except subprocess.TimeoutExpired:
        return None, f"killed after {wall:g} s"
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return None, lines[-1]
    answer: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return answer, ""


def broken_rules(instance: Instance, allocation: dict[str, str]) -> str:
    violations = check(instance, allocation)
    return f"{len(violations)} violations: {violations[0]}" if violations else ""


def nodewise(path: Path, cache: Path, given: argparse.Namespace, how: str) -> dict[str, Any]:
    command = [sys.executable, "-c", NODEWISE, path, given.method, given.time_limit, given.seed]
    command.append(how)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [*map(str, command)], check=True, stdout=subprocess.PIPE, text=True, env=environment
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def nodewise_warm(path: Path, cache: Path, given: argparse.Namespace) -> dict[str, Any]:
    """A run that finds everything compiled: compiling can outlast a time limit."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    subprocess.run([sys.executable, "-m", "solver", "warm-up"], check=True, env=environment)
    return nodewise(path, cache, given, "loaded")


def reached(history: list[tuple[float, float | None]], cost: float | None) -> float | None:
    """Seconds until the cost was at most this, None if it never was."""
    if cost is None:
        return None
    points = (seconds for seconds, found in history if found is not None and found <= cost)
    return next(points, None)


def main() -> None:
    given = parse()
    console = Console(width=150)
    limit = f"{given.time_limit:g} s"
    table = Table(
        "case",
        *("Rebalancer", "gap", "seconds to it"),
        *(f"{given.method} warm", "cold", "ratio"),
        *(f"cost after {limit}", "gap", "bound"),
        title=f"Rebalancer and nodewise {given.method}, {limit} each",
    )
    for column in table.columns[1:]:
        column.justify = "right"
    specs = [spec for case in given.cases for spec in CASES.get(case, [case])]
    found = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cache:
        for spec in specs:
            found.append(compare(spec, Path(cache), given))
            table.add_row(*cells(found[-1]))
            console.print(f"{spec}: done")
    console.print(table)
    ratios = [one.ratio for one in found if one.ratio is not None]
    if ratios:
        count = f"{len(ratios)} of {len(found)} cases"
        console.print(f"median ratio {statistics.median(ratios):.2f} over {count}")
    if given.output is not None:
        write_csv(given.output, found)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--python", required=True, help="of an environment with `rebalancer`")
    parser.add_argument("--time-limit", type=float, default=30.0, help="seconds for each solver")
    parser.add_argument(
        "--cases", nargs="+", default=list(CASES), help="small, large or specs of instances"
    )
    parser.add_argument("--method", default="local-search", help="of nodewise")
    parser.add_argument("--seed", type=int, default=0, help="of both solvers")
    parser.add_argument("-o", "--output", type=Path, help="CSV file for the figures")
    return parser.parse_args()


def cells(one: Comparison) -> list[str]:
    return [
        one.case.replace("uniform:", "").replace(",", " "),
        one.peer_failure or _number(one.peer_cost),
        _percent(one.peer_gap),
        _seconds(one.peer_seconds_to_best),
        *(_reached(seconds, one.peer_cost) for seconds in (one.warm_seconds, one.cold_seconds)),
        "-" if one.ratio is None else f"{one.ratio:,.1f}",
        _number(one.cost),
        _percent(one.gap),
        _number(one.bound),
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _reached(seconds: float | None, cost: float | None) -> str:
    return "never" if seconds is None and cost is not None else _seconds(seconds)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.4f} %"


def write_csv(path: Path, found: list[Comparison]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        names = [field.name for field in dataclasses.fields(Comparison)]
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(dataclasses.asdict(one) for one in found)


if __name__ == "__main__":
    main()
