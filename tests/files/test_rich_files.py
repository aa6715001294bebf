"""Files of schema nodewise/2: variants, parts, rules and present places, there and back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from all_fields import full_instance, rich_instances
from hypothesis import given, settings
from whole_instances import whole_instances

from benchmarks.fingerprint import content_hash
from solver.command.display import describe
from solver.errors import InstanceError
from solver.files.allocation import read_allocation, write_allocation
from solver.files.instance import read_instance, write_instance
from solver.files.loads import write_loads
from solver.files.result import write_result
from solver.judge.cost import cost_of, cost_parts
from solver.model.allocation import Allocation
from solver.model.instance import Instance, Node, Task
from solver.model.records import Part, Variant
from solver.model.result import Result, Status, Termination

FORMS = ["instance.json", "instance.zip", "folder"]


@pytest.mark.parametrize("form", FORMS)
def test_every_field_survives_a_round_trip(tmp_path: Path, form: str) -> None:
    instance = full_instance()
    write_instance(instance, tmp_path / form)
    again = read_instance(tmp_path / form)
    assert again == instance
    assert content_hash(again) == content_hash(instance)
    assert list(again.tasks) == list(instance.tasks)
    assert list(again.nodes) == list(instance.nodes)
    assert [path.name for path in tmp_path.iterdir()] == [form]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("round-trip")


def fits_csv(instance: Instance) -> bool:
    """Whether no name has the character that separates names in a cell."""
    lists = [*instance.groups, *instance.group_sets, *instance.pinned_sets]
    for variant in (variant for variants in instance.variant_sets for variant in variants):
        parts = variant.parts if isinstance(variant.parts, tuple) else ()
        lists += [variant.eligible, *(part.eligible for part in parts)]  # type: ignore[list-item]
    if instance.current is not None:
        now = instance.current[instance.current >= 0]
        lists.append(tuple(instance.node_ids[now].tolist()))
    return not any("|" in name for names in lists for name in names or ())


@settings(deadline=None)
@given(instance=rich_instances())
def test_any_instance_survives_json_and_csv(folder: Path, instance: Instance) -> None:
    write_instance(instance, folder / "instance.json")
    assert read_instance(folder / "instance.json") == instance
    for form in ("csv", "csv.zip"):
        if not fits_csv(instance):
            with pytest.raises(InstanceError, match="write JSON"):
                write_instance(instance, folder / form)
            continue
        write_instance(instance, folder / form)
        again = read_instance(folder / form)
        assert again == instance
        assert content_hash(again) == content_hash(instance)


def test_random_instances_survive_a_round_trip(tmp_path: Path) -> None:
    for instance, _ in whole_instances(25, seed=31, integers=False):
        for form in FORMS:
            write_instance(instance, tmp_path / form)
            again = read_instance(tmp_path / form)
            assert again == instance
            assert content_hash(again) == content_hash(instance)
        assert instance.replace() == instance
        assert instance.replace(name="other").replace(name=instance.name) == instance


def test_parts_of_an_instance_survive_a_round_trip(tmp_path: Path) -> None:
    rng, compared = np.random.default_rng(9), 0
    for instance, _ in whole_instances(40, seed=34):
        instance = instance.replace(rules=())
        nodes = np.flatnonzero(rng.random(instance.num_nodes) < 0.8)
        tasks = np.flatnonzero(rng.random(instance.num_tasks) < 0.8)
        try:
            part = instance.restrict(nodes, tasks)
        except InstanceError:  # a task that none of these nodes is left for
            continue
        compared += 1
        for form in ("part.json", "part"):
            write_instance(part, tmp_path / form)
            assert read_instance(tmp_path / form) == part
    assert compared > 15


def any_allocation(instance: Instance, rng: np.random.Generator) -> Allocation:
    """Any form of each task on any nodes, or the task left out."""
    rows = instance.rows
    node_index = np.full(rows.num_rows, -1)
    for j in range(instance.num_tasks):
        form = rng.integers(rows.task_form[j], rows.task_form[j + 1])
        if instance.is_plain or rng.random() < 0.8:
            used = slice(rows.form_start[form], rows.form_start[form + 1])
            node_index[used] = rng.integers(0, instance.num_nodes, used.stop - used.start)
    return Allocation(instance, node_index)


def test_random_allocations_survive_a_round_trip(tmp_path: Path) -> None:
    path, rng = tmp_path / "allocation.csv", np.random.default_rng(7)
    for instance, _ in whole_instances(60, seed=32):
        allocation = any_allocation(instance, rng)
        write_allocation(allocation, path)
        assert read_allocation(instance, path) == allocation
        head, *lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([head, *rng.permutation(lines).tolist()]))
        assert read_allocation(instance, path) == allocation


def test_costs_of_nodes_and_choices_add_up(tmp_path: Path) -> None:
    path, rng = tmp_path / "loads.csv", np.random.default_rng(8)
    for instance, _ in whole_instances(60, seed=33):
        allocation = any_allocation(instance, rng)
        write_loads(allocation, path)
        with path.open() as stream:
            nodes = [
                {key: float(cell or 0) for key, cell in row.items() if key != "node_id"}
                for row in csv.DictReader(stream)
            ]
        parts = cost_parts(instance, allocation)
        for row in nodes:
            split = [value for key, value in row.items() if key.startswith("cost_")]
            assert not split or sum(split) == pytest.approx(row["cost"])
        choices = sum(parts.get(name, 0) for name in ("forms", "left_out", "moves"))
        total = sum(row["cost"] for row in nodes) + choices
        assert total == pytest.approx(cost_of(instance, allocation))
        assert sum(row["tasks"] for row in nodes) == int((allocation.node_index >= 0).sum())


def test_a_folder_written_over_keeps_no_variants_of_before(tmp_path: Path) -> None:
    write_instance(full_instance(), tmp_path / "folder")
    plain = Instance.from_arrays(node_compute=[4], task_compute=[3])
    write_instance(plain, tmp_path / "folder")
    assert read_instance(tmp_path / "folder") == plain


def test_a_task_of_one_form_needs_two_columns_only(tmp_path: Path) -> None:
    variants = [Variant("only", 1, parts=2)]
    instance = Instance([Node("a", 4), Node("b", 4)], [Task("t", variants=variants), Task("u", 1)])
    (tmp_path / "old.csv").write_text("task_id,node_id\nu,b\nt,a\nt,b\n")
    assert read_allocation(instance, tmp_path / "old.csv").node_index.tolist() == [0, 1, 1]


def test_a_result_tells_of_every_task(tmp_path: Path) -> None:
    instance = full_instance()
    node_index = [-1, 0, 1, -1, -1, -1, 2, -1, 2, 0]
    allocation = Allocation(instance, node_index)
    result = Result(
        instance=instance,
        method="auto",
        status=Status.FEASIBLE,
        termination=Termination.FINISHED,
        allocation=allocation,
        cost=cost_of(instance, allocation),
        bound=None,
        seconds=1.0,
        seed=0,
        num_workers=1,
        cost_parts=cost_parts(instance, allocation),
        moves=1,
        left_out=allocation.left_out,
    )
    write_result(result, tmp_path / "result.json")
    loaded = json.loads((tmp_path / "result.json").read_text())
    assert loaded["schema"] == "nodewise-result/2"
    assert loaded["allocation"] == {
        "t": None,
        "u-0": {"node": ["a", "b"], "variant": "bf16"},
        "u-1": {"node": "c", "variant": "fp8"},
        "v": {"node": ["c", "a"], "variant": "y"},
    }
    assert (loaded["left_out"], loaded["moves"]) == (["t"], 1)
    assert loaded["cost_parts"].keys() >= {"idle", "energy", "forms", "left_out", "moves"}
    text = describe(instance)
    assert text == "full: 3 nodes, 4 tasks, 5 variants, 6 rules"


def test_what_is_defaulted_is_not_written(tmp_path: Path) -> None:
    instance = Instance(
        [Node("a", 4, fixed_cost=9), Node("b", 4)],
        [Task("t", model="m"), Task("u", 1, groups=["g"])],
        models={"m": [Variant("x", 1), Variant("y", parts=[Part(2)])]},
        max_load=1,
    )
    write_instance(instance, tmp_path / "i.json")
    assert json.loads((tmp_path / "i.json").read_text()) == {
        "schema": "nodewise/2",
        "max_load": 1,
        "models": {"m": [{"name": "x", "compute": 1}, {"name": "y", "parts": [{"compute": 2}]}]},
        "nodes": [{"id": "a", "compute": 4, "fixed_cost": 9}, {"id": "b", "compute": 4}],
        "tasks": [{"id": "t", "model": "m"}, {"id": "u", "compute": 1, "groups": ["g"]}],
    }
    write_instance(instance, tmp_path / "i")
    read = {path.name: path.read_text() for path in (tmp_path / "i").iterdir()}
    assert read == {
        "nodes.csv": "id,compute,storage,fixed_cost\na,4,,9\nb,4,,\n",
        "tasks.csv": "id,compute,storage,model,groups\nt,,,m,\nu,1,0,,g\n",
        "variants.csv": "model,name,part,compute\nm,x,,1\nm,y,,\nm,y,1,2\n",
        "instance.json": '{"schema": "nodewise/2", "max_load": 1}\n',
    }
    for form in ("i.json", "i"):
        assert read_instance(tmp_path / form) == instance
