"""Small random instances of the whole model, every feature of it switched on and off."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import whole_oracle
from whole_brute_force import brute_force
from whole_draws import FEATURES, Draw
from whole_oracle import Homes, Placement

from solver.errors import NodewiseWarning
from solver.model.instance import Instance


class Case(NamedTuple):
    """An instance, and where its tasks are now as it was drawn."""

    instance: Instance
    homes: Homes


def whole_instances(count: int, seed: int, **options: Any) -> Iterator[Case]:
    """Always the same `count` cases for a seed; see `whole_instance`."""
    for child in np.random.SeedSequence(seed).spawn(count):
        yield whole_instance(np.random.default_rng(child), **options)


def whole_instance(
    rng: np.random.Generator,
    *,
    integers: bool = True,
    numbers: str | None = None,
    features: Sequence[str] = FEATURES,
    larger: bool = False,
) -> Case:
    """Draw an instance: 2 to 4 nodes, tasks of up to 6 parts in all, some of `features`.

    Its `numbers` are "integers", "decimals" (of few digits) or "long" (thirds, sevenths, and sums
    that floats round); `integers` is a short way to the first two.

    Nodes, tasks and where they are now come first; then a hidden placement, and capacities,
    rules and budgets that hold for it, often with no slack. Rules and budgets that the cheapest
    placement without them breaks are preferred. One instance in six is spoiled.

    A `larger` one has 3 to 9 nodes and 8 to 24 parts: too large for the brute force.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NodewiseWarning)  # nodes that are gone
        numbers = numbers or ("integers" if integers else "decimals")
        return _whole_instance(rng, Draw(rng, numbers, features, larger))


def _whole_instance(rng: np.random.Generator, draw: Draw) -> Case:
    nodes = draw.bare_nodes()
    tasks, models = draw.tasks(nodes)
    draft = Instance([*nodes], tasks, models=models)
    homes = draw.homes(draft)
    hidden = draw.placement(draft, homes)
    nodes, settings = draw.capacities(draft, hidden)
    settings |= {"models": models} | draw.prices_of_forms(homes)
    if homes:
        settings["current"] = current_of(draft, homes, rng)
    free = None if draw.larger else brute_force(Instance(nodes, tasks, **settings), homes)
    tempting = None if free is None else free.placement
    settings |= draw.budgets(draft, homes, hidden, tempting)
    settings["rules"] = draw.rules(draft, hidden, tempting)
    return Case(Instance(nodes, tasks, **settings), homes)


def current_of(instance: Instance, homes: Homes, rng: np.random.Generator) -> dict[str, Any]:
    """`current` as users write it; some nodes are gone."""
    ids = [*instance.node_ids.tolist(), "gone"]
    current: dict[str, Any] = {}
    for task in instance.tasks:
        if task.id not in homes:
            continue
        variant, before = homes[task.id]
        names: list[str | None] = [ids[-1 if i is None else i] for i in before]
        if len(names) > 1 and rng.random() < 0.5:
            names = [None if name == "gone" else name for name in names]
        if names[-1] == "gone" and rng.random() < 0.5:
            names.pop()
        place: Any = names[0] if len(names) == 1 else names
        variants = task.variants if task.model is None else instance.models[task.model]
        if variants is not None and (len(variants) > 1 or rng.random() < 0.5):
            place = {"node": place, "variant": variants[variant].name}
        elif rng.random() < 0.5:
            place = {"node": place}
        current[task.id] = place
    return current


def random_placement(instance: Instance, homes: Homes, seed: int) -> Placement:
    """A placement of any variants on any nodes, often of parts that stay; seldom one node twice."""
    rng = np.random.default_rng(seed)
    placement: list[tuple[int, list[int]] | None] = []
    for task in instance.tasks:
        forms, home = whole_oracle.forms_of(instance, task), homes.get(task.id)
        if rng.random() < (0.02 if task.skip_price is None else 0.3):
            placement.append(None)
            continue
        v = int(rng.integers(len(forms)))
        places = rng.permutation(instance.num_nodes).tolist()
        if home is not None and rng.random() < 0.6:
            v, places = home[0], [places[0] if i is None else i for i in home[1]] + places
        count = len(forms[v].pieces)
        if len(places) < count or rng.random() < 0.03:
            places = rng.integers(instance.num_nodes, size=count).tolist()
        placement.append((v, places[:count]))
    return placement
