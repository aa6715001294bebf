"""Plans: the moves from where tasks are to where they are to be, and in which order.

`from solver.model.plans.plan import Plan, Move, PlanStatus`.
"""
