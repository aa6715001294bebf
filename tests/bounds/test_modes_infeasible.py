"""Reasons why the whole model has no allocation."""

import pytest
from whole_brute_force import brute_force
from whole_instances import whole_instances

from solver import (
    Affinity,
    AntiAffinity,
    Instance,
    Limit,
    Node,
    Part,
    Spread,
    Status,
    Task,
    Variant,
    lower_bound,
    solve,
)
from solver.bounds.infeasible import why_infeasible
from solver.bounds.modes.linear import why_relaxation_infeasible
from solver.problem.problem import Problem


def why(nodes, tasks, **settings):
    return why_infeasible(Problem(Instance(nodes, tasks, **settings)))


def zones(*names, **fields):
    figures = {"compute": 9} | fields
    return [Node(f"n{i}", labels={"zone": z}, **figures) for i, z in enumerate(names)]


def group(count, name="web", **fields):
    figures = {"compute": 1} | fields
    return [Task(f"t{j}", groups=(name,), **figures) for j in range(count)]


@pytest.mark.parametrize("integers", [True, False])
def test_a_reason_is_only_given_where_there_is_no_allocation(integers):
    given = none = 0
    for case in whole_instances(300, seed=181, integers=integers):
        problem = Problem(case.instance)
        if problem.modes is None:
            continue
        impossible = brute_force(case.instance, case.homes) is None
        none += impossible
        if why_infeasible(problem) is not None:
            assert impossible
            given += 1
    assert given >= 0.8 * none >= 30


def test_no_variant_fits():
    variants = [
        Variant("bf16", compute=1, storage=12),
        Variant("fp8", compute=1, storage=9.5),
        Variant("int4", compute=1, storage=2, loss=4),
        Variant("split", compute=1, storage=3, parts=3),
    ]
    nodes = [Node(f"n{i}", compute=1, storage=8 - i) for i in range(2)]
    task = Task("t", variants=variants, max_loss=3)
    assert why(nodes, [task]) == (
        "task 't' can run in none of its 4 variants ('bf16': storage: it needs 12, and any of the "
        "2 nodes it may run on has at most 8: 4 short; 'fp8': storage: it needs 9.5, and any of "
        "the 2 nodes it may run on has at most 8: 1.5 short; 'int4': its loss is 4, and max_loss "
        "is 3; and 1 more reasons)"
    )
    assert lower_bound(Instance(nodes, [task])) is None


def test_one_reason_of_all_variants_is_given_once():
    variants = [Variant(name, compute=1, loss=4) for name in ("fp8", "int4")]
    tasks = [Task("t", variants=variants, max_loss=3), Task("u", variants=variants, max_loss=2)]
    assert why([Node("n", compute=1)], tasks) == (
        "task 't' can run in none of its 2 variants: its loss is 4, and max_loss is 3; "
        "1 further task can run nowhere"
    )


def test_fewer_nodes_than_parts():
    nodes = [Node("a", compute=9, storage=4), Node("b", compute=9, storage=1)]
    equal = Task("t", variants=[Variant("v", compute=1, storage=2, parts=2)])
    assert why(nodes, [equal]) == (
        "task 't' can run nowhere: its 2 parts need as many nodes, and only 1 can take one"
    )
    parts = [Part(1, storage=4), Part(1, storage=3), Part(1)]
    listed = Task("t", variants=[Variant("v", parts=parts)])
    assert why(nodes, [listed]) == (
        "task 't' can run nowhere: its 3 parts need as many nodes, and only 2 can take one"
    )


def test_pinned_to_what_takes_nothing():
    nodes = [Node("a", compute=1, state="drained"), Node("b", compute=1, state="cordoned")]
    nodes.append(Node("c", compute=1))
    assert why(nodes, [Task("t", compute=1, pinned=["a", "b"])]) == (
        "task 't' can run nowhere: no node it is pinned to takes new parts ('a' is drained, "
        "'b' is cordoned)"
    )
    assert why(nodes[:1], [Task("t", compute=1)]) == (
        "task 't' can run nowhere: no node takes new parts ('a' is drained)"
    )
    stays = {"nodes": nodes, "tasks": [Task("t", compute=1, pinned="b")]}
    assert why(**stays) is not None
    assert why(**stays, current={"t": "b"}) is None


def test_numbers_that_no_float_holds_and_nothing_to_place():
    bounds = ("auto", "closed-form", "linear", "column-generation")
    variants = [Variant("v", compute=1, loss=3)]
    nodes = [Node("n", compute=4), Node("d", compute=2, state="drained")]
    skipped = Instance(nodes, [Task("t", variants=variants, max_loss=1, skip_price=2.5)])
    assert [lower_bound(skipped, method, time_limit=5) for method in bounds] == [22.5] * 4
    empty = Instance(nodes, [])
    assert [lower_bound(empty, method, time_limit=5) for method in bounds] == [20] * 4
    wide = Instance(
        [Node("n", compute=10**30, price=10**25, overload_price=10**40)],
        [Task("t", compute=10**31, skip_price=10**80)],
        power_off=True,
    )
    cost = 10**55 + 9 * 10**70
    assert [lower_bound(wide, method, time_limit=5) for method in bounds] == [cost] * 4


def test_pinned_to_what_is_not_eligible():
    nodes = [Node("a", compute=1, kind="V100"), Node("b", compute=1, kind="A100")]
    assert why(nodes, [Task("t", compute=1, pinned="a", eligible=["A100"])]) == (
        "task 't' can run nowhere: none of the nodes it is pinned to ('a') is eligible"
    )


def test_a_label_that_a_rule_asks_for():
    nodes = [Node("a", compute=1), Node("b", compute=1, labels={"zone": "x"})]
    tasks = group(2, eligible=["a"])
    assert why(nodes, tasks, rules=[Limit("web", "zone", 5)]) == (
        "task 't0' (and 1 more like it) can run nowhere: none of the nodes left to it ('a') has "
        "a 'zone', which the limit of group 'web' asks for"
    )


def test_both_groups_of_an_anti_affinity():
    task = Task("t", compute=1, groups=("a", "b"))
    assert why([Node("n", compute=1)], [task], rules=[AntiAffinity("a", "b", "node")]) == (
        "task 't' can run nowhere: it is in both groups of the anti-affinity of 'a' and 'b'"
    )


def test_a_limit_of_nothing_on_a_node():
    assert why([Node("n", compute=1)], group(1), rules=[Limit("web", "node", 0)]) == (
        "task 't0' can run nowhere: the limit of group 'web' is 0 in each node"
    )


def test_a_limit_times_its_domains():
    rules = [Limit("web", "zone", 2)]
    assert why(zones("a", "a", "b"), group(5), rules=rules) == (
        "the limit of group 'web' by zone is 2; 5 tasks ('t0', 't1', 't2', and 2 more) must place "
        "5 parts at least, and the domains open to them ('a', 'b') take 4 at most: 1 short"
    )
    assert why(zones("a", "a", "b"), group(4), rules=rules) is None
    some = [*group(3, eligible=["zone=a"]), Task("u", compute=1, groups=("web",))]
    assert why(zones("a", "a", "b", "c"), some, rules=rules) == (
        "the limit of group 'web' by zone is 2; 3 tasks ('t0', 't1', 't2') must place 3 parts at "
        "least, and the domains open to them ('a') take 2 at most: 1 short"
    )
    left_out = group(5, skip_price=1)
    assert why(zones("a", "a", "b"), left_out, rules=rules) is None


def test_a_spread_with_a_domain_that_counts_but_takes_nothing():
    nodes = [*zones("a", "b"), Node("n2", compute=9, labels={"zone": "c"}, state="drained")]
    spread = Spread("web", "zone", 1)
    assert why(nodes, group(3), rules=[spread]) == (
        "the spread of group 'web' by zone has max_skew 1, and 'c' counts but can take none; "
        "3 tasks ('t0', 't1', 't2') must place 3 parts at least, and the domains open to them "
        "('a', 'b') take 2 at most: 1 short"
    )
    assert why(nodes, group(2), rules=[spread]) is None
    not_there = group(3, eligible=["zone=a", "zone=b"])
    assert why(nodes, not_there, rules=[spread]) is None


def test_a_spread_over_too_few_domains():
    assert why(zones("a", "b"), group(3), rules=[Spread("web", "zone", 1, min_domains=3)]) == (
        "the spread of group 'web' by zone has max_skew 1, and its domains are 2, fewer than "
        "min_domains 3; 3 tasks ('t0', 't1', 't2') must place 3 parts at least, and the domains "
        "open to them ('a', 'b') take 2 at most: 1 short"
    )


def test_an_affinity_to_a_group_that_has_no_place():
    nodes = zones("a", "b")
    tasks = [*group(1, eligible=["zone=a"]), Task("db", compute=1, groups=("db",), pinned="n1")]
    assert why(nodes, tasks, rules=[Affinity("web", "zone", with_="db")]) == (
        "the affinity of group 'web' by zone with 'db'; 1 task ('t0') must place 1 parts at "
        "least, and its domains take 0 at most: 1 short"
    )


def test_an_affinity_that_no_domain_can_hold():
    nodes = zones("a", "a", "b", storage=4)
    together = [Affinity("web", "zone")]
    assert why(nodes, group(3, storage=3), rules=together) == (
        "the affinity of group 'web' wants all parts of 3 tasks ('t0', 't1', 't2') in one zone, "
        "at least 3, and none can take them all"
    )
    assert why(nodes, group(2, storage=3), rules=together) is None
    uneven = [*group(2, storage=3), Task("u", compute=1, storage=3.5, groups=("web",))]
    assert why(nodes, uneven, rules=together).endswith(
        "none can take them all (storage: they need at least 9.5, and 'a' has 8)"
    )
    parts = Task("t", variants=[Variant("v", compute=1, parts=2)], groups=("web",))
    assert why(zones("a", "b"), [parts], rules=together) == (
        "task 't' can run nowhere: its 2 parts need as many nodes, and the affinity of group "
        "'web' wants them in one value of 'zone': none has so many that can take them"
    )


def test_the_least_loss_is_above_the_budget():
    variants = [Variant("fp8", compute=1, loss=1.5), Variant("int4", compute=1, loss=4)]
    assert why(
        [Node("n", compute=9)],
        [Task(f"t{j}", variants=variants) for j in range(3)],
        quality_budget=4,
    ) == (
        "quality_budget: the loss of 3 tasks ('t0', 't1', 't2') is at least 4.5, each in the best "
        "variant it can run in; the budget is 4: 0.5 over"
    )


def test_more_moves_than_allowed():
    nodes = [Node("a", compute=9, state="drained"), Node("b", compute=9)]
    tasks = [Task(f"t{j}", compute=1) for j in range(3)]
    current = {"t0": "a", "t1": "a", "t2": "b"}
    assert why(nodes, tasks, current=current, max_moves=1) == (
        "max_moves: of 3 tasks ('t0', 't1', 't2') no fewer than 2 parts must move; max_moves is "
        "1: 1 over"
    )
    assert why(nodes, tasks, current=current, max_moves=2) is None


def test_the_least_needs_over_the_variants_do_not_fit():
    variants = [Variant("bf16", compute=1, storage=6), Variant("fp8", compute=1, storage=4)]
    nodes = [Node("a", compute=9, storage=7), Node("b", compute=9, storage=4)]
    tasks = [Task(f"t{j}", variants=variants) for j in range(3)]
    assert why(nodes, tasks) == (
        "storage: 3 tasks ('t0', 't1', 't2') need at least 12 together; the nodes that can hold "
        "them ('a', 'b') have 11: 1 short"
    )
    tasks[2] = Task("t2", variants=variants, skip_price=1)
    assert why(nodes, tasks) is None


@pytest.mark.parametrize("integers", [True, False])
def test_the_relaxation_refutes_only_where_there_is_no_allocation(integers):
    refuted = none = 0
    for case in whole_instances(150, seed=182, integers=integers):
        problem = Problem(case.instance)
        if problem.modes is None:
            continue
        impossible = brute_force(case.instance, case.homes) is None
        none += impossible
        if why_relaxation_infeasible(problem) is not None:
            assert impossible
            refuted += 1
    assert refuted >= 0.9 * none >= 15


def test_limits_that_clash_only_together():
    """In zone a there is storage for two, in b a limit of one."""
    nodes = [
        Node("a", compute=9, storage=4, labels={"zone": "a"}),
        Node("b", compute=9, storage=9, labels={"zone": "b"}),
    ]
    variants = [Variant("fp8", compute=1, storage=2, loss=0), Variant("int4", 1, 1, loss=3)]
    tasks = [Task(f"t{j}", variants=variants, groups=("web",)) for j in range(4)]
    settings = {"rules": [Limit("web", "zone", 2)], "quality_budget": 2}
    assert why(nodes, tasks, **settings) is None
    assert lower_bound(Instance(nodes, tasks, **settings)) is not None
    settings["rules"] = [Limit("web", "zone", 3)]
    nodes[1] = Node("b", compute=9, storage=2, labels={"zone": "b"})
    instance = Instance(nodes, tasks, **settings)
    assert why_infeasible(Problem(instance)) is None
    assert why_relaxation_infeasible(Problem(instance)) == (
        "at least 1 of the tasks that must run has no place, even if tasks could be cut into "
        "pieces; what clashes: storage, quality_budget"
    )
    assert lower_bound(instance) is None
    assert lower_bound(instance, "closed-form") is not None
    result = solve(instance, time_limit=20, num_workers=1)
    assert result.status is Status.INFEASIBLE
    assert "storage, quality_budget" in result.infeasible_because
