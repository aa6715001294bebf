"""Search and proof side by side: the lanes, the steps and who takes which.

It imports the methods beside it and what lies below.
"""
