"""The checker and the definition of the cost, which share nothing with a method.

It imports `model` only.
"""
