"""Where Kubernetes would put the next pod: one solve for each candidate node.

The pods that run are pinned to their nodes. What is right are the words of the topology spread
constraints (`maxSkew`, `minDomains`, `whenUnsatisfiable: DoNotSchedule`).
"""

import pytest

from solver import Instance, Node, Spread, Status, Task, check, solve

ZONES = {"1": "A", "2": "A", "3": "B", "4": "B"}
RUNNING = ("1", "2", "3")
ZONE, HOST = "zone", "node"


def candidates(*rules, zones=ZONES, running=RUNNING, eligible=None, method="auto"):
    """The nodes that take the next pod."""
    return {
        node
        for node in zones
        if next_pod_on(node, rules, zones=zones, running=running, eligible=eligible, method=method)
    }


def next_pod_on(node, rules, *, zones, running, eligible, method):
    pods = [*running, node]
    instance = Instance(
        nodes=[
            Node(name, 10, labels={} if zone is None else {"zone": zone})
            for name, zone in zones.items()
        ],
        tasks=[
            Task(f"pod-{k}", 1, groups=("app",), pinned=place, eligible=eligible)
            for k, place in enumerate(pods)
        ],
        rules=rules,
    )
    result = solve(instance, method, time_limit=30)
    assert result.status in (Status.OPTIMAL, Status.INFEASIBLE)
    if result.allocation is not None:
        assert check(instance, result.allocation) == []
        assert result.allocation.node_of[f"pod-{len(running)}"] == node
    return result.status is Status.OPTIMAL


@pytest.mark.parametrize("method", ["auto", "cp-sat", "mip"])
@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([Spread("app", ZONE, 1)], {"3", "4"}),
        ([Spread("app", ZONE, 2)], {"1", "2", "3", "4"}),
        ([Spread("app", HOST, 1)], {"4"}),
        ([Spread("app", ZONE, 1), Spread("app", HOST, 1)], {"4"}),
    ],
    ids=["zone skew 1", "zone skew 2", "hostname skew 1", "both"],
)
def test_the_next_pod(rules, expected, method):
    assert candidates(*rules, method=method) == expected


def test_a_zone_that_the_pod_may_not_use_does_not_count():
    zones = ZONES | {"5": "C"}
    only = ["zone=A", "zone=B"]
    rule = Spread("app", ZONE, 1)
    assert candidates(rule, zones=zones, eligible=only) == {"3", "4"}
    assert candidates(rule, zones=zones) == {"5"}


@pytest.mark.parametrize("max_skew", [1, 2])
def test_a_node_without_the_label_never_takes_it(max_skew):
    zones = ZONES | {"6": None}
    found = candidates(Spread("app", ZONE, max_skew), zones=zones)
    assert found == candidates(Spread("app", ZONE, max_skew))


def test_too_few_domains_count_as_an_empty_one():
    zones, running = {"1": "A", "2": "B"}, ("1", "2")
    two = Spread("app", ZONE, 1, min_domains=2)
    three = Spread("app", ZONE, 1, min_domains=3)
    assert candidates(two, zones=zones, running=running) == {"1", "2"}
    assert candidates(three, zones=zones, running=running) == set()
    assert candidates(three, zones=zones, running=("1",)) == {"2"}
