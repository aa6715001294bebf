"""The judge on rules over groups and domains: limit, spread, affinity and anti-affinity."""

from __future__ import annotations

import pytest
from whole_cases import grouped, zones

from solver.judge.check import check
from solver.model.instance import Instance
from solver.model.records import Node, Task, Variant
from solver.model.rules import Affinity, AntiAffinity, Limit, Spread

ZONES = zones("a", "a", "b", "c")


def told(instance, allocation):
    return [str(violation) for violation in check(instance, allocation)]


def of_rules(tasks, *rules, nodes=None):
    return Instance(ZONES if nodes is None else nodes, tasks, rules=rules)


@pytest.mark.parametrize(
    ("domain", "most", "where", "sentences"),
    [
        ("node", 1, [0, 1, 2], []),
        ("node", 1, [0, 1, 1], ["group 'g' has 2 parts on node 'n1', 1 above the limit"]),
        ("zone", 2, [0, 1, 2], []),
        ("zone", 1, [0, 1, 2], ["group 'g' has 2 parts in zone 'a', 1 above the limit"]),
        ("zone", 1, [0, 0, 1], ["group 'g' has 3 parts in zone 'a', 2 above the limit"]),
        (
            "zone",
            0,
            [0, 2, 2],
            [
                "group 'g' has 1 part in zone 'a', 1 above the limit",
                "group 'g' has 2 parts in zone 'b', 2 above the limit",
            ],
        ),
    ],
)
def test_a_limit_holds_in_every_domain(domain, most, where, sentences):
    assert told(of_rules(grouped(3, "g"), Limit("g", domain, most)), where) == sentences


def test_a_violated_limit_carries_its_counts():
    instance = of_rules(grouped(3, "g"), Limit("g", "node", 1))
    (broken,) = check(instance, [0, 2, 2])
    assert (broken.rule, broken.group, broken.domain) == ("limit", "g", "node")
    assert (broken.node, broken.amount, broken.counts) == ("n2", 1, (("n2", 2),))
    (broken,) = check(of_rules(grouped(3, "g"), Limit("g", "zone", 1)), [0, 1, 2])
    assert (broken.node, broken.counts) == (None, (("a", 2),))


def test_kinds_are_domains():
    nodes = [Node("x", 9, kind="K"), Node("y", 9, kind="K"), Node("z", 9, kind="L")]
    instance = of_rules(grouped(2, "g"), Limit("g", "kind", 1), nodes=nodes)
    assert check(instance, [0, 2]) == []
    assert told(instance, [0, 1]) == ["group 'g' has 2 parts on kind 'K', 1 above the limit"]


def test_parts_are_counted_rather_than_tasks():
    task = Task("t", variants=[Variant("v", compute=1, parts=2)], groups=["g"])
    instance = of_rules([task], Limit("g", "zone", 1))
    assert told(instance, {"t": ["n0", "n1"]}) == [
        "group 'g' has 2 parts in zone 'a', 1 above the limit"
    ]
    assert check(instance, {"t": ["n0", "n2"]}) == []


def test_a_task_counts_in_each_of_its_groups():
    tasks = [Task("t", 1, groups=["g", "h"]), Task("u", 1, groups=["h"]), Task("v", 1)]
    instance = of_rules(tasks, Limit("g", "node", 1), Limit("h", "node", 1))
    assert check(instance, [0, 1, 0]) == []
    assert told(instance, [0, 0, 0]) == ["group 'h' has 2 parts on node 'n0', 1 above the limit"]


def test_a_node_without_the_label_takes_no_part_of_the_group():
    nodes = zones("a", None)
    rules = Limit("g", "zone", 5), Spread("g", "zone", 9), AntiAffinity("h", "g", "zone")
    instance = of_rules([*grouped(1, "g"), Task("u", 1, groups=["h"])], *rules, nodes=nodes)
    assert told(instance, [1, 0]) == [
        "task 't0' is on node 'n1', which has no zone; a rule of group 'g' needs one"
    ]
    assert [broken.rule for broken in check(instance, [1, 1])] == ["label", "label"]


def test_the_other_group_of_a_rule_may_be_without_the_label():
    nodes = zones("a", None)
    tasks = [*grouped(1, "g"), Task("u", 1, groups=["h"])]
    assert check(of_rules(tasks, AntiAffinity("g", "h", "zone"), nodes=nodes), [0, 1]) == []


@pytest.mark.parametrize(
    ("skew", "where", "sentences"),
    [
        (1, [0, 2, 3], []),
        (1, [0, 1, 2, 3], []),
        (
            1,
            [0, 1, 2],
            [("group 'g' is uneven over zone: 2 in zone 'a', 1 in zone 'b', 0 in zone 'c', "
             "1 above max_skew")],
        ),
        (2, [0, 1, 2], []),
        (2, [0, 1, 1, 2, 3], []),
        (
            1,
            [0, 1, 1, 2, 3],
            [("group 'g' is uneven over zone: 3 in zone 'a', 1 in zone 'b', 1 in zone 'c', "
             "1 above max_skew")],
        ),
    ],
)  # fmt: skip
def test_a_spread_compares_with_the_domain_that_has_fewest(skew, where, sentences):
    instance = of_rules(grouped(len(where), "g"), Spread("g", "zone", skew))
    assert told(instance, where) == sentences


def test_a_domain_that_the_group_may_not_use_is_not_compared_with():
    tasks = grouped(2, "g", eligible=["zone=a", "n2"])
    assert check(of_rules(tasks, Spread("g", "zone", 1)), [0, 2]) == []
    assert check(of_rules(tasks, Spread("g", "zone", 1)), [0, 0])[0].counts == (("a", 2), ("b", 0))
    only_a = grouped(2, "g", eligible=["zone=a"])
    assert check(of_rules(only_a, Spread("g", "zone", 1)), [0, 0]) == []


def test_what_one_part_of_one_variant_may_use_counts():
    variants = [Variant("x", compute=1, eligible=["n0"]), Variant("y", compute=1, eligible=["n3"])]
    tasks = [Task(f"t{j}", variants=variants, groups=["g"], max_loss=0) for j in range(2)]
    instance = of_rules(tasks, Spread("g", "zone", 1))
    both = {task.id: {"node": "n0", "variant": "x"} for task in tasks}
    (broken,) = check(instance, both)
    assert (broken.counts, broken.total, broken.amount) == ((("a", 2), ("c", 0)), 0, 1)


def test_pins_and_states_do_not_matter_for_the_domains_compared_with():
    nodes = [*zones("a", "b"), Node("gone", 9, state="drained", labels={"zone": "c"})]
    tasks = grouped(2, "g", pinned=["n0", "n1"])
    (broken,) = check(of_rules(tasks, Spread("g", "zone", 1), nodes=nodes), [0, 0])
    assert broken.counts == (("a", 2), ("b", 0))
    instance = of_rules(grouped(4, "g", pinned=["n0", "n1"]), Spread("g", "zone", 1), nodes=nodes)
    (broken,) = check(instance, [0, 0, 1, 1])
    assert broken.counts == (("a", 2), ("b", 2), ("c", 0))


def test_too_few_domains_count_as_an_empty_one():
    nodes = zones("a", "b")
    tasks = grouped(4, "g")
    assert (
        check(of_rules(tasks, Spread("g", "zone", 1, min_domains=2), nodes=nodes), [0, 0, 1, 1])
        == []
    )
    instance = of_rules(tasks, Spread("g", "zone", 1, min_domains=3), nodes=nodes)
    assert told(instance, [0, 0, 1, 1]) == [
        (
            "group 'g' is uneven over zone: 2 in zone 'a', 2 in zone 'b' "
            "(the fewest count as 0: it may use too few domains), 1 above max_skew"
        )
    ]


def test_a_spread_over_nodes_and_kinds():
    nodes = [Node("x", 9, kind="K"), Node("y", 9, kind="K"), Node("z", 9, kind="L")]
    instance = of_rules(grouped(3, "g"), Spread("g", "node", 1), nodes=nodes)
    assert check(instance, [0, 1, 2]) == []
    assert told(instance, [0, 0, 1]) == [
        (
            "group 'g' is uneven over nodes: 2 on node 'x', 1 on node 'y', 0 on node 'z', "
            "1 above max_skew"
        )
    ]
    instance = of_rules(grouped(3, "g"), Spread("g", "kind", 1), nodes=nodes)
    assert check(instance, [0, 1, 2]) == []
    assert told(instance, [0, 1, 1]) == [
        "group 'g' is uneven over kinds: 3 on kind 'K', 0 on kind 'L', 2 above max_skew"
    ]


def test_a_long_list_of_counts_is_cut_in_the_sentence_only():
    nodes = [Node(f"n{i}", 99) for i in range(9)]
    instance = of_rules(grouped(10, "g"), Spread("g", "node", 1), nodes=nodes)
    (broken,) = check(instance, [0, 0, 0, 1, 2, 3, 4, 5, 6, 7])
    assert len(broken.counts) == 9
    assert str(broken) == (
        "group 'g' is uneven over nodes: 3 on node 'n0', 1 on node 'n1', 1 on node 'n2', "
        "1 on node 'n3', 1 on node 'n4', ..., 0 on node 'n8', 2 above max_skew"
    )


def test_a_group_whose_tasks_are_all_left_out_breaks_nothing():
    tasks = grouped(2, "g", skip_price=1)
    rules = Limit("g", "zone", 0), Spread("g", "zone", 1), Affinity("g", "zone")
    assert check(of_rules(tasks, *rules), {}) == []


def test_affinity_keeps_a_group_in_one_domain():
    instance = of_rules(grouped(3, "g"), Affinity("g", "zone"))
    assert check(instance, [0, 1, 0]) == []
    (broken,) = check(instance, [0, 1, 2])
    assert (broken.rule, broken.amount, broken.counts) == ("affinity", 1, (("a", 2), ("b", 1)))
    assert str(broken) == "group 'g' must be in one zone: 2 in zone 'a', 1 in zone 'b'"


def two_groups(*rules):
    return of_rules([*grouped(2, "g"), *grouped(2, "h", name="u")], *rules)


def test_affinity_with_another_group():
    instance = two_groups(Affinity("g", "zone", with_="h"))
    assert check(instance, [0, 2, 1, 2]) == []
    assert told(instance, [0, 3, 1, 2]) == [
        "group 'g' has 1 part in zone 'c', where group 'h' has none"
    ]


def test_anti_affinity_with_another_group():
    instance = two_groups(AntiAffinity("g", "h", "zone"))
    assert check(instance, [0, 1, 2, 3]) == []
    (broken,) = check(instance, [0, 3, 1, 1])
    assert (broken.group, broken.other, broken.counts) == ("g", "h", (("a", 1),))
    assert str(broken) == "group 'g' has 1 part in zone 'a', where group 'h' has 2"


def test_a_task_of_both_groups_breaks_an_anti_affinity_wherever_it_is():
    tasks = [Task("t", 1, groups=["g", "h"])]
    instance = of_rules(tasks, AntiAffinity("g", "h", "node"))
    assert all(told(instance, [i]) for i in range(4))


def test_kubernetes_zones_and_hostnames():
    nodes = [*zones("A", "A", "B", "B"), Node("bare", 9)]
    running = [0, 1, 2]
    cases = {
        (Spread("g", "zone", 1),): {2, 3},
        (Spread("g", "zone", 2),): {0, 1, 2, 3},
        (Spread("g", "zone", 1), Spread("g", "node", 1)): {3},
        (Spread("g", "zone", 1, min_domains=3),): set(),
    }
    for rules, expected in cases.items():
        tasks = grouped(4, "g", eligible=["n0", "n1", "n2", "n3", "bare"])
        instance = of_rules(tasks, *rules, nodes=nodes)
        fits = {i for i in range(5) if not check(instance, [*running, i])}
        assert fits == expected
