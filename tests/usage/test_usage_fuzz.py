"""Usage files with anything in them: a clear error or a valid instance, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver import read_instance, read_usage, with_usage, write_instance
from solver.errors import UsageError
from tests.files.test_reader_fuzz import (
    byte_edits,
    cell_edits,
    edited,
    outcome,
    rebuilt,
    retold,
    value_edits,
)
from tests.nightly import cases
from tests.usage.usage_cases import answer, series, small

COUNT = settings(max_examples=cases(300, 10_000))

TABLE = (
    "task_id,time,part,series,compute,storage,gpu\n"
    "own,0,,x,1.5,2,0\nown,57.5,1,x,2,3e2,1\nm-0,2026-01-31T12:00:00Z,1,,4,,nan\n"
    "m-0,0,2,,5,,9223372036854775794\nv,0,2,,1,2,\nnone,0,,,1,,\n"
)
ANSWER = json.loads(
    answer(
        series({"__name__": "compute", "task": "own"}, [(0, "1.5"), (57.5, "NaN"), (115, "3e2")]),
        series({"__name__": "compute", "pod": "m-0", "part": "1"}, [(0, "2"), (60, "+Inf")]),
        series({"__name__": "gpu", "namespace": "n", "exported_pod": "own"}, [(0, "0")]),
        {"metric": {"__name__": "storage", "pod": "v", "part": "2"}, "value": [1, "7"]},
        warnings=["w"],
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("usage")


def holds(path: Path) -> bool:
    """Whether the usage was read; the instance is then valid, and survives being written."""
    usage, refusal = outcome(lambda: read_usage(path), UsageError)
    if usage is None:
        assert str(path) in refusal
        return False
    made, refusal = outcome(lambda: with_usage(small(), usage, min_samples=1), UsageError)
    if made is None:
        assert "is a field of the instance" in refusal
        return False
    adjusted, report = made
    again = path.with_name("again.json")
    write_instance(adjusted, again)
    assert read_instance(again) == adjusted
    assert list(report.lines())
    return True


@COUNT
@given(edits=byte_edits, cells=cell_edits, structural=st.booleans())
def test_usage_csv(folder: Path, edits: Any, cells: Any, structural: bool) -> None:
    path = folder / "usage.csv"
    path.write_bytes(retold(TABLE, cells) if structural else edited(TABLE.encode(), edits))
    holds(path)


@COUNT
@given(edits=byte_edits, changes=value_edits, structural=st.booleans())
def test_usage_json(folder: Path, edits: Any, changes: Any, structural: bool) -> None:
    path = folder / "usage.json"
    if structural:
        path.write_text(json.dumps(rebuilt(ANSWER, changes)))
    else:
        path.write_bytes(edited(json.dumps(ANSWER).encode(), edits))
    holds(path)


def test_usage_that_is_damaged_here_is_whole(folder: Path) -> None:
    """Else every damage would be refused for the same reason."""
    for name, text in (("whole.csv", TABLE), ("whole.json", json.dumps(ANSWER))):
        (folder / name).write_text(text)
        assert holds(folder / name)
