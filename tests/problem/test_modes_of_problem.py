"""The classes of the whole model: tasks, forms, modes, nodes, homes and domains."""

import numpy as np
import pytest

from solver import (
    Affinity,
    AntiAffinity,
    Instance,
    Limit,
    Node,
    Part,
    Spread,
    Task,
    Variant,
)
from solver.problem.problem import Problem

FOUR = [Node(f"n{i}", 4, labels={"zone": "xy"[i // 2]}) for i in range(4)]
TWO = (Variant("f", 4, price=3), Variant("q", 1, parts=2, loss=1))


def modes_of(instance):
    return Problem(instance).modes


def test_a_plain_instance_has_none():
    problem = Problem(Instance(FOUR, [Task("t", 1, groups=["g"])]))
    assert problem.modes is None
    assert problem.classes.task_class.tolist() == [0]


def test_tasks_of_a_model_are_one_class_with_a_form_a_variant():
    instance = Instance(FOUR, [Task(f"t{j}", model="m") for j in range(3)], models={"m": TWO})
    modes = modes_of(instance)
    assert modes.task_class.tolist() == [0, 0, 0]
    assert modes.task_count.tolist() == [3]
    assert modes.skip_cost == (None,)
    assert modes.form_variant.tolist() == [0, 1]
    assert modes.form_cost == (3, 0)
    assert modes.form_loss == (0, 1)
    assert modes.mode_form.tolist() == [0, 1]
    assert modes.mode_parts.tolist() == [1, 2]
    assert modes.classes.task_count.tolist() == [3, 6]
    assert modes.classes.task_class.tolist() == [0, 1, 1] * 3
    assert modes.rows_of(1).tolist() == [1, 2, 4, 5, 7, 8]
    assert modes.classes.num_node_classes == 1


def test_tasks_that_list_parts_are_classes_of_their_own():
    listed = (Variant("p", parts=[Part(1), Part(2)]), Variant("o", 3))
    instance = Instance(FOUR, [Task("t", variants=listed), Task("u", variants=listed)])
    modes = modes_of(instance)
    assert modes.task_class.tolist() == [0, 1]
    assert modes.mode_form.tolist() == [0, 0, 1, 2, 2, 3]
    assert modes.mode_parts.tolist() == [1] * 6
    assert Problem(instance).table.demand.tolist() == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize(
    "other",
    [
        {"skip_price": 5},
        {"pinned": "n0"},
        {"groups": ["g"]},
        {"compute": 2},
        {"storage": 1},
        {"eligible": ["n1"]},
    ],
    ids=str,
)
def test_tasks_that_differ_are_in_different_classes(other):
    tasks = [Task("t", 1), Task("u", **{"compute": 1, **other}), Task("v", 1, groups=["h"])]
    nodes = [Node("n0", 4, 9), Node("n1", 4, 9)]
    rule = Limit("g", "node", 1) if "groups" in other else Limit("h", "node", 1)
    assert modes_of(Instance(nodes, tasks, rules=[rule])).task_class[:2].tolist() == [0, 1]


def test_forms_that_lose_too_much_are_left_out():
    tasks = [Task("t", variants=TWO, max_loss=0.5), Task("u", variants=TWO)]
    modes = modes_of(Instance(FOUR, tasks))
    assert modes.form_class.tolist() == [0, 1, 1]
    assert modes.classes.task_class.tolist() == [0, -1, -1, 1, 2, 2]
    assert [modes.rows_of(p).tolist() for p in range(3)] == [[0], [3], [4, 5]]


def test_tasks_that_may_move_share_a_class_and_nodes_are_apart():
    tasks = [Task(f"t{j}", 1) for j in range(4)]
    current = {"t0": "n0", "t1": "n0", "t2": "n2"}
    modes = modes_of(Instance(FOUR, tasks, current=current, move_price=2, max_moves=1))
    assert modes.task_class.tolist() == [0, 0, 0, 1]
    assert modes.move_cost == (2, 0)
    assert modes.counts_as_move.tolist() == [True, False]
    assert modes.most_moves == 1
    homes = zip(modes.home_mode, modes.home_node, modes.home_count, strict=True)
    assert [tuple(map(int, home)) for home in homes] == [(0, 0, 2), (0, 2, 1)]
    assert modes.classes.node_class.tolist() == [0, 1, 2, 1]
    assert modes.home.tolist() == [[2, 0, 1], [0, 0, 0]]


def test_several_parts_with_a_place_make_a_class_of_its_own():
    tasks = [Task("t", variants=TWO), Task("u", variants=TWO), Task("v", variants=TWO)]
    current = {
        "t": {"node": ["n0", "n1"], "variant": "q"},
        "u": {"node": ["n0", "n1"], "variant": "q"},
        "v": {"node": "n2", "variant": "f"},
    }
    modes = modes_of(Instance(FOUR, tasks, current=current))
    assert modes.task_class.tolist() == [0, 1, 2]
    assert modes.home.tolist()[1] == modes.home.tolist()[3]  # two parts of each, on n0 and n1


def test_states_and_pins_close_nodes():
    nodes = [Node("a", 4), Node("b", 4, state="cordoned"), Node("c", 4, state="drained")]
    tasks = [Task("t", 1), Task("u", 1), Task("v", 1, pinned=["b", "c"])]
    problem = Problem(Instance(nodes, tasks, current={"t": "b", "u": "c"}))
    assert problem.modes.task_class.tolist() == [0, 0, 1]
    assert problem.fits.tolist() == [[True, True, False], [False, False, False]]
    assert problem.most_per_node.tolist() == [[2, 1, 0], [0, 0, 0]]


def test_limits_on_nodes_and_parts_apart_cap_what_a_node_holds():
    tasks = [Task("t", variants=TWO, groups=["g"], replicas=3), Task("u", 1, groups=["h"])]
    nodes = [Node("a", 4, labels={"zone": "x"}), Node("b", 4)]
    problem = Problem(Instance(nodes, tasks, rules=[Limit("g", "node", 2), Limit("h", "zone", 0)]))
    assert problem.classes.task_count.tolist() == [3, 6, 1]
    assert problem.most_per_node.tolist() == [[2, 2], [2, 2], [0, 0]]
    assert problem.fits.tolist() == [[True, True], [True, True], [False, False]]


def test_a_node_without_the_label_takes_no_part_of_the_group():
    nodes = [*FOUR, Node("bare", 9)]
    tasks = [Task("t", 1, groups=["g"]), Task("u", 1, groups=["h"])]
    problem = Problem(Instance(nodes, tasks, rules=[AntiAffinity("g", "h", "zone")]))
    assert problem.classes.node_class.tolist() == [0, 0, 1, 1, 2]
    assert problem.fits.tolist() == [[True, True, False], [True, True, True]]


def test_domains_of_rules():
    nodes = [*FOUR, Node("bare", 4, kind="k")]
    tasks = [Task("t", 1, groups=["g", "h"]), Task("u", model="m", groups=["h"])]
    rules = [Spread("g", "zone", 1), Affinity("h", "node", "g"), Limit("g", "kind", 2)]
    instance = Instance(nodes, tasks, models={"m": TWO}, rules=rules)
    problem = Problem(instance)
    spread, affinity, limit = problem.modes.rules
    assert problem.classes.node_class.tolist() == [0, 0, 1, 1, 2]
    assert spread.modes.tolist() == [0]
    assert spread.domain.tolist() == [0, 1, -1]
    assert (spread.num_domains, spread.counted.tolist()) == (2, [True, True])
    assert affinity.domain is None
    assert affinity.modes.tolist() == [0, 1, 2]
    assert affinity.other_modes.tolist() == [0]
    assert limit.domain.tolist() == [-1, -1, 0]
    assert (limit.most, spread.most) == (2, None)


def test_domains_count_by_eligibility_alone():
    nodes = [
        *FOUR,
        Node("n4", 0, 0, labels={"zone": "z"}, state="drained"),
        Node("n5", 4, labels={"zone": "w"}),
    ]
    tasks = [
        Task("t", 1, 1, groups=["g"], eligible=["zone=x", "zone=z"], pinned="n0"),
        Task("u", variants=[Variant("v", 1, eligible=["zone=y"], loss=9)], groups=["g"]),
    ]  # fmt: skip
    problem = Problem(
        Instance(nodes, tasks, rules=[Spread("g", "zone", 1), Spread("g", "node", 1)])
    )
    zones, single = problem.modes.rules
    assert zones.counted.tolist() == [True, True, True, False]
    by_node = single.counted[problem.classes.node_class]
    assert by_node.tolist() == [True, True, True, True, True, False]


def test_costs_of_choices_on_the_grid():
    nodes = [Node("a", 8, price=2), Node("b", 16, price=2)]
    tasks = [Task("t", 8, skip_price=12), Task("u", variants=[Variant("v", 8, price=0.5)])]
    problem = Problem(Instance(nodes, tasks))
    grid, exact = problem.grid, problem.instance.exact
    assert grid.exact
    costs = problem.mode_costs(grid)
    assert (costs.skip_cost * grid.cost_unit).tolist() == [12 * exact.cost_scale, -grid.cost_unit]
    assert (costs.form_cost * grid.cost_unit).tolist() == [0, exact.cost_scale // 2]


def test_a_fixed_cost_that_compute_does_not_divide_is_exact_on_the_grid():
    nodes = [
        Node("a", 8, fixed_cost=3, overload_price=8),
        Node("b", 16, fixed_cost=5, overload_price=8),
    ]
    grid = Problem(Instance(nodes, [Task("t", 8)], power_off=True)).grid
    assert grid.exact
    assert (grid.idle_cost * grid.cost_unit).tolist() == [3, 5]


def test_no_tasks_and_no_allowed_form():
    assert modes_of(Instance(FOUR, [], current={})).num_modes == 0
    modes = modes_of(Instance(FOUR, [Task("t", variants=[Variant("v", 1, loss=2)], max_loss=1)]))
    assert (modes.num_classes, modes.num_forms, modes.num_modes) == (1, 0, 0)
    assert modes.classes.task_class.tolist() == [-1]


def test_many_services_with_a_limit_each_stay_small():
    services, replicas, n = 2_000, 4, 500
    task = np.repeat(np.arange(services), replicas)
    instance = Instance.from_arrays(
        node_compute=[100] * n,
        task_compute=1 + task % 7,
        task_groups=task,
        group_sets=[(f"s{k}",) for k in range(services)],
        rules=[Limit(f"s{k}", "node", 1) for k in range(services)],
    )
    problem = Problem(instance)
    assert problem.exact_numbers.needs.shape == (services, 0)
    assert (problem.most_per_node == 1).all()
    assert problem.classes.num_node_classes == 1
