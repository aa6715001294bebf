"""The command line.

It imports everything below, and alone may import `instances`.
"""
