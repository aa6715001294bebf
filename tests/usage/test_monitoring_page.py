"""The page on monitoring: its commands, on the real series of the trace, print what it says."""

from __future__ import annotations

import csv
import doctest
import re
import shlex
import tarfile
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from solver import read_instance, read_usage
from tests.nightly import NIGHTLY

PATH = Path(__file__).parents[2] / "docs" / "monitoring.md"
PAGE = PATH.read_text(encoding="utf-8")
COMMANDS = re.findall(r"```console\n\$ nodewise ((?:[^\n]*\\\n)*[^\n]*)\n(.*?)```", PAGE, re.S)
QUICK = ("check", "usage")
FILES = ("pod_gpu_duty_cycle_anon", "pod_gpu_memory_used_bytes_anon")


def test_the_examples_of_the_page_on_monitoring_are_right():
    outcome = doctest.testfile(str(PATH), module_relative=False)
    assert (outcome.attempted, outcome.failed) == (5, 0)


@pytest.fixture(scope="module")
def place(data_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("genai")
    for name in FILES:
        with tarfile.open(data_dir / "genai" / f"{name}.tar.gz") as archive:
            archive.extract(f"{name}.csv", folder, filter="data")
    return folder


def told(text: str) -> list[str]:
    """Lines without what differs from run to run: times, and moves of equal cost."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"\d+ moves in \d+ waves?|moves +\d+|\d+ on a bypass", "MOVES", text)
    return [line.rstrip() for line in text.splitlines() if not line.startswith("seconds")]


@pytest.mark.data
def test_the_commands_of_the_page_print_what_it_says(place, run, monkeypatch):
    import solver.command.monitoring.watching as command
    from solver.usage.watching import Clock

    monkeypatch.chdir(place)
    monkeypatch.setattr(Clock, "wait", lambda self, seconds: None)
    monkeypatch.setattr(command, "CLOCK", Clock())
    made = re.search(r"<!-- make_cluster.py -->\n```python\n(.*?)```", PAGE, re.S)
    exec(compile(made[1], "make_cluster.py", "exec"), {})
    assert [line.split()[0] for line, _ in COMMANDS] == [
        *("check", "usage", "check", "rebalance", "check", "watch")
    ]
    for line, expected in COMMANDS:
        verb, *arguments = shlex.split(line.replace("\\\n", " "))
        if (verb in QUICK and "new.csv" not in arguments) or NIGHTLY:
            code, out, err = run(verb, *arguments)
            assert (code, told(err + out)) == (0, told(expected))
    figures = (place / "figures.csv").read_text().splitlines()
    shown = re.search(r"```\n(task_id,model.*?)```", PAGE, re.S)[1].splitlines()
    assert figures[: len(shown)] == shown


@pytest.mark.data
def test_every_sample_of_the_trace_is_read_and_every_figure_is_its_percentile(place, monkeypatch):
    monkeypatch.chdir(place)
    listed = defaultdict(list)
    for name, field in zip(FILES, ("compute", "storage"), strict=True):
        with (place / f"{name}.csv").open() as stream:
            for row in csv.DictReader(stream):
                listed[row["container_ip"], field].append(Decimal(row["value"]))
    usage = read_usage(
        [f"{name}.csv" for name in FILES],
        fields={"compute": f"{FILES[0]}:value", "storage": f"{FILES[1]}:value/1e9"},
        task="container_ip",
        time="timestamp_anon",
    )
    assert usage.num_samples == sum(map(len, listed.values())) == 157_417 + 161_413
    assert not usage.dropped
    adjusted = read_instance("adjusted.json")
    for task in adjusted.tasks:
        for field, rank, unit in (("compute", 0.9, 1), ("storage", 1, 10**9)):
            values = sorted(listed[task.id, field])
            at = -(-int(rank * 10) * len(values) // 10) - 1
            if len(values) < 30 or not values[at]:
                assert getattr(task, field) in (100, 80)
                continue
            wanted = values[at] * Decimal("1.15") / unit
            found = Decimal(repr(getattr(task, field)))
            assert wanted <= found <= wanted * Decimal("1.1")
