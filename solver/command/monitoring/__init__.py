"""The loop of an operator: collect what is used, analyse, and watch round by round.

May import all of solver, and what lies beside this folder.
"""
