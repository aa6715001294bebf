"""Seeded generators of instances. It imports `solver.model` and `solver.errors` only."""

from .failures import rebalance
from .generators import few_per_node, gpu_cluster, triplets, uniform
from .language_models import serving
from .microservices import services
from .packing import augmented_irup, vector_packing
from .registry import FAMILIES, Planted, from_spec, generate, planted
from .renting import fleet, rentals

__all__ = [
    "FAMILIES",
    "Planted",
    "augmented_irup",
    "few_per_node",
    "fleet",
    "from_spec",
    "generate",
    "gpu_cluster",
    "planted",
    "rebalance",
    "rentals",
    "services",
    "serving",
    "triplets",
    "uniform",
    "vector_packing",
]
