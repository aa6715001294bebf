"""Spread, pod affinity and anti-affinity and host ports as rules, against the scheduler's words.

The scheduler places one pod at a time; the rules judge a whole placement. Anti-affinity says the
same. Spread and affinity may be stricter, never laxer: what the rules allow can be reached by
the one, and contents every pod by the other.
"""

from __future__ import annotations

import itertools
import random

from solver import Affinity, AntiAffinity, Limit, Spread, check, solve
from tests.instances.kubernetes_objects import allowed, node, pod, read, required, told
from tests.nightly import cases

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
TAINT = {"key": "k", "effect": "NoSchedule"}


def selects(**labels):
    return {"matchLabels": labels}


def apart(app, key=HOST, **more):
    term = {"topologyKey": key, "labelSelector": selects(app=app), **more}
    return {"podAntiAffinity": required(term)}


def near(app, key=ZONE, **more):
    term = {"topologyKey": key, "labelSelector": selects(app=app), **more}
    return {"podAffinity": required(term)}


def evenly(app, key=ZONE, skew=1, **more):
    return {
        "topologyKey": key,
        "maxSkew": skew,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": selects(app=app),
        **more,
    }


def zones(*names, **more):
    return [node(f"n{k}", labels={ZONE: zone}, **more) for k, zone in enumerate(names)]


def web(*specs):
    return [pod(f"p{k}", app="web", **spec) for k, spec in enumerate(specs)]


def test_spread(tmp_path):
    spread = {"topologySpreadConstraints": [evenly("web", skew=2, minDomains=3)]}
    reading = read(tmp_path, *zones("x", "y"), *web(spread, spread, {}))
    name = "default: app=web"
    assert reading.instance.rules == (Spread(name, ZONE, 2, min_domains=3),)
    assert [task.groups[-1] for task in reading.instance.tasks] == [name] * 3
    assert told(reading)["read as: held by a topology spread that counts them"] == 1


def test_spread_over_hosts_and_by_template(tmp_path):
    spread = {"topologySpreadConstraints": [evenly("web", HOST, matchLabelKeys=["version"])]}
    pods = [pod(f"p{k}", app="web", labels={"version": str(k % 2)}, **spread) for k in range(4)]
    reading = read(tmp_path, *zones("x", "x"), *pods)
    assert reading.instance.rules == (
        Spread("default: app=web, version=0", "node", 1),
        Spread("default: app=web, version=1", "node", 1),
    )


def test_spread_that_is_not_modelled(tmp_path):
    soft = {**evenly("web"), "whenUnsatisfiable": "ScheduleAnyway"}
    pods = web(
        {"topologySpreadConstraints": [soft]},
        {"topologySpreadConstraints": [evenly("other")]},
        {"topologySpreadConstraints": [evenly("web", "no-such-key")]},
    )
    reading = read(tmp_path, *zones("x"), *pods)
    assert reading.instance.rules == ()
    assert {what for what in told(reading) if what.startswith("not")} == {
        "not modelled: topology spread ScheduleAnyway",
        "not modelled: topology spread of other pods than its own",
        "not modelled: topology spread over no-such-key, which no node has",
    }


def test_domains_of_tainted_nodes_count_unless_they_are_not_to(tmp_path):
    nodes = [*zones("x", "y"), node("t", labels={ZONE: "z"}, taints=[TAINT])]
    for policy, counted in (("Ignore", {"n0", "n1", "t"}), ("Honor", {"n0", "n1"})):
        spread = {"topologySpreadConstraints": [evenly("web", nodeTaintsPolicy=policy)]}
        reading = read(tmp_path, *nodes, *web(spread, spread))
        assert allowed(reading, "p0") == {"n0", "n1"}
        task = reading.instance.tasks[0]
        may = {"t", "n0", "n1"} if task.eligible is None else set(task.eligible)
        assert {
            name.replace(f"{ZONE}=x", "n0").replace(f"{ZONE}=y", "n1") for name in may
        } == counted
        placed = {"p0": "n0", "p1": "n1"}
        assert check(reading.instance, placed) == []
        more = read(tmp_path, *nodes, *web(spread, spread, spread))
        broken = check(more.instance, {**placed, "p2": "n1"})
        assert [v.rule for v in broken] == (["spread"] if policy == "Ignore" else [])


def test_affinity(tmp_path):
    together = web({"affinity": near("web")}, {"affinity": near("web")})
    instance = read(tmp_path, *zones("x", "y"), *together).instance
    assert instance.rules == (Affinity("default: app=web", ZONE),)
    cache = pod("cache", app="cache")
    reading = read(tmp_path, *zones("x", "y"), *web({"affinity": near("cache")}), cache)
    assert reading.instance.rules == (
        Affinity("near default: app=cache", ZONE, "default: app=cache"),
    )
    lonely = read(tmp_path, *zones("x"), *web({"affinity": near("nobody")}))
    assert lonely.instance.rules == ()
    assert told(lonely)["not modelled: podAffinity to pods that are no tasks"] == 1


def test_namespaces(tmp_path):
    def of(namespace):
        return {"namespace": namespace}

    def rules(term, *more):
        first = pod("p", app="web", affinity=apart("web", **term), metadata=of("one"))
        second = pod("q", app="web", metadata=of("two"))
        return read(tmp_path, *zones("x"), first, second, *more)

    two = {"metadata": {"name": "two", "labels": {"team": "b"}}, "kind": "Namespace"}
    assert rules({}).instance.rules == ()
    found = rules({"namespaces": ["two"]}).instance.rules
    assert found == (AntiAffinity("apart from two: app=web", "two: app=web", "node"),)
    by_name = {"kubernetes.io/metadata.name": "two"}
    assert rules({"namespaceSelector": selects(**by_name)}).instance.rules == found
    assert rules({"namespaceSelector": selects(team="b")}, two).instance.rules == found
    assert len(rules({"namespaceSelector": {}}).instance.rules) == 1
    unknown = rules({"namespaceSelector": selects(team="b")})
    assert unknown.instance.rules == ()
    assert any("give `kubectl get namespaces` too" in what for what in told(unknown))


def test_host_ports(tmp_path):
    def listening(name, *ports, **more):
        made = pod(name, **more)
        made["spec"]["containers"][0]["ports"] = [{"hostPort": port} for port in ports]
        return made

    daemon = listening("d", 9000, on="n0", owner=("DaemonSet", "d"))
    pods = [listening("p", 80, 9000), listening("q", 80), listening("r", 443)]
    reading = read(tmp_path, *zones("x"), daemon, *pods)
    assert reading.instance.rules == (Limit("host port TCP 80", "node", 1),)
    assert told(reading)["not modelled: host ports that DaemonSet or mirror pods hold"] == 1


KEEP = {"annotations": {"karpenter.sh/do-not-disrupt": "true"}}


def test_pods_that_stay_weaken_what_they_break(tmp_path):
    spread = {"topologySpreadConstraints": [evenly("web")]}
    kept = [pod(f"p{k}", "n0", 0, app="web", metadata=KEEP, **spread) for k in range(4)]
    free = pod("q", "n0", 0, app="web", **spread)
    reading = read(tmp_path, *zones("x", "y"), *kept, free)
    assert reading.instance.rules == (Spread("default: app=web", ZONE, 3),)
    assert told(reading)["read as: weakened, as pods that stay break it"] == 1
    assert check(reading.instance, {**{f"p{k}": "n0" for k in range(4)}, "q": "n1"}) == []
    two = read(tmp_path, *zones("x", "y"), *kept[:2], free)
    assert two.instance.rules == (Spread("default: app=web", ZONE, 1),)


def test_what_cannot_be_mended_may_be_left_as_it_is(tmp_path):
    spread = {"topologySpreadConstraints": [evenly("web", HOST)]}
    pods = [pod(f"p{k}", "n0", 4, app="web", **spread) for k in range(2)]
    cluster = [node("n0"), node("new", 0), *pods]
    current = {"p0": "n0", "p1": "n0"}
    mended = read(tmp_path, *cluster).instance
    assert [violation.rule for violation in check(mended, current)] == ["spread"]
    assert solve(mended).status.value == "infeasible"
    reading = read(tmp_path, *cluster, mend=False)
    assert reading.instance.rules == (Spread("default: app=web", "node", 2),)
    assert check(reading.instance, current) == []
    assert told(reading)["read as: weakened, as it is broken now"] == 1


def test_what_stays_altogether_breaks_no_rule(tmp_path):
    draw = random.Random(6)

    def make(key, wanted):
        term = {"topologyKey": key, "labelSelector": {"matchLabels": wanted}}
        kind = draw.choice(["podAffinity", "podAntiAffinity", "spread", "ports"])
        if kind == "spread":
            rule = {**evenly("", key), "labelSelector": {"matchLabels": wanted}}
            return {"topologySpreadConstraints": [rule]}
        return {"affinity": {kind: required(term)}} if kind != "ports" else {}

    for _ in range(cases(30, 1000)):
        nodes = [*zones(*draw.choices("xy", k=2)), node("bare")]
        pods = [{**each, "metadata": {**each["metadata"], **KEEP}} for each in drawn(draw, make)]
        for each in pods:
            each["spec"]["nodeName"] = draw.choice(["n0", "n1", "n1", "bare"])
        reading = read(tmp_path, *nodes, *pods)
        current = {each["metadata"]["name"]: each["spec"]["nodeName"] for each in pods}
        assert check(reading.instance, current) == []


# Against the scheduler, pod by pod.


def placements(reading):
    nodes = reading.instance.node_ids.tolist()
    names = reading.instance.task_ids.tolist()
    for choice in itertools.product(nodes, repeat=len(names)):
        placed = dict(zip(names, choice, strict=True))
        yield placed, not check(reading.instance, placed)


def domain_of(nodes, key):
    return {each["metadata"]["name"]: each["metadata"]["labels"].get(key) for each in nodes}


def matches(term, other):
    wanted = term["labelSelector"]["matchLabels"]
    return all(other["metadata"]["labels"].get(k) == v for k, v in wanted.items())


def terms_of(each, kind):
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    return each["spec"].get("affinity", {}).get(kind, {}).get(key, [])


def drawn(draw, make, keys=(ZONE, HOST)):
    apps = ["a", "b", None]
    pods = []
    for k in range(4):
        labels = {"app": draw.choice(apps), "tier": draw.choice(["x", "y", None])}
        labels = {key: value for key, value in labels.items() if value is not None}
        spec = {}
        if draw.random() < 0.7:
            wanted = draw.choice([{"app": "a"}, {"app": "b"}, {"tier": "x"}])
            spec = make(draw.choice(keys), wanted)
        pods.append(pod(f"p{k}", None, 0, labels=labels, **spec))
    return pods


def test_anti_affinity_says_what_the_scheduler_does(tmp_path):
    """No two pods in one domain of which one's term selects the other, whoever came first."""
    draw = random.Random(3)

    def make(key, wanted):
        term = {"topologyKey": key, "labelSelector": {"matchLabels": wanted}}
        return {"affinity": {"podAntiAffinity": required(term)}}

    for _ in range(cases(20, 1000)):
        nodes, pods = zones(*draw.choices("xy", k=3)), drawn(draw, make)
        reading = read(tmp_path, *nodes, *pods)
        for placed, clean in placements(reading):
            conflict = any(
                matches(term, other)
                and domain_of(nodes, term["topologyKey"])[placed[one["metadata"]["name"]]]
                == domain_of(nodes, term["topologyKey"])[placed[other["metadata"]["name"]]]
                for one, other in itertools.permutations(pods, 2)
                for term in terms_of(one, "podAntiAffinity")
            )
            assert clean == (not conflict)


def reachable(pods, placed, admits):
    """Whether the scheduler may place the pods one by one as they are, in some order."""
    for order in itertools.permutations(pods):
        there = []
        for each in order:
            if not admits(each, there, placed):
                break
            there.append(each)
        else:
            return True
    return False


def test_affinity_allows_only_what_the_scheduler_does(tmp_path):
    draw = random.Random(4)

    def make(key, wanted):
        term = {"topologyKey": key, "labelSelector": {"matchLabels": wanted}}
        return {"affinity": {"podAffinity": required(term)}}

    def content(each, placed):
        """Another that it selects is in its domain, or it is the first that it selects."""
        for term in terms_of(each, "podAffinity"):
            domain = domain_of(nodes, term["topologyKey"])
            mine = domain[placed[each["metadata"]["name"]]]
            selected = [o for o in pods if o is not each and matches(term, o)]
            found = [domain[placed[o["metadata"]["name"]]] for o in selected]
            if not (mine in found or (not found and matches(term, each))):
                return False
        return True

    exact = total = 0
    for _ in range(cases(20, 1000)):
        nodes, pods = zones(*draw.choices("xy", k=3)), drawn(draw, make, [ZONE])
        reading = read(tmp_path, *nodes, *pods)
        if any("no tasks" in what for what in told(reading)):
            continue
        for placed, clean in placements(reading):
            expected = all(content(each, placed) for each in pods)
            assert expected or not clean
            exact, total = exact + (expected == clean), total + 1
    assert exact > 0.8 * total


def test_spread_allows_only_what_the_scheduler_does(tmp_path):
    draw = random.Random(5)

    def make(key, wanted):
        rule = {**evenly("", key, draw.choice([1, 1, 2])), "labelSelector": {"matchLabels": wanted}}
        return {"topologySpreadConstraints": [rule]}

    def admits(each, there, placed):
        for rule in each["spec"].get("topologySpreadConstraints", []):
            if not matches(rule, each):
                continue
            domain = domain_of(nodes, rule["topologyKey"])
            count = dict.fromkeys((x for x in domain.values() if x is not None), 0)
            for other in there:
                where = domain[placed[other["metadata"]["name"]]]
                if matches(rule, other) and where is not None:
                    count[where] += 1
            mine = domain[placed[each["metadata"]["name"]]]
            if mine is None or count[mine] + 1 - min(count.values()) > rule["maxSkew"]:
                return False
        return True

    for _ in range(cases(20, 1000)):
        labels = draw.choices(["x", "y"], k=3)
        nodes, pods = zones(*labels), drawn(draw, make)
        reading = read(tmp_path, *nodes, *pods)
        for placed, clean in placements(reading):
            assert reachable(pods, placed, admits) or not clean
