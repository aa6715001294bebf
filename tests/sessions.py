"""A session of column generation that has solved its relaxation."""

from solver.columns.session import Session


def generated(problem, start=(), time_limit=20.0):
    session = Session(problem)
    session.add(start)
    session.generate(time_limit)
    return session
