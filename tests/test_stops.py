"""Whatever ends a run, and between whichever two lines: the answer is right, and there is one.

Each draw is a random instance, method and moment. What is claimed of small instances is compared
with brute force.
"""

import signal
import threading
import time
import traceback
from fractions import Fraction

import numpy as np
import oracle
import pytest
import whole_oracle
from nightly import cases
from random_instances import random_instance
from stops import LOW, STOPS, low
from whole_brute_force import brute_force
from whole_instances import whole_instance
from wide_instances import wide_instances

from instances import from_spec
from solver import Instance, Status, check, cost_of, methods, solve
from solver.engines import process
from solver.kernels.build.ready import mark_used

DRAWS = cases(20, 2_000)
SECONDS = 0.5  # more than most draws need that are not stopped
WINDING_DOWN = 60.0  # seconds for threads that were left alone; none takes more than a few
FAMILIES = (
    "uniform:nodes=5,tasks=20",
    "few_per_node:nodes=4",
    "gpu_cluster:nodes=8",
    "triplets:nodes=6",
    "vector_packing:nodes=4,tasks=16,slack=0",
    "augmented_irup:triples=4",
    "fleet:nodes=2,tasks=14",
    "rebalance:nodes=6,tasks=20",
    "rentals:nodes=2,tasks=12",
    "services:nodes=6,services=4",
    "serving:nodes=8,tasks=40,models=2,load=0.6",
)
# Looks or lines, of which a run has about so many.
LONGEST = {"Ctrl-C at a line": 40_000, "no code": 60, "no engine": 8}


@pytest.fixture(autouse=True)
def own_handler():
    """Python's handler, also where the tests were started with Ctrl-C ignored."""
    before, clock = signal.signal(signal.SIGINT, signal.default_int_handler), time.monotonic
    mark_used()  # else a short run would not load the search
    yield
    time.monotonic = clock
    signal.signal(signal.SIGINT, before)


def exact(value):
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def plain(rng):
    instance = random_instance(rng, integers=bool(rng.random() < 0.7))
    return instance, oracle.brute_force(instance), oracle.cost


def tiny(rng):
    n, m = int(rng.integers(1, 3)), int(rng.integers(0, 3))
    instance = Instance.from_arrays(
        node_compute=rng.integers(0, 4, n).tolist(),
        task_compute=rng.integers(0, 4, m).tolist(),
        node_storage=rng.integers(0, 4, n).tolist(),
        task_storage=rng.integers(0, 3, m).tolist(),
        power_off=bool(rng.random() < 0.5),
    )
    return instance, oracle.brute_force(instance), oracle.cost


def wide(rng):
    instance = next(wide_instances(1, seed=int(rng.integers(2**31))))
    return instance, oracle.brute_force(instance), oracle.cost


def whole(rng):
    case = whole_instance(rng, numbers=("integers", "decimals", "long")[int(rng.integers(3))])

    def cost(instance, node_index):
        placement = whole_oracle.placement_of(instance, node_index)
        return whole_oracle.cost(instance, case.homes, placement)

    return case.instance, brute_force(*case), cost


def require_right(result, best, cost):
    """The claims of a result beside the optimum of brute force, None where there is none."""
    if best is None:
        assert result.allocation is None
        return
    assert result.status is not Status.INFEASIBLE
    assert (result.allocation is None) == (result.status is Status.UNKNOWN)
    if result.status is Status.OPTIMAL:
        assert cost(result.instance, result.allocation.node_index.tolist()) == best.cost
        assert result.bound == result.cost
    elif result.bound is not None:
        assert exact(result.bound) <= best.cost


def require_whole(result):
    """That an allocation keeps all rules and costs what is said."""
    if result.allocation is None:
        return
    assert check(result.instance, result.allocation) == []
    assert result.cost == cost_of(result.instance, result.allocation)
    assert result.bound is None or exact(result.bound) <= exact(result.cost)


def require_nothing_left(handler):
    """That children and threads have ended, or will without being told."""
    assert signal.getsignal(signal.SIGINT) is handler
    deadline = time.monotonic() + WINDING_DOWN
    while process._busy or any("nodewise" in each.name for each in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def stopped_run(instance, stop, rng):
    """Solve by some method until it is stopped somewhere; None if there was nothing yet."""
    names = list(methods())
    weight = np.array(
        [4 if methods()[name].exact or name == "local-search" else 1 for name in names]
    )
    options = {
        "method": names[int(rng.choice(len(names), p=weight / weight.sum()))],
        "time_limit": SECONDS,
        "num_workers": int(rng.integers(1, 3)),
        "seed": int(rng.integers(9)),
        "mip_solver": ("HiGHS", "CBC")[int(rng.integers(2))],
    }
    at = 1 + int(np.exp(rng.uniform(0, np.log(LONGEST.get(stop, 400)))))
    try:
        with low(LOW[int(rng.integers(len(LOW)))]), STOPS[stop](at):
            return solve(instance, **options)
    except KeyboardInterrupt as error:
        assert stop.startswith("Ctrl-C")
        at_work = {frame.name for frame in traceback.extract_tb(error.__traceback__)}
        assert at_work.isdisjoint({"run_on_merged", "balance", "_result"})  # nothing is lost yet
        return None


def draw(rng, number):
    kinds = (plain, whole, wide, tiny)
    if number % 6 < 4:
        return kinds[number % 6](rng)
    spec = FAMILIES[int(rng.integers(len(FAMILIES)))]
    return from_spec(f"{spec},seed={int(rng.integers(100))}"), None, None


@pytest.mark.parametrize("stop", STOPS)
def test_whenever_a_run_is_stopped_what_it_says_is_right(stop):
    handler = signal.getsignal(signal.SIGINT)
    answers = 0
    for number, child in enumerate(np.random.SeedSequence(len(stop)).spawn(DRAWS)):
        rng = np.random.default_rng(child)
        instance, best, cost = draw(rng, number)
        try:
            result = stopped_run(instance, stop, rng)
            require_nothing_left(handler)
            if result is not None:
                answers += 1
                require_whole(result)
                if cost is not None:
                    require_right(result, best, cost)
        except Exception as error:
            error.add_note(f"draw {number} of {stop!r}")
            raise
    assert answers > DRAWS / 2


@pytest.mark.parametrize(
    ("spec", "method", "numbers", "workers", "step"),
    [
        ("uniform:nodes=3,tasks=12,storage=1", "local-search", "eager", 1, 1),
        ("rentals:nodes=2,tasks=12", "column-generation", "guided", 1, 6),
        ("few_per_node:nodes=4", "auto", "beside", 2, 6),
    ],
)
def test_the_time_may_run_out_at_any_look(spec, method, numbers, workers, step):
    instance = from_spec(spec)
    for at in range(1, cases(40, 400), cases(step, 1)):
        with low(numbers), STOPS["time"](at):
            result = solve(instance, method, time_limit=5, num_workers=workers)
        require_whole(result)
        assert result.status is not Status.INFEASIBLE
