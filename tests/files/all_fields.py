"""Instances that use every field of nodewise/2, for the tests of files."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from solver.model.instance import Instance, Node, Task
from solver.model.records import Part, Variant
from solver.model.rules import Affinity, AntiAffinity, Limit, Spread

amounts = st.one_of(
    st.integers(0, 2**80),
    st.floats(0, 1e300, allow_nan=False),
    st.sampled_from([0, 1, 0.1, 2**53, 2**63, 1e22, 5e-324]),
)
texts = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(",|\"'\r\n\t\ufeff "), min_size=1
)


def full_instance() -> Instance:
    """Every field once, small enough to read."""
    return Instance(
        nodes=[
            Node("a", 8, storage=80, fixed_cost=23.6, overload_price=4, labels={"zone": "x"}),
            Node("b", 8, storage=80, labels={"zone": "y", "rack": "r1"}, state="cordoned"),
            Node("c", 8, kind="K", resources={"gpu": 8}, state="drained"),
        ],
        tasks=[
            Task("t", 1, eligible=["zone=x", "c"], groups=["front"], skip_price=3),
            Task("u", model="m", max_loss=2, replicas=2, groups=["front"], pinned="a"),
            Task(
                "v",
                variants=[
                    Variant("x", 2, eligible=["zone=x"], resources={"gpu": 2}),
                    Variant("y", parts=[Part(1, eligible=["K"]), Part(2, 3)], price=1.5, loss=0.5),
                ],
                move_price=7,
                pinned=["a", "c"],
            ),
        ],
        models={
            "m": [Variant("bf16", 3, parts=2), Variant("fp8", 1, 1, loss=1)],
            "unused": [Variant("only", 0.25, resources={"gpu": 1})],
        },
        rules=[
            Limit("front", "zone", 3),
            Spread("front", "node", 2),
            Spread("u", "zone", 1, min_domains=2),
            Affinity("front", "kind", with_="u"),
            Affinity("u", "zone"),
            AntiAffinity("front", "u", "zone"),
        ],
        max_load=2,
        power_off="owned",
        name="full",
        energy={"hours": 10, "price_per_kwh": 0.25},
        quality_budget=3,
        quality_price=0.5,
        current={
            "t": "b",
            "u-0": {"node": ["a", "b"], "variant": "bf16"},
            "v": {"node": [None, "c"], "variant": "y"},
        },
        move_price=1,
        max_moves=3,
        max_moving={"front": 2, "u": 0},
        currency="USD",
    )


@st.composite
def rich_instances(draw: st.DrawFn) -> Instance:
    """Any instance; names of any characters, everything on or off."""
    node_ids = draw(st.lists(texts, min_size=1, max_size=3, unique=True))
    task_ids = draw(st.lists(texts, max_size=4, unique=True))
    resources = draw(st.lists(texts.map(lambda name: f"r{name}r"), max_size=2, unique=True))
    keys = draw(st.lists(texts.map(lambda key: f"k{key.replace('=', '')}k"), max_size=2))
    nodes = [
        Node(
            node,
            1 if draw(st.booleans()) else draw(amounts),
            storage=draw(st.just(math.inf) | amounts),
            kind=draw(st.none() | texts),
            resources={name: draw(amounts) for name in resources},
            labels={key: draw(texts) for key in keys if draw(st.booleans())},
            state=draw(st.sampled_from(["open", "cordoned", "drained"])),
            **draw(prices()),
        )
        for node in node_ids
    ]
    words = {*node_ids, *(node.kind for node in nodes if node.kind)}
    words |= {f"{key}={value}" for node in nodes for key, value in node.labels.items()}
    lists = st.none() | st.lists(st.sampled_from(sorted(words)), min_size=1, max_size=3)
    sets = st.lists(variants(lists, resources), min_size=1, max_size=3, unique_by=lambda v: v.name)
    models = draw(st.dictionaries(texts, sets, max_size=2))
    groups = draw(st.lists(texts, min_size=1, max_size=3, unique=True))
    tasks = [
        Task(
            task,
            **draw(figures(lists, resources, sets, sorted(models))),
            groups=draw(st.lists(st.sampled_from(groups), max_size=2)),
            max_loss=draw(st.none() | amounts),
            skip_price=draw(st.none() | amounts),
            move_price=draw(st.none() | amounts),
            pinned=draw(
                st.none()
                | st.sampled_from(node_ids)
                | st.lists(st.sampled_from(node_ids), min_size=1)
            ),
        )
        for task in task_ids
    ]
    named = sorted({group for task in tasks for group in task.groups})
    labels = sorted({key for node in nodes for key in node.labels})
    return Instance(
        nodes,
        tasks,
        models=models,
        rules=draw(st.lists(rules(named, ["node", *labels]), max_size=3)) if named else (),
        max_load=draw(st.none() | st.floats(0.1, 10) | st.integers(1, 9)),
        power_off=draw(st.sampled_from([False, True, "owned"])),
        name=draw(st.none() | texts),
        quality_budget=draw(st.none() | amounts),
        quality_price=draw(amounts),
        current=draw(st.none() | places(tasks, models, node_ids)),
        move_price=draw(amounts),
        max_moves=draw(st.none() | st.integers(0, 9)),
        max_moving=draw(st.dictionaries(st.sampled_from(named), st.integers(0, 9)))
        if named
        else None,
        currency=draw(st.none() | texts),
    )


@st.composite
def prices(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"fixed_cost": draw(amounts), "overload_price": draw(amounts)}
    return {"price": draw(st.none() | amounts), "overload_price": draw(st.none() | amounts)}


@st.composite
def variants(draw: st.DrawFn, lists: st.SearchStrategy[Any], resources: list[str]) -> Variant:
    def needs() -> dict[str, Any]:
        return {name: draw(amounts) for name in resources if draw(st.booleans())}

    common = {
        "name": draw(texts),
        "eligible": draw(lists),
        "price": draw(amounts),
        "loss": draw(amounts),
    }
    if draw(st.booleans()):
        parts = [
            Part(draw(amounts), draw(amounts), needs(), draw(lists))
            for _ in range(draw(st.integers(1, 3)))
        ]
        return Variant(**common, parts=parts)
    return Variant(
        **common,
        compute=draw(amounts),
        storage=draw(amounts),
        resources=needs(),
        parts=draw(st.integers(1, 3)),
    )


@st.composite
def figures(
    draw: st.DrawFn,
    lists: st.SearchStrategy[Any],
    resources: list[str],
    sets: st.SearchStrategy[Any],
    models: list[str],
) -> dict[str, Any]:
    kind = draw(st.sampled_from(["own", "variants", *(["model"] if models else [])]))
    if kind == "model":
        return {"model": draw(st.sampled_from(models))}
    if kind == "variants":
        return {"variants": draw(sets)}
    needs = {name: draw(amounts) for name in resources if draw(st.booleans())}
    return {
        "compute": draw(amounts),
        "storage": draw(amounts),
        "eligible": draw(lists),
        "resources": needs,
    }


def rules(groups: list[str], domains: list[str]) -> st.SearchStrategy[Any]:
    group, domain, few = st.sampled_from(groups), st.sampled_from(domains), st.integers(1, 3)
    found = [
        st.builds(Limit, group, domain, st.integers(0, 3)),
        st.builds(Spread, group, domain, few, few),
        st.builds(Affinity, group, domain),
    ]
    if len(groups) > 1:
        first, second = groups[:2]
        found += [
            st.builds(Affinity, st.just(first), domain, st.just(second)),
            st.builds(AntiAffinity, st.just(second), st.just(first), domain),
        ]
    return st.one_of(found)


@st.composite
def places(
    draw: st.DrawFn, tasks: list[Task], models: dict[str, list[Variant]], nodes: list[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for task in tasks:
        if draw(st.booleans()):
            continue
        listed = models[task.model] if task.model else task.variants
        if listed is None:
            found[task.id] = draw(st.sampled_from(nodes))
            continue
        variant = draw(st.sampled_from(list(listed)))
        count = variant.parts if isinstance(variant.parts, int) else len(variant.parts)
        place = draw(st.permutations([*nodes, None, None, None]))[:count]
        found[task.id] = {"node": place, "variant": variant.name}
    return found
