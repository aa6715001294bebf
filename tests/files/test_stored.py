"""Stored files: they are read as ever, and written as ever, byte by byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fingerprint import content_hash
from solver.files.allocation import read_allocation, write_allocation
from solver.files.instance import FOLDER_FILES, read_instance, write_instance
from solver.files.loads import write_loads
from solver.model.allocation import Allocation

STORED = Path(__file__).parent / "stored"
HASHES = {
    "plain": "e8153b39895b7869b787ffde245d5f4fc1f26df97cdc95311fdde45491851ed4",
    "wired": "4fed16b4d21683582be2d431060fb83b58ec46b19374cf794f0f3c47430ef9c5",
}
PLACED = {"plain": [0, 2, 0, 1], "wired": [0, 1]}


@pytest.mark.parametrize("name", HASHES)
def test_a_stored_instance_is_read_and_written_as_ever(name: str, tmp_path: Path) -> None:
    instance = read_instance(STORED / f"{name}.json")
    assert read_instance(STORED / name) == instance
    write_instance(instance, tmp_path / "i.json")
    assert (tmp_path / "i.json").read_bytes() == (STORED / f"{name}.json").read_bytes()
    write_instance(instance, tmp_path / name)
    for member in FOLDER_FILES[:3]:
        assert (tmp_path / name / member).read_bytes() == (STORED / name / member).read_bytes()
    assert content_hash(instance) == HASHES[name]


@pytest.mark.parametrize("name", HASHES)
def test_a_stored_allocation_is_read_and_written_as_ever(name: str, tmp_path: Path) -> None:
    instance = read_instance(STORED / name)
    allocation = Allocation(instance, PLACED[name])
    assert read_allocation(instance, STORED / name / "allocation.csv") == allocation
    write_allocation(allocation, tmp_path / "allocation.csv")
    stored = (STORED / name / "allocation.csv").read_bytes()
    assert (tmp_path / "allocation.csv").read_bytes() == stored


@pytest.mark.parametrize("name", HASHES)
def test_loads_of_a_stored_instance_are_written_as_ever(name: str, tmp_path: Path) -> None:
    allocation = Allocation(read_instance(STORED / name), PLACED[name])
    write_loads(allocation, tmp_path / "loads.csv")
    stored = (STORED / name / "loads.csv").read_bytes()
    assert (tmp_path / "loads.csv").read_bytes() == stored
