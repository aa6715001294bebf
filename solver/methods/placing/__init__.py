"""Partial allocations, and how tasks are placed on them one by one.

It imports `methods.base`, `problem` and what lies below.
"""
