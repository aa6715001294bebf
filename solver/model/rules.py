"""Rules over groups of tasks: limit, spread, affinity and anti-affinity.

n(g, d) is the number of parts of tasks of group g on the nodes of domain d. A domain is a node, the
nodes of a kind, or the nodes with one value of a label; a node without the kind or label takes no
part of a rule's group (as in Kubernetes).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar

import numpy as np

from ..errors import InstanceError

__all__ = [
    "RULES",
    "Affinity",
    "AntiAffinity",
    "Limit",
    "Rule",
    "Spread",
    "checked_rules",
    "rule_from",
    "rule_to_write",
]


@dataclass(frozen=True, slots=True)
class Limit:
    """n(g, d) <= max for every domain d.

    Parameters
    ----------
    group : str
    domain : str
        "node", "kind" or the key of a label.
    max : int
    """

    name: ClassVar[str] = "limit"
    group: str
    domain: str
    max: int


@dataclass(frozen=True, slots=True)
class Spread:
    """n(g, d) less the least n(g, d') is at most max_skew.

    The least is taken over the domains with a node that some task of the group is eligible for,
    and read as 0 if these are fewer than `min_domains`.

    Parameters
    ----------
    group, domain : str
        As in `Limit`.
    max_skew : int
    min_domains : int
    """

    name: ClassVar[str] = "spread"
    group: str
    domain: str
    max_skew: int
    min_domains: int = 1


@dataclass(frozen=True, slots=True)
class Affinity:
    """All parts of a group in one domain; with another group: only where that group is.

    Parameters
    ----------
    group, domain : str
        As in `Limit`.
    with_ : str, optional
        The other group; ``with`` in files.
    """

    name: ClassVar[str] = "affinity"
    group: str
    domain: str
    with_: str | None = None


@dataclass(frozen=True, slots=True)
class AntiAffinity:
    """No part of a group where a part of another group is.

    Parameters
    ----------
    group, with_, domain : str
        As in `Affinity`.
    """

    name: ClassVar[str] = "anti-affinity"
    group: str
    with_: str
    domain: str


Rule = Limit | Spread | Affinity | AntiAffinity

RULES: dict[str, type[Rule]] = {kind.name: kind for kind in (Limit, Spread, Affinity, AntiAffinity)}
"""The kinds of rules by the names that files have for them."""

_LEAST = {"max": 0, "max_skew": 1, "min_domains": 1}


def _key(name: str) -> str:
    return name.removesuffix("_")


def rule_to_write(rule: Rule) -> dict[str, Any]:
    """A rule as files have it: its name and the fields that are not defaults.

    >>> rule_to_write(Affinity("db", "zone", with_="cache"))
    {'rule': 'affinity', 'group': 'db', 'domain': 'zone', 'with': 'cache'}
    """
    written: dict[str, Any] = {"rule": rule.name}
    for field in fields(rule):
        value = getattr(rule, field.name)
        if value != field.default:
            written[_key(field.name)] = value
    return written


def rule_from(given: Any, where: str) -> Rule:
    """A rule from what a file has for it.

    Parameters
    ----------
    given : mapping
        As `rule_to_write` makes it.
    where : str
        What error messages call it.

    Raises
    ------
    InstanceError
        If the name or a field is unknown, or one is missing.
    """
    if not isinstance(given, Mapping):
        raise InstanceError(f"{where} is {given!r}; it must be an object with the key rule")
    kind = RULES.get(given["rule"]) if isinstance(given.get("rule"), str) else None
    if kind is None:
        raise InstanceError(
            f"{where}: rule is {given.get('rule')!r}; it must be one of: {', '.join(RULES)}"
        )
    known = {_key(field.name): field for field in fields(kind)}
    for key in given:
        if key != "rule" and key not in known:
            raise InstanceError(
                f"{where}: the key {key!r} is unknown in a rule {kind.name!r} "
                f"(known: rule, {', '.join(known)})"
            )
    for key, field in known.items():
        if key not in given and field.default is MISSING:
            raise InstanceError(f"{where}: {key} is missing in a rule {kind.name!r}")
    return kind(**{known[key].name: value for key, value in given.items() if key != "rule"})


def checked_rules(
    given: Any, groups: Iterable[str], labels: Mapping[str, Any], *, kinds: bool
) -> tuple[Rule, ...]:
    """The rules of an instance, from records or from what files have for them.

    Parameters
    ----------
    given : sequence of Rule or mapping
    groups : iterable of str
        The groups that tasks name.
    labels : mapping
        The keys of the labels that nodes have.
    kinds : bool
        Whether some node has a kind.

    Raises
    ------
    InstanceError
        Naming the rule and the field.
    """
    if given is None:
        return ()
    if isinstance(given, Mapping | str) or not isinstance(given, Iterable):
        raise InstanceError(f"rules is {given!r}; it must be a list of rules")
    known = set(groups)
    rules = []
    for position, rule in enumerate(given):
        where = f"rules[{position}]"
        made = rule if isinstance(rule, Rule) else rule_from(rule, where)
        rules.append(_checked(made, where, known, labels, kinds))
    return tuple(rules)


def _checked(
    rule: Rule, where: str, groups: set[str], labels: Mapping[str, Any], kinds: bool
) -> Rule:
    where = f"{where} ({rule.name})"
    values = {field.name: getattr(rule, field.name) for field in fields(rule)}
    for name in ("group", "with_"):
        group = values.get(name)
        if name not in values or (name == "with_" and group is None and isinstance(rule, Affinity)):
            continue
        if not isinstance(group, str) or group not in groups:
            some = ", ".join(sorted(groups)[:8]) or "none"
            raise InstanceError(
                f"{where}: {_key(name)} is {group!r}, a group that no task names (known: {some})"
            )
    if values.get("with_") is not None and values["with_"] == values["group"]:
        remedy = "leave with out" if isinstance(rule, Affinity) else "use a limit with max 1"
        raise InstanceError(f"{where}: with is the group {rule.group!r} itself; {remedy}")
    domain = rule.domain
    has_domain = domain == "node" or (domain == "kind" and kinds)
    if not isinstance(domain, str) or not (has_domain or domain in labels):
        choices = ", ".join(["node", *(["kind"] if kinds else []), *labels])
        raise InstanceError(
            f"{where}: domain is {domain!r}, and no node has such a label (known: {choices})"
        )
    for name, least in _LEAST.items():
        if name in values:
            values[name] = _whole(values[name], f"{where}: {name}", least)
    return type(rule)(**values)


def _whole(value: Any, where: str, least: int) -> int:
    if isinstance(value, np.integer):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InstanceError(f"{where} is {value!r}; it must be an integer, {least} or more")
    return value
