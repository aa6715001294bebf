"""What an instance asks of a method beyond tasks on nodes, by the names that users write."""

from __future__ import annotations

import numpy as np

from ...model.instance import Instance

__all__ = ["FEATURES", "features_of"]

FEATURES = (
    "variants",
    "parts",
    "skip_price",
    "quality_budget",
    "pinned",
    "state",
    "current",
    "max_moves",
    "limit",
    "spread",
    "affinity",
    "anti-affinity",
)
"""Fields and rules that a method may or may not take."""


def features_of(instance: Instance) -> tuple[str, ...]:
    """Those of `FEATURES` that an instance uses.

    Examples
    --------
    >>> from solver.model.records import Node, Task, Variant
    >>> half = Variant("half", compute=2, parts=2)
    >>> features_of(Instance([Node("a", 4), Node("b", 4)], [Task("t", variants=[half])]))
    ('variants', 'parts')
    """
    rows, rules = instance.rows, {rule.name for rule in instance.rules}
    used = {
        "variants": not rows.is_identity,
        "parts": rows.num_rows > 0 and bool((np.diff(rows.form_start) > 1).any()),
        "skip_price": bool((instance.task_skip_price < np.inf).any()),
        "quality_budget": instance.quality_budget is not None,
        "pinned": len(instance.pinned_sets) > 1,
        "state": any(state != "open" for state in instance.node_state),
        "current": instance.current is not None,
        "max_moves": instance.current is not None and instance.max_moves is not None,
        **{name: name in rules for name in ("limit", "spread", "affinity", "anti-affinity")},
    }
    return tuple(name for name in FEATURES if used[name])
