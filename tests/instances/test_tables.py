"""CSV tables of anybody: any names, delimiters and units; every error with its line."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.readers import READERS, read_table_files
from solver import Instance, InstanceError, Node, NodewiseWarning, Task, read_instance
from solver.command.cli import run
from solver.errors import OptionError
from tests.files.test_reader_fuzz import byte_edits, cell_edits, edited, holds, retold
from tests.nightly import cases

NODES = """host,gpus,mem,"$/h",sku,cpu,notes
h1,8,1.5 TB,$98.32,H100,"1,024","a ""big"" one, new"
h2,8,,"$1,049.00",H200,512,
"""
TASKS = """job;gpu;mem;vcpu;wants;owner;where

train;4;80GiB;16;H100|h2;me;h1
serve;0.5;1,024 MB;500m;;you;
"""
MAPPED: dict[str, Any] = {
    "columns": {"storage": "mem"},
    "node_columns": {"id": "host", "compute": "gpus", "fixed_cost": "$/h", "kind": "sku"},
    "task_columns": {
        "id": "job", "compute": "gpu", "cpu": "vcpu", "eligible": "wants", "node": "where",
    },
}  # fmt: skip
EXPECTED = Instance(
    [
        Node("h1", 8, 15 * 10**11, fixed_cost=98.32, kind="H100", resources={"cpu": 1024}),
        Node("h2", 8, fixed_cost=1049, kind="H200", resources={"cpu": 512}),
    ],
    [
        Task("train", 4, 80 * 2**30, ["H100", "h2"], {"cpu": 16}),
        Task("serve", 0.5, 1024 * 10**6, resources={"cpu": 0.5}),
    ],
    max_load=1,
    currency="USD",
    current={"train": "h1"},
    name="t",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n.csv").write_text(NODES)
    (tmp_path / "t.csv").write_text(TASKS)
    return tmp_path


def read(folder: Path, **options: Any) -> Instance:
    paths = [folder / "n.csv", folder / "t.csv"]
    return read_table_files(paths, **{**MAPPED, "max_load": 1, **options})


def test_two_tables(folder: Path) -> None:
    notes: list[str] = []
    assert read(folder, notes=notes) == EXPECTED
    aside = "left aside: text that means nothing here"
    assert [note.split(": ", 1)[1] for note in notes] == [
        f"column notes {aside}; name it label_notes to have a label",
        f"column owner {aside}",
    ]
    assert READERS["table"] is read_table_files


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_and_line_ends(folder: Path, delimiter: str, end: str) -> None:
    rows = [["id", "compute", "storage"], ["a", "1.5", "3 GB"], ["b", "2", ""]]
    text = end.join(delimiter.join(row) for row in rows)
    (folder / "n.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    (folder / "t.csv").write_text("id,compute\nt,1\n")
    instance = read_table_files([folder / "n.csv", folder / "t.csv"])
    assert instance == Instance([Node("a", 1.5, 3 * 10**9), Node("b", 2)], [Task("t", 1)], name="t")


def test_decimal_commas(folder: Path) -> None:
    (folder / "n.csv").write_text("id;compute;storage;cpu\na;1,5;1.024,5 GB;0,5\n")
    (folder / "t.csv").write_text("id;compute;cpu\nt;0,25;0,125\n")
    paths = [folder / "n.csv", folder / "t.csv"]
    instance = read_table_files(paths, decimal=",")
    assert (instance.nodes[0].compute, instance.tasks[0].compute) == (1.5, 0.25)
    assert instance.nodes[0].storage == 1024500000000
    assert (instance.nodes[0].resources, instance.tasks[0].resources) == (
        {"cpu": 0.5},
        {"cpu": 0.125},
    )
    with pytest.raises(InstanceError, match="groups of three digits"):
        read_table_files(paths)


def test_the_index_of_a_frame_is_left_aside(folder: Path) -> None:
    (folder / "n.csv").write_text(",id,compute\n0,a,1\n1,b,2\n")
    (folder / "t.csv").write_text("id,compute\nt,1\n")
    notes: list[str] = []
    instance = read_table_files([folder / "n.csv", folder / "t.csv"], notes=notes)
    assert instance.node_ids.tolist() == ["a", "b"]
    assert "column 1 left aside" in notes[0]


def test_every_error_names_its_line(folder: Path) -> None:
    (folder / "n.csv").write_text(
        'host,gpus,mem,$/h,sku,cpu\n"h\n1",x,3 apples,$1,,\n\nh2,8\nh3,-1,,€2,,\n'
    )
    (folder / "t.csv").write_text(TASKS.replace("0.5", ""))
    with pytest.raises(InstanceError) as caught:
        read(folder)
    said = str(caught.value).split("\n  ")
    assert said[0] == "8 errors:"
    for part in (
        "n.csv, line 2, column gpus: 'x': write a number",
        "n.csv, line 2, column mem: '3 apples': the unit 'apples' is not known",
        "n.csv, line 5: 2 cells for 6 columns",
        "n.csv, line 6, column gpus: '-1': a quantity is not negative",
        "n.csv, line 6, column $/h: it is in EUR, but others are in USD",
        "t.csv, line 3, column wants: 'H100' is no id, kind or label value",
        "t.csv, line 3, column wants: 'h2' is no id, kind or label value",
        "t.csv, line 4, column gpu: the cell is empty",
    ):
        assert sum(line.startswith(f"{folder}/{part}") for line in said) == 1, (part, said)


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ("", "the file is empty"),
        ("host,gpus\n", "there are no rows"),
        ("host,host,gpus\na,b,1\n", "column host stands 2 times"),
        ('host,gpus\n"a,1\n', "the file is not CSV"),
        ("\xff", "UTF-8"),
    ],
)
def test_files_that_are_refused(folder: Path, nodes: str, said: str) -> None:
    (folder / "n.csv").write_bytes(nodes.encode("latin-1"))
    with pytest.raises(InstanceError, match=said):
        read(folder)
    with pytest.raises(InstanceError, match="name two"):
        read_table_files([folder / "n.csv"])


def test_the_verb(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = ["convert", "table", "--nodes", "n.csv", "--tasks", "t.csv", "-o", "x.json"]
    maps = [
        *("--map", "storage=mem,cpu=cpu", "--map-nodes", "id=host,compute=gpus"),
        *("--map-nodes", "fixed_cost=$/h,kind=sku", "--max-load", "1"),
        *("--map-tasks", "id=job,compute=gpu,cpu=vcpu,eligible=wants,node=where"),
    ]
    assert run([*tables, *maps, "--ignore", "owner,notes"]) == 0
    assert read_instance("x.json") == EXPECTED
    assert capsys.readouterr().err == "written x.json (t: 2 nodes, 2 tasks)\n"
    assert run([*tables, *maps, "--unit", "storage=MB"]) == 0
    assert read_instance("x.json").node_storage.tolist()[0] == 1_500_000
    assert "note: n.csv: column notes left aside" in capsys.readouterr().err
    assert run(tables) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "error: 4 errors:"
    assert said[1].startswith("  n.csv: there is no column id")
    for wrong in (["--map", "compute"], ["--map", "a=b,a=c"], ["--map-tasks", "=x"]):
        assert run([*tables, *wrong]) == 1
        assert "write each field once" in capsys.readouterr().err


def test_options_are_pairs() -> None:
    from solver.command.converting import _pairs

    assert _pairs("--map", ["a=b, c = d", "e=f"]) == {"a": "b", "c": "d", "e": "f"}
    with pytest.raises(OptionError, match="--map 'a': write each"):
        _pairs("--map", ["a"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@settings(max_examples=cases(300, 20_000))
@given(
    which=st.sampled_from(["n.csv", "t.csv"]),
    edits=byte_edits,
    cells=cell_edits,
    structural=st.booleans(),
)
def test_any_damage(place: Path, which: str, edits: Any, cells: Any, structural: bool) -> None:
    texts = {"n.csv": NODES, "t.csv": TASKS.replace(";", ",").replace("1,024", "1024")}
    for name, text in texts.items():
        data = text.encode()
        if name == which:
            data = retold(text.replace("\n\n", "\n"), cells) if structural else edited(data, edits)
        (place / name).write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NodewiseWarning)  # of present places that are unknown
        holds(lambda: read(place), place)
