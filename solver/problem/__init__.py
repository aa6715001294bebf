"""An instance made ready for solvers: its classes, and its numbers as small integers.

It imports `model` only.
"""
