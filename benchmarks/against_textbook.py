"""nodewise's cp-sat and auto against the textbook model in CP-SAT, in one run.

    python -m benchmarks.against_textbook [SPEC] [SEEDS] [TIME_LIMIT]

For every seed each method runs in a fresh process, in turn. nodewise's time is that of the
whole `solve` call, the start of its solver process included; the textbook's excludes the
import of OR-Tools. Prints the ratios and their median.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

WORKERS = 2
NODEWISE = """
import json, sys
from instances import from_spec
from solver import solve
spec, method, limit, workers = sys.argv[1:]
result = solve(from_spec(spec), method, time_limit=float(limit), num_workers=int(workers))
print(json.dumps({"status": result.status.value, "cost": result.cost, "bound": result.bound,
                  "seconds": result.seconds}))
"""


def run(*command: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, *command], check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])  # HiGHS prints a banner
    return answer


def main(
    spec: str = "uniform:nodes=10,tasks=50,load=1.1", seeds: int = 10, limit: float = 60
) -> None:
    console = Console(width=110)
    table = Table("seed", "textbook", "cp-sat", "auto", "ratio cp-sat", "ratio auto", title=spec)
    ratios: dict[str, list[float]] = {"cp-sat": [], "auto": []}
    for seed in range(seeds):
        named = f"{spec},seed={seed}"
        plain = run("-m", "benchmarks.textbook", named, str(limit), str(WORKERS))
        row = [str(seed), _cell(plain)]
        for method, found in ratios.items():
            answer = run("-c", NODEWISE, named, method, str(limit), str(WORKERS))
            found.append(answer["seconds"] / plain["seconds"])
            row.append(_cell(answer))
        table.add_row(*row, *(f"{found[-1]:.3f}" for found in ratios.values()))
    console.print(table)
    for method, found in ratios.items():
        console.print(f"median of {method} / textbook: {statistics.median(found):.3f}")


def _cell(answer: dict[str, Any]) -> str:
    return f"{answer['status']} {answer['cost']:,} in {answer['seconds']:.2f} s"


if __name__ == "__main__":
    given = sys.argv[1:]
    kinds = (str, int, float)
    main(*(kind(value) for kind, value in zip(kinds, given, strict=False)))
