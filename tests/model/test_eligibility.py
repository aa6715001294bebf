"""Lists of labels without the whole mask: the same answers, in a fraction of the memory."""

import subprocess
import sys

import numba
import numpy as np
import pytest
from random_instances import random_instances

from instances import from_spec
from solver import Instance, Status, check, cost_of, solve
from solver.bounds.infeasible import why_infeasible
from solver.kernels.fits import may_run
from solver.kernels.state import make_facts, task_order
from solver.model import eligibility
from solver.problem.problem import Problem
from solver.search.parts import cut, take


@pytest.fixture
def no_mask(monkeypatch):
    monkeypatch.setattr(eligibility, "MOST_MASK", 0)


def listed(seed=0, nodes=12, tasks=60):
    """Tasks that name ids, kinds, label values or nothing; one id is also a kind."""
    rng = np.random.default_rng(seed)
    ids = [f"n{i}" for i in range(nodes)]
    kinds = rng.choice(["a", "b", "n0", None], nodes).tolist()
    zones = rng.choice(["x", "y", None], nodes).tolist()
    labels = [*ids, *(kind for kind in kinds if kind)]
    if seed % 2:
        labels += [f"zone={zone}" for zone in zones if zone]
    lists = [
        None if rng.random() < 0.2 else list(rng.choice(labels, rng.integers(1, 4), replace=False))
        for _ in range(tasks)
    ]
    return Instance.from_arrays(
        node_ids=ids,
        node_kind=kinds,
        node_labels={"zone": zones, "rack": ["r"] * nodes},
        node_compute=rng.integers(20, 60, nodes),
        node_storage=rng.integers(60, 90, nodes),
        task_compute=rng.integers(1, 12, tasks),
        task_storage=rng.integers(1, 10, tasks),
        task_eligible=[labels and [str(label) for label in labels] for labels in lists],
    )


def expected_mask(instance):
    return np.array([
        [
            labels is None
            or not {node.id, node.kind, f"zone={node.labels.get('zone')}"}.isdisjoint(labels)
            for node in instance.nodes
        ]
        for labels in instance.groups
    ])  # fmt: skip


@pytest.mark.parametrize("most", [0, 2**26])
def test_every_question_has_the_answer_of_the_records(most, monkeypatch):
    monkeypatch.setattr(eligibility, "MOST_MASK", most)
    for seed in range(20):
        instance = listed(seed)
        found, mask = instance.eligibility, expected_mask(instance)
        groups, nodes = np.arange(mask.shape[0]), np.arange(mask.shape[1])
        assert (found.mask is None) == (most == 0)
        assert (instance.eligible_nodes == mask).all()
        assert (found.block(groups[::2], nodes[1:5]) == mask[::2, 1:5]).all()
        assert (found.at(groups[:, None].astype(np.int32), nodes[None, :]) == mask).all()
        assert (found.at(groups, 3) == mask[:, 3]).all()
        assert all((found.row(g) == mask[g]).all() for g in groups.tolist())
        pairs = np.argwhere(mask | ~mask).tolist()
        assert all(found.allows(g, i) == mask[g, i] for g, i in pairs)
        start, hosts = found.short_lists
        for g, labels in enumerate(instance.groups):
            of_group = hosts[start[g] : start[g + 1]].tolist()
            assert of_group == ([] if labels is None else np.flatnonzero(mask[g]).tolist())


def test_long_lists_are_not_among_the_short_ones(monkeypatch):
    monkeypatch.setattr(eligibility, "FEW_NODES", 2)
    instance = listed()
    start, _ = instance.eligibility.short_lists
    assert np.diff(start).max() <= 2
    assert (np.diff(start) == 0).sum() > 1


@numba.njit
def answers(facts):
    found = np.zeros((facts.demand.size, facts.node_compute.size), dtype=np.bool_)
    for t in range(facts.demand.size):
        for i in range(facts.node_compute.size):
            found[t, i] = may_run(facts, t, i)
    return found


def test_kernels_ask_the_lists_where_there_is_no_mask(no_mask):
    for seed in range(5):
        instance = listed(seed)
        problem = Problem(instance)
        order = task_order(problem)
        facts = make_facts(problem, order)
        mask = expected_mask(instance)[instance.task_group[order]]
        assert facts.allowed.shape[0] == 0
        rng = np.random.default_rng(seed)
        for nodes in cut(facts, np.zeros(instance.num_nodes, dtype=np.int64), 2, rng):
            own, _, tasks = take(facts, rng.integers(0, instance.num_nodes, order.size), nodes)
            assert (answers(own) == mask[np.ix_(tasks, nodes)]).all()


METHODS = ("greedy", "best-fit", "round-robin", "local-search", "cp-sat", "auto")


@pytest.mark.parametrize("method", METHODS)
def test_methods_answer_without_a_mask_as_with_it(method, monkeypatch):
    instances = [listed(seed, nodes=5, tasks=9) for seed in range(3)]
    instances += random_instances(4, seed=77)
    for instance in instances:
        results = []
        for most in (2**26, 0):
            monkeypatch.setattr(eligibility, "MOST_MASK", most)
            results.append(solve(instance.replace(), method, time_limit=5))
        one, other = results
        if method == "local-search":  # the classes it searches over are fewer with a mask
            assert (one.allocation is None) == (other.allocation is None)
        else:
            assert (one.status, one.cost) == (other.status, other.cost)
        for result in results:
            if result.allocation is not None:
                assert check(instance, result.allocation) == []
                assert result.cost == cost_of(instance, result.allocation)


def test_without_compiled_code_and_without_a_mask(no_mask, monkeypatch):
    from solver.methods.base import Options
    from solver.methods.placing.placement import Placement
    from solver.methods.placing.plain_greedy import fill_plainly

    instance = listed(3, nodes=200, tasks=300)
    placement = Placement(Problem(instance))
    order = np.argsort(-instance.task_compute, kind="stable")
    assert fill_plainly(placement, order, Options(deadline=float("inf"))) == []
    assert check(instance, placement.node_index) == []


PINNED = """
import resource, tempfile
from pathlib import Path
import numpy as np
from solver import Instance, check, read_instance, solve, write_instance

n, m, rng = 10_000, 100_000, np.random.default_rng(0)
lists = [[f"node-{i}" for i in rng.choice(n, 3, replace=False)] for _ in range(m)]
instance = Instance.from_arrays(
    node_compute=np.full(n, 1000), node_storage=np.full(n, 1500),
    task_compute=rng.integers(1, 200, m), task_storage=rng.integers(1, 180, m),
    task_eligible=np.arange(m), eligible_groups=lists,
)
with tempfile.TemporaryDirectory() as folder:
    write_instance(instance, Path(folder, "instance.zip"))
    instance = read_instance(Path(folder, "instance.zip"))
result = solve(instance, "{method}", time_limit=20)
assert check(instance, result.allocation) == []
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
@pytest.mark.parametrize("method", ["greedy", "auto"])
def test_a_hundred_thousand_tasks_pinned_to_three_nodes_each_take_less_than_a_gigabyte(method):
    done = subprocess.run(
        [sys.executable, "-c", PINNED.replace("{method}", method)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert int(done.stdout) < 2**20


def test_tasks_that_fit_on_none_of_their_nodes_are_found_with_and_without_a_mask(monkeypatch):
    instance = from_spec("few_per_node:nodes=4,seed=1")
    lists = [["node-0"]] * (instance.num_tasks - 1) + [["node-1"]]
    pinned = instance.replace(task_eligible=lists, eligible_groups=None)
    huge = pinned.replace(task_storage=[10**9] * instance.num_tasks)
    for most in (2**26, 0):
        monkeypatch.setattr(eligibility, "MOST_MASK", most)
        assert why_infeasible(Problem(instance.replace())) is None
        assert solve(pinned.replace(), "cp-sat", time_limit=10).status is Status.INFEASIBLE
        sentence = why_infeasible(Problem(huge.replace()))
        assert "task-0" in sentence
        assert "11 further tasks fit no node either" in sentence
