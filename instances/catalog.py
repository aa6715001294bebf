"""Named instances that ship with nodewise."""

from __future__ import annotations

from collections.abc import Callable

from solver.model.instance import Instance, Node, Task
from solver.model.records import Variant
from solver.model.rules import Spread

from . import figures

__all__ = [
    "article_10",
    "article_12",
    "article_16",
    "article_100",
    "example",
    "llm_fleet",
    "llm_fleet_bf16",
    "named",
    "uneven_zones",
]


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


_RATES = {"Llama-3.1-405B": 2000, "Qwen3-235B-A22B": 3000, "Llama-3.1-70B": 6000}
"""Tokens a second that each model must serve, in the workload lm-arena-chat."""


def _llm_fleet(name: str, max_loss: float | None) -> Instance:
    """Three models on three servers: every measured engine that is fast enough is a variant."""
    return Instance(
        name=name,
        nodes=[
            Node("h100-0", compute=8, kind="H100", fixed_cost=23.60),
            Node("h100-1", compute=8, kind="H100", fixed_cost=23.60),
            Node("b200-0", compute=8, kind="B200", fixed_cost=44.00),
        ],
        tasks=[
            Task(
                model,
                max_loss=max_loss,
                variants=[
                    Variant(
                        f"{one.precision} {one.num_gpus}x{one.gpu}",
                        compute=one.num_gpus,
                        eligible=[one.gpu],
                        loss=figures.losses(one.precision, one.params_b).loss_percent,
                    )
                    for one in figures.serving(model, "lm-arena-chat")
                    if one.tokens_per_s >= rate
                ],
            )
            for model, rate in _RATES.items()
        ],
        max_load=1,
        power_off="rented",
        currency="USD",
    )


def llm_fleet() -> Instance:
    """Three language models on rented servers, by published figures; fp8 is allowed.

    Compute is GPUs, cost is dollars an hour. Llama-3.1-405B is wanted at 2,000 tokens a second or
    more, Qwen3-235B at 3,000, Llama-3.1-70B at 6,000: each variant is an engine measured at that
    rate (`instances.figures`). Two servers of 8 x H100 and one of 8 x B200 can be rented.

    Examples
    --------
    >>> [variant.name for variant in llm_fleet().tasks[0].variants]
    ['fp8 4xB200', 'fp8 8xH100', 'bf16 8xB200']
    """
    return _llm_fleet("llm_fleet", None)


def llm_fleet_bf16() -> Instance:
    """The models of `llm_fleet` without any loss of quality, which leaves bf16 alone.

    Examples
    --------
    >>> llm_fleet_bf16().tasks[0].max_loss
    0
    """
    return _llm_fleet("llm_fleet_bf16", 0)


def uneven_zones() -> Instance:
    """One app of 30 pods, of which six zones hold 1, 2, 4, 6, 8 and 9: fewest moves to a skew of 1.

    Nothing but a move costs anything. Eight are needed: then every zone holds five.

    Examples
    --------
    >>> uneven_zones().num_tasks
    30
    """
    held = (1, 2, 4, 6, 8, 9)
    homes = [f"node-{z}" for z, number in enumerate(held) for _ in range(number)]
    return Instance(
        name="uneven_zones",
        nodes=[
            Node(f"node-{z}", compute=100, price=0, labels={"zone": f"zone-{z}"})
            for z in range(len(held))
        ],
        tasks=[Task(f"pod-{j}", compute=1, groups=["app"]) for j in range(len(homes))],
        rules=[Spread("app", "zone", max_skew=1)],
        current={f"pod-{j}": node for j, node in enumerate(homes)},
        move_price=1,
    )


def named() -> dict[str, Callable[[], Instance]]:
    """The named instances: a function that makes each, by name."""
    articles = (article_16, article_12, article_10, article_100)
    makers = (example, *articles, llm_fleet, llm_fleet_bf16, uneven_zones)
    return {make.__name__: make for make in makers}
