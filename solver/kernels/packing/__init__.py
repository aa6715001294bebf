"""Compiled search for an allocation that keeps every hard limit, where there is little room.

It imports `kernels.state`, `kernels.fits`, `kernels.build.jit` and `model.exact`.
"""
