"""The columns and settings of an instance, checked: one message a rule.

It imports `errors` and the records, fields and exact numbers of `model`.
"""
