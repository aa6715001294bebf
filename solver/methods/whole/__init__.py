"""Methods for whole models: variants, parts, rules, present places, tasks that may be left out.

It imports `methods.base`, `methods.best`, `methods.placing`, `search` and what lies below.
"""
