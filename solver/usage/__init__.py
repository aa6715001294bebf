"""What tasks use, made the figures of an instance; watching a cluster round by round.

May import floors 0 to 5 and plan.
"""
