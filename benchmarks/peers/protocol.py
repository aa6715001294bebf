"""How a method is run: one process a run, a file in, a file out.

    PYTHON -m benchmarks.peers.PEER INSTANCE.json --method NAME --time-limit 30 --seed 0 --workers 2
        -o ANSWER.json [--watched]

The instance is in nodewise's JSON form, so that a peer may live in an environment of its own and
share no code with nodewise: this module needs the standard library alone. A peer that cannot
express an instance ends with `Unsupported`. A peer is trusted with nothing: its allocation is
checked and its cost computed anew from outside.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["UNSUPPORTED_EXIT", "Answer", "Job", "Unsupported", "serve", "version_of"]

UNSUPPORTED_EXIT = 64


class Unsupported(Exception):
    """The method cannot express this instance; the message says which feature."""


@dataclass(frozen=True)
class Job:
    """What is to be solved, and how. `begun` is `time.perf_counter()` after the imports."""

    path: Path
    method: str
    time_limit: float
    seed: int
    workers: int
    begun: float

    def instance(self) -> dict[str, Any]:
        """The instance as plain JSON data."""
        data: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return data

    def elapsed(self) -> float:
        """Seconds since the peer had loaded its libraries."""
        return time.perf_counter() - self.begun

    def left(self) -> float:
        """Seconds until the time limit, 0 if it has passed."""
        return max(0.0, self.time_limit - self.elapsed())


@dataclass
class Answer:
    """What a method says. Costs and bounds are in the unit of the instance.

    Attributes
    ----------
    status : str
        "optimal", "feasible", "infeasible" or "unknown".
    termination : str
        Why it stopped, in the solver's own words.
    allocation : dict of task id to node id, or to its nodes and variant, or None
    cost, bound : number or None
        As the solver itself reports them.
    build_seconds, solve_seconds : float
    history : list of (seconds, cost, bound)
    versions : dict of str to str
    """

    status: str = "unknown"
    termination: str = ""
    allocation: dict[str, Any] | None = None
    cost: float | None = None
    bound: float | None = None
    build_seconds: float = 0.0
    solve_seconds: float = 0.0
    history: list[tuple[float, float | None, float | None]] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)


def serve(solve: Callable[[Job], Answer]) -> None:
    """Read the command line, solve, write the answer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("instance", type=Path)
    parser.add_argument("--method", required=True)
    parser.add_argument("--time-limit", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--watched", action="store_true", help="end when standard input closes")
    given = parser.parse_args()
    if given.watched:
        threading.Thread(target=_die_with_parent, daemon=True).start()
    job = Job(
        path=given.instance,
        method=given.method,
        time_limit=given.time_limit,
        seed=given.seed,
        workers=given.workers,
        begun=time.perf_counter(),
    )
    try:
        answer = solve(job)
    except Unsupported as reason:
        print(reason, file=sys.stderr)
        sys.exit(UNSUPPORTED_EXIT)
    given.output.write_text(json.dumps(asdict(answer)), encoding="utf-8")


def _die_with_parent() -> None:
    """Wait for the end of standard input, then end this process group."""
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


def version_of(package: str) -> str:
    """The version of an installed package."""
    return importlib.metadata.version(package)
