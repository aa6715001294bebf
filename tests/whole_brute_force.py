"""The optimum of the whole model by depth-first search, in integers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from oracle import exact, node_prices
from whole_oracle import (
    Form,
    Homes,
    Optimum,
    at_home,
    counted_domains,
    domain_of,
    forms_of,
    homes_before,
    may_run,
    moves,
)

from solver.model.rules import Affinity, AntiAffinity, Limit, Spread

if TYPE_CHECKING:
    from solver.model.instance import Instance, Task


class _Option(NamedTuple):
    """A way to run one task, or to leave it out."""

    choice: tuple[int, tuple[int, ...]] | None
    own: Fraction
    loss: Fraction
    moved: int
    pieces: list[tuple[int, int, list[int]]]  # node, demand, needs
    counted: list[int]  # numbers of the (group, domain) pairs that count its parts


def brute_force(instance: Instance, homes: Homes | None = None) -> Optimum | None:
    """A cheapest placement among all, or None if none is feasible.

    Depth first over the tasks, each with all its variants on all nodes, or left out; cheapest
    first. A branch ends where a limit is passed that no further part can mend, or where the cost
    so far and the least that the other tasks cost alone reach the best cost found. Identical
    tasks take options in ascending order.
    """
    return _Search(instance, homes or {}).run()


class _Search:
    def __init__(self, instance: Instance, homes: Homes) -> None:
        self.instance, self.homes = instance, homes
        self.nodes = list(instance.nodes)
        tasks = list(instance.tasks)
        self.key = {task.id: repr((replace(task, id=""), homes.get(task.id))) for task in tasks}
        self.order = sorted(range(len(tasks)), key=lambda j: self._rank(tasks[j]))
        self.tasks = [tasks[j] for j in self.order]
        self.pair_number: dict[tuple[str, str, str], int] = {}
        self._rules()
        self._scales(tasks)
        self.options = [list(self._options(task)) for task in self.tasks]

    def _rank(self, task: Task) -> tuple[Any, ...]:
        size = max(sum(p.compute for p in form.pieces) for form in forms_of(self.instance, task))
        return -size, self.key[task.id]

    def _rules(self) -> None:
        """The rules over numbered pairs of a group and a domain."""
        self.limits: list[tuple[list[int], int]] = []
        self.single: list[list[int]] = []
        self.apart: list[tuple[int, int]] = []
        self.needs: list[tuple[int, int]] = []
        self.spreads: list[tuple[list[int], list[int], int]] = []
        for rule in self.instance.rules:
            domains = sorted({d for node in self.nodes if (d := domain_of(node, rule.domain))})
            mine = [self._pair(rule.group, rule.domain, d) for d in domains]
            if isinstance(rule, Limit):
                self.limits.append((mine, rule.max))
            elif isinstance(rule, Spread):
                counted = sorted(counted_domains(self.instance, rule))
                inside = [self._pair(rule.group, rule.domain, d) for d in counted]
                if len(counted) < rule.min_domains:
                    inside = []
                self.spreads.append((mine, inside, rule.max_skew))
            elif rule.with_ is None:
                self.single.append(mine)
            else:
                theirs = [self._pair(rule.with_, rule.domain, d) for d in domains]
                assert isinstance(rule, Affinity | AntiAffinity)
                kept = self.needs if isinstance(rule, Affinity) else self.apart
                kept += zip(mine, theirs, strict=True)

    def _pair(self, group: str, key: str, domain: str) -> int:
        return self.pair_number.setdefault((group, key, domain), len(self.pair_number))

    def _scales(self, tasks: list[Task]) -> None:
        """Units in which all numbers are integers, and the capacities in them."""
        instance = self.instance
        forms = [form for task in tasks for form in forms_of(instance, task)]
        pieces = [piece for form in forms for piece in form.pieces]
        capacity = [exact(node.compute) for node in self.nodes]
        self.unit = _denominator([*capacity, *(piece.compute for piece in pieces)])
        prices = [node_prices(instance, node) for node in self.nodes]
        quality, move = exact(instance.quality_price), exact(instance.move_price)
        own = [form.price + quality * form.loss for form in forms] + [move]
        for task in tasks:
            own += [exact(each) for each in (task.skip_price, task.move_price) if each is not None]
        self.money = _denominator([*own, *(each for price in prices for each in price)])
        self.C = [int(C * self.unit) for C in capacity]
        cost = self.unit * self.money
        self.on, self.off = ([int(price[k] * cost) for price in prices] for k in (0, 1))
        self.use, self.over = ([int(price[k] * self.money) for price in prices] for k in (2, 3))

        names = sorted({name for node in self.nodes for name in node.resources})
        self.columns: list[tuple[str | None, int]] = []
        room: list[list[int]] = [[] for _ in self.nodes]
        for name in (None, *names):
            needs = [p.storage if name is None else p.resources.get(name, 0) for p in pieces]
            scale = _denominator(Fraction(need) for need in needs)
            self.columns.append((name, scale))
            for i, node in enumerate(self.nodes):
                most = node.storage if name is None else node.resources.get(name, 0)
                free = 10**30 if math.isinf(most) else math.floor(exact(most) * scale)
                room[i].append(free)
        for i, C in enumerate(capacity):
            alpha = instance.max_load
            room[i].append(10**30 if alpha is None else math.floor(exact(alpha) * C * self.unit))
        self.room = room

    def _options(self, task: Task) -> Iterator[_Option]:
        """Every way to run a task that its own fields allow, equal parts in ascending order."""
        home, groups = homes_before(self.homes, task), set(task.groups)
        instance = self.instance
        price = instance.move_price if task.move_price is None else task.move_price
        if task.skip_price is not None:
            yield _Option(None, exact(task.skip_price), Fraction(0), 0, [], [])
        for v, form in enumerate(forms_of(instance, task)):
            if task.max_loss is not None and form.loss > exact(task.max_loss):
                continue
            chosen = itertools.combinations if form.equal else itertools.permutations
            for places in chosen(range(len(self.nodes)), len(form.pieces)):
                if not all(
                    may_run(self.nodes, task, form, piece, i, at_home(form, (v, places), k, home))
                    and self._in_domains(groups, i)
                    for k, (piece, i) in enumerate(zip(form.pieces, places, strict=True))
                ):
                    continue
                moved = moves(form, (v, places), home)
                own = form.price + exact(instance.quality_price) * form.loss
                own += moved * exact(price)
                yield _Option(
                    (v, places), own, form.loss, moved, self._loads(form, places),
                    self._counted(groups, places),
                )  # fmt: skip

    def _in_domains(self, groups: set[str], i: int) -> bool:
        return all(
            domain_of(self.nodes[i], rule.domain) is not None
            for rule in self.instance.rules
            if rule.group in groups
        )

    def _loads(self, form: Form, places: Iterable[int]) -> list[tuple[int, int, list[int]]]:
        loads = []
        for piece, i in zip(form.pieces, places, strict=True):
            demand = int(piece.compute * self.unit)
            needs = [
                int((piece.storage if name is None else piece.resources.get(name, 0)) * scale)
                for name, scale in self.columns
            ]
            loads.append((i, demand, [*needs, demand]))
        return loads

    def _counted(self, groups: set[str], places: Iterable[int]) -> list[int]:
        return [
            number
            for i in places
            for (group, key, domain), number in self.pair_number.items()
            if group in groups and domain_of(self.nodes[i], key) == domain
        ]

    def run(self) -> Optimum | None:
        instance, m = self.instance, len(self.tasks)
        money = self.unit * self.money
        own = [[int(option.own * money) for option in options] for options in self.options]
        least = [0] * (m + 1)
        for k in reversed(range(m)):
            if not own[k]:
                return None
            alone = [
                price + sum(self.use[i] * demand for i, demand, _ in option.pieces)
                for price, option in zip(own[k], self.options[k], strict=True)
            ]
            least[k] = least[k + 1] + min(alone)
        twin = [
            k > 0 and self.key[self.tasks[k].id] == self.key[self.tasks[k - 1].id] for k in range(m)
        ]
        load, hosted, free = [0] * len(self.C), [0] * len(self.C), [list(r) for r in self.room]
        count = [0] * len(self.pair_number)
        most_moves = math.inf if instance.max_moves is None else instance.max_moves
        budget = instance.quality_budget
        most_loss = math.inf if budget is None else exact(budget)
        chosen = [0] * m
        best_cost: int | None = None
        best: list[int] = []

        def add(option: _Option, sign: int) -> None:
            for i, demand, needs in option.pieces:
                load[i] += sign * demand
                hosted[i] += sign
                room = free[i]
                for r, need in enumerate(needs):
                    room[r] -= sign * need
            for number in option.counted:
                count[number] += sign

        def extra(option: _Option) -> int:
            total = 0
            for i, demand, _ in option.pieces:  # the parts are on different nodes
                above = max(0, load[i] + demand - self.C[i]) - max(0, load[i] - self.C[i])
                total += self.over[i] * above + self.use[i] * (demand - above)
                if not hosted[i]:
                    total += self.on[i] - self.off[i]
            return total

        def place(k: int, so_far: int, moved: int, lost: Fraction) -> None:
            nonlocal best_cost, best
            if k == m:
                if self._mended(count):
                    best_cost, best = so_far, chosen.copy()
                return
            first = chosen[k - 1] if twin[k] else 0
            tries = [
                (own[k][a] + extra(option), a)
                for a, option in enumerate(self.options[k])
                if a >= first
                and moved + option.moved <= most_moves
                and lost + option.loss <= most_loss
                and all(
                    have >= need
                    for i, _, needs in option.pieces
                    for have, need in zip(free[i], needs, strict=True)
                    if need
                )
            ]
            tries.sort()
            for more, a in tries:
                if best_cost is not None and so_far + more + least[k + 1] >= best_cost:
                    return
                option = self.options[k][a]
                add(option, 1)
                chosen[k] = a
                if not option.counted or self._allowed(count):
                    place(k + 1, so_far + more, moved + option.moved, lost + option.loss)
                add(option, -1)

        place(0, sum(self.off), 0, Fraction(0))
        if best_cost is None:
            return None
        placement: list[Any] = [None] * m
        for k, j in enumerate(self.order):
            placement[j] = self.options[k][best[k]].choice
        return Optimum(Fraction(best_cost, money), placement)

    def _allowed(self, count: list[int]) -> bool:
        """Whether no rule is broken that further parts cannot mend."""
        return (
            all(count[a] <= most for mine, most in self.limits for a in mine)
            and all(sum(count[a] > 0 for a in mine) <= 1 for mine in self.single)
            and not any(count[a] and count[b] for a, b in self.apart)
        )

    def _mended(self, count: list[int]) -> bool:
        """Whether the rules hold that further parts could have mended."""
        for mine, inside, skew in self.spreads:
            least = min((count[a] for a in inside), default=0)
            if any(count[a] - least > skew for a in mine):
                return False
        return all(count[b] for a, b in self.needs if count[a])


def _denominator(values: Iterable[Fraction]) -> int:
    return math.lcm(*(value.denominator for value in values))
