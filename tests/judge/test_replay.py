"""The replay of plans: clean ones pass, and every kind of corruption is caught."""

import dataclasses

import numpy as np
import pytest

from solver import (
    Affinity,
    Allocation,
    AntiAffinity,
    Instance,
    Limit,
    Move,
    Node,
    Plan,
    PlanStatus,
    Spread,
    Task,
    Variant,
    check_plan,
)

NODES = [
    Node("n0", 10, storage=10, labels={"zone": "a"}, resources={"gpu": 2}),
    Node("n1", 10, storage=10, labels={"zone": "b"}, resources={"gpu": 2}),
    Node("n2", 10, storage=6, labels={"zone": "b"}, resources={"gpu": 2}),
    Node("n3", 10),
    Node("n4", 10, state="cordoned", labels={"zone": "a"}),
]
PAIR = [Variant("pair", compute=1, parts=2), Variant("one", compute=2)]


def swap(**settings):
    """Two tasks that change places by way of a third node; the others are of use to the cases."""
    tasks = [
        Task("a", 1, storage=6, groups=["g"], resources={"gpu": 1}),
        Task("b", 1, storage=6, groups=["g", "h"], eligible=["zone=a", "zone=b", "n4"]),
        Task("p", variants=PAIR, groups=["k"]),
        Task("new", 1, groups=["h"]),
        Task("old", 1, skip_price=1, pinned=["n0", "n3"]),
    ]
    current = {"a": "n0", "b": "n1", "p": {"node": ["n0", "n3"], "variant": "pair"}, "old": "n0"}
    return Instance(NODES, tasks, **{"max_load": 1, "current": current, **settings})


A0 = Move("a", 1, None, "n0", "n2", 6, bypass=True)
B = Move("b", 1, None, "n1", "n0", 6)
A1 = Move("a", 1, None, "n2", "n1", 6)
P = Move("p", 2, "pair", "n3", "n2", 0)
NEW = Move("new", 1, None, None, "n3", 0)
OLD = Move("old", 1, None, "n0", None, 0)
CLEAN = ((A0, NEW), (B, OLD), (A1, P))
END = {"a": "n1", "b": "n0", "p": {"node": ["n0", "n2"], "variant": "pair"}, "new": "n3"}


def told(instance, waves, end=END, during="both", **caps):
    allocation = Allocation(instance, positions(instance, end))
    plan = Plan(instance, PlanStatus.ORDERED, tuple(map(tuple, waves)), during)
    return [str(broken) for broken in check_plan(instance, allocation, plan, **caps)]


def positions(instance, places):
    """(W,) positions from places by names, as `current` takes them."""
    return instance.replace(current=places).current


def test_a_clean_plan_passes():
    assert told(swap(), CLEAN) == []
    assert told(swap(max_moving={"g": 1, "k": 1}), CLEAN, moves_per_node=3) == []


def test_equal_parts_may_change_places():
    turned = {**END, "p": {"node": ["n2", "n0"], "variant": "pair"}}
    assert told(swap(), CLEAN, turned) == []


def changed(move, **fields):
    return [[dataclasses.replace(m, **fields) if m is move else m for m in wave] for wave in CLEAN]


CORRUPTED = {
    "a move left out": (
        [CLEAN[0], CLEAN[1], [A1]],
        "task 'p' does not end where the allocation has it",
    ),
    "waves exchanged": (
        [CLEAN[1], CLEAN[0], CLEAN[2]],
        "wave 1: node 'n0' lacks 2 of storage",
    ),
    "waves joined": (
        [[A0, NEW, B], [OLD], [A1, P]],
        "wave 1: node 'n0' lacks 2 of storage",
    ),
    "a part twice in a wave": (
        [CLEAN[0], [B, OLD, A1, dataclasses.replace(A1, target="n3")], [P]],
        "wave 2: part 1 of task 'a' moves twice in one wave",
    ),
    "source": (
        changed(P, source="n1"),
        "wave 3: part 2 of task 'p' is not on node 'n1', to be moved",
    ),
    "target": (changed(P, target="n1"), "task 'p' does not end where the allocation has it"),
    "part": (changed(P, part=1), "wave 3: part 1 of task 'p' is not on node 'n3', to be moved"),
    "no such part": (changed(P, part=3), "wave 3: task 'p' has no part 3"),
    "variant": (
        changed(P, variant="one", part=1),
        "wave 3: part 1 of task 'p' is not on node 'n3', to be moved",
    ),
    "no such variant": (changed(P, variant="x"), "wave 3: task 'p' has no variant 'x'"),
    "no such task": (changed(P, task="q"), "wave 3: task 'q' is not in the instance"),
    "no such node": (
        changed(P, target="n9"),
        "wave 3: task 'p' is on node 'n9', which is not in the instance",
    ),
    "storage": (changed(B, storage=5), "wave 2: part 1 of task 'b' does not have 5 of storage"),
    "bypass not told": (
        changed(A0, bypass=False),
        "wave 3: part 1 of task 'a' comes to node 'n1': a bypass is where it has to go on",
    ),
    "bypass told": (
        changed(A1, bypass=True),
        "part 1 of task 'a' comes to node 'n1': a bypass is where it has to go on",
    ),
    "nowhere else": (changed(P, target="n3"), "wave 3: part 2 of task 'p' moves to where it is"),
    "starts again": (
        changed(B, source=None),
        "wave 2: part 1 of task 'b' starts, and runs already",
    ),
    "stops": (
        changed(P, target=None),
        "wave 3: part 2 of task 'p' stops, and the allocation has it",
    ),
    "eligible": (changed(B, target="n3"), "wave 2: task 'b' may not run on node 'n3'"),
    "pinned": (
        [*CLEAN[:1], [B, dataclasses.replace(OLD, target="n1")], CLEAN[2]],
        "wave 2: task 'old' is on node 'n1', and it is pinned to others",
    ),
    "state": (
        changed(NEW, target="n4"),
        "wave 1: task 'new' is on node 'n4', which is cordoned and does not have it now",
    ),
    "resource": (
        changed(A0, target="n3"),
        "wave 1: node 'n3' lacks 1 of gpu",
    ),
    "apart": (
        changed(P, target="n0"),
        "wave 3: two parts of task 'p' are on node 'n0'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CORRUPTED)
def test_what_is_corrupted_is_caught(case):
    waves, message = CORRUPTED[case]
    assert message in told(swap(), waves)


RULES = {
    "limit": (
        Limit("g", "zone", 1),
        "wave 1: group 'g' has 2 parts in zone 'b', 1 above the limit",
    ),
    "anti-affinity": (
        AntiAffinity("k", "h", "node"),
        "wave 2: group 'k' has 1 part on node 'n0', where group 'h' has 1",
    ),
    "affinity": (
        Affinity("g", "zone"),
        "wave 2: group 'g' must be in one zone: 1 in zone 'a', 1 in zone 'b'",
    ),
    "spread": (
        Spread("g", "zone", 1),
        "wave 1: group 'g' is uneven over zone: 2 in zone 'b', 0 in zone 'a', 1 above max_skew",
    ),
    "label": (
        Limit("h", "zone", 9),
        "wave 1: task 'new' is on node 'n3', which has no zone; a rule of group 'h' needs one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RULES)
def test_what_breaks_a_rule_is_caught(case):
    rule, message = RULES[case]
    assert message in told(swap(rules=[rule]), CLEAN)


def test_caps_are_kept():
    assert told(swap(), CLEAN, max_moving={"g": 0})[0] == (
        "wave 1: group 'g' has 1 part moving, 1 more than max_moving"
    )
    assert told(swap(), CLEAN, moves_per_node=1) == [
        "wave 2: node 'n0' has 2 moves, 1 more than moves_per_node",
        "wave 3: node 'n2' has 2 moves, 1 more than moves_per_node",
    ]


def test_stop_and_start_in_one_wave_needs_no_room():
    straight = dataclasses.replace(A1, source="n0")
    waves = [[straight, B, NEW, OLD, P]]
    assert told(swap(), waves, during="target") == []
    assert told(swap(), waves) == [
        "wave 1: node 'n1' lacks 2 of storage",
        "wave 1: node 'n0' lacks 2 of storage",
    ]


def test_what_is_broken_may_stay_and_not_get_worse():
    nodes = [Node("x", 9, storage=3), Node("y", 9, storage=9)]
    tasks = [Task("a", 1, storage=2), Task("b", 1, storage=2), Task("c", 1, storage=1)]
    instance = Instance(nodes, tasks, current={"a": "x", "b": "x", "c": "y"})
    move = Move("a", 1, None, "x", "y", 2)
    worse = Move("c", 1, None, "y", "x", 1)
    end = {"a": "y", "b": "x", "c": "x"}
    assert told(instance, [[move], [worse]], end) == []
    assert told(instance, [[worse], [move]], end) == ["wave 1: node 'x' lacks 2 of storage"]


def test_a_change_of_the_variant_is_one_wave():
    stops = [Move("p", k, "pair", node, None, 0) for k, node in ((1, "n0"), (2, "n3"))]
    start = Move("p", 1, "one", None, "n0", 0)
    instance = swap(current={"p": {"node": ["n0", "n3"], "variant": "pair"}})
    end = {"p": {"node": "n0", "variant": "one"}}
    assert told(instance, [[*stops, start]], end) == []
    assert "wave 1: task 'p' has parts of two variants" in told(instance, [[start], stops], end)
    assert told(instance, [stops, [start]], end)[0] == (
        "wave 1: part 1 of task 'p' stops, and the allocation has it"
    )


def test_a_plan_without_an_order_is_none():
    instance = swap()
    plan = Plan(instance, PlanStatus.UNKNOWN)
    allocation = Allocation(instance, np.full(instance.rows.num_rows, -1))
    assert [str(v) for v in check_plan(instance, allocation, plan)] == [
        "the plan has no order of its moves"
    ]


def test_wide_numbers_are_exact():
    wide = 10**30
    nodes = [Node("x", 1, storage=wide), Node("y", 1, storage=2 * wide - 1)]
    tasks = [Task("a", 1, storage=wide), Task("b", 1, storage=wide)]
    instance = Instance(nodes, tasks, current={"a": "x", "b": "y"})
    move = Move("a", 1, None, "x", "y", wide)
    assert told(instance, [[move]], {"a": "y", "b": "y"}) == ["wave 1: node 'y' lacks 1 of storage"]
