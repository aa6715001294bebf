"""Slurm's notations: lists of hosts, arrays, resources, constraints; and damaged files."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.readers import convert_slurm
from instances.readers.slurm.constraints import constraint_of
from instances.readers.slurm.hostlists import array_tasks, expand_hosts
from instances.readers.slurm.values import gres_of, needs_of_tres
from tests.files.test_reader_fuzz import byte_edits, edited, holds, rebuilt, value_edits
from tests.instances.slurm_shapes import JOB_SHAPES, NODE_SHAPES, written
from tests.nightly import cases


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", []),
        ("n1", ["n1"]),
        ("gpu[001-004,7]", ["gpu001", "gpu002", "gpu003", "gpu004", "gpu7"]),
        ("a[9-11]", ["a9", "a10", "a11"]),
        ("a[09-11],b", ["a09", "a10", "a11", "b"]),
        ("r[1-2]n[3,5]", ["r1n3", "r1n5", "r2n3", "r2n5"]),
        ("r[1-2]-ib0", ["r1-ib0", "r2-ib0"]),
        ("a[1],b[2-2], c", ["a1", "b2", "c"]),
        ("n[998-1001]", ["n998", "n999", "n1000", "n1001"]),
    ],
)
def test_host_lists(text: str, hosts: list[str]) -> None:
    assert expand_hosts(text) == hosts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("n[1-", "no host list"),
        ("n]1[", "no host list"),
        ("n[]", "no range"),
        ("n[a-b]", "no range"),
        ("n[2-1]", "ends before"),
        ("n[[1]]", "no host list"),
        ("a,,b", "no host list"),
        ("a b", "no host list"),
        ("n[1-999999999]", "more than 100,000 hosts"),
        ("n[0-999][0-999]", "more than 100,000 hosts"),
        ("n[1-9999999999999999999]", "no range"),
        (",".join(["n[0-99999]"] * 3), "more than 100,000 hosts"),
    ],
)
def test_what_is_no_host_list(text: str, said: str) -> None:
    begun = time.process_time()
    with pytest.raises(ValueError, match=said):
        expand_hosts(text)
    assert time.process_time() - begun < 5


@given(st.lists(st.integers(0, 300), min_size=1, max_size=30, unique=True), st.integers(1, 5))
def test_host_lists_of_any_numbers(numbers: list[int], width: int) -> None:
    names = [f"n{number:0{width}d}x" for number in numbers]
    assert expand_hosts(f"n[{','.join(f'{number:0{width}d}' for number in numbers)}]x") == names


@pytest.mark.parametrize(
    ("text", "tasks", "is_cut"),
    [
        ("3", [3], False),
        ("0-3", [0, 1, 2, 3], False),
        ("[0-8:4,20]%3", [0, 4, 8, 20], False),
        ("1,3,...", [1, 3], True),
        ("0x15", [0, 2, 4], False),
        ("2-3,3-4", [2, 3, 4], False),
    ],
)
def test_tasks_of_arrays(text: str, tasks: list[int], is_cut: bool) -> None:
    assert array_tasks(text, 100) == (tasks, is_cut)


@pytest.mark.parametrize("text", ["x", "3-1", "0-9:0", "", "1-", "0-100", "0x" + "f" * 60, "-1"])
def test_what_is_no_list_of_tasks(text: str) -> None:
    with pytest.raises(ValueError, match=r"no list|no tasks|more than"):
        array_tasks(text, 100)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("(null)", []),
        ("gpu", [("gpu", "", 1)]),
        ("gpu:8", [("gpu", "", 8)]),
        ("gpu:a100", [("gpu", "a100", 1)]),
        ("gpu:a100:8(S:0-1)", [("gpu", "a100", 8)]),
        ("gpu:3090:2(IDX:0,3)", [("gpu", "3090", 2)]),
        ("gpu:h100_1g.10gb:7,shard:28", [("gpu", "h100_1g.10gb", 7), ("shard", "", 28)]),
        ("gres:gpu:2", [("gpu", "", 2)]),
        ("gres/gpu:a100=4", [("gpu", "a100", 4)]),
        ("tmpsize:7T,x:no_consume:1", [("tmpsize", "", 7 * 2**40)]),
    ],
)
def test_generic_resources(text: str, found: list[Any]) -> None:
    assert gres_of(text) == found


@pytest.mark.parametrize("text", ["gpu:a:b", "gpu:a:b:2", ":2", "gpu:a100:8(S:0-1", "gpu:1.5:x"])
def test_what_is_no_generic_resource(text: str) -> None:
    with pytest.raises(ValueError, match="no generic resource"):
        gres_of(text)


def test_trackable_resources() -> None:
    text = "cpu=64,mem=515000M,node=2,billing=64,energy=5,license/x=1,gres/gpu=8,gres/gpu:a100=5"
    needs, nodes = needs_of_tres(f"{text},gres/gpu:v100=3,gres/shard=2,gres/shard:a100=2")
    assert (needs.cpu, needs.memory, nodes) == (64, 515_000, 2)
    assert (needs.gpu, needs.types, needs.gres) == (8, {"a100": 5, "v100": 3}, {"shard": 2})
    for text, memory in (("1T", 2**20), ("1.50G", 1536), ("512K", Fraction(1, 2)), ("100", 100)):
        assert needs_of_tres(f"mem={text}")[0].memory == memory
    assert needs_of_tres("gres/gpu:a100=5")[0].gpu == 5
    assert needs_of_tres("(null)")[0].cpu == 0


@pytest.mark.parametrize(
    ("text", "features", "allowed"),
    [
        ("a", "a", True),
        ("a&b", "a", False),
        ("a|b", "b", True),
        ("a,b", "a b", True),
        ("a&b|c", "c", True),
        ("a|b&c", "a", False),
        ("a|(b&c)", "a", True),
        ("(a|b)&(c|d)", "b c", True),
        ("[a|b]", "b", True),
        ("x-1.5&y_2", "x-1.5 y_2", True),
    ],
)
def test_constraints(text: str, features: str, allowed: bool) -> None:
    constraint = constraint_of(text, one_node=True)
    assert constraint is not None
    assert constraint(features.split()) == allowed


@pytest.mark.parametrize(
    "text",
    ["a*2", "a&", "&a", "(a", "a)", "a b", "()", "a||b", "(" * 50 + "a" + ")" * 50, "a" * 3000],
)
def test_constraints_that_say_more(text: str) -> None:
    assert constraint_of(text, one_node=True) is None
    assert constraint_of("[a|b]", one_node=False) is None


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slurm")


PIECES = [
    *("n[1-999999999]", "gpu[001-003]", "gpu003", "[", "0-9", "0-99999999", "cpu=1e9", "cpu=9" * 9),
    *("gpu:a100:99999999999T", "gpu:a100:2", "DOWN", "PENDING", "RUNNING", "a&(b|c)", "(null)"),
    *({"set": True, "infinite": False, "number": 3}, {"set": False}, {"infinite": True}, 2**32 - 2),
    *(10**12, {"number": -1}, ["RUNNING"], ["gpu:a100:1"], {"0": {"cpus": 1}}, [[{}]]),
]
json_edits = st.lists(
    st.tuples(
        st.integers(0, 999), st.sampled_from(PIECES) | st.integers(0, 70) | st.text(max_size=4)
    ),
    max_size=3,
)


@settings(max_examples=cases(300, 20_000))
@given(
    nodes=st.sampled_from(list(NODE_SHAPES)),
    jobs=st.sampled_from(list(JOB_SHAPES)),
    which=st.integers(0, 1),
    edits=byte_edits,
    changes=value_edits,
    pieces=json_edits,
    structural=st.booleans(),
)
def test_any_damage(
    place: Path, nodes: str, jobs: str, which: int, edits: Any, changes: Any, pieces: Any,
    structural: bool,
) -> None:  # fmt: skip
    paths = written(place, nodes, jobs)
    record = (NODE_SHAPES[nodes], JOB_SHAPES[jobs])[which]()
    if structural:
        records = next(record[key] for key in ("nodes", "sinfo", "jobs") if key in record)
        for at, piece in pieces:
            found = [(item, key) for item in records for key in item]
            item, key = found[at % len(found)]
            item[key] = piece
        paths[which].write_text(json.dumps(rebuilt(record, changes)))
    else:
        paths[which].write_bytes(edited(json.dumps(record).encode(), edits))
    holds(lambda: convert_slurm(paths).instance, place)
