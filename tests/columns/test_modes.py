"""Column generation over modes: its bound, pricing, columns and proofs against brute force."""

import itertools
import math
import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from nightly import cases
from sessions import generated
from whole_brute_force import brute_force
from whole_instances import whole_instances
from whole_oracle import node_index_of

from instances import from_spec
from solver import Status, check, lower_bound, solve
from solver.columns.knapsack import knapsack_of, scaled_prices
from solver.columns.modes.generation import ModeGeneration, least_cost_of_forms
from solver.columns.modes.table import mode_table
from solver.columns.program import columns_of, decode
from solver.judge.cost import cost_in_units
from solver.kernels.pricing import price_out
from solver.kernels.tables import make_tables, multipliers
from solver.methods import Options
from solver.methods.best import Best
from solver.methods.column_generation import prove
from solver.problem.problem import Problem


def solved(count, seed, **options):
    """Instances that are not plain, made ready, and their optima."""
    for case in whole_instances(count, seed, **options):
        if case.instance.is_plain:
            continue
        best = brute_force(case.instance, case.homes)
        if best is not None:
            yield Problem(case.instance), best


def units_of(problem, cost):
    units = cost * problem.instance.exact.cost_scale
    assert units.denominator == 1
    return int(units)


def grid_cost(problem, units):
    """A cost on the outer grid, rounded up."""
    grid = problem.outer_grid
    return -(-(units - grid.offset) // grid.cost_unit)


def sets_on(data, g):
    """All amounts of modes that a node of class g may hold, by their own limits."""
    ranges = [range(most + 1) for most in data.most[:, g].tolist()]
    for amounts in itertools.product(*ranges):
        a = np.array(amounts)
        held = np.flatnonzero(a)
        if (a @ data.needs > data.capacity[g]).any():
            continue
        if data.apart.size and data.apart[np.ix_(held, held)].any():
            continue
        yield a


def value_of(problem, data, g, amounts, shift, prices):
    """What a set is worth at prices, told from the definition of the master's rows."""
    modes, P = problem.modes, amounts.size
    i = int(problem.classes.node_first[g])
    home = np.zeros(P, dtype=np.int64)
    here = modes.home_node == i
    home[modes.home_mode[here]] = modes.home_count[here]
    moved = np.maximum(0, amounts - home)
    load = int(amounts @ data.demand)
    cost = int(data.use_price[g]) * load + (int(data.idle_cost[g]) if amounts.any() else 0)
    cost += int(data.overload_price[g]) * max(0, load - int(data.node_compute[g]))
    cost += int(moved @ data.move_cost)
    value = int(amounts @ prices[:P]) - (cost << shift)
    if data.moves_row is not None:
        value -= int(prices[data.moves_row]) * int(moved[modes.counts_as_move].sum())
    rows, numbers = data.rules.coefficients(g, amounts)
    return value - int((prices[data.first_rule_row + rows] * numbers).sum())


def random_prices(rng, data):
    """Prices of the size of costs, some of them 0."""
    dear = max(1.0, float(data.demand.max(initial=1) * data.overload_price.max(initial=1)))
    prices = rng.exponential(dear, data.num_prices)
    prices[data.demand.size :] *= float(rng.choice([0.1, 1.0, 10.0]))
    return np.where(rng.random(prices.size) < 0.3, 0.0, prices)


def test_the_bound_never_exceeds_the_optimum():
    compared = tight = 0
    for problem, best in solved(cases(150, 2000), seed=301):
        made = generated(problem)
        assert made.converged
        units = problem.outer_grid.bound_in_units(made.bound)
        assert units <= units_of(problem, best.cost)
        compared += 1
        tight += units == units_of(problem, best.cost)
    assert compared >= 60
    assert tight >= 0.5 * compared


@pytest.mark.parametrize("integers", [True, False])
def test_any_prices_prove_a_bound(integers):
    """Every column priced by listing all sets, at random prices."""
    rng = np.random.default_rng(7)
    positive = 0
    for problem, best in solved(cases(80, 800), seed=303, integers=integers):
        data = mode_table(problem)
        sets = [list(sets_on(data, g)) for g in range(data.node_count.size)]
        nothing = np.zeros_like(data.forms.cost), np.zeros_like(data.count)
        for _ in range(5):
            shift, prices = scaled_prices(data, random_prices(rng, data))
            limits = ModeGeneration(data).limit
            total = least_cost_of_forms(data, shift, prices, *nothing, limits)
            for g, held in enumerate(sets):
                values = (value_of(problem, data, g, a, shift, prices) for a in held)
                total -= int(data.node_count[g]) * max(values)
            bound = problem.outer_grid.bound_in_units(-(-total >> shift))
            assert bound <= units_of(problem, best.cost)
            positive += total > 0
    assert positive >= 20


def test_pricing_finds_the_best_set_and_lists_all():
    """Also where parts of a mode stay at home and others move there."""
    rng = np.random.default_rng(11)
    twice = 0
    for problem, _ in solved(cases(80, 800), seed=305):
        data = mode_table(problem)
        for g in range(data.node_count.size):
            shift, prices = scaled_prices(data, random_prices(rng, data))
            values = {
                tuple(np.repeat(np.arange(a.size), a).tolist()): value_of(
                    problem, data, g, a, shift, prices
                )
                for a in sets_on(data, g)
                if a.any()
            }
            items, most = data.items(g)
            knapsack, profit = knapsack_of(data, g, shift), data.profits(g, shift, prices)
            twice += (most[data.demand.size :] > 0).any()
            weights = np.zeros(1 + knapsack.capacity.size)
            multipliers(knapsack, profit, weights)
            tables = make_tables(knapsack, profit, weights)
            found = np.full((2000, 30), -1, dtype=np.int32)
            told, work = np.zeros(2000, dtype=np.int64), np.zeros(1, dtype=np.int64)
            given = knapsack, profit, most, tables
            _, best, left_out = price_out(*given, 0, 0, False, 10**6, found, told, work)
            assert left_out == -math.inf
            assert best == max([0, *values.values()])
            least = max(values.values(), default=0) // 2
            count, _, _ = price_out(*given, least, 0, True, 10**6, found, told, work)
            rows = [tuple(sorted(items[row[row >= 0]].tolist())) for row in found[:count]]
            assert set(rows) == {modes for modes, value in values.items() if value > least}
            table = np.full((len(rows), 30), -1)
            for r, modes in enumerate(rows):
                table[r, : len(modes)] = modes
            worths = data.worths(g, shift, prices, table)
            assert worths.tolist() == [values[modes] for modes in rows]
    assert twice >= 20


def test_the_columns_of_an_optimum_are_listed_and_cost_what_it_costs():
    compared = 0
    for problem, best in solved(cases(80, 800), seed=307):
        node_index = np.array(node_index_of(problem.instance, best.placement))
        columns = columns_of(problem, node_index)
        made = generated(problem)
        units = units_of(problem, best.cost)
        listed, complete = made.list_columns(grid_cost(problem, units), 100_000, 20.0)
        assert complete
        assert set(columns) <= set(listed)
        assert len(set(listed)) == len(listed)
        cost, _ = ModeGeneration(made.table).completed(columns)
        if problem.outer_grid.exact_cost:
            assert problem.outer_grid.bound_in_units(cost) == units
        kinds = sorted(set(columns))
        again = decode(problem, kinds, np.array([columns.count(kind) for kind in kinds]))
        assert sorted(columns_of(problem, again)) == sorted(columns)
        assert cost_in_units(problem.instance, again) == units
        compared += 1
    assert compared >= 30


def test_what_a_dive_finds_is_whole_and_costs_what_it_says():
    found, kept = [], 0
    for problem, best in solved(cases(60, 400), seed=309):
        made = generated(problem)
        found.clear()
        made.dive(2.0, 20, None, made.bound, 0, found.append)
        for columns in found:
            node_index = decode(problem, columns, np.ones(len(columns)))
            if node_index is None or check(problem.instance, node_index):
                continue  # the master does not know every rule
            kept += 1
            assert cost_in_units(problem.instance, node_index) >= units_of(problem, best.cost)
    assert kept >= 20


def test_what_a_dive_leaves_behind_does_not_change_the_relaxation():
    changed = 0
    for problem, _ in solved(cases(25, 200), seed=313):
        made = generated(problem)
        bound = made.bound
        for seed in range(2):
            made.dive(1.0, 3, None, bound, seed, lambda _: None)
            made.bound = None
            made.generate(20.0)
            assert made.bound == bound
        changed += 1
    assert changed >= 10


def test_lower_bound_offers_it_by_name():
    compared = 0
    for problem, best in solved(cases(15, 100), seed=317):
        bound = lower_bound(problem.instance, "column-generation", time_limit=20)
        if bound is not None:
            assert Fraction(repr(bound)) <= best.cost
            compared += 1
    assert compared >= 5


def test_what_is_proved_without_any_help_is_optimal():
    proved = compared = 0
    for problem, best in solved(cases(60, 600), seed=311):
        options = Options(deadline=time.monotonic() + 4)
        run = Best.of(problem, options)
        prove(problem, options, run)
        optimum = units_of(problem, best.cost)
        assert run.bound is None or run.bound <= optimum
        assert run.cost is None or run.cost >= optimum
        if run.node_index is not None:
            assert check(problem.instance, run.node_index) == []
            assert Fraction(run.cost, problem.instance.exact.cost_scale) >= best.cost
        proved += run.settled()
        compared += 1
    assert proved >= 0.7 * compared


@pytest.mark.parametrize(
    "spec",
    ["rebalance:nodes=6,tasks=18,seed=1", "rebalance:nodes=6,tasks=18,max_moves=9,seed=2",
     "services:nodes=9,services=5,seed=1", "services:nodes=9,services=5,apart=0.5,near=0.5,seed=2"],
)  # fmt: skip
def test_the_method_proves_moves_and_rules(spec):
    instance = from_spec(spec)
    result = solve(instance, "column-generation", time_limit=30)
    assert result.status is Status.OPTIMAL
    assert check(instance, result.allocation) == []
    known = solve(instance, "cp-sat", time_limit=30)
    assert known.status is not Status.OPTIMAL or known.cost == result.cost


def test_moves_and_leaving_out_are_chosen_by_their_price():
    from solver import Instance, Node, Task

    nodes = [Node("a", 10, price=3), Node("b", 10, price=1)]
    tasks = [Task("t", 4), Task("u", 4, skip_price=1)]
    dear = Instance(
        nodes, tasks, power_off="rented", current={"t": "a"}, move_price=100, max_load=1
    )
    cheap = dear.replace(move_price=1)
    for instance, optimum in ((dear, 30), (cheap, 11)):
        problem = Problem(instance)
        made = generated(problem)
        assert made.converged
        units = problem.outer_grid.bound_in_units(made.bound)
        assert units <= optimum * instance.exact.cost_scale
        options = Options(deadline=time.monotonic() + 10)
        run = Best.of(problem, replace(options))
        prove(problem, options, run)
        assert run.cost == run.bound
