"""One cluster in every shape that Slurm's commands give it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

NO_VALUE = 4294967294

NODES: list[dict[str, Any]] = [
    *(
        {
            "name": f"gpu{k:03}", "cpus": 64, "memory": 515_000, "gres": "gpu:a100:8(S:0-1)",
            "partitions": ["gpu"] if k < 3 else ["gpu", "long"], "features": ["a100", "nvme"],
            "state": ["IDLE"] if k != 4 else ["MIXED", "DRAIN"],
        }
        for k in range(1, 5)
    ),
    {
        "name": "gpu010", "cpus": 96, "memory": 1_031_000, "gres": "gpu:h100:4(S:0-1),nvme:4T",
        "partitions": ["gpu"], "features": ["h100"], "state": ["ALLOCATED"],
    },
    {
        "name": "cpu1", "cpus": 128, "memory": 257_000, "gres": "", "partitions": ["cpu", "long"],
        "features": ["nvme"], "state": ["MIXED"],
    },
    {
        "name": "cpu2", "cpus": 128, "memory": 257_000, "gres": "", "partitions": ["cpu", "long"],
        "features": [], "state": ["DOWN", "NOT_RESPONDING"],
    },
]  # fmt: skip

JOBS: list[dict[str, Any]] = [
    {
        "id": 1041, "state": "RUNNING", "nodes": "gpu[001-002]", "count": 2, "partition": "gpu",
        "tres": "cpu=64,mem=512000M,node=2,billing=64,gres/gpu=8,gres/gpu:a100=8",
        "detail": ["gpu:a100:4(IDX:0-3)", "gpu:a100:4(IDX:0-3)"],
    },
    {
        "id": 1042, "state": "RUNNING", "nodes": "gpu010", "count": 1, "partition": "gpu",
        "tres": "cpu=32,mem=500G,node=1,billing=32,gres/gpu=4,gres/gpu:h100=4", "features": "h100",
    },
    {
        "id": 1043, "state": "RUNNING", "nodes": "gpu003,gpu010", "count": 2, "partition": "gpu",
        "tres": "cpu=7,mem=9001M,node=2,billing=7", "cpus": [4, 3], "memory": [6001, 3000],
    },
    {
        "id": 1044, "state": "RUNNING", "nodes": "gpu004", "count": 1, "partition": "gpu,long",
        "tres": "cpu=8,mem=64G,node=1,gres/gpu=1",
    },
    {
        "id": 1045, "state": "RUNNING", "nodes": "cpu1", "count": 1, "partition": "cpu",
        "tres": "cpu=64,mem=100G,node=1", "array": 1040, "task": 3,
    },
    {
        "id": 1040, "state": "PENDING", "nodes": "", "count": 1, "partition": "cpu",
        "tres": "cpu=16,mem=8G,node=1", "array": 1040, "tasks": "4-8:2%1", "most": 1,
    },
    {
        "id": 1050, "state": "PENDING", "nodes": "", "count": 1, "partition": "gpu,long",
        "tres": "cpu=8,mem=32G,node=1,gres/gpu=2", "features": "a100&nvme",
        "dependency": "afterok:1041(unfulfilled)",
    },
    {
        "id": 1051, "state": "PENDING", "nodes": "", "count": 2, "partition": "long",
        "tres": "cpu=6,mem=3000M,node=2", "excluded": "gpu[001-002]",
    },
    {"id": 1039, "state": "COMPLETED", "nodes": "cpu1", "count": 1, "partition": "cpu", "tres": ""},
]  # fmt: skip


def new(number: int | None) -> dict[str, Any]:
    return {"set": number is not None, "infinite": False, "number": number or 0}


def meta(version: str) -> dict[str, Any]:
    plugin = {"type": "openapi/slurmctld", "data_parser": f"data_parser/{version}"}
    return {"plugin": plugin, "slurm": {"cluster": "hall", "release": "24.05.4"}}


def scontrol_old() -> dict[str, Any]:
    """As Slurm 21.08 and 22.05 print it, sinfo as well."""
    nodes = [
        {
            "name": node["name"], "hostname": node["name"], "architecture": "x86_64",
            "cpus": node["cpus"], "real_memory": node["memory"], "gres": node["gres"],
            "gres_used": "gpu:0", "partitions": node["partitions"],
            "features": ",".join(node["features"]), "active_features": ",".join(node["features"]),
            "state": node["state"][0].lower(), "state_flags": node["state"][1:],
            "temporary_disk": 0, "free_memory": NO_VALUE,
        }
        for node in NODES
    ]  # fmt: skip
    return {"meta": {"Slurm": {"cluster": "hall"}}, "errors": [], "nodes": nodes}


def scontrol_new() -> dict[str, Any]:
    """As Slurm 23.02 and later print it."""
    nodes = [
        {
            "name": node["name"], "hostname": node["name"], "address": node["name"],
            "cpus": node["cpus"], "real_memory": node["memory"], "gres": node["gres"] or "(null)",
            "free_mem": new(1000), "partitions": node["partitions"], "state": node["state"],
            "features": node["features"], "active_features": node["features"], "weight": 1,
        }
        for node in NODES
    ]  # fmt: skip
    return {"nodes": nodes, "last_update": new(1), "meta": meta("v0.0.41"), "errors": []}


def sinfo_new() -> dict[str, Any]:
    """As sinfo of Slurm 23.02 and later prints it: a record a partition and group of nodes."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for node in reversed(NODES):
        for partition in node["partitions"]:
            same = json.dumps([partition, {**node, "name": "", "partitions": ""}])
            groups.setdefault(same, []).append(node)
    records = []
    for key, group in groups.items():
        node, names = group[0], [each["name"] for each in group]
        numbers = sorted(name.removeprefix("gpu") for name in names)
        hosts = names if len(names) == 1 else [f"gpu[{','.join(numbers)}]"]
        records.append(
            {
                "port": 6818, "cluster": "hall", "partition": {"name": json.loads(key)[0]},
                "node": {"state": node["state"]},
                "nodes": {"total": len(names), "hostnames": [], "nodes": hosts},
                "cpus": {"minimum": node["cpus"], "maximum": node["cpus"],
                         "total": node["cpus"] * len(names)},
                "memory": {"minimum": new(node["memory"]), "maximum": new(node["memory"])},
                "gres": {"total": node["gres"], "used": "gpu:0"},
                "features": {"total": ",".join(node["features"]), "active": ""},
            }
        )  # fmt: skip
    empty = {"partition": {"name": "none"}, "node": {"state": []}, "nodes": {"nodes": []}}
    return {"sinfo": [*records, empty], "meta": meta("v0.0.40"), "errors": [], "warnings": []}


def squeue_old() -> dict[str, Any]:
    jobs = [
        {
            "job_id": job["id"], "job_state": job["state"], "partition": job["partition"],
            "nodes": job["nodes"], "node_count": job["count"], "cpus": 1,
            "tres_req_str": job["tres"], "features": job.get("features", ""),
            "tres_alloc_str": job["tres"] if job["state"] == "RUNNING" else "",
            "array_job_id": job.get("array", 0), "array_task_id": job.get("task"),
            "array_task_string": job.get("tasks"), "array_max_tasks": job.get("most", 0),
            "excluded_nodes": job.get("excluded", ""), "required_nodes": "",
            "dependency": job.get("dependency", ""), "het_job_id": 0, "het_job_offset": 0,
            "memory_per_node": None, "memory_per_cpu": NO_VALUE, "licenses": "", "shared": None,
            "gres_detail": job.get("detail", []),
            "job_resources": {
                "nodes": job["nodes"], "allocated_cpus": 1,
                "allocated_nodes": {
                    str(k): {"cpus": cpus, "memory": memory, "sockets": {}}
                    for k, (cpus, memory) in enumerate(
                        zip(job.get("cpus", []), job.get("memory", []), strict=True)
                    )
                },
            },
        }
        for job in JOBS
    ]  # fmt: skip
    return {"meta": {"Slurm": {"cluster": "hall"}}, "errors": [], "jobs": jobs}


def squeue_new() -> dict[str, Any]:
    jobs = [
        {
            "job_id": job["id"], "job_state": [job["state"]], "partition": job["partition"],
            "nodes": job["nodes"], "node_count": new(job["count"]), "cpus": new(1),
            "tres_req_str": job["tres"], "features": job.get("features", ""),
            "tres_alloc_str": job["tres"] if job["state"] == "RUNNING" else "",
            "array_job_id": new(job.get("array", 0)), "array_task_id": new(job.get("task")),
            "array_task_string": job.get("tasks", ""), "array_max_tasks": new(job.get("most", 0)),
            "excluded_nodes": job.get("excluded", ""), "required_nodes": "",
            "dependency": job.get("dependency", ""), "het_job_id": new(0),
            "het_job_offset": new(0), "memory_per_node": new(None), "memory_per_cpu": new(None),
            "licenses": "", "shared": [], "gres_detail": job.get("detail", []),
            "job_resources": {
                "select_type": ["CPU", "MEMORY"],
                "nodes": {
                    "count": job["count"], "list": job["nodes"], "whole": False,
                    "allocation": [
                        {
                            "index": k, "cpus": {"count": cpus, "used": 0},
                            "memory": {"used": 0, "allocated": memory},
                        }
                        for k, (cpus, memory) in enumerate(
                            zip(job.get("cpus", []), job.get("memory", []), strict=True)
                        )
                    ],
                },
            },
        }
        for job in reversed(JOBS)
    ]  # fmt: skip
    return {"jobs": jobs, "last_update": new(1), "meta": meta("v0.0.41"), "errors": []}


NODE_SHAPES: dict[str, Callable[[], dict[str, Any]]] = {
    "scontrol_old": scontrol_old, "scontrol_new": scontrol_new, "sinfo_new": sinfo_new,
}  # fmt: skip
JOB_SHAPES = {"squeue_old": squeue_old, "squeue_new": squeue_new}


def written(folder: Path, nodes: str = "scontrol_new", jobs: str = "squeue_new") -> list[Path]:
    """The files of a cluster in some shapes."""
    paths = [folder / f"{nodes}.json", folder / f"{jobs}.json"]
    paths[0].write_text(json.dumps(NODE_SHAPES[nodes](), indent=1), encoding="utf-8")
    paths[1].write_text(json.dumps(JOB_SHAPES[jobs](), indent=1), encoding="utf-8")
    return paths
