"""Tasks that must share a node, as one task."""

import numpy as np
import pytest

from solver import Affinity, AntiAffinity, Instance, Limit, Node, Task, Variant
from solver.problem.merging import merged

NODES = [Node("a", 9, 9, kind="k"), Node("b", 9, 9, kind="k"), Node("c", 9, 9)]
RULE = Affinity("g", "node")


def make(*tasks, rules=(RULE,), **settings):
    return Instance(NODES, tasks, rules=rules, **settings)


def test_figures_are_summed_and_eligibility_is_shared():
    instance = make(
        Task("t", 0.1, 1, groups=["g"], eligible=["k"]),
        Task("u", 3),
        Task("v", 0.2, 2, groups=["g"], pinned=["b", "c"]),
    )
    found = merged(instance)
    assert found.instance.is_plain
    assert found.instance.task_ids.tolist() == ["u", "t and 1 more on its node"]
    one = found.instance.tasks[1]
    assert (one.compute, one.storage, one.eligible) == (0.3, 3, ("b",))
    assert found.task_of.tolist() == [1, 0, 1]
    assert found.expand(found.reduce(instance.task_group * 0 + 1)).tolist() == [1, 1, 1]
    assert found.tasks_in([1]) == (0, 2)


def test_groups_that_overlap_are_one_set():
    tasks = [
        Task("t", 1, groups=["g"]),
        Task("u", 1, groups=["g", "h"]),
        Task("v", 1, groups=["h"]),
    ]
    found = merged(make(*tasks, rules=[RULE, Affinity("h", "node")]))
    assert found.instance.num_tasks == 1
    assert found.instance.tasks[0].compute == 3


def test_other_tasks_keep_their_rows():
    tasks = [
        Task("t", 1, groups=["g"]),
        Task("m", variants=[Variant("f", 2), Variant("q", 1, parts=2)], groups=["h"]),
        Task("u", 1, groups=["g"]),
        Task("s", 1, skip_price=4),
    ]
    rules = [RULE, Limit("h", "node", 1)]
    found = merged(make(*tasks, rules=rules, current={"s": "b"}))
    assert found.instance.rules == (Limit("h", "node", 1),)
    assert found.instance.current.tolist() == [-1, -1, -1, 1, -1]
    place = [0, -1, 1, 2, 0, 1]
    assert found.reduce(np.array(place)).tolist() == [-1, 1, 2, 1, 0]
    assert found.expand(found.reduce(np.array(place))).tolist() == place


@pytest.mark.parametrize(
    ("changed", "settings"),
    [
        ({"skip_price": 1}, {}),
        ({"compute": None, "variants": [Variant("f", 1)]}, {}),
        ({}, {"current": {"u": "a"}}),
        ({}, {"rules": [RULE, Limit("g", "node", 5)]}),
        ({}, {"rules": [RULE, AntiAffinity("h", "g", "node")]}),
        ({"compute": 123456789012.5}, {}),
        ({"groups": []}, {}),
    ],
    ids=str,
)
def test_what_depends_on_single_tasks_is_left(changed, settings):
    tasks = [
        Task("t", 0.1234567, groups=["g"]),
        Task("u", **{"compute": 1, "groups": ["g"], **changed}),
        Task("w", 1, groups=["h"]),
    ]
    if changed.get("compute") == 123456789012.5:
        tasks[0] = Task("t", 1e-9, groups=["g"])
    assert merged(make(*tasks, **settings)) is None


def test_a_set_that_fits_no_node_together_is_left():
    tasks = [Task("t", 1, groups=["g"], pinned="a"), Task("u", 1, groups=["g"], pinned="b")]
    assert merged(make(*tasks)) is None


def test_bounds_are_those_of_the_whole():
    found = merged(make(Task("t", 0.5, groups=["g"]), Task("u", 0.5, groups=["g"])))
    assert (found.whole.exact.cost_scale, found.instance.exact.cost_scale) == (10, 1)
    assert found.bound_in_whole(7) == 70
    assert found.bound_in_merged(79) == 7
