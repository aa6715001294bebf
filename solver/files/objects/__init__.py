"""The JSON form of an instance.

It imports `model` and the rest of `files`.
"""
