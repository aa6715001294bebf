"""The table of fields: a field that is added there is found wherever an instance goes."""

import dataclasses
import math
import pickle
import sys

import numpy as np
import pytest
from random_instances import random_instances

from benchmarks.fingerprint import content_hash
from solver import Instance, InstanceError, Node, Task, read_instance, solve, write_instance
from solver.model import fields
from solver.model.fields import Field, Kind, fields_of

RECORDS = {"node": Node, "task": Task}


@pytest.mark.parametrize("owner", RECORDS)
def test_the_records_have_the_fields_of_the_table(owner):
    listed = {field.name: field for field in fields_of(owner)}
    record = {field.name: field for field in dataclasses.fields(RECORDS[owner])}
    assert record.keys() == listed.keys()
    for name, field in listed.items():
        no_default = record[name].default is dataclasses.MISSING
        no_default &= record[name].default_factory is dataclasses.MISSING
        assert no_default == (field.required and not field.unless)
        if field.kind is Kind.NUMBER and not field.required:
            lacks = field.same_as is not None or field.nullable
            assert record[name].default == (None if lacks else field.default)


@pytest.mark.parametrize("owner", RECORDS)
def test_a_field_named_as_default_comes_before(owner):
    names = [field.name for field in fields_of(owner)]
    for field in fields_of(owner):
        assert field.same_as is None or names.index(field.same_as) < names.index(field.name)


@pytest.fixture
def dummy_fields(monkeypatch):
    """Three fields more: a number and a label of the nodes, a number of the tasks."""
    more = (
        Field("node", "rank", unit="ranks", default=1),
        Field("node", "rack", Kind.LABEL),
        Field("task", "weight", same_as="compute"),
    )
    monkeypatch.setattr(fields, "_TABLE", (*fields._TABLE, *more))
    module = sys.modules["solver.model.instance"]
    for name, record, added in (
        ("Node", Node, [("rank", int, 1), ("rack", object, None)]),
        ("Task", Task, [("weight", object, None)]),
    ):
        grown = dataclasses.make_dataclass(name, added, bases=(record,), frozen=True)
        monkeypatch.setattr(module, name, grown)
    return module


def grown(**columns):
    given = {
        "node_compute": [4, 6],
        "node_kind": ["a", "b"],
        "node_rank": [2, 1],
        "node_rack": [None, "east"],
        "task_compute": [3, 2.5, 1],
        "task_weight": [3, 7, 1],
    }
    return Instance.from_arrays(**{**given, **columns})


def test_a_new_field_is_a_column_and_in_the_records(dummy_fields):
    instance = grown()
    assert instance.node_rank.tolist() == [2, 1]
    assert instance.node_rack == (None, "east")
    assert instance.nodes[1].rack == "east"
    assert instance.tasks[1].weight == 7
    assert Instance(list(instance.nodes), list(instance.tasks)) == instance


def test_a_new_field_has_its_default_and_its_rule(dummy_fields):
    plain = grown(node_rank=None, node_rack=None, task_weight=None)
    assert plain.node_rank.tolist() == [1, 1]
    assert plain.task_weight.tolist() == plain.task_compute.tolist()
    with pytest.raises(InstanceError, match=r"node 'node-1': rank is -1; it must be a finite"):
        grown(node_rank=[1, -1])
    with pytest.raises(InstanceError, match=r"node 'node-0': rack is ''; it must be text"):
        grown(node_rack=["", None])
    with pytest.raises(InstanceError, match=r"resources\['rank'\]"):
        grown(node_resources={"rank": [1, 1]})
    with pytest.raises(TypeError, match=r"'node_rnak' is no column of an instance \(known: "):
        grown(node_rnak=[1, 1])


def test_a_new_field_counts_in_comparison_copies_and_fingerprint(dummy_fields):
    instance = grown()
    for change in ({"node_rank": [1, 1]}, {"node_rack": None}, {"task_weight": [3, 7, 2]}):
        changed = instance.replace(**change)
        assert changed != instance
        assert content_hash(changed) != content_hash(instance)
    assert pickle.loads(pickle.dumps(instance)) == instance
    assert instance.replace(name="x").node_rack == (None, "east")
    part = instance.restrict([1], [2, 1])
    assert part.node_rank.tolist() == [1]
    assert part.node_rack == ("east",)
    assert part.task_weight.tolist() == [1, 7]


@pytest.mark.parametrize("form", ["instance.json", "folder", "instance.zip"])
def test_a_new_field_survives_files(form, tmp_path, dummy_fields):
    for instance in (grown(), grown(node_rank=None, node_rack=None, task_weight=None)):
        write_instance(instance, tmp_path / form)
        assert read_instance(tmp_path / form) == instance


def test_a_new_field_that_says_nothing_is_not_written(tmp_path, dummy_fields):
    plain = grown(node_rank=None, node_rack=None, task_weight=None)
    write_instance(plain, tmp_path / "plain.json")
    assert "rank" not in (tmp_path / "plain.json").read_text()
    write_instance(plain, tmp_path / "plain")
    assert (tmp_path / "plain" / "nodes.csv").read_text().splitlines()[
        0
    ] == "id,compute,storage,kind"


def test_replace_keeps_what_is_not_named_and_checks_what_is():
    for instance in random_instances(40, seed=11, integers=False):
        assert instance.replace() == instance
        other = instance.replace(name="other", max_load=3)
        assert other.replace(name=instance.name, max_load=instance.max_load) == instance
    with pytest.raises(InstanceError, match="entries for 0 tasks"):
        instance.replace(task_compute=[])
    with pytest.raises(InstanceError, match="compute is nan"):
        instance.replace(node_compute=np.full(instance.num_nodes, math.nan))


def test_replaced_nodes_are_asked_again_for_what_tasks_name():
    instance = Instance.from_arrays(
        node_compute=[4, 4], node_kind=["a", "b"], task_compute=[1], task_eligible=[["b"]]
    )
    with pytest.raises(InstanceError, match="'b', which is no id, kind or label of a node"):
        instance.replace(node_kind=["a", "a"])
    assert instance.replace(node_kind=["a", "a"], task_eligible=None, eligible_groups=None)


def test_restrict_is_the_instance_of_the_records_that_are_kept():
    rng = np.random.default_rng(5)
    compared = 0
    for instance in random_instances(80, seed=12, integers=False):
        nodes = np.flatnonzero(rng.random(instance.num_nodes) < 0.7)
        allowed = instance.eligible_nodes[:, nodes].any(axis=1)[instance.task_group]
        tasks = rng.permutation(np.flatnonzero(allowed))[:3]
        if not nodes.size:
            continue
        part = instance.restrict(nodes, tasks)
        assert part.node_ids.tolist() == instance.node_ids[nodes].tolist()
        for j, whole in enumerate(tasks.tolist()):
            mine, theirs = part.tasks[j], instance.tasks[whole]
            assert (mine.id, mine.compute, mine.storage) == (
                theirs.id,
                theirs.compute,
                theirs.storage,
            )
            mask = part.eligible_nodes[part.task_group[j]]
            assert (
                mask.tolist() == instance.eligible_nodes[instance.task_group[whole], nodes].tolist()
            )
        compared += 1
    assert compared > 40


def test_restrict_says_which_task_has_no_node_left():
    instance = Instance.from_arrays(
        node_compute=[4, 4], node_kind=["a", "b"], task_compute=[1, 1], task_eligible=[None, ["b"]]
    )
    with pytest.raises(InstanceError, match="task 'task-1': eligible names none of the nodes"):
        instance.restrict([0], [0, 1])
    with pytest.raises(InstanceError, match="nodes: a position stands twice"):
        instance.restrict([0, 0], [0])
    with pytest.raises(InstanceError, match="at least one node"):
        instance.restrict([], [0])


def test_resources_of_the_nodes_and_of_the_tasks_stay_the_same():
    instance = Instance.from_arrays(
        node_compute=[4, 4], task_compute=[3, 2],
        node_resources={"gpu": [1, 0]}, task_resources={"gpu": [1, 1]},
    )  # fmt: skip
    for fewer in ({}, None):
        with pytest.raises(InstanceError, match=r"'gpu'.* is a resource that no node lists"):
            instance.replace(node_resources=fewer)
    more = instance.replace(node_resources={"gpu": [1, 2], "cpu": [1, 1]})
    assert more.task_resources["cpu"].tolist() == [0, 0]
    assert more.exact.dimensions == ("cpu", "gpu")
    assert solve(more, "greedy").status.value != "infeasible"
    none = instance.replace(node_resources=None, task_resources=None)
    assert none.exact.dimensions == ()


def test_eligibility_is_replaced_by_lists_by_positions_and_by_nothing():
    instance = Instance.from_arrays(
        node_compute=[4, 4], node_kind=["a", "b"], task_compute=[1, 1], task_eligible=[["b"], None]
    )
    assert instance.replace(task_eligible=None).groups == (None,)
    lists = instance.replace(task_eligible=[["a"], ["node-1", "a"]])
    assert [task.eligible for task in lists.tasks] == [("a",), ("a", "node-1")]
    same = instance.replace(task_eligible=np.array([1, 1]))
    assert [task.eligible for task in same.tasks] == [("b",), ("b",)]
    with pytest.raises(InstanceError, match="integer positions in eligible_groups"):
        instance.replace(task_eligible=[["a"], None], eligible_groups=[None, ("a",)])


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([-1, 1], "nodes: there is no position -1; the last is 1"),
        ([2], "nodes: there is no position 2; the last is 1"),
        ([0.7], r"nodes: \[0.7\] is no list of positions"),
        (np.array([True, False]), "is no list of positions"),
        ([[0, 1]], "is no list of positions"),
        (1, "is no list of positions"),
    ],
)
def test_restrict_takes_positions_only(nodes, message):
    instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[1, 1])
    with pytest.raises(InstanceError, match=message):
        instance.restrict(nodes, [0])


def test_a_default_may_be_a_fraction(monkeypatch):
    weight = Field("node", "weight", default=0.5)
    monkeypatch.setattr(fields, "_TABLE", (*fields._TABLE, weight))
    instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[1])
    assert instance.node_weight.tolist() == [0.5, 0.5]


def test_a_price_that_floats_cannot_tell_from_the_compute_is_written(tmp_path):
    instance = Instance.from_arrays(
        node_compute=[2.0**53, 0.5], node_price=[2**53 + 1, 1], task_compute=[1]
    )
    for form in ("one.json", "folder"):
        write_instance(instance, tmp_path / form)
        again = read_instance(tmp_path / form)
        assert again.node_price.tolist() == [2**53 + 1, 1]
        assert again == instance
    rounded = instance.replace(node_price=np.array([2.0**53, 1.0]))
    assert instance != rounded
