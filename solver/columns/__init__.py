"""Column generation: master, pricing, diving, listing, branching.

It imports `engines`, `kernels`, `programs` and what lies below.
"""
