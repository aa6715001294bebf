"""The instance: one test a rule, equality, copies, records, numbers and memory."""

from __future__ import annotations

import copy
import math
import pickle
import re
import tracemalloc
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_instances import random_instances

from solver.errors import InstanceError, NodewiseError
from solver.model.instance import Instance, Node, Task

FINITE = "it must be a finite number, 0 or more"
UNLIMITED = "it must be 0 or more (inf for unlimited)"


def refuses(message):
    """Expect an InstanceError with exactly this message."""
    return pytest.raises(InstanceError, match=f"^{re.escape(message)}$")


def with_node(**fields):
    return Instance([Node("a", 1), Node(**{"id": "b", "compute": 1, **fields})], [Task("t", 1)])


def with_task(**fields):
    nodes = [Node("a", 1, kind="K", resources={"gpu": 1})]
    return Instance(nodes, [Task("t", 1), Task(**{"id": "u", "compute": 1, **fields})])


NODE_FIELDS = ["compute", "storage", "price", "overload_price", "resources['gpu']"]
TASK_FIELDS = ["compute", "storage", "resources['gpu']"]


def fields_of(name, value):
    return {"resources": {"gpu": value}} if name.startswith("resources") else {name: value}


@pytest.mark.parametrize("name", NODE_FIELDS)
@pytest.mark.parametrize("value", ["3", True, 1j, [1], Fraction(1, 3)], ids=repr)
def test_a_node_field_that_is_not_a_number(name, value):
    more = " has more digits than a float holds; round it" if value == Fraction(1, 3) else ""
    with refuses(f"node 'b': {name}: {value!r}{more or ' is not a number'}"):
        with_node(**fields_of(name, value))


@pytest.mark.parametrize("name", TASK_FIELDS)
@pytest.mark.parametrize("value", ["3", False, b"3", {}], ids=repr)
def test_a_task_field_that_is_not_a_number(name, value):
    with refuses(f"task 'u': {name}: {value!r} is not a number"):
        with_task(**fields_of(name, value))


@pytest.mark.parametrize("name", ["compute", "storage", "resources['gpu']"])
def test_a_node_field_without_default_must_not_be_none(name):
    with refuses(f"node 'b': {name}: None is not a number"):
        with_node(**fields_of(name, None))


@pytest.mark.parametrize("name", NODE_FIELDS)
@pytest.mark.parametrize("value", [math.nan, -1, -0.5, -math.inf, -(2**70)], ids=repr)
def test_a_node_field_that_is_nan_or_negative(name, value):
    rule = UNLIMITED if name == "storage" else FINITE
    shown = float(value) if name == "storage" and value == -1 else value  # beside an inf
    with refuses(f"node 'b': {name} is {shown!r}; {rule}"):
        with_node(**fields_of(name, value))


@pytest.mark.parametrize("name", TASK_FIELDS)
@pytest.mark.parametrize("value", [math.nan, -1, -0.5, math.inf, -math.inf], ids=repr)
def test_a_task_field_that_is_nan_negative_or_infinite(name, value):
    with refuses(f"task 'u': {name} is {value!r}; {FINITE}"):
        with_task(**fields_of(name, value))


@pytest.mark.parametrize("name", [name for name in NODE_FIELDS if name != "storage"])
def test_a_node_field_other_than_storage_must_be_finite(name):
    with refuses(f"node 'b': {name} is inf; {FINITE}"):
        with_node(**fields_of(name, math.inf))


def test_the_storage_of_a_node_may_be_unlimited():
    assert with_node(storage=math.inf).nodes[1].storage == math.inf
    assert with_node().nodes[1].storage == math.inf


@pytest.mark.parametrize("name", [*NODE_FIELDS, "task compute"])
def test_a_number_beyond_the_range_of_floats(name):
    make, record = (with_task, "task 'u'") if name.startswith("task") else (with_node, "node 'b'")
    name = name.removeprefix("task ")
    with refuses(f"{record}: {name}: the number is too large; at most 1.79e308"):
        make(**fields_of(name, 10**400))


def test_an_array_column_names_the_record_by_its_id():
    with refuses(f"node 'y': compute is -2; {FINITE}"):
        Instance.from_arrays(node_compute=np.array([1, -2]), node_ids=["x", "y"], task_compute=[1])
    with refuses(f"task 'task-2': storage is nan; {FINITE}"):
        Instance.from_arrays(
            node_compute=[1], task_compute=[1, 1, 1], task_storage=np.array([0.5, 1, np.nan])
        )


ARRAYS = {
    "node_compute": [1, 2],
    "node_storage": [1, 2],
    "node_price": [1, 2],
    "node_overload_price": [1, 2],
    "task_compute": [1, 2, 3],
    "task_storage": [1, 2, 3],
}


def test_an_instance_needs_a_node():
    with refuses("nodes: the list is empty; an instance needs at least one node"):
        Instance([], [Task("t", 1)])
    with refuses("nodes: the list is empty; an instance needs at least one node"):
        Instance.from_arrays(node_compute=[], task_compute=[1])


def test_an_instance_needs_no_task():
    assert Instance([Node("a", 1)], []).num_tasks == 0


@pytest.mark.parametrize("name", [name for name in ARRAYS if not name.endswith("_compute")])
def test_a_column_of_the_wrong_length(name):
    count, records = (2, "nodes") if name.startswith("node") else (3, "tasks")
    with refuses(f"{name} has 7 entries for {count} {records}"):
        Instance.from_arrays(**{**ARRAYS, name: [1] * 7})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("node_ids", "node_ids has 1 entries for 2 nodes"),
        ("task_ids", "task_ids has 1 entries for 3 tasks"),
        ("node_kind", "node_kind has 1 entries for 2 nodes"),
        ("task_eligible", "task_eligible has 1 entries for 3 tasks"),
    ],
)
def test_a_column_of_labels_of_the_wrong_length(name, message):
    with refuses(message):
        Instance.from_arrays(**ARRAYS, **{name: ["x"]})


@pytest.mark.parametrize(
    ("name", "count"), [("node_resources", "2 nodes"), ("task_resources", "3 tasks")]
)
def test_a_resource_column_of_the_wrong_length(name, count):
    columns = {"node_resources": {"gpu": [1, 1]}, "task_resources": {"gpu": [1, 1, 1]}}
    kind = name.split("_")[0]
    with refuses(f"{kind}_resources['gpu'] has 4 entries for {count}"):
        Instance.from_arrays(**ARRAYS, **{**columns, name: {"gpu": [1] * 4}})


@pytest.mark.parametrize("name", ARRAYS)
def test_a_column_with_two_axes(name):
    rows = len(ARRAYS[name])
    with refuses(f"{name} has shape ({rows}, 2); it must have one axis"):
        Instance.from_arrays(**{**ARRAYS, name: np.ones((rows, 2))})


@pytest.mark.parametrize("name", ARRAYS)
def test_a_column_that_is_one_number(name):
    with refuses(f"{name} is 5; it must be an array or list"):
        Instance.from_arrays(**{**ARRAYS, name: 5})


def test_records_must_be_nodes_and_tasks():
    with refuses("nodes[1] is 'b'; it must be a Node"):
        Instance([Node("a", 1), "b"], [])
    with refuses(
        "tasks[0] is Node(id='a', compute=1, storage=inf, price=None, "
        "overload_price=None, kind=None, resources={}, use_price=0, "
        "idle_watts=0, max_watts=None, fixed_cost=None, labels={}, state='open'); it must be a Task"
    ):
        Instance([Node("a", 1)], [Node("a", 1)])


@pytest.mark.parametrize("bad", ["", None, 3, b"b"], ids=repr)
def test_an_id_must_be_text_that_is_not_empty(bad):
    with refuses(f"nodes[1]: id is {bad!r}; it must be text that is not empty"):
        with_node(id=bad)
    with refuses(f"tasks[1]: id is {bad!r}; it must be text that is not empty"):
        with_task(id=bad)


def test_an_id_must_be_unique():
    with refuses("node 'a': the id stands twice (again at position 1); every id must be unique"):
        with_node(id="a")
    with refuses("task 't': the id stands twice (again at position 1); every id must be unique"):
        with_task(id="t")


def test_a_node_and_a_task_may_share_an_id():
    assert Instance([Node("x", 1)], [Task("x", 1)]).num_tasks == 1


UNICODE = "it must be valid Unicode text (a surrogate stands alone in it)"


def test_every_text_must_be_valid_unicode():
    with refuses(f"nodes[1]: id is '\\ud800'; {UNICODE}"):
        with_node(id="\ud800")
    with refuses(f"tasks[1]: id is 'u\\udfff'; {UNICODE}"):
        with_task(id="u\udfff")
    with refuses(f"node 'b': kind is '\\ud800'; {UNICODE}"):
        with_node(kind="\ud800")
    with refuses(f"nodes: resources['\\ud800']: the name of a resource: {UNICODE}"):
        with_node(resources={"\ud800": 1})
    with refuses(f"name is '\\ud800'; {UNICODE}"):
        Instance([Node("a", 1)], [], name="\ud800")
    with refuses("task 'u': eligible names '\\ud800', which is no id, kind or label of a node"):
        with_task(eligible=["\ud800"])


@pytest.mark.parametrize("bad", [3, "", ("A",)], ids=repr)
def test_a_kind_must_be_text_or_none(bad):
    with refuses(f"node 'b': kind is {bad!r}; it must be text or None"):
        with_node(kind=bad)
    with refuses(f"node 'node-1': kind is {bad!r}; it must be text or None"):
        Instance.from_arrays(node_compute=[1, 1], node_kind=["A", bad], task_compute=[1])


def test_an_eligible_label_must_be_known():
    with refuses("task 'u': eligible names 'H100', which is no id, kind or label of a node"):
        with_task(eligible=["a", "H100"])


def test_an_eligible_label_must_be_text():
    with refuses("task 'u': eligible names 0, which is no id, kind or label of a node"):
        with_task(eligible=[0])


@pytest.mark.parametrize("nothing", [[], (), set()], ids=repr)
def test_eligible_must_not_be_empty(nothing):
    with refuses("task 'u': eligible is empty; name a node or a kind, or leave it out"):
        with_task(eligible=nothing)


@pytest.mark.parametrize("bad", ["a", 3], ids=repr)
def test_eligible_must_be_a_list(bad):
    with refuses(f"task 'u': eligible is {bad!r}; it must be a list of ids or kinds"):
        with_task(eligible=bad)


def test_an_id_and_a_kind_make_a_task_eligible():
    instance = Instance(
        [Node("a", 1, kind="K"), Node("b", 1, kind="L"), Node("c", 1, kind="L"), Node("d", 1)],
        [Task("t", 1), Task("u", 1, eligible=["L"]), Task("v", 1, eligible=["d", "K"])],
    )
    masks = instance.eligible_nodes[instance.task_group]
    assert masks.tolist() == [
        [True, True, True, True],
        [False, True, True, False],
        [True, False, False, True],
    ]


def test_order_and_repetition_of_eligible_labels_do_not_matter():
    assert with_task(eligible=["a", "K", "a"]) == with_task(eligible=("K", "a"))
    assert with_task(eligible={"K", "a"}).tasks[1].eligible == ("K", "a")


def eligible_by_group(positions, groups):
    return Instance.from_arrays(
        node_compute=[1, 1],
        task_compute=[1] * 3,
        task_eligible=positions,
        eligible_groups=groups,
    )


def test_eligible_groups_mean_the_same_as_lists():
    by_group = eligible_by_group([2, 0, 2], [None, ["node-0"], ["node-1", "node-0"]])
    by_list = eligible_by_group([["node-0", "node-1"], None, ["node-1", "node-0"]], None)
    assert by_group == by_list
    assert by_group.groups == (None, ("node-0", "node-1"))


def test_an_eligible_group_that_does_not_exist():
    for position in (2, -1):
        with refuses(f"task 'task-1': eligible is group {position}; eligible_groups has 2"):
            eligible_by_group([0, position, 0], [None, ["node-0"]])


@pytest.mark.parametrize("positions", [[0.0, 1.0, 0.0], ["0", "1", "0"], [[0], [1], [0]]])
def test_positions_of_eligible_groups_must_be_integers(positions):
    with refuses("task_eligible must hold integer positions in eligible_groups"):
        eligible_by_group(positions, [None, ["node-0"]])


def test_a_bad_eligible_group_is_named_by_its_position():
    with refuses("eligible_groups[1]: eligible names 'x', which is no id, kind or label of a node"):
        eligible_by_group([0, 1, 0], [None, ["x"]])


def test_eligible_groups_alone_are_refused():
    with refuses("eligible_groups is given without task_eligible, which points into it"):
        eligible_by_group(None, [["node-0"]])


def test_eligible_groups_of_no_tasks():
    instance = Instance.from_arrays(
        node_compute=[1], task_compute=[], task_eligible=[], eligible_groups=[["node-0"]]
    )
    assert instance.groups == (None,)


def test_a_resource_that_no_node_lists():
    with refuses(
        "tasks: resources['tpu'] is a resource that no node lists (known: 'gpu'); "
        "give the nodes their capacity of it"
    ):
        with_task(resources={"tpu": 1})
    with refuses(
        "tasks: resources['tpu'] is a resource that no node lists (known: none); "
        "give the nodes their capacity of it"
    ):
        Instance.from_arrays(
            node_compute=[1], task_compute=[1], task_resources={"tpu": np.array([0])}
        )


def test_resources_must_be_a_mapping():
    with refuses("node 'b': resources must map names to numbers"):
        with_node(resources=["gpu"])
    with refuses("task 'u': resources must map names to numbers"):
        with_task(resources=None)


@pytest.mark.parametrize("name", ["", 1, "storage", "compute", "kind", "max_load"], ids=repr)
def test_the_name_of_a_resource_must_be_text_and_not_that_of_a_field(name):
    with refuses(
        f"nodes: resources[{name!r}]: the name of a resource must be text, not empty, "
        "and none of the fields of a node or a task"
    ):
        with_node(resources={name: 1, "gpu": 2})


def test_a_resource_that_a_record_does_not_list_is_zero():
    instance = Instance(
        [Node("a", 1, resources={"gpu": 8}), Node("b", 1, resources={"cpu": 2})],
        [Task("t", 1, resources={"cpu": 1}), Task("u", 1)],
    )
    assert {key: column.tolist() for key, column in instance.node_resources.items()} == {
        "cpu": [0, 2],
        "gpu": [8, 0],
    }
    assert {key: column.tolist() for key, column in instance.task_resources.items()} == {
        "cpu": [1, 0],
        "gpu": [0, 0],
    }


@pytest.mark.parametrize(
    "bad", [0, 0.0, -1, -0.5, math.nan, math.inf, "1", True, Decimal("1.5")], ids=repr
)
def test_max_load_must_be_a_finite_number_above_zero(bad):
    with refuses(f"max_load is {bad!r}; it must be a finite number above 0, or None"):
        Instance([Node("a", 1)], [], max_load=bad)


@pytest.mark.parametrize("good", [None, 1, 0.8, np.float64(1.2), np.int64(2)], ids=repr)
def test_max_load_may_be_any_number_above_zero_or_none(good):
    assert Instance([Node("a", 1)], [], max_load=good).max_load == good


def test_a_max_load_that_is_whole_is_kept_as_an_int():
    assert type(Instance([Node("a", 1)], [], max_load=2.0).max_load) is int


@pytest.mark.parametrize("bad", [0, 1, "true", None], ids=repr)
def test_power_off_must_be_true_or_false(bad):
    with refuses(f"power_off is {bad!r}; it must be true or false, 'rented' (as true) or 'owned'"):
        Instance([Node("a", 1)], [], power_off=bad)


def test_the_name_must_be_text():
    with refuses("name is 3; it must be text"):
        Instance([Node("a", 1)], [], name=3)


def test_an_instance_error_is_a_value_error_of_the_family():
    assert issubclass(InstanceError, NodewiseError)
    assert issubclass(InstanceError, ValueError)


def test_prices_default_to_compute_and_to_price():
    instance = Instance([Node("a", 4), Node("b", 4, price=3), Node("c", 4, overload_price=9)], [])
    assert instance.node_price.tolist() == [4, 3, 4]
    assert instance.node_overload_price.tolist() == [4, 3, 9]


def test_ids_are_numbered_unless_given():
    instance = Instance.from_arrays(node_compute=[1, 1], task_compute=[1])
    assert instance.node_ids.tolist() == ["node-0", "node-1"]
    assert [task.id for task in instance.tasks] == ["task-0"]


def test_records_are_views_with_the_users_own_numbers():
    node = Node(
        "a", 10, 2.5, price=3, overload_price=4, kind="K", resources={"gpu": 8}, max_watts=0
    )
    task = Task("t", 0.1, 7, eligible=("K",), resources={"gpu": 1})
    instance = Instance([node], [task])
    assert instance.nodes[0] == node
    assert instance.tasks[0] == task
    assert instance.tasks[-1] == task
    assert instance.tasks[0:1] == [task]
    assert len(instance.nodes) == 1
    assert [type(instance.nodes[0].compute), type(instance.tasks[0].compute)] == [int, float]


def test_records_end_where_the_list_ends():
    tasks = Instance([Node("a", 1)], [Task("t", 1)]).tasks
    for position in (1, -2):
        with pytest.raises(IndexError, match=f"position {position} of 1 records"):
            tasks[position]


@pytest.mark.parametrize("integers", [True, False])
def test_records_make_the_same_instance_again(integers):
    for instance in random_instances(60, seed=11, integers=integers):
        again = Instance(
            list(instance.nodes),
            list(instance.tasks),
            max_load=instance.max_load,
            power_off=instance.power_off,
            name=instance.name,
        )
        assert again == instance


@pytest.mark.parametrize("integers", [True, False])
def test_arrays_make_the_same_instance_as_records(integers):
    for instance in random_instances(60, seed=12, integers=integers):
        nodes, tasks = list(instance.nodes), list(instance.tasks)
        again = Instance.from_arrays(
            node_compute=np.array([node.compute for node in nodes]),
            node_storage=np.array([node.storage for node in nodes]),
            node_price=np.array([node.price for node in nodes]),
            node_overload_price=np.array([node.overload_price for node in nodes]),
            node_kind=[node.kind for node in nodes],
            node_resources={
                key: np.array([node.resources[key] for node in nodes])
                for key in instance.node_resources
            },
            node_ids=[node.id for node in nodes],
            task_compute=np.array([task.compute for task in tasks]),
            task_storage=np.array([task.storage for task in tasks]),
            task_resources={
                key: np.array([task.resources[key] for task in tasks])
                for key in instance.task_resources
            },
            task_eligible=[task.eligible for task in tasks],
            task_ids=[task.id for task in tasks],
            max_load=instance.max_load,
            power_off=instance.power_off,
        )
        assert again == instance


def full():
    return Instance(
        [Node("a", 10, 20, 3, 4, "K", {"gpu": 8}), Node("b", 5)],
        [Task("t", 7, 6, ("K",), {"gpu": 2}), Task("u", 1)],
        max_load=2,
        power_off=True,
        name="full",
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda n, t, o: n.__setitem__(1, Node("c", 5)),
        lambda n, t, o: n.__setitem__(1, Node("b", 6)),
        lambda n, t, o: n.__setitem__(1, Node("b", 5, storage=9)),
        lambda n, t, o: n.__setitem__(1, Node("b", 5, price=1)),
        lambda n, t, o: n.__setitem__(1, Node("b", 5, overload_price=1)),
        lambda n, t, o: n.__setitem__(1, Node("b", 5, kind="K")),
        lambda n, t, o: n.__setitem__(1, Node("b", 5, use_price=1)),
        lambda n, t, o: n.__setitem__(1, Node("b", 5, resources={"gpu": 1})),
        lambda n, t, o: n.__setitem__(1, Node("b", 5, resources={"cpu": 1})),
        lambda n, t, o: n.append(Node("c", 1)),
        lambda n, t, o: t.__setitem__(1, Task("w", 1)),
        lambda n, t, o: t.__setitem__(1, Task("u", 2)),
        lambda n, t, o: t.__setitem__(1, Task("u", 1, storage=1)),
        lambda n, t, o: t.__setitem__(1, Task("u", 1, eligible=["a"])),
        lambda n, t, o: t.__setitem__(1, Task("u", 1, resources={"gpu": 1})),
        lambda n, t, o: t.pop(),
        lambda n, t, o: t.reverse(),
        lambda n, t, o: o.update(max_load=3),
        lambda n, t, o: o.update(max_load=None),
        lambda n, t, o: o.update(power_off=False),
        lambda n, t, o: o.update(name="other"),
    ],
)
def test_any_difference_makes_instances_unequal(change):
    instance = full()
    nodes, tasks = list(instance.nodes), list(instance.tasks)
    options = {"max_load": 2, "power_off": True, "name": "full"}
    assert Instance(nodes, tasks, **options) == instance
    change(nodes, tasks, options)
    assert Instance(nodes, tasks, **options) != instance


def test_an_instance_is_unequal_to_other_things_and_has_no_hash():
    assert full() != "full"
    with pytest.raises(TypeError, match="unhashable"):
        hash(full())


def test_automatic_ids_equal_the_same_ids_given():
    assert Instance.from_arrays(node_compute=[1], task_compute=[1]) == Instance(
        [Node("node-0", 1)], [Task("task-0", 1)]
    )


def arrays_of(instance):
    return [
        instance.node_compute,
        instance.node_storage,
        instance.node_price,
        instance.node_overload_price,
        *instance.node_resources.values(),
        instance.task_compute,
        instance.task_storage,
        *instance.task_resources.values(),
        instance.task_group,
        instance.node_ids,
        instance.task_ids,
        instance.eligible_nodes,
    ]


@pytest.mark.parametrize(
    "make",
    [
        full,
        lambda: pickle.loads(pickle.dumps(full())),
        lambda: copy.deepcopy(full()),
        lambda: Instance.from_arrays(node_compute=[1.5], task_compute=[2]),
        lambda: pickle.loads(
            pickle.dumps(Instance.from_arrays(node_compute=[1.5], task_compute=[2]))
        ),
    ],
    ids=["records", "pickled", "copied", "arrays", "arrays pickled"],
)
def test_arrays_are_read_only(make):
    for array in arrays_of(make()):
        with pytest.raises(ValueError, match="read-only"):
            array[:1] = array[:1]


def test_the_users_arrays_are_copied_and_stay_writable():
    compute = np.array([3, 4])
    instance = Instance.from_arrays(node_compute=compute, task_compute=[1])
    compute[0] = 99
    assert instance.node_compute.tolist() == [3, 4]


@pytest.mark.parametrize("integers", [True, False])
def test_a_pickled_instance_is_equal(integers):
    for instance in [*random_instances(20, seed=13, integers=integers), full()]:
        before = instance.exact.cost_scale
        again = pickle.loads(pickle.dumps(instance))
        assert again == instance
        assert again.exact.cost_scale == before
        assert copy.deepcopy(instance) == instance


def test_derived_arrays_are_not_pickled():
    instance = Instance.from_arrays(node_compute=[1], task_compute=np.ones(10_000, dtype=int))
    plain = len(pickle.dumps(instance))
    assert instance.exact.needs.shape == (10_000, 0)
    assert instance.task_ids.size == 10_000
    assert len(pickle.dumps(instance)) == plain


def test_the_repr_tells_the_size():
    assert repr(full()) == "<Instance 'full', 2 nodes, 2 tasks>"
    assert repr(with_node()) == "<Instance 2 nodes, 1 tasks>"


@pytest.mark.parametrize("value", [10**15, 312 * 10**12, 2**53 + 1, 2**63 - 1, 2**63, 10**20 + 1])
def test_large_integers_stay_exact(value):
    instance = Instance([Node("a", value)], [Task("t", value, storage=value)])
    assert instance.nodes[0].compute == value
    assert instance.tasks[0].storage == value
    assert instance.exact.node_compute.tolist() == [value]
    assert instance.exact.cost_scale == 1


@pytest.mark.parametrize("value", [1e15, 1e17, 1e20, 1e23])
def test_large_floats_mean_the_decimal_they_print_as(value):
    by_list = Instance.from_arrays(node_compute=[value], task_compute=[value])
    by_array = Instance.from_arrays(node_compute=np.array([value]), task_compute=np.array([value]))
    assert by_list == by_array
    assert by_list.exact.node_compute.tolist() == [int(Decimal(repr(value)))]


@given(
    st.lists(
        st.one_of(
            st.integers(0, 10**22),
            st.floats(0, 1e12),
            st.sampled_from([0.1, 1 / 3, 2.75, 0.1 + 0.2]),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([None, 1, 0.8, 1.2, 1 / 3]),
)
def test_the_integers_of_an_instance_stand_for_the_users_numbers(values, max_load):
    nodes = [
        Node(f"n{i}", value, storage=value, resources={"gpu": value})
        for i, value in enumerate(values)
    ]
    tasks = [Task("t", values[-1], storage=values[0], resources={"gpu": 0.5})]
    instance = Instance(nodes, tasks, max_load=max_load)
    exact, wanted = instance.exact, [as_fraction(value) for value in values]
    assert divided(exact.node_compute, exact.compute_scale) == wanted
    assert divided(exact.task_compute, exact.compute_scale) == wanted[-1:]
    price_scale = exact.cost_scale // exact.compute_scale
    assert divided(exact.node_overload_price, price_scale) == wanted
    paid = [value * value for value in wanted]
    assert divided(exact.node_on_cost, exact.cost_scale) == paid
    for k, name in enumerate(exact.dimensions):
        capacity, need = divided(exact.capacity[:, k], exact.scales[k]), exact.needs[:, k]
        if name == "max_load":
            grid = [
                Fraction(math.floor(value * as_fraction(max_load) * exact.scales[k]))
                for value in wanted
            ]
            assert capacity == [value / exact.scales[k] for value in grid]
        else:
            assert capacity == wanted
            first = Fraction(1, 2) if name == "gpu" else wanted[0]
            assert divided(need, exact.scales[k]) == [first]


def as_fraction(value):
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def divided(column, scale):
    return [Fraction(number, scale) for number in column.tolist()]


def test_unlimited_storage_beside_a_limit_has_room_for_every_task():
    instance = Instance(
        [Node("a", 1, storage=3), Node("b", 1)],
        [Task("t", 1, storage=2**62), Task("u", 1, storage=2**62)],
    )
    assert instance.exact.dimensions == ("storage",)
    assert instance.exact.capacity[:, 0].tolist() == [3, 2**63]


def test_storage_that_nobody_limits_or_needs_is_no_dimension():
    assert Instance([Node("a", 1)], [Task("t", 1, storage=5)]).exact.dimensions == ()
    assert Instance([Node("a", 1, storage=5)], [Task("t", 1)]).exact.dimensions == ()


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_a_million_tasks_are_arrays_and_not_objects(dtype):
    m, n = 1_000_000, 10_000
    rng = np.random.default_rng(0)
    task_compute = rng.integers(1, 100, size=m).astype(dtype) / (4 if dtype == np.float64 else 1)
    columns = {
        "node_compute": np.full(n, 5000),
        "node_storage": np.full(n, 64_000),
        "node_kind": ["A", "B"] * (n // 2),
        "node_resources": {"gpu": np.full(n, 800)},
        "task_compute": task_compute.astype(dtype),
        "task_storage": rng.integers(1, 100, size=m),
        "task_resources": {"gpu": rng.integers(0, 8, size=m)},
        "task_eligible": rng.integers(0, 2, size=m),
        "eligible_groups": [None, ["A"]],
    }
    tracemalloc.start()
    try:
        instance = Instance.from_arrays(**columns)
        _, peak = tracemalloc.get_traced_memory()
        blocks = sum(entry.count for entry in tracemalloc.take_snapshot().statistics("filename"))
        last = instance.tasks[m - 1]
    finally:
        tracemalloc.stop()
    assert peak < 500 * 2**20
    assert blocks < m // 100 + 3 * n
    assert last.compute == task_compute[-1]
    assert instance.exact.needs.shape == (m, 2)
