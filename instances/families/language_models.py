"""Language models to serve on rented GPU servers, by published figures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from solver.errors import InstanceError
from solver.model.exact import Array
from solver.model.records import Variant
from solver.model.rules import Limit, Spread

from .. import figures
from .hiding.cutting import apportion
from .hiding.planting import Planting, Site, choose, parts_of, plant
from .parameters import require_range
from .registry import Draft, register

__all__ = ["serving"]

_SERVERS = (("H100", 23.60), ("B200", 44.00), ("H100", 31.92), ("B200", 44.00), ("H100", 23.60))
"""Kind and price of the servers of a zone in turn; the dearer H100 are of another provider."""

_CARD = 1000  # the unit of compute is 1/1000 card
_CARDS = 8
_WEIGHT_ONLY = ("fp8", "int4")
_CACHE = 1.1  # memory beside the weights, as a factor
_STRICT = 0.5
_FORMS = 6  # models with fewer are left out
_ATTEMPTS = 18  # each at a load lower by 2 %
_PRESSED = 1.25  # memory of all tasks in their largest form / memory of all nodes


@dataclass(frozen=True)
class _Form:
    """One way to run a model at full speed: figures of one engine."""

    name: str
    gpu: str
    num_gpus: int
    tokens_per_s: float
    memory_gb: float
    loss: float


@register
def serving(
    *,
    nodes: int = 20,
    tasks: int = 400,
    models: int = 6,
    variants: int = 6,
    zones: int = 4,
    load: float = 0.8,
    quality_price: float = 0.1,
    max_skew: int = 5,
    seed: int = 0,
) -> Draft:
    """Language models on rented GPU servers: precision, GPU kind and number of GPUs are chosen.

    Every task is one of `models` models, at the rate of tokens a second that its model's
    replicas serve. Its variants are the engines measured for the model (precision, GPU kind and
    number of GPUs) and, where the weights are bf16, the same with weights of 8 and 4 bits, whose
    speed is taken to be that of bf16. Compute is the share of the cards that the rate takes, in
    1/1000 card; storage is GPU memory in GB; an engine that is too slow for the rate runs in
    several parts. Nodes are servers of 8 x H100 and 8 x B200 at dollars an hour, rented, whose
    cards are never overloaded. The replicas of a model are a group, spread over the zones, with
    a limit on each node.

    Parameters
    ----------
    nodes : int
        Number of servers, two a zone or more; three in five have H100.
    tasks : int
        Number of tasks, two a node or more, and as many as models; small models have more replicas.
    models : int
        Pairs of a model and a workload, the larger the fewer tasks a node; at most 29.
    variants : int
        The most variants a model has. Measured engines come first.
    zones : int
        Values of the label "zone"; the servers of all zones are alike.
    load : float
        Compute of the hidden allocation / compute capacity of all nodes, about; lower where that
        would not fit.
    quality_price : float
        Dollars an hour for a percentage point of quality lost, a task. A third of the models
        has max_loss 0.5 besides.
    max_skew : int
        Of the replicas of a model over the zones.
    seed : int

    Returns
    -------
    Instance

    Raises
    ------
    InstanceError
        If the tasks do not fit at 0.7 times the load either, such as too many for the memory.

    Notes
    -----
    Feasible by construction: models are placed one by one on the nodes with the most room.
    O(n models log n + rows).

    References
    ----------
    Figures: `instances.figures`. Memory is parameters x bits / 8 and a tenth for the cache. Rules
    as in Kubernetes, whose default spread over zones is a skew of 5.

    Examples
    --------
    >>> instance = serving(nodes=8, tasks=40, models=4)
    >>> instance.num_tasks, sorted(instance.models)[0]
    (40, 'Llama-3.1-8B lm-arena-chat')
    """
    offered = _models(variants)
    require_range("serving", "zones", zones, 1, 1000)
    require_range("serving", "nodes", nodes, 2 * zones, 10**6)
    require_range("serving", "models", models, 1, len(offered))
    require_range("serving", "tasks", tasks, max(models, 2 * nodes), 10**7)
    require_range("serving", "variants", variants, 1, 9)
    require_range("serving", "load", load, 0.01, 0.95)
    require_range("serving", "quality_price", quality_price, 0.0, 1e6)
    require_range("serving", "max_skew", max_skew, 1)
    require_range("serving", "seed", seed, 0)
    rng = np.random.default_rng(seed)
    zone = np.arange(nodes) % zones
    server = [_SERVERS[i // zones % len(_SERVERS)] for i in range(nodes)]
    kind = np.array([gpu for gpu, _ in server])
    memory = np.where(kind == "H100", 640, 1440)
    weight = rng.uniform(0.5, 2.0, size=models)
    site = Site(np.stack([np.full(nodes, _CARD * _CARDS), memory]), kind, zone)
    for names, count in _menus(rng, offered, models, tasks, int(memory.sum())):
        planted = _planted([offered[name] for name in names], weight, count, site, load)
        if planted is not None:
            break
    else:
        raise InstanceError(
            f"serving: {tasks} tasks do not fit on {nodes} nodes; ask for fewer tasks, more nodes "
            "or a lower load"
        )
    menus, limit, planting = planted
    model = rng.permutation(np.repeat(np.arange(models), count))
    fields = {
        "node_compute": np.full(nodes, _CARD * _CARDS),
        "node_storage": memory,
        "node_fixed_cost": np.array([price for _, price in server]),
        "node_kind": kind.tolist(),
        "node_labels": {"zone": [f"zone-{z}" for z in zone.tolist()]},
        "power_off": "rented",
        "max_load": 1,
        "models": dict(zip(names, menus, strict=True)),
        "quality_price": quality_price,
        "currency": "USD",
        "task_model": model,
        "task_groups": 1 + model,
        "group_sets": [(), *((name,) for name in names)],
        "task_max_loss": np.where(model % 3 == 0, _STRICT, np.inf),
        "rules": [
            *(Spread(name, "zone", max_skew) for name in names),
            *(Limit(name, "node", most) for name, most in zip(names, limit, strict=True)),
        ],
    }
    return Draft(fields, planting.rows(model))


def _models(variants: int) -> dict[str, list[_Form]]:
    """The models with their forms, small ones first."""
    measured: dict[str, list[figures.Serving]] = {}
    for one in figures.serving():
        measured.setdefault(f"{one.name} {one.workload}", []).append(one)
    found = []
    for name, engines in measured.items():
        forms = [_form(one, one.precision) for one in engines]
        for precision in _WEIGHT_ONLY:
            forms += [_form(one, precision) for one in engines if one.precision == "bf16"]
        forms = list({form.name: form for form in reversed(forms)}.values())[::-1]
        if len(forms) >= min(variants, _FORMS):
            found.append((engines[0].params_b, name, forms[:variants]))
    return {name: forms for _, name, forms in sorted(found, key=lambda one: one[:2])}


def _menus(
    rng: np.random.Generator, offered: dict[str, list[_Form]], models: int, tasks: int, memory: int
) -> Iterator[tuple[list[str], Array]]:
    """Names of models and their numbers of tasks, those of the largest models first.

    The first are such that some have to be quantised to fit into the memory.
    """
    draws = rng.integers(500, 2001, size=models).tolist()
    names = list(offered)
    for last in range(len(names) - 1, models - 2, -1):
        picked = [names[k * last // max(1, models - 1)] for k in range(models)]
        size = [max(form.memory_gb for form in offered[name]) for name in picked]
        weights = [round(1000 * draw / math.sqrt(gb)) for draw, gb in zip(draws, size, strict=True)]
        count = 1 + apportion(tasks - models, weights)
        if float(count @ np.array(size)) <= _PRESSED * memory or last == models - 1:
            yield picked, count


def _form(engine: figures.Serving, precision: str) -> _Form:
    loss = figures.losses(precision, engine.params_b)
    return _Form(
        f"{precision} {engine.num_gpus}x{engine.gpu}",
        engine.gpu,
        engine.num_gpus,
        engine.tokens_per_s,
        engine.params_b * loss.bits / 8 * _CACHE,
        loss.loss_percent,
    )


def _variants(forms: list[_Form], cards: float) -> list[Variant]:
    """The forms at the rate that so many cards of the first one serve, in parts where needed."""
    rate = cards * forms[0].tokens_per_s / forms[0].num_gpus
    found = []
    for form in forms:
        parts = math.ceil(rate / form.tokens_per_s)
        share = rate / (parts * form.tokens_per_s)
        compute = math.ceil(_CARD * form.num_gpus * share)
        found.append(
            Variant(
                form.name,
                compute=compute,
                storage=math.ceil(form.memory_gb),
                eligible=[form.gpu],
                loss=form.loss,
                parts=parts,
            )
        )
    return found


def _planted(
    forms: list[list[_Form]], weight: Array, count: Array, site: Site, load: float
) -> tuple[list[list[Variant]], list[int], Planting] | None:
    """Variants at the highest rates at which an allocation is found, the limits, and that."""
    nodes = site.kind.size
    scale = load * nodes * _CARDS / float((count * weight).sum())
    for attempt in range(_ATTEMPTS):
        for _ in range(3):
            pairs = zip(forms, weight.tolist(), strict=True)
            menus = [_variants(menu, scale * w) for menu, w in pairs]
            chosen = choose(menus, count, site, fill=0.92 - 0.01 * attempt, strict=_STRICT)
            scale *= load * 0.98**attempt / (chosen.load or 1.0)
        limit = [
            max(2, math.ceil(3 * int(m) * max(map(parts_of, menu)) / nodes))
            for menu, m in zip(menus, count, strict=True)
        ]
        planting = plant(chosen, limit, site)
        if planting is not None:
            return menus, limit, planting
    return None
