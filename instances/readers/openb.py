"""Alibaba's GPU cluster trace "openb" (cluster-trace-gpu-v2023).

Q. Weng et al. (2023), "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with
Fragmentation Gradient Descent", USENIX ATC 2023; https://github.com/alibaba/clusterdata.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from solver.errors import InstanceError, NodewiseError
from solver.files.table import Table, read_table
from solver.files.text import read_bytes
from solver.model.instance import Instance

__all__ = ["read_openb"]

_MILLI = 1000


def read_openb(paths: Sequence[Path]) -> Instance:
    """Read a node list and a pod list of the openb trace.

    ============  =========================  ==================================
    field         node list                  pod list
    ============  =========================  ==================================
    id            sn                         name
    compute       1000 * gpu                 num_gpu * gpu_milli
    storage       memory_mib                 memory_mib
    resource cpu  cpu_milli                  cpu_milli
    kind          model                      --
    eligible      --                         gpu_spec, split at "|", if present
    ============  =========================  ==================================

    A pod with num_gpu > 0 may only go to a node with GPUs. Models in gpu_spec that no node has
    are left out. The sharing of GPUs is summed a node, not a card.

    Parameters
    ----------
    paths : sequence of two Path
        The node list (openb_node_list_*.csv), then the pod list (openb_pod_list_*.csv).

    Returns
    -------
    Instance
        Named after the pod list.

    Raises
    ------
    InstanceError
        If a file cannot be read or breaks the format; names the file, line and column.
    """
    if len(paths) != 2:
        raise InstanceError(
            f"openb: {len(paths)} files given; name two, the node list and then the pod list"
        )
    nodes = _read(paths[0], "sn", "cpu_milli", "memory_mib", "gpu", "model")
    pods = _read(paths[1], "name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")
    pods.columns.setdefault("gpu_spec", [""] * len(pods.columns["name"]))
    gpus = nodes.whole_numbers("gpu")
    if not gpus:
        raise InstanceError(f"{nodes.where}: there are no nodes below the header")
    kinds = _kinds(nodes, gpus)
    num_gpu = pods.whole_numbers("num_gpu")
    shares = pods.whole_numbers("gpu_milli")
    eligible, groups = _eligibility(pods, num_gpu, kinds)
    fields: dict[str, Any] = {
        "node_ids": nodes.unique("sn"),
        "node_compute": [_MILLI * gpu for gpu in gpus],
        "node_storage": nodes.whole_numbers("memory_mib"),
        "node_resources": {"cpu": nodes.whole_numbers("cpu_milli")},
        "node_kind": kinds,
        "task_ids": pods.unique("name"),
        "task_compute": [gpu * milli for gpu, milli in zip(num_gpu, shares, strict=True)],
        "task_storage": pods.whole_numbers("memory_mib"),
        "task_resources": {"cpu": pods.whole_numbers("cpu_milli")},
        "task_eligible": eligible,
        "eligible_groups": groups,
    }
    name = os.fsencode(Path(paths[1]).stem).decode(errors="replace")  # a name may be any bytes
    try:
        return Instance.from_arrays(**fields, name=name)
    except InstanceError as error:
        raise InstanceError(f"{nodes.where}, {pods.where}: {error}") from None


def _read(path: str | os.PathLike[str], *columns: str) -> Table:
    """A table that has some columns."""
    table = read_table(read_bytes(Path(path), InstanceError), str(path), InstanceError)
    table.require(*columns)
    return table


def _kinds(nodes: Table, gpus: list[int]) -> list[str | None]:
    """The GPU model of each node, None for a node without GPUs."""
    models = nodes.columns["model"]
    for row, (gpu, model) in enumerate(zip(gpus, models, strict=True)):
        if gpu and not model:
            raise nodes.error(row, "model", f"the model is empty, but the node has {gpu} GPUs")
    return [model if gpu else None for gpu, model in zip(gpus, models, strict=True)]


def _eligibility(
    pods: Table, num_gpu: list[int], kinds: list[str | None]
) -> tuple[list[int], list[tuple[str, ...] | None]]:
    """The eligibility list of each pod, as positions in the distinct lists."""
    models = tuple(sorted({kind for kind in kinds if kind is not None}))
    any_gpu = None if None not in kinds else models
    groups: list[tuple[str, ...] | None] = [None]
    position: dict[tuple[bool, str], int] = {(False, ""): 0}
    eligible = []
    for row, (count, spec) in enumerate(zip(num_gpu, pods.columns["gpu_spec"], strict=True)):
        key = (count > 0, spec)
        if key not in position:
            named = {name.strip() for name in spec.split("|")}
            group = tuple(m for m in models if m in named) if spec else any_gpu
            if group == ():
                raise _nowhere(pods, row, spec, models)
            position[key] = len(groups)
            groups.append(group)
        eligible.append(position[key])
    return eligible, groups


def _nowhere(pods: Table, row: int, spec: str, models: tuple[str, ...]) -> NodewiseError:
    pod = pods.columns["name"][row]
    if not models:
        return pods.error(row, "num_gpu", f"pod {pod!r} needs a GPU, but no node has one")
    return pods.error(
        row,
        "gpu_spec",
        f"pod {pod!r} accepts {spec!r}, but no node has such a GPU; the models are "
        f"{', '.join(models)}",
    )
