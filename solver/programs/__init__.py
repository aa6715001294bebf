"""Linear and mixed-integer programs as arrays, for any solver.

It imports `problem` and what lies below.
"""
