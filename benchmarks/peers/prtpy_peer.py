"""The library prtpy, which partitions numbers into bins of equal worth, and knows no more.

It has no storage and no cost of overload: it evens out the sums. LPT, MULTIFIT and Karmarkar-Karp
run first, then the complete greedy search (Korf 1995) for the time that is left; of all their
partitions the one that costs least is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import prtpy
from prtpy.partitioning import complete_greedy, greedy, karmarkar_karp, multifit

from .plain import Plain, plain
from .protocol import Answer, Job, Unsupported, serve, version_of


def solve(job: Job) -> Answer:
    """Run the library's algorithms in turn, and keep the cheapest partition."""
    data = plain(job.instance())
    _require_supported(data)
    built = job.elapsed()
    answer = Answer(build_seconds=built, versions={"prtpy": version_of("prtpy")})
    for found in _partitions(data, job):
        node_of = [0] * len(data.task_ids)
        for i, tasks in enumerate(found):
            for j in tasks:
                node_of[j] = i
        cost = data.cost(node_of)
        if answer.cost is None or cost < answer.cost:
            answer.status, answer.cost = "feasible", cost
            answer.allocation = data.allocation(node_of)
            answer.history.append((job.elapsed(), cost, None))
    answer.termination = "time limit" if job.left() <= 0 else "finished"
    answer.solve_seconds = job.elapsed() - built
    return answer


def _partitions(data: Plain, job: Job) -> Iterator[list[list[int]]]:
    options: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (greedy.greedy, {}),
        (multifit.multifit, {}),
        (karmarkar_karp.kk, {}),
    ]
    demands = dict(enumerate(data.demand))
    for algorithm, more in options:
        yield _partition(algorithm, data, demands, more)
    left = {"time_limit": job.left(), "objective": prtpy.obj.MinimizeLargestSum}
    if job.left() > 0:
        yield _partition(complete_greedy.anytime, data, demands, left)


def _partition(
    algorithm: Callable[..., Any], data: Plain, demands: dict[int, Any], more: dict[str, Any]
) -> list[list[int]]:
    bins: list[list[int]] = prtpy.partition(
        algorithm=algorithm, numbins=len(data.node_ids), items=demands, **more
    )
    return bins


def _require_supported(data: Plain) -> None:
    kinds = set(zip(data.capacity, data.price, data.overload_price, strict=True))
    lacks = [
        name
        for name, present in (
            ("different nodes", len(kinds) > 1),
            ("eligibility", any(len(nodes) < len(data.node_ids) for nodes in data.hosts)),
            ("power_off", data.power_off),
            *((limit.name, True) for limit in data.limits),
        )
        if present
    ]
    if lacks:
        raise Unsupported(f"prtpy cannot express: {', '.join(lacks)}")


if __name__ == "__main__":
    serve(solve)
