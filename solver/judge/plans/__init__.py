"""What the replay of plans is made of: moves by positions, and what nodes carry meanwhile.

It imports `model` and the judge's `capacities` and `violations` only.
"""
