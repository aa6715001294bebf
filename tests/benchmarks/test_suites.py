from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fingerprint import content_hash
from benchmarks.suites import Entry, export, load_suite, make, suite_names
from solver import (
    Instance,
    InstanceError,
    Limit,
    Node,
    Part,
    Task,
    Variant,
    check,
    read_instance,
    write_instance,
)
from solver.errors import OptionError
from tests.random_instances import random_instance

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "openb"
WANTED = {"smoke", "article", "small", "hard", "scale", "trace", "power_off", "infeasible"}
MORE = {"grid_10", "grid_20", "grid_50", "textbook", "triplets"}
MORE |= {"variants", "rules", "fleet", "rebalance", "rentals", "vector_packing", "ai"}


def test_the_suites_are_there():
    assert set(suite_names()) == WANTED | MORE


@pytest.mark.parametrize("name", sorted(MORE | WANTED - {"trace"}))
def test_every_entry_has_the_hash_it_says(name):
    entries = [e for e in load_suite(name).entries if e.parameters.get("tasks", 0) <= 100_000]
    assert entries
    for entry in entries:
        assert content_hash(make(entry, verify=False)) == entry.hash


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the openb trace is not beside the checkout")
def test_the_trace_has_the_hashes_it_says():
    for entry in load_suite("trace").entries:
        assert make(entry, DATA).num_nodes == 1213


def test_an_instance_that_changed_is_refused():
    entry = load_suite("smoke").entries[1]
    with pytest.raises(InstanceError, match="results under the old hash are of another instance"):
        make(Entry(entry.family, entry.parameters, seed=99, hash=entry.hash))


def test_the_trace_asks_for_its_folder():
    with pytest.raises(OptionError, match="--data"):
        make(load_suite("trace").entries[0])


def test_an_empty_suite_says_why(tmp_path):
    path = tmp_path / "later.json"
    path.write_text('{"schema": "nodewise-suite/1", "about": "data to come", "instances": []}')
    with pytest.raises(OptionError, match="has no instances: data to come"):
        load_suite(str(path))


def test_an_unknown_suite_is_refused_with_the_choices():
    with pytest.raises(OptionError, match=r"article, fleet, grid_10, .*did you mean 'small'"):
        load_suite("smal")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not JSON"),
        ('{"schema": "x"}', "schema must be 'nodewise-suite/1'"),
        ('{"schema": "nodewise-suite/1", "instances": [{}]}', r"instances\[0\]: needs a family"),
        (
            '{"schema": "nodewise-suite/1", "instances": [{"family": "x", "sed": 1}]}',
            "unknown key 'sed'; known: changes, family",
        ),
        (
            '{"schema": "nodewise-suite/1", "instances": [{"family": "x", "changes": {"y": 1}}]}',
            "unknown key 'y'; known: max_load",
        ),
    ],
)
def test_a_malformed_suite_is_refused(tmp_path, content, says):
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(InstanceError, match=says):
        load_suite(str(tmp_path / "s.json"))


def test_changes_are_made():
    plain = make(Entry("uniform", {"nodes": 4, "tasks": 12}, 1), verify=False)
    changes = {"power_off": True, "max_load": 1.5, "storage_factor": 0.5}
    changed = make(Entry("uniform", {"nodes": 4, "tasks": 12}, 1, changes), verify=False)
    assert (changed.power_off, changed.max_load) == (True, 1.5)
    assert changed.node_storage.tolist() == (plain.node_storage // 2).tolist()
    assert np.array_equal(changed.task_compute, plain.task_compute)


def test_an_exported_suite_reads_back(tmp_path):
    suite = load_suite("smoke")
    *files, index = export(suite, tmp_path / "smoke")
    assert [content_hash(read_instance(file)) for file in files] == [e.hash for e in suite.entries]
    assert len(index.read_text().splitlines()) == len(suite.entries) + 1


@pytest.mark.parametrize("seed", range(30))
def test_the_hash_is_of_the_content_not_of_the_form(tmp_path, seed):
    instance = random_instance(np.random.default_rng(seed))
    write_instance(instance, tmp_path / "x.json")
    write_instance(instance, tmp_path / "x.zip")
    hashes = {content_hash(read_instance(tmp_path / name)) for name in ("x.json", "x.zip")}
    assert hashes == {content_hash(instance)}


NODES = [Node("a", compute=4, storage=8, kind="A"), Node("b", compute=4, storage=8, kind="B")]
TASKS = [Task("t", compute=3, storage=1, eligible=["A", "b"]), Task("u", compute=2)]


@pytest.mark.parametrize(
    "other",
    [
        Instance([NODES[1], NODES[0]], TASKS),
        Instance(NODES, [TASKS[1], TASKS[0]]),
        Instance(NODES, TASKS, max_load=2),
        Instance(NODES, TASKS, power_off=True),
        Instance(NODES, [Task("t", compute=3, storage=1, eligible=["A"]), TASKS[1]]),
        Instance(NODES, [Task("t", compute=3, storage=1), TASKS[1]]),
        Instance(NODES, [Task("T", compute=3, storage=1, eligible=["A", "b"]), TASKS[1]]),
        Instance(NODES, [Task("t", compute=3.5, storage=1, eligible=["A", "b"]), TASKS[1]]),
        Instance([Node("a", compute=4, kind="A"), NODES[1]], TASKS),
        Instance([Node("a", compute=4, storage=8, price=5, kind="A"), NODES[1]], TASKS),
    ],
)
def test_whatever_says_something_else_has_another_hash(other):
    assert content_hash(other) != content_hash(Instance(NODES, TASKS))


VARIANTS = [Variant("a", 3, eligible=["A", "b"]), Variant("b", parts=[Part(1), Part(2)], loss=1)]
WHOLE = [Node("a", 4, kind="A", labels={"zone": "x"}), Node("b", 4, kind="B")]
FORMS = [Task("t", model="m", groups=["g", "h"]), Task("u", 2, pinned=["a", "b"], skip_price=3)]
MODELS = {"m": VARIANTS}


@pytest.mark.parametrize(
    "other",
    [
        Instance([WHOLE[0], Node("b", 4, kind="B", labels={"zone": "x"})], FORMS, models=MODELS),
        Instance([WHOLE[0], Node("b", 4, kind="B", state="drained")], FORMS, models=MODELS),
        Instance([WHOLE[0], Node("b", 4, kind="B", fixed_cost=9, overload_price=4)], FORMS,
                 models=MODELS),
        Instance(WHOLE, FORMS, models={"m": VARIANTS[:1]}),
        Instance(WHOLE, FORMS, models={"m": [VARIANTS[0], replace(VARIANTS[1], loss=2)]}),
        Instance(WHOLE, [replace(FORMS[0], groups=["g"]), FORMS[1]], models=MODELS),
        Instance(WHOLE, [replace(FORMS[0], max_loss=0.5), FORMS[1]], models=MODELS),
        Instance(WHOLE, [FORMS[0], replace(FORMS[1], pinned="a")], models=MODELS),
        Instance(WHOLE, [FORMS[0], replace(FORMS[1], skip_price=4)], models=MODELS),
        Instance(WHOLE, FORMS, models=MODELS, rules=[Limit("g", "node", 1)]),
        Instance(WHOLE, FORMS, models=MODELS, quality_budget=2),
        Instance(WHOLE, FORMS, models=MODELS, quality_price=2),
        Instance(WHOLE, FORMS, models=MODELS, move_price=2),
        Instance(WHOLE, FORMS, models=MODELS, max_moves=2),
        Instance(WHOLE, FORMS, models=MODELS, current={"u": "a"}),
    ],
)  # fmt: skip
def test_whatever_the_whole_model_says_changes_the_hash(other):
    assert content_hash(other) != content_hash(Instance(WHOLE, FORMS, models=MODELS))


def test_the_form_of_the_whole_model_does_not_count(tmp_path):
    rules = [Limit("g", "node", 1), Limit("h", "zone", 2)]
    one = Instance(WHOLE, FORMS, models=MODELS, rules=rules, currency="USD")
    tasks = [
        Task("t", variants=[replace(VARIANTS[0], eligible=["b", "A"]), VARIANTS[1]],
             groups=["h", "g"]),
        FORMS[1],
    ]  # fmt: skip
    other = Instance(WHOLE, tasks, rules=rules[::-1])
    write_instance(one, tmp_path / "x.json")
    assert content_hash(read_instance(tmp_path / "x.json")) == content_hash(one)
    assert content_hash(other) == content_hash(one)


def test_the_order_of_labels_and_the_name_do_not_count():
    tasks = [Task("t", compute=3, storage=1, eligible=["b", "A"]), TASKS[1]]
    assert content_hash(Instance(NODES, tasks, name="x")) == content_hash(Instance(NODES, TASKS))


def test_the_files_of_the_suites_are_as_the_tool_writes_them():
    for name in MORE | WANTED:
        path = Path(__file__).parents[2] / "benchmarks" / "suites" / f"{name}.json"
        data = json.loads(path.read_text())
        assert all(len(item["hash"]) == 64 for item in data["instances"]), name


def test_the_feasible_suites_hide_a_feasible_allocation():
    from instances import planted

    entry = load_suite("hard").entries[0]
    made = planted(entry.family, **entry.parameters, seed=entry.seed)
    assert check(made.instance, made.node_index) == []
