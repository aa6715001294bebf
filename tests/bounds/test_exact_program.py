import numpy as np

from solver.bounds.modes.lagrangian import exact_multipliers, program_bound
from solver.engines.limits import GLOP
from solver.engines.process import run_job
from solver.programs.exact_program import ExactProgramBuilder


def random_program(rng, size=1):
    """A program with a known point, and that point; numbers up to about `size`."""
    columns, rows = int(rng.integers(2, 7)), int(rng.integers(1, 6))
    x = rng.integers(0, 5, columns)
    builder = ExactProgramBuilder()
    wide = [int(value) * size for value in rng.integers(-9, 20, columns)]
    at = builder.add_columns(
        columns, upper=x + rng.integers(0, 4, columns), cost=np.array(wide, dtype=object)
    )
    for _ in range(rows):
        row = [int(value) * size for value in rng.integers(-5, 9, columns)]
        activity = sum(a * int(b) for a, b in zip(row, x, strict=True))
        equal = bool(rng.random() < 0.3)
        slack = 0 if equal else int(rng.integers(0, 3)) * size
        number = builder.add_rows(1, limit=activity + slack, equal=equal)
        builder.add_entries(number, at, np.array(row, dtype=object))
    program = builder.build(constant=int(rng.integers(0, 50)))
    return program, program.constant + sum(a * int(b) for a, b in zip(wide, x, strict=True))


def test_any_multipliers_bound_every_point_of_a_program():
    rng = np.random.default_rng(3)
    for size in (1, 10**30):
        for _ in range(300):
            program, cost = random_program(rng, size)
            shift = int(rng.integers(0, 40))
            y = np.array([int(v) for v in rng.integers(-(2**45), 2**45, program.num_rows)])
            y = y.astype(object) >> int(rng.integers(0, 45))
            assert program_bound(program, y, shift) <= cost


def test_the_dual_prices_of_a_solver_prove_what_the_program_is_worth():
    rng = np.random.default_rng(4)
    for size in (1, 10**400):
        for _ in range(20):
            program, cost = random_program(rng, size)
            model, cost_unit, row_unit = program.scaled()
            answer = run_job(
                GLOP, "solve_relaxation", {"model": model, "time_limit": 5.0}, hard_limit=20.0
            )
            y, shift = exact_multipliers(program, answer["duals"], cost_unit, row_unit)
            bound = program_bound(program, y, shift)
            assert bound <= cost
            scaled = float(model.objective @ answer["values"])
            worth = (bound - program.constant) / cost_unit
            assert abs(worth - scaled) <= 1e-6 * max(1.0, abs(scaled)) + 1 / cost_unit


def test_prices_that_are_no_numbers_count_as_none():
    rng = np.random.default_rng(5)
    program, cost = random_program(rng)
    _, cost_unit, row_unit = program.scaled()
    duals = np.full(program.num_rows, np.nan)
    duals[0] = -np.inf
    y, shift = exact_multipliers(program, duals, cost_unit, row_unit)
    assert not y.any()
    assert program_bound(program, y, shift) <= cost
