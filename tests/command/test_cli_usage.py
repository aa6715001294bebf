"""The verb `usage`: what it writes, what it says, and how it ends."""

from __future__ import annotations

import pytest

from solver import read_instance, write_instance
from tests.usage.usage_cases import small


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_instance(small(), "cluster.json")
    rows = "".join(f"own,{60 * k},{k % 10},{k}\n" for k in range(1, 41))
    (tmp_path / "usage.csv").write_text("task_id,time,compute,mem\n" + rows)
    return tmp_path


def test_usage_writes_an_instance_and_a_report(run, place):
    code, out, err = run(
        *("usage", "cluster.json", "usage.csv", "-o", "new.json", "--report", "report.csv"),
        *("--map", "compute=compute", "--map", "storage=mem*2", "--percentile", "storage=1"),
        *("--margin", "storage=50%", "--floor", "compute=100", "--digits", "2"),
    )
    assert (code, out) == (0, "")
    own = read_instance("new.json").tasks[0]
    assert (own.compute, own.storage) == (100, 120)
    assert "2 figures changed, 0 as before" in err
    assert "1 figure at its floor: own compute" in err
    assert "4 tasks without samples, kept: rest, m-0, m-1 and 1 more" in err
    assert "written new.json" in err
    assert (place / "report.csv").read_text().splitlines()[1:] == [
        "own,,,,compute,1,40,8,6,100,at its floor",
        "own,,,,storage,1,40,80,20,120,measured",
    ]


def test_usage_to_a_folder_in_a_window(run, place):
    arguments = ("usage", "cluster.json", "usage.csv", "-o", "folder", "--map", "compute=mem")
    code, _, _ = run(*arguments, "--window", "540", "--min-samples", "10", "--margin", "0")
    assert code == 0
    assert read_instance("folder").tasks[0].compute == 39  # of 31 to 40, the ninth


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["usage.csv"], "name the instance to write"),
        (["none.csv", "-o", "new.json"], "none.csv: there is no such file"),
        (["usage.csv", "-o", "cluster.json"], "would overwrite an input"),
        (["usage.csv", "-o", "usage.csv"], "would overwrite an input"),
        (["usage.csv", "-o", "new.json", "--percentile", "2"], "percentile must be above 0"),
        (["usage.csv", "-o", "new.json", "--percentile", "=1"], "write FIELD=NUMBER"),
        (["usage.csv", "-o", "new.json", "--margin", "1", "--margin", "2"], "stands twice"),
        (["usage.csv", "-o", "new.json", "--map", "watts=mem"], "is a field of the instance"),
    ],
)
def test_usage_that_is_refused(run, place, arguments, problem):
    code, out, err = run("usage", "cluster.json", *arguments)
    assert (code, out) == (1, "")
    assert problem in " ".join(err.split())
    assert not (place / "new.json").exists()
