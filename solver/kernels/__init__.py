"""Compiled inner loops of the large-instance methods; nothing here is loaded by `import solver`.

The loops are plain Python over NumPy arrays, compiled by numba when first called and kept in
its cache. With ``NUMBA_DISABLE_JIT=1`` they run uncompiled and give the same results.

It imports `problem` and what lies below.
"""
