"""What a broken rule is, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..model.instance import Number

__all__ = ["Violation"]

_FEW = 6
_WORDS = {2: "two", 3: "three", 4: "four"}


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule.

    Attributes
    ----------
    rule : str
        "unassigned", "unknown task", "unknown node", "eligible", "storage", "max_load", the name
        of a further resource as "resource NAME", "parts", "variant", "max_loss", "pinned",
        "state", "limit", "spread", "affinity", "anti-affinity", "label", "quality_budget" or
        "max_moves". Of plans also "unordered", "unknown part", "max_moving", "moves_per_node", and
        "plan source", "plan start", "plan stop", "plan twice", "plan nothing", "plan storage",
        "plan bypass" and "plan end".
    task, node : str or None
        Ids of the records concerned.
    amount : int or float
        By how much the rule is broken, in the user's unit; 1 for rules without a quantity.
    group, other : str or None
        The group of tasks that a rule is about, and the one it names in `with`.
    domain : str or None
        "node", "kind" or the key of a label, as the rule has it.
    counts : tuple of (str, int)
        n(g, d) in the domains d where a rule over domains breaks, the most first; of a spread
        also the domain with the fewest.
    variant : str or None
        Name of the variant concerned.
    part : int or None
        Number of the part concerned, from 1 on.
    total : int or float or None
        What is limited, as it stands: the loss, the moves; of a spread the count that the others
        are compared with; of mixed variants how many there are.
    state : str or None
        Of the node concerned: "cordoned" or "drained".
    wave : int or None
        Of a plan, from 1 on.
    """

    rule: str
    task: str | None
    node: str | None
    amount: Number
    group: str | None = None
    domain: str | None = None
    counts: tuple[tuple[str, int], ...] = ()
    other: str | None = None
    variant: str | None = None
    part: int | None = None
    total: Number | None = None
    state: str | None = None
    wave: int | None = None

    def __str__(self) -> str:
        sentence = _SENTENCES.get(self.rule)
        when = "" if self.wave is None else f"wave {self.wave}: "
        if sentence is None:
            what = self.rule.removeprefix("resource ")
            return f"{when}node {self.node!r} lacks {self.amount:,} of {what}"
        return when + sentence(self)


def _parts(broken: Violation) -> str:
    if broken.part is not None:
        return f"part {broken.part} of task {broken.task!r} has no node"
    if broken.node is not None:
        many = int(broken.amount) + 1
        return f"{_WORDS.get(many, many)} parts of task {broken.task!r} are on node {broken.node!r}"
    return f"task {broken.task!r} has {broken.amount:,} more nodes than parts"


def _variant(broken: Violation) -> str:
    if broken.variant is not None:
        return f"task {broken.task!r} has no variant {broken.variant!r}"
    if broken.total is not None:
        many = int(broken.total)
        return f"task {broken.task!r} has parts of {_WORDS.get(many, many)} variants"
    return f"task {broken.task!r} has a node, but no variant is named for it"


def _state(broken: Violation) -> str:
    why = "drained" if broken.state == "drained" else "cordoned and does not have it now"
    return f"task {broken.task!r} is on node {broken.node!r}, which is {why}"


def _limit(broken: Violation) -> str:
    ((name, count),) = broken.counts
    return (
        f"group {broken.group!r} has {_count(count)} {_in(broken, name)}, "
        f"{broken.amount:,} above the limit"
    )


def _spread(broken: Violation) -> str:
    least = int(broken.total or 0)
    few = all(count > least for _, count in broken.counts)
    why = f" (the fewest count as {least}: it may use too few domains)" if few else ""
    return (
        f"group {broken.group!r} is uneven over {_domains(broken)}: {_listed(broken)}{why}, "
        f"{broken.amount:,} above max_skew"
    )


def _affinity(broken: Violation) -> str:
    if broken.other is None:
        return f"group {broken.group!r} must be in one {broken.domain}: {_listed(broken)}"
    ((name, count),) = broken.counts
    return (
        f"group {broken.group!r} has {_count(count)} {_in(broken, name)}, "
        f"where group {broken.other!r} has none"
    )


def _anti_affinity(broken: Violation) -> str:
    ((name, count),) = broken.counts
    return (
        f"group {broken.group!r} has {_count(count)} {_in(broken, name)}, "
        f"where group {broken.other!r} has {broken.amount:,}"
    )


def _in(broken: Violation, name: str) -> str:
    if broken.domain == "node":
        return f"on node {name!r}"
    return f"on kind {name!r}" if broken.domain == "kind" else f"in {broken.domain} {name!r}"


def _domains(broken: Violation) -> str:
    return f"{broken.domain}s" if broken.domain in ("node", "kind") else f"{broken.domain}"


def _count(parts: int) -> str:
    return "1 part" if parts == 1 else f"{parts:,} parts"


def _listed(broken: Violation) -> str:
    """n(g, d) of the first domains and of the last one, which has the fewest."""
    texts = [f"{count:,} {_in(broken, name)}" for name, count in broken.counts]
    if len(texts) > _FEW:
        texts = [*texts[: _FEW - 1], "...", texts[-1]]
    return ", ".join(texts)


def _part(broken: Violation) -> str:
    return f"part {broken.part} of task {broken.task!r}"


_SENTENCES: dict[str, Callable[[Violation], str]] = {
    "unassigned": lambda broken: f"task {broken.task!r} has no node",
    "unknown task": lambda broken: f"task {broken.task!r} is not in the instance",
    "unknown node": lambda broken: (
        f"task {broken.task!r} is on node {broken.node!r}, which is not in the instance"
    ),
    "eligible": lambda broken: f"task {broken.task!r} may not run on node {broken.node!r}",
    "pinned": lambda broken: (
        f"task {broken.task!r} is on node {broken.node!r}, and it is pinned to others"
    ),
    "max_load": lambda broken: (
        f"node {broken.node!r} is loaded {broken.amount:,} above max_load times its capacity"
    ),
    "parts": _parts,
    "variant": _variant,
    "max_loss": lambda broken: (
        f"task {broken.task!r} runs as {broken.variant!r}, "
        f"which loses {broken.amount:,} more than its max_loss"
    ),
    "state": _state,
    "limit": _limit,
    "spread": _spread,
    "affinity": _affinity,
    "anti-affinity": _anti_affinity,
    "label": lambda broken: (
        f"task {broken.task!r} is on node {broken.node!r}, which has no {broken.domain}; "
        f"a rule of group {broken.group!r} needs one"
    ),
    "quality_budget": lambda broken: (
        f"the variants lose {broken.total:,} in all, {broken.amount:,} above quality_budget"
    ),
    "unordered": lambda broken: "the plan has no order of its moves",
    "unknown part": lambda broken: f"task {broken.task!r} has no part {broken.part}",
    "plan source": lambda broken: f"{_part(broken)} is not on node {broken.node!r}, to be moved",
    "plan start": lambda broken: f"{_part(broken)} starts, and runs already",
    "plan stop": lambda broken: f"{_part(broken)} stops, and the allocation has it",
    "plan twice": lambda broken: f"{_part(broken)} moves twice in one wave",
    "plan nothing": lambda broken: f"{_part(broken)} moves to where it is",
    "plan storage": lambda broken: f"{_part(broken)} does not have {broken.amount:,} of storage",
    "plan bypass": lambda broken: (
        f"{_part(broken)} comes to node {broken.node!r}: a bypass is where it has to go on"
    ),
    "plan end": lambda broken: f"task {broken.task!r} does not end where the allocation has it",
    "max_moving": lambda broken: (
        f"group {broken.group!r} has {_count(int(broken.total or 0))} moving, "
        f"{broken.amount:,} more than max_moving"
    ),
    "moves_per_node": lambda broken: (
        f"node {broken.node!r} has {broken.total:,} moves, {broken.amount:,} more than "
        "moves_per_node"
    ),
    "max_moves": lambda broken: (
        f"{broken.total:,} parts move, {broken.amount:,} more than max_moves"
    ),
}
