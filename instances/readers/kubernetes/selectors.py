"""Selectors of labels, node affinity, taints and tolerations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .objects import Record

__all__ = ["NodeTerms", "Selector", "Taint", "node_terms", "selector_of", "taints_of", "tolerates"]

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_SETS = ("In", "NotIn")
_PRESENCE = ("Exists", "DoesNotExist")
_ORDER = ("Gt", "Lt")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a label."""

    key: str
    operator: str
    values: tuple[str, ...]

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether some labels meet it."""
        value = labels.get(self.key)
        if self.operator == "In":
            return value is not None and value in self.values
        if self.operator == "NotIn":
            return value is None or value not in self.values
        if self.operator == "Exists":
            return value is not None
        if self.operator == "DoesNotExist":
            return value is None
        if value is None or not _INTEGER.fullmatch(value):
            return False
        ours, bound = int(value), int(self.values[0])
        return ours > bound if self.operator == "Gt" else ours < bound

    def __str__(self) -> str:
        if self.operator == "In" and len(self.values) == 1:
            return f"{self.key}={self.values[0]}"
        if self.operator in _SETS:
            word = "in" if self.operator == "In" else "notin"
            return f"{self.key} {word} ({','.join(self.values)})"
        return self.key if self.operator == "Exists" else f"!{self.key}"


def _requirement(record: Record, operators: tuple[str, ...]) -> Requirement:
    key, operator = record.text("key"), record.text("operator")
    if not key:
        record.fail("key", "is missing")
    if operator not in operators:
        record.fail("operator", f"is {operator!r}; it must be one of: {', '.join(operators)}")
    values = tuple(sorted(set(record.strings("values"))))
    if operator in _SETS and not values:
        record.fail("values", f"is empty; {operator} needs one or more")
    if operator in _ORDER and not (len(values) == 1 and _INTEGER.fullmatch(values[0])):
        record.fail("values", f"must be one integer, as {operator} needs it")
    return Requirement(key, operator, values if operator not in _PRESENCE else ())


@dataclass(frozen=True, slots=True)
class Selector:
    """A selector of labels of pods: all requirements hold; one of none selects everything."""

    requirements: tuple[Requirement, ...]

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether it selects something with these labels."""
        return all(requirement.holds(labels) for requirement in self.requirements)

    def exact(self) -> list[tuple[str, str]]:
        """The labels whose value it fixes."""
        return [
            (each.key, each.values[0])
            for each in self.requirements
            if each.operator == "In" and len(each.values) == 1
        ]

    def narrowed(self, labels: Mapping[str, str], keys: list[str]) -> Selector:
        """This one, and with the same values as `labels` of some keys (`matchLabelKeys`)."""
        more = {Requirement(key, "In", (labels[key],)) for key in keys if key in labels}
        return Selector(tuple(sorted({*self.requirements, *more}, key=str)))

    def __str__(self) -> str:
        return ", ".join(map(str, self.requirements)) or "everything"


def selector_of(owner: Record, key: str) -> Selector | None:
    """The label selector below a key; None, which selects nothing, where there is none."""
    if not owner.has(key):
        return None
    record = owner.child(key)
    found = {Requirement(k, "In", (v,)) for k, v in record.texts("matchLabels").items()}
    for each in record.children("matchExpressions"):
        found.add(_requirement(each, _SETS + _PRESENCE))
    return Selector(tuple(sorted(found, key=str)))


@dataclass(frozen=True, slots=True)
class NodeTerms:
    """Which nodes a pod may go to by its node selector and its required node affinity.

    Attributes
    ----------
    selector : tuple of Requirement
        All hold.
    terms : tuple of tuple, or None
        Any one of them suffices, of whose requirements on labels and on the name all hold.
    """

    selector: tuple[Requirement, ...]
    terms: tuple[tuple[tuple[Requirement, ...], tuple[Requirement, ...]], ...] | None

    def allow(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a node will do."""
        if not all(requirement.holds(labels) for requirement in self.selector):
            return False
        if self.terms is None:
            return True
        field = {"metadata.name": name}
        return any(
            (on_labels or on_name)
            and all(each.holds(labels) for each in on_labels)
            and all(each.holds(field) for each in on_name)
            for on_labels, on_name in self.terms
        )

    def looked_at(self) -> set[str]:
        """The labels it looks at, and "" if it looks at the name."""
        found = {each.key for each in self.selector}
        for on_labels, on_name in self.terms or ():
            found.update(each.key for each in on_labels)
            found.update("" for _ in on_name)
        return found


def node_terms(spec: Record) -> NodeTerms:
    """What the spec of a pod says of nodes."""
    selector = tuple(
        Requirement(key, "In", (value,))
        for key, value in sorted(spec.texts("nodeSelector").items())
    )
    affinity = spec.child("affinity").child("nodeAffinity")
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    if not affinity.has(key):
        return NodeTerms(selector, None)
    terms = []
    for term in affinity.child(key).children("nodeSelectorTerms"):
        on_labels = [
            _requirement(each, _SETS + _PRESENCE + _ORDER)
            for each in term.children("matchExpressions")
        ]
        on_name = [_requirement(each, _SETS) for each in term.children("matchFields")]
        for each, record in zip(on_name, term.children("matchFields"), strict=True):
            if each.key != "metadata.name":
                record.fail("key", f"is {each.key!r}; the one field of a node is metadata.name")
        terms.append((tuple(on_labels), tuple(on_name)))
    return NodeTerms(selector, tuple(terms))


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a node."""

    key: str
    value: str
    effect: str


def taints_of(spec: Record) -> tuple[Taint, ...]:
    """The taints in the spec of a node."""
    found = []
    for record in spec.children("taints"):
        taint = Taint(record.text("key"), record.text("value"), record.text("effect"))
        if not taint.key:
            record.fail("key", "is missing")
        if taint.effect not in ("NoSchedule", "NoExecute", "PreferNoSchedule"):
            record.fail(
                "effect",
                f"is {taint.effect!r}; it must be NoSchedule, PreferNoSchedule or NoExecute",
            )
        found.append(taint)
    return tuple(found)


Tolerates = Callable[[Taint], bool]


def tolerates(spec: Record) -> Tolerates:
    """Whether a pod tolerates a taint for good: a toleration for some seconds is none."""
    checks = [_toleration(record) for record in spec.children("tolerations")]
    return lambda taint: any(check(taint) for check in checks)


def _toleration(record: Record) -> Tolerates:
    key, value, effect = record.text("key"), record.text("value"), record.text("effect")
    operator = record.text("operator") or "Equal"
    operators = ("Equal", "Exists", *_ORDER)
    if operator not in operators:
        record.fail("operator", f"is {operator!r}; it must be one of: {', '.join(operators)}")
    if not key and operator != "Exists":
        record.fail("key", "is missing; without one the operator must be Exists")
    ends = record.whole("tolerationSeconds", -(2**63)) is not None
    bound = Requirement(key, operator, (value,)) if operator in _ORDER else None
    if bound is not None and not _INTEGER.fullmatch(value):
        record.fail("value", f"is {value!r}; {operator} needs an integer")

    def check(taint: Taint) -> bool:
        if effect not in ("", taint.effect) or (key and key != taint.key):
            return False
        if ends and taint.effect == "NoExecute":
            return False
        if bound is not None:
            return bound.holds({taint.key: taint.value})
        return operator == "Exists" or value == taint.value

    return check
