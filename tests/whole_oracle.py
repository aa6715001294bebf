"""Brute force over the whole model: variants, parts, tasks left out, rules, states and moves.

Nothing here calls the solver: cost and feasibility of one placement are the words of the model,
read off the records in Fractions. The brute force works on integers of its own.

A placement has one entry a task, in the order of the instance: None (left out), or the position
of the variant (0 where the task has figures of its own) and the node of each of its parts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from oracle import exact, prices

from solver.model.rules import Affinity, AntiAffinity, Limit, Spread

if TYPE_CHECKING:
    from solver.model.instance import Instance, Node, Task

Placement = Sequence[tuple[int, Sequence[int]] | None]
Homes = Mapping[str, tuple[int, Sequence[int | None]]]
"""Where tasks are now: the variant, and the node of each part or None; without entry: nowhere."""


class Optimum(NamedTuple):
    cost: Fraction
    placement: Placement


class Piece(NamedTuple):
    """What one part needs."""

    compute: Fraction
    storage: Fraction
    resources: dict[str, Fraction]
    eligible: tuple[str, ...] | None


class Form(NamedTuple):
    """One way to run a task: all its pieces, each on another node."""

    price: Fraction
    loss: Fraction
    pieces: tuple[Piece, ...]
    equal: bool


def forms_of(instance: Instance, task: Task) -> list[Form]:
    """The variants of a task; its own figures are one variant of one part."""
    if task.model is None and task.variants is None:
        return [Form(Fraction(0), Fraction(0), (_piece(task, task.eligible),), True)]
    variants = task.variants if task.model is None else instance.models[task.model]
    forms = []
    for variant in variants:
        if isinstance(variant.parts, int):
            pieces = (_piece(variant, variant.eligible),) * variant.parts
        else:
            pieces = tuple(
                _piece(part, variant.eligible if part.eligible is None else part.eligible)
                for part in variant.parts
            )
        equal = isinstance(variant.parts, int)
        forms.append(Form(exact(variant.price), exact(variant.loss), pieces, equal))
    return forms


def _piece(record: Any, eligible: Any) -> Piece:
    needs = {name: exact(amount) for name, amount in record.resources.items()}
    labels = None if eligible is None else tuple(eligible)
    return Piece(exact(record.compute), exact(record.storage), needs, labels)


def suits(node: Node, piece: Piece) -> bool:
    """Whether a piece may use a node by `eligible` alone."""
    names = {node.id, node.kind, *(f"{key}={value}" for key, value in node.labels.items())}
    return piece.eligible is None or not names.isdisjoint(piece.eligible)


def domain_of(node: Node, key: str) -> str | None:
    """The domain of a node: itself, its kind or its value of a label."""
    if key == "node":
        return node.id
    return node.kind if key == "kind" else node.labels.get(key)


def homes_before(homes: Homes, task: Task) -> tuple[int, Sequence[int | None]] | None:
    """Where a task is now; None if none of its parts is on a node that is known."""
    home = homes.get(task.id)
    return None if home is None or all(i is None for i in home[1]) else home


def moves(
    form: Form,
    choice: tuple[int, Sequence[int]] | None,
    home: tuple[int, Sequence[int | None]] | None,
) -> int:
    """Parts of a task that were elsewhere, or of another variant."""
    if choice is None or home is None:
        return 0
    (variant, nodes), (variant_before, before) = choice, home
    if variant != variant_before:
        return len(form.pieces)
    if form.equal:
        return len(form.pieces) - len(set(nodes) & set(before))
    return sum(i != was for i, was in zip(nodes, before, strict=True))


def cost(instance: Instance, homes: Homes, placement: Placement) -> Fraction:
    """Cost of a placement, feasible or not; tasks left out must have a skip price."""
    return sum(cost_parts(instance, homes, placement).values(), Fraction(0))


def cost_parts(instance: Instance, homes: Homes, placement: Placement) -> dict[str, Fraction]:
    """What the cost consists of, by the names that results have for it."""
    parts = Counter(dict.fromkeys(("idle", "use", "overload"), Fraction(0)))
    for task, choice in zip(instance.tasks, placement, strict=True):
        if choice is None:
            parts["left_out"] += exact(task.skip_price)
            continue
        form = forms_of(instance, task)[choice[0]]
        parts["forms"] += form.price + exact(instance.quality_price) * form.loss
        price = instance.move_price if task.move_price is None else task.move_price
        parts["moves"] += exact(price) * moves(form, choice, homes_before(homes, task))
    for node, (carried, on) in zip(instance.nodes, loads(instance, placement), strict=True):
        C, paid, use, overload = prices(node)
        if on or instance.power_off in (False, "owned"):
            parts["idle"] += paid
        parts["use"] += use * min(carried, C)
        parts["overload"] += overload * max(Fraction(0), carried - C)
    if instance.energy is not None:
        parts["energy"] = exact(instance.energy.price_per_kwh) * kwh(instance, placement)
    return dict(parts)


def loads(instance: Instance, placement: Placement) -> list[tuple[Fraction, bool]]:
    """The load of each node, and whether it hosts anything."""
    load = [Fraction(0)] * instance.num_nodes
    hosts = [False] * instance.num_nodes
    for task, choice in zip(instance.tasks, placement, strict=True):
        if choice is not None:
            for piece, i in zip(forms_of(instance, task)[choice[0]].pieces, choice[1], strict=True):
                load[i] += piece.compute
                hosts[i] = True
    return list(zip(load, hosts, strict=True))


def kwh(instance: Instance, placement: Placement) -> Fraction:
    """Electricity of all nodes: linear between idle and full, overload is running longer."""
    hours = exact(instance.energy.pue) * exact(instance.energy.hours) / 1000
    total = Fraction(0)
    for node, (carried, on) in zip(instance.nodes, loads(instance, placement), strict=True):
        C, idle = exact(node.compute), exact(node.idle_watts)
        most = idle if node.max_watts is None else exact(node.max_watts)
        if on or not instance.power_off:
            total += idle
            if C:
                total += (most - idle) * min(carried, C) / C
                total += most * max(Fraction(0), carried - C) / C
    return total * hours


def feasible(instance: Instance, homes: Homes, placement: Placement) -> bool:
    """Whether a placement keeps every rule of the model."""
    nodes, tasks = list(instance.nodes), list(instance.tasks)
    on_node: list[list[Piece]] = [[] for _ in nodes]
    moved, lost = 0, Fraction(0)
    for task, choice in zip(tasks, placement, strict=True):
        if choice is None:
            if task.skip_price is None:
                return False
            continue
        form, home = forms_of(instance, task)[choice[0]], homes_before(homes, task)
        if task.max_loss is not None and form.loss > exact(task.max_loss):
            return False
        if len(set(choice[1])) < len(form.pieces):
            return False
        for k, (piece, i) in enumerate(zip(form.pieces, choice[1], strict=True)):
            if not may_run(nodes, task, form, piece, i, at_home(form, choice, k, home)):
                return False
            on_node[i].append(piece)
        moved += moves(form, choice, home)
        lost += form.loss
    if instance.max_moves is not None and moved > instance.max_moves:
        return False
    if instance.quality_budget is not None and lost > exact(instance.quality_budget):
        return False
    rooms = zip(nodes, on_node, strict=True)
    if not all(has_room(instance, node, pieces) for node, pieces in rooms):
        return False
    return all(keeps(instance, rule, placement) for rule in instance.rules)


def at_home(
    form: Form,
    choice: tuple[int, Sequence[int]],
    k: int,
    home: tuple[int, Sequence[int | None]] | None,
) -> bool:
    """Whether part k stays where it, or an equal part of its task, was."""
    if home is None or home[0] != choice[0]:
        return False
    return choice[1][k] in home[1] if form.equal else choice[1][k] == home[1][k]


def may_run(
    nodes: list[Node], task: Task, form: Form, piece: Piece, i: int, is_at_home: bool
) -> bool:
    """Whether a node takes a part, whatever else is on it."""
    if nodes[i].state == "drained" or (nodes[i].state == "cordoned" and not is_at_home):
        return False
    return suits(nodes[i], piece) and nodes[i].id in pins(nodes, task)


def pins(nodes: list[Node], task: Task) -> set[str]:
    """Ids of the nodes that a task is pinned to; all if it is not."""
    if task.pinned is None:
        return {node.id for node in nodes}
    return {task.pinned} if isinstance(task.pinned, str) else set(task.pinned)


def has_room(instance: Instance, node: Node, pieces: list[Piece]) -> bool:
    """Whether parts keep within the storage, the resources and the load limit of a node."""
    used: Counter[str] = Counter()
    for piece in pieces:
        for name, amount in piece.resources.items():
            used[name] += amount
    if any(amount > exact(node.resources.get(name, 0)) for name, amount in used.items()):
        return False
    stored = sum((piece.storage for piece in pieces), Fraction(0))
    if not math.isinf(node.storage) and stored > exact(node.storage):
        return False
    load = sum((piece.compute for piece in pieces), Fraction(0))
    most = instance.max_load
    return most is None or load <= exact(most) * exact(node.compute)


def keeps(instance: Instance, rule: Any, placement: Placement) -> bool:
    """Whether a placement keeps one rule over groups and domains."""
    mine = counts(instance, rule.group, rule.domain, placement)
    if None in mine:
        return False
    if isinstance(rule, Limit):
        return all(count <= rule.max for count in mine.values())
    if isinstance(rule, Spread):
        counted = counted_domains(instance, rule)
        least = min((mine[d] for d in counted), default=0)
        if len(counted) < rule.min_domains:
            least = 0
        return all(count - least <= rule.max_skew for count in mine.values())
    if isinstance(rule, Affinity) and rule.with_ is None:
        return len(mine) <= 1
    theirs = counts(instance, rule.with_, rule.domain, placement)
    if isinstance(rule, Affinity):
        return all(theirs[d] > 0 for d in mine)
    assert isinstance(rule, AntiAffinity)
    return all(theirs[d] == 0 for d in mine)


def counts(instance: Instance, group: str, key: str, placement: Placement) -> Counter[str | None]:
    """n(g, d) of the domains that have a part; of None where a node has no such label."""
    nodes = list(instance.nodes)
    found: Counter[str | None] = Counter()
    for task, choice in zip(instance.tasks, placement, strict=True):
        if choice is not None and group in task.groups:
            found.update(domain_of(nodes[i], key) for i in choice[1])
    return found


def counted_domains(instance: Instance, rule: Spread) -> set[str]:
    """Domains with a node that some part of some variant of the group may use."""
    pieces = [
        piece
        for task in instance.tasks
        if rule.group in task.groups
        for form in forms_of(instance, task)
        for piece in form.pieces
    ]
    domains = {
        domain_of(node, rule.domain)
        for node in instance.nodes
        if any(suits(node, piece) for piece in pieces)
    }
    return {domain for domain in domains if domain is not None}


def rows_of(instance: Instance) -> Iterator[tuple[int, int, int]]:
    """Task, variant and part of each row: as `Allocation.node_index` has them."""
    for j, task in enumerate(instance.tasks):
        for v, form in enumerate(forms_of(instance, task)):
            for k in range(len(form.pieces)):
                yield j, v, k


def node_index_of(instance: Instance, placement: Placement) -> list[int]:
    """The node of each row, -1 where it is not in use."""
    return [
        -1 if choice is None or choice[0] != v else choice[1][k]
        for (_, v, k), choice in ((row, placement[row[0]]) for row in rows_of(instance))
    ]


def placement_of(instance: Instance, node_index: Sequence[int]) -> Placement:
    """The placement that the nodes of all rows say."""
    placement: list[tuple[int, list[int]] | None] = [None] * instance.num_tasks
    for (j, v, _), i in zip(rows_of(instance), node_index, strict=True):
        if i >= 0:
            if placement[j] is None:
                placement[j] = (v, [])
            assert placement[j][0] == v, "parts of two variants of a task"
            placement[j][1].append(int(i))
    for task, choice in zip(instance.tasks, placement, strict=True):
        if choice is not None:
            pieces = forms_of(instance, task)[choice[0]].pieces
            assert len(choice[1]) == len(pieces), "a part without a node"
    return placement


def as_number(value: Fraction) -> int | float:
    """The integer, or the float nearest to a fraction: as results give it."""
    return int(value) if value.denominator == 1 else float(value)
