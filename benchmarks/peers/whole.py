"""The textbook model with variants, parts, rules and moves, task by task, as rows of a program.

    y_jv = 1        task j runs as variant v          z_j = 1     it is left out, at its skip price
    x_jvki = 1      part k of that is on node i       on_i = 1    node i is on, with power_off
    e_i >= 0        load of node i above its capacity

    minimise   sum_i  price_i on_i + u_i L_i + (o_i - u_i) e_i
             + sum_jv (price_jv + quality_price loss_jv) y_jv + sum_j skip_j z_j + move_j moves_j
    subject to sum_v y_jv + z_j = 1;  sum_i x_jvki = y_jv;  sum_k x_jvki <= 1
               sum q x <= Q;  L_i <= max_load C_i;  e_i >= L_i - C_i;  x_jvki <= on_i
               sum loss_jv y_jv <= quality_budget;  sum_j moves_j <= max_moves;  the rules
    moves_j  = parts_v y_jv, less the x of parts that are where they were

Counts n(g, d) of the rules are sums of x. Spread: n(g, d) <= low + max_skew for every domain, with
low <= n(g, d) for those that count. Affinity: x <= a_d, sum_d a_d <= 1; with another group
x <= n(with, d). Anti-affinity: x <= b_d for the one group, x <= 1 - b_d for the other.

All numbers are exact fractions; each solver gets them in its own. The instance is the JSON form,
read by the standard library alone.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, NamedTuple

from .plain import labels_of
from .protocol import Unsupported

__all__ = ["Form", "Program", "Variable", "Whole", "scale_of"]

Number = int | Fraction
Placement = list[tuple[int, list[int]] | None]
"""Of each task the number of its variant and the node of each part, or None: left out."""


@dataclass(frozen=True)
class Variable:
    """Bounds of a variable; `high` None where it has none."""

    low: Number
    high: Number | None
    integer: bool


@dataclass
class Program:
    """Rows low <= sum of coefficient x <= high (None: no limit), and what is minimised."""

    variables: list[Variable] = field(default_factory=list)
    rows: list[tuple[dict[int, Number], Number | None, Number | None]] = field(default_factory=list)
    cost: dict[int, Number] = field(default_factory=lambda: defaultdict(int))
    constant: Number = 0

    def binary(self) -> int:
        """A new variable of 0 or 1."""
        return self.variable(0, 1, integer=True)

    def variable(self, low: Any, high: Any = None, *, integer: bool = False) -> int:
        """A new variable."""
        self.variables.append(Variable(low, high, integer))
        return len(self.variables) - 1

    def row(self, terms: Iterable[tuple[int, Any]], low: Any = None, high: Any = None) -> None:
        """A new row; one without terms holds a variable that is 0."""
        summed: dict[int, Number] = {}
        for variable, amount in terms:
            summed[variable] = summed.get(variable, 0) + amount
        if not summed:
            summed[self.variable(0, 0, integer=True)] = 1
        self.rows.append((summed, low, high))


@dataclass(frozen=True)
class Piece:
    """A part: its needs by name ("compute" among them), and the nodes by `eligible` alone."""

    needs: dict[str, Number]
    suits: frozenset[int]


@dataclass(frozen=True)
class Form:
    """A variant of a task; `before` has the node of each part now, None where it is not known."""

    name: str | None
    price: Number
    loss: Number
    pieces: tuple[Piece, ...]
    equal: bool
    before: tuple[int | None, ...] | None = None

    def at_home(self, part: int, node: int) -> bool:
        """Whether a part is on that node now."""
        if self.before is None:
            return False
        return node in self.before if self.equal else self.before[part] == node


class NodePrices(NamedTuple):
    """Compute; what is always paid and what only while on; u and o a unit of load."""

    compute: Number
    always: Number
    on: Number
    use: Number
    overload: Number


class Whole:
    """An instance read, its program, and what a solution of that means.

    Parameters
    ----------
    instance : dict
        JSON data.

    Raises
    ------
    Unsupported
        If it has a rule of another kind.
    """

    def __init__(self, instance: dict[str, Any]) -> None:
        self.instance = instance
        self.nodes, self.tasks = instance["nodes"], instance["tasks"]
        self.rented = instance.get("power_off") in (True, "rented")
        self.power_off = bool(instance.get("power_off"))
        self._number = {node["id"]: i for i, node in enumerate(self.nodes)}
        self._suits: dict[Any, frozenset[int]] = {None: frozenset(range(len(self.nodes)))}
        self._shared: dict[str, list[Form]] = {}
        self.limits = self._limits()
        self.prices = [self._node_prices(node) for node in self.nodes]
        self.forms = [self._forms(task) for task in self.tasks]
        self._keys: dict[str, set[str]] = defaultdict(set)
        for rule in self.rules():
            self._keys[rule["group"]].add(rule["domain"])
        self._members: dict[str, list[int]] = defaultdict(list)
        for j, task in enumerate(self.tasks):
            for group in task.get("groups", ()):
                self._members[group].append(j)
        self._of_task: list[list[tuple[int, int]]] = [[] for _ in self.tasks]
        self.places: dict[tuple[int, int, int, int], int] = {}
        self.chosen: dict[tuple[int, int], int] = {}
        self.out: dict[int, int] = {}
        self.program = Program()
        self._build()

    # what is read

    def _limits(self) -> dict[str, list[Number | None]]:
        """What nodes have of all that is hard, None where there is no limit."""
        limits: dict[str, list[Number | None]] = {
            "storage": [_exact(node.get("storage"), None) for node in self.nodes]
        }
        for key in sorted({key for node in self.nodes for key in node.get("resources") or ()}):
            limits[key] = [_exact((node.get("resources") or {}).get(key, 0)) for node in self.nodes]
        most = self.instance.get("max_load")
        if most is not None:
            limits["compute"] = [_exact(most) * _exact(node["compute"]) for node in self.nodes]
        return limits

    def _node_prices(self, node: dict[str, Any]) -> NodePrices:
        """The prices of a node, electricity among them."""
        C, use = _exact(node["compute"]), _exact(node.get("use_price"), 0)
        price = _exact(node.get("price"), C)
        paid = price * C
        if node.get("fixed_cost") is not None:
            price, paid = 0, _exact(node["fixed_cost"])
        overload = _exact(node.get("overload_price"), max(price, use))
        energy = self.instance.get("energy") or {}
        watt = Fraction(_exact(energy.get("price_per_kwh"), 0) * _exact(energy.get("hours"), 0))
        watt *= Fraction(_exact(energy.get("pue"), 1), 1000)
        idle = _exact(node.get("idle_watts"), 0)
        full = _exact(node.get("max_watts"), idle)
        by_load, beyond = ((full - idle) * watt / C, full * watt / C) if C else (0, 0)
        always, on = (0, paid) if self.rented else (paid, 0)
        if self.power_off:
            on += idle * watt
        else:
            always += idle * watt
        return NodePrices(C, always, on, use + by_load, overload + beyond)

    def _forms(self, task: dict[str, Any]) -> list[Form]:
        """The variants of a task, with where it is now."""
        if task.get("model") is not None:
            if task["model"] not in self._shared:
                variants = self.instance["models"][task["model"]]
                self._shared[task["model"]] = [self._form(one) for one in variants]
            forms = list(self._shared[task["model"]])
        elif task.get("variants") is not None:
            forms = [self._form(one) for one in task["variants"]]
        else:
            figures = {key: task[key] for key in _FIGURES if key in task}
            forms = [self._form({"name": None, **figures})]
        place = (self.instance.get("current") or {}).get(task["id"])
        if place is not None:
            place = place if isinstance(place, dict) else {"node": place}
            names = [form.name for form in forms]
            v = names.index(place["variant"]) if place.get("variant") is not None else 0
            nodes = place["node"] if isinstance(place["node"], list) else [place["node"]]
            before = [self._number.get(one) for one in nodes]
            before += [None] * (len(forms[v].pieces) - len(before))
            if any(i is not None for i in before):
                forms[v] = replace(forms[v], before=tuple(before))
        return forms

    def _form(self, variant: dict[str, Any]) -> Form:
        parts = variant.get("parts", 1)
        listed = [variant] * parts if isinstance(parts, int) else parts
        pieces = tuple(self._piece(part, variant.get("eligible")) for part in listed)
        price, loss = _exact(variant.get("price"), 0), _exact(variant.get("loss"), 0)
        return Form(variant["name"], price, loss, pieces, isinstance(parts, int))

    def _piece(self, part: dict[str, Any], eligible: Any) -> Piece:
        needs = {"compute": _exact(part["compute"]), "storage": _exact(part.get("storage"), 0)}
        needs |= {key: _exact(amount) for key, amount in (part.get("resources") or {}).items()}
        labels = eligible if part.get("eligible") is None else part["eligible"]
        key = None if labels is None else tuple(labels)
        if key not in self._suits:
            among = set(key)
            self._suits[key] = frozenset(
                i for i, node in enumerate(self.nodes) if not among.isdisjoint(labels_of(node))
            )
        return Piece(needs, self._suits[key])

    def domain(self, key: str, i: int) -> Any:
        """The domain that a node is in, None if it is in none."""
        node = self.nodes[i]
        if key == "node":
            return i
        return node.get("kind") if key == "kind" else (node.get("labels") or {}).get(key)

    def hosts(self, j: int, form: Form, part: int) -> Iterator[int]:
        """The nodes that a part may be on: by eligibility, state, pin and rules' labels."""
        task = self.tasks[j]
        pinned = task.get("pinned")
        pinned = {pinned} if isinstance(pinned, str) else pinned
        keys = {key for group in task.get("groups", ()) for key in self._keys[group]}
        for i in sorted(form.pieces[part].suits):
            state = self.nodes[i].get("state", "open")
            if state == "drained" or (state == "cordoned" and not form.at_home(part, i)):
                continue
            if pinned is not None and self.nodes[i]["id"] not in pinned:
                continue
            if all(self.domain(key, i) is not None for key in keys):
                yield i

    def rules(self) -> list[dict[str, Any]]:
        """The rules as they stand in the file."""
        found: list[dict[str, Any]] = self.instance.get("rules") or []
        return found

    # the program

    def _build(self) -> None:
        quality = _exact(self.instance.get("quality_price"), 0)
        for j, task in enumerate(self.tasks):
            most = _exact(task.get("max_loss"), None)
            options = []
            for v, form in enumerate(self.forms[j]):
                if most is None or form.loss <= most:
                    options.append(self._add_form(j, v, form, quality))
            if task.get("skip_price") is not None:
                self.out[j] = self.program.binary()
                self.program.cost[self.out[j]] += _exact(task["skip_price"])
                options.append(self.out[j])
            self.program.row(((y, 1) for y in options), 1, 1)
        self._add_nodes()
        self._add_sums()
        for rule in self.rules():
            self._add_rule(rule)

    def _add_form(self, j: int, v: int, form: Form, quality: Number) -> int:
        y = self.chosen[j, v] = self.program.binary()
        self.program.cost[y] += form.price + quality * form.loss
        on_node: dict[int, list[int]] = defaultdict(list)
        for part in range(len(form.pieces)):
            mine = []
            for i in self.hosts(j, form, part):
                x = self.places[j, v, part, i] = self.program.binary()
                on_node[i].append(x)
                self._of_task[j].append((i, x))
                mine.append((x, 1))
            self.program.row([*mine, (y, -1)], 0, 0)
        for same in on_node.values():
            if len(same) > 1:
                self.program.row(((x, 1) for x in same), None, 1)
        return y

    def _add_nodes(self) -> None:
        here: list[list[tuple[Piece, int]]] = [[] for _ in self.nodes]
        for (j, v, part, i), x in self.places.items():
            here[i].append((self.forms[j][v].pieces[part], x))
        for i, (C, always, fixed, use, overload) in enumerate(self.prices):
            self.program.constant += always
            for name, have in self.limits.items():
                most = have[i]
                if most is not None and here[i]:
                    needs = ((x, piece.needs.get(name, 0)) for piece, x in here[i])
                    self.program.row(needs, None, most)
            if fixed:
                on = self.program.binary()
                self.program.cost[on] += fixed
                for _, x in here[i]:
                    self.program.row([(x, 1), (on, -1)], None, 0)
            for piece, x in here[i]:
                self.program.cost[x] += use * piece.needs["compute"]
            load = [(x, piece.needs["compute"]) for piece, x in here[i]]
            limit = self.limits.get("compute", [None] * len(self.nodes))[i]
            if overload > use and load and (limit is None or limit > C):
                above = self.program.variable(0)
                self.program.cost[above] += overload - use
                self.program.row([*load, (above, -1)], None, C)

    def _add_sums(self) -> None:
        """The prices of moves; the most moves and the most loss."""
        moves: dict[int, Number] = defaultdict(int)
        for j, task in enumerate(self.tasks):
            if all(form.before is None for form in self.forms[j]):
                continue
            price = _exact(task.get("move_price"), _exact(self.instance.get("move_price"), 0))
            for v, form in enumerate(self.forms[j]):
                if (j, v) not in self.chosen:
                    continue
                counted = {self.chosen[j, v]: len(form.pieces)}
                for part in range(len(form.pieces)):
                    for i in {one for one in form.before or () if one is not None}:
                        if form.at_home(part, i) and (j, v, part, i) in self.places:
                            counted[self.places[j, v, part, i]] = -1
                for variable, amount in counted.items():
                    moves[variable] += amount
                    self.program.cost[variable] += price * amount
        if self.instance.get("max_moves") is not None and moves:
            self.program.row(moves.items(), None, self.instance["max_moves"])
        if self.instance.get("quality_budget") is not None:
            losses = [(y, self.forms[j][v].loss) for (j, v), y in self.chosen.items()]
            self.program.row(losses, None, _exact(self.instance["quality_budget"]))

    def _parts_in(self, group: str, key: str) -> dict[Any, list[int]]:
        """The x of a group by domain, None for nodes that are in none."""
        found: dict[Any, list[int]] = defaultdict(list)
        for j in self._members[group]:
            for i, x in self._of_task[j]:
                found[self.domain(key, i)].append(x)
        return found

    def _add_rule(self, rule: dict[str, Any]) -> None:
        key = rule["domain"]
        parts = self._parts_in(rule["group"], key)
        other = self._parts_in(rule["with"], key) if rule.get("with") else {}
        row = self.program.row
        if rule["rule"] == "limit":
            for some in parts.values():
                row(((x, 1) for x in some), None, rule["max"])
        elif rule["rule"] == "spread":
            self._add_spread(rule, parts)
        elif rule["rule"] == "affinity" and not rule.get("with"):
            inside = {d: self.program.binary() for d in parts}
            row(((a, 1) for a in inside.values()), None, 1)
            for d, some in parts.items():
                for x in some:
                    row([(x, 1), (inside[d], -1)], None, 0)
        elif rule["rule"] == "affinity":
            for d, some in parts.items():
                for x in some:
                    row([(x, 1), *((w, -1) for w in other.get(d, ()))], None, 0)
        elif rule["rule"] == "anti-affinity":
            for d in set(parts) & set(other):
                taken = self.program.binary()
                for x in parts[d]:
                    row([(x, 1), (taken, -1)], None, 0)
                for x in other[d]:
                    row([(x, 1), (taken, 1)], None, 1)
        else:
            raise Unsupported(f"the textbook model has no rule {rule['rule']!r}")

    def _add_spread(self, rule: dict[str, Any], parts: dict[Any, list[int]]) -> None:
        counted = {
            self.domain(rule["domain"], i)
            for j in self._members[rule["group"]]
            for form in self.forms[j]
            for piece in form.pieces
            for i in piece.suits
        } - {None}
        terms = {d: [(x, 1) for x in some] for d, some in parts.items()}
        if len(counted) < rule.get("min_domains", 1) or not counted:
            for some in terms.values():
                self.program.row(some, None, rule["max_skew"])
            return
        low = self.program.variable(0, sum(map(len, parts.values())), integer=True)
        for d in counted:
            self.program.row([(low, 1), *((x, -1) for x, _ in terms.get(d, []))], None, 0)
        for some in terms.values():
            self.program.row([*some, (low, -1)], None, rule["max_skew"])

    # what a solution means

    def placement(self, is_one: Any) -> Placement | None:
        """The placement in which these variables are 1, None if it is none."""
        found: Placement = [None] * len(self.tasks)
        for (j, v), y in self.chosen.items():
            if is_one(y):
                found[j] = (v, [-1] * len(self.forms[j][v].pieces))
        for (j, v, part, i), x in self.places.items():
            choice = found[j]
            if is_one(x):
                if choice is None or choice[0] != v or choice[1][part] >= 0:
                    return None
                choice[1][part] = i
        whole = all(
            j in self.out if choice is None else -1 not in choice[1]
            for j, choice in enumerate(found)
        )
        return found if whole else None

    def allocation(self, placement: Placement) -> dict[str, Any]:
        """As answers give it."""
        found: dict[str, Any] = {}
        for task, forms, choice in zip(self.tasks, self.forms, placement, strict=True):
            if choice is None:
                found[task["id"]] = None
                continue
            name = forms[choice[0]].name
            nodes = [self.nodes[i]["id"] for i in choice[1]]
            found[task["id"]] = nodes[0] if name is None else {"node": nodes, "variant": name}
        return found

    def cost(self, placement: Placement) -> int | float:
        """What a placement costs, summed up anew."""
        load: list[Number] = [0] * len(self.nodes)
        used, total = set(), Fraction(0)
        quality = _exact(self.instance.get("quality_price"), 0)
        for j, (task, choice) in enumerate(zip(self.tasks, placement, strict=True)):
            if choice is None:
                total += _exact(task["skip_price"])
                continue
            v, nodes = choice
            form = self.forms[j][v]
            total += form.price + quality * form.loss
            for piece, i in zip(form.pieces, nodes, strict=True):
                load[i] += piece.needs["compute"]
                used.add(i)
            if any(one.before is not None for one in self.forms[j]):
                price = _exact(task.get("move_price"), _exact(self.instance.get("move_price"), 0))
                total += price * sum(not form.at_home(part, i) for part, i in enumerate(nodes))
        for i, (C, always, fixed, use, overload) in enumerate(self.prices):
            total += always + (fixed if i in used else 0)
            total += use * min(load[i], C) + overload * max(0, load[i] - C)
        return int(total) if total.denominator == 1 else float(total)


_FIGURES = ("compute", "storage", "resources", "eligible")


def scale_of(amounts: Iterable[Number | None]) -> int:
    """The least factor that makes integers of all."""
    return math.lcm(*(one.denominator for one in amounts if one is not None))


def _exact(value: Any, default: Any = None) -> Any:
    """A number as it prints: an int where it is whole, else a fraction; or the default."""
    if value is None:
        return default
    if isinstance(value, float):
        return int(value) if value.is_integer() else Fraction(repr(value))
    return value
