"""Orders of moves by brute force: every permutation, and every placement of what moves."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import Counter

import numpy as np

from solver.model.rules import AntiAffinity, Limit, Spread


def some_permutation(capacities, sizes, before, after):
    """Whether tasks can move one by one, straight to where they are to be; storage only."""
    moving = [k for k, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    for order in itertools.permutations(moving):
        used = Counter()
        for size, node in zip(sizes, before, strict=True):
            used[node] += size
        for k in order:
            if sizes[k] and used[after[k]] + sizes[k] > capacities[after[k]]:
                break
            used[after[k]] += sizes[k]
            used[before[k]] -= sizes[k]
        else:
            return True
    return False


def fewest_moves(capacities, sizes, before, after):
    """The fewest moves one by one, by way of any nodes; infinite without an order."""
    moving = [k for k, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    fixed = [0] * len(capacities)
    for k, node in enumerate(before):
        if k not in moving:
            fixed[node] += sizes[k]
    start, goal = tuple(before[k] for k in moving), tuple(after[k] for k in moving)
    seen, layer, moves = {start}, [start], 0
    while layer:
        if goal in layer:
            return moves
        found = []
        for state in layer:
            used = list(fixed)
            for k, node in zip(moving, state, strict=True):
                used[node] += sizes[k]
            for at, k in enumerate(moving):
                for node, most in enumerate(capacities):
                    if node != state[at] and (not sizes[k] or used[node] + sizes[k] <= most):
                        to = (*state[:at], node, *state[at + 1 :])
                        if to not in seen:
                            seen.add(to)
                            found.append(to)
        layer, moves = found, moves + 1
    return math.inf


class Whole:
    """The same of the whole model, by waves: rows of what moves, and all that limits them."""

    def __init__(self, instance, before, after, during, max_moving, moves_per_node):
        self.instance, self.both = instance, during == "both"
        self.max_moving, self.moves_per_node = max_moving, moves_per_node
        self.rows = instance.rows
        self.fixed, self.tasks, self.start, self.goal = [], [], [], []
        for j in range(instance.num_tasks):
            first, behind = self.rows.task_start[j : j + 2].tolist()
            old = {r: int(before[r]) for r in range(first, behind) if before[r] >= 0}
            new = {r: int(after[r]) for r in range(first, behind) if after[r] >= 0}
            self._add(j, old, new)
        self.goals = self._all_equal()

    def _equal(self, row):
        source = int(self.rows.form_source[self.rows.form[row]])
        return source < 0 or isinstance(self.rows.all_variants[source].parts, int)

    def _add(self, j, old, new):
        same_form = not old or not new or self._form(old) == self._form(new)
        if same_form and (old or new) and self._equal(next(iter({**old, **new}))):
            left = Counter(new.values())
            for row, node in sorted(old.items()):
                if left[node] > 0:
                    left[node] -= 1
                    self.fixed.append((row, node))
                    del old[row]
            taken = {row for row, _ in self.fixed}
            spare = sorted(row for row in {*old, *new} if row not in taken)
            targets = sorted(left.elements())
            rows = [*sorted(old), *(r for r in spare if r not in old)]
            new = dict(zip(rows, targets, strict=False)) if targets else {}
        elif same_form:
            for row in [r for r in old if new.get(r) == old[r]]:
                self.fixed.append((row, old.pop(row)))
                del new[row]
        if old or new:
            self.tasks.append(j)
            self.start.append(frozenset(old.items()))
            self.goal.append(frozenset(new.items()))

    def _form(self, places):
        return int(self.rows.form[next(iter(places))])

    def _all_equal(self):
        """A value of each task as what cannot be told apart."""
        return tuple(self._told(value) for value in self.goal)

    def _told(self, value):
        return tuple(
            sorted((int(self.rows.form[r]), 0 if self._equal(r) else r, i) for r, i in value)
        )

    def may_come(self, row, node):
        instance, task = self.instance, int(self.rows.task[row])
        names = instance.group_sets[instance.task_groups[task]]
        return (
            instance.node_state[node] == "open"
            and instance.eligibility.allows(int(self.rows.group[row]), node)
            and all(self.domain(r, node) is not None for r in instance.rules if r.group in names)
        )

    def domain(self, rule, node):
        instance = self.instance
        if rule.domain == "node":
            return node
        column = instance.node_kind if rule.domain == "kind" else instance.node_labels[rule.domain]
        return column[node]

    def values(self, k, value):
        """What a task may be like after a wave."""
        nodes = range(self.instance.num_nodes)
        here, goal = dict(value), dict(self.goal[k])
        found = [value]
        if here and goal and self._form(here) != self._form(goal):
            for place in itertools.product(nodes, repeat=len(goal)):
                found.append(frozenset(zip(sorted(goal), place, strict=True)))
            goal = {}
        choices = []
        rows = sorted(here.keys() | (goal.keys() if not here or goal else set()))
        for row in rows:
            may_stop = row in here and not self.goal[k]
            if row not in here and not (goal and row in goal):
                continue
            options = list(nodes) if row in here or row in goal else []
            none = row not in here or may_stop
            choices.append([(row, i) for i in options] + [None] * none)
        for chosen in itertools.product(*choices):
            found.append(frozenset(each for each in chosen if each is not None))
        return set(found)

    def steps(self, state):
        """States after one wave."""
        options = [self.values(k, value) for k, value in enumerate(state)]
        joint = not self.both or any(
            not isinstance(r, Limit | AntiAffinity) for r in self.instance.rules
        )
        if joint:
            yield from (to for to in itertools.product(*options) if to != state)
            return
        for k, values in enumerate(options):
            for value in values - {state[k]}:
                yield (*state[:k], value, *state[k + 1 :])

    def fewest(self):
        """The fewest parts that come anywhere in all waves; infinite without an order."""
        start = tuple(self.start)
        best, heap, count = {start: 0}, [(0, 0, start)], itertools.count(1)
        while heap:
            cost, _, state = heapq.heappop(heap)
            if tuple(map(self._told, state)) == self.goals:
                return cost
            if best[state] < cost:
                continue
            for to in self.steps(state):
                come = sum(len(b - a) for a, b in zip(state, to, strict=True))
                if cost + come < best.get(to, math.inf) and self.is_safe(state, to):
                    best[to] = cost + come
                    heapq.heappush(heap, (cost + come, next(count), to))
        return math.inf

    def is_safe(self, old, new):
        was = [*self.fixed, *(p for value in old for p in value)]
        now = [*self.fixed, *(p for value in new for p in value)]
        come = set(now) - set(was)
        leave = set(was) - set(now)
        if not all(self.may_come(*p) for p in come):
            return False
        meanwhile = list(dict.fromkeys([*was, *now])) if self.both else now
        return (
            self._hard(was, meanwhile)
            and self._counts(was, now)
            and self._even(was, now)
            and self._caps(come, leave)
        )

    def _hard(self, was, meanwhile):
        exact = self.instance.exact
        for d in range(len(exact.dimensions)):
            a, b = Counter(), Counter()
            for row, node in was:
                a[node] += int(exact.needs[row, d])
            for row, node in meanwhile:
                b[node] += int(exact.needs[row, d])
            for node in b:
                if b[node] > max(a[node], int(exact.capacity[node, d])):
                    return False
        return True

    def _of_task(self, places):
        found = {}
        for row, node in places:
            found.setdefault(int(self.rows.task[row]), {})[row] = node
        return found

    def _during(self, was, now, domain_of, wanted):
        """Parts in each domain while a wave goes on, each once."""
        a, b = self._of_task(was), self._of_task(now)
        before, total = Counter(), Counter()
        for task in a.keys() | b.keys():
            if not wanted(task):
                continue
            old, new = a.get(task, {}), b.get(task, {})
            forms = {int(self.rows.form[r]) for r in old} | {int(self.rows.form[r]) for r in new}
            in_old = Counter(domain_of(i) for i in old.values())
            in_new = Counter(domain_of(i) for i in new.values())
            before += in_old
            if not self.both:
                total += in_new
            elif len(forms) > 1:
                total += in_old | in_new
            else:
                for row in old.keys() | new.keys():
                    total.update({domain_of(p[row]) for p in (old, new) if row in p})
        del before[None], total[None]
        return before, total

    def _counts(self, was, now):
        instance = self.instance
        for task in {int(self.rows.task[row]) for row, _ in now}:
            before, total = self._during(was, now, lambda i: i, lambda j, task=task: j == task)
            if any(total[i] > max(1, before[i]) for i in total):
                return False
        for rule in instance.rules:
            if isinstance(rule, Limit | AntiAffinity):
                before, total = self._group(was, now, rule, rule.group)
            if isinstance(rule, Limit):
                if any(total[d] > max(rule.max, before[d]) for d in total):
                    return False
            elif isinstance(rule, AntiAffinity):
                others_before, others = self._group(was, now, rule, rule.with_)
                for d in total:
                    if (
                        total[d]
                        and others[d]
                        and (total[d] > before[d] or others[d] > others_before[d])
                    ):
                        return False
        return True

    def _group(self, was, now, rule, group):
        instance = self.instance
        return self._during(
            was,
            now,
            lambda i: self.domain(rule, i),
            lambda j: group in instance.group_sets[instance.task_groups[j]],
        )

    def _even(self, was, now):
        return all(
            b <= max(0, a)
            for rule in self.instance.rules
            if not isinstance(rule, Limit | AntiAffinity)
            for a, b in zip(self._uneven(was, rule), self._uneven(now, rule), strict=True)
        )

    def _uneven(self, places, rule):
        both, self.both = self.both, False
        mine = self._group(places, places, rule, rule.group)[1]
        others = self._group(places, places, rule, getattr(rule, "with_", None))[1]
        self.both = both
        nodes = range(self.instance.num_nodes)
        domains = sorted({self.domain(rule, i) for i in nodes} - {None})
        if isinstance(rule, Spread):
            rows = [
                row
                for row in range(self.rows.num_rows)
                if rule.group
                in self.instance.group_sets[self.instance.task_groups[self.rows.task[row]]]
            ]
            counted = {
                self.domain(rule, i)
                for i in nodes
                if any(self.instance.eligibility.allows(int(self.rows.group[r]), i) for r in rows)
            } - {None}
            least = min((mine[d] for d in counted), default=0)
            if len(counted) < max(1, rule.min_domains):
                least = 0
            return [max((mine[d] for d in domains), default=0) - least - rule.max_skew]
        if rule.with_ is None:
            return [sum(mine[d] > 0 for d in domains) - 1]
        return [0 if others[d] else mine[d] for d in domains]

    def _caps(self, come, leave):
        instance = self.instance
        for group, most in self.max_moving.items():
            tasks = [int(self.rows.task[row]) for row, _ in leave]
            if sum(group in instance.group_sets[instance.task_groups[j]] for j in tasks) > most:
                return False
        if self.moves_per_node is None:
            return True
        touched = Counter()
        for task in {int(self.rows.task[row]) for row, _ in come | leave}:
            a = Counter(i for r, i in leave if self.rows.task[r] == task)
            b = Counter(i for r, i in come if self.rows.task[r] == task)
            forms = {int(self.rows.form[r]) for r, _ in come | leave if self.rows.task[r] == task}
            touched += (a | b) if len(forms) > 1 else a + b
        return all(count <= self.moves_per_node for count in touched.values())


def positions(instance, places):
    """(W,) positions of nodes from a mapping of rows."""
    made = np.full(instance.rows.num_rows, -1, dtype=np.int64)
    for row, node in places.items():
        made[row] = node
    return made
