"""The linear bound where there are too many classes for a linear program over them.

Alike tasks are pooled, the relaxation over the pools is solved by an interior-point method, and
the Lagrangian at its prices is evaluated over all classes, in integers. It imports `lagrangian`
of `bounds`, `engines` and what lies below.
"""
