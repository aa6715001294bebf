"""Instances from tables of other people, and results as tables: cells with units, data frames.

It imports `fields` and `exact` and nothing that makes instances.
"""
