"""Proofs that were once wrong, each with the instance that showed it."""

import json
import subprocess
import sys
import textwrap
import time
from fractions import Fraction

import numpy as np
import oracle
import pytest
from nightly import cases
from sessions import generated

from instances import from_spec
from solver import Instance, Status, check, cost_of, lower_bound, solve
from solver.columns.knapsack import knapsack_of
from solver.columns.program import columns_of
from solver.judge.cost import cost_in_units
from solver.kernels.tables import make_tables, multipliers
from solver.methods import Options
from solver.methods.best import Best
from solver.methods.mip import is_trusted, mip
from solver.model.proofs import Proof
from solver.problem.grid import make_grid
from solver.problem.problem import Problem
from solver.problem.rounding import what_to_round
from solver.programs.assignment import assignment_model


def run_alone(script):
    """What a script prints as JSON, in a process of its own: it loads solver libraries."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("room", [5.0, 0.0])
@pytest.mark.parametrize("method", ["auto", "cp-sat", "column-generation", "mip", "greedy"])
def test_rounded_limits_do_not_enter_proofs(method, room):
    """A need that fills a node to the last digit, beside 40 others too long for 64 bits."""
    s, fill = 0.12345678901234567, np.random.default_rng(0).random(40)
    instance = Instance.from_arrays(
        node_compute=[1, 1, 1000],
        node_storage=[s, room, float(np.ceil(fill.sum()))],
        node_price=[1, 1, 1],
        node_overload_price=[1, 1000, 1],
        node_kind=["a", "b", "c"],
        task_compute=[100] + [1] * 40,
        task_storage=[s, *fill],
        task_eligible=[["a", "b"]] + [["c"]] * 40,
    )
    problem = Problem(instance)
    assert not problem.grid.exact_limits
    assert problem.fits[0].tolist() == [True, room > 0, False]
    result = solve(instance, method, time_limit=20)
    assert result.infeasible_because is None
    assert result.bound <= 1101
    if method in ("auto", "cp-sat", "column-generation"):
        assert (result.status, result.cost) == (Status.OPTIMAL, 1101)
    assert lower_bound(instance) <= 1101


def test_the_outer_grid_holds_every_allocation_at_no_more_than_its_cost():
    rng = np.random.default_rng(5)
    compared = 0
    for _ in range(60):
        n, m = 3, 6
        instance = Instance.from_arrays(
            node_compute=(rng.random(n) * 10.0 ** rng.integers(0, 30)).tolist(),
            node_storage=(rng.random(n) * 10.0 ** rng.integers(0, 30)).tolist(),
            node_price=rng.random(n).tolist(),
            task_compute=(rng.random(m) * 10.0 ** rng.integers(0, 30)).tolist(),
            task_storage=(rng.random(m) * 10.0 ** rng.integers(0, 30)).tolist(),
            power_off=bool(rng.random() < 0.5),
        )
        for upper in (None, cost_in_units(instance, np.zeros(m, dtype=np.int64))):
            grid = make_grid(instance, outer=True, upper=upper)
            for _ in range(20):
                node_index = rng.integers(0, n, size=m)
                units = cost_in_units(instance, node_index)
                if upper is not None and units > upper:
                    continue
                if not check(instance, node_index):
                    assert grid.keeps_limits(node_index)
                load = [int(grid.task_compute[node_index == i].sum()) for i in range(n)]
                above = [max(0, L - int(C)) for L, C in zip(load, grid.node_compute, strict=True)]
                cost = sum(int(o) * v for o, v in zip(grid.overload_price, above, strict=True))
                on = np.bincount(node_index, minlength=n) > 0
                cost += int(grid.idle_cost[on].sum())
                assert grid.bound_in_units(cost) <= units
                compared += 1
    assert compared > 1000


def stale_weights_instance(seed):
    """Storage cut so that it is full; overload prices far apart."""
    rng = np.random.default_rng(seed)
    n, per = int(rng.integers(4, 8)), int(rng.integers(2, 5))
    need = []
    for _ in range(n):
        cuts = np.sort(rng.choice(np.arange(1, 1000), per - 1, replace=False))
        need += np.diff(np.concatenate(([0], cuts, [1000]))).tolist()
    demand = rng.integers(1, 2000, n * per)
    compute = rng.integers(500, 4000, n)
    return Instance.from_arrays(
        node_compute=compute,
        node_storage=[1000] * n,
        node_overload_price=rng.choice([1, 7, 1000, 100003], n),
        task_compute=demand,
        task_storage=need,
    )


def test_stale_multipliers_do_not_lift_the_bound_of_column_generation():
    """Seed 6 gave 220,552,027 where an allocation of 165,211,341 exists."""
    compared = 0
    for seed in [6, *range(100, 100 + cases(4, 600))]:
        instance = stale_weights_instance(seed)
        problem = Problem(instance)
        best = solve(instance, "cp-sat", time_limit=10)
        if best.allocation is None:
            continue
        units = cost_in_units(instance, best.allocation.node_index)
        compared += 1
        for start in ([], columns_of(problem, best.allocation.node_index)):
            made = generated(problem, start, 5.0)
            assert made.bound is None or problem.outer_grid.bound_in_units(made.bound) <= units
    assert compared >= 3


def test_pricing_makes_any_weights_valid_at_every_shift():
    rng = np.random.default_rng(2)
    for seed in range(30):
        data = Problem(stale_weights_instance(seed)).outer_table
        shift = int(rng.integers(0, 20))
        knapsack = knapsack_of(data, 0, shift)
        profit = rng.integers(0, 2000, data.demand.size) * int(knapsack.overload_price)
        weights = rng.random(2) * 10.0 ** rng.integers(-3, 25)
        weights[int(rng.integers(2))] *= rng.choice([1.0, -1.0, np.nan, np.inf])
        bound = multipliers(knapsack, profit, weights)
        assert 0 <= weights[0] <= knapsack.overload_price
        assert 0 <= weights[1] < np.inf
        for _ in range(200):
            chosen = rng.random(profit.size) < rng.random()
            if int(knapsack.needs[chosen, 0].sum()) > int(knapsack.capacity[0]):
                continue
            load = int(knapsack.demand[chosen].sum())
            value = int(profit[chosen].sum()) - knapsack.overload_price * max(
                0, load - knapsack.node_compute
            )
            assert value - knapsack.idle_cost <= bound * (1 + 1e-9) + 1
        weights = np.array([1e30, np.nan])
        make_tables(knapsack, profit, weights)
        assert weights.tolist() == [float(knapsack.overload_price), 0.0]


WIDE = {
    "a bound above the optimum": {
        "node_compute": [20000003, 12000001],
        "node_storage": [23, 10],
        "task_compute": [7000002, 6000001, 11000003, 5000001, 9000002],
        "task_storage": [2, 5, 0, 1, 4],
        "max_load": 2,
        "power_off": True,
    },
    "prices of 1e11 a node": {
        "node_compute": [360000, 356000],
        "node_overload_price": [7, 9],
        "node_price": [360011, 356023],
        "task_compute": [180001, 150000, 170003, 110001, 29999],
        "power_off": True,
    },
}


@pytest.mark.parametrize("mip_solver", ["CBC", "HiGHS"])
@pytest.mark.parametrize("name", WIDE)
def test_mip_solvers_are_not_believed_where_numbers_are_wide(name, mip_solver):
    instance = Instance.from_arrays(**WIDE[name])
    best = oracle.brute_force(instance)
    bounds = []
    within = Options(
        deadline=time.monotonic() + 20,
        mip_solver=mip_solver,
        on_bound=lambda bound, _: bounds.append(bound),
    )
    outcome = mip(Problem(instance), within)
    assert bounds == []
    assert "too wide" in outcome.message
    result = solve(instance, "mip", mip_solver=mip_solver)
    assert result.bound <= best.cost
    assert solve(instance).cost == best.cost


def test_a_mip_solver_alone_proves_no_infeasibility():
    """HiGHS 1.15's presolve calls this one infeasible."""
    instance = Instance.from_arrays(
        node_compute=[2384, 2721, 1401],
        node_storage=[73765, 36883, 22135],
        task_compute=[1195, 342, 1022, 684, 1877, 511, 172],
        task_storage=[36881, 14756, 7378, 22128, 0, 36883, 14754],
    )
    found = []
    within = Options(deadline=time.monotonic() + 20, on_incumbent=found.append)
    outcome = mip(Problem(instance), within)
    assert outcome.infeasible_because is None
    assert all(check(instance, node_index) == [] for node_index in found)
    assert min(cost_of(instance, node_index) for node_index in found) == 15_050_098
    assert solve(instance, "mip").cost == 15_050_098


def test_what_is_trusted_is_far_below_what_was_seen_to_fail():
    small = Problem(from_spec("few_per_node:nodes=4,seed=1"))
    model = assignment_model(small, small.float_grid).model
    assert is_trusted(model)
    wide = Problem(Instance.from_arrays(**WIDE["a bound above the optimum"]))
    assert not is_trusted(assignment_model(wide, wide.float_grid).model)


@pytest.mark.parametrize("method", ["local-search", "auto"])
def test_products_of_large_demands_do_not_overflow_in_the_pair_splitting(method):
    demand = np.random.default_rng(3).integers(10**13, 2 * 10**13, 200)
    instance = Instance.from_arrays(node_compute=[10**15, 10**15], task_compute=demand)
    result = solve(instance, method, time_limit=5)
    assert check(instance, result.allocation) == []
    assert result.cost == cost_of(instance, result.allocation)


def test_without_tasks_everything_is_switched_off():
    instance = Instance.from_arrays(node_compute=[1.5, 2.25], task_compute=[], power_off=True)
    assert lower_bound(instance) == 0
    assert lower_bound(instance, "linear") == 0
    assert solve(instance).cost == 0


@pytest.mark.parametrize("compute", [10**160, 10**160 + 7])
def test_numbers_beyond_floats_are_solved(compute):
    instance = Instance.from_arrays(
        node_compute=[compute, 2 * compute], task_compute=[compute, compute, compute]
    )
    for method in ("auto", "local-search", "column-generation", "cp-sat", "mip"):
        result = solve(instance, method, rel_gap=0.01)
        assert result.cost == oracle.brute_force(instance).cost


def test_a_price_that_nothing_is_multiplied_by_fits_into_the_pricing():
    """All demands are 0, so that only the price itself is large."""
    instance = Instance.from_arrays(
        node_compute=[3, 5],
        node_price=[1, 1],
        node_overload_price=[10**18 + 9, 7],
        task_compute=[0, 0, 0],
        power_off=True,
    )
    assert lower_bound(instance, "column-generation") <= 3
    assert solve(instance, "column-generation").cost == 3


def test_cp_sat_bounds_survive_objectives_that_cancel():
    """The objective ranges to 7e17, the optimum on the grid is 0: a float lost the difference."""
    instance = Instance.from_arrays(
        node_compute=[0.25, 4225123573273853500000000000000000, int(1.797e308)],
        node_storage=[7 * 10**160, float("inf"), 8.714285714285714],
        node_price=[0, 7 * 10**160, 0.2768310746532867],
        task_compute=[7 * 10**160, 1.0020430807305701e-56],
        task_storage=[7 * 10**160, 4.285714285714286],
        power_off=True,
    )
    best = oracle.brute_force(instance)
    for method in ("cp-sat", "auto"):
        result = solve(instance, method, time_limit=10)
        assert Fraction(result.bound) <= best.cost
        assert result.message is None or "was claimed" not in result.message


def test_a_refuted_bound_is_not_kept_by_a_method():
    instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 3, 3])
    told = []
    best = Best.of(
        Problem(instance),
        Options(deadline=time.monotonic() + 9, on_bound=lambda bound, _: told.append(bound)),
    )
    best.incumbent(np.array([0, 0, 1]))
    best.bounded(10**9, Proof.CP_SAT)
    assert told == [10**9]  # whoever asked decides what to say
    assert best.bound is None
    assert not best.settled()


def test_a_linear_solver_that_ends_abnormally_is_no_crash():
    answer = run_alone("""
        import json
        import numpy as np
        from ortools.math_opt.python import mathopt
        from instances import from_spec
        from solver.columns import worker
        from solver.engines import glop
        from solver.problem.problem import Problem
        from solver.programs.relaxation import Relaxation

        def fail(*_, **__):
            raise AttributeError("'StatusNotOk' object has no attribute 'canonical_code'")

        problem = Problem(from_spec("few_per_node:nodes=4,seed=1"))
        job = {
            "table": problem.outer_table, "columns": [], "time_limit": 20, "enough": None,
        }
        whole = worker.generate(job | {"token": "whole"}, lambda _: None)
        solve, calls = mathopt.IncrementalSolver.solve, []

        def fail_later(self, **options):
            calls.append(1)
            return fail() if len(calls) > 6 else solve(self, **options)

        mathopt.IncrementalSolver.solve = fail_later
        found = []
        cut = worker.generate(job | {"token": "cut"}, found.append)
        mathopt.solve = fail
        relaxation = glop.solve_relaxation(
            {"model": Relaxation(problem).model, "time_limit": 5}, lambda _: None
        )
        print(json.dumps({
            "status": relaxation["status"], "duals": relaxation["duals"], "found": len(found),
            "converged": cut["converged"], "whole": whole["converged"],
        }))
    """)
    assert (answer["status"], answer["duals"]) == ("failed", None)
    assert answer["whole"]
    assert not answer["converged"]
    assert answer["found"] >= 1


def test_the_library_path_of_highs_does_not_grow():
    lengths = run_alone("""
        import json, os, tempfile
        import numpy as np
        from solver.engines import mip
        from solver.programs.assignment import assignment_model
        from solver.problem.problem import Problem
        from instances import from_spec

        problem = Problem(from_spec("few_per_node:nodes=2,seed=1"))
        model = assignment_model(problem, problem.float_grid).model
        lengths = []
        for _ in range(3):
            with tempfile.TemporaryDirectory() as folder:
                mip.solve_model({
                    "solver": "HiGHS", "model": model, "hint": None, "time_limit": 5, "seed": 0,
                    "num_workers": 1, "rel_gap": 0.0, "folder": folder,
                }, lambda _: None)
            lengths.append(len(os.environ["LD_LIBRARY_PATH"]))
        print(json.dumps(lengths))
    """)
    assert len(set(lengths)) == 1


def test_dimensions_that_never_bind_may_have_any_digits():
    instance = from_spec("few_per_node:nodes=4,seed=1")
    digits = np.random.default_rng(1).random(instance.num_tasks).tolist()
    wide = Instance.from_arrays(
        node_compute=instance.node_compute,
        node_storage=instance.node_storage,
        node_resources={"disk": [1e6 + 1 / 3] * instance.num_nodes},
        task_compute=instance.task_compute,
        task_storage=instance.task_storage,
        task_resources={"disk": [10 * d + 1e-17 for d in digits]},
    )
    assert Problem(wide).grid.exact
    plain, result = (solve(i, time_limit=20) for i in (instance, wide))
    assert result.cost == plain.cost
    assert result.status is plain.status


def with_one_long_field(field):
    """Small numbers but for one field, whose sums pass 64 bits."""
    instance = from_spec("few_per_node:nodes=3,seed=1")
    m = instance.num_tasks
    digits = np.random.default_rng(1).random(m)
    fields = {
        "node_compute": instance.node_compute,
        "node_storage": instance.node_storage,
        "node_price": [1, 2, 3],
        "task_compute": instance.task_compute,
        "task_storage": instance.task_storage,
    }
    long = {
        "node_price": [1000 / 3, 1000 / 7, 1000 / 11],
        "task_compute": (100 * digits).tolist(),
        "task_storage": [0.012345678901234567, *(instance.task_storage * digits)[1:].tolist()],
    }
    return fields | {field: long[field]}


@pytest.mark.parametrize("field", ["node_price", "task_compute", "task_storage"])
def test_the_message_names_the_field_with_too_many_digits_and_how_many_fit(field):
    fields = with_one_long_field(field)
    problem = Problem(Instance.from_arrays(**fields, power_off=True))
    assert not problem.outer_grid.exact
    sentence = what_to_round(problem)
    assert sentence.startswith(field.replace("_", " ", 1))
    places = int(sentence.partition("round it to ")[2].split()[0])
    assert places > 0
    fields[field] = np.round(fields[field], places).tolist()
    rounded = Problem(Instance.from_arrays(**fields, power_off=True))
    assert rounded.outer_grid.exact
    assert what_to_round(rounded) is None


def test_the_message_is_part_of_an_answer_that_lacks_only_digits():
    instance = Instance.from_arrays(
        node_compute=[4000, 4000, 4000],
        node_price=[1000 / 3, 1000 / 3, 1000 / 7],
        task_compute=[1500 / 7, 1700 / 3, 2100 / 11, 900 / 13] * 4,
        power_off=True,
    )
    result = solve(instance, "cp-sat", time_limit=5)
    nearly = result.status is Status.FEASIBLE and result.gap < 1e-6
    assert ("round it to" in (result.message or "")) == nearly
