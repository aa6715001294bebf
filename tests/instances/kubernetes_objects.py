"""Nodes, pods and budgets as Kubernetes has them, small, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from instances.readers.kubernetes import Reading, convert_kubernetes

GIB = 2**30


def node(name: str, gpus: int = 8, *, labels: Any = None, taints: Any = (), **more: Any) -> Any:
    """A node with 64 cores, 256 GiB and some GPUs; `more` is further metadata, spec and status."""
    allocatable = {"cpu": "64", "memory": "256Gi", "pods": "110"}
    if gpus:
        allocatable["nvidia.com/gpu"] = str(gpus)
    host = {"kubernetes.io/hostname": name}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {**host, **(labels or {})},
            **more.get("metadata", {}),
        },
        "spec": {"taints": list(taints), **more.get("spec", {})},
        "status": {"allocatable": {**allocatable, **more.get("allocatable", {})}},
    }


def pod(
    name: str, on: str | None = None, gpus: int = 1, *, app: str | None = None, **more: Any
) -> Any:
    """A pod with one container of one core, 1 GiB and some GPUs."""
    requests = {"cpu": "1", "memory": "1Gi", **more.pop("requests", {})}
    if gpus:
        requests["nvidia.com/gpu"] = str(gpus)
    labels = {**({"app": app} if app else {}), **more.pop("labels", {})}
    owner = more.pop("owner", ("ReplicaSet", app or "some"))
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    metadata = {
        "name": name,
        "labels": labels,
        "ownerReferences": owners,
        **more.pop("metadata", {}),
    }
    status = {"phase": "Running" if on else "Pending", **more.pop("status", {})}
    spec = {"containers": [{"name": "main", "resources": {"requests": requests}}], **more}
    if on:
        spec["nodeName"] = on
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }


def budget(name: str, app: str, *, status: Any = None, **spec: Any) -> Any:
    """A disruption budget of the pods with a label app."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": app}}, **spec},
        "status": status,
    }


def required(*terms: Any) -> Any:
    """What a required affinity holds."""
    return {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}


def near_nodes(*terms: Any) -> Any:
    """A required node affinity of terms that are lists of (key, operator, values...)."""
    listed = [
        {"matchExpressions": [{"key": k, "operator": o, "values": list(v)} for k, o, *v in term]}
        for term in terms
    ]
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    return {"nodeAffinity": {key: {"nodeSelectorTerms": listed}}}


def read(folder: Path, *objects: Any, **options: Any) -> Reading:
    """What the reader makes of objects in one file."""
    path = folder / "cluster.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    return convert_kubernetes([path], **options)


def told(reading: Reading) -> dict[str, int]:
    """The counts of the notes."""
    return {f"{note.kind}: {note.what}": note.count for note in reading.notes}


def allowed(reading: Reading, task: str) -> set[str]:
    """The nodes that a task may go to, by eligibility and pins."""
    instance = reading.instance
    j = instance.task_ids.tolist().index(task)
    row = instance.eligibility.row(int(instance.rows.group[j]))
    return {name for name, may in zip(instance.node_ids.tolist(), row, strict=True) if may}
