"""What runs now, what another placement saves, and the searches for one that few moves reach.

It imports everything up to `solve`, and `plan.rebalance` imports it.
"""
