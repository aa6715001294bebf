"""Topology spread, pod affinity and anti-affinity, and host ports, as rules over groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from solver.model.rules import Affinity, AntiAffinity, Limit, Rule, Spread

from ..notes import Notes
from .cluster import Cluster, ClusterPod, host_ports
from .eligibility import Eligibility, Mask
from .objects import Record
from .selectors import Selector, selector_of

__all__ = ["Rules"]

Members = frozenset[int]
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


class Rules:
    """Rules over groups of tasks, as the pods of a cluster ask for them.

    What the scheduler asks of one pod at a time is asked of the whole placement. Where that would
    allow what the scheduler refuses, the stricter reading is taken, and a note counts the pods.

    Parameters
    ----------
    cluster : Cluster
    eligibility : Eligibility
    allowed : sequence of (n,) bool
        The nodes that each pod may be on.
    notes : Notes

    Attributes
    ----------
    rules : list of Rule
    groups : list of list of str
        The groups of each task.
    keys : set of str
        The labels that are domains.
    counted : dict of int to (n,) bool
        The nodes that count as domains of a task's spread, where that differs from where it may be.
    """

    def __init__(
        self, cluster: Cluster, eligibility: Eligibility, allowed: list[Mask], notes: Notes
    ) -> None:
        self.cluster, self.eligibility, self.allowed = cluster, eligibility, allowed
        self.notes = notes
        self.rules: list[Rule] = []
        self.keys: set[str] = set()
        self.counted: dict[int, Mask] = {}
        self.groups: list[list[str]] = [[] for _ in cluster.pods]
        self._names: dict[Members, str] = {}
        self._sets: dict[str, Members] = {}
        self._found: dict[object, Members] = {}
        self._inside: dict[tuple[bytes, str], frozenset[int]] = {}
        self._by_label: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self._by_namespace: dict[str, list[int]] = defaultdict(list)
        for j, pod in enumerate(cluster.pods):
            self._by_namespace[pod.namespace].append(j)
            for key, value in pod.labels.items():
                self._by_label[pod.namespace, key, value].append(j)
        self._spread()
        self._affinity()
        self._anti_affinity()
        self._ports()
        self.rules = list(dict.fromkeys(self.rules))

    def selected(self, namespaces: Iterable[str], selector: Selector) -> Members:
        """The tasks whose pods a selector selects in some namespaces."""
        key = (frozenset(namespaces), selector)
        if key not in self._found:
            exact = selector.exact()
            found: set[int] = set()
            for namespace in key[0]:
                lists = [self._by_label.get((namespace, *label), []) for label in exact]
                among = min(lists, key=len) if lists else self._by_namespace.get(namespace, [])
                found.update(j for j in among if selector.selects(self.cluster.pods[j].labels))
            self._found[key] = frozenset(found)
            fixed = [each for name in key[0] for each in self.cluster.fixed.get(name, [])]
            if any(selector.selects(labels) for labels, _ in fixed):
                what = "DaemonSet and mirror pods in what a rule counts"
                self.notes.add("not modelled", what, str(selector), "selectors")
        return self._found[key]

    def group(self, members: Members, name: str) -> str:
        """The name of a group of tasks: that it has already, or this one."""
        if members not in self._names:
            given, again = name, 2
            while given in self._sets:
                given, again = f"{name} ({again})", again + 1
            self._names[members], self._sets[given] = given, members
            for j in sorted(members):
                self.groups[j].append(given)
        return self._names[members]

    def _domain(self, key: str, what: str, carriers: Iterable[int]) -> str | None:
        domain = self.eligibility.domain_of(key)
        if domain is None:
            for j in carriers:
                self._note("not modelled", f"{what} over {key}, which no node has", j)
        elif domain != "node":
            self.keys.add(domain)
        return domain

    def _note(self, kind: str, what: str, j: int) -> None:
        self.notes.add(kind, what, self.cluster.id_of(self.cluster.pods[j]))

    # Spread

    def _spread(self) -> None:
        asked: dict[tuple[str, Selector, str, int, int], list[tuple[int, Record]]] = {}
        for j, pod in enumerate(self.cluster.pods):
            for record in pod.spec.children("topologySpreadConstraints"):
                when = record.text("whenUnsatisfiable") or "DoNotSchedule"
                if when not in ("DoNotSchedule", "ScheduleAnyway"):
                    record.fail("whenUnsatisfiable", f"is {when!r}")
                selector = selector_of(record, "labelSelector")
                skew, least = record.whole("maxSkew", 1), record.whole("minDomains", 1) or 1
                if skew is None:
                    record.fail("maxSkew", "is missing")
                key = _topology_key(record)
                if when == "ScheduleAnyway":
                    self._note("not modelled", "topology spread ScheduleAnyway", j)
                elif selector is None or not selector.selects(pod.labels):
                    self._note("not modelled", "topology spread of other pods than its own", j)
                else:
                    selector = selector.narrowed(pod.labels, record.strings("matchLabelKeys"))
                    about = (pod.namespace, selector, key, skew, least)
                    asked.setdefault(about, []).append((j, record))
        for (namespace, selector, key, skew, least), carriers in asked.items():
            of = [j for j, _ in carriers]
            domain = self._domain(key, "topology spread", of)
            if domain is None:
                continue
            members = self.selected([namespace], selector)
            for j in sorted(members.difference(of)):
                self._note("read as", "held by a topology spread that counts them", j)
            name = self.group(members, f"{namespace}: {selector}")
            self.rules.append(Spread(name, domain, skew, least))
            for j, record in carriers:
                self._count_domains(j, record, key)

    def _count_domains(self, j: int, record: Record, key: str) -> None:
        """Tell the domains that count from those a pod may be in, if they are others."""
        pod = self.cluster.pods[j]
        counted = np.ones(len(self.eligibility.nodes), dtype=bool)
        if (record.text("nodeAffinityPolicy") or "Honor") == "Honor":
            counted = counted & self.eligibility.chosen(pod)
        if record.text("nodeTaintsPolicy") == "Honor":
            counted = counted & self.eligibility.tolerated(pod)
        counted = counted | self.allowed[j]
        now = self.counted.get(j, self.allowed[j])
        if self._domains_in(counted, key) != self._domains_in(now, key):
            if j in self.counted:
                self._note("not modelled", "spreads that count different domains", j)
            self.counted[j] = counted

    def _domains_in(self, mask: Mask, key: str) -> frozenset[int]:
        about = (mask.tobytes(), key)
        if about not in self._inside:
            codes = self.eligibility.domains(key)[mask]
            self._inside[about] = frozenset(codes.tolist())
        return self._inside[about]

    # Affinity

    def _terms(self, kind: str) -> dict[tuple[Members, str, str], list[int]]:
        """The carriers of each required term, by whom it selects, its name and its domain."""
        asked: dict[tuple[Members, str, str], list[int]] = {}
        keys: dict[tuple[Members, str], tuple[str, list[int]]] = {}
        for j, pod in enumerate(self.cluster.pods):
            for term in pod.spec.child("affinity").child(kind).children(_REQUIRED):
                key = _topology_key(term)
                selector = selector_of(term, "labelSelector")
                namespaces = self._namespaces(term, pod, j)
                if selector is None or namespaces is None:
                    if selector is None:
                        self._note("not modelled", f"{kind} without a selector", j)
                    continue
                selector = selector.narrowed(pod.labels, term.strings("matchLabelKeys"))
                if term.strings("mismatchLabelKeys"):
                    self._note("not modelled", f"mismatchLabelKeys in {kind}", j)
                of = self.selected(namespaces, selector)
                where = ",".join(sorted(namespaces)) if len(namespaces) < 4 else "many"
                shown = f"{where}: {selector}"
                keys.setdefault((of, key), (shown, []))[1].append(j)
        for (of, key), (shown, carriers) in keys.items():
            domain = self._domain(key, kind, carriers)
            if domain is not None:
                asked.setdefault((of, shown, domain), []).extend(carriers)
        return asked

    def _namespaces(self, term: Record, pod: ClusterPod, j: int) -> set[str] | None:
        """The namespaces of a term; None, with a note, where that cannot be told."""
        listed = set(term.strings("namespaces"))
        selector = selector_of(term, "namespaceSelector")
        if selector is None:
            return listed or {pod.namespace}
        known = self.cluster.namespaces
        told = all(each.key == "kubernetes.io/metadata.name" for each in selector.requirements)
        present = set(self._by_namespace) | set(known)
        if not told and not known:
            self._note("not modelled", "namespaceSelector: give `kubectl get namespaces` too", j)
            return None
        for name in present:
            if selector.selects({"kubernetes.io/metadata.name": name, **known.get(name, {})}):
                listed.add(name)
        return listed

    def _affinity(self) -> None:
        for (of, shown, domain), carriers in self._terms("podAffinity").items():
            who = frozenset(carriers)
            others, themselves, strangers = of - who, of & who, who - of
            if not of:
                for j in sorted(who):
                    self._note("not modelled", "podAffinity to pods that are no tasks", j)
            elif others:
                for j in sorted(who if themselves else ()):
                    self._note("read as", "near others that their podAffinity selects", j)
                name = self.group(who, f"near {shown}")
                self.rules.append(Affinity(name, domain, self.group(others, shown)))
            else:
                name = self.group(themselves, shown)
                self.rules.append(Affinity(name, domain))
                if strangers:
                    near = self.group(strangers, f"near {shown}")
                    self.rules.append(Affinity(near, domain, name))

    def _anti_affinity(self) -> None:
        """No domain with a carrier and another pod that it selects, in whatever order they came."""
        for (of, shown, domain), carriers in self._terms("podAntiAffinity").items():
            who = frozenset(carriers)
            others, themselves, strangers = of - who, of & who, who - of
            if domain != "node" and (self.eligibility.domains(domain) < 0).any():
                for j in sorted(who):
                    self._note("read as", f"kept to nodes with {domain} by podAntiAffinity", j)
            apart = f"apart from {shown}"
            if len(themselves) > 1:
                self.rules.append(Limit(self.group(themselves, shown), domain, 1))
            if others:
                name = self.group(who, apart)
                self.rules.append(AntiAffinity(name, self.group(others, shown), domain))
            if strangers and themselves:
                name, other = self.group(strangers, apart), self.group(themselves, shown)
                self.rules.append(AntiAffinity(name, other, domain))

    # What cannot move

    def give_way(self, fixed: set[int], why: str) -> None:
        """Weaken the rules that pods which stay where they are break by themselves.

        No plan could mend that, so no plan would keep the rule. Spread and limits get the least
        number that these pods allow, affinity and anti-affinity are dropped. A note says why.
        """
        kept: list[Rule] = []
        for rule in self.rules:
            members = self._sets[rule.group]
            if not members & fixed:
                kept.append(rule)
                continue
            codes = self._codes(rule.domain)
            held = Counter(int(codes[self._home(j)]) for j in members & fixed)
            other: Rule | None = rule
            if -1 in held:
                other = None
            elif isinstance(rule, Limit):
                other = replace(rule, max=max(rule.max, *held.values(), 0))
            elif isinstance(rule, Spread):
                most = self._least_skew(rule, held, len(members - fixed))
                other = replace(rule, max_skew=max(rule.max_skew, most))
            elif self._is_broken(rule, held, fixed):
                other = None
            if other is not None:
                kept.append(other)
            if other != rule:
                done = "dropped" if other is None else "weakened"
                what = f"{done}, as {why}"
                self.notes.add("read as", what, f"{rule.name} of {rule.group}", "rules")
        self.rules = kept

    def _home(self, j: int) -> int:
        return self.eligibility.position[str(self.cluster.pods[j].node)]

    def _codes(self, domain: str) -> npt.NDArray[np.int64]:
        if domain == "node":
            return np.arange(len(self.eligibility.nodes))
        return self.eligibility.domains(domain)

    def _least_skew(self, rule: Spread, held: Counter[int], free: int) -> int:
        """The least skew with so many pods to be put anywhere."""
        codes = self._codes(rule.domain)
        counted: set[int] = set()
        masks = [self.counted.get(j, self.allowed[j]) for j in self._sets[rule.group]]
        for mask in {mask.tobytes(): mask for mask in masks}.values():
            counted.update(codes[mask].tolist())
        counted.discard(-1)
        level = 0
        if len(counted) >= rule.min_domains and counted:
            room = [held[d] for d in counted]
            while sum(max(0, level + 1 - count) for count in room) <= free and level < max(room):
                level += 1
        return max([count - level for count in held.values()], default=0)

    def _is_broken(self, rule: Rule, held: Counter[int], fixed: set[int]) -> bool:
        if isinstance(rule, Affinity) and rule.with_ is None:
            return len(held) > 1
        assert isinstance(rule, Affinity | AntiAffinity)
        others = self._sets[str(rule.with_)]
        codes = self._codes(rule.domain)
        theirs = {int(codes[self._home(j)]) for j in others & fixed}
        if isinstance(rule, AntiAffinity):
            return bool(held.keys() & theirs)
        return len(held.keys() - theirs) > len(others - fixed)

    # Host ports

    def _ports(self) -> None:
        users: dict[tuple[str, int], set[int]] = {}
        for j, pod in enumerate(self.cluster.pods):
            for port in host_ports(pod.spec):
                users.setdefault(port, set()).add(j)
        daemons = [each for found in self.cluster.fixed.values() for each in found]
        fixed = {port for _, ports in daemons for port in ports}
        for port, members in sorted(users.items()):
            if len(members) > 1:
                name = self.group(frozenset(members), f"host port {port[0]} {port[1]}")
                self.rules.append(Limit(name, "node", 1))
            if port in fixed:
                for j in sorted(members):
                    self._note("not modelled", "host ports that DaemonSet or mirror pods hold", j)


def _topology_key(record: Record) -> str:
    key = record.text("topologyKey")
    if not key or "=" in key or key in ("node", "kind"):
        record.fail("topologyKey", f"is {key!r}; it must be the key of a label")
    return key
