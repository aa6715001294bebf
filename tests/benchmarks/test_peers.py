"""Methods of comparison: each solves a model of its own, and must solve the same problem."""

from __future__ import annotations

import json
import subprocess
from fractions import Fraction

import pytest

from benchmarks.competitors import COMPETITORS, ROOT
from benchmarks.peers.plain import integers_only, plain
from benchmarks.peers.protocol import UNSUPPORTED_EXIT, Unsupported
from solver import Instance, Node, Task, check, cost_of, write_instance
from tests.oracle import brute_force

TASKS = [
    Task(f"t{j}", compute=D, storage=s) for j, (D, s) in enumerate([(5, 3), (4, 2), (3, 4), (6, 1)])
]
NODES = [Node("a", compute=6, storage=6, kind="A"), Node("b", compute=9, storage=7, kind="B")]
CASES = {
    "storage": Instance(NODES, TASKS),
    "max_load": Instance(NODES, TASKS, max_load=1.25),
    "power_off": Instance([*NODES, Node("c", compute=20, storage=20)], TASKS, power_off=True),
    "prices": Instance(
        [
            Node("a", compute=6, storage=6, price=3, overload_price=9),
            Node("b", compute=5, storage=7, price=2, overload_price=1),
        ],
        TASKS,
    ),
    "eligible": Instance(
        NODES,
        [*TASKS[:2], Task("t2", compute=3, eligible=["A"]), Task("t3", compute=6, eligible=["b"])],
    ),
    "resources": Instance(
        [
            Node("a", compute=6, resources={"gpu": 2, "cpu": 9}),
            Node("b", compute=9, resources={"gpu": 3, "cpu": 8}),
        ],
        [
            Task("t0", compute=5, resources={"gpu": 1, "cpu": 4}),
            Task("t1", compute=4, resources={"gpu": 1, "cpu": 5}),
            Task("t2", compute=7, resources={"gpu": 2}),
        ],
    ),
}
EXACT = ("textbook-cp-sat", "textbook-HiGHS", "textbook-CBC", "textbook-SCIP")
HEURISTIC = ("rebalancer", "timefold")
NOWHERE = Instance(NODES, [Task("t", compute=1, storage=8)])


def answer(method, instance, folder, limit=5.0):
    competitor = COMPETITORS[method]
    if competitor.missing is not None:
        pytest.skip(competitor.missing)
    source, target = folder / "instance.json", folder / "answer.json"
    write_instance(instance, source)
    done = subprocess.run(
        [*competitor.command, str(source), "--method", method, "--time-limit", str(limit),
         "--workers", "1", "-o", str(target)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode == UNSUPPORTED_EXIT:
        raise Unsupported(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return json.loads(target.read_text())


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("method", EXACT)
def test_the_textbook_models_find_the_optimum(method, name, tmp_path):
    instance = CASES[name]
    found = answer(method, instance, tmp_path)
    assert found["status"] == "optimal"
    assert check(instance, found["allocation"]) == []
    cost = cost_of(instance, found["allocation"])
    assert Fraction(cost) == brute_force(instance).cost
    assert found["cost"] == pytest.approx(cost, rel=1e-9)
    assert found["bound"] == pytest.approx(cost, rel=1e-6)
    assert found["history"][-1][1] == pytest.approx(cost, rel=1e-9)


@pytest.mark.parametrize("method", EXACT)
def test_the_textbook_models_say_infeasible(method, tmp_path):
    found = answer(method, NOWHERE, tmp_path)
    assert (found["status"], found["allocation"]) == ("infeasible", None)


@pytest.mark.parametrize("method", EXACT[:1])
def test_cp_sat_refuses_decimals(method, tmp_path):
    instance = Instance.from_arrays(node_compute=[4], task_compute=[1.5])
    with pytest.raises(Unsupported, match="tasks' compute: integers only"):
        answer(method, instance, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["storage", "prices", "eligible"])
@pytest.mark.parametrize("method", HEURISTIC)
def test_other_libraries_answer_the_same_question(method, name, tmp_path):
    instance = CASES[name]
    found = answer(method, instance, tmp_path)
    assert found["status"] == "feasible"
    assert check(instance, found["allocation"]) == []
    assert found["cost"] == cost_of(instance, found["allocation"])
    assert brute_force(instance).cost <= found["cost"]


def test_prtpy_partitions_equal_nodes_and_refuses_the_rest(tmp_path):
    instance = Instance.from_arrays(node_compute=[10, 10], task_compute=[6, 5, 5, 4])
    found = answer("prtpy", instance, tmp_path)
    assert found["cost"] == cost_of(instance, found["allocation"]) == 200
    with pytest.raises(Unsupported, match="different nodes, storage"):
        answer("prtpy", CASES["storage"], tmp_path)


def test_defaults_of_plain_instances():
    data = plain({"nodes": [{"id": "a", "compute": 4}], "tasks": [{"id": "t", "compute": 5}]})
    assert (data.price, data.overload_price, data.limits, data.hosts) == ([4], [4], [], [[0]])
    assert data.cost([0]) == 20


@pytest.mark.parametrize("name", CASES)
def test_the_plain_cost_is_the_cost(name, tmp_path):
    instance = CASES[name]
    write_instance(instance, tmp_path / "x.json")
    data = plain(json.loads((tmp_path / "x.json").read_text()))
    node_of = list(brute_force(instance).positions)
    assert data.cost(node_of) == cost_of(instance, node_of)


def test_max_load_is_multiplied_in_decimals():
    nodes = [{"id": "a", "compute": 1000}]
    tasks = [{"id": "t", "compute": 1100}]
    data = plain({"nodes": nodes, "tasks": tasks, "max_load": 1.1})
    assert data.limits[0].have == [1100]
    assert integers_only(data).limits[0].have == [1100]
