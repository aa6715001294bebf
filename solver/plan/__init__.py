"""From what runs now to what is better: what to move, and in which order.

It imports everything up to `solve`, and `command` imports it.
"""
