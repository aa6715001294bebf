"""Sessions: a child is told once what it needs, and everything again when it is another one."""

import sys

import numpy as np
import pytest
from sessions import generated

from instances import from_spec
from solver import close_engines, solve
from solver.columns.program import columns_of
from solver.columns.session import WORKER, Session
from solver.engines import process
from solver.engines.process import EngineCrash
from solver.problem.problem import Problem

SPEC = "few_per_node:nodes=6,seed=5"


@pytest.fixture
def jobs(monkeypatch):
    """The jobs that sessions have done: function, whether the table was sent, columns sent."""
    module, done = sys.modules["solver.columns.session"], []
    run_job = module.run_job

    def watched(name, function, payload, **options):
        sent = len(payload.get("columns", ()))
        done.append((function, payload.get("table") is not None, sent))
        return run_job(name, function, payload, **options)

    monkeypatch.setattr(module, "run_job", watched)
    close_engines()
    return done


def dive(session, seed=0):
    found = []
    session.dive(10.0, 20, None, session.bound, seed, found.append)
    return found


def test_the_table_goes_to_the_child_once_and_every_column_once(jobs):
    problem = Problem(from_spec(SPEC))
    with Session(problem) as session:
        session.generate(20.0)
        first = len(session.columns)
        assert first
        assert dive(session)
        start = columns_of(problem, solve(problem.instance, "greedy").allocation.node_index)
        before = len(session.columns)
        session.add(start)
        added = len(session.columns) - before
        dive(session, seed=1)
        session.list_columns(session.bound, 1000, 10.0)
    assert [job for job in jobs if job[1]] == [("generate", True, 0)]
    assert jobs[-4:] == [
        ("dive", False, 0),
        ("dive", False, added),
        ("list_columns", False, 0),
        ("forget", False, 0),
    ]
    assert len(set(session.columns)) == len(session.columns)


def test_a_child_that_is_lost_is_replaced_and_told_everything(jobs):
    session = generated(Problem(from_spec(SPEC)))
    known = len(session.columns)
    close_engines()
    assert dive(session)
    assert ("dive", True, known) in jobs


def test_two_sessions_that_share_a_child_do_not_mix(jobs):
    one = generated(Problem(from_spec(SPEC)))
    other = generated(Problem(from_spec("few_per_node:nodes=5,seed=9")))
    assert other._child.child is one._child.child
    for session in (one, other, one):
        table = session.problem.outer_table
        for columns in dive(session):
            count = np.zeros_like(table.count)
            for _, tasks in columns:
                np.add.at(count, list(tasks), 1)
            assert (count == table.count).all()
    assert sum(sent for _, sent, _ in jobs) == 5  # each had to tell the child anew in its turn


def test_what_a_dive_leaves_behind_does_not_change_the_relaxation():
    problem = Problem(from_spec(SPEC))
    with Session(problem) as session:
        session.generate(20.0)
        bound = session.bound
        for seed in range(2):
            dive(session, seed)
            session.generate(20.0)
            assert session.converged
            assert session.bound == bound == session.prices[-1].grid_bound


def test_at_the_end_the_child_forgets(jobs):
    with Session(Problem(from_spec(SPEC))) as session:
        session.generate(20.0)
    assert not process.run_job(WORKER, "forget", {"token": session._token}, hard_limit=10.0)
    assert dive(session)  # a session that goes on all the same is told anew


def test_a_job_that_fails_is_an_engine_crash():
    problem = Problem(from_spec(SPEC))
    session = Session(problem)
    session.add([(99, (0,))])
    with pytest.raises(EngineCrash):
        session.generate(20.0)
