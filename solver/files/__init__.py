"""Reading and writing instances, allocations and results.

It imports `model`, `judge` and `system`.
"""
