"""Proven lower bounds, and proofs that there is no allocation.

It imports `columns`, `engines`, `programs` and what lies below.
"""
