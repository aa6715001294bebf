"""Solvers of other people, each run in a process of its own.

OR-Tools and HiGHS's Python package cannot live in one process, a solver may crash or overrun
its time limit, and the user's process must stay able to import whatever it likes. So no
solver library is ever loaded into the user's process: `process` starts a child, `host` is
what runs in it, and `cp_sat`, `glop` and `mip` are loaded by the child alone.

It imports `programs` and what lies below.
"""
