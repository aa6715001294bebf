"""Random clusters: where jobs may run is what Slurm means, and what runs breaks no limit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from instances.readers import convert_slurm
from solver import check
from tests.nightly import cases

PARTITIONS, FEATURES, TYPES = ("p", "q", "r"), ("x", "y", "z"), ("a", "b")
CONSTRAINTS = {
    "": lambda has: True,
    "x": lambda has: "x" in has,
    "x&y": lambda has: {"x", "y"} <= has,
    "x|z": lambda has: bool({"x", "z"} & has),
    "(x|y)&z": lambda has: bool({"x", "y"} & has) and "z" in has,
}


def cluster(rng: np.random.Generator) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Nodes and jobs; those that run were given to nodes with room."""
    nodes: list[dict[str, Any]] = [
        {
            "name": f"n{k}", "cpus": 16, "real_memory": 1000, "state": ["IDLE"],
            "gres": f"gpu:{kind}:4" if (kind := str(rng.choice([*TYPES, ""]))) else "",
            "partitions": some(rng, PARTITIONS, 1), "features": some(rng, FEATURES, 0),
        }
        for k in range(int(rng.integers(2, 7)))
    ]  # fmt: skip
    left = {
        node["name"]: np.array([16, 1000, 4 if node["gres"] else 0], dtype=np.int64)
        for node in nodes
    }
    jobs = []
    for number in range(1, int(rng.integers(2, 12))):
        count = int(rng.integers(1, 4))
        total = rng.integers(0, (9, 500, 4)) * count + (rng.random() < 0.3)
        kind = str(rng.choice([*TYPES, "", "", ""])) if total[2] else ""
        job: dict[str, Any] = {
            "job_id": number, "partition": ",".join(some(rng, PARTITIONS, 1)),
            "features": str(rng.choice(list(CONSTRAINTS))), "node_count": count,
            "excluded_nodes": str(rng.choice(["", "", "n[0-1]", "n2"])), "job_state": "PENDING",
            "tres_req_str": f"cpu={total[0]},mem={total[1]}M,node={count},gres/gpu={total[2]}"
            + (f",gres/gpu:{kind}={total[2]}" if kind else ""),
        }  # fmt: skip
        free = [name for name in allowed(job, nodes) if (left[name] >= -(-total // count)).all()]
        if len(free) >= count and rng.random() < 0.7:
            for name in free[:count]:
                left[name] -= -(-total // count)
            job |= {"job_state": "RUNNING", "nodes": ",".join(free[:count])}
            job["tres_alloc_str"] = job["tres_req_str"]
        jobs.append(job)
    return nodes, jobs


def some(rng: np.random.Generator, names: tuple[str, ...], least: int) -> list[str]:
    found = [name for name in names if rng.random() < 0.5]
    return found if len(found) >= least else [str(rng.choice(names))]


def allowed(job: dict[str, Any], nodes: list[dict[str, Any]]) -> list[str]:
    """Where a job may run, node by node."""
    kind = job["tres_req_str"].partition("gres/gpu:")[2].partition("=")[0]
    excluded = {"": (), "n[0-1]": ("n0", "n1"), "n2": ("n2",)}[job["excluded_nodes"]]
    return [
        node["name"]
        for node in nodes
        if set(job["partition"].split(",")) & set(node["partitions"])
        and CONSTRAINTS[job["features"]](set(node["features"]))
        and node["name"] not in excluded
        and (not kind or node["gres"].startswith(f"gpu:{kind}:"))
    ]


@pytest.mark.parametrize("seed", range(cases(60, 2000)))
def test_where_jobs_may_run(tmp_path: Path, seed: int) -> None:
    nodes, jobs = cluster(np.random.default_rng(seed))
    paths = [tmp_path / "n.json", tmp_path / "j.json"]
    paths[0].write_text(json.dumps({"nodes": nodes}))
    paths[1].write_text(json.dumps({"jobs": jobs}))
    instance = convert_slurm(paths).instance
    rows, names = instance.rows, instance.node_ids
    has_gpus = any(node["gres"] for node in nodes)
    tasks = instance.task_ids.tolist()
    for job in jobs:
        expected = allowed(job, nodes)
        wants = needs_gpus(job) and not has_gpus
        if len(expected) < job["node_count"] or wants:
            assert str(job["job_id"]) not in tasks
            continue
        j = tasks.index(str(job["job_id"]))
        first, last = rows.task_start[j : j + 2].tolist()
        assert last - first == job["node_count"]
        for row in range(first, last):
            mask = instance.eligibility.block(rows.group[row : row + 1], np.arange(names.size))[0]
            assert sorted(names[mask].tolist()) == sorted(expected)
    running = convert_slurm(paths, pending=False).instance
    places = {str(job["job_id"]): job["nodes"].split(",") for job in jobs if job.get("nodes")}
    assert sorted(running.task_ids.tolist()) == sorted(places)
    assert check(running, places) == []
    totals = [sum(number(job, key) for job in jobs if job.get("nodes")) for key in ("cpu", "mem")]
    used = running.rows.resources["cpu"] if has_gpus else running.rows.compute
    assert [used.sum(), running.rows.storage.sum()] == totals


def number(job: dict[str, Any], key: str) -> int:
    return int(job["tres_req_str"].partition(f"{key}=")[2].partition(",")[0].removesuffix("M"))


def needs_gpus(job: dict[str, Any]) -> bool:
    return number(job, "gres/gpu") > 0
