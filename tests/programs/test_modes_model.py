"""The assignment model of the whole model: every placement has its place, nothing else passes."""

from fractions import Fraction

import numpy as np
import pytest
import whole_oracle
from linear_rows import rows_hold
from whole_brute_force import brute_force
from whole_instances import random_placement, whole_instances

from solver import Instance, Node, Spread, Task, Variant
from solver.problem.grid import Width
from solver.problem.problem import Problem
from solver.programs.assignment import assignment_model, count_cells


def rich(count, seed, **options):
    for number, case in enumerate(whole_instances(count, seed=seed, **options)):
        if not case.instance.is_plain:
            yield number, *case


def cost_on(built, node_index):
    units = built.grid.offset + built.grid.cost_unit * built.objective_of(node_index)
    return Fraction(units, built.problem.instance.exact.cost_scale)


@pytest.mark.parametrize("integers", [True, False])
def test_every_placement_has_its_place_at_its_cost(integers):
    encoded = 0
    for number, instance, homes in rich(120, seed=71, integers=integers):
        problem = Problem(instance)
        built = assignment_model(problem, problem.outer_grid, outer=True)
        best = brute_force(instance, homes)
        placements = [] if best is None else [best.placement]
        placements += [random_placement(instance, homes, 50 * number + k) for k in range(5)]
        for placement in placements:
            if not whole_oracle.feasible(instance, homes, placement):
                continue
            node_index = np.array(whole_oracle.node_index_of(instance, placement))
            values = built.encode(node_index)
            assert rows_hold(built.model, values)
            cost = whole_oracle.cost(instance, homes, placement)
            back = whole_oracle.placement_of(instance, built.decode(values).tolist())
            assert whole_oracle.feasible(instance, homes, back)
            dealt = whole_oracle.cost(instance, homes, back)
            assert dealt <= cost
            if built.grid.exact_cost:
                assert cost_on(built, node_index) == dealt
            else:
                assert cost_on(built, node_index) <= dealt
            encoded += 1
    assert encoded >= 100


def test_no_placement_that_breaks_a_rule_passes():
    refused = 0
    for number, instance, homes in rich(120, seed=72):
        problem = Problem(instance)
        built = assignment_model(problem, problem.grid)
        for seed in range(8):
            placement = random_placement(instance, homes, 50 * number + seed)
            if whole_oracle.feasible(instance, homes, placement):
                continue
            node_index = np.array(whole_oracle.node_index_of(instance, placement))
            try:
                values = built.encode(node_index)
            except (AssertionError, IndexError):  # it has no cell, or leaves out what must run
                continue
            if rows_hold(built.model, values):
                back = whole_oracle.placement_of(instance, built.decode(values).tolist())
                assert whole_oracle.feasible(instance, homes, back)
            refused += 1
    assert refused >= 120


def test_cells_are_counted_before_they_are_built():
    for _, instance, _ in rich(60, seed=73):
        problem = Problem(instance)
        built = assignment_model(problem, problem.grid)
        assert built.cell_class.size <= count_cells(problem)


def test_a_form_with_fewer_tasks_reaches_fewer_identical_nodes():
    """Five identical nodes and a task in one large part or two small ones: two nodes are enough."""
    variants = [Variant("one", compute=4), Variant("two", compute=2, parts=2)]
    nodes = [Node(f"n{i}", compute=4) for i in range(5)]
    problem = Problem(Instance(nodes, [Task("a", variants=variants)]))
    built = assignment_model(problem, problem.grid)
    assert built.cell_node.max() == 1


@pytest.mark.parametrize("outer", [True, False])
def test_a_budget_too_wide_is_rounded_to_the_safe_side(outer):
    """Two tasks that lose 1 and 1 + 1e-15, with a budget of 2: both may not be small."""
    tasks = [
        Task(name, variants=[Variant("big", compute=4), Variant("small", compute=1, loss=loss)])
        for name, loss in (("a", 1), ("b", 1.000000000000001))
    ]
    for budget, allowed in ((2, False), (2.000000000000001, True)):
        instance = Instance([Node("n", compute=8)], tasks, quality_budget=budget)
        problem = Problem(instance)
        built = assignment_model(problem, problem.float_grid, Width.FLOAT, outer=outer)
        passes = rows_hold(built.model, built.encode(np.array([-1, 0, -1, 0])))
        # Without the row of a budget that cannot be exceeded there is nothing to round.
        assert built.exact_budget is allowed
        assert passes is (outer or allowed)


def test_nodes_that_are_on_hold_what_each_zone_must_take():
    """Two services of four replicas, even over two zones of nodes of 4: 6 units in each zone."""
    nodes = [Node(f"n{i}", compute=4, labels={"zone": "ab"[i % 2]}) for i in range(6)]
    tasks = [Task("s", 1, replicas=4), Task("t", 2, replicas=4)]
    rules = [Spread("s", "zone", 1), Spread("t", "zone", 1)]
    instance = Instance(nodes, tasks, rules=rules, power_off=True, max_load=1)
    problem = Problem(instance)
    built = assignment_model(problem, problem.grid)
    u = built.cell_class.size + 6 + np.arange(6)  # behind the cells and the overloads
    rows = np.repeat(np.arange(built.model.num_rows), np.diff(built.model.row_start))
    only_u = np.setdiff1d(rows, rows[~np.isin(built.model.column, u)])
    assert sorted(built.model.row_lower[only_u].tolist())[-3:] == [6, 6, 12]
