"""Files of instances, allocations and results: exact round trips, and errors that say where."""

from __future__ import annotations

import csv
import json
import math
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_instances import random_instances

from solver.errors import AllocationError, InstanceError
from solver.files.allocation import read_allocation, write_allocation
from solver.files.instance import read_instance, write_instance
from solver.files.loads import write_loads
from solver.files.result import result_to_json, write_result
from solver.judge.cost import cost_of, node_costs
from solver.model.allocation import Allocation
from solver.model.instance import Instance, Node, Task
from solver.model.result import Progress, Result, Status, Termination

FORMS = ["instance.json", "instance.zip", "folder"]


def full_instance() -> Instance:
    return Instance(
        nodes=[
            Node("a", 10, storage=64, price=3, overload_price=7.25, kind="V100"),
            Node("b", 0.1, storage=math.inf, kind='A, or "B"', resources={"cpu": 4, "slots": 0}),
            Node("ü\r\n", 2**70, storage=1e300, price=10**30, resources={"cpu": 1 / 3}),
        ],
        tasks=[
            Task("t|0", 1, storage=0.5, eligible=["V100", "b"]),
            Task(" t,1 ", 2**63, resources={"cpu": 0.25}),
            Task('"t2"', 0, eligible=["a"]),
            Task("t3\r", 5e-324),
        ],
        max_load=1.25,
        power_off=True,
        name="all: ü",
    )


def small_instance() -> Instance:
    return Instance(
        nodes=[Node("a", 10, storage=4), Node("b", 0, resources={"cpu": 2})],
        tasks=[Task("t0", 6, storage=1), Task("t1", 9, storage=2, resources={"cpu": 1})],
    )


@pytest.mark.parametrize("form", FORMS)
def test_every_feature_survives_a_round_trip(tmp_path: Path, form: str) -> None:
    instance = full_instance()
    write_instance(instance, tmp_path / form)
    again = read_instance(tmp_path / form)
    assert again == instance
    for name in ("node_compute", "node_storage", "node_price", "task_compute"):
        mine, theirs = getattr(instance, name).tolist(), getattr(again, name).tolist()
        assert list(map(repr, mine)) == list(map(repr, theirs))
    assert [path.name for path in tmp_path.iterdir()] == [form]


@pytest.mark.parametrize("form", FORMS)
def test_integers_on_both_sides_of_int64_survive(tmp_path: Path, form: str) -> None:
    """NumPy makes floats of [1, 2**63], which cannot hold 2**63 + 1."""
    instance = Instance([Node("a", 1), Node("b", 2**63 + 1)], [])
    write_instance(instance, tmp_path / form)
    assert read_instance(tmp_path / form).node_compute.tolist() == [1, 2**63 + 1]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("integers", [True, False])
def test_random_instances_survive_a_round_trip(tmp_path: Path, form: str, integers: bool) -> None:
    for instance in random_instances(40, seed=11, integers=integers):
        write_instance(instance, tmp_path / form)
        assert read_instance(tmp_path / form) == instance


amounts = st.one_of(
    st.integers(0, 2**80),
    st.floats(0, 1.7e308, allow_nan=False),
    st.sampled_from([0, 1, 0.1, 2**53, 2**63, 1e22, 5e-324]),
)
texts = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(",|\"'\r\n\t\ufeff "), min_size=1
)


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    node_ids = draw(st.lists(texts, min_size=1, max_size=3, unique=True))
    task_ids = draw(st.lists(texts, max_size=4, unique=True))
    kinds = draw(st.lists(texts, min_size=1, max_size=2))
    names = draw(st.lists(texts.map(lambda name: f"r{name}r"), max_size=2, unique=True))

    def resources() -> dict[str, int | float]:
        return {name: draw(amounts) for name in names}

    nodes = [
        Node(
            node,
            draw(amounts),
            storage=draw(st.one_of(st.just(math.inf), amounts)),
            price=draw(st.none() | amounts),
            overload_price=draw(st.none() | amounts),
            kind=draw(st.none() | st.sampled_from(kinds)),
            resources=resources(),
        )
        for node in node_ids
    ]
    labels = sorted({*node_ids, *(node.kind for node in nodes if node.kind is not None)})
    lists = st.none() | st.lists(st.sampled_from(labels), min_size=1, max_size=3)
    tasks = [
        Task(
            task,
            draw(amounts),
            storage=draw(amounts),
            eligible=draw(lists),
            resources=draw(st.sampled_from([{}, resources()])),
        )
        for task in task_ids
    ]
    return Instance(
        nodes,
        tasks,
        max_load=draw(st.none() | st.floats(0.1, 10) | st.integers(1, 9)),
        power_off=draw(st.booleans()),
        name=draw(st.none() | st.text(st.characters(exclude_categories=["Cs"]))),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("round-trip")


@given(instance=instances())
def test_any_instance_survives_json_and_csv(folder: Path, instance: Instance) -> None:
    write_instance(instance, folder / "instance.json")
    assert read_instance(folder / "instance.json") == instance
    between = any("|" in label for labels in instance.groups for label in labels or ())
    if between:
        with pytest.raises(InstanceError, match="JSON"):
            write_instance(instance, folder / "csv")
        return
    for form in ("csv", "csv.zip"):
        write_instance(instance, folder / form)
        assert read_instance(folder / form) == instance


def test_only_what_differs_from_the_defaults_is_written(tmp_path: Path) -> None:
    instance = Instance(
        [Node("a", 4), Node("b", 4.0, storage=2.5, price=4, overload_price=5)],
        [Task("t", 1), Task("u", 1.5, storage=1, eligible=["b"])],
    )
    path = tmp_path / "i.json"
    write_instance(instance, path)
    assert json.loads(path.read_text()) == {
        "schema": "nodewise/1",
        "nodes": [
            {"id": "a", "compute": 4},
            {"id": "b", "compute": 4, "storage": 2.5, "overload_price": 5},
        ],
        "tasks": [
            {"id": "t", "compute": 1},
            {"id": "u", "compute": 1.5, "storage": 1, "eligible": ["b"]},
        ],
    }
    write_instance(instance, tmp_path / "i")
    assert (tmp_path / "i/nodes.csv").read_text() == (
        "id,compute,storage,overload_price\na,4,,4\nb,4,2.5,5\n"
    )
    assert (tmp_path / "i/tasks.csv").read_text() == (
        "id,compute,storage,eligible\nt,1,0,\nu,1.5,1,b\n"
    )


def test_equal_instances_give_equal_zips(tmp_path: Path) -> None:
    write_instance(full_instance(), tmp_path / "one.zip")
    write_instance(full_instance(), tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_zip_may_hold_the_files_in_one_folder(tmp_path: Path) -> None:
    write_instance(full_instance(), tmp_path / "data")
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for path in (tmp_path / "data").iterdir():
            archive.write(path, f"data/{path.name}")
        archive.writestr("__MACOSX/data/._nodes.csv", b"\x00")
    assert read_instance(tmp_path / "data.zip") == full_instance()


def test_empty_cells_take_the_defaults(tmp_path: Path) -> None:
    make_folder(
        tmp_path,
        nodes="\ufeffid, compute,storage,price,overload_price,kind,cpu\n"
        "a,4,,,,,\nb, 5 ,inf,2,,K,1.5\n\nc,6,7,2,3,,\n",
        tasks="id,compute,storage,eligible,cpu\nt,1,,,\n\nu,2,3,K|a,1\n",
    )
    assert read_instance(tmp_path) == Instance(
        [
            Node("a", 4),
            Node("b", 5, price=2, kind="K", resources={"cpu": 1.5}),
            Node("c", 6, storage=7, price=2, overload_price=3),
        ],
        [Task("t", 1), Task("u", 2, storage=3, eligible=["a", "K"], resources={"cpu": 1})],
    )


def test_json_null_takes_the_default(tmp_path: Path) -> None:
    path = tmp_path / "i.json"
    path.write_text(
        '{"name": null, "max_load": null, "power_off": null, "nodes": [{"id": "a", "compute": 4,'
        ' "storage": null, "price": null, "kind": null, "resources": null}], "tasks":'
        ' [{"id": "t", "compute": 1, "storage": null, "eligible": null, "resources": null}]}'
    )
    assert read_instance(path) == Instance([Node("a", 4)], [Task("t", 1)])


def test_a_list_of_many_nodes_fits_in_a_cell(tmp_path: Path) -> None:
    ids = [f"a-node-with-a-long-name-{i}" for i in range(8000)]
    instance = Instance([Node(i, 1) for i in ids], [Task("t", 1, eligible=ids)])
    limit = csv.field_size_limit()
    write_instance(instance, tmp_path / "wide.zip")
    assert read_instance(tmp_path / "wide.zip") == instance
    assert csv.field_size_limit() == limit


def make_folder(folder: Path, nodes: str | None, tasks: str | None) -> None:
    for name, text in (("nodes.csv", nodes), ("tasks.csv", tasks)):
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8", newline="")


NODES = "id,compute,storage\na,10,4\nb,10,4\n"
TASKS = "id,compute,storage\nt0,1,1\nt1,2,1\n"

BAD_FOLDERS: dict[str, tuple[str | None, str | None, list[str]]] = {
    "nodes missing": (None, TASKS, ["nodes.csv"]),
    "tasks missing": (NODES, None, ["tasks.csv"]),
    "nodes empty": ("", TASKS, ["nodes.csv", "empty"]),
    "tasks empty": (NODES, " \n", ["tasks.csv", "empty"]),
    "no node": ("id,compute\n", TASKS, ["nodes", "at least one node"]),
    "column missing": (NODES, "id,storage\nt0,1\n", ["tasks.csv, line 1", "compute"]),
    "column misspelt": ("id,Compute\na,1\n", TASKS, ["nodes.csv, line 1", "compute", "'Compute'"]),
    "semicolons": ("id;compute\na;1\n", TASKS, ["nodes.csv, line 1", "commas"]),
    "column twice": ("id,compute,compute\na,1,1\n", TASKS, ["nodes.csv, line 1", "twice"]),
    "column unnamed": ("id,compute,\na,1,\n", TASKS, ["nodes.csv, line 1", "column 3"]),
    "case of a field": ("id,compute,Price\na,1,1\n", TASKS, ["column Price", "price"]),
    "field of a node": (NODES, "id,compute,kind\nt0,1,A\n", ["tasks.csv", "column kind"]),
    "cells missing": (NODES, "id,compute,storage\nt0,1,1\n\nt1,2\n", ["tasks.csv, line 4", "2 "]),
    "cells too many": (NODES, TASKS + "t2,1,1,9\n", ["tasks.csv, line 4", "4 cells"]),
    "quote open": (NODES, TASKS + '"t2,1,1\n', ["tasks.csv", "CSV"]),
    "text for number": (NODES, TASKS + "t2,many,1\n", ["tasks.csv, line 4", "compute", "'many'"]),
    "number of Python": (NODES, TASKS + "t2,1_000,1\n", ["line 4", "compute", "'1_000'"]),
    "digits of Unicode": (NODES, TASKS + "t2,\u0661,1\n", ["line 4", "compute", "'\u0661'"]),
    "negative": ("id,compute,storage\na,1,-1\n", TASKS, ["nodes.csv, line 2", "storage", "'-1'"]),
    "nan": ("id,compute,storage\na,1,NaN\n", TASKS, ["nodes.csv, line 2", "storage", "NaN"]),
    "infinite compute": ("id,compute\na,inf\n", TASKS, ["nodes.csv, line 2", "compute", "'inf'"]),
    "storage above floats": ("id,compute,storage\na,1,1e400\n", TASKS, ["line 2", "'1e400'"]),
    "compute above floats": (f"id,compute\na,1{'0' * 400}\n", TASKS, ["compute", "too large"]),
    "endless integer": (f"id,compute\na,{'9' * 5000}\n", TASKS, ["line 2", "compute"]),
    "compute empty": (NODES, TASKS + "t2,,1\n", ["tasks.csv, line 4", "compute", "empty"]),
    "id empty": (NODES, TASKS + ",1,1\n", ["tasks.csv, line 4", "column id", "empty"]),
    "id twice": (NODES, TASKS + "\nt0,1,1\n", ["tasks.csv, line 5", "'t0'", "line 2"]),
    "unknown label": (
        NODES,
        'id,compute,eligible\n"t\n0",1,b\nt1,1,a|A100\n',
        ["tasks.csv, line 4", "eligible", "'A100'"],
    ),
    "label empty": (NODES, "id,compute,eligible\nt0,1,a|\n", ["line 2", "eligible", "''"]),
    "unknown resource": (NODES, "id,compute,gpu\nt0,1,1\n", ["tasks.csv", "column gpu"]),
    "resource not a number": (
        "id,compute,comment\na,1,old\n",
        TASKS,
        ["nodes.csv, line 2", "comment", "'old'"],
    ),
}


@pytest.mark.parametrize("case", BAD_FOLDERS)
def test_bad_tables_name_file_line_and_column(tmp_path: Path, case: str) -> None:
    nodes, tasks, wanted = BAD_FOLDERS[case]
    make_folder(tmp_path, nodes, tasks)
    with pytest.raises(InstanceError) as caught:
        read_instance(tmp_path)
    for text in wanted:
        assert text in str(caught.value)


def record(**changes: Any) -> dict[str, Any]:
    node: dict[str, Any] = {"id": "a", "compute": 10}
    task: dict[str, Any] = {"id": "t", "compute": 1}
    loaded: dict[str, Any] = {"nodes": [node], "tasks": [task]}
    for place, value in changes.items():
        where, _, key = place.partition("_")
        target = {"node": node, "task": task}.get(where, loaded)
        target[key if target is not loaded else place] = value
    return loaded


BAD_JSON: dict[str, tuple[str, list[str]]] = {
    "empty": ("", ["empty"]),
    "cut short": ('{"nodes": [\n{"id": "a", "comp', ["line 2, column 13", "JSON"]),
    "array": ("[]", ["array", "nodes"]),
    "number": ("3", ["number"]),
    "nested": ("[" * 100_000, ["nested"]),
    "NaN": ('{"nodes": [{"id": "a", "compute": 1, "storage": NaN}]}', ["NaN"]),
    "infinity": ('{"nodes": [{"id": "a", "compute": 1, "storage": Infinity}]}', ["Infinity"]),
    "endless integer": ('{"max_load": ' + "9" * 5000 + "}", ["too large"]),
    "key twice": ('{"nodes": [{"id": "a", "compute": 1, "compute": 2}]}', ["'compute'", "'a'"]),
    "no nodes": ('{"tasks": []}', ["nodes", "missing"]),
    "no tasks": ('{"nodes": []}', ["tasks", "missing"]),
    "nodes object": ('{"nodes": {}, "tasks": []}', ["nodes", "object"]),
    "node text": ('{"nodes": ["a"], "tasks": []}', ["nodes[0]", "string"]),
    "node list empty": ('{"nodes": [], "tasks": []}', ["nodes", "empty"]),
    "schema": (
        json.dumps(record(schema="nodewise/3")),
        ["nodewise/3", "'nodewise/1' and 'nodewise/2'"],
    ),
    "unknown key": (json.dumps(record(maxload=1)), ["'maxload'", "did you mean 'max_load'"]),
    "unknown key of a task": (
        json.dumps(record(task_storge=1)),
        ["tasks[0] ('t')", "'storge'", "did you mean 'storage'"],
    ),
    "id missing": ('{"nodes": [{"compute": 1}], "tasks": []}', ["nodes[0]", "id is missing"]),
    "compute missing": (
        '{"nodes": [{"id": "a", "price": 1}], "tasks": []}',
        ["nodes[0] ('a')", "compute is missing"],
    ),
    "id number": (json.dumps(record(node_id=7)), ["nodes[0]", "id", "7"]),
    "compute text": (json.dumps(record(task_compute="12")), ["'t'", "compute", "'12'"]),
    "compute null": (json.dumps(record(task_compute=None)), ["'t'", "compute", "None"]),
    "compute true": (json.dumps(record(task_compute=True)), ["'t'", "compute", "True"]),
    "storage negative": (json.dumps(record(node_storage=-1)), ["'a'", "storage", "-1"]),
    "storage above floats": (
        '{"nodes": [{"id": "a", "compute": 1, "storage": 1e400}], "tasks": []}',
        ["nodes[0] ('a')", "storage", "too large"],
    ),
    "price text": (json.dumps(record(node_price="x")), ["'a'", "price", "'x'"]),
    "kind number": (json.dumps(record(node_kind=1)), ["'a'", "kind", "1"]),
    "resources list": (json.dumps(record(node_resources=[])), ["'a'", "resources"]),
    "resource text": (json.dumps(record(node_resources={"cpu": "2"})), ["'a'", "cpu", "'2'"]),
    "unknown resource": (
        json.dumps(record(node_resources={"cpu": 2}, task_resources={"cpus": 1})),
        ["tasks[0] ('t')", "'cpus'", "did you mean 'cpu'"],
    ),
    "eligible text": (json.dumps(record(task_eligible="a")), ["tasks[0] ('t')", "eligible"]),
    "eligible numbers": (json.dumps(record(task_eligible=[1])), ["tasks[0] ('t')", "eligible"]),
    "eligible empty": (json.dumps(record(task_eligible=[])), ["tasks[0] ('t')", "eligible"]),
    "unknown label": (
        json.dumps(record(task_eligible=["a", "A100"])),
        ["tasks[0] ('t')", "eligible", "'A100'"],
    ),
    "max_load text": (json.dumps(record(max_load="2")), ["max_load", "'2'"]),
    "power_off number": (json.dumps(record(power_off=1)), ["power_off", "1"]),
    "name number": (json.dumps(record(name=1)), ["name", "1"]),
}


@pytest.mark.parametrize("case", BAD_JSON)
def test_bad_json_names_record_and_key(tmp_path: Path, case: str) -> None:
    text, wanted = BAD_JSON[case]
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InstanceError) as caught:
        read_instance(path)
    for part in ["bad.json", *wanted]:
        assert part in str(caught.value)


def test_duplicate_ids_in_json_are_refused(tmp_path: Path) -> None:
    loaded = record()
    loaded["tasks"] *= 2
    (tmp_path / "bad.json").write_text(json.dumps(loaded))
    with pytest.raises(InstanceError, match="task 't': the id stands twice"):
        read_instance(tmp_path / "bad.json")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_other_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    text = json.dumps(record(name="für"), ensure_ascii=False)
    (tmp_path / "bad.json").write_bytes(text.encode(encoding))
    with pytest.raises(InstanceError, match=r"bad.json, line 1: .*UTF-8"):
        read_instance(tmp_path / "bad.json")
    make_folder(tmp_path, NODES, None)
    (tmp_path / "tasks.csv").write_bytes("id,compute\nü,1\n".encode(encoding))
    with pytest.raises(InstanceError, match=r"tasks.csv, line \d: .*UTF-8"):
        read_instance(tmp_path)


def test_a_path_that_is_no_instance_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match=r"none.json: there is no such file"):
        read_instance(tmp_path / "none.json")
    with pytest.raises(InstanceError, match=r"there is no nodes.csv"):
        read_instance(tmp_path)
    make_folder(tmp_path, NODES, TASKS)
    with pytest.raises(InstanceError, match="one table"):
        read_instance(tmp_path / "nodes.csv")


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    whole, damaged = tmp_path / "whole.zip", tmp_path / "damaged.zip"
    write_instance(full_instance(), whole)
    data = whole.read_bytes()
    middle = data.index(b"nodes.csv") + 40
    garbled = data[:middle] + b"\xff" * 8 + data[middle + 8 :]
    for broken in (b"", b"no zip", data[:60], garbled):
        damaged.write_bytes(broken)
        with pytest.raises(InstanceError, match=r"damaged.zip"):
            read_instance(damaged)


@pytest.mark.parametrize(
    ("kind", "at", "value", "says"),
    [
        (zipfile.ZIP_DEFLATED, 8, 1, "encrypted"),  # the flag, in the directory
        (zipfile.ZIP_DEFLATED, 45, 255, "the zip cannot be read"),  # an offset past the end
        (zipfile.ZIP_DEFLATED, 10, 99, "the zip cannot be read"),  # an unknown compression
        (zipfile.ZIP_BZIP2, None, None, "the zip cannot be read"),
        (zipfile.ZIP_LZMA, None, None, "the zip cannot be read"),
    ],
)
def test_damage_to_a_zip_of_any_kind_is_one_error(
    tmp_path: Path, kind: int, at: int | None, value: int | None, says: str
) -> None:
    path = tmp_path / "i.zip"
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("nodes.csv", NODES)
    data = bytearray(path.read_bytes())
    if at is None or value is None:
        data[45:55] = b"damaged..."
    else:
        data[data.index(b"PK\x01\x02") + at] = value
        if at == 8:
            data[6] = value
    path.write_bytes(data)
    with pytest.raises(InstanceError, match=rf"i\.zip: .*{says}"):
        read_instance(path)


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_fills_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    """The bytes are counted, whatever size the header claims."""
    monkeypatch.setattr("solver.files.archive.UNPACKED_LIMIT", 2**20)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("nodes.csv", NODES)
        archive.writestr("tasks.csv", b"0" * 2**24)
    data = path.read_bytes().replace((2**24).to_bytes(4, "little"), (99).to_bytes(4, "little"))
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(InstanceError, match=r"bomb\.zip: .*(unpack to more than|cannot be read)"):
        read_instance(path)
    assert tracemalloc.get_traced_memory()[1] < 2**27
    tracemalloc.stop()


def test_the_limit_of_a_zip_is_for_its_files_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_instance(small_instance(), tmp_path / "i.zip")
    with zipfile.ZipFile(tmp_path / "i.zip") as archive:
        sizes = [info.file_size for info in archive.infolist()]
    monkeypatch.setattr("solver.files.archive.UNPACKED_LIMIT", sum(sizes))
    assert read_instance(tmp_path / "i.zip") == small_instance()
    monkeypatch.setattr("solver.files.archive.UNPACKED_LIMIT", sum(sizes) - 1)
    with pytest.raises(InstanceError, match="unpack it and name the folder"):
        read_instance(tmp_path / "i.zip")


@pytest.mark.parametrize("where", ["name", "id", "kind", "resources", "eligible"])
def test_half_a_surrogate_pair_in_json_is_refused(tmp_path: Path, where: str) -> None:
    content = record(name="NAME", node_id="ID", node_kind="KIND", node_resources={"RES": 1})
    content["tasks"][0]["eligible"] = ["KIND"]
    mark = {"name": "NAME", "id": "ID", "kind": "KIND", "resources": "RES", "eligible": "KIND"}
    path = tmp_path / "i.json"
    path.write_text(json.dumps(content))
    read_instance(path)
    path.write_text(json.dumps(content).replace(f'"{mark[where]}"', '"\\ud800"'))
    with pytest.raises(InstanceError, match=r"i\.json: .*\\ud800.*valid Unicode text"):
        read_instance(path)


@pytest.mark.parametrize("digits", [308, 309, 400, 4300, 5000])
@pytest.mark.parametrize("key", ["compute", "storage", "price", "max_load"])
def test_numbers_of_hundreds_of_digits_are_held_or_refused(
    tmp_path: Path, digits: int, key: str
) -> None:
    path = tmp_path / "i.json"
    content = json.dumps(record(**{"max_load" if key == "max_load" else f"node_{key}": "HERE"}))
    path.write_text(content.replace('"HERE"', "9" * digits))
    if digits == 308:
        assert read_instance(path).nodes[0].id == "a"
    else:
        with pytest.raises(InstanceError, match="too large"):
            read_instance(path)


def test_a_path_that_no_file_can_have_is_an_error() -> None:
    with pytest.raises(InstanceError, match="null"):
        read_instance("a\0b.json")


def test_a_zip_without_tables_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(InstanceError, match=r"there is no nodes.csv"):
        read_instance(tmp_path / "other.zip")


def test_settings_of_a_folder_are_checked(tmp_path: Path) -> None:
    make_folder(tmp_path, NODES, TASKS)
    (tmp_path / "instance.json").write_text('{"max_laod": 2}')
    with pytest.raises(InstanceError, match=r"instance.json: .*did you mean 'max_load'"):
        read_instance(tmp_path)


def test_what_csv_cannot_hold_is_refused_without_a_trace(tmp_path: Path) -> None:
    label = Instance([Node("a|b", 1)], [Task("t", 1, eligible=["a|b"])])
    resource = Instance([Node("a", 1, resources={"Storage": 1})], [])
    spaces = Instance([Node("a", 1, resources={" cpu": 1})], [])
    for instance in (label, resource, spaces):
        for form in ("folder", "data.zip"):
            with pytest.raises(InstanceError, match="JSON"):
                write_instance(instance, tmp_path / form)
        write_instance(instance, tmp_path / "data.json")
        assert read_instance(tmp_path / "data.json") == instance
        (tmp_path / "data.json").unlink()
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_files(tmp_path: Path) -> None:
    label = Instance([Node("a|b", 1)], [Task("t", 1, eligible=["a|b"])])
    for form in ("folder", "data.zip"):
        write_instance(small_instance(), tmp_path / form)
        with pytest.raises(InstanceError):
            write_instance(label, tmp_path / form)
        assert read_instance(tmp_path / form) == small_instance()
    names = sorted(path.name for path in tmp_path.rglob("*"))
    assert names == ["data.zip", "folder", "instance.json", "nodes.csv", "tasks.csv"]


@pytest.mark.parametrize("form", FORMS)
def test_a_missing_folder_is_an_error(tmp_path: Path, form: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"the folder .* does not exist"):
        write_instance(small_instance(), tmp_path / "none" / form)


def test_a_folder_does_not_replace_a_file(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("text")
    with pytest.raises(NotADirectoryError, match="taken"):
        write_instance(small_instance(), tmp_path / "taken")
    with pytest.raises(InstanceError, match="one table"):
        write_instance(small_instance(), tmp_path / "nodes.csv")


def test_allocation_round_trip(tmp_path: Path) -> None:
    instance = full_instance()
    allocation = Allocation(instance, [0, 2, 0, 1])
    write_allocation(allocation, tmp_path / "allocation.csv")
    assert read_allocation(instance, tmp_path / "allocation.csv") == allocation


def test_rows_of_an_allocation_come_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "allocation.csv"
    path.write_text("note,node_id,task_id\nx,b,t1\n,a,t0\n")
    assert read_allocation(small_instance(), path).node_index.tolist() == [0, 1]


def test_an_allocation_of_no_tasks(tmp_path: Path) -> None:
    instance, path = Instance([Node("a", 1)], []), tmp_path / "allocation.csv"
    path.write_text("task_id,node_id\n")
    assert read_allocation(instance, path).node_index.tolist() == []
    path.write_text("task_id,node_id\nt,a\n")
    with pytest.raises(AllocationError, match="line 2, column task_id: task 't'"):
        read_allocation(instance, path)


BAD_ALLOCATIONS: dict[str, tuple[str, list[str]]] = {
    "empty": ("", ["empty"]),
    "column missing": ("task_id,node\nt0,a\n", ["line 1", "node_id", "'node'"]),
    "unknown task": ("task_id,node_id\nt0,a\nt9,b\n", ["line 3", "'t9'"]),
    "unknown node": ("task_id,node_id\nt0,a\nt1,c\n", ["line 3", "'t1'", "'c'"]),
    "task twice": ("task_id,node_id\nt0,a\nt0,b\n", ["line 3", "'t0'", "twice"]),
    "task missing": ("task_id,node_id\nt0,a\n", ["'t1'"]),
    "tasks missing": ("task_id,node_id\n", ["'t0'", "1 more"]),
    "cells missing": ("task_id,node_id\nt0\n", ["line 2"]),
}


@pytest.mark.parametrize("case", BAD_ALLOCATIONS)
def test_bad_allocations_name_the_line(tmp_path: Path, case: str) -> None:
    text, wanted = BAD_ALLOCATIONS[case]
    path = tmp_path / "allocation.csv"
    path.write_text(text)
    with pytest.raises(AllocationError) as caught:
        read_allocation(small_instance(), path)
    for part in ["allocation.csv", *wanted]:
        assert part in str(caught.value)


def test_an_allocation_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AllocationError, match="no such file"):
        read_allocation(small_instance(), tmp_path / "none.csv")


def test_loads_of_each_node(tmp_path: Path) -> None:
    instance = small_instance()
    write_loads(Allocation(instance, [0, 1]), tmp_path / "loads.csv")
    assert (tmp_path / "loads.csv").read_text() == (
        "node_id,tasks,load,compute,utilisation,storage_used,storage,cost,cpu_used,cpu\n"
        "a,1,6,10,0.6,1,4,100,0,0\n"
        "b,1,9,0,,2,,0,1,2\n"
    )


def test_loads_of_empty_and_overloaded_nodes(tmp_path: Path) -> None:
    instance = Instance([Node("a", 3), Node("b", 7)], [Task("t", 10)], power_off=True)
    write_loads(Allocation(instance, [0]), tmp_path / "loads.csv")
    rows = (tmp_path / "loads.csv").read_text().splitlines()[1:]
    assert rows == ["a,1,10,3,3.33333,0,,30", "b,0,0,7,0,0,,0"]


@pytest.mark.parametrize("integers", [True, False])
def test_costs_of_nodes_add_up(integers: bool) -> None:
    rng = np.random.default_rng(5)
    for instance in random_instances(40, seed=3, integers=integers):
        node_index = rng.integers(0, instance.num_nodes, instance.num_tasks)
        costs = node_costs(Allocation(instance, node_index))
        total = cost_of(instance, node_index)
        assert sum(costs) == (total if integers else pytest.approx(total))


def make_result(**changes: Any) -> Result:
    instance = small_instance()
    fields: dict[str, Any] = {
        "instance": instance,
        "method": "greedy",
        "status": Status.FEASIBLE,
        "termination": Termination.TIME_LIMIT,
        "allocation": Allocation(instance, [0, 1]),
        "cost": 100,
        "cost_parts": {"idle": 96, "use": 0, "overload": 4},
        "bound": 75,
        "seconds": 0.5,
        "seed": 3,
        "num_workers": 2,
        "history": (Progress(0.1, None, 75), Progress(0.2, 100, 75)),
        "versions": {"python": "3"},
    }
    return Result(**{**fields, **changes})


def test_result_as_json(tmp_path: Path) -> None:
    result = make_result()
    write_result(result, tmp_path / "result.json")
    loaded = json.loads((tmp_path / "result.json").read_text())
    assert loaded == result_to_json(result)
    assert loaded == {
        "schema": "nodewise-result/1",
        "instance": None,
        "method": "greedy",
        "status": "feasible",
        "termination": "time limit",
        "cost": 100,
        "cost_parts": {"idle": 96, "use": 0, "overload": 4},
        "energy": None,
        "bound": 75,
        "gap": 0.25,
        "seconds": 0.5,
        "seed": 3,
        "num_workers": 2,
        "versions": {"python": "3"},
        "allocation": {"t0": "a", "t1": "b"},
        "infeasible_because": None,
        "proof": None,
        "unplaced": [],
        "message": None,
        "history": [
            {"seconds": 0.1, "cost": None, "bound": 75},
            {"seconds": 0.2, "cost": 100, "bound": 75},
        ],
    }


def test_unknown_figures_of_a_result_are_null() -> None:
    result = make_result(
        status=Status.INFEASIBLE,
        termination=Termination.PROVEN,
        allocation=None,
        cost=None,
        bound=None,
        infeasible_because="too little storage",
    )
    loaded = result_to_json(result)
    assert [loaded[key] for key in ("cost", "bound", "gap", "allocation")] == [None] * 4
    assert loaded["infeasible_because"] == "too little storage"


WRITERS: list[Callable[[Path], None]] = [
    lambda path: write_allocation(Allocation(small_instance(), [0, 1]), path),
    lambda path: write_loads(Allocation(small_instance(), [0, 1]), path),
    lambda path: write_result(make_result(), path),
]


@pytest.mark.parametrize("write", WRITERS)
def test_outputs_need_a_folder_and_a_name(tmp_path: Path, write: Callable[[Path], None]) -> None:
    with pytest.raises(FileNotFoundError, match=r"the folder .* does not exist"):
        write(tmp_path / "none" / "out")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["instance.json", "folder", "instance.zip"])
def test_the_schema_is_the_first_that_has_the_fields(form: str, tmp_path: Path) -> None:
    plain = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 2], name="x")
    for instance, schema in ((plain, 1), (plain.replace(node_use_price=[0, 2]), 2)):
        write_instance(instance, tmp_path / form)
        assert read_instance(tmp_path / form) == instance
        where = tmp_path / form
        where = where / "instance.json" if where.is_dir() else where
        assert f"nodewise/{schema}".encode() in (
            zipfile.ZipFile(where).read("instance.json")
            if form.endswith("zip")
            else where.read_bytes()
        )
