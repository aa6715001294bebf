"""Parts of a local search, and benchmark runs, on a cluster that the user has set up."""

import subprocess
import sys

import joblib
import pytest

from benchmarks.competitors import ROOT
from benchmarks.record import read_records
from instances import from_spec
from solver import Status, check, solve

distributed = pytest.importorskip("distributed")


def loaded_there():
    return "solver.search.parts" in sys.modules


@pytest.mark.slow
def test_parts_run_on_a_dask_cluster_of_two_worker_processes():
    instance = from_spec("uniform:nodes=60,tasks=600,storage=0.9,node_types=all")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        assert not any(client.run(loaded_there).values())
        result = solve(instance, "local-search", num_workers=1, time_limit=60)
        assert all(client.run(loaded_there).values())
    assert check(instance, result.allocation) == []
    assert result.status in (Status.OPTIMAL, Status.FEASIBLE)
    assert result.gap < 0.001


@pytest.mark.slow
def test_benchmark_runs_on_a_dask_cluster(tmp_path):
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks", "run", "smoke", "--methods", "greedy,blocks",
             "--time-limit", "10", "--jobs", "2", "--scheduler", cluster.scheduler_address,
             "-o", str(tmp_path), "--best-known", str(tmp_path / "best.csv")],
            capture_output=True, text=True, cwd=ROOT,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = read_records(tmp_path / "records.jsonl")
    assert len(records) == 12
    assert {str(record.outcome) for record in records} == {"answered", "infeasible"}
