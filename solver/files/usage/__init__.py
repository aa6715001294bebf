"""Samples of what tasks use, read from CSV and from Prometheus.

May import model, system and the readers of tables and text in this folder's parent.
"""
