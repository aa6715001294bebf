"""The data of a problem and of its answer, in exact numbers.

It imports `errors`, `plot` and `system` only.
"""
