"""Every reader gives a valid instance or one clear error, whatever the bytes."""

from __future__ import annotations

import copy
import csv
import io
import json
import math
import warnings
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from instances.readers import read_openb
from solver.errors import AllocationError, InstanceError, NodewiseWarning
from solver.files.allocation import read_allocation, write_allocation
from solver.files.instance import read_instance, write_instance
from solver.model.instance import Instance, Node, Task
from tests.nightly import cases

COUNT = settings(max_examples=cases(1000, 100_000))

NODES = "id,compute,storage,price,kind,cpu\na,10,64,3,V100,4\nb,0.5,,7.25,A|B,\n"
TASKS = "id,compute,storage,eligible,cpu\nt0,1,0.5,V100|b,1\nt1,9223372036854775808,,,\n"
SETTINGS = '{"schema": "nodewise/1", "name": "x", "max_load": 1.25, "power_off": true}\n'
RECORD = {
    "schema": "nodewise/1",
    "name": "x",
    "max_load": 1.25,
    "power_off": True,
    "nodes": [
        {"id": "a", "compute": 10, "storage": 64, "price": 3, "resources": {"cpu": 4}},
        {"id": "b", "compute": 0.5, "overload_price": 7.25, "kind": "V100"},
    ],
    "tasks": [
        {"id": "t0", "compute": 1, "storage": 0.5, "eligible": ["V100", "a"]},
        {"id": "t1", "compute": 9223372036854775808, "resources": {"cpu": 0.25}},
    ],
}
RICH_TABLES = {
    "nodes.csv": "id,compute,storage,fixed_cost,overload_price,kind,label_zone,state,gpu\n"
    "a,8,80,23.5,4,,x,,8\nb,8,,,,V100,y,cordoned,0\n",
    "tasks.csv": "id,compute,storage,eligible,model,replicas,groups,max_loss,skip_price,move_price,"
    "pinned,node,node_variant,gpu\n"
    "t0,1,,zone=x|V100,,,g|h,,3,,,b,,1\nt1,,,,m,2,g,0.5,,2,a|b,,,\nt2,,,,,,,,,,,a,listed,\n",
    "variants.csv": "model,task,name,part,parts,compute,storage,eligible,price,loss,gpu\n"
    "m,,bf16,,2,3,1.5,,,,1\nm,,fp8,,,2,,zone=y,1.5,0.5,\n"
    ",t2,listed,,,,,a|b,2,,\n,t2,listed,1,,1,,,,,2\n,t2,listed,2,,2,,b,,,\n,t2,one,,,1,,,,,\n",
    "instance.json": '{"schema": "nodewise/2", "rules": [{"rule": "limit", "group": "g", "domain":'
    ' "zone", "max": 3}], "quality_budget": 1, "max_moves": 3, "currency": "EUR"}\n',
}
RICH_RECORD: dict[str, Any] = {
    "schema": "nodewise/2",
    "models": {
        "m": [
            {"name": "bf16", "compute": 3, "storage": 1.5, "parts": 2, "resources": {"gpu": 1}},
            {"name": "fp8", "compute": 2, "eligible": ["zone=y"], "price": 1.5, "loss": 0.5},
        ]
    },
    "rules": [
        {"rule": "limit", "group": "g", "domain": "zone", "max": 3},
        {"rule": "spread", "group": "g", "domain": "node", "max_skew": 1, "min_domains": 2},
        {"rule": "affinity", "group": "t1", "domain": "kind", "with": "h"},
        {"rule": "anti-affinity", "group": "g", "with": "h", "domain": "zone"},
    ],
    "quality_budget": 1,
    "quality_price": 0.5,
    "current": {
        "t0": "b",
        "t1-0": {"node": ["a", "b"], "variant": "bf16"},
        "t2": {"node": [None, "b"], "variant": "listed"},
    },
    "move_price": 1,
    "max_moves": 3,
    "max_moving": {"g": 1},
    "currency": "EUR",
    "nodes": [
        {"id": "a", "compute": 8, "fixed_cost": 23.5, "overload_price": 4, "labels": {"zone": "x"}},
        {"id": "b", "compute": 8, "kind": "V100", "state": "cordoned", "labels": {"zone": "y"}},
        {"id": "c", "compute": 8, "resources": {"gpu": 8}},
    ],
    "tasks": [
        {"id": "t0", "compute": 1, "eligible": ["zone=x"], "groups": ["g", "h"], "skip_price": 3},
        {"id": "t1", "model": "m", "replicas": 2, "max_loss": 0.5, "move_price": 2, "pinned": "a"},
        {
            "id": "t2",
            "groups": ["g"],
            "pinned": ["a", "b"],
            "variants": [
                {"name": "listed", "parts": [{"compute": 1}, {"compute": 2, "eligible": ["b"]}]},
                {"name": "one", "compute": 1},
            ],
        },
    ],
}
PLACED = "task_id,node_id\nt0,a\nt1,b\n"
RICH_PLACED = (
    "task_id,node_id,variant,part\n"
    "t0,,,\nt1-0,a,bf16,\nt1-0,b,bf16,\nt1-1,b,fp8,1\nt2,a,listed,2\nt2,b,listed,1\n"
)
SMALL = Instance([Node("a", 10), Node("b", 8)], [Task("t0", 3), Task("t1", 4)])
OPENB_NODES = "sn,cpu_milli,memory_mib,gpu,model\nn0,64000,262144,2,P100\nn1,96000,393216,0,\n"
OPENB_PODS = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n"
    "p0,12000,16384,1,460,G2|P100\np1,4,5,0,0,\n"
)

PIECES = [
    *(b"", b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b'"', b"\r", b"\n", b",", b"|", b"\\"),
    *(
        b"-",
        b"1e400",
        b"1e308",
        b"9" * 400,
        b"9" * 5000,
        b"nan",
        b"Infinity",
        b"\\ud800",
        b"{",
        b"[",
    ),
    *(b"PK\x03\x04", b"PK\x01\x02", b"\xd9\xa1", b"0x1", b"1_0", b"[" * 3000, b'{"":' * 3000),
]
VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        0.5,
        -0.0,
        1e308,
        5e-324,
        2**63,
        2**64,
        10**400,
        math.inf,
        math.nan,
    ),
    *("", "a", "b", "t0", "\ud800", "x\udc00", "\0", "=1+1", "\x1b[31m", "V100", "id", "compute"),
    *(
        [],
        {},
        [[]],
        ["a"],
        [None],
        [{}],
        {"a": 1},
        10**9,
        3,
        "g",
        "zone",
        "m",
        "zone=x",
        "limit",
        "node",
        ["\ud800"],
        {"cpu": 1},
        {"\ud800": 1},
        {"compute": 1},
        [1],
        {"": {}},
    ),
]
CELLS = [
    *("", " ", "a", "b", "t0", "nan", "inf", "-1", "-0.0", "1e400", "1e308", "5e-324", "9" * 400),
    *("9" * 5000, "1_0", "\u0661", "0x1", "+1", "1.", "=1+1", "\0", "\r", "\n", '"', ",", "|"),
    *(
        "a|",
        "V100|V100",
        "id",
        "compute",
        "kind",
        "Over-Load Price",
        "max_load",
        "\ufeff",
        "x" * 300,
    ),
]

byte_edits = st.lists(
    st.tuples(
        st.sampled_from(["put", "cut", "over", "twice", "end"]),
        st.integers(0, 2000),
        st.binary(max_size=3) | st.sampled_from(PIECES),
    ),
    min_size=1,
    max_size=4,
)


def edited(data: bytes, edits: Iterable[tuple[str, int, bytes]]) -> bytes:
    """The bytes with pieces put in, cut out, written over and repeated."""
    for kind, place, piece in edits:
        at = place % (len(data) + 1)
        if kind == "put":
            data = data[:at] + piece + data[at:]
        elif kind == "cut":
            data = data[:at] + data[at + 1 + len(piece) :]
        elif kind == "over":
            data = data[:at] + piece + data[at + len(piece) :]
        elif kind == "twice":
            data = data[:at] + data[at // 2 :]
        else:
            data = data[:at] + piece
    return data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def outcome(read: Callable[[], Any], error: type[Exception]) -> tuple[Any, str]:
    """What a reader gives, or the message of its one kind of error."""
    try:
        return read(), ""
    except error as refusal:
        return None, str(refusal)


def holds(read: Callable[[], Instance], folder: Path) -> None:
    """A valid instance, which survives being written, or one clear error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile's, of a name that is there twice
        warnings.simplefilter("ignore", NodewiseWarning)  # of present places that are unknown
        instance, refusal = outcome(read, InstanceError)
    if instance is None:
        assert str(folder) in refusal
        return
    again = folder / "again.json"
    write_instance(instance, again)
    assert read_instance(again) == instance
    again.unlink()


value_edits = st.lists(
    st.tuples(
        st.sampled_from(["set", "drop", "add", "twice"]),
        st.integers(0, 200),
        st.integers(0, len(VALUES) - 1),
    ),
    min_size=1,
    max_size=4,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place of a JSON structure: its container and its key or position there."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list):
            found += places(value[key])
    return found


def rebuilt(record: Any, edits: Iterable[tuple[str, int, int]]) -> Any:
    record = copy.deepcopy(record)
    for kind, place, number in edits:
        found = places(record)
        if not found:
            break
        (owner, key), value = found[place % len(found)], copy.deepcopy(VALUES[number])
        if kind == "set":
            owner[key] = value
        elif kind == "drop":
            del owner[key]
        elif isinstance(owner, list):
            owner.append(copy.deepcopy(owner[key]) if kind == "twice" else value)
        else:
            owner[str(value)[:9] if kind == "add" else "id"] = copy.deepcopy(owner[key])
    return record


@COUNT
@given(
    record=st.sampled_from([RECORD, RICH_RECORD]),
    edits=byte_edits,
    changes=value_edits,
    structural=st.booleans(),
)
def test_json(folder: Path, record: Any, edits: Any, changes: Any, structural: bool) -> None:
    path = folder / "i.json"
    if structural:
        path.write_text(json.dumps(rebuilt(record, changes)))
    else:
        path.write_bytes(edited(json.dumps(record).encode(), edits))
    holds(lambda: read_instance(path), folder)


def test_what_is_damaged_here_is_whole(folder: Path) -> None:
    """Else every damage would be refused for the same reason."""
    path = folder / "whole.json"
    place = folder / "whole"
    place.mkdir()
    for record in (RECORD, RICH_RECORD):
        path.write_text(json.dumps(record))
        read_instance(path)
    for name, text in RICH_TABLES.items():
        (place / name).write_text(text)
    instance = read_instance(place)
    path.write_text(RICH_PLACED)
    assert read_allocation(instance, path).node_index.tolist()[0] == -1


@pytest.mark.parametrize("depth", range(100, 12_000, 700))
def test_json_nested_to_any_depth(folder: Path, depth: int) -> None:
    path = folder / "deep.json"
    for place in ("compute", "storage", "id", "kind", "eligible", "resources"):
        record = {"nodes": [{"id": "a", "compute": 1}], "tasks": [{"id": "t", "compute": 1}]}
        record["tasks" if place == "eligible" else "nodes"][0][place] = "HERE"
        nested = "[" * depth + "]" * depth
        path.write_text(json.dumps(record).replace('"HERE"', nested))
        with pytest.raises(InstanceError):
            read_instance(path)


cell_edits = st.lists(
    st.tuples(
        st.sampled_from(["cell", "cell", "cell", "row", "column", "header", "drop"]),
        st.integers(0, 9),
        st.integers(0, 9),
        st.sampled_from(CELLS),
    ),
    min_size=1,
    max_size=3,
)


def retold(table: str, edits: Iterable[tuple[str, int, int, str]]) -> bytes:
    """A table with cells, rows and columns changed, still in CSV."""
    rows = list(csv.reader(io.StringIO(table)))
    for kind, row, column, cell in edits:
        r, c = row % len(rows), column % len(rows[0])
        if kind == "cell":
            rows[r][c % len(rows[r])] = cell
        elif kind == "header":
            rows[0][c] = cell
        elif kind == "row":
            rows.append(list(rows[r]))
        elif kind == "drop" and len(rows) > 1:
            del rows[r]
        elif kind == "column":
            for k, cells in enumerate(rows):
                cells.append(cell if k else f"r{cell[:5]}")
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


TABLES = {"nodes.csv": NODES, "tasks.csv": TASKS, "instance.json": SETTINGS}
members = st.sampled_from(
    [(tables, member) for tables in (TABLES, RICH_TABLES) for member in tables]
)


@COUNT
@given(told=members, edits=byte_edits, cells=cell_edits, structural=st.booleans())
def test_csv_folder(folder: Path, told: Any, edits: Any, cells: Any, structural: bool) -> None:
    tables, member = told
    place = folder / ("rich" if tables is RICH_TABLES else "tables")
    place.mkdir(exist_ok=True)
    for name, text in tables.items():
        data = text.encode()
        if name == member:
            tells = structural and name.endswith(".csv")
            data = retold(text, cells) if tells else edited(data, edits)
        (place / name).write_bytes(data)
    holds(lambda: read_instance(place), folder)


def zipped(kind: int, inside: str = "", tables: dict[str, str] = TABLES) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, text in tables.items():
            archive.writestr(zipfile.ZipInfo(inside + name), text, kind)
    return stream.getvalue()


KINDS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
ZIPS = [zipped(kind) for kind in KINDS]
ZIPS += [zipped(kind, "data/") for kind in KINDS]
ZIPS += [zipped(kind, "", RICH_TABLES) for kind in KINDS]


@COUNT
@given(data=st.sampled_from(ZIPS), edits=byte_edits)
@example(data=ZIPS[1].replace(b"PK\x01\x02\x14\x03", b"PK\x01\x02\x14\xff"), edits=[])
def test_zip(folder: Path, data: bytes, edits: Any) -> None:
    path = folder / "i.zip"
    path.write_bytes(edited(data, edits))
    holds(lambda: read_instance(path), folder)


@COUNT
@given(
    data=st.sampled_from(ZIPS),
    field=st.integers(0, 45),
    value=st.integers(0, 255),
    last=st.booleans(),
)
def test_zip_headers(folder: Path, data: bytes, field: int, value: int, last: bool) -> None:
    """Offsets, sizes, flags, methods and lengths of names, at the front and in the directory."""
    at = (data.rindex(b"PK\x01\x02") if last else 0) + field
    path = folder / "i.zip"
    path.write_bytes(data[:at] + bytes([value]) + data[at + 1 :])
    holds(lambda: read_instance(path), folder)


@COUNT
@given(edits=byte_edits, cells=cell_edits, structural=st.booleans())
def test_allocation(folder: Path, edits: Any, cells: Any, structural: bool) -> None:
    path = folder / "a.csv"
    path.write_bytes(retold(PLACED, cells) if structural else edited(PLACED.encode(), edits))
    allocation, refusal = outcome(lambda: read_allocation(SMALL, path), AllocationError)
    if allocation is None:
        assert str(path) in refusal
    else:
        assert set(allocation.node_of) == {"t0", "t1"}


@pytest.fixture(scope="module")
def rich(folder: Path) -> Instance:
    place = folder / "placed"
    place.mkdir()
    for name, text in RICH_TABLES.items():
        (place / name).write_text(text)
    return read_instance(place)


@COUNT
@given(edits=byte_edits, cells=cell_edits, structural=st.booleans())
def test_allocation_in_parts(
    folder: Path, rich: Instance, edits: Any, cells: Any, structural: bool
) -> None:
    path = folder / "parts.csv"
    data = retold(RICH_PLACED, cells) if structural else edited(RICH_PLACED.encode(), edits)
    path.write_bytes(data)
    allocation, refusal = outcome(lambda: read_allocation(rich, path), AllocationError)
    if allocation is None:
        assert str(path) in refusal
        return
    write_allocation(allocation, path)
    assert read_allocation(rich, path) == allocation


@COUNT
@given(nodes=st.booleans(), edits=byte_edits, cells=cell_edits, structural=st.booleans())
def test_openb(folder: Path, nodes: bool, edits: Any, cells: Any, structural: bool) -> None:
    paths = [folder / "openb_nodes.csv", folder / "openb_pods.csv"]
    for path, text, changed in zip(
        paths, (OPENB_NODES, OPENB_PODS), (nodes, not nodes), strict=True
    ):
        data = text.encode()
        if changed:
            data = retold(text, cells) if structural else edited(data, edits)
        path.write_bytes(data)
    holds(lambda: read_openb(paths), folder)
