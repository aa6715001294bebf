"""The textbook model with variants, parts, rules and moves, against the brute force."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from whole_brute_force import brute_force
from whole_instances import whole_instances

from benchmarks.competitors import COMPETITORS, ROOT
from benchmarks.peers.plain import BeyondPlain, plain
from benchmarks.peers.protocol import UNSUPPORTED_EXIT
from benchmarks.peers.whole import Whole
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
    check,
    cost_of,
    write_instance,
)
from tests.nightly import cases

EXACT = ("textbook-cp-sat", "textbook-HiGHS", "textbook-CBC", "textbook-SCIP")
NODES = [
    Node("a", 6, storage=9, price=2, overload_price=5, kind="A", labels={"zone": "x"}),
    Node("b", 5, storage=9, price=3, overload_price=4, kind="B", labels={"zone": "y"}),
    Node("c", 4, storage=9, price=1, overload_price=6, kind="A", labels={"zone": "y"}),
]
MODEL = [
    Variant("full", 5, storage=4, price=1),
    Variant("small", 3, storage=2, loss=2, eligible=["A"]),
    Variant("wide", 2, storage=2, parts=2, price=2, loss=1),
    Variant("split", parts=[Part(1, 1), Part(3, 2, eligible=["zone=y"])], loss=0.5),
]
VARIANTS = [Task(f"t{j}", model="m") for j in range(3)]
GROUPED = [
    Task("g0", 2, groups=["g"]),
    Task("g1", 3, groups=["g"]),
    Task("h0", 2, groups=["h"]),
    Task("h1", 1, groups=["h", "i"]),
]
SERVICE = [Task(f"s{j}", 2, groups=["s"]) for j in range(4)]
HOMES = {"t0": {"node": ["a", "b"], "variant": "wide"}, "t1": {"node": "c", "variant": "small"}}
CASES = {
    "variants": Instance(NODES, VARIANTS, models={"m": MODEL}, quality_price=2),
    "budget": Instance(NODES, VARIANTS, models={"m": MODEL}, quality_budget=2.5, max_load=1),
    "rented": Instance(NODES, VARIANTS, models={"m": MODEL}, power_off="rented", max_load=1.5),
    "fixed": Instance(
        [Node("a", 8, fixed_cost=2.95), Node("b", 8, fixed_cost=5.5, use_price=0.1)],
        [Task("x", 3), Task("y", 4), Task("z", 7)],
        max_load=1,
        power_off="rented",
    ),
    "left out": Instance(
        NODES, [*VARIANTS, Task("x", 9, skip_price=12)], models={"m": MODEL}, max_load=1
    ),
    "rules": Instance(
        NODES,
        GROUPED,
        rules=[Limit("g", "zone", 1), Affinity("h", "zone", "g"), AntiAffinity("i", "g", "node")],
    ),
    "spread": Instance(
        NODES, SERVICE,
        rules=[Spread("s", "zone", 1), Spread("s", "node", 1, 4), Limit("s", "kind", 3)],
    ),
    "together": Instance(NODES, SERVICE[:3], rules=[Affinity("s", "kind")]),
    "moves": Instance(
        NODES, VARIANTS, models={"m": MODEL}, current=HOMES, move_price=3, max_moves=2, max_load=1
    ),
    "states": Instance(
        [NODES[0], NODES[1],
         Node("c", 4, storage=9, price=1, overload_price=6, kind="A", state="cordoned"),
         Node("d", 4, storage=9, price=1, kind="A", state="drained")],
        [*VARIANTS[:2], Task("p", 2, pinned=["a", "d"])], models={"m": MODEL}, current=HOMES,
    ),
    "electricity": Instance(
        [Node("a", 6, idle_watts=100, max_watts=300), Node("b", 5, idle_watts=50, max_watts=400)],
        [Task("x", 3), Task("y", 4)], energy={"hours": 10, "price_per_kwh": 0.5}, power_off="owned",
    ),
}  # fmt: skip


def homes_of(instance):
    """Where tasks are now, as the brute force has it."""
    if instance.current is None:
        return {}
    at = {name: i for i, name in enumerate(instance.node_ids.tolist())}
    names = [variant.name for variant in MODEL]
    return {
        task: (names.index(place["variant"]), [at[node] for node in _listed(place["node"])])
        for task, place in HOMES.items()
    }


def _listed(nodes):
    return nodes if isinstance(nodes, list) else [nodes]


@pytest.mark.parametrize("name", ["variants", "rules", "moves"])
@pytest.mark.parametrize("method", EXACT)
def test_the_textbook_models_find_the_optimum(method, name, tmp_path):
    competitor = COMPETITORS[method]
    if competitor.missing is not None:
        pytest.skip(competitor.missing)
    instance = CASES[name]
    source, target = tmp_path / "instance.json", tmp_path / "answer.json"
    write_instance(instance, source)
    subprocess.run(
        [*competitor.command, str(source), "--method", method, "--time-limit", "20",
         "--workers", "1", "-o", str(target)],
        cwd=ROOT, check=True,
    )  # fmt: skip
    found = json.loads(target.read_text())
    best = brute_force(instance, homes_of(instance))
    assert best is not None
    assert found["status"] == "optimal"
    assert check(instance, found["allocation"]) == []
    cost = cost_of(instance, found["allocation"])
    assert float(cost) == pytest.approx(float(best.cost))
    assert found["cost"] == pytest.approx(cost, rel=1e-9)
    assert found["bound"] == pytest.approx(cost, rel=1e-6)
    assert found["history"][-1][1] == pytest.approx(cost, rel=1e-9)


_MANY = """
import json, sys
from pathlib import Path
from benchmarks.peers.protocol import Unsupported
from benchmarks.peers.textbook_cp_sat import build_whole, cp_model
from benchmarks.peers.whole import Whole
for path in sys.argv[1:]:
    data = Whole(json.loads(Path(path).read_text()))
    try:
        model, variables, _ = build_whole(data.program)
    except Unsupported:
        print("null")
        continue
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.solve(model)
    if status == cp_model.MODEL_INVALID:
        print("null")
        continue
    found = None
    if status == cp_model.OPTIMAL:
        placement = data.placement(lambda number: solver.value(variables[number]))
        found = [data.cost(placement), data.allocation(placement)]
    print(json.dumps([solver.status_name(status), found]))
"""


def solved(instances, folder):
    """What CP-SAT says of each, None where its numbers are too wide: status, cost, allocation."""
    files = []
    for number, instance in enumerate(instances):
        files.append(str(folder / f"{number}.json"))
        write_instance(instance, files[-1])
    done = subprocess.run(
        [sys.executable, "-c", _MANY, *files], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def require_optimum(instance, homes, answer):
    status, found = answer
    best = brute_force(instance, homes)
    assert status == ("INFEASIBLE" if best is None else "OPTIMAL")
    if best is not None:
        assert check(instance, found[1]) == []
        assert found[0] == pytest.approx(float(best.cost))
        assert cost_of(instance, found[1]) == pytest.approx(found[0])


def test_every_feature_of_the_whole_model(tmp_path):
    answers = solved(CASES.values(), tmp_path)
    for instance, answer in zip(CASES.values(), answers, strict=True):
        require_optimum(instance, homes_of(instance), answer)


@pytest.mark.parametrize("integers", [True, False])
def test_random_instances_of_the_whole_model(integers, tmp_path):
    drawn = list(whole_instances(cases(25, 400), 20 + integers, integers=integers))
    answers = solved([instance for instance, _ in drawn], tmp_path)
    assert any(answer is not None for answer in answers)  # decimals are often too wide
    for (instance, homes), answer in zip(drawn, answers, strict=True):
        if answer is not None:
            require_optimum(instance, homes, answer)


@pytest.mark.parametrize(
    ("name", "says"),
    [("variants", "model"), ("fixed", "use_price, fixed_cost"), ("rules", "rules"),
     ("states", "state, model, pinned, current"), ("left out", "model, skip_price"),
     ("electricity", "energy, power_off=owned")],
)  # fmt: skip
def test_the_plain_model_refuses_the_rest_by_name(name, says, tmp_path):
    write_instance(CASES[name], tmp_path / "x.json")
    data = json.loads((tmp_path / "x.json").read_text())
    with pytest.raises(BeyondPlain, match=f"no .*{says}"):
        plain(data)
    assert Whole(data).program.rows


@pytest.mark.parametrize("method", ["rebalancer", "timefold", "prtpy"])
def test_the_other_libraries_refuse_by_name(method, tmp_path):
    competitor = COMPETITORS[method]
    if competitor.missing is not None:
        pytest.skip(competitor.missing)
    write_instance(CASES["variants"], tmp_path / "x.json")
    done = subprocess.run(
        [*competitor.command, str(tmp_path / "x.json"), "--method", method, "--time-limit", "2",
         "-o", str(tmp_path / "y.json")],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == UNSUPPORTED_EXIT
    assert "has no model" in done.stderr


def test_eligibility_by_label_is_plain():
    nodes = [{"id": "a", "compute": 4, "labels": {"zone": "x"}}, {"id": "b", "compute": 4}]
    tasks = [{"id": "t", "compute": 5, "eligible": ["zone=x"]}]
    assert plain({"nodes": nodes, "tasks": tasks}).hosts == [[0]]
