"""The data of the textbook model, read from a JSON instance by the standard library alone.

    minimise   sum_i  o_i z_i  +  constant                    (p_i z_i where o_i = p_i)
    subject to sum_i x_ij = 1                        every task on exactly one node
               z_i >= C_i,  z_i >= sum_j D_j x_ij    what is paid for
               sum_j q_jr x_ij <= Q_ir               storage, further resources, max_load
               x_ij in {0, 1}, only where task j may run on node i

The constant is sum_i (p_i - o_i) C_i. With power_off it is - sum_i o_i C_i, a binary y_i >= x_ij
says whether a node is on, and p_i C_i y_i is added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .protocol import Unsupported

__all__ = ["BeyondPlain", "Limit", "Plain", "integers_only", "labels_of", "plain"]

Number = int | float

_BEYOND = {
    "nodes": ("use_price", "fixed_cost", "state"),
    "tasks": ("variants", "model", "skip_price", "pinned"),
}
_SETTINGS = ("rules", "current", "energy")


class BeyondPlain(Unsupported):
    """The instance has what only `whole` knows of."""


@dataclass(frozen=True)
class Limit:
    """A hard capacity: what each node has, infinite where unlimited, and each task needs."""

    name: str
    have: list[Number]
    need: list[Number]


@dataclass(frozen=True)
class Plain:
    """The data of the model; positions of nodes i and tasks j throughout.

    Attributes
    ----------
    node_ids, task_ids : list of str
    capacity, price, overload_price : list of n numbers
    demand : list of m numbers
    limits : list of Limit
        Storage, further resources and max_load, where they limit anything.
    hosts : list of m lists of int
        The nodes that may host each task.
    power_off : bool
    """

    node_ids: list[str]
    task_ids: list[str]
    capacity: list[Number]
    price: list[Number]
    overload_price: list[Number]
    demand: list[Number]
    limits: list[Limit]
    hosts: list[list[int]]
    power_off: bool

    def tasks_of(self) -> list[list[int]]:
        """The tasks that each node may host."""
        found: list[list[int]] = [[] for _ in self.node_ids]
        for j, nodes in enumerate(self.hosts):
            for i in nodes:
                found[i].append(j)
        return found

    def constant(self) -> Number:
        """What the objective lacks when it is the sum of o_i z_i, and of p_i C_i y_i."""
        nodes = zip(self.capacity, self.price, self.overload_price, strict=True)
        return sum(((0 if self.power_off else p) - o) * C for C, p, o in nodes)

    def allocation(self, node_of: list[int]) -> dict[str, str]:
        """Ids from positions."""
        return {self.task_ids[j]: self.node_ids[i] for j, i in enumerate(node_of)}

    def cost(self, node_of: list[int]) -> Number:
        """The cost of an allocation by positions, as the model has it."""
        load: list[Number] = [0] * len(self.node_ids)
        for j, i in enumerate(node_of):
            load[i] += self.demand[j]
        total = self.constant()
        used = set(node_of)
        for i, (C, o) in enumerate(zip(self.capacity, self.overload_price, strict=True)):
            total += o * max(C, load[i])
            total += self.price[i] * C if self.power_off and i in used else 0
        return total


def plain(instance: dict[str, Any]) -> Plain:
    """Read the instance, with the defaults of its fields."""
    nodes, tasks = instance["nodes"], instance["tasks"]
    names = [
        name
        for records, keys in _BEYOND.items()
        for name in keys
        if any(_is_told(record, name) for record in instance[records])
    ]
    names += [name for name in _SETTINGS if instance.get(name)]
    names += ["power_off=owned"] if instance.get("power_off") == "owned" else []
    if names:
        raise BeyondPlain(f"the plain x_ij model has no {', '.join(names)}")
    price = [_or(node.get("price"), node["compute"]) for node in nodes]
    overload = [_or(node.get("overload_price"), p) for node, p in zip(nodes, price, strict=True)]
    return Plain(
        node_ids=[node["id"] for node in nodes],
        task_ids=[task["id"] for task in tasks],
        capacity=[node["compute"] for node in nodes],
        price=price,
        overload_price=overload,
        demand=[task["compute"] for task in tasks],
        limits=_limits(instance),
        hosts=_hosts(nodes, tasks),
        power_off=bool(instance.get("power_off")),
    )


def _is_told(record: dict[str, Any], name: str) -> bool:
    """Whether a record has a field, and it is not the default."""
    return record.get(name) not in (None, "open") and not (name == "use_price" and not record[name])


def _limits(instance: dict[str, Any]) -> list[Limit]:
    nodes, tasks = instance["nodes"], instance["tasks"]
    storage = [_or(node.get("storage"), math.inf) for node in nodes]
    found = [Limit("storage", storage, [_or(task.get("storage"), 0) for task in tasks])]
    for key in sorted({key for node in nodes for key in node.get("resources") or ()}):
        have = [(node.get("resources") or {}).get(key, 0) for node in nodes]
        need = [(task.get("resources") or {}).get(key, 0) for task in tasks]
        found.append(Limit(f"resource {key}", have, need))
    if instance.get("max_load") is not None:
        most = [_product(instance["max_load"], node["compute"]) for node in nodes]
        found.append(Limit("max_load", most, [task["compute"] for task in tasks]))
    return [one for one in found if any(one.need) and min(one.have) < math.inf]


def _hosts(nodes: list[dict[str, Any]], tasks: list[dict[str, Any]]) -> list[list[int]]:
    everywhere = list(range(len(nodes)))
    known: dict[tuple[str, ...], list[int]] = {}
    found = []
    for task in tasks:
        labels = task.get("eligible")
        if labels is None:
            found.append(everywhere)
            continue
        key = tuple(labels)
        if key not in known:
            among = set(labels)
            known[key] = [
                i for i, node in enumerate(nodes) if not among.isdisjoint(labels_of(node))
            ]
        found.append(known[key])
    return found


def labels_of(node: dict[str, Any]) -> set[str | None]:
    """What tasks may call a node by: its id, its kind and its labels."""
    labels = {f"{key}={value}" for key, value in (node.get("labels") or {}).items()}
    return {node["id"], node.get("kind"), *labels}


def integers_only(data: Plain) -> Plain:
    """The same with capacities of limits rounded down, which is no loss with integer needs.

    Raises
    ------
    Unsupported
        If a figure that has to be an integer is not.
    """
    columns = {
        "nodes' compute": data.capacity,
        "price": data.price,
        "overload_price": data.overload_price,
        "tasks' compute": data.demand,
        **{f"tasks' {limit.name}": limit.need for limit in data.limits},
    }
    for name, column in columns.items():
        if not all(float(value).is_integer() for value in column):
            raise Unsupported(f"{name}: integers only")
    limits = [
        Limit(one.name, [C if math.isinf(C) else math.floor(C) for C in one.have], _int(one.need))
        for one in data.limits
    ]
    return Plain(
        node_ids=data.node_ids,
        task_ids=data.task_ids,
        capacity=_int(data.capacity),
        price=_int(data.price),
        overload_price=_int(data.overload_price),
        demand=_int(data.demand),
        limits=limits,
        hosts=data.hosts,
        power_off=data.power_off,
    )


def _int(column: list[Number]) -> list[Number]:
    return [int(value) for value in column]


def _or(value: Number | None, default: Number) -> Number:
    return default if value is None else value


def _product(factor: Number, value: Number) -> Number:
    """Exact in decimals, so that 1.1 times 1000 is 1100."""
    exact = Decimal(repr(factor)) * Decimal(repr(value))
    return int(exact) if exact == exact.to_integral_value() else float(exact)
