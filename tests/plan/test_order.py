"""The order of moves: the fixtures, caps, and what is refused."""

import pytest

from solver import (
    Affinity,
    Allocation,
    Instance,
    Node,
    PlanStatus,
    Task,
    Variant,
    check_plan,
)
from solver.errors import InstanceError, OptionError
from solver.plan.order import order_moves


def stored(capacities, tasks):
    """Nodes with some storage, and tasks with a size, a node before and one after."""
    nodes = [Node(f"n{i}", compute=100, storage=capacity) for i, capacity in enumerate(capacities)]
    made = [Task(f"t{k}", compute=1, storage=size) for k, (size, *_) in enumerate(tasks)]
    return Instance(nodes, made), [task[1] for task in tasks], [task[2] for task in tasks]


def told(plan):
    return [[(m.task, m.source, m.target, m.bypass) for m in wave] for wave in plan.waves]


STRANDS = ([8, 8, 7], [(2, 1, 2), (1, 0, 2), (4, 2, 1), (3, 1, 1), (1, 2, 2)])


def test_one_order_works_where_the_first_move_that_fits_strands():
    plan = order_moves(*stored(*STRANDS))
    assert plan.status is PlanStatus.ORDERED
    assert [move.task for move in plan.moves] == ["t0", "t2", "t1"]
    assert plan.num_bypasses == 0


def test_a_swap_without_room_has_no_order():
    plan = order_moves(*stored([10, 10], [(6, 0, 1), (6, 1, 0)]))
    assert (plan.status, plan.waves) == (PlanStatus.NONE, ())
    assert plan.reason == "proved: no order of the moves of 2 tasks ('t0', 't1') is safe"


def test_a_swap_by_way_of_a_third_node():
    plan = order_moves(*stored([10, 10, 6], [(6, 0, 1), (6, 1, 0)]))
    assert told(plan) == [
        [("t0", "n0", "n2", True)],
        [("t1", "n1", "n0", False)],
        [("t0", "n2", "n1", False)],
    ]
    assert (plan.num_moves, plan.num_bypasses) == (3, 1)


def test_a_swap_that_stops_first_is_one_wave():
    plan = order_moves(*stored([10, 10], [(6, 0, 1), (6, 1, 0)]), during="target")
    assert [len(wave) for wave in plan.waves] == [2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"during": "never"}, "during is 'never'; it must be one of: both, target"),
        ({"moves_per_node": 0}, "moves_per_node is 0; it must be an integer, 1 or more"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        order_moves(*stored([1], [(1, 0, 0)]), **options)


def moved(instance, after, **options):
    """The plan from where tasks are now to places by names."""
    there = instance.replace(current=after).current
    plan = order_moves(instance, instance.current, there, **options)
    if plan.status is PlanStatus.ORDERED:
        caps = {key: value for key, value in options.items() if key != "during"}
        assert check_plan(instance, Allocation(instance, there), plan, **caps) == []
    return plan


def test_what_is_broken_now_is_mended_and_never_worse():
    nodes = [Node("x", 9, storage=3), Node("y", 9, storage=9)]
    tasks = [Task("a", 1, storage=2), Task("b", 1, storage=2), Task("c", 1, storage=1)]
    instance = Instance(nodes, tasks, current={"a": "x", "b": "x", "c": "y"})
    plan = moved(instance, {"a": "y", "b": "x", "c": "x"})
    assert [[move.task for move in wave] for wave in plan.waves] == [["a"], ["c"]]
    worse = moved(instance, {"a": "x", "b": "x", "c": "x"})
    assert worse.status is PlanStatus.NONE
    assert worse.reason == "the end itself breaks what holds at the start: storage of node 'x'"
    assert moved(instance, {"a": "x", "b": "x", "c": "y"}).waves == ()


def test_nothing_comes_to_a_cordoned_node():
    nodes = [Node("x", 9), Node("y", 9, state="cordoned"), Node("z", 9, state="drained")]
    tasks = [Task("a", 1), Task("b", 1)]
    instance = Instance(nodes, tasks, current={"a": "y", "b": "z"})
    assert moved(instance, {"a": "y", "b": "x"}).num_moves == 1
    plan = moved(instance, {"a": "x", "b": "y"})
    assert (plan.status, plan.reason) == (
        PlanStatus.NONE,
        "task 'b' may not come to node 'y'",
    )


def test_caps_make_waves():
    nodes = [Node(f"n{i}", 9) for i in range(4)]
    tasks = [Task("web", 1, replicas=4), Task("job", 1)]
    start = {"web-0": "n0", "web-1": "n0", "web-2": "n1", "web-3": "n1", "job": "n0"}
    instance = Instance(nodes, tasks, current=start)
    after = {"web-0": "n2", "web-1": "n3", "web-2": "n2", "web-3": "n3", "job": "n2"}
    assert len(moved(instance, after).waves) == 1
    assert len(moved(instance, after, moves_per_node=1).waves) == 3
    plan = moved(instance, after, max_moving={"web": 1})
    assert [len(wave) for wave in plan.waves] == [2, 1, 1, 1]
    capped = instance.replace(max_moving={"web": 2})
    assert len(moved(capped, after).waves) == 2
    stopped = moved(instance, after, max_moving={"web": 0})
    assert stopped.status is PlanStatus.NONE
    both = moved(instance, after, max_moving={"web": 1}, moves_per_node=1, during="target")
    assert len(both.waves) == 4
    with pytest.raises(InstanceError, match="max_moving: 'x' is a group that no task names"):
        moved(instance, after, max_moving={"x": 1})


def test_a_change_of_the_variant_stops_and_starts_in_one_wave():
    pair = [Variant("pair", 1, storage=4, parts=2), Variant("one", 1, storage=6)]
    nodes = [Node("x", 9, storage=10), Node("y", 9, storage=10), Node("z", 9, storage=6)]
    instance = Instance(
        nodes,
        [Task("p", variants=pair), Task("t", 1, storage=6)],
        current={"p": {"node": ["x", "y"], "variant": "pair"}, "t": "y"},
    )
    plan = moved(instance, {"p": {"node": "x", "variant": "one"}, "t": "y"})
    (wave,) = plan.waves
    assert [(m.variant, m.part, m.source, m.target, m.storage) for m in wave] == [
        ("pair", 1, "x", None, 4),
        ("pair", 2, "y", None, 4),
        ("one", 1, None, "x", 6),
    ]
    assert plan.num_moves == 0


def test_starts_and_stops_are_in_the_plan():
    nodes = [Node("x", 9, storage=4), Node("y", 9, storage=4)]
    tasks = [Task("new", 1, storage=4), Task("old", 1, storage=4, skip_price=1), Task("m", 1)]
    instance = Instance(nodes, tasks, current={"old": "x", "m": "x"})
    plan = moved(instance, {"new": "x", "m": "y"})
    assert told(plan) == [
        [("m", "x", "y", False), ("old", "x", None, False)],
        [("new", None, "x", False)],
    ]
    assert plan.num_moves == 1


def test_a_group_that_has_to_stay_together_moves_at_once():
    nodes = [Node(f"n{i}", 9, labels={"zone": "ab"[i // 2]}) for i in range(4)]
    instance = Instance(
        nodes,
        [Task("g", 1, replicas=2)],
        rules=[Affinity("g", "zone")],
        current={"g-0": "n0", "g-1": "n1"},
    )
    assert [len(wave) for wave in moved(instance, {"g-0": "n2", "g-1": "n3"}).waves] == [2]
    capped = moved(instance, {"g-0": "n2", "g-1": "n3"}, max_moving={"g": 1})
    assert capped.status is PlanStatus.NONE


def test_numbers_beyond_64_bits_are_exact():
    wide = 2**70
    fits = stored([wide, 2 * wide], [(wide, 0, 1), (wide, 1, 1)])
    assert order_moves(*fits).num_moves == 1
    lacks = stored([wide, 2 * wide - 1], [(wide, 0, 1), (wide, 1, 1)])
    assert order_moves(*lacks).status is PlanStatus.NONE


def test_many_moves_in_one_chain_are_ordered():
    count = 300
    tasks = [(6, i, i + 1) for i in range(count)]
    plan = order_moves(*stored([10] * (count + 1), tasks))
    assert (plan.status, plan.num_moves, plan.num_bypasses) == (PlanStatus.ORDERED, count, 0)
    assert [wave[0].task for wave in plan.waves][:2] == [f"t{count - 1}", f"t{count - 2}"]


def test_many_swaps_go_by_way_of_few_nodes():
    pairs = 60
    tasks = [(6, k, k ^ 1) for k in range(2 * pairs)]
    plan = order_moves(*stored([10] * (2 * pairs) + [6], tasks))
    assert (plan.status, plan.num_bypasses) == (PlanStatus.ORDERED, pairs)


def test_no_time_is_not_a_proof():
    plan = order_moves(*stored([10, 10], [(6, 0, 1), (6, 1, 0)]), time_limit=0)
    assert plan.status is PlanStatus.UNKNOWN
    assert plan.reason == "no safe order of the moves of 2 tasks ('t0', 't1') was found"
