"""Demand and supply that clash: a cut below the demand (Ford and Fulkerson 1956)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..model.exact import Array
from ..problem.classes import group_rows
from ..system.undisturbed import load

__all__ = ["distinct", "overfull_cut"]


def distinct(fits: Array) -> tuple[Array, Array, Array]:
    """Rows and columns of a bool matrix by what is in them, and the matrix of these kinds."""
    rows, row_first = group_rows([np.packbits(fits, axis=1)])
    columns, column_first = group_rows([np.packbits(fits, axis=0).T])
    return rows, columns, fits[np.ix_(row_first, column_first)]


def overfull_cut(
    adjacent: Array, demand: list[int], supply: list[int]
) -> tuple[list[int], list[int]] | None:
    """Rows whose demand exceeds all the supply they can reach, and the columns they reach."""
    if adjacent.all():
        everything = list(range(len(demand))), list(range(len(supply)))
        return everything if sum(demand) > sum(supply) else None
    networkx = load("networkx")  # here: most instances never need it
    graph: Any = networkx.DiGraph()
    for b, amount in enumerate(demand):
        graph.add_edge("source", ("tasks", b), capacity=int(amount))
        for h in np.flatnonzero(adjacent[b]).tolist():
            graph.add_edge(("tasks", b), ("nodes", h))
    for h, amount in enumerate(supply):
        graph.add_edge(("nodes", h), "sink", capacity=int(amount))
    if "source" not in graph or "sink" not in graph:
        return None
    flow, (reached, _) = networkx.minimum_cut(graph, "source", "sink")
    if flow >= sum(demand):
        return None
    tasks_in = [b for b in range(len(demand)) if ("tasks", b) in reached and demand[b]]
    nodes_in = np.flatnonzero(adjacent[tasks_in].any(axis=0)).tolist()
    return tasks_in, nodes_in
