"""Variants, parts, groups, rules, labels, states and present places: the data and its rules."""

import math
import pickle
import re
import warnings

import numpy as np
import pytest

from solver import (
    Affinity,
    Allocation,
    AntiAffinity,
    Instance,
    InstanceError,
    Limit,
    Node,
    NodewiseWarning,
    Part,
    Spread,
    Task,
    Variant,
)

NODES = [
    Node("a", 10, 64, kind="H100", labels={"zone": "x", "rack": "r1"}),
    Node("b", 8, 32, kind="B200", labels={"zone": "y"}),
    Node("c", 6),
]


def make(*tasks, nodes=NODES, **settings):
    return Instance(nodes, tasks or [Task("t", 1, groups=["g", "h"])], **settings)


def refuses(message):
    return pytest.raises(InstanceError, match=f"^{re.escape(message)}")


BAD_NODES = {
    "price beside fixed_cost": (
        {"price": 2, "fixed_cost": 3, "overload_price": 1},
        "node 'n': it has price and fixed_cost; give one of them",
    ),
    "fixed_cost alone": (
        {"fixed_cost": 3},
        "node 'n': fixed_cost needs overload_price, what a unit of load above the capacity costs",
    ),
    "fixed_cost negative": ({"fixed_cost": -1}, "node 'n': fixed_cost is -1; it must be"),
    "state": ({"state": "off"}, "node 'n': state is 'off'; it must be one of: open, cordoned"),
    "label no text": ({"labels": {"zone": 3}}, "node 'n': labels['zone'] is 3; it must be text"),
    "label key": ({"labels": {"kind": "x"}}, "nodes: labels['kind']: the key of a label must be"),
    "label key with =": ({"labels": {"a=b": "x"}}, "nodes: labels['a=b']: the key of a label"),
    "labels": ({"labels": "zone"}, "node 'n': labels is 'zone'; it must map keys to text"),
}


@pytest.mark.parametrize("name", BAD_NODES)
def test_a_bad_node_is_refused(name):
    fields, message = BAD_NODES[name]
    with refuses(message):
        make(nodes=[Node("n", 1, **fields)])


BAD_TASKS = {
    "nothing": ({}, "task 'u': compute is missing; give it, or variants or model"),
    "variants and compute": (
        {"compute": 2, "variants": [Variant("v", 1)]},
        "task 'u': compute is given beside variants or a model; it belongs to the variants",
    ),
    "variants and storage": (
        {"storage": 2, "variants": [Variant("v", 1)]},
        "task 'u': storage is given beside variants",
    ),
    "variants and eligible": (
        {"eligible": ["a"], "variants": [Variant("v", 1)]},
        "task 'u': eligible is given beside variants",
    ),
    "variants and model": (
        {"model": "m", "variants": [Variant("v", 1)]},
        "task 'u': it has variants and a model; give one of them",
    ),
    "unknown model": (
        {"model": "n"},
        "task 'u': model is 'n', which is none of the models (known: 'm')",
    ),
    "no variants": ({"variants": []}, "task 'u': variants is empty; give one at least"),
    "not variants": ({"variants": ["v"]}, "task 'u': variants[0] is 'v'; it must be a Variant"),
    "variant twice": (
        {"variants": [Variant("v", 1), Variant("v", 2)]},
        "task 'u': the variant 'v' stands twice",
    ),
    "variant without name": (
        {"variants": [Variant("", 1)]},
        "task 'u': variants[0]: name is ''; it must be text that is not empty",
    ),
    "variant without compute": (
        {"variants": [Variant("v")]},
        "task 'u', variant 'v': compute is None; it must be a finite number, 0 or more",
    ),
    "variant loss": (
        {"variants": [Variant("v", 1, loss=-1)]},
        "task 'u', variant 'v': loss is -1; it must be a finite number, 0 or more",
    ),
    "variant price": (
        {"variants": [Variant("v", 1, price=math.nan)]},
        "task 'u', variant 'v': price is nan; it must be a finite number, 0 or more",
    ),
    "variant eligible": (
        {"variants": [Variant("v", 1, eligible=["zone=z"])]},
        "task 'u', variant 'v': eligible names 'zone=z', which is no id, kind or label of a node",
    ),
    "variant resource": (
        {"variants": [Variant("v", 1, resources={"gpu": 1})]},
        "task 'u', variant 'v': resources['gpu'] is a resource that no node lists (known: none)",
    ),
    "parts zero": (
        {"variants": [Variant("v", 1, parts=0)]},
        "task 'u', variant 'v': parts is 0; it must be an integer from 1 to 10,000",
    ),
    "parts and compute": (
        {"variants": [Variant("v", 1, parts=[Part(1)])]},
        "task 'u', variant 'v': parts have figures of their own; leave out compute",
    ),
    "parts empty": (
        {"variants": [Variant("v", parts=[])]},
        "task 'u', variant 'v': parts is empty; give one at least",
    ),
    "part": (
        {"variants": [Variant("v", parts=[Part(-1)])]},
        "task 'u', variant 'v', part 1: compute is -1; it must be a finite number, 0 or more",
    ),
    "replicas": ({"compute": 1, "replicas": -1}, "task 'u': replicas is -1; it must be an integer"),
    "groups": ({"compute": 1, "groups": "g"}, "task 'u': groups is 'g'; it must be a list of"),
    "group": ({"compute": 1, "groups": [3]}, "task 'u': groups names 3; it must be text"),
    "max_loss": ({"compute": 1, "max_loss": -1}, "task 'u': max_loss is -1; it must be"),
    "skip_price": ({"compute": 1, "skip_price": "x"}, "task 'u': skip_price: 'x' is not a number"),
    "move_price": ({"compute": 1, "move_price": -2}, "task 'u': move_price is -2; it must be"),
    "pinned": ({"compute": 1, "pinned": "z"}, "task 'u': pinned names 'z', which is no id"),
    "pinned to nothing": ({"compute": 1, "pinned": []}, "task 'u': pinned is empty; name a node"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_TASKS)
def test_a_bad_task_is_refused(name):
    fields, message = BAD_TASKS[name]
    with refuses(message):
        make(Task("u", **fields), models={"m": [Variant("w", 2)]})


BAD_SETTINGS = {
    "models": ({"models": [1]}, "models is [1]; it must map names to lists of variants"),
    "model name": ({"models": {"": [Variant("v", 1)]}}, "models: the name '' must be text"),
    "model": ({"models": {"m": []}}, "model 'm': variants is empty; give one at least"),
    "rules": ({"rules": "limit"}, "rules is 'limit'; it must be a list of rules"),
    "rule": ({"rules": [3]}, "rules[0] is 3; it must be an object with the key rule"),
    "rule name": ({"rules": [{"rule": "cap"}]}, "rules[0]: rule is 'cap'; it must be one of"),
    "rule key": (
        {"rules": [{"rule": "limit", "group": "g", "domain": "node", "most": 1}]},
        "rules[0]: the key 'most' is unknown in a rule 'limit' (known: rule, group, domain, max)",
    ),
    "rule lacks": (
        {"rules": [{"rule": "limit", "group": "g", "domain": "node"}]},
        "rules[0]: max is missing in a rule 'limit'",
    ),
    "rule group": (
        {"rules": [Limit("x", "node", 1)]},
        "rules[0] (limit): group is 'x', a group that no task names (known: g, h)",
    ),
    "rule with": (
        {"rules": [AntiAffinity("g", "x", "node")]},
        "rules[0] (anti-affinity): with is 'x', a group that no task names",
    ),
    "rule with itself": (
        {"rules": [AntiAffinity("g", "g", "node")]},
        "rules[0] (anti-affinity): with is the group 'g' itself; use a limit with max 1",
    ),
    "affinity with itself": (
        {"rules": [Affinity("g", "node", "g")]},
        "rules[0] (affinity): with is the group 'g' itself; leave with out",
    ),
    "domain": (
        {"rules": [Limit("g", "row", 1)]},
        "rules[0] (limit): domain is 'row', and no node has such a label (known: node, kind, rack,",
    ),
    "max": ({"rules": [Limit("g", "node", -1)]}, "rules[0] (limit): max is -1; it must be an"),
    "skew": ({"rules": [Spread("g", "node", 0)]}, "rules[0] (spread): max_skew is 0; it must be"),
    "min_domains": (
        {"rules": [Spread("g", "node", 1, 0)]},
        "rules[0] (spread): min_domains is 0; it must be an integer, 1 or more",
    ),
    "quality_budget": ({"quality_budget": -1}, "quality_budget is -1; it must be a finite number"),
    "quality_price": ({"quality_price": math.inf}, "quality_price is inf; it must be a finite"),
    "move_price": ({"move_price": "x"}, "move_price is 'x'; it must be a finite number"),
    "max_moves": ({"max_moves": 1.5}, "max_moves is 1.5; it must be an integer, 0 or more"),
    "max_moving": ({"max_moving": 3}, "max_moving is 3; it must map groups to how many"),
    "max_moving group": (
        {"max_moving": {"x": 3}},
        "max_moving: 'x' is a group that no task names (known: g",
    ),
    "max_moving count": (
        {"max_moving": {"g": -1}},
        "max_moving['g'] is -1; it must be an integer, 0 or more",
    ),
    "currency": ({"currency": 3}, "currency is 3; it must be text"),
    "current": ({"current": {"t": 3}}, "current: task 't': 3 is no place; it must be the id"),
    "current key": ({"current": {"t": {"on": "a"}}}, "current: task 't': the key 'on' is unknown"),
    "current variant": (
        {"current": {"t": {"node": "a", "variant": 1}}},
        "current: task 't': variant is 1; it must be the name of one",
    ),
    "current of two": (
        {"current": {"t": ["a", "b"]}},
        "current: task 't': it names 2 nodes for 1 parts",
    ),
    "current positions": ({"current": [3]}, "current must hold positions -1..2"),
    "current length": ({"current": [0, 0]}, "current has shape (2,) of int64; it must map tasks"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_a_bad_setting_is_refused(name):
    settings, message = BAD_SETTINGS[name]
    with refuses(message):
        make(**settings)


def test_the_present_variant_must_be_named():
    with refuses("current: task 't': say which variant runs: {'node': ..., 'variant': one of ['v"):
        make(Task("t", variants=[Variant("v", 1), Variant("w", 2)]), current={"t": "a"})


def whole(**settings):
    return make(
        Task("t", compute=3, groups=["g"], replicas=2, eligible=["zone=x"]),
        Task(
            "v",
            variants=[Variant("f", 4, 2, price=1.5, loss=0.5), Variant("q", 2, 1, parts=2)],
            skip_price=9,
            pinned="a",
        ),
        Task("w", model="m"),
        Task("l", model="m"),
        models={"m": [Variant("p", parts=[Part(1), Part(2, 1, eligible=["b"])]), Variant("o", 4)]},
        rules=[Limit("g", "node", 1), Spread("t", "zone", 1)],
        current={"t-0": "a", "v": {"node": ["a", None], "variant": "q"}},
        quality_price=0.25,
        quality_budget=1.5,
        **settings,
    )


def test_rows_are_the_parts_of_the_variants_of_the_tasks():
    rows = whole().rows
    assert rows.task.tolist() == [0, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    assert rows.form.tolist() == [0, 1, 2, 3, 3, 4, 4, 5, 6, 6, 7]
    assert rows.variant.tolist() == [0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1]
    assert rows.part.tolist() == [0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0]
    assert rows.compute.tolist() == [3, 3, 4, 2, 2, 1, 2, 4, 1, 2, 4]
    assert rows.storage.tolist() == [0, 0, 2, 1, 1, 0, 1, 0, 0, 1, 0]
    assert [rows.groups[g] for g in rows.group.tolist()] == [
        ("zone=x",), ("zone=x",), ("a",), ("a",), ("a",), None, ("b",), None, None, ("b",), None
    ]  # fmt: skip
    assert rows.task_start.tolist() == [0, 1, 2, 5, 8, 11]
    assert rows.task_form.tolist() == [0, 1, 2, 4, 6, 8]


def test_the_rows_of_a_plain_instance_are_its_tasks():
    instance = make(Task("t", 1, groups=["g"]), Task("u", 2, max_loss=3))
    assert instance.is_plain
    assert instance.rows.is_identity
    assert instance.rows.compute is instance.task_compute
    assert instance.exact.choices is None


def test_costs_of_choices_are_exact():
    instance = whole()
    choices, scale = instance.exact.choices, instance.exact.cost_scale
    assert choices.form_cost.tolist() == [0, 0, 1.625 * scale, 0, 0, 0, 0, 0]
    assert choices.skip_cost.tolist() == [-1, -1, 9 * scale, -1, -1]
    assert choices.form_loss.tolist() == [0, 0, 5, 0, 0, 0, 0, 0]
    assert (choices.loss_budget, choices.loss_scale) == (15, 10)


def test_a_variant_that_loses_too_much_is_not_allowed():
    variants = [Variant("f", 1), Variant("q", 1, loss=0.3)]
    instance = make(
        Task("t", variants=variants, max_loss=0.3), Task("u", variants=variants, max_loss=0.29)
    )
    assert instance.exact.choices.form_allowed.tolist() == [True, True, True, False]


def test_replicas_are_tasks_in_a_group():
    instance = make(Task("web", 2, replicas=3, groups=["all"]), Task("none", 1, replicas=0))
    assert instance.task_ids.tolist() == ["web-0", "web-1", "web-2"]
    assert instance.tasks[1].groups == ("all", "web")
    assert instance.is_plain


def test_replicas_of_arrays():
    instance = Instance.from_arrays(
        node_compute=[9], task_compute=np.array([1, 2]), task_replicas=[2, None],
        task_groups=[0, 1], group_sets=[(), ("g",)],
    )  # fmt: skip
    assert instance.task_ids.tolist() == ["task-0-0", "task-0-1", "task-1"]
    assert instance.task_compute.tolist() == [1, 1, 2]
    assert [task.groups for task in instance.tasks] == [("task-0",), ("task-0",), ("g",)]


def test_arrays_and_records_give_the_same_instance():
    instance = whole(move_price=2, max_moves=1, currency="USD")
    again = Instance.from_arrays(
        node_compute=[10, 8, 6],
        node_storage=[64, 32, math.inf],
        node_kind=["H100", "B200", None],
        node_labels={"zone": ["x", "y", None], "rack": ["r1", None, None]},
        node_ids=["a", "b", "c"],
        task_compute=[3, 3, 0, 0, 0],
        task_ids=["t-0", "t-1", "v", "w", "l"],
        task_eligible=[["zone=x"], ["zone=x"], None, None, None],
        task_model=np.array([-1, -1, -1, 0, 0]),
        task_variants=[None, None, instance.variant_sets[1], None, None],
        task_groups=np.array([1, 1, 0, 0, 0]),
        group_sets=[(), ("g", "t")],
        task_skip_price=[math.inf, math.inf, 9, math.inf, math.inf],
        task_pinned=[None, None, "a", None, None],
        models=instance.models,
        rules=instance.rules,
        current=instance.current,
        quality_price=0.25,
        quality_budget=1.5,
        move_price=2,
        max_moves=1,
        currency="USD",
    )
    assert again == instance
    records = Instance(
        list(instance.nodes),
        list(instance.tasks),
        models=instance.models,
        rules=instance.rules,
        current=instance.current,
        quality_price=0.25,
        quality_budget=1.5,
        move_price=2,
        max_moves=1,
        currency="USD",
    )
    assert records == instance


def test_copies_keep_everything():
    instance = whole()
    assert pickle.loads(pickle.dumps(instance)) == instance
    assert instance.replace(max_load=2).replace(max_load=None) == instance
    for change in (
        {"rules": ()},
        {"quality_budget": 2},
        {"current": None},
        {"move_price": 1},
        {"max_moving": {"t": 1}},
        {"task_pinned": None},
        {"task_skip_price": None},
        {"task_groups": [["g", "t"], ["g", "t"], ["g"], [], []]},
        {"models": {"m": [Variant("o", 4)]}},
        {"node_state": ["open", "drained", "open"]},
        {"node_labels": {"zone": ["x", "y", "z"]}},
    ):
        assert instance.replace(**change) != instance


def test_a_part_of_an_instance_keeps_what_it_can():
    part = whole().restrict([0], [0, 1, 2])
    assert part.rules == (Limit("g", "node", 1), Spread("t", "zone", 1))
    assert part.current.tolist() == [0, -1, -1, 0, -1]
    assert part.tasks[2].pinned == ("a",)
    left = whole().restrict([0], [3])
    capped = whole(max_moving={"g": 1, "t": 0})
    assert capped.restrict([0], [0, 1]).max_moving == {"g": 1, "t": 0}
    assert capped.restrict([0], [3]).max_moving == {}
    assert [variant.name for variant in left.variants_of(0)] == ["o"]
    with refuses("task 'v': eligible names none of the nodes that are kept"):
        whole().restrict([1, 2], [2])


def test_a_fixed_cost_is_what_a_node_costs():
    nodes = [Node("a", 4, fixed_cost=2.5, overload_price=7), Node("b", 4, price=2)]
    instance = make(nodes=nodes)
    assert instance.exact.node_on_cost.tolist() == [25, 80]
    assert instance.exact.cost_scale == 10
    assert instance.nodes[0] == Node(
        "a", 4, fixed_cost=2.5, overload_price=7, max_watts=0, labels={}
    )
    assert instance.is_plain
    hard = make(nodes=[Node("a", 4, fixed_cost=3, use_price=2)], max_load=1)
    assert hard.nodes[0].overload_price == 2


def test_what_current_does_not_know_is_nowhere_and_said_once():
    with pytest.warns(NodewiseWarning, match=r"unknown tasks \(such as 'old'\), 2 unknown nodes"):
        instance = make(Task("t", 1), Task("u", 1), current={"old": "a", "t": "gone", "u": "lost"})
    assert instance.current.tolist() == [-1, -1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert make(current={"t": "a"}).current.tolist() == [0]


def test_the_allocation_of_another_instance_is_known_by_its_names():
    old = Instance(
        [Node("c", 5), Node("gone", 5), Node("a", 5)],
        [Task("u", 1), Task("t", 1), Task("x", 1)],
    )
    with pytest.warns(NodewiseWarning, match="1 unknown tasks"):
        instance = make(Task("t", 1), Task("u", 1), current=Allocation(old, [0, 2, 1]))
    assert instance.current.tolist() == [0, 2]
    again = whole().replace(current=None)
    whole_place = [0, 1, -1, 0, 2, 0, 1, -1, -1, -1, 2]
    assert again.replace(current=Allocation(again, whole_place)).current.tolist() == whole_place


def test_positions_in_two_variants_are_refused():
    with refuses("current: the task at position 2 is in two variants"):
        whole().replace(current=[0, 1, 0, 0, 2, 0, 1, -1, -1, -1, 2])


def test_eligibility_by_label_values():
    instance = make(Task("t", 1, eligible=["zone=y", "c"]), Task("u", 1, eligible=["zone=x"]))
    assert instance.eligible_nodes[instance.task_group].tolist() == [
        [False, True, True], [True, False, False]
    ]  # fmt: skip


def test_pins_and_eligibility_may_leave_nothing():
    instance = make(Task("t", 1, eligible=["a"], pinned=["b", "c"]), Task("u", 1, pinned="c"))
    mask = instance.eligibility.block(instance.rows.group, np.arange(3))
    assert mask.tolist() == [[False, False, False], [False, False, True]]
