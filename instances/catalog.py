"""Named instances that ship with nodewise."""

from __future__ import annotations

from collections.abc import Callable

from solver.model import Instance, Node, Task

__all__ = ["example", "named"]


def example() -> Instance:
    """Two kinds of GPU server, nine training runs and inference replicas; made up.

    Compute is in TFLOPS, storage in GB. Training runs need the large servers; the demand is
    above the total capacity, so some overload must be paid for, and storage is tight.

    Examples
    --------
    >>> example()
    <Instance 'example', 4 nodes, 9 tasks>
    """
    return Instance(
        name="example",
        nodes=[
            Node("a100-0", compute=312, storage=640, kind="A100"),
            Node("a100-1", compute=312, storage=640, kind="A100"),
            Node("v100-0", compute=125, storage=256, kind="V100"),
            Node("v100-1", compute=125, storage=256, kind="V100"),
        ],
        tasks=[
            Task("train-llm", compute=280, storage=420, eligible=["A100"]),
            Task("train-vision", compute=190, storage=310, eligible=["A100"]),
            Task("finetune-0", compute=110, storage=180),
            Task("finetune-1", compute=110, storage=180),
            Task("embed", compute=60, storage=90),
            Task("serve-0", compute=45, storage=120),
            Task("serve-1", compute=45, storage=120),
            Task("serve-2", compute=30, storage=120),
            Task("rerank", compute=25, storage=60),
        ],
    )


def named() -> dict[str, Callable[[], Instance]]:
    """The named instances: a function that makes each, by name."""
    return {"example": example}
