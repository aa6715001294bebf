"""Small instances of the whole model, for the tests of the judge."""

from __future__ import annotations

from solver.model.instance import Instance
from solver.model.records import Node, Part, Task, Variant


def zones(*of_nodes, **options):
    """Nodes n0, n1, ... in the zones given; None is a node without one."""
    return [
        Node(f"n{i}", 100, labels={} if zone is None else {"zone": zone}, **options)
        for i, zone in enumerate(of_nodes)
    ]


def grouped(count, *groups, name="t", **options):
    """Tasks name0, name1, ... of some groups."""
    return [Task(f"{name}{j}", 1, groups=groups, **options) for j in range(count)]


FORMS = Task(
    "llm",
    variants=[
        Variant("bf16", compute=8, parts=2, price=1),
        Variant("fp8", compute=8, price=2, loss=0.5),
        Variant("pair", parts=[Part(6, storage=3), Part(2)], loss=1),
    ],
)
# Rows of FORMS: 0 and 1 bf16, 2 fp8, 3 and 4 pair.


def of_forms(*more, nodes=None, **options):
    """An instance of three nodes a, b, c and the task FORMS."""
    nodes = nodes or [Node("a", 10, storage=5), Node("b", 10, storage=2), Node("c", 10)]
    return Instance(nodes, [FORMS, *more], **options)
