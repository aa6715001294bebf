"""Seeded generators of instances. It imports `solver.model` and `solver.errors` only."""

from .generators import few_per_node, gpu_cluster, triplets, uniform
from .registry import FAMILIES, Planted, from_spec, generate, planted

__all__ = [
    "FAMILIES",
    "Planted",
    "few_per_node",
    "from_spec",
    "generate",
    "gpu_cluster",
    "planted",
    "triplets",
    "uniform",
]
