"""The settings of an instance: what holds for all its nodes and tasks, checked."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from ...errors import InstanceError
from ..costs.energy import checked_energy
from ..exact import Array
from ..records import Number
from ..rules import checked_rules
from .names import record_label
from .validation import checked_max_load, checked_name, checked_power_off, is_unicode, plain

__all__ = ["SETTINGS", "checked_max_moving", "checked_settings", "with_fixed_costs"]

SETTINGS: dict[str, Any] = {
    "max_load": None,
    "power_off": False,
    "energy": None,
    "name": None,
    "models": None,
    "rules": (),
    "quality_budget": None,
    "quality_price": 0,
    "current": None,
    "move_price": 0,
    "max_moves": None,
    "max_moving": None,
    "currency": None,
}
"""The settings and their defaults."""


def checked_settings(settings: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """The settings but for `models` and `current`, which the rows of the tasks are needed for.

    Parameters
    ----------
    settings : mapping
    made : mapping
        The columns, checked.

    Raises
    ------
    InstanceError
        Naming the setting.
    """
    groups = {group for names in made["group_sets"] for group in names}
    has_kinds = any(kind is not None for kind in made["node_kind"])
    return {
        "max_load": checked_max_load(settings["max_load"]),
        "power_off": checked_power_off(settings["power_off"]),
        "energy": checked_energy(settings["energy"]),
        "name": checked_name(settings["name"]),
        "rules": checked_rules(settings["rules"], groups, made["node_labels"], kinds=has_kinds),
        "quality_budget": _amount(settings["quality_budget"], "quality_budget"),
        "quality_price": _amount(settings["quality_price"], "quality_price") or 0,
        "move_price": _amount(settings["move_price"], "move_price") or 0,
        "max_moves": _count(settings["max_moves"], "max_moves"),
        "max_moving": checked_max_moving(settings["max_moving"], groups),
        "currency": _currency(settings["currency"]),
    }


def _amount(value: Any, name: str) -> Number | None:
    value = plain(value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise InstanceError(f"{name} is {value!r}; it must be a finite number, 0 or more")
    if value > sys.float_info.max:
        raise InstanceError(f"{name} is too large a number; at most 1.79e308")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _count(value: Any, name: str) -> int | None:
    value = plain(value)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InstanceError(f"{name} is {value!r}; it must be an integer, 0 or more")
    return value


def checked_max_moving(given: Any, groups: Collection[str]) -> dict[str, int]:
    """How many parts of a group may be moving at a time, by the name of the group.

    Parameters
    ----------
    given : mapping of str to int, or None for none
    groups : collection of str
        The groups that tasks name.

    Raises
    ------
    InstanceError
        Naming the group.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InstanceError(
            f"max_moving is {given!r}; it must map groups to how many of their parts may be moving "
            "at a time"
        )
    for group in given:
        if not isinstance(group, str) or group not in groups:
            some = ", ".join(sorted(groups)[:8]) or "none"
            raise InstanceError(
                f"max_moving: {group!r} is a group that no task names (known: {some})"
            )
    counts = {group: _count(most, f"max_moving[{group!r}]") for group, most in given.items()}
    return {group: most for group, most in counts.items() if most is not None}


def _currency(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value or not is_unicode(value):
        raise InstanceError(f"currency is {value!r}; it must be text, such as 'USD'")
    return value


def with_fixed_costs(
    columns: Mapping[str, Any], fixed: Array, max_load: Any, ids: Array | None
) -> dict[str, Any]:
    """The columns of prices, with 0 where a node has a fixed cost and need not name them.

    Parameters
    ----------
    columns : mapping
        As `Instance.from_arrays` takes them.
    fixed : (n,) numbers
        Infinite where a node has none.

    Raises
    ------
    InstanceError
        If a node has a price beside it, or lacks a price of overload that there can be.
    """
    has = fixed < math.inf
    prices = {name: columns.get(f"node_{name}") for name in ("price", "overload_price")}
    if not has.any():
        return {f"node_{name}": column for name, column in prices.items()}
    is_hard = max_load is not None and checked_max_load(max_load) <= 1  # type: ignore[operator]
    made = {}
    for name, column in prices.items():
        values = [None] * has.size if column is None else list(column)
        for i in np.flatnonzero(has).tolist() if len(values) == has.size else ():
            if name == "price" and values[i] is not None and values[i] != 0:
                raise InstanceError(
                    f"{record_label('node', ids, i)}: it has price and fixed_cost; give one of them"
                )
            if name == "overload_price" and values[i] is None and not is_hard:
                raise InstanceError(
                    f"{record_label('node', ids, i)}: fixed_cost needs overload_price, what a unit "
                    "of load above the capacity costs, unless max_load is at most 1"
                )
            values[i] = (
                (0 if name == "price" else _use_price(columns, i))
                if values[i] is None
                else values[i]
            )
        made[f"node_{name}"] = values
    return made


def _use_price(columns: Mapping[str, Any], i: int) -> Any:
    """The price of use, than which that of overload is no less."""
    use = columns.get("node_use_price")
    return 0 if use is None or use[i] is None else use[i]
