"""Slurm clusters from JSON: every shape reads equal, and what is not modelled is told."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from instances.readers import READERS, convert_slurm, read_slurm
from instances.readers.slurm.nodes import natural
from solver import (
    Instance,
    InstanceError,
    Node,
    NodewiseWarning,
    Part,
    Task,
    Variant,
    check,
    read_instance,
    solve,
)
from solver.command.cli import run
from tests.instances.slurm_shapes import JOB_SHAPES, NODE_SHAPES, new, written


def a100(name: str, partitions: str) -> Node:
    labels = {"features": "a100,nvme", "partitions": partitions}
    return Node(name, 8, 515_000, kind="a100", resources={"cpu": 64}, labels=labels)


def array(task: int, cpu: int, memory: int) -> Task:
    needs = {"cpu": cpu}
    return Task(f"1040_{task}", 0, memory, ["partitions=cpu,long"], needs, groups=["1040"])


GPU = ["partitions=gpu", "partitions=gpu,long"]
EXPECTED = Instance(
    [
        Node("cpu1", 0, 257_000, resources={"cpu": 128},
             labels={"features": "nvme", "partitions": "cpu,long"}),
        a100("gpu001", "gpu"), a100("gpu002", "gpu"), a100("gpu003", "gpu,long"),
        Node("gpu010", 4, 1_031_000, kind="h100", resources={"cpu": 96, "gres/nvme": 4 * 2**40},
             labels={"features": "h100", "partitions": "gpu"}),
    ],
    [
        array(3, 64, 102_400), *(array(task, 16, 8192) for task in (4, 6, 8)),
        Task("1041", variants=[Variant("job", 4, 256_000, {"cpu": 32}, ["a100"], parts=2)]),
        Task("1042", 4, 512_000, ["h100"], {"cpu": 32}),
        Task("1043", variants=[Variant("job", eligible=GPU, parts=[
            Part(0, 6001, {"cpu": 4}), Part(0, 3000, {"cpu": 3}),
        ])]),
        Task("1050", 2, 32 * 1024, ["a100"], {"cpu": 8}),
        Task("1051", variants=[Variant("job", 0, 1500, {"cpu": 3}, [
            "partitions=cpu,long", "partitions=gpu,long",
        ], parts=2)]),
    ],
    max_load=1,
    name="hall",
    current={
        "1040_3": "cpu1", "1041": ["gpu001", "gpu002"], "1042": "gpu010",
        "1043": ["gpu003", "gpu010"],
    },
)  # fmt: skip
GONE = "left out: jobs that run on nodes which are left out"
TOLD = [
    "left out: jobs that have ended or are ending (completed): 1 job (such as 1039)",
    "left out: nodes that are down: 1 node (such as cpu2)",
    "left out: nodes that are drained or draining: 1 node (such as gpu004)",
    f"{GONE} (all of their parts): 1 job (such as 1044)",
    "not modelled: how many tasks of an array may run at a time: 1 job (such as 1040)",
    "not modelled: dependencies on other jobs: 1 job (such as 1050)",
]


@pytest.mark.parametrize("nodes", NODE_SHAPES)
@pytest.mark.parametrize("jobs", JOB_SHAPES)
def test_all_shapes_of_a_cluster_read_equal(tmp_path: Path, nodes: str, jobs: str) -> None:
    paths = written(tmp_path, nodes, jobs)
    reading = convert_slurm(paths)
    assert reading.instance == EXPECTED
    assert list(map(str, reading.notes)) == TOLD
    assert convert_slurm(paths[::-1]).instance == EXPECTED
    assert reading.units == {"compute": "GPUs", "storage": "MiB of memory"}


def test_the_cluster_can_be_solved_and_stands_as_it_is(tmp_path: Path) -> None:
    running = convert_slurm(written(tmp_path), pending=False).instance
    assert running.num_tasks == 4
    now = {
        "1040_3": "cpu1", "1041": ["gpu001", "gpu002"], "1042": "gpu010",
        "1043": ["gpu003", "gpu010"],
    }  # fmt: skip
    assert check(running, now) == []
    instance = convert_slurm(written(tmp_path), power_off=True, skip_price=1000).instance
    assert instance.power_off is True
    assert instance.task_skip_price.tolist()[-1] == 1000
    result = solve(instance, time_limit=10, num_workers=1)
    assert result.status.value == "optimal"
    assert result.cost == 8 * 8 * 2 + 4 * 4


def test_as_a_reader(tmp_path: Path) -> None:
    assert READERS["slurm"] is read_slurm
    with pytest.warns(NodewiseWarning, match="nodes that are down: 1 node"):
        assert read_slurm(written(tmp_path)) == EXPECTED


def test_cpus_as_compute(tmp_path: Path) -> None:
    reading = convert_slurm(written(tmp_path), compute="cpu")
    assert reading.instance.node_compute.tolist() == [128, 64, 64, 64, 96]
    assert reading.instance.node_resources["gpu"].tolist() == [0, 8, 8, 8, 4]
    with pytest.raises(InstanceError, match="compute is 'tpu'"):
        convert_slurm(written(tmp_path), compute="tpu")


def test_the_verb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    files = [path.name for path in written(tmp_path)]
    assert run(["convert", "slurm", *files, "-o", "x.json"]) == 0
    assert read_instance("x.json") == EXPECTED
    units = "units: compute in GPUs, storage in MiB of memory"
    done = "written x.json (hall: 5 nodes, 9 tasks, 3 variants)"
    assert capsys.readouterr().err.splitlines() == [*TOLD, units, done]
    assert run(["convert", "slurm", *files, "-o", "x.json", "--no-pending", "--power-off"]) == 0
    assert read_instance("x.json").num_tasks == 4
    assert run(["convert", "slurm", files[0], "-o", "x.json"]) == 1
    assert "a file of `squeue --json` is missing" in capsys.readouterr().err


NODE = {"name": "n1", "cpus": 8, "real_memory": 1000, "gres": "gpu:4", "state": ["IDLE"]}
JOB = {
    "job_id": 7, "job_state": ["RUNNING"], "nodes": "n1", "node_count": 1, "partition": "p",
    "tres_alloc_str": "cpu=2,mem=100M,node=1,gres/gpu=1", "tres_req_str": "",
}  # fmt: skip
WAITS = {
    "job_id": 7, "job_state": ["PENDING"], "nodes": "", "node_count": new(1),
    "tres_req_str": "cpu=2,mem=100M,node=1,gres/gpu=1",
}  # fmt: skip


def converted(tmp_path: Path, nodes: list[Any], jobs: list[Any], **options: Any) -> Any:
    (tmp_path / "n.json").write_text(json.dumps({"nodes": nodes}))
    (tmp_path / "j.json").write_text(json.dumps({"jobs": jobs}))
    return convert_slurm([tmp_path / "n.json", tmp_path / "j.json"], **options)


def one(
    tmp_path: Path, job: dict[str, Any], *nodes: dict[str, Any]
) -> tuple[Task | None, list[str]]:
    """What a job is read as, and the notes."""
    reading = converted(tmp_path, [NODE, *nodes], [job])
    tasks = reading.instance.tasks
    return (tasks[0] if len(tasks) else None), list(map(str, reading.notes))


@pytest.mark.parametrize(
    ("state", "up"),
    [
        (["IDLE"], True), (["MIXED", "CLOUD"], True), (["ALLOCATED", "COMPLETING"], True),
        ("idle", True), ("mixed*", True), ("IDLE+PLANNED", True), (["IDLE", "RESERVED"], True),
        (["IDLE", "POWERED_DOWN"], True), ("allocated", True),
        (["DOWN"], False), ("down*", False), (["IDLE", "DRAIN"], False), ("drained", False),
        ("IDLE+DRAIN", False), (["MIXED", "DRAIN"], False), (["IDLE", "FAIL"], False),
        (["IDLE", "NOT_RESPONDING"], False), (["UNKNOWN"], False), (["FUTURE"], False),
        (["IDLE", "MAINTENANCE"], False), (["ERROR"], False), (["DOWN", "INVALID_REG"], False),
    ],
)  # fmt: skip
def test_states_of_nodes(tmp_path: Path, state: Any, up: bool) -> None:
    reading = converted(tmp_path, [NODE, {**NODE, "name": "n2", "state": state}], [])
    assert reading.instance.num_nodes == 1 + up
    assert any("nodes that are" in str(note) for note in reading.notes) != up


@pytest.mark.parametrize(
    ("state", "kept", "said"),
    [
        (["RUNNING"], True, ""), ("RUNNING", True, ""), (["RUNNING", "CONFIGURING"], True, ""),
        (["SUSPENDED"], True, "suspended jobs"), (["COMPLETING", "RUNNING"], False, "completing"),
        (["CANCELLED"], False, "cancelled"), (["NODE_FAIL"], False, "node fail"),
    ],
)  # fmt: skip
def test_states_of_jobs(tmp_path: Path, state: Any, kept: bool, said: str) -> None:
    task, notes = one(tmp_path, {**JOB, "job_state": state})
    assert (task is not None) == kept
    assert said in "".join(notes)


def test_parts_of_a_job_on_nodes_that_are_out(tmp_path: Path) -> None:
    job = {**JOB, "nodes": "n[1-3]", "tres_alloc_str": "cpu=7,mem=300M,node=3,gres/gpu=3"}
    task, notes = one(
        tmp_path, job, {**NODE, "name": "n2", "state": ["DOWN"]}, {**NODE, "name": "n3"}
    )
    assert task is not None
    variant = Variant("job", parts=(Part(1, 100, {"cpu": 3}), Part(1, 100, {"cpu": 2})))
    assert task.variants is not None
    assert task.variants[0].parts == variant.parts
    assert any("(some of their parts): 1 job (such as 7)" in note for note in notes)
    assert any("evenly shared" in note for note in notes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dependency": "afterok:1"}, "dependencies"), ({"licenses": "matlab:1"}, "licences"),
        ({"resv_name": "r"}, "reservations"), ({"contiguous": True}, "next to each other"),
        ({"minimum_tmp_disk_per_node": new(5)}, "local disk"), ({"shared": ["none"]}, "exclusive"),
        ({"exclusive": ["true"]}, "exclusive"), ({"state_reason": "JobHeldUser"}, "held"),
        ({"features": "a*2"}, "features that count"), ({"prefer": "x"}, "preferred"),
        ({"tres_req_str": "cpu=1,gres/x=1"}, "gres/x, which no node counts"),
        ({"het_job_id": new(6), "het_job_offset": new(1)}, "mixed jobs"),
    ],
)  # fmt: skip
def test_what_is_not_modelled_is_counted(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    task, notes = one(tmp_path, {**WAITS, **changes})
    assert task is not None
    assert [note for note in notes if note.startswith("not modelled") and said in note]
    assert task.id == ("6+1" if "het_job_id" in changes else "7")
    assert one(tmp_path, WAITS)[1] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"partition": "q"}, {"features": "a100"}, {"excluded_nodes": "n1"}, {"node_count": 2},
        {"required_nodes": "n9"}, {"tres_req_str": "cpu=1,gres/gpu:h100=1"},
    ],
)  # fmt: skip
def test_jobs_that_no_node_will_do_for_are_left_out(tmp_path: Path, changes: Any) -> None:
    task, notes = one(tmp_path, {**WAITS, **changes})
    assert task is None
    assert notes[0].startswith("left out: jobs that wait for nodes")
    task, notes = one(tmp_path, {**JOB, **changes})  # what runs there is not taken away
    assert task is not None
    assert task.pinned == ("n1",)


def test_places(tmp_path: Path) -> None:
    others = [
        {**NODE, "name": "n2", "partitions": ["p", "q"], "active_features": "big,ib"},
        {**NODE, "name": "n10", "partitions": ["q"], "features": ["ib"], "gres": "gpu:a:2,gpu:b:2"},
    ]

    def eligible(**changes: Any) -> Any:
        task, _ = one(tmp_path, {**WAITS, **changes}, *others)
        return None if task is None else task.pinned or task.eligible

    assert eligible() is None
    assert eligible(partition="q") == ("partitions=p,q", "partitions=q")
    assert eligible(partition="p") == ("partitions=p,q",)
    assert eligible(partition="p,q", features="ib") == ("partitions=p,q", "partitions=q")
    assert eligible(features="big|ib") == ("partitions=p,q", "partitions=q")
    assert eligible(features="(big|x)&ib") == ("partitions=p,q",)
    assert eligible(excluded_nodes="n[2,10]") == ("n1",)
    assert eligible(required_nodes="n10") == ("n10",)
    assert eligible(tres_req_str="gres/gpu=1,gres/gpu:a=1") == ("partitions=q",)


def test_a_node_that_is_called_as_a_type(tmp_path: Path) -> None:
    job = {**WAITS, "tres_req_str": "gres/gpu=1,gres/gpu:b=1"}
    for names, expected in ((["x", "y", "b"], "gpu:b"), (["x", "y", "z"], "b")):
        named = [
            {**NODE, "name": name, "gres": f"gpu:{kind}:4"}
            for name, kind in zip(names, "bba", strict=True)
        ]
        instance = converted(tmp_path, named, [job]).instance
        assert instance.tasks[0].eligible == (expected,)
        assert int(instance.eligible_nodes.sum(axis=1).min()) == 2


def test_types_of_gpus_on_one_node_are_counted_apart(tmp_path: Path) -> None:
    node = {**NODE, "gres": "gpu:a:2(S:0),gpu:b:4"}
    job = {**WAITS, "tres_req_str": "cpu=1,gres/gpu=3,gres/gpu:a=3"}
    reading = converted(tmp_path, [node], [job])
    assert reading.instance.nodes[0].kind == "a+b"
    assert reading.instance.nodes[0].resources == {"cpu": 8, "gpu:a": 2, "gpu:b": 4}
    assert reading.instance.tasks[0].resources == {"cpu": 1, "gpu:a": 3, "gpu:b": 0}


def test_what_jobs_ask_for_without_sums(tmp_path: Path) -> None:
    asked = {
        "job_id": 8, "job_state": "PENDING", "node_count": new(1), "cpus": new(4),
        "tres_per_node": "gres/gpu:2",
    }  # fmt: skip
    task, _ = one(tmp_path, {**asked, "memory_per_cpu": new(10)})
    assert task is not None
    assert (task.compute, task.storage, task.resources) == (2, 40, {"cpu": 4})
    task, _ = one(tmp_path, {**asked, "memory_per_node": new(10), "tres_per_job": "gpu:1"})
    assert task is not None
    assert (task.compute, task.storage) == (3, 10)
    task, _ = one(tmp_path, {**asked, "tres_per_node": "", "tres_per_task": "gpu:1", "tasks": 3})
    assert task is not None
    assert task.compute == 3


def test_arrays(tmp_path: Path) -> None:
    job = {**WAITS, "array_job_id": new(5), "array_task_string": "1-9:4%2", "array_max_tasks": 2}
    reading = converted(tmp_path, [NODE], [job, {**JOB, "array_job_id": 5, "array_task_id": 10}])
    assert reading.instance.task_ids.tolist() == ["5_1", "5_5", "5_9", "5_10"]
    assert {task.groups for task in reading.instance.tasks} == {("5",)}
    cut = {**job, "array_task_string": "1-3,..."}
    reading = converted(tmp_path, [NODE], [cut])
    assert reading.instance.num_tasks == 3
    assert any("SLURM_BITSTR_LEN=0" in str(note) for note in reading.notes)
    with pytest.raises(InstanceError, match="more than 1,000,000 tasks"):
        converted(tmp_path, [NODE], [{**job, "array_task_string": "0-4000000"}])
    with pytest.raises(InstanceError, match="5_1, which stands twice"):
        converted(tmp_path, [NODE], [job, {**job, "job_id": 8}])


def test_groups_of_sinfo_that_differ(tmp_path: Path) -> None:
    record = {
        "node": {"state": ["IDLE"]}, "nodes": {"nodes": ["n[1-2]"]}, "partition": {"name": "p"},
        "cpus": {"minimum": 4, "maximum": 8}, "memory": {"minimum": 10, "maximum": 10},
        "gres": {"total": ""}, "features": {"total": "x"},
    }  # fmt: skip
    (tmp_path / "n.json").write_text(json.dumps({"sinfo": [record]}))
    (tmp_path / "j.json").write_text('{"jobs": []}')
    reading = convert_slurm([tmp_path / "n.json", tmp_path / "j.json"])
    assert reading.instance.node_compute.tolist() == [4, 4]
    what = "of the cpus of the least of a group; use sinfo -N --json"
    assert [str(note) for note in reading.notes] == [f"read as: {what}: 2 nodes (such as n1, n2)"]
    other = {**record, "memory": {"minimum": 11, "maximum": 11}, "partition": {"name": "q"}}
    (tmp_path / "n.json").write_text(json.dumps({"sinfo": [record, other]}))
    with pytest.raises(InstanceError, match="'n1', which stands twice with other figures"):
        convert_slurm([tmp_path / "n.json", tmp_path / "j.json"])


@pytest.mark.parametrize(
    ("node", "job", "said"),
    [
        ({"state": ["BROKEN"]}, {}, "node 1 (n1): state is BROKEN"),
        ({"state": []}, {}, "node 1 (n1): state is empty"),
        ({"cpus": None}, {}, "node 1 (n1): cpus is missing"),
        ({"cpus": -1}, {}, "node 1 (n1): cpus is -1; it must be a whole number"),
        ({"cpus": True}, {}, "node 1 (n1): cpus is True"),
        ({"real_memory": {"set": True, "number": "x"}}, {}, "real_memory is 'x'"),
        ({"gres": "gpu:a:b:c"}, {}, "gres 'gpu:a:b:c' is no generic resource"),
        ({"name": ""}, {}, "node 1: name is missing"),
        ({"partitions": 3}, {}, "partitions is 3; it must be a list of texts"),
        ({"state": ["DOWN"]}, {}, "none of 1 nodes is up"),
        ({}, {"job_state": ["ODD"]}, "job 7: job_state is ODD"),
        ({}, {"nodes": ""}, "job 7: nodes is empty, though the job runs"),
        ({}, {"nodes": "n[1-"}, "job 7: nodes 'n[1-' is no host list"),
        ({}, {"nodes": "n[1-999999999]"}, "has more than 100,000 hosts"),
        ({}, {"tres_alloc_str": "cpu"}, "tres_alloc_str 'cpu' is no trackable resource"),
        ({}, {"tres_alloc_str": "cpu=1.5"}, "'cpu=1.5' is no whole number"),
        ({}, {"job_id": None}, "job 1: job_id is missing"),
        ({}, {"job_state": ["PENDING"], "node_count": 70_000}, "node_count is 70,000"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, node: Any, job: Any, said: str) -> None:
    with pytest.raises(InstanceError) as caught:
        converted(tmp_path, [{**NODE, **node}], [{**JOB, **job}])
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"), ("[]", "an object"), ('{"x": 1}', "this one has 'x'"),
        ("{", "line 1: the file is not JSON"), ('{"nodes": 3}', "nodes must be a list"),
        ('{"jobs": 3}', "jobs must be a list"), ('{"nodes": [3]}', "node 1 is 3"),
        ("[" * 100_000, "nested too deeply"), ('{"nodes": [%s]}' % ("9" * 5000), "too large"),
    ],
)  # fmt: skip
def test_files_that_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InstanceError, match=said):
        convert_slurm([tmp_path / "x.json"])
    paths = written(tmp_path)
    with pytest.raises(InstanceError, match="give one file"):
        convert_slurm([*paths, paths[0]])


def test_what_is_kept_for_the_system_is_not_there(tmp_path: Path) -> None:
    node = {**NODE, "effective_cpus": new(6), "specialized_memory": 100}
    reading = converted(tmp_path, [node], [])
    assert reading.instance.nodes[0].resources == {"cpu": 6}
    assert reading.instance.nodes[0].storage == 900
    assert [note.kind for note in reading.notes] == ["read as"]
    same = {**NODE, "effective_cpus": 8, "specialized_memory": 0}
    assert converted(tmp_path, [same], []).notes == ()


def test_natural_order() -> None:
    names = ["n10", "n2", "a", "n2b", "n02", "10"]
    assert sorted(names, key=natural) == ["a", "n02", "n2", "n2b", "n10", "10"]


def test_memory_is_rounded_up_to_what_a_number_holds() -> None:
    from instances.readers.slurm.values import mebibytes

    assert mebibytes(Fraction(5)) == 5
    assert mebibytes(Fraction(1, 2)) == 0.5
    assert mebibytes(Fraction(1, 3000)) == 1 / 1024
    assert mebibytes(10**7 + Fraction(1, 1024)) == 10**7 + 1


def test_prices_by_type_of_gpu(tmp_path: Path) -> None:
    table = tmp_path / "prices.csv"
    table.write_text('kind,price\na100,$21.95\nh100,"$1,027.52"\n,$4.08\n')
    instance = convert_slurm(written(tmp_path), prices=table).instance
    assert instance.node_fixed_cost.tolist() == [4.08, 21.95, 21.95, 21.95, 1027.52]
    assert instance.currency == "USD"
    for text, said in (
        ("kind,price\na100,1\n", r"no row has a price for: \(no GPU\), h100"),
        ("kind,price\n,x\n", "line 2, column price: 'x': write a number"),
        ("kind,price\n,-1\n", "it is no price"),
        ("kind,price\n,1 GB\n", "it is no price"),
        ("kind,price\n,1\n,2\n", "stands twice"),
        ("kind,price\n,$1\na100,€2\n", "line 3, column price: it is in EUR, but others are in USD"),
        ("a,b\n", "column kind is missing"),
    ):
        table.write_text(text)
        with pytest.raises(InstanceError, match=said):
            convert_slurm(written(tmp_path), prices=table)
