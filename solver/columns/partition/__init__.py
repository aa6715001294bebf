"""Proof by listing: all columns within the gap, and the cheapest choice among them.

It imports `problem`, the rest of `columns` and what lies below.
"""
