"""Lies found by comparison, and the table of best known costs and bounds."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from benchmarks.best_known import TABLE, Known, read_table, write_table
from benchmarks.judge import best_of, refuted
from benchmarks.record import Outcome, Record
from benchmarks.run import update_table
from benchmarks.suites import load_suite, make
from solver import InstanceError, cost_of, lower_bound, solve


def record(method: str = "auto", cost: int | None = None, bound: float | None = None, **more):
    status = "feasible" if cost is not None else "unknown"
    outcome = Outcome.ANSWERED if cost is not None else Outcome.NOTHING
    made = Record(
        suite="s",
        instance="one",
        hash="h",
        nodes=2,
        tasks=2,
        method=method,
        seed=0,
        time_limit=1.0,
        workers=1,
        memory_limit=1.0,
        outcome=outcome,
        verdict="clean",
        status=status,
        cost=cost,
        bound=bound,
        versions={"nodewise": "9", "ortools": "8"},
    )
    return replace(made, **more)


NO_WAY = {"outcome": Outcome.INFEASIBLE, "status": "infeasible"}


def wrong(records, known=None):
    judged = refuted(records, known or {})
    return [(one.method, one.verdict) for one in judged if one.outcome is Outcome.WRONG]


@pytest.mark.parametrize("swap", [False, True])
def test_a_bound_above_a_cost_of_another_is_wrong(swap):
    pair = [record("auto", 12, 11), record("greedy", 10)]
    found = wrong(pair[::-1] if swap else pair)
    assert found == [("auto", "claims a bound of 11, but greedy found one of cost 10")]


def test_a_bound_without_an_allocation_can_be_refuted_too():
    assert [name for name, _ in wrong([record("auto", None, 11), record("greedy", 10)])] == ["auto"]


def test_optimal_above_a_cost_of_another_is_wrong():
    claims = record("textbook-CBC", 11, None, status="optimal")
    assert wrong([claims, record("greedy", 10)]) == [
        ("textbook-CBC", "says 11 is optimal, but greedy found one of cost 10")
    ]


def test_infeasible_where_there_is_an_allocation_is_wrong():
    claims = record("cp-sat", **NO_WAY)
    assert [name for name, _ in wrong([claims, record("greedy", 10)])] == ["cp-sat"]
    assert [name for name, _ in wrong([claims], {"h": Known(10, cost_by="auto 1")})] == ["cp-sat"]
    assert wrong([claims]) == []


@pytest.mark.parametrize(
    ("method", "bound", "refutes"),
    [
        ("auto", 10_000_001, True),
        ("textbook-HiGHS", 10_000_001.0, False),
        ("textbook-HiGHS", 10_000_011.0, True),
    ],
)
def test_floating_point_bounds_have_a_tolerance(method, bound, refutes):
    claims = [record(method, 10_000_100, bound), record("greedy", 10_000_000)]
    assert bool(wrong(claims)) is refutes


def test_a_cost_below_a_known_bound_is_shown():
    known = {"h": Known(12, 11, bound_by="auto 1")}
    assert wrong([record("greedy", 10)], known) == [
        ("greedy", "costs 10, below the known bound 11 of auto 1")
    ]
    assert wrong([record("greedy", 11)], known) == []


def test_an_allocation_where_none_was_known_to_exist_is_shown():
    known = {"h": Known(infeasible=True, bound_by="auto 1")}
    assert len(wrong([record("greedy", 10)], known)) == 1
    assert wrong([record("greedy", **NO_WAY)], known) == []


def test_a_wrong_answer_refutes_nobody():
    lie = record("greedy", 1, outcome=Outcome.WRONG, verdict="breaks 1 rules")
    assert wrong([lie, record("auto", 10, 10, status="optimal")]) == [("greedy", "breaks 1 rules")]


def test_the_best_takes_costs_from_all_and_bounds_from_exact_methods():
    records = [
        record("textbook-CBC", 10, 9.5),
        record("auto", 11, 8),
        record("greedy", 12, 3),
        record("round-robin", 5, outcome=Outcome.WRONG),
    ]
    best = best_of(records, {"h": Known(20, 7, instance="one")})["h"]
    assert (best.cost, best.bound, best.bound_by) == (10, 8, "auto 9")
    assert best.cost_by == "textbook-CBC (nodewise 9, ortools 8)"


def test_the_table_reads_back_and_only_improves(tmp_path):
    path = tmp_path / "best.csv"
    assert update_table([record("auto", 12, 9)], path) == (1, [])
    assert update_table([record("auto", 13, 8)], path) == (0, [])
    assert update_table([record("greedy", 10)], path) == (1, [])
    assert update_table([record("auto", 10, 10, status="optimal")], path) == (1, [])
    (known,) = read_table(path).values()
    assert (known.cost, known.bound, known.proved) == (10, 10, "optimal")
    assert (known.cost_by, known.bound_by, known.instance) == ("greedy 9", "auto 9", "one")


def test_contradictions_do_not_enter_the_table(tmp_path):
    path = tmp_path / "best.csv"
    write_table({"h": Known(12, 11, cost_by="auto 1", bound_by="auto 1")}, path)
    before = path.read_bytes()
    for claim in (record("auto", 13, 13), record("greedy", 10), record("auto", **NO_WAY)):
        improved, found = update_table([claim], path)
        assert (improved, len(found)) == (0, 1)
        assert path.read_bytes() == before


def test_huge_and_decimal_numbers_read_back(tmp_path):
    table = {"a": Known(10**24, 10**24 - 1), "b": Known(0.1, 1e-05), "c": Known(infeasible=True)}
    write_table(table, tmp_path / "best.csv")
    assert read_table(tmp_path / "best.csv") == table


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("h,x,10,11,,a,b", "line 2: the bound lies above the cost"),
        ("h,x,10,9,optimal,a,b", "'proved' does not agree"),
        ("h,x,10,,infeasible,a,b", "'proved' does not agree"),
        ("h,x,ten,9,,a,b", "line 2: malformed"),
    ],
)
def test_a_malformed_table_is_refused(tmp_path, row, says):
    path = tmp_path / "best.csv"
    path.write_text(f"hash,instance,cost,bound,proved,cost_by,bound_by\n{row}\n")
    with pytest.raises(InstanceError, match=says):
        read_table(path)


LISTED = [entry for name in ("smoke", "small") for entry in load_suite(name).entries]


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry.name)
def test_no_method_contradicts_the_table(entry):
    known = read_table(TABLE)[entry.hash]
    instance = make(entry)
    bounds = [lower_bound(instance)]
    for method, limit in product(("greedy", "round-robin", "local-search", "cp-sat"), (0.5,)):
        result = solve(instance, method, time_limit=limit, num_workers=1)
        if known.infeasible:
            assert result.allocation is None
            continue
        assert result.status.value != "infeasible"
        if result.allocation is not None and known.bound is not None:
            assert cost_of(instance, result.allocation) >= known.bound
        bounds.append(result.bound)
    if known.cost is not None:
        assert max(bound for bound in bounds if bound is not None) <= known.cost


def test_every_instance_of_the_suites_that_was_run_is_in_the_table():
    hashes = set(read_table(TABLE))
    for name in ("smoke", "small", "hard"):
        assert {entry.hash for entry in load_suite(name).entries} <= hashes, name
