import numpy as np
import oracle
import pytest
from random_instances import random_instances

from solver import Energy, Node, Task
from solver.bounds import lagrangian, linear
from solver.bounds.closed_form import closed_form_bound
from solver.bounds.linear import linear_bound
from solver.model.instance import Instance
from solver.problem.coarsening import NODE_GROUPS, TASK_GROUPS, coarsen
from solver.problem.problem import Problem


@pytest.fixture
def always_coarse(monkeypatch):
    solve_up_to(0, monkeypatch)


def solve_up_to(cells, monkeypatch):
    """Have relaxations up to this size solved as they are."""
    for module in (lagrangian, linear):
        monkeypatch.setattr(module, "PROGRAM_CELLS", cells)


def varied(nodes=60, tasks=300, seed=2, **features):
    """Every node and task different, three kinds of node, storage tight for one of them."""
    rng = np.random.default_rng(seed)
    storage = rng.integers(800, 1200, nodes)
    storage[: nodes // 3] //= 2
    return Instance.from_arrays(
        node_compute=rng.integers(500, 1500, nodes),
        node_storage=storage,
        node_kind=(["small"] * (nodes // 3) + ["large"] * nodes)[:nodes],
        node_overload_price=rng.integers(100, 2000, nodes),
        task_compute=rng.integers(1, 420, tasks),
        task_storage=rng.integers(1, 220, tasks),
        task_eligible=rng.choice(2, tasks, p=[0.8, 0.2]),
        eligible_groups=[None, ("small",)],
        **features,
    )


@pytest.mark.parametrize("integers", [True, False])
def test_the_bound_at_coarse_prices_never_passes_the_optimum(integers, always_coarse):
    compared = 0
    for instance in random_instances(80, seed=606, integers=integers):
        best = oracle.brute_force(instance)
        if best is not None:
            problem = Problem(instance)
            bound = linear_bound(problem)
            assert closed_form_bound(problem) <= bound
            assert bound <= best.cost * instance.exact.cost_scale
            compared += 1
    assert compared >= 50


@pytest.mark.parametrize("features", [{}, {"power_off": True}, {"max_load": 1.25}])
def test_coarse_prices_are_nearly_as_good_as_the_fine_ones(features, monkeypatch):
    problem = Problem(varied(**features))
    solve_up_to(10**9, monkeypatch)
    fine = linear_bound(problem)
    solve_up_to(0, monkeypatch)
    coarse = linear_bound(problem)
    assert 0.97 * fine <= coarse <= fine
    assert coarse >= closed_form_bound(problem)


def test_a_coarse_problem_has_few_classes_and_the_same_totals():
    problem = Problem(varied())
    coarse = coarsen(problem)
    assert coarse.classes.num_node_classes <= NODE_GROUPS
    assert coarse.classes.num_task_classes <= TASK_GROUPS
    fine, rough = problem.instance.exact, coarse.instance.exact
    assert rough.needs.shape == fine.needs.shape
    n, m = problem.instance.num_nodes, problem.instance.num_tasks
    assert abs(int(rough.node_compute.sum()) - int(fine.node_compute.sum())) <= n / 2
    assert abs(int(rough.task_compute.sum()) - int(fine.task_compute.sum())) <= m / 2
    assert (coarse.instance.eligible_nodes == problem.instance.eligible_nodes).all()


def test_tasks_and_nodes_of_different_eligibility_are_kept_apart():
    instance = Instance.from_arrays(
        node_compute=[10, 11, 12, 13],
        node_kind=["a", "b", "a", "b"],
        task_compute=[1, 2, 3],
        task_eligible=[["a"], ["b"], None],
    )
    coarse = coarsen(Problem(instance))
    node_class, task_class = coarse.classes.node_class, coarse.classes.task_class
    assert len({(kind, k) for kind, k in zip("abab", node_class.tolist(), strict=True)}) >= 2
    assert not set(node_class[[0, 2]]) & set(node_class[[1, 3]])
    assert len(set(task_class.tolist())) == 3


def test_no_tasks_can_be_coarsened():
    instance = Instance.from_arrays(node_compute=[3, 5], task_compute=[])
    assert coarsen(Problem(instance)).instance.num_tasks == 0


@pytest.mark.parametrize("power_off", [True, "owned"])
def test_nodes_with_a_fixed_cost_can_be_coarsened(power_off):
    watts = {"idle_watts": 50, "max_watts": 90}
    nodes = [Node(f"n{i}", 20 + i, fixed_cost=30 + i, **watts) for i in range(4)]
    tasks = [Task(f"t{j}", 3 + j) for j in range(6)]
    energy = Energy(hours=1, price_per_kwh=1) if power_off == "owned" else None
    instance = Instance(nodes, tasks, max_load=1, power_off=power_off, energy=energy)
    coarse = coarsen(Problem(instance))
    assert coarse.instance.num_nodes == 4
    assert linear._coarse_prices(Problem(instance), 10.0) is not None
