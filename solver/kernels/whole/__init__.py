"""The loops of the search on whole models: forms of tasks, parts, rules, moves, tasks left out.

It imports `kernels.build`, `problem` and what lies below.
"""
