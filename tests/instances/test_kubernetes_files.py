"""Damaged files of a cluster: a valid instance or one clear error, whatever they hold."""

from __future__ import annotations

import copy
import json
import math
import random
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

from instances.readers import convert_kubernetes
from solver.errors import InstanceError
from solver.files.instance import read_instance, write_instance
from tests.files.test_reader_fuzz import CELLS, PIECES, edited, outcome, places, retold
from tests.instances.kubernetes_objects import budget, near_nodes, node, pod, required
from tests.nightly import cases

ZONE, TYPE = "topology.kubernetes.io/zone", "node.kubernetes.io/instance-type"
TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
APP = {"labelSelector": {"matchLabels": {"app": "web"}}}
SPREAD = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule", **APP}
OTHER = {"labelSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}
AFFINITY = {
    **near_nodes([(TYPE, "In", "p5", "g6"), ("x", "Gt", "1")], [("y", "DoesNotExist")]),
    "podAffinity": required({"topologyKey": ZONE, **OTHER, "namespaceSelector": {}}),
    "podAntiAffinity": required({"topologyKey": "kubernetes.io/hostname", **APP}),
}
INIT = [
    {"name": "i", "resources": {"limits": {"cpu": "500m"}}},
    {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"memory": "1e8"}}},
]
OBJECTS = [
    node("n0", labels={ZONE: "a", TYPE: "p5", "x": "2"}, taints=[TAINT]),
    node("n1", labels={ZONE: "b", TYPE: "g6"}, spec={"unschedulable": True}),
    node("n2", 4, labels={TYPE: "g6"}, allocatable={"pods": "5", "ephemeral-storage": "10Gi"}),
    pod("d0", "n0", 0, owner=("DaemonSet", "d"), requests={"cpu": "100m"}),
    pod("w0", "n0", 2, app="web", tolerations=[{**TAINT, "operator": "Equal"}]),
    pod("w1", "n1", 2, app="web", topologySpreadConstraints=[SPREAD], overhead={"cpu": "1"}),
    pod("w2", None, 1, app="web", affinity=AFFINITY, initContainers=INIT),
    pod(
        "k0",
        "n2",
        0,
        owner=None,
        metadata={
            "namespace": "team",
            "annotations": {"karpenter.sh/do-not-disrupt": "true"},
        },
        nodeSelector={TYPE: "g6"},
        resources={"limits": {"memory": "2Gi"}},
    ),
    pod("s0", "n2", 0, metadata={"annotations": {"alibabacloud.com/gpu-milli": "300"}}),
    budget("b", "web", minAvailable="50%", status={"disruptionsAllowed": 1, "expectedPods": 3}),
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team", "labels": {"a": "b"}}},
]
PRICES = f"instance_type,{ZONE},price\np5,,55.04\ng6,b,10\ng6,,9.5\n"
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 3, 2**63, 10**400, 0.5, math.inf, math.nan, -0.0, 1e308),
    *("", "a", "n0", "n1", "w0", "web", "\ud800", "\0", "\n", "1e999", "-1", "10Ki", "1e64", "9E"),
    *("50%", "-5%", "node", "kind", ZONE, TYPE, "In", "Gt", "Exists", "NoExecute", "NoSchedule"),
    *("DoNotSchedule", "List", "PodList", "Node", "Pod", "Honor", "Always", "true", "x=y", "x y"),
    *([], {}, [[]], [None], [{}], ["a"], {"a": "b"}, {"": "x"}, {"\ud800": "1"}, {"cpu": "1"}),
    *({"items": []}, {"kind": "List", "items": [{}]}, {"price": "1"}, {"nvidia.com/gpu": "2"}),
]


def damaged(objects: Any, draw: random.Random) -> Any:
    """The objects with values set, dropped, repeated and put elsewhere."""
    objects = copy.deepcopy(objects)
    for _ in range(draw.choice([1, 1, 2, 4])):
        found = places(objects)
        owner, key = draw.choice(found)
        kind = draw.choice(["set", "set", "set", "drop", "copy", "swap"])
        if kind == "drop":
            del owner[key]
        elif kind == "set":
            owner[key] = copy.deepcopy(draw.choice(VALUES))
        elif kind == "swap":
            other, there = draw.choice(found)
            owner[key] = copy.deepcopy(other.get(there) if isinstance(other, dict) else None)
        elif isinstance(owner, list):
            owner.append(copy.deepcopy(owner[key]))
        else:
            owner[str(draw.choice(VALUES))[:20]] = copy.deepcopy(owner[key])
        if not objects:
            break
    return objects


def text_of(objects: Any, draw: random.Random) -> bytes:
    """The objects in one of the forms that are read."""
    form = draw.choice(["list", "array", "stream", "yaml", "documents"])
    if form == "yaml" or form == "documents":
        try:
            whole = form == "yaml"
            dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
            dump = yaml.dump_all([objects] if whole else objects, Dumper=dumper)
        except (yaml.YAMLError, ValueError):
            return b"a: {"
        return dump.encode(errors="surrogatepass")
    if form == "stream":
        return "\n".join(map(json.dumps, objects)).encode()
    given = objects if form == "array" else {"kind": "List", "items": objects}
    return json.dumps(given).encode()


def edits(draw: random.Random) -> list[tuple[str, int, bytes]]:
    kinds = ["put", "cut", "over", "twice", "end"]
    return [
        (draw.choice(kinds), draw.randrange(10_000), draw.choice([*PIECES, draw.randbytes(2)]))
        for _ in range(draw.choice([1, 1, 2, 4]))
    ]


def holds(files: list[Path], folder: Path, prices: Path) -> bool:
    """Whether there is a valid instance, which survives being written; else one clear error."""
    reading, refusal = outcome(lambda: convert_kubernetes(files, prices=prices), InstanceError)
    if reading is None:
        assert str(folder) in refusal
        return False
    instance = reading.instance
    again = folder / "again.json"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_instance(instance, again)
        assert read_instance(again) == instance
    again.unlink()
    return True


@pytest.mark.parametrize("part", range(4))
def test_damaged_files(tmp_path: Path, part: int) -> None:
    read = 0
    count = cases(75, 5000)
    for seed in range(part * count, (part + 1) * count):
        draw = random.Random(seed)
        kind = draw.choice(["objects", "objects", "bytes", "prices"])
        objects = damaged(OBJECTS, draw) if kind == "objects" else OBJECTS
        data = text_of(objects, draw)
        table = PRICES.encode()
        if kind == "bytes":
            data = edited(data, edits(draw))
        elif kind == "prices" and draw.random() < 0.5:
            table = edited(table, edits(draw))
        elif kind == "prices":
            table = retold(PRICES, [("cell", *draw.choices(range(9), k=2), draw.choice(CELLS))])
        (tmp_path / "cluster").write_bytes(data)
        (tmp_path / "prices.csv").write_bytes(table)
        read += holds([tmp_path / "cluster"], tmp_path, tmp_path / "prices.csv")
    assert 0.1 * count < read < 0.9 * count


def test_what_is_damaged_here_is_whole(tmp_path: Path) -> None:
    """Else every damage would be refused for the same reason."""
    (tmp_path / "prices.csv").write_text(PRICES)
    draw = random.Random(1)
    for _ in range(20):
        (tmp_path / "cluster").write_bytes(text_of(OBJECTS, draw))
        assert holds([tmp_path / "cluster"], tmp_path, tmp_path / "prices.csv")
