"""nodewise's own methods, each in a process like any other peer; "mip:CBC" names the solver."""

from __future__ import annotations

from typing import Any

from solver import Allocation, Result, read_instance, solve

from .protocol import Answer, Job, serve


def run(job: Job) -> Answer:
    """Solve with the method of the job."""
    instance = read_instance(job.path)
    build_seconds = job.elapsed()
    method, _, mip_solver = job.method.partition(":")
    options = {"mip_solver": mip_solver} if mip_solver else {}
    result = solve(
        instance,
        method,
        time_limit=job.left(),
        seed=job.seed,
        num_workers=job.workers,
        **options,
    )
    return _answer(result, build_seconds)


def _answer(result: Result, build_seconds: float) -> Answer:
    found = result.allocation
    return Answer(
        status=result.status.value,
        termination=result.termination.value,
        allocation=None if found is None else _by_name(found),
        cost=result.cost,
        bound=result.bound,
        build_seconds=build_seconds,
        solve_seconds=result.seconds,
        history=[
            (build_seconds + point.seconds, point.cost, point.bound) for point in result.history
        ],
        versions=result.versions,
    )


def _by_name(found: Allocation) -> dict[str, Any]:
    return dict(found.node_of) if found.instance.is_plain else found.to_mapping()


if __name__ == "__main__":
    serve(run)
