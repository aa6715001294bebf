"""The families by name: from a name and parameters, or a spec in one line, to an instance.

Every family hides an allocation: it decides first which node holds what, so that an instance
is feasible by construction. `planted` returns that allocation beside the instance.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, get_type_hints

from solver.model.exact import Array
from solver.model.instance import Instance

from .parameters import canonical_spec, parse_value, require_known, split_spec, typed

__all__ = ["FAMILIES", "Draft", "Planted", "from_spec", "generate", "planted", "register"]

FAMILIES: dict[str, Callable[..., Instance]] = {}
"""From the name of a family to its function."""


class Planted(NamedTuple):
    """An instance and the node of each task in the allocation it was built around."""

    instance: Instance
    node_index: Array


@dataclass(frozen=True)
class Draft:
    """Fields of `Instance.from_arrays`, and the hidden node of each task."""

    fields: dict[str, Any]
    hidden: Array


_DRAFTS: dict[str, Callable[..., Draft]] = {}


def register[**P](draft: Callable[P, Draft]) -> Callable[P, Instance]:
    """Register a family; its instances are named after the parameters given."""
    family = draft.__name__
    _DRAFTS[family] = draft

    @functools.wraps(draft)
    def make(*args: P.args, **parameters: P.kwargs) -> Instance:
        if args:
            raise TypeError(f"{family}() takes keyword arguments only")
        return planted(family, **parameters).instance

    # Without this, help() would show what the undecorated function returns.
    signature = inspect.signature(draft).replace(return_annotation="Instance")
    make.__signature__ = signature  # type: ignore[attr-defined]
    FAMILIES[family] = make
    return make


def generate(family: str, **parameters: Any) -> Instance:
    """Generate an instance of a family.

    Parameters
    ----------
    family : str
        A key of `FAMILIES`.
    **parameters
        Those of the family's function.

    Raises
    ------
    InstanceError
        If the family or a parameter is unknown, or a value is of the wrong type or range.

    Examples
    --------
    >>> generate("triplets", nodes=4, seed=1)
    <Instance 'triplets:nodes=4,seed=1', 4 nodes, 12 tasks>
    """
    return planted(family, **parameters).instance


def planted(family: str, **parameters: Any) -> Planted:
    """Generate an instance together with the feasible allocation hidden in it.

    Takes and raises the same as `generate`. The allocation is a known upper bound of the
    cost, not always the best one.

    Examples
    --------
    >>> from solver.judge.cost import cost_of
    >>> instance, node_index = planted("triplets", nodes=4, capacity=1000)
    >>> cost_of(instance, node_index) == 4 * 1000**2
    True
    """
    types = _types(family)
    for name in parameters:
        require_known(name, types, f"{family}: parameter")
    values = {
        name: typed(family, name, parameters[name], kind)
        for name, kind in types.items()
        if name in parameters
    }
    draft = _DRAFTS[family](**values)
    name = canonical_spec(family, values)
    return Planted(Instance.from_arrays(**draft.fields, name=name), draft.hidden)


def from_spec(spec: str) -> Instance:
    """Generate the instance that a text such as "uniform:nodes=20,tasks=60,seed=3" names.

    Raises
    ------
    InstanceError
        If the family or a parameter is unknown, or a value is malformed.

    Examples
    --------
    >>> from_spec("uniform:nodes=20,tasks=60,seed=3")
    <Instance 'uniform:nodes=20,tasks=60,seed=3', 20 nodes, 60 tasks>
    """
    family, texts = split_spec(spec)
    types = _types(family)
    for name in texts:
        require_known(name, types, f"{family}: parameter")
    values = {name: parse_value(family, name, text, types[name]) for name, text in texts.items()}
    return generate(family, **values)


def _types(family: str) -> dict[str, type]:
    require_known(family, _DRAFTS, "family")
    hints = get_type_hints(_DRAFTS[family])
    return {name: kind for name, kind in hints.items() if name != "return"}
