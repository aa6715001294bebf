"""The rows of an instance: one a part of a variant of a task; and where parts are placed.

It imports `errors` and the records and exact numbers of `model`.
"""
