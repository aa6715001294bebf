"""Bounds and reasons of infeasibility for problems with variants, parts, rules and moves.

It imports `cuts` and `words` of `bounds`, `engines`, `programs` and what lies below.
"""
