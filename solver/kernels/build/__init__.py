"""How the kernels are compiled, kept and found again.

Only `compiling`, which a process of its own runs, imports the kernels.
"""
