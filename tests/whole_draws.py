"""What small random instances of the whole model are drawn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import whole_oracle
from oracle import exact
from random_instances import KINDS, Number, cover
from whole_oracle import Homes, Placement

from solver.model.instance import Instance
from solver.model.records import Node, Part, Task, Variant
from solver.model.rules import Affinity, AntiAffinity, Limit, Rule, Spread

FEATURES = (
    *("storage", "resources", "kinds", "labels", "eligible", "max_load", "states", "pinned"),
    *("price", "overload_price", "fixed_cost", "use_price", "energy", "power_off"),
    *("variants", "models", "parts", "part_records", "replicas", "rules", "max_loss", "skip"),
    *("quality_budget", "quality_price", "current", "move_price", "max_moves"),
)
NUMBERS = ("integers", "decimals", "long")
ZONES = ("a", "b", "c")


class Draw:
    """Draws the parts of one instance; which features it has is drawn at the start."""

    def __init__(
        self, rng: np.random.Generator, numbers: str, features: Sequence[str], larger: bool
    ) -> None:
        self.rng, self.numbers, self.larger = rng, numbers, larger
        rate = float(rng.choice([0.2, 0.4, 0.7]))
        self.has = {name: name in features and self.chance(rate) for name in FEATURES}
        for name in ("rules", "parts"):
            self.has[name] = name in features and self.chance(0.6)
        self.highest = int(rng.choice([3, 9]))
        self.spoil = str(rng.choice(["room", "max_load", "moves", "loss", "rules"] + ["no"] * 40))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def whole(self, least: int, most: int) -> int:
        """An integer, both ends included."""
        return int(self.rng.integers(least, most + 1))

    def number(self, most: int, least: int = 0) -> Number:
        """A number near an integer of a range, as `numbers` says."""
        k = self.whole(least, most)
        if self.numbers == "integers":
            return k
        forms: tuple[Number, ...] = (k, k / 10, k + 0.75 if k else 0, k / 4, k / 8, k * 11 / 10)
        if self.numbers == "long":
            forms = (k, k * 0.1, k / 3, k + 0.75 if k else 0, k * 1.1, k / 7)
        return self.one_of(forms)

    def one_of(self, choices: Sequence[Any]) -> Any:
        return choices[self.whole(0, len(choices) - 1)]

    def bare_nodes(self) -> list[Node]:
        """Nodes with their kinds, labels and states only."""
        nodes = []
        for i in range(self.whole(3, 9) if self.larger else self.whole(2, 4)):
            labels: dict[str, str] = {}
            if self.has["labels"]:
                if self.chance(0.85):
                    labels["zone"] = self.one_of(ZONES[: self.whole(1, 3)])
                if self.chance(0.4):
                    labels["rack"] = self.one_of(("r1", "r2"))
            state = "open"
            if self.has["states"] and self.chance(0.4):
                state = self.one_of(("cordoned", "cordoned", "drained"))
            kind = self.one_of(KINDS) if self.has["kinds"] and self.chance(0.85) else None
            room = {"gpu": 0} if self.has["resources"] else {}
            nodes.append(
                Node(f"n{i}", compute=1, kind=kind, labels=labels, state=state, resources=room)
            )
        return nodes

    def tasks(self, nodes: list[Node]) -> tuple[list[Task], dict[str, list[Variant]]]:
        """Few kinds of tasks, most of them repeated, and the models that they name."""
        models: dict[str, list[Variant]] = {}
        if self.has["models"]:
            models = {name: self._variants(nodes) for name in ("llama", "qwen")[: self.whole(1, 2)]}
        tasks: list[Task] = []
        left = self.whole(8, 24) if self.larger else self.one_of((3, 4, 5, 6, 6, 6))
        while left > 0:
            fields = self._task(nodes, models)
            variants = models[fields["model"]] if "model" in fields else fields.get("variants", ())
            size = max((_parts(variant) for variant in variants), default=1)
            number = self.whole(1, max(1, min(12 if self.larger else 4, left // size)))
            left -= number * size
            if self.has["replicas"] and self.chance(0.5):
                tasks.append(Task(f"t{len(tasks)}", replicas=number, **fields))
                continue
            start = len(tasks)
            for j in range(start, start + number):
                if self.has["pinned"] and self.chance(0.2):
                    fields = fields | {"pinned": self._pinned(nodes)}
                tasks.append(Task(f"t{j}", **fields))
        return tasks, models

    def _task(self, nodes: list[Node], models: dict[str, list[Variant]]) -> dict[str, Any]:
        """The fields of a kind of task, but its id."""
        fields: dict[str, Any] = {}
        if models and self.chance(0.7):
            fields["model"] = self.one_of(list(models))
        elif (self.has["variants"] or self.has["parts"]) and self.chance(0.75):
            fields["variants"] = self._variants(nodes)
        else:
            fields = self._figures(nodes)
        if self.has["rules"] and self.chance(0.9):
            fields["groups"] = self.one_of((("g",), ("g",), ("h",), ("h",), ("g", "h")))
        if self.has["max_loss"] and self.chance(0.4):
            fields["max_loss"] = self.number(4, 1)
        if self.has["skip"] and self.chance(0.6):
            fields["skip_price"] = self.number(30)
        if self.has["move_price"] and self.chance(0.3):
            fields["move_price"] = self.number(5)
        if self.has["pinned"] and self.chance(0.3):
            fields["pinned"] = self._pinned(nodes)
        return fields

    def _pinned(self, nodes: list[Node]) -> Any:
        ids = [node.id for node in nodes]
        if self.chance(0.4):
            return self.one_of(ids)
        return sorted({self.one_of(ids) for _ in range(3)})

    def _figures(self, nodes: list[Node]) -> dict[str, Any]:
        """What one part needs, and where it may run."""
        fields: dict[str, Any] = {"compute": self.number(self.highest, self.whole(0, 1))}
        if self.has["storage"]:
            fields["storage"] = self.number(4)
        if self.has["resources"] and self.chance(0.7):
            fields["resources"] = {"gpu": self.number(3)}
        if self.has["eligible"] and self.chance(0.4):
            fields["eligible"] = self._eligible(nodes)
        return fields

    def _eligible(self, nodes: list[Node]) -> tuple[str, ...]:
        names = {node.id for node in nodes} | {node.kind for node in nodes if node.kind}
        names |= {f"{key}={value}" for node in nodes for key, value in node.labels.items()}
        return tuple(self.one_of(sorted(names)) for _ in range(self.whole(1, 3)))

    def _variants(self, nodes: list[Node]) -> list[Variant]:
        names = ("bf16", "fp8", "int4")[: self.whole(1, 3)]
        return [self._variant(name, nodes) for name in names]

    def _variant(self, name: str, nodes: list[Node]) -> Variant:
        money = {"price": self.number(9) if self.chance(0.5) else 0, "loss": 0}
        if self.has["quality_budget"] or self.has["quality_price"] or self.has["max_loss"]:
            money["loss"] = self.number(4)
        if not (self.has["parts"] and self.chance(0.85)):
            return Variant(name, **money, **self._figures(nodes))
        count = min(self.one_of((1, 2, 2, 2, 2, 3)), len(nodes) + int(self.chance(0.1)))
        if self.has["part_records"] and self.chance(0.5):
            figures = self._figures(nodes)
            parts = [Part(**(figures if self.chance(0.3) else self._figures(nodes)))]
            parts += [Part(**(self._figures(nodes) if self.chance(0.5) else figures))] * (count - 1)
            eligible = self._eligible(nodes) if self.has["eligible"] and self.chance(0.3) else None
            return Variant(name, parts=parts, eligible=eligible, **money)
        return Variant(name, parts=count, **money, **self._figures(nodes))

    def homes(self, draft: Instance) -> dict[str, tuple[int, list[int | None]]]:
        """Where tasks are now, whatever is allowed; parts may be on nodes that are gone."""
        homes: dict[str, tuple[int, list[int | None]]] = {}
        if not self.has["current"]:
            return homes
        same = self.chance(0.3)
        for task in draft.tasks:
            if self.chance(0.2):
                continue
            forms = whole_oracle.forms_of(draft, task)
            variant = 0 if same else self.whole(0, len(forms) - 1)
            order: list[int | None] = [*self.rng.permutation(draft.num_nodes).tolist(), None]
            before = (order * 2)[: len(forms[variant].pieces)]
            if same:
                before = ([0, 1, *order] * 2)[: len(before)]
            homes[task.id] = variant, [None if self.chance(0.1) else i for i in before]
        return homes

    def placement(self, draft: Instance, homes: Homes) -> Placement:
        """Where every task could go, by its own fields; None where nothing was found."""
        nodes = list(draft.nodes)
        found: list[tuple[int, list[int]] | None] = []
        for task in draft.tasks:
            choice = None
            skipped = task.skip_price is not None and self.chance(0.2)
            home, forms = whole_oracle.homes_before(homes, task), whole_oracle.forms_of(draft, task)
            for attempt in range(0 if skipped else 12):
                v, places = self.whole(0, len(forms) - 1), self.rng.permutation(len(nodes)).tolist()
                if attempt < 2 and home is not None and self.chance(0.5):
                    v, places = home[0], [-1 if i is None else i for i in home[1]]
                places = places[: len(forms[v].pieces)]
                if -1 not in places and _alone(draft, task, homes, (v, places)):
                    choice = v, places
                    break
            found.append(choice)
        return found

    def capacities(self, draft: Instance, hidden: Placement) -> tuple[list[Node], dict[str, Any]]:
        """Nodes with room for the hidden placement, and the settings that go with them."""
        pieces = [
            (i, piece)
            for task, choice in zip(draft.tasks, hidden, strict=True)
            if choice is not None
            for i, piece in zip(
                choice[1], whole_oracle.forms_of(draft, task)[choice[0]].pieces, strict=True
            )
        ]
        n, spoiled = draft.num_nodes, self.spoil == "room"
        zero = [Fraction(0)] * n
        load, stored, gpus = zero.copy(), zero.copy(), zero.copy()
        for i, piece in pieces:
            load[i] += piece.compute
            stored[i] += piece.storage
            gpus[i] += piece.resources.get("gpu", Fraction(0))
        mean = float(sum(load)) / n / float(self.rng.uniform(0.5, 2.0))
        sizes = [float(self.rng.choice([0.5, 1.0, 1.5])) for _ in range(n)]
        if self.chance(0.4):
            sizes = [1.0] * n
        compute = [self.number(whole, whole) for whole in (max(1, round(mean * s)) for s in sizes)]
        if len(set(sizes)) == 1:
            compute = compute[:1] * n
        if self.chance(0.05):
            compute[self.whole(0, n - 1)] = 0
        storage: list[Number] = [math.inf] * n
        if self.has["storage"]:
            storage = [s if self.chance(0.9) else math.inf for s in self._room(stored, spoiled)]
        rooms = self._room(gpus, spoiled)
        prices = self._prices(compute)
        nodes = [
            Node(
                node.id,
                compute=compute[i],
                storage=storage[i],
                kind=node.kind,
                labels=node.labels,
                state=node.state,
                resources={"gpu": rooms[i]} if self.has["resources"] else {},
                **prices[i],
            )
            for i, node in enumerate(draft.nodes)
        ]
        settings: dict[str, Any] = {"max_load": self._max_load(compute, load)}
        if self.has["power_off"]:
            settings["power_off"] = self.one_of((True, "rented", "owned"))
        if self.has["energy"]:
            settings["energy"] = {
                "hours": self.one_of((10, 1000)),
                "price_per_kwh": self.number(5),
                "pue": self.one_of((1, 2) if self.numbers == "integers" else (1, 1.25)),
                "grams_per_kwh": self.number(9),
            }
        return nodes, settings

    def _room(self, used: list[Fraction], spoiled: bool) -> list[Number]:
        if spoiled:
            return [math.floor(amount * Fraction(self.whole(4, 9), 10)) for amount in used]
        if self.chance(0.3):
            return [cover(max(used))] * len(used)
        slack = self.one_of((0, 0, 1, 3))
        return [cover(amount + self.whole(0, slack)) for amount in used]

    def _max_load(self, compute: list[Number], load: list[Fraction]) -> Number | None:
        if not (self.has["max_load"] or self.spoil == "max_load"):
            return None
        if self.spoil == "max_load":
            return 0.7
        for alpha in (0.7, 0.8, 0.95, 1, 1.2, 1.25, 1.5, 2, 3):
            most = [exact(alpha) * exact(C) for C in compute]
            if all(limit >= L for L, limit in zip(load, most, strict=True)) and self.chance(0.7):
                return alpha
        return None

    def _prices(self, compute: list[Number]) -> list[dict[str, Number]]:
        """The fields of each node that are money or watts."""
        rows = []
        for C in compute:
            row: dict[str, Number] = {}
            price: Number = C
            if self.has["fixed_cost"] and self.chance(0.6):
                row["fixed_cost"] = self.number(40)
                row["overload_price"] = self.number(6)
            elif self.has["price"]:
                row["price"] = price = self.number(5)
            if self.has["overload_price"]:
                row["overload_price"] = self.number(6)
            if self.has["use_price"]:
                row["use_price"] = min(self.number(5), row.get("overload_price", price))
            if self.has["energy"] and C:
                idle = self.number(9)
                row |= {"idle_watts": idle}
                if self.chance(0.8):
                    row["max_watts"] = idle + self.whole(0, 9)
            rows.append(row)
        return rows[:1] * len(rows) if self.chance(0.3) and len(set(compute)) == 1 else rows

    def prices_of_forms(self, homes: Homes) -> dict[str, Any]:
        """What quality and moves cost."""
        settings: dict[str, Any] = {}
        if self.has["quality_price"]:
            settings["quality_price"] = self.number(4)
        if self.has["move_price"] and homes:
            settings["move_price"] = self.number(4)
        return settings

    def budgets(
        self, draft: Instance, homes: Homes, hidden: Placement, tempting: Placement | None
    ) -> dict[str, Any]:
        """Budgets of quality and moves, as the hidden placement keeps them, or tighter."""
        settings: dict[str, Any] = {}
        lost, moved = _spent(draft, homes, hidden)
        most_lost, most_moved = _spent(draft, homes, hidden if tempting is None else tempting)
        if self.has["quality_budget"] or self.spoil == "loss":
            budget = lost + self.one_of((0, 0, 1, 2))
            if self.chance(0.25) or self.spoil == "loss":
                budget = most_lost * Fraction(self.whole(4, 9), 10)
            settings["quality_budget"] = cover(budget)
        if (self.has["max_moves"] or self.spoil == "moves") and homes:
            most = moved + self.one_of((0, 0, 1))
            if self.chance(0.25) or self.spoil == "moves":
                most = most_moved - self.one_of((1, 1, 2))
            settings["max_moves"] = max(0, most)
        return settings

    def rules(self, draft: Instance, hidden: Placement, tempting: Placement | None) -> list[Rule]:
        """Up to three rules; most hold for the hidden placement and break the tempting one."""
        groups = sorted({group for task in draft.tasks for group in task.groups})
        keys = ["node"] + ["kind"] * any(node.kind is not None for node in draft.nodes)
        keys += sorted({key for node in draft.nodes for key in node.labels}) * 2
        found: list[Rule] = []
        if not (self.has["rules"] and groups):
            return found
        wanted, tries = self.whole(1, 3), 20
        for _ in range(tries):
            rule = self._rule(draft, hidden, self.one_of(groups), groups, self.one_of(keys))
            if rule is None or rule in found:
                continue
            holds = self.spoil == "rules" or whole_oracle.keeps(draft, rule, hidden)
            breaks = tempting is None or not whole_oracle.keeps(draft, rule, tempting)
            if (holds and (breaks or self.chance(0.1))) or self.chance(0.01):
                found.append(rule)
            if len(found) == wanted:
                break
        return found

    def _rule(
        self, draft: Instance, hidden: Placement, group: str, groups: list[str], key: str
    ) -> Rule | None:
        others = [other for other in groups if other != group]
        name = self.one_of(("limit", "spread", "spread", "affinity", "with", "apart", "apart"))
        if name in ("with", "apart") and not others:
            return None
        if name == "limit":
            most = max(whole_oracle.counts(draft, group, key, hidden).values(), default=0)
            return Limit(group, key, max(0, most + self.one_of((-1, 0, 0, 0, 1))))
        if name == "spread":
            return Spread(group, key, self.one_of((1, 1, 2)), self.one_of((1, 1, 1, 2, 3)))
        if name == "apart":
            return AntiAffinity(group, self.one_of(others), key)
        return Affinity(group, key, self.one_of(others) if name == "with" else None)


def _spent(draft: Instance, homes: Homes, placement: Placement) -> tuple[Fraction, int]:
    """Quality lost and parts moved."""
    lost, moved = Fraction(0), 0
    for task, choice in zip(draft.tasks, placement, strict=True):
        if choice is not None:
            form = whole_oracle.forms_of(draft, task)[choice[0]]
            lost += form.loss
            moved += whole_oracle.moves(form, choice, whole_oracle.homes_before(homes, task))
    return lost, moved


def _parts(variant: Variant) -> int:
    return variant.parts if isinstance(variant.parts, int) else len(variant.parts)


def _alone(draft: Instance, task: Task, homes: Homes, choice: tuple[int, Sequence[int]]) -> bool:
    """Whether a task may run so, by its own fields and the states of nodes."""
    form = whole_oracle.forms_of(draft, task)[choice[0]]
    if len(set(choice[1])) < len(form.pieces):
        return False
    if task.max_loss is not None and form.loss > exact(task.max_loss):
        return False
    home, nodes = whole_oracle.homes_before(homes, task), list(draft.nodes)
    return all(
        whole_oracle.may_run(
            nodes, task, form, piece, i, whole_oracle.at_home(form, choice, k, home)
        )
        for k, (piece, i) in enumerate(zip(form.pieces, choice[1], strict=True))
    )
