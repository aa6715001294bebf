"""Named instances that ship with nodewise."""

from __future__ import annotations

from collections.abc import Callable

from solver.model.instance import Instance, Node, Task

__all__ = ["article_10", "article_12", "article_16", "article_100", "example", "named"]


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


def _article(tasks: int) -> Instance:
    """The first tasks of the source article's list on its four nodes."""
    return Instance(
        name=f"article_{tasks}",
        nodes=[Node(f"node-{i}", compute=1000, storage=1) for i in range(1, 5)],
        tasks=[Task(f"task-{j}", compute=200 + 100 * j) for j in range(1, tasks + 1)],
    )


def article_16() -> Instance:
    """The source article's case, as its data parallel placement has it: tasks 1 to 16.

    Four nodes of compute 1,000 (FLOPS) and storage 1 (TB); task j has demand 200 + 100·j and
    needs no storage. The tasks ask for 16,800 together: whoever loads all nodes pays 1,000
    times that, wherever each task goes.

    Examples
    --------
    >>> article_16(), int(article_16().task_compute.sum())
    (<Instance 'article_16', 4 nodes, 16 tasks>, 16800)
    """
    return _article(16)


def article_12() -> Instance:
    """The source article's case, as its model parallel placement has it: tasks 1 to 12.

    Units as in `article_16`.

    Examples
    --------
    >>> int(article_12().task_compute.sum())
    10200
    """
    return _article(12)


def article_10() -> Instance:
    """The source article's case, as its program has it: tasks 1 to 10.

    Units as in `article_16`.

    Examples
    --------
    >>> int(article_10().task_compute.sum())
    7500
    """
    return _article(10)


def article_100() -> Instance:
    """The source article's case with all of the hundred tasks that it speaks of.

    Units as in `article_16`.

    Examples
    --------
    >>> int(article_100().task_compute.sum()), int(article_100().task_compute.max())
    (525000, 10200)
    """
    return _article(100)


def named() -> dict[str, Callable[[], Instance]]:
    """The named instances: a function that makes each, by name."""
    makers = (example, article_16, article_12, article_10, article_100)
    return {make.__name__: make for make in makers}
