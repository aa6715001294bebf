"""The moves of the local search as compiled functions.

It imports `kernels.state`, `kernels.build.jit` and `model.exact`.
"""
