"""The readers of public formats: the mapping, the counts of the trace, every error rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from instances.families.openb_classes import MODEL_LISTS, NODE_CLASSES, POD_CLASSES
from instances.readers import READERS, read_openb
from solver.errors import InstanceError

NODES = """sn,cpu_milli,memory_mib,gpu,model
n0,64000,262144,2,P100
n1,96000,393216,8,G2
n2,32000,131072,0,
"""
GPU_NODES = "\n".join(NODES.splitlines()[:3]) + "\n"
PODS = """name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos
p0,12000,16384,1,460,,LS
p1,6000,12288,2,1000,G2|V100M16|G2,BE
p2,4000,8192,0,0,,LS
p3,4000,0,1,1000,G2|P100,LS
"""


def write(folder: Path, nodes: str | bytes = NODES, pods: str | bytes = PODS) -> list[Path]:
    paths = [folder / "nodes.csv", folder / "pods.csv"]
    for path, text in zip(paths, (nodes, pods), strict=True):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return paths


def test_mapping(tmp_path):
    instance = READERS["openb"](write(tmp_path))
    assert instance.name == "pods"
    assert instance.node_ids.tolist() == ["n0", "n1", "n2"]
    assert instance.node_compute.tolist() == [2000, 8000, 0]
    assert instance.node_storage.tolist() == [262144, 393216, 131072]
    assert instance.node_resources["cpu"].tolist() == [64000, 96000, 32000]
    assert instance.node_kind == ("P100", "G2", None)
    assert instance.task_ids.tolist() == ["p0", "p1", "p2", "p3"]
    assert instance.task_compute.tolist() == [460, 2000, 0, 1000]
    assert instance.task_storage.tolist() == [16384, 12288, 8192, 0]
    assert instance.task_resources["cpu"].tolist() == [12000, 6000, 4000, 4000]
    eligible = [task.eligible for task in instance.tasks]
    assert eligible == [("G2", "P100"), ("G2",), None, ("G2", "P100")]


def test_where_every_node_has_gpus_no_eligibility_is_needed(tmp_path):
    instance = read_openb(write(tmp_path, nodes=GPU_NODES))
    assert [task.eligible for task in instance.tasks] == [None, ("G2",), None, ("G2", "P100")]


def test_list_without_gpu_spec(tmp_path):
    pods = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\np0,1,2,1,1000\n"
    instance = read_openb(write(tmp_path, nodes=GPU_NODES, pods=pods))
    assert instance.groups == (None,)


def test_byte_order_mark_blank_lines_and_other_column_orders_are_taken(tmp_path):
    nodes = "\ufeffmodel,gpu,memory_mib,cpu_milli,sn\r\n\r\nG2,8,5,4,n0\r\n"
    instance = read_openb(write(tmp_path, nodes=nodes, pods=PODS.replace("P100", "G2")))
    assert instance.nodes[0].id == "n0"
    assert instance.node_resources["cpu"].tolist() == [4]


@pytest.mark.parametrize(
    ("nodes", "pods", "message"),
    [
        ("", PODS, r"nodes\.csv: the file is empty"),
        (NODES, "\n", r"pods\.csv: the file is empty"),
        (NODES.splitlines()[0], PODS, r"nodes\.csv: there are no nodes below the header"),
        (NODES.replace("gpu,", "gpus,"), PODS, r"nodes\.csv, line 1: column gpu is missing"),
        (PODS, NODES, r"nodes\.csv, line 1: column sn is missing \(the columns are: name, cpu"),
        (NODES.replace("model", "gpu"), PODS, r"line 1: column gpu stands twice"),
        (NODES, PODS.replace("num_gpu", "gpus"), r"pods\.csv, line 1: column num_gpu is missing"),
        (NODES.replace(",8,", ",,"), PODS, r"nodes\.csv, line 3, column gpu: '' is not a whole"),
        (NODES.replace(",8,", ",-8,"), PODS, r"line 3, column gpu: '-8' is not a whole number"),
        (NODES.replace("393216", "1e9"), PODS, r"line 3, column memory_mib: '1e9' is not"),
        (NODES, PODS.replace("460", "nan"), r"pods\.csv, line 2, column gpu_milli: 'nan' is not"),
        (NODES, PODS.replace("12000", "inf"), r"pods\.csv, line 2, column cpu_milli: 'inf'"),
        (NODES, PODS.replace("12000", "\u0663"), r"line 2, column cpu_milli: '\u0663' is not"),
        (NODES.replace("n1", "n0"), PODS, r"line 3, column sn: 'n0' stands twice \(first on li"),
        (NODES.replace("n1", ""), PODS, r"nodes\.csv, line 3, column sn: the cell is empty"),
        (NODES, PODS.replace("p2", "p1"), r"pods\.csv, line 4, column name: 'p1' stands twice"),
        (NODES.replace(",G2", ","), PODS, r"line 3, column model: the model is empty.* 8 GPUs"),
        (NODES.replace(",G2", ""), PODS, r"nodes\.csv, line 3: 4 cells for 5 columns"),
        (NODES, PODS + "p4,1\n", r"pods\.csv, line 6: 2 cells for 7 columns"),
        (NODES, PODS + '"p4', r"pods\.csv, line 6: the file is not CSV: unexpected end"),
        (NODES, PODS.replace("G2|V100M16|G2", "A10|T4"), r"line 3, column gpu_spec: pod 'p1' acc"),
        (
            "sn,cpu_milli,memory_mib,gpu,model\nn2,1,1,0,\n",
            PODS,
            r"pods\.csv, line 2, column num_gpu: pod 'p0' needs a GPU, but no node has one",
        ),
        (NODES.encode("utf-16"), PODS, r"nodes\.csv, line 1: the file is not UTF-8 text \(byte 0"),
        (
            NODES,
            PODS.encode().replace(b"p3", b"\xe9"),
            r"pods\.csv, line 5: the file is not UTF-8 text",
        ),
    ],
)
def test_each_rule(tmp_path, nodes, pods, message):
    with pytest.raises(InstanceError, match=message):
        read_openb(write(tmp_path, nodes, pods))


def test_missing_file_and_folder_are_named(tmp_path):
    nodes, pods = write(tmp_path)
    with pytest.raises(InstanceError, match=r"absent\.csv: there is no such file"):
        read_openb([nodes, tmp_path / "absent.csv"])
    with pytest.raises(InstanceError, match="the file cannot be read"):
        read_openb([tmp_path, pods])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_number_of_files(tmp_path, count):
    with pytest.raises(InstanceError, match=f"openb: {count} files given; name two"):
        read_openb([tmp_path] * count)


# The published trace.


def trace(data_dir: Path, nodes: str, pods: str) -> list[Path]:
    folder = data_dir / "openb"
    return [folder / f"openb_node_list_{nodes}.csv", folder / f"openb_pod_list_{pods}.csv"]


@pytest.mark.data
def test_openb_counts(data_dir):
    instance = read_openb(trace(data_dir, "gpu_node", "default"))
    assert (instance.num_nodes, instance.num_tasks) == (1213, 8152)
    load = instance.task_compute.sum() / instance.node_compute.sum()
    assert round(float(load), 2) == 0.98
    cpu = instance.task_resources["cpu"].sum() / instance.node_resources["cpu"].sum()
    memory = instance.task_storage.sum() / instance.node_storage.sum()
    assert (round(float(cpu), 2), round(float(memory), 2)) == (0.80, 0.60)
    assert instance.groups == (None,)


@pytest.mark.data
def test_embedded_classes_are_those_of_the_trace(data_dir):
    instance = read_openb(trace(data_dir, "gpu_node", "default"))
    node_rows = zip(
        instance.node_kind,
        instance.node_compute.tolist(),
        instance.node_resources["cpu"].tolist(),
        instance.node_storage.tolist(),
        strict=True,
    )
    expected = {
        (kind.model, 1000 * kind.gpu, kind.cpu_milli, kind.memory_mib): kind.copies
        for kind in NODE_CLASSES
    }
    assert counted(node_rows) == expected
    pod_rows = zip(
        instance.task_compute.tolist(),
        instance.task_resources["cpu"].tolist(),
        instance.task_storage.tolist(),
        strict=True,
    )
    classes: dict[tuple[int, ...], int] = {}
    for pod in POD_CLASSES:
        key = (pod.num_gpu * pod.gpu_milli, pod.cpu_milli, pod.memory_mib)
        classes[key] = classes.get(key, 0) + pod.copies
    assert counted(pod_rows) == classes


@pytest.mark.data
def test_openb_gpuspec33(data_dir):
    instance = read_openb(trace(data_dir, "gpu_node", "gpuspec33"))
    sizes = np.bincount(instance.task_group)
    found = {group: int(size) for group, size in zip(instance.groups, sizes, strict=True)}
    assert found.pop(None) == 8152 - 2388
    assert found == {models: count for count, models in MODEL_LISTS}


@pytest.mark.data
def test_openb_with_cpu_only_nodes(data_dir):
    instance = read_openb(trace(data_dir, "all_node", "default"))
    assert instance.num_nodes == 1523
    assert instance.node_kind.count(None) == 310
    models = tuple(sorted({kind.model for kind in NODE_CLASSES}))
    assert instance.groups == (None, models) or instance.groups == (models, None)
    restricted = instance.task_group == instance.groups.index(models)
    assert (restricted == (instance.task_compute > 0)).all()


@pytest.mark.data
def test_openb_multigpu20_has_no_gpu_spec(data_dir):
    instance = read_openb(trace(data_dir, "gpu_node", "multigpu20"))
    assert instance.num_tasks == 8324
    load = instance.task_compute.sum() / instance.node_compute.sum()
    assert round(float(load), 2) == 1.14


def counted(rows) -> dict[tuple[object, ...], int]:
    counts: dict[tuple[object, ...], int] = {}
    for row in rows:
        counts[row] = counts.get(row, 0) + 1
    return counts
