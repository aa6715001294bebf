"""Three models on rented servers, from published throughput: what fp8 saves, proved.

The throughput is that of the ML.ENERGY leaderboard v3 (workload lm-arena-chat), the price of a
server of eight GPUs that of Nebius in SkyPilot's catalogue v8. A variant is a measured
configuration that reaches the tokens a second asked for.
"""

import csv

import pytest

from solver import Instance, Node, Status, Task, Variant, check, solve

# Model, precision, GPU, number of GPUs, tokens a second.
ROWS = [
    ("Qwen3-235B", "fp8", "B200", 2, 3776.4),
    ("Qwen3-235B", "fp8", "H100", 4, 3015.6),
    ("Qwen3-235B", "fp8", "H100", 8, 5342.0),
    ("Qwen3-235B", "bfloat16", "B200", 4, 13303.3),
    ("Qwen3-235B", "bfloat16", "B200", 8, 14457.1),
    ("Qwen3-235B", "bfloat16", "H100", 8, 3695.8),
    ("Llama-3.1-405B", "fp8", "B200", 4, 3386.3),
    ("Llama-3.1-405B", "fp8", "H100", 8, 2363.4),
    ("Llama-3.1-405B", "bfloat16", "B200", 8, 7418.6),
    ("Llama-3.1-70B", "bfloat16", "B200", 2, 10107.8),
    ("Llama-3.1-70B", "bfloat16", "H100", 4, 6827.2),
]
WANTED = {"Llama-3.1-405B": 2000, "Qwen3-235B": 3000, "Llama-3.1-70B": 6000}
SERVERS = {"h100-a": ("H100", 23.60), "h100-b": ("H100", 23.60), "b200": ("B200", 44.00)}


def serving(rows, precisions):
    """Servers to rent by the hour, and each model in every form that is fast enough."""
    return Instance(
        nodes=[
            Node(name, 8, kind=gpu, fixed_cost=dollars, resources={"gpu": 8})
            for name, (gpu, dollars) in SERVERS.items()
        ],
        tasks=[
            Task(
                model,
                variants=[
                    Variant(
                        f"{precision} on {gpus} x {gpu}",
                        gpus,
                        resources={"gpu": gpus},
                        eligible=[gpu],
                    )
                    for name, precision, gpu, gpus, speed in rows
                    if name == model and precision in precisions and speed >= wanted
                ],
            )
            for model, wanted in WANTED.items()
        ],
        max_load=1,
        power_off="rented",
        currency="$/h",
    )


def require_bill(rows, precisions, dollars, servers, method="auto"):
    instance = serving(rows, precisions)
    result = solve(instance, method, time_limit=60)
    assert (result.status, result.cost, result.bound) == (Status.OPTIMAL, dollars, dollars)
    assert check(instance, result.allocation) == []
    used = {result.allocation.node_of[model] for model in WANTED}
    assert used == servers
    return result


@pytest.mark.parametrize("method", ["auto", "cp-sat", "mip"])
def test_bf16_alone_takes_three_servers(method):
    require_bill(ROWS, {"bfloat16"}, 91.20, set(SERVERS), method)


@pytest.mark.parametrize("method", ["auto", "cp-sat", "mip"])
def test_with_fp8_one_server_does(method):
    result = require_bill(ROWS, {"bfloat16", "fp8"}, 44.00, {"b200"}, method)
    chosen = {model: result.allocation.variant_of(model) for model in WANTED}
    assert chosen == {
        "Llama-3.1-405B": "fp8 on 4 x B200",
        "Qwen3-235B": "fp8 on 2 x B200",
        "Llama-3.1-70B": "bfloat16 on 2 x B200",
    }


@pytest.mark.data
def test_the_published_table_says_the_same(data_dir):
    with open(data_dir / "figures" / "serving.csv", encoding="utf-8", newline="") as stream:
        table = [
            (short, line["precision"], line["gpu"], int(line["num_gpus"]), speed)
            for line in csv.DictReader(stream)
            for short in WANTED
            if short in line["model"] and line["workload"] == "lm-arena-chat"
            for speed in [float(line["tokens_per_s"])]
        ]
    assert sorted(table) == sorted(ROWS)
    require_bill(table, {"bfloat16"}, 91.20, set(SERVERS))
    require_bill(table, {"bfloat16", "fp8"}, 44.00, {"b200"})
