"""What nodes and their electricity cost, made into prices.

It imports `model.exact` and `model.records` only.
"""
