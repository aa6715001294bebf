"""Column generation where tasks have variants, parts, rules or homes: what this adds.

It imports `problem`, `programs`, `columns.generation` and what lies below.
"""
