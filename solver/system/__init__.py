"""What is asked of the operating system: signals, locks, files written whole.

It imports `errors` only, and knows of no instance.
"""
