"""Column generation where nodes may be off: branching on how many of each class are on.

It imports `problem`, the rest of `columns` and what lies below.
"""
