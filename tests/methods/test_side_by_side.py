"""Search and proof side by side: who is told what in which thread, and how all of it ends."""

import logging
import sys
import threading
import time
from collections import deque
from dataclasses import replace

import joblib
import numpy as np
import pytest
from test_solve import hard_instance

from instances import from_spec
from solver import Instance, Status, check, close_engines, solve
from solver.engines import process
from solver.engines.limits import CP_SAT
from solver.engines.process import EngineCrash, HardLimitReached, await_warm, run_job, warm_up
from solver.methods.auto import _opening, _stages, _steps
from solver.methods.base import Options, Outcome
from solver.methods.best import Best
from solver.methods.together import stages
from solver.methods.together.crew import run_together
from solver.methods.together.schedule import Board, Step
from solver.model.proofs import Proof
from solver.model.result import Termination
from solver.problem.problem import Problem
from solver.system.lanes import Lane, halted, within

SCHEDULE = sys.modules["solver.methods.together.schedule"]


@pytest.fixture
def instance():
    return Instance.from_arrays(node_compute=[4, 4, 4], task_compute=[3, 3, 2, 2, 1, 1])


def soon():
    return time.monotonic() + 60


def allocations(seed=0, count=200):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 3, 6) for _ in range(count)]


def test_callbacks_are_called_in_the_calling_thread_and_only_for_what_is_better(instance):
    heard = []
    best = Best(instance, on_incumbent=lambda _: heard.append((threading.get_ident(), best.cost)))

    def offer(seed):
        def work(_lane):
            for node_index in allocations(seed):
                best.incumbent(node_index)

        return work

    works = {str(seed): offer(seed) for seed in range(4)}
    assert run_together(best, soon(), works) == []
    assert {thread for thread, _ in heard} == {threading.get_ident()}
    costs = [cost for _, cost in heard]
    assert costs == sorted(costs, reverse=True)
    offered = (each for seed in range(4) for each in allocations(seed))
    alone = Best(instance)
    for node_index in offered:
        alone.incumbent(node_index)
    assert best.cost == alone.cost


def test_a_bound_that_meets_the_cost_ends_the_others(instance):
    best = Best(instance)
    seen = []

    def search(_lane):
        best.incumbent(np.array([0, 1, 2, 2, 0, 1]))
        while not halted():
            time.sleep(0.001)
        seen.append("halted")

    def prove(_lane):
        while best.cost is None:
            time.sleep(0.001)
        best.bounded(best.cost, Proof.CP_SAT)

    run_together(best, soon(), {"search": search, "prove": prove})
    assert seen == ["halted"]
    assert best.settled()


def test_a_proof_that_there_is_no_allocation_ends_the_others(instance):
    refuted = Outcome(Termination.PROVEN, infeasible_because="so it is")

    def search(lane):
        assert lane.halt.wait(60)

    found = run_together(Best(instance), soon(), {"a": search, "b": lambda _: refuted})
    assert found == [refuted]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_what_a_callback_raises_comes_out_and_the_others_end(instance, error):
    def refuse(_node_index):
        raise error("mine")

    best, ended = Best(instance, on_incumbent=refuse), []

    def search(lane):
        best.incumbent(np.array([0, 1, 2, 2, 0, 1]))
        ended.append(lane.halt.wait(60))

    with pytest.raises(error, match="mine"):
        run_together(best, soon(), {"a": search, "b": search})
    assert ended == [True, True]
    assert best.cost is not None
    assert best.relay is None


def test_what_a_work_raises_comes_out_and_the_others_end(instance):
    ended = []

    def fail(_lane):
        raise ZeroDivisionError("theirs")

    with pytest.raises(ZeroDivisionError, match="theirs"):
        run_together(
            Best(instance), soon(), {"a": lambda lane: ended.append(lane.halt.wait(60)), "b": fail}
        )
    assert ended == [True]


def test_who_does_not_end_in_time_is_left_alone_and_not_heard_any_more(instance, monkeypatch):
    crew = sys.modules["solver.methods.together.crew"]
    for name in ("_GRACE", "_LATE", "_WINDING_DOWN"):
        monkeypatch.setattr(crew, name, 0.05)
    best, go, done = Best(instance), threading.Event(), threading.Event()

    def deaf(_lane):
        go.wait()
        best.incumbent(np.array([0, 1, 2, 2, 0, 1]))
        best.bounded(1, Proof.CP_SAT)
        done.set()

    assert run_together(best, time.monotonic(), {"deaf": deaf}) == []
    go.set()
    assert done.wait(60)
    assert best.cost is best.bound is None


def test_without_threads_one_after_the_other_runs_in_the_calling_one(instance, monkeypatch):
    def refuse(_self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    threads = []
    works = {name: lambda _: threads.append(threading.get_ident()) for name in "ab"}
    run_together(Best(instance), soon(), works)
    assert threads == [threading.get_ident()] * 2


def test_gains_are_credited_to_the_lane_that_made_them(instance):
    best, lanes = Best(instance), {}

    def search(lane):
        lanes["search"] = lane
        best.incumbent(np.array([0, 0, 0, 0, 0, 0]))
        best.incumbent(np.array([0, 1, 2, 2, 0, 1]))

    def prove(lane):
        lanes["prove"] = lane
        best.bounded(7, Proof.CP_SAT)

    run_together(best, soon(), {"search": search, "prove": prove})
    assert lanes["prove"].gained == 7
    assert lanes["search"].gained > 0


def test_a_child_is_ended_when_its_lane_is_halted():
    lane = Lane(threading.Event())
    threading.Timer(0.3, lane.called_off.set).start()
    with within(lane), pytest.raises(HardLimitReached):
        run_job("engine_jobs", "hang", None, hard_limit=60, on_news=lambda _: None)


def test_no_seconds_are_left_in_a_halted_lane():
    lane = Lane(threading.Event())
    options = Options(deadline=soon())
    with within(lane):
        assert options.seconds_left() > 0
        lane.halt.set()
        assert options.seconds_left() == 0


def board_of(instance, steps, **changes):
    options = replace(Options(deadline=soon(), num_workers=2), **changes)
    return Board(Problem(instance), options, Best(instance), steps)


def test_the_step_that_gained_most_lately_is_the_next(instance):
    steps = [Step(name, lambda *_: None, 1.0) for name in "abc"]
    board = board_of(instance, steps)
    assert board._take().name == "a"
    assert [step.name for step in board._waiting()] == ["b", "c"]
    steps[0].running, steps[0].rate = False, 0.5
    steps[1].rate, steps[2].rate = 0.1, 0.7
    assert board._take().name == "c"
    assert board._take().name == "a"


def test_a_step_that_ends_by_itself_is_done_and_one_that_does_not_gets_more_time(instance):
    steps = [
        Step("quick", lambda *_: None, 50.0),
        Step("slow", lambda _problem, given, _best: time.sleep(given.seconds_left()), 0.01),
        Step("once", lambda _problem, given, _best: time.sleep(given.seconds_left()), 0.01, True),
    ]
    board, lane = board_of(instance, steps), Lane(threading.Event())
    for step in steps:
        board._prove_once(step, lane)
    assert [step.done for step in steps] == [True, False, True]
    assert steps[1].seconds == 0.02
    assert steps[1].rate == 0.0
    assert set(board.spent) == {"quick", "slow", "once"}


def test_an_engine_that_fails_is_told_and_not_asked_again(instance):
    def crash(*_):
        raise EngineCrash("cp_sat: the solver process died\ntraceback")

    step = Step("exact model", crash, 1.0)
    board = board_of(instance, [step])
    assert board.prove(Lane(threading.Event())) is None
    assert step.done
    assert board.message == "cp_sat: the solver process died"


def test_the_search_has_the_workers_that_no_step_uses(instance):
    given_workers = []
    step = Step("x", lambda _problem, given, _best: given_workers.append(given.num_workers), 1.0)
    board = board_of(instance, [step], num_workers=4)
    assert board.searchers() == 4
    board._provers = 3
    assert board.searchers() == 1
    board._provers = 0
    board._prove_once(step, Lane(threading.Event()))
    board._searching = False
    board._prove_once(step, Lane(threading.Event()))
    assert given_workers == [2, 4]


def test_a_search_that_finds_nothing_makes_way_for_a_step_that_may(instance):
    step = Step("x", lambda *_: None, 1.0)
    board = board_of(instance, [step])
    assert board.searchers() == 2
    board._begun = board._gained_at = time.monotonic() - 1000
    assert board.searchers() == 2  # there is no allocation yet
    board.best.incumbent(np.zeros(instance.num_tasks, dtype=np.int64))
    assert board.searchers() == 0
    step.rate = 0.0
    assert board.searchers() == 2


def test_a_step_waits_while_the_search_gains_more_than_it_did(instance):
    step = Step("x", lambda *_: None, 1.0, rate=0.01)
    board = board_of(instance, [step])
    board.best.incumbent(np.array([0, 1, 2, 2, 0, 1]))
    assert not board._is_search_better()
    now = time.monotonic()
    board._gains = deque([(now - 1, 0), (now, board.best.cost)])
    assert board._is_search_better()
    step.rate = 1000.0
    assert not board._is_search_better()
    step.rate = 0.0
    assert board._is_search_better()
    board._begun = board._gained_at = now - 1000
    assert not board._is_search_better()  # it has found nothing for long


def test_a_step_that_brings_nothing_is_called_off_where_the_search_finds_something(instance):
    board, lane = board_of(instance, [Step("x", lambda *_: None, 1.0)]), Lane(threading.Event())
    board._at_work[lane] = 0, time.monotonic()
    board.searchers()
    assert not lane.called_off.is_set()
    board._at_work[lane] = 0, time.monotonic() - 1000
    lane.gained = 5
    board.searchers()
    assert not lane.called_off.is_set()
    board._at_work[lane] = 5, time.monotonic() - 1000
    board.searchers()
    assert lane.called_off.is_set()


def test_progress_is_told_in_the_calling_thread_and_the_log_says_where_the_time_went(caplog):
    threads, names = set(), set()
    instance = hard_instance(8)
    for seconds in (4, 40):  # on a machine that is busy what comes first may take the four
        with caplog.at_level(logging.DEBUG, logger="solver"):
            result = solve(
                instance,
                time_limit=seconds,
                num_workers=2,
                on_progress=lambda _: threads.add(threading.get_ident()),
            )
        names |= {text.split(":")[0] for text in caplog.messages}
        if {"search", "columns"} <= names or result.status is Status.OPTIMAL:
            break
    assert threads == {threading.get_ident()}
    assert check(instance, result.allocation) == []
    assert {"search", "columns"} <= names or result.status is Status.OPTIMAL


def test_with_one_worker_there_are_no_threads(monkeypatch):
    monkeypatch.setattr(
        sys.modules["solver.methods.auto"], "side_by_side", None
    )  # which nobody may call
    result = solve(from_spec("few_per_node:nodes=8,seed=2"), time_limit=3, num_workers=1)
    assert result.allocation is not None
    again = solve(
        from_spec("few_per_node:nodes=8,seed=2"), time_limit=3, num_workers=2, round_limit=2
    )
    assert again.allocation is not None


def test_on_a_backend_of_the_user_s_there_are_no_threads(monkeypatch):
    monkeypatch.setattr(sys.modules["solver.methods.auto"], "side_by_side", None)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        result = solve(hard_instance(6), time_limit=3, num_workers=2)
    assert result.allocation is not None


def test_a_better_allocation_of_others_is_gone_on_from():
    from solver.methods.local_search import _Run

    instance = hard_instance(6)
    problem = Problem(instance)
    best = Best(instance)
    start = solve(instance, "greedy", num_workers=1).allocation.node_index
    better = solve(instance, "local-search", round_limit=5, num_workers=1).allocation.node_index
    best.incumbent(start)
    run = _Run(problem, best.within(Options(deadline=soon())), best)
    before = run.cost
    best.incumbent(better)
    run._take_over()
    assert run.cost < before
    assert run._node_index(run.node_of).tolist() == better.tolist()


def test_the_columns_of_what_the_search_offers_reach_the_proof(instance):
    best = Best(instance)
    assert best.taken_trail() == []
    best.trail = []
    best.incumbent(np.array([0, 1, 2, 2, 0, 1]))
    best.incumbent(np.array([0, 0, 0, 0, 0, 0]))  # dearer, but its columns may be of use
    assert len(best.taken_trail()) == 2
    assert best.taken_trail() == []


def test_the_exact_solver_is_loaded_before_its_time_runs():
    """Under load loading took longer than a glance may, and was begun anew each time."""
    small = Instance.from_arrays(node_compute=[4, 4], task_compute=[3, 3, 2], power_off=True)
    problem = Problem(small)
    for planned in (_opening(problem), _stages(problem, Best(small))):
        runs = [stage.run for stage in planned]
        assert runs.index(stages.await_exact) + 1 == runs.index(stages.exact)
    close_engines()
    await_warm(CP_SAT, 60)  # there is nothing to wait for
    warm_up(CP_SAT)
    await_warm(CP_SAT, 60)
    assert any(child.ready for child in process._idle)


def test_few_steps_for_large_instances_and_the_exact_model_early_for_rentals():
    def names(spec):
        instance = from_spec(spec)
        options = Options(deadline=soon(), num_workers=2)
        steps = _steps(Problem(instance), options, Best(instance))
        return [step.name for step in steps]

    assert names("uniform:nodes=400,tasks=20000,node_types=all") == ["bound"]
    assert names("rentals:tasks=200") == ["bound", "exact model", "columns"]
    assert names("few_per_node:nodes=50,node_types=all") == ["bound", "columns", "exact model"]
    large = names("serving:nodes=200,tasks=5000")
    assert large[:2] == ["bound", "placing by classes"]
    larger = names("serving:nodes=60,tasks=1500,models=12")
    assert larger[:3] == ["bound", "exact model", "division"]
