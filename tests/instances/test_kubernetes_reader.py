"""A cluster becomes an instance: amounts, places, eligibility, budgets, prices, and the notes."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest
import yaml

from instances.readers import READERS, convert_kubernetes, read_openb
from solver import cost_of, solve
from solver.errors import InstanceError, NodewiseWarning
from solver.files.instance import write_instance
from tests.instances.kubernetes_objects import allowed, budget, near_nodes, node, pod, read, told
from tests.nightly import cases

PRODUCT = "nvidia.com/gpu.product"
TYPE = "node.kubernetes.io/instance-type"
ZONE = "topology.kubernetes.io/zone"
COST = "read as: costing 1 while on (no prices are given)"


def test_amounts(tmp_path):
    reading = read(
        tmp_path,
        node("a", 8, labels={PRODUCT: "H100", TYPE: "p5"}),
        node("b", 0, labels={TYPE: "m6"}, allocatable={"ephemeral-storage": "100Gi"}),
        pod("x", "a", 2, requests={"ephemeral-storage": "3Gi"}),
        pod("y", None, 0, requests={"memory": "100M"}),
    )
    instance = reading.instance
    assert instance.node_kind == ("H100", "m6")
    assert instance.node_compute.tolist() == [8, 0]
    assert instance.node_storage.tolist() == [256 * 2**30] * 2  # 100 MB are no multiple of a KiB
    assert instance.node_resources["cpu"].tolist() == [64_000, 64_000]
    assert instance.node_resources["ephemeral-storage"].tolist() == [0, 100 * 2**10]
    assert sorted(instance.node_resources) == ["cpu", "ephemeral-storage"]
    assert instance.task_compute.tolist() == [2, 0]
    assert instance.task_storage.tolist() == [2**30, 10**8]
    assert instance.task_resources["ephemeral-storage"].tolist() == [3 * 2**10, 0]
    assert instance.current.tolist() == [0, -1]
    assert (instance.max_load, instance.power_off) == (1, True)
    assert reading.units["memory"] == "bytes"
    assert told(reading) == {COST: 2}
    assert instance.name == "cluster"


def test_another_resource_is_compute(tmp_path):
    objects = [node("a", 8), pod("x", "a", 2)]
    instance = read(tmp_path, *objects, compute="cpu").instance
    assert instance.node_compute.tolist() == [64_000]
    assert instance.node_resources["nvidia.com/gpu"].tolist() == [8]
    instance = read(tmp_path, *objects, compute="memory").instance
    assert instance.node_compute.tolist() == [256 * 2**10]
    assert instance.tasks[0].storage == 0


def test_the_number_of_pods_is_a_resource_where_it_can_bind(tmp_path):
    few = node("a", 0, allocatable={"pods": "3"})
    pods = [pod(f"p{k}", "a", 0, requests={"cpu": "1m", "memory": "0"}) for k in range(4)]
    instance = read(tmp_path, few, *pods).instance
    assert instance.node_resources["pods"].tolist() == [3]
    assert instance.task_resources["pods"].tolist() == [1] * 4
    assert "pods" not in read(tmp_path, few, *pods[:3]).instance.node_resources
    large = [pod(f"p{k}", "a", 0, requests={"cpu": "16001m"}) for k in range(9)]
    assert "pods" not in read(tmp_path, few, *large).instance.node_resources


def test_what_daemons_and_mirror_pods_take_is_taken_off(tmp_path):
    mirror = {"annotations": {"kubernetes.io/config.mirror": "1"}}
    reading = read(
        tmp_path,
        node("a", 8, allocatable={"pods": "2"}),
        pod("d", "a", 1, owner=("DaemonSet", "d"), requests={"cpu": "60"}),
        pod("m", "a", 0, owner=("Node", "a"), metadata=mirror, requests={"cpu": "250m"}),
        pod("gone", "z", 0, owner=("DaemonSet", "d")),
        pod("waits", None, 0, owner=("DaemonSet", "d")),
        pod("t", "a", 1),
    )
    instance = reading.instance
    assert instance.node_compute.tolist() == [7]
    assert instance.node_resources["cpu"].tolist() == [3750]
    assert instance.node_storage.tolist() == [254 * 2**10]
    assert instance.node_resources["pods"].tolist() == [0]
    assert instance.task_ids.tolist() == ["t"]
    notes = told(reading)
    assert notes["read as: room taken off their nodes: DaemonSet and mirror pods"] == 3
    assert notes["left out: DaemonSet and mirror pods without a node"] == 1


def test_pods_that_are_no_tasks(tmp_path):
    dying = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    reading = read(
        tmp_path,
        node("a"),
        pod("ok", "a", status={"phase": "Succeeded"}),
        pod("bad", "a", status={"phase": "Failed"}),
        pod("dying", "a", metadata=dying),
        pod("gated", None, schedulingGates=[{"name": "quota"}]),
        pod("lost", "z"),
        pod("bare", "a", owner=None),
    )
    assert reading.instance.task_ids.tolist() == ["lost", "bare"]
    assert reading.instance.current.tolist() == [-1, 0]
    assert told(reading) == {
        "read as: running nowhere: their node is not in the files": 1,
        "read as: movable, though no controller makes them again": 1,
        COST: 1,
        "left out: pods that have ended (Succeeded, Failed)": 2,
        "left out: pods that are terminating; they take room until then": 1,
        "left out: pods behind a scheduling gate": 1,
    }
    left = read(tmp_path, node("a"), pod("waits"), pod("runs", "a"), pending=False)
    assert left.instance.task_ids.tolist() == ["runs"]
    assert told(left)["left out: pods that run nowhere yet"] == 1


def test_names_have_the_namespace_unless_it_is_clear(tmp_path):
    def ids(*namespaces):
        pods = [
            pod(f"p{k}", "a", metadata={"namespace": name}) for k, name in enumerate(namespaces)
        ]
        return read(tmp_path, node("a"), *pods).instance.task_ids.tolist()

    assert ids("team", "team") == ["p0", "p1"]
    assert ids("team", "default") == ["team/p0", "p1"]


def test_labels_that_say_nothing_more_are_left_out(tmp_path):
    labels = [{"os": "linux", ZONE: zone, PRODUCT: "H100", "role": ""} for zone in ("x", "y")]
    nodes = [node(f"n{k}", labels=each) for k, each in enumerate(labels)]
    nodes.append(node("n2", labels={"os": "linux", PRODUCT: "A100"}))
    instance = read(tmp_path, *nodes).instance
    assert instance.node_labels == {
        "role": ("(empty)", "(empty)", None),
        ZONE: ("x", "y", None),
    }


def test_cordoned_nodes(tmp_path):
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    nodes = [node("a"), node("b", spec={"unschedulable": True}), node("c", taints=[taint])]
    reading = read(tmp_path, *nodes, pod("p"))
    assert reading.instance.node_state == ("open", "cordoned", "cordoned")
    assert allowed(reading, "p") == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("taint", "toleration", "goes"),
    [
        ({"key": "k", "effect": "NoSchedule"}, None, False),
        ({"key": "k", "effect": "PreferNoSchedule"}, None, True),
        ({"key": "k", "effect": "NoExecute"}, None, False),
        ({"key": "k", "value": "v", "effect": "NoSchedule"}, {"operator": "Exists"}, True),
        (
            {"key": "k", "value": "v", "effect": "NoSchedule"},
            {"key": "k", "operator": "Exists"},
            True,
        ),
        ({"key": "k", "value": "v", "effect": "NoSchedule"}, {"key": "k", "value": "v"}, True),
        ({"key": "k", "value": "v", "effect": "NoSchedule"}, {"key": "k", "value": "w"}, False),
        ({"key": "k", "effect": "NoSchedule"}, {"key": "k"}, True),
        ({"key": "k", "effect": "NoSchedule"}, {"key": "j", "operator": "Exists"}, False),
        (
            {"key": "k", "effect": "NoSchedule"},
            {"key": "k", "operator": "Exists", "effect": "NoExecute"},
            False,
        ),
        (
            {"key": "k", "effect": "NoExecute"},
            {"key": "k", "operator": "Exists", "tolerationSeconds": 300},
            False,
        ),
        (
            {"key": "k", "value": "5", "effect": "NoSchedule"},
            {"key": "k", "operator": "Gt", "value": "4"},
            True,
        ),
    ],
)
def test_taints_and_tolerations(tmp_path, taint, toleration, goes):
    tolerations = [toleration] if toleration else []
    objects = [node("a", taints=[taint]), node("b"), pod("p", tolerations=tolerations)]
    assert ("a" in allowed(read(tmp_path, *objects), "p")) == goes


def test_no_schedule_lets_what_is_there_stay(tmp_path):
    taint = {"key": "k", "effect": "NoSchedule"}
    pool = [node(name, labels={"pool": "x"}) for name in "cd"]
    nodes = [node("a", taints=[taint]), node("b"), *pool]
    reading = read(tmp_path, *nodes, pod("p", "a"), pod("q", "b", nodeSelector={"pool": "x"}))
    assert allowed(reading, "p") == {"a", "b", "c", "d"}
    assert allowed(reading, "q") == {"b", "c", "d"}
    assert told(reading)["read as: may stay, though new ones could not go there"] == 2
    assert reading.instance.tasks[1].eligible == ("b", "pool=x")


def test_no_execute_drives_away(tmp_path):
    taint = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
    seconds = {**taint, "operator": "Exists", "tolerationSeconds": 300}
    reading = read(
        tmp_path, node("a", taints=[taint]), node("b"), pod("p", "a", tolerations=[seconds])
    )
    assert allowed(reading, "p") == {"b"}
    assert told(reading)["read as: to be moved: a taint NoExecute drives them away"] == 1


def test_waiting_pods_that_no_node_takes(tmp_path):
    reading = read(tmp_path, node("a"), pod("p", nodeSelector={"no": "such"}), pod("q", None, 9))
    assert reading.instance.task_ids.tolist() == ["q"]
    assert told(reading)["left out: waiting pods that may go to no node"] == 1
    assert any("too large for any node" in what for what in told(reading))


def test_pinned(tmp_path):
    def marked(**annotations):
        return {"annotations": {key.replace("__", "/"): v for key, v in annotations.items()}}

    safe = "cluster-autoscaler.kubernetes.io/safe-to-evict"
    pods = [
        pod("held", "a", metadata={"annotations": {safe: "false"}}),
        pod("kept", "b", metadata=marked(**{"karpenter.sh__do-not-disrupt": "true"})),
        pod("safe", "a", metadata={"annotations": {safe: "true"}}),
        pod("waits", None, metadata={"annotations": {safe: "false"}}),
    ]
    reading = read(tmp_path, node("a"), node("b"), *pods)
    assert [task.pinned for task in reading.instance.tasks] == [("a",), ("b",), None, None]
    assert told(reading)["read as: kept where they are: not to be evicted"] == 2


@pytest.mark.parametrize(
    ("spec", "status", "pods", "most"),
    [
        ({"minAvailable": 2}, None, 5, 3),
        ({"minAvailable": "50%"}, None, 7, 3),
        ({"minAvailable": "0%"}, None, 3, 3),
        ({"maxUnavailable": 1}, None, 5, 1),
        ({"maxUnavailable": "30%"}, None, 7, 3),
        ({"maxUnavailable": "100%"}, None, 3, 3),
        ({"maxUnavailable": 9}, None, 3, 3),
        ({}, None, 3, 1),
        ({"maxUnavailable": 2}, {"disruptionsAllowed": 1}, 5, 1),
        ({"minAvailable": "50%"}, {"expectedPods": 8}, 7, 3),
        ({"minAvailable": 3}, None, 3, 0),
        ({"minAvailable": 4}, None, 3, 0),
    ],
)
def test_disruption_budgets(tmp_path, spec, status, pods, most):
    running = [pod(f"p{k}", "a", 0, app="web") for k in range(pods)]
    reading = read(tmp_path, node("a"), *running, budget("b", "web", status=status, **spec))
    assert reading.instance.max_moving == {"PodDisruptionBudget/default/b": most}
    pinned = [task.pinned for task in reading.instance.tasks]
    assert pinned == [("a",) if most == 0 else None] * pods


def test_pods_that_are_not_ready_count_as_unavailable(tmp_path):
    sick = {"conditions": [{"type": "Ready", "status": "False"}]}
    pods = [pod(f"p{k}", "a", app="web", status=sick if k == 0 else {}) for k in range(4)]
    instance = read(tmp_path, node("a"), *pods, budget("b", "web", maxUnavailable=2)).instance
    assert list(instance.max_moving.values()) == [1]


def test_pods_of_several_budgets_cannot_be_evicted(tmp_path):
    pods = [pod("p", "a", app="web"), pod("q", "a", app="web", labels={"x": "y"})]
    other = budget("c", "", maxUnavailable=1, selector={"matchLabels": {"x": "y"}})
    reading = read(tmp_path, node("a"), *pods, budget("b", "web", maxUnavailable=1), other)
    assert [task.pinned for task in reading.instance.tasks] == [None, ("a",)]
    assert reading.instance.max_moving == {
        "PodDisruptionBudget/default/b": 1,
        "PodDisruptionBudget/default/c": 1,
    }


def test_an_empty_selector_of_the_old_version_selects_nothing(tmp_path):
    old = budget("b", "", maxUnavailable=1, selector={})
    new = read(tmp_path, node("a"), pod("p", "a"), old).instance
    assert list(new.max_moving.values()) == [1]
    old["apiVersion"] = "policy/v1beta1"
    reading = read(tmp_path, node("a"), pod("p", "a"), old)
    assert reading.instance.max_moving == {}
    assert told(reading)["read as: budgets of no task"] == 1


def priced(folder: Path, text: str, *objects):
    (folder / "prices.csv").write_text(text)
    return read(folder, *objects, prices=folder / "prices.csv")


def test_prices(tmp_path):
    spot = {"karpenter.sh/capacity-type": "spot"}
    role = {"node-role.kubernetes.io/control-plane": ""}
    nodes = [
        node("a", labels={TYPE: "p5"}),
        node("b", labels={TYPE: "p5", **spot}),
        node("c", labels={PRODUCT: "L40S"}),
        node("d", labels={TYPE: "p5", **role}),
    ]
    text = "instance_type,karpenter.sh/capacity-type,price\np5,spot,20.5\np5,,55.04\nL40S,,3\n"
    reading = priced(tmp_path, text, *nodes, pod("p", "a"))
    assert reading.instance.node_fixed_cost.tolist() == [55.04, 20.5, 3, 0]
    assert told(reading) == {"read as: costing 0, as they stay on in any case": 1}
    assert cost_of(reading.instance, {"p": "d"}) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "instance_type,price\ng6,1\n",
            r"prices\.csv: no row has a price for: p5 \(2 nodes\); add",
        ),
        ("type,price\ng6,1\n", r"column instance_type is missing"),
        ("instance_type,price\np5,\n", r"line 2, column price: the cell is empty"),
        ("instance_type,price\np5,-1\n", r"line 2, column price: '-1' is not a finite"),
    ],
)
def test_wrong_prices(tmp_path, text, message):
    with pytest.raises(InstanceError, match=message):
        priced(tmp_path, text, node("a", labels={TYPE: "p5"}), node("b", labels={TYPE: "p5"}))


def test_json_yaml_lists_and_streams_are_the_same(tmp_path):
    objects = [node("a"), node("b"), pod("p", "a"), pod("q"), budget("b", "some", minAvailable=0)]
    expected = read(tmp_path, *objects).instance
    texts = {
        "stream.json": "\n".join(map(json.dumps, objects)),
        "array.json": json.dumps(objects),
        "list.yaml": yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": objects}),
        "stream.yaml": yaml.safe_dump_all(objects),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        found = convert_kubernetes([tmp_path / name]).instance
        assert found.replace(name="cluster") == expected
    typed = []
    for kind, each in (("Node", objects[:2]), ("Pod", objects[2:4])):
        bare = [{key: x for key, x in one.items() if key != "kind"} for one in each]
        path = tmp_path / f"{kind}.json"
        path.write_text(json.dumps({"kind": f"{kind}List", "items": bare}))
        typed.append(path)
    assert convert_kubernetes(typed[::-1]).instance.task_ids.tolist() == ["p", "q"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("{", r"cluster, line 1: the file is not JSON"),
        ("a: [", r"cluster, line 2: the file is not YAML"),
        ("{} x", r"document 1: kind is missing"),
        ("just words", "document 1 is 'just words'; it must be a Kubernetes object"),
        ("[" * 100_000, "nested too deeply"),
        ("- " * 100_000, "not YAML|nested too deeply"),
        ('{"kind": "Pod", "metadata": {"name": "p"}, "x": NaN}', "NaN is no number of JSON"),
        ('{"kind": "Pod", "metadata": {}}', r"metadata\.name is ''; it must be letters"),
        ('{"kind": "Service", "metadata": {}}', "there is no Node in these files"),
        ('{"kind": "Node", "metadata": {"name": "a"}}', r"Node a: status\.allocatable is missing"),
        (json.dumps([node("a"), node("a")]), "Node a stands twice"),
        (
            json.dumps([node("a"), pod("p", tolerations=[{"operator": "Some"}])]),
            r"Pod default/p: spec\.tolerations\[0\]\.operator is 'Some'",
        ),
        (
            json.dumps([node("a"), pod("p", affinity=near_nodes([("k", "In")]))]),
            r"matchExpressions\[0\]\.values is empty; In needs one or more",
        ),
        (
            json.dumps([node("a"), pod("p"), budget("b", "x", minAvailable="half")]),
            r"PodDisruptionBudget default/b: spec\.minAvailable is 'half'",
        ),
    ],
)
def test_each_error_names_the_place(tmp_path, text, message):
    path = tmp_path / "cluster"
    path.write_text(text)
    with pytest.raises(InstanceError, match=message) as refusal:
        convert_kubernetes([path])
    assert str(path) in str(refusal.value)
    with pytest.raises(InstanceError, match="no file is given"):
        convert_kubernetes([])


def test_what_is_not_modelled_is_a_warning_in_python(tmp_path):
    soft = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{}]}}
    path = tmp_path / "cluster.json"
    path.write_text(json.dumps([node("a"), pod("p", affinity=soft), pod("q", affinity=soft)]))
    with pytest.warns(NodewiseWarning, match=r"preferred podAffinity: 2 pods \(such as default/p"):
        READERS["kubernetes"]([path])


# Eligibility against the words of the documentation, read once more.


def expected_nodes(objects, spec):
    """The nodes that may take a new pod, by the words of the documentation."""
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    found = set()
    for each in objects:
        labels = each["metadata"]["labels"]
        fits = all(labels.get(k) == v for k, v in spec.get("nodeSelector", {}).items())
        affinity = spec.get("affinity", {}).get("nodeAffinity", {}).get(key)
        if affinity is not None:
            fits = fits and any(
                bool(term["matchExpressions"])
                and all(expression_holds(labels, one) for one in term["matchExpressions"])
                for term in affinity["nodeSelectorTerms"]
            )
        for taint in each["spec"]["taints"]:
            if taint["effect"] != "PreferNoSchedule":
                fits = fits and any(is_tolerated(taint, one) for one in spec["tolerations"])
        if fits:
            found.add(each["metadata"]["name"])
    return found


def expression_holds(labels, one):
    has, value = one["key"] in labels, labels.get(one["key"])
    if one["operator"] in ("Gt", "Lt"):
        if not has or not value.isdigit():
            return False
        more = int(value) - int(one["values"][0])
        return more > 0 if one["operator"] == "Gt" else more < 0
    return {
        "In": value in one["values"],
        "NotIn": value not in one["values"],
        "Exists": has,
        "DoesNotExist": not has,
    }[one["operator"]]


def is_tolerated(taint, one):
    if one.get("effect", taint["effect"]) != taint["effect"]:
        return False
    if one["operator"] == "Exists":
        return one.get("key", taint["key"]) == taint["key"]
    return (one["key"], one["value"]) == (taint["key"], taint["value"])


def drawn_cluster(draw):
    values = {"x": ["1", "2", "30"], "y": ["a", ""], TYPE: ["p", "q"]}
    nodes = [
        node(
            f"n{k}",
            labels={key: draw.choice(some) for key, some in values.items() if draw.random() < 0.7},
            taints=[
                {"key": "t", "value": v, "effect": effect}
                for v in "12"
                for effect in ("NoSchedule", "NoExecute", "PreferNoSchedule")
                if draw.random() < 0.12
            ],
        )
        for k in range(draw.randint(1, 6))
    ]
    pods = []
    for k in range(6):
        expressions = [
            (key, op, *([draw.choice(["1", "2", "29"])] if op in ("Gt", "Lt") else []))
            if op in ("Gt", "Lt", "Exists", "DoesNotExist")
            else (key, op, *draw.sample(values[key], draw.randint(1, 2)))
            for key, op in (
                (draw.choice(list(values)), draw.choice(["In", "NotIn", "Exists", "DoesNotExist"]))
                if draw.random() < 0.7
                else ("x", draw.choice(["Gt", "Lt"]))
                for _ in range(draw.randint(0, 3))
            )
        ]
        cut = draw.randint(0, len(expressions))
        spec = {
            "tolerations": draw.choice(
                [
                    [],
                    [{"operator": "Exists"}],
                    [{"key": "t", "operator": "Equal", "value": "1"}],
                    [{"key": "t", "operator": "Exists", "effect": "NoSchedule"}],
                ]
            )
        }
        if draw.random() < 0.6:
            spec["affinity"] = near_nodes(expressions[:cut], expressions[cut:])
        if draw.random() < 0.3:
            spec["nodeSelector"] = {"y": draw.choice(values["y"])}
        pods.append(pod(f"p{k}", **spec))
    return nodes, pods


def test_eligibility_is_that_of_the_documentation(tmp_path):
    draw = random.Random(7)
    for _ in range(cases(60, 3000)):
        nodes, pods = drawn_cluster(draw)
        reading = read(tmp_path, *nodes, *pods)
        for each in pods:
            name, expected = each["metadata"]["name"], expected_nodes(nodes, each["spec"])
            if expected:
                assert allowed(reading, name) == expected
            else:
                assert name not in reading.instance.task_ids.tolist()


# The published trace as objects.


def pods_of_the_trace(path: Path) -> list[object]:
    """The pods of the trace, by its own rule."""
    objects = []
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            marks = {}
            if int(row["num_gpu"]):
                marks = {"gpu-count": row["num_gpu"], "gpu-milli": row["gpu_milli"]}
                if row.get("gpu_spec"):
                    marks["gpu-card-model"] = row["gpu_spec"]
            requests = {"cpu": f"{row['cpu_milli']}m", "memory": f"{row['memory_mib']}Mi"}
            objects.append(
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {
                        "name": row["name"],
                        "annotations": {f"alibabacloud.com/{k}": v for k, v in marks.items()},
                    },
                    "spec": {"containers": [{"resources": {"requests": requests}}]},
                }
            )
    return objects


@pytest.mark.data
@pytest.mark.parametrize("name", ["default", "gpuspec33", "multigpu20"][: cases(2, 3)])
def test_the_openb_trace_is_read_the_same(tmp_path, data_dir, name):
    table = data_dir / "openb" / f"openb_pod_list_{name}.csv"
    path = tmp_path / f"{table.stem}.json"
    path.write_text(json.dumps({"kind": "List", "items": pods_of_the_trace(table)}))
    nodes = data_dir / "kubernetes" / "openb_node_list_gpu_node.yaml"
    reading = convert_kubernetes([nodes, path])
    expected = read_openb([data_dir / "openb" / "openb_node_list_gpu_node.csv", table])
    assert reading.instance == expected
    assert [note.kind for note in reading.notes if note.kind != "read as"] == []
    write_instance(expected, tmp_path / "openb.json")
    write_instance(reading.instance, tmp_path / "kubernetes.json")
    assert (tmp_path / "openb.json").read_bytes() == (tmp_path / "kubernetes.json").read_bytes()


@pytest.mark.data
def test_the_openb_trace_has_the_same_optimum(tmp_path, data_dir):
    """Of some nodes and of the first pods, so that it is proved within seconds."""
    table = data_dir / "openb" / "openb_pod_list_default.csv"
    nodes = data_dir / "kubernetes" / "openb_node_list_gpu_node.yaml"
    (tmp_path / "pods.json").write_text(json.dumps(pods_of_the_trace(table)))
    ours = convert_kubernetes([nodes, tmp_path / "pods.json"]).instance
    theirs = read_openb([data_dir / "openb" / "openb_node_list_gpu_node.csv", table])
    few = range(0, 1213, 200), range(40)
    results = [solve(each.restrict(*map(list, few)), time_limit=60) for each in (ours, theirs)]
    assert results[0].status.value == "optimal"
    assert results[0].cost == results[1].cost
