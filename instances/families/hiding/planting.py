"""Hidden allocations of tasks with variants: by counts of parts on nodes, not task by task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solver.model.exact import Array
from solver.model.records import Variant

__all__ = ["Choice", "Planting", "Site", "choose", "parts_of", "plant"]


@dataclass(frozen=True)
class Site:
    """The nodes: capacities of compute and storage (2, n), kinds and numbers of zones (n,)."""

    capacity: Array
    kind: Array
    zone: Array


@dataclass(frozen=True)
class Choice:
    """How many tasks of each model run as which of its variants, one for each kind of node.

    Attributes
    ----------
    menus : list of list of Variant
    tasks : list of list of (variant, kind, number of tasks)
    load : float
        Compute of it all / compute capacity.
    """

    menus: Sequence[Sequence[Variant]]
    tasks: list[list[tuple[int, str, int]]]
    load: float


@dataclass(frozen=True)
class Planting:
    """The nodes of the parts of each model: (variant, parts of a task, sorted nodes)."""

    menus: Sequence[Sequence[Variant]]
    placed: list[list[tuple[int, int, Array]]]

    def rows(self, model: Array) -> Array:
        """(rows,) node positions for tasks of the given models, -1 for what is not chosen.

        The sorted nodes of a form's parts are dealt round-robin to its tasks: no node holds more
        parts than there are tasks, so that the parts of a task lie on different nodes.
        """
        width = np.array([sum(parts_of(one) for one in menu) for menu in self.menus])
        start = np.concatenate(([0], np.cumsum(width[model])))
        found = np.full(int(start[-1]), -1, dtype=np.int64)
        for k, menu in enumerate(self.menus):
            first = np.concatenate(([0], np.cumsum([parts_of(one) for one in menu])))
            tasks, begun = np.flatnonzero(model == k), 0
            for variant, parts, nodes in self.placed[k]:
                number = nodes.size // parts
                among = start[tasks[begun : begun + number]] + first[variant]
                begun += number
                for part in range(parts):
                    found[among + part] = nodes[part * number : (part + 1) * number]
        return found


def parts_of(variant: Variant) -> int:
    """The number of parts, where they are equal."""
    assert isinstance(variant.parts, int)
    return variant.parts


def choose(
    menus: Sequence[Sequence[Variant]], count: Array, site: Site, *, fill: float, strict: float
) -> Choice:
    """Choose a variant of each model for each kind of node, and how many tasks run as it.

    The tasks of a model fill all kinds alike. The variant of most storage is chosen for each, and
    smaller ones, of the models that take the most, until the storage of a kind is filled to the
    given share.

    Parameters
    ----------
    menus : variants of each model
    count : (models,) integers
        Tasks of each model.
    site : Site
    fill : float
        The most of the storage to use.
    strict : float
        The loss that a variant of every third model may have.
    """
    kinds = np.unique(site.kind).tolist()
    have = np.array([site.capacity[:, site.kind == kind].sum(axis=1) for kind in kinds])
    most_parts = [int((site.kind == kind).sum()) // 2 for kind in kinds]
    level = np.zeros((len(menus), len(kinds)), dtype=np.int64)
    tasks: list[list[tuple[int, str, int]]] = [[] for _ in menus]
    need = np.zeros((len(menus), len(kinds), 2))

    def settle(k: int) -> None:
        most = strict if k % 3 == 0 else math.inf
        options = [
            (kind, _fitting(menus[k], kind, most, parts), int(lower))
            for kind, parts, lower in zip(kinds, most_parts, level[k], strict=True)
        ]
        tasks[k] = _shares(menus[k], int(count[k]), options, have)
        need[k] = 0
        for v, kind, number in tasks[k]:
            parts = number * parts_of(menus[k][v])
            figures = menus[k][v].compute or 0, menus[k][v].storage
            need[k, kinds.index(kind)] = np.multiply(figures, parts)

    for k in range(len(menus)):
        settle(k)
    while True:
        over = need[:, :, 1].sum(axis=0) - fill * have[:, 1]
        size = np.where((level < len(menus[0])) & (over > 0), need[:, :, 1], 0)
        k, kind = divmod(int(size.argmax()), len(kinds))
        if not size[k, kind]:
            break
        level[k, kind] += 1
        settle(k)
    return Choice(menus, tasks, float(need[:, :, 0].sum() / have[:, 0].sum()))


def _fitting(menu: Sequence[Variant], kind: str, loss: float, parts: int) -> list[int]:
    """The variants for a kind of node, those that take the most storage first."""
    found = [
        v
        for v, one in enumerate(menu)
        if one.eligible == [kind] and one.loss <= loss and parts_of(one) <= max(1, parts)
    ]
    return sorted(found, key=lambda v: (-menu[v].storage * parts_of(menu[v]), menu[v].loss))


def _shares(
    menu: Sequence[Variant], count: int, options: list[tuple[str, list[int], int]], have: Array
) -> list[tuple[int, str, int]]:
    """A variant for each kind of node, and the tasks: as the kinds could take of them alone."""
    found = []
    for (kind, fitting, level), (compute, storage) in zip(options, have.tolist(), strict=True):
        if fitting:  # a model that fits no kind gets no tasks, and `plant` refuses that
            chosen = fitting[min(level, len(fitting) - 1)]
            one = menu[chosen]
            alone = min(compute / (one.compute or 1), storage / (one.storage or 1))
            found.append((chosen, kind, alone / parts_of(one)))
    total, taken, left = sum(share for *_, share in found), [], count
    for chosen, kind, share in found:
        number = left if kind == found[-1][1] else round(count * share / total)
        taken.append((chosen, kind, number))
        left -= number
    return taken


def plant(choice: Choice, limit: Sequence[int], site: Site) -> Planting | None:
    """Place the parts, every model in equal numbers over the zones; None where they do not fit.

    Parameters
    ----------
    choice : Choice
    limit : sequence of int
        The most parts of each model on a node.
    site : Site
    """
    if not all(choice.tasks):
        return None
    left = site.capacity.copy()
    zones = int(site.zone.max()) + 1
    placed: list[list[tuple[int, int, Array]]] = [[] for _ in choice.menus]
    size = [max(one.storage for one in menu) for menu in choice.menus]
    begin = 0
    for k in sorted(range(len(size)), key=lambda k: -size[k]):
        here = np.zeros(site.kind.size, dtype=np.int64)
        for variant, kind, number in choice.tasks[k]:
            form = choice.menus[k][variant]
            parts = number * parts_of(form)
            need = np.array([form.compute or 0, form.storage], dtype=np.int64)
            most = min(limit[k], number)
            dealt = np.bincount((begin + np.arange(parts)) % zones, minlength=zones)
            begin += parts
            nodes = []
            for zone, wanted in enumerate(dealt.tolist()):
                among = np.flatnonzero((site.kind == kind) & (site.zone == zone))
                got = _deal(left, here, need, most, among, wanted, site)
                if got is None:
                    return None
                nodes.append(got)
            if parts:
                placed[k].append((variant, parts_of(form), np.sort(np.concatenate(nodes))))
    return Planting(choice.menus, placed)


def _deal(
    left: Array, here: Array, need: Array, most: int, among: Array, wanted: int, site: Site
) -> Array | None:
    """Give so many equal parts to the nodes with the most room, in rounds of one a node."""
    before = here[among].copy()
    nodes = []
    while wanted:
        after = left[:, among] - need[:, np.newaxis]
        fits = (after >= 0).all(axis=0) & (here[among] - before < most)
        room = np.where(fits, (after / site.capacity[:, among]).min(axis=0), -1.0)
        best = np.argsort(-room, kind="stable")[: min(wanted, int(fits.sum()))]
        if not best.size:
            return None
        chosen = among[best]
        left[:, chosen] -= need[:, np.newaxis]
        here[chosen] += 1
        nodes.append(chosen)
        wanted -= chosen.size
    return np.concatenate(nodes) if nodes else np.zeros(0, dtype=np.int64)
