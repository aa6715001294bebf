"""Random re-plannings: an order exists exactly where brute force finds one, and replays clean."""

from __future__ import annotations

import math

import numpy as np
import pytest
from nightly import NIGHTLY
from order_oracle import Whole, fewest_moves, positions, some_permutation

from solver import (
    Affinity,
    Allocation,
    AntiAffinity,
    Instance,
    Limit,
    Node,
    Part,
    PlanStatus,
    Spread,
    Task,
    Variant,
    check,
    check_plan,
)
from solver.plan.order import order_moves


def replayed(instance, before, after, plan, **caps):
    """What the judge says of a plan."""
    placed = instance.replace(current=before)
    return check_plan(placed, Allocation(placed, after), plan, **caps)


def stored(rng, wide):
    """A random re-planning of storage, tight enough that the order matters."""
    nodes, tasks = int(rng.integers(2, 5)), int(rng.integers(2, 9))
    sizes = rng.integers(0, 7, tasks)
    before = rng.integers(0, nodes, tasks)
    moving = rng.permutation(tasks)[:6]
    after = before.copy()
    after[moving] = rng.integers(0, nodes, moving.size)
    used = [np.bincount(each, sizes, nodes) for each in (before, after)]
    broken = rng.random(nodes) < 0.1
    capacities = np.where(broken, used[1], np.maximum(*used)) + rng.integers(0, 5, nodes)
    unit = 10**25 + 1 if wide else 1
    sizes, capacities = ([int(x) * unit for x in column] for column in (sizes, capacities))
    instance = Instance(
        [Node(f"n{i}", 1, storage=capacity) for i, capacity in enumerate(capacities)],
        [Task(f"t{k}", 1, storage=size) for k, size in enumerate(sizes)],
    )
    return instance, capacities, sizes, before.tolist(), after.tolist()


@pytest.mark.parametrize("seed", range(300 if NIGHTLY else 90))
def test_an_order_exists_exactly_where_brute_force_finds_one(seed):
    rng = np.random.default_rng(seed)
    instance, capacities, sizes, before, after = stored(rng, wide=seed % 5 == 4)
    plan = order_moves(instance, before, after)
    fewest = fewest_moves(capacities, sizes, before, after)
    assert plan.status is (PlanStatus.ORDERED if fewest < math.inf else PlanStatus.NONE)
    if fewest < math.inf:
        assert replayed(instance, before, after, plan) == []
        assert plan.num_moves == fewest
        straight = sum(a != b for a, b in zip(before, after, strict=True))
        assert (fewest == straight) == some_permutation(capacities, sizes, before, after)
        assert plan.num_bypasses == fewest - straight


def whole(rng):
    """A random re-planning of the whole model: parts, variants, rules, states, tasks left out.

    What is at the end mostly fits there, and not much more does.
    """
    labels = [{"zone": "ab"[i % 2]} if rng.random() < 0.9 else {} for i in range(3)]
    states = [str(rng.choice(["open"] * 15 + ["cordoned", "drained"])) for _ in range(3)]
    groups = [["g"], ["h"], ["g", "h"], []]
    tasks = [
        Task(f"t{k}", groups=groups[rng.integers(4)], skip_price=9, **figures(rng))
        for k in range(int(rng.integers(2, 4)))
    ]
    named = sorted({group for task in tasks for group in task.groups})
    domain = str(rng.choice(["node", *(["zone"] if any(labels) else [])]))
    kinds = [rule for rule in rules(rng, named, domain) if rng.random() < 0.4]

    def made(compute, storage, kept):
        nodes = [
            Node(f"n{i}", compute[i], storage=storage[i], labels=labels[i], state=states[i])
            for i in range(3)
        ]
        return Instance(nodes, tasks, rules=kept, max_load=1)

    roomy = made([99] * 3, [99] * 3, kinds)
    before, after = placed(rng, roomy, 0.2), placed(rng, roomy, 0.1, whole=True)
    there = Allocation(roomy, after)
    broken = {broken.rule for broken in check(roomy, there)}
    kept = [rule for rule in kinds if rule.name not in broken or rng.random() < 0.1]
    columns = []
    for used in (there.loads(), there.used("storage")):
        columns.append(
            [int(x) + int(rng.integers(-1 if rng.random() < 0.1 else 0, 4)) for x in used]
        )
    return made(*([max(0, x) for x in column] for column in columns), kept), before, after


def figures(rng):
    size = {"compute": int(rng.integers(1, 4)), "storage": int(rng.integers(0, 5))}
    draw = rng.random()
    if draw < 0.5:
        return {**size, "eligible": ["n0", "n1"] if rng.random() < 0.15 else None}
    if draw < 0.7:
        return {"variants": [Variant("two", parts=2, **size)]}
    if draw < 0.85:
        return {"variants": [Variant("one", **size), Variant("two", compute=1, storage=1, parts=2)]}
    return {"variants": [Variant("list", parts=[Part(1, 2), Part(2, 1)]), Variant("one", **size)]}


def rules(rng, groups, domain):
    if groups:
        yield Limit(groups[0], domain, int(rng.integers(1, 4)))
        yield Spread(groups[-1], domain, int(rng.integers(1, 3)))
        yield Affinity(groups[0], domain)
    if len(groups) > 1:
        yield Affinity("g", domain, with_="h")
        yield AntiAffinity("g", with_="h", domain=domain)


def placed(rng, instance, nowhere, *, whole=False):
    """A random placement: of each task one form, or none; before, parts of it may be nowhere."""
    rows = instance.rows
    places = {}
    for j in range(instance.num_tasks):
        if rng.random() < nowhere:
            continue
        form = int(rng.integers(rows.task_form[j], rows.task_form[j + 1]))
        mine = range(rows.form_start[form], rows.form_start[form + 1])
        nodes = rng.permutation(instance.num_nodes)
        if not whole and rng.random() < 0.1:
            nodes = rng.integers(0, instance.num_nodes, instance.num_nodes)
        for k, row in enumerate(mine):
            if whole or rng.random() < 0.9:
                places[row] = int(nodes[k % len(nodes)])
    return positions(instance, places)


@pytest.mark.parametrize("during", ["both", "target"])
@pytest.mark.parametrize("seed", range(400 if NIGHTLY else 60))
def test_the_whole_model_as_brute_force(seed, during):
    rng = np.random.default_rng([seed, during == "both"])
    instance, before, after = whole(rng)
    named = sorted({group for names in instance.group_sets for group in names})
    caps = {
        "max_moving": {group: int(rng.integers(1, 3)) for group in named if rng.random() < 0.3},
        "moves_per_node": int(rng.integers(1, 3)) if rng.random() < 0.3 else None,
    }
    plan = order_moves(instance, before, after, during=during, **caps)
    fewest = Whole(instance, before, after, during, **caps).fewest()
    assert plan.status is (PlanStatus.ORDERED if fewest < math.inf else PlanStatus.NONE)
    if fewest < math.inf:
        assert replayed(instance, before, after, plan, **caps) == []
        assert sum(move.target is not None for move in plan.moves) == fewest


def walked(rng):
    """A re-planning that a long random walk of safe moves leads to, in little room."""
    nodes, tasks = int(rng.integers(3, 15)), int(rng.integers(10, 50))
    sizes, before = rng.integers(1, 10, tasks), rng.integers(0, nodes, tasks)
    used = np.bincount(before, sizes, nodes).astype(int)
    capacities = used + rng.integers(0, 5, nodes)
    where, moved = before.copy(), set()
    for _ in range(int(rng.integers(10, 1000))):
        k, i = int(rng.integers(tasks)), int(rng.integers(nodes))
        if where[k] != i and used[i] + sizes[k] <= capacities[i]:
            used[where[k]] -= sizes[k]
            used[i] += sizes[k]
            where[k] = i
            moved.add(k)
    instance = Instance(
        [Node(f"n{i}", 1, storage=int(capacity)) for i, capacity in enumerate(capacities)],
        [Task(f"t{k}", 1, storage=int(size)) for k, size in enumerate(sizes)],
    )
    return instance, before, where, all(where[k] != before[k] for k in moved)


@pytest.mark.parametrize("seed", range(300 if NIGHTLY else 30))
def test_what_a_walk_leads_to_is_never_proved_to_have_no_order(seed):
    instance, before, after, only_those = walked(np.random.default_rng([seed, 5]))
    plan = order_moves(instance, before, after)
    if plan.status is PlanStatus.ORDERED:
        assert replayed(instance, before, after, plan) == []
    assert not (only_those and plan.status is PlanStatus.NONE)
