"""What is wrong in a file of schema nodewise/2 is named: file, record or line, key and remedy."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from solver.errors import AllocationError, InstanceError, NodewiseWarning
from solver.files.allocation import read_allocation
from solver.files.instance import read_instance
from solver.model.instance import Instance

RECORD: dict[str, Any] = {
    "models": {
        "llama": [{"name": "bf16", "compute": 3, "parts": 2}, {"name": "fp8", "compute": 2}]
    },
    "rules": [{"rule": "spread", "group": "front", "domain": "zone", "max_skew": 1}],
    "nodes": [
        {"id": "a", "compute": 8, "labels": {"zone": "x"}, "resources": {"gpu": 8}},
        {"id": "b", "compute": 8, "kind": "K"},
    ],
    "tasks": [{"id": "t", "model": "llama", "groups": ["front"]}, {"id": "u", "compute": 1}],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The record with one thing changed, such as "tasks.0.model"; ... takes it away."""
    record = copy.deepcopy(RECORD)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = record
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return record


BAD_JSON: dict[str, tuple[str, Any, list[str]]] = {
    "key of a variant": (
        "models.llama.1.los",
        1,
        ["models['llama'][1] ('fp8')", "'los'", "did you mean 'loss'"],
    ),
    "variant text": ("models.llama.0", "bf16", ["models['llama'][0] is a JSON string", "object"]),
    "variants object": ("models.llama", {}, ["models['llama'] is a JSON object", "array"]),
    "variants empty": ("models.llama", [], ["model 'llama': variants is empty"]),
    "models array": ("models", [], ["models is a JSON array", "by the name of each model"]),
    "name missing": ("models.llama.1.name", ..., ["models['llama'][1]: name is missing"]),
    "name null": ("models.llama.1.name", None, ["models['llama'][1]", "name is null"]),
    "name twice": ("models.llama.1.name", "bf16", ["variant 'bf16' stands twice"]),
    "compute missing": ("models.llama.1.compute", ..., ["variant 'fp8': compute is None"]),
    "loss negative": ("models.llama.1.loss", -1, ["variant 'fp8': loss is -1"]),
    "parts zero": ("models.llama.0.parts", 0, ["'bf16': parts is 0", "1 to 10,000"]),
    "part without compute": (
        "models.llama.0",
        {"name": "p", "parts": [{"compute": 1}, {"storage": 1}]},
        ["models['llama'][0] ('p'): parts[1]: compute is missing"],
    ),
    "figures beside parts": (
        "models.llama.0.parts",
        [{"compute": 1}],
        ["variant 'bf16': parts have figures of their own"],
    ),
    "eligible of a variant": (
        "models.llama.1.eligible",
        ["zone=y"],
        ["('fp8'): eligible: 'zone=y'", "did you mean 'zone=x'"],
    ),
    "resource of a variant": (
        "models.llama.1.resources",
        {"gpus": 1},
        ["resources['gpus']", "did you mean 'gpu'"],
    ),
    "model unknown": (
        "tasks.0.model",
        "lama",
        ["tasks[0] ('t'): model is 'lama'", "did you mean 'llama'"],
    ),
    "model number": ("tasks.0.model", 3, ["tasks[0] ('t'): model is 3"]),
    "model beside compute": ("tasks.0.compute", 3, ["task 't': compute is given beside"]),
    "neither": ("tasks.1.compute", ..., ["tasks[1] ('u'): compute is missing"]),
    "compute null": ("tasks.1.compute", None, ["task 'u': compute: None"]),
    "variants of a task": (
        "tasks.1",
        {"id": "u", "variants": [{"compute": 1}]},
        ["tasks[1] ('u'): variants[0]: name is missing"],
    ),
    "replicas negative": ("tasks.1.replicas", -1, ["task 'u': replicas is -1"]),
    "replicas without end": ("tasks.1.replicas", 10**12, ["task 'u': replicas is", "more than"]),
    "groups text": ("tasks.1.groups", "front", ["tasks[1] ('u'): groups: 'front' is not a list"]),
    "group empty": ("tasks.1.groups", [""], ["tasks[1] ('u'): groups", "not empty"]),
    "pinned unknown": ("tasks.1.pinned", "c", ["tasks[1] ('u'): pinned: 'c' is not the id"]),
    "pinned to none": ("tasks.1.pinned", [], ["tasks[1] ('u'): pinned: the list is empty"]),
    "skip_price text": ("tasks.1.skip_price", "3", ["'u'", "skip_price", "'3'"]),
    "state": ("nodes.0.state", "closed", ["node 'a': state is 'closed'", "drained"]),
    "labels array": ("nodes.0.labels", ["x"], ["node 'a': labels is ['x']"]),
    "label number": ("nodes.0.labels", {"zone": 3}, ["node 'a': labels['zone'] is 3"]),
    "fixed_cost and price": (
        "nodes.1",
        {"id": "b", "compute": 1, "price": 2, "fixed_cost": 3, "overload_price": 1},
        ["node 'b': it has price and fixed_cost"],
    ),
    "fixed_cost alone": ("nodes.0.fixed_cost", 3, ["node 'a': fixed_cost needs overload_price"]),
    "rules object": ("rules", {}, ["rules is a JSON object"]),
    "rule text": ("rules.0", "spread", ["rules[0] is 'spread'"]),
    "rule unknown": ("rules.0.rule", "spred", ["rules[0]: rule is", "did you mean 'spread'"]),
    "key of a rule": ("rules.0.maxskew", 1, ["rules[0]: the key 'maxskew'", "'max_skew'"]),
    "key of another rule": ("rules.0.max", 1, ["rules[0]: the key 'max' is unknown"]),
    "max_skew missing": ("rules.0.max_skew", ..., ["rules[0]: max_skew is missing"]),
    "group of a rule": ("rules.0.group", "back", ["rules[0] (spread): group is 'back'", "front"]),
    "domain of a rule": ("rules.0.domain", "rack", ["rules[0] (spread): domain", "zone"]),
    "current array": ("current", [0, 1], ["current is a JSON array", "by its id"]),
    "current number": ("current", {"u": 1}, ["current: task 'u': 1 is no place"]),
    "current key": ("current", {"u": {"nod": "a"}}, ["current: task 'u': the key 'nod'"]),
    "current without variant": ("current", {"t": "a"}, ["current: task 't': say which variant"]),
    "current too many": ("current", {"u": ["a", "b"]}, ["task 'u': it names 2 nodes for 1 part"]),
    "max_moves fraction": ("max_moves", 1.5, ["max_moves is 1.5"]),
    "max_moving number": ("max_moving", 1, ["max_moving is 1; it must map groups"]),
    "max_moving group": ("max_moving", {"back": 1}, ["max_moving: 'back' is a group", "front"]),
    "max_moving fraction": ("max_moving", {"front": 0.5}, ["max_moving['front'] is 0.5"]),
    "currency number": ("currency", 1, ["currency is 1"]),
    "setting unknown": ("quality_buget", 1, ["'quality_buget'", "did you mean 'quality_budget'"]),
}


@pytest.mark.parametrize("case", BAD_JSON)
def test_bad_json_names_record_and_key(tmp_path: Path, case: str) -> None:
    where, value, wanted = BAD_JSON[case]
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(changed(where, value)))
    with pytest.raises(InstanceError) as caught:
        read_instance(path)
    for part in ["bad.json", *wanted]:
        assert part in str(caught.value)


def test_a_price_that_no_float_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(changed("tasks.1.skip_price", "HERE")).replace('"HERE"', "1e400"))
    with pytest.raises(InstanceError, match=r"tasks\[1\] \('u'\): skip_price is too large"):
        read_instance(path)


TABLES = {
    "nodes.csv": "id,compute,label_zone,state,gpu\na,8,x,,8\nb,8,,open,\n",
    "tasks.csv": "id,compute,model,groups,node,node_variant,replicas,pinned\n"
    "t,,llama,front,b,fp8,,\nu,1,,,,,,\n",
    "variants.csv": "model,task,name,part,parts,compute,eligible,price,gpu\n"
    "llama,,bf16,,2,3,,,\nllama,,fp8,,,2,,,1\nllama,,split,,,,,4,\n"
    "llama,,split,1,,1,,,\nllama,,split,2,,2,a,,\n",
    "instance.json": "{}",
}

BAD_TABLES: dict[str, tuple[str, str, str, list[str]]] = {
    "state": ("nodes.csv", ",open,", ",opn,", ["line 3, column state", "did you mean 'open'"]),
    "label unnamed": ("nodes.csv", "label_zone", "label_", ["column label_ has no key"]),
    "label not named so": ("nodes.csv", "label_zone", "zone", ["line 2", "name it label_zone"]),
    "field of tasks": ("nodes.csv", "gpu", "Skip Price", ["column Skip Price", "remove it"]),
    "case of a field": ("tasks.csv", "pinned", "Skip Price", ["name it skip_price"]),
    "field misspelt": ("tasks.csv", "pinned", "pined", ["column pined", "did you mean 'pinned'"]),
    "model unknown": ("tasks.csv", "llama", "lama", ["line 2, column model", "'llama'"]),
    "compute empty": ("tasks.csv", "u,1", "u,", ["line 3, column compute", "or name a model"]),
    "compute and model": ("tasks.csv", "t,,", "t,1,", ["task 't': compute is given beside"]),
    "no compute": ("tasks.csv", "compute,model", "kompute,modell", ["tasks.csv, line 1"]),
    "replicas": ("tasks.csv", "u,1,,,,,,", "u,1,,,,,many,", ["line 3, column replicas", "'many'"]),
    "replicas placed": ("tasks.csv", "u,1,,,,,,", "u,1,,,a,,2,", ["line 3, column node", "'u'"]),
    "pinned": ("tasks.csv", "u,1,,,,,,", "u,1,,,,,,a|c", ["line 3, column pinned", "'c'"]),
    "group empty": ("tasks.csv", "front", "front|", ["line 2, column groups", "not empty"]),
    "variant nowhere": ("tasks.csv", ",b,fp8", ",,fp8", ["line 2, column node", "'fp8'"]),
    "variant without node": ("tasks.csv", "node,", "nod,", ["column nod ", "did you mean 'node'"]),
    "no owner": ("variants.csv", "llama,,fp8", ",,fp8", ["line 3, column model", "empty"]),
    "two owners": (
        "variants.csv",
        "llama,,fp8",
        "llama,u,fp8",
        ["line 3", "one of model and task"],
    ),
    "owner unknown": ("variants.csv", "llama,,fp8", ",v,fp8", ["line 3, column task", "'v'"]),
    "owner column": ("variants.csv", "model,task", "modell,tsk", ["line 1", "model is missing"]),
    "unnamed": ("variants.csv", "llama,,fp8", "llama,,", ["line 3, column name", "needs a name"]),
    "twice": ("variants.csv", "llama,,fp8", "llama,,bf16", ["line 3, column name", "twice"]),
    "compute of a variant": ("variants.csv", "fp8,,,2", "fp8,,,", ["line 3, column compute"]),
    "compute of a part": (
        "variants.csv",
        "2,,2,a",
        "2,,,a",
        ["line 6, column compute", "the part"],
    ),
    "number of parts": (
        "variants.csv",
        "bf16,,2",
        "bf16,,0",
        ["line 2, column parts", "1 or more"],
    ),
    "rows of parts": ("variants.csv", "split,,,", "split,,3,", ["line 4, column parts", "2 parts"]),
    "part 0": ("variants.csv", "split,1", "split,0", ["line 5, column part", "1, 2, 3"]),
    "part twice": ("variants.csv", "split,1", "split,2", ["line 6, column part", "stands twice"]),
    "part missing": ("variants.csv", "split,1", "split,3", ["part 1", "count from 1"]),
    "price of a part": ("variants.csv", "2,,2,a,", "2,,2,a,1", ["line 6, column price", "once"]),
    "figures beside parts": ("variants.csv", "split,,,,", "split,,,1,", ["line 4, column compute"]),
    "eligible": ("variants.csv", "2,a", "2,zone=y", ["line 6, column eligible", "'zone=x'"]),
    "resource": ("variants.csv", "gpu", "cpu", ["line 1: column cpu", "nodes.csv"]),
    "models in JSON": ("instance.json", "{}", '{"models": {}}', ["models", "variants.csv"]),
    "current in JSON": ("instance.json", "{}", '{"current": {}}', ["current", "tasks.csv"]),
    "rule in JSON": ("instance.json", "{}", '{"rules": [{}]}', ["instance.json: rules[0]"]),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables_name_file_line_and_column(tmp_path: Path, case: str) -> None:
    member, old, new, wanted = BAD_TABLES[case]
    for name, text in TABLES.items():
        assert name != member or old in text
        edited = text.replace(old, new, 1) if name == member else text
        (tmp_path / name).write_text(edited)
    with pytest.raises(InstanceError) as caught:
        read_instance(tmp_path)
    for part in wanted:
        assert part in str(caught.value)


def placed_instance(folder: Path) -> Instance:
    for name, text in TABLES.items():
        (folder / name).write_text(text)
    return read_instance(folder)


def test_tables_may_have_their_columns_and_rows_in_any_order(tmp_path: Path) -> None:
    instance = placed_instance(tmp_path)
    for name in ("nodes.csv", "tasks.csv", "variants.csv"):
        rows = [line.split(",") for line in TABLES[name].splitlines()]
        text = "".join(",".join(reversed(row)) + "\n" for row in rows)
        (tmp_path / name).write_text(text)
    assert read_instance(tmp_path) == instance
    head, *rows = TABLES["variants.csv"].splitlines(keepends=True)
    parts = [row for row in rows if ",split,1" in row or ",split,2" in row]
    others = [row for row in rows if row not in parts]
    (tmp_path / "variants.csv").write_text("".join([head, *others, *reversed(parts)]))
    assert read_instance(tmp_path) == instance


def test_a_node_that_is_gone_is_nowhere_now(tmp_path: Path) -> None:
    placed_instance(tmp_path)
    (tmp_path / "tasks.csv").write_text("id,compute,node\nt,1,gone\nu,1,b\n")
    with pytest.warns(NodewiseWarning, match="'gone'"):
        instance = read_instance(tmp_path)
    assert instance.current is not None
    assert instance.current.tolist() == [-1, 1]


HEADER = "task_id,node_id,variant,part\n"
BAD_ALLOCATIONS: dict[str, tuple[str, list[str]]] = {
    "variant missing": ("task_id,node_id\nt,a\nu,b\n", ["line 2, column task_id", "name one of"]),
    "variant empty": (HEADER + "t,a,,\nu,b,,\n", ["line 2, column variant", "bf16, fp8, split"]),
    "variant unknown": (HEADER + "t,a,fp9,\n", ["line 2, column variant", "did you mean 'fp8'"]),
    "variant of none": (HEADER + "u,a,fp8,\n", ["line 2, column variant", "leave the cell empty"]),
    "two variants": (HEADER + "t,a,bf16,1\nt,b,fp8,\n", ["line 3, column variant", "two variants"]),
    "part unknown": (HEADER + "t,a,bf16,3\n", ["line 2, column part", "from 1 to 2"]),
    "part 0": (HEADER + "t,a,bf16,0\n", ["line 2, column part", "'0'"]),
    "part twice": (HEADER + "t,a,bf16,1\nt,b,bf16,1\n", ["line 3, column part", "twice"]),
    "parts that differ": (HEADER + "t,a,split,\n", ["line 2, column part", "number them from 1"]),
    "too many parts": (HEADER + "t,a,bf16,\nt,b,bf16,\nt,a,bf16,\n", ["line 4", "more rows"]),
    "part without row": (HEADER + "t,a,bf16,1\nu,b,,\n", ["'t' has rows for 1 of its 2 parts"]),
    "left out and placed": (HEADER + "t,,,\nt,b,fp8,\n", ["line 3, column task_id", "twice"]),
    "left out twice": (HEADER + "t,,,\nt,,,\n", ["line 3, column task_id", "twice"]),
    "task missing": (HEADER + "t,b,fp8,1\n", ["task 'u' has no row"]),
    "node unknown": (HEADER + "t,c,fp8,1\n", ["line 2, column node_id", "'c'"]),
}


@pytest.mark.parametrize("case", BAD_ALLOCATIONS)
def test_bad_allocations_name_the_line(tmp_path: Path, case: str) -> None:
    text, wanted = BAD_ALLOCATIONS[case]
    instance = placed_instance(tmp_path)
    (tmp_path / "allocation.csv").write_text(text)
    with pytest.raises(AllocationError) as caught:
        read_allocation(instance, tmp_path / "allocation.csv")
    for part in ["allocation.csv", *wanted]:
        assert part in str(caught.value)


def test_rows_of_parts_come_in_any_order_and_equal_ones_need_no_number(tmp_path: Path) -> None:
    instance = placed_instance(tmp_path)
    path = tmp_path / "allocation.csv"
    for rows, expected in (
        ("u,b,,\nt,b,split,2\nt,a,split,1\n", [-1, -1, -1, 0, 1, 1]),
        ("t,b,bf16,\nt,a,bf16,1\nu,,,\n", [0, 1, -1, -1, -1, -1]),
        ("t,b,bf16,\nt,a,bf16,\nu,a,,1\n", [1, 0, -1, -1, -1, 0]),
    ):
        path.write_text(HEADER + rows)
        assert read_allocation(instance, path).node_index.tolist() == expected
    plain = Instance.from_arrays(node_compute=[1], task_compute=[1])
    path.write_text("task_id,node_id\ntask-0,\n")
    with pytest.raises(AllocationError, match=r"line 2, column node_id: .*skip_price"):
        read_allocation(plain, path)
