"""nodewise: assign tasks to nodes at the least cost, and prove how good the answer is.

>>> from solver import Instance, Node, Task, solve
>>> instance = Instance(
...     nodes=[Node("big", compute=10, storage=64), Node("small", compute=6, storage=32)],
...     tasks=[Task("train", compute=9, storage=40), Task("serve", compute=5, storage=30)],
... )
>>> result = solve(instance)
>>> result.cost, result.status.value, dict(result.allocation.node_of)
(136, 'optimal', {'train': 'big', 'serve': 'small'})
"""

from .system import signals as _signals  # noqa: F401  # first: it minds signals while the rest loads

# isort: split

import logging

from .bounds.lower_bound import lower_bound
from .engines.process import close_engines
from .errors import (
    BackendUnavailableError,
    InstanceError,
    MethodError,
    NodewiseError,
    NodewiseWarning,
)
from .files.allocation import read_allocation, write_allocation
from .files.instance import read_instance, write_instance
from .files.plan import read_plan, write_plan
from .files.usage.reading import read_usage
from .files.usage.samples import Usage
from .judge.check import Violation, check
from .judge.cost import cost_of
from .judge.replay import check_plan
from .methods import methods
from .model.allocation import Allocation
from .model.costs.energy import Energy
from .model.instance import Instance, Node, Task
from .model.plans.plan import Move, Plan, PlanStatus
from .model.records import Part, Variant
from .model.result import Progress, Result, Status, Termination
from .model.rules import Affinity, AntiAffinity, Limit, Spread
from .plan.rebalance import rebalance
from .solve import solve
from .usage.adjusting import with_usage
from .versions import __version__, show_versions

__all__ = [
    "Affinity",
    "Allocation",
    "AntiAffinity",
    "BackendUnavailableError",
    "Energy",
    "Instance",
    "InstanceError",
    "Limit",
    "MethodError",
    "Move",
    "Node",
    "NodewiseError",
    "NodewiseWarning",
    "Part",
    "Plan",
    "PlanStatus",
    "Progress",
    "Result",
    "Spread",
    "Status",
    "Task",
    "Termination",
    "Usage",
    "Variant",
    "Violation",
    "__version__",
    "check",
    "check_plan",
    "close_engines",
    "cost_of",
    "lower_bound",
    "methods",
    "read_allocation",
    "read_instance",
    "read_plan",
    "read_usage",
    "rebalance",
    "show_versions",
    "solve",
    "with_usage",
    "write_allocation",
    "write_instance",
    "write_plan",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())
