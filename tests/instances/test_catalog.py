import doctest

import oracle
import pytest

import instances.catalog as catalog
from instances import named
from solver.solve import solve


@pytest.mark.parametrize("name", named())
def test_named_instances_carry_their_name_and_are_solved_to_optimality(name):
    instance = named()[name]()
    assert instance.name == name
    result = solve(instance)
    assert result.status.value == "optimal"
    if instance.is_plain and instance.num_tasks <= 9:
        assert result.cost == oracle.brute_force(instance).cost


def test_the_example_needs_overload_and_its_storage_is_tight():
    instance = catalog.example()
    assert instance.task_compute.sum() > instance.node_compute.sum()
    assert 0.85 < instance.task_storage.sum() / instance.node_storage.sum() <= 1


@pytest.mark.parametrize(
    ("name", "cost", "servers"),
    [("llm_fleet", 44.0, 1), ("llm_fleet_bf16", 91.2, 3), ("uneven_zones", 8, 6)],
)
def test_published_figures_and_moves_have_their_known_cost(name, cost, servers):
    result = solve(named()[name]())
    assert (result.cost, result.bound) == (cost, cost)
    assert (result.allocation.tasks_per_node() > 0).sum() == servers


def test_docstrings():
    assert doctest.testmod(catalog).failed == 0
