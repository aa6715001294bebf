"""The compiled local search: its rounds, its parts, its groups of nodes.

It imports `kernels`, `engines`, `programs` and what lies below.
"""
