"""Instances to solve: seeded generator families, and readers of public formats.

>>> from instances import from_spec
>>> from_spec("few_per_node:nodes=4,seed=1")
<Instance 'few_per_node:nodes=4,seed=1', 4 nodes, 12 tasks>
"""

from .catalog import named
from .families import FAMILIES, Planted, from_spec, generate, planted

__all__ = ["FAMILIES", "Planted", "from_spec", "generate", "named", "planted"]
