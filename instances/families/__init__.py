"""Seeded generators of instances. It imports `solver.model` and `solver.errors` only."""

from .generate import (
    FAMILIES,
    Planted,
    few_per_node,
    from_spec,
    generate,
    gpu_cluster,
    planted,
    triplets,
    uniform,
)

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
