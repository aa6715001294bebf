"""One instance solved by Meta's Rebalancer (PyPI `rebalancer`), as a skilled user would write it.

Objects are tasks, containers are nodes:

    minimise   sum_i o_i max(0, L_i - C_i)       one capacity goal, scaled by overload price
    subject to storage, further resources, max_load      capacity constraints
               x_ij = 0 where i is not eligible          a capacity of 0 for barred tasks

From a greedy start a local search of single moves and
swaps runs until it finds nothing better; what is left of the time goes to the optimal-subset
solver, HiGHS on a few random nodes at a time. Each setting below was the best of those tried on
50 x 250, 100 x 1,000 and 1,000 x 10,000 with tight storage. The seconds in the answer are those of
`ProblemSolver.solve`, its set-up included, and not those of the start or of passing in the data.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import os
import platform
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from rebalancer import ProblemSolver

from .plain import labels_of, plain
from .protocol import Answer, Job, Unsupported, serve

# The type stubs give the enums of 1.0.4 as names, but its binding takes only their numbers.
ABSOLUTE, RELATIVE = 1, 2
HIGHS = 2

SCOPE = "node"
LEAST_SECONDS = 1.0
"""The subset solver cuts its time limits to whole seconds and takes 0 for 1."""

_ITERATION = re.compile(r"Iteration \d+, objective (\S+), .* solve time ([-+.\deE]+),")


def run(job: Job) -> Answer:
    """Start greedily, run both stages, and give the cost of what came out."""
    instance = job.instance()
    data = plain(instance)
    if instance.get("power_off"):
        raise Unsupported("power_off: the price of an empty node is not modelled here")
    placed = greedy(instance)
    begun = job.elapsed()
    found = solve(instance, placed, job.left(), subset_size(instance), job.seed)
    position = {node: i for i, node in enumerate(data.node_ids)}
    cost = data.cost([position[found["allocation"][task]] for task in data.task_ids])
    build_seconds = begun + found["build_seconds"]
    return Answer(
        status="feasible",
        termination="time limit" if job.left() < LEAST_SECONDS else "finished",
        allocation=found["allocation"],
        cost=cost,
        build_seconds=build_seconds,
        solve_seconds=found["seconds"],
        history=[(build_seconds + found["seconds_to_best"], cost, None)],
        versions=found["versions"],
    )


def solve(
    instance: dict[str, Any], placed: dict[str, str], time_limit: float, subset: int, seed: int
) -> dict[str, Any]:
    """Run both stages, each as a problem of its own, and say when the best was reached.

    In one problem the second stage would keep a penalty for every constraint that the start
    broke; in one of its own they are plain rows.
    """
    stages: list[dict[str, Any]] = []
    build_seconds = seconds = best_at = 0.0
    objective = math.inf
    for name in ("local search", "optimal subset"):
        left = time_limit - seconds
        if stages and (left < LEAST_SECONDS or objective < smallest_step(instance) / 2):
            break
        begun = time.perf_counter()
        with native_log():  # a warning about zeros that are not there
            solver = model(instance, placed)
        solver.set_run_id(str(seed))
        stage = local_search(left, seed) if not stages else optimal_subset(instance, left, subset)
        solver.add_solver(stage)
        build_seconds += time.perf_counter() - begun
        begun = time.perf_counter()
        with native_log() as log:
            found = solver.solve()
        stage_seconds = time.perf_counter() - begun
        placed = found["assignment"]
        if found["finalObjective"]["value"] < objective:
            objective = found["finalObjective"]["value"]
            improved = last_improvement(found["problemProfile"], log)
            best_at = seconds + min(improved, stage_seconds)
        seconds += stage_seconds
        stages.append({"name": name, "seconds": stage_seconds, "objective": objective})
    return {
        "allocation": placed,
        "seconds": seconds,
        "seconds_to_best": best_at,
        "build_seconds": build_seconds,
        "stages": stages,
        "versions": {
            "rebalancer": importlib.metadata.version("rebalancer"),
            "python": platform.python_version(),
        },
    }


def model(instance: dict[str, Any], placed: dict[str, str]) -> ProblemSolver:
    """The problem without a solver, starting from the node of each task in `placed`."""
    hosted: dict[str, list[str]] = {node["id"]: [] for node in instance["nodes"]}
    for task, node in placed.items():
        hosted[node].append(task)
    solver = ProblemSolver(service_name="nodewise", service_scope="benchmark")
    solver.set_log_level("INFO")
    solver.disable_solution_summary()
    solver.set_object_name("task")
    solver.set_container_name(SCOPE)
    solver.set_assignment(hosted)
    add_overload(solver, instance)
    for name, (have, need) in hard_quantities(instance).items():
        add_capacity(solver, instance, name, have, need)
    add_eligibility(solver, instance)
    return solver


def add_overload(solver: ProblemSolver, instance: dict[str, Any]) -> None:
    """The goal sum_i o_i max(0, L_i - C_i), in units of the mean capacity at the dearest price.

    The goal's legacy formula divides each overload by the node's own value of the dimension; a
    value proportional to 1 / o_i makes one goal of all prices. The unit keeps the goal small
    beside the penalty of a constraint that the start breaks, of 100 a mean capacity.
    """
    prices = overload_prices(instance)
    dearest, unit = max(prices.values()), mean_capacity(instance)
    demand = {task["id"]: float(task["compute"]) for task in instance["tasks"]}
    solver.add_object_dimension("compute", demand)
    divisors = {node: unit * dearest / o for node, o in prices.items() if o > 0}
    if not divisors:
        return
    solver.add_container_dimension("compute", divisors, default_value=unit)
    capacity = {node["id"]: float(node["compute"]) for node in instance["nodes"]}
    goal = limited("overload", "compute", {node: capacity[node] for node in divisors})
    solver.add_goal({"capacitySpec": {**goal, "useLegacyFormula": True}}, weight=1.0)


def limited(name: str, dimension: str, limits: dict[str, float]) -> dict[str, Any]:
    """A capacity specification with a limit of its own for each of the nodes listed."""
    return {
        "name": name,
        "scope": SCOPE,
        "dimension": dimension,
        "limit": {"type": ABSOLUTE, "globalLimit": 0.0, "scopeItemLimits": limits},
        "filter": {"itemsWhitelist": list(limits)},
    }


def add_capacity(
    solver: ProblemSolver,
    instance: dict[str, Any],
    name: str,
    have: list[float],
    need: list[float],
) -> None:
    """A hard capacity, infinite where a node has no limit."""
    capacity = {
        node["id"]: float(most)
        for node, most in zip(instance["nodes"], have, strict=True)
        if most < math.inf
    }
    needs = zip(instance["tasks"], need, strict=True)
    solver.add_object_dimension(name, {task["id"]: float(amount) for task, amount in needs})
    # The mean of these values is what a broken constraint's excess is measured in.
    solver.add_container_dimension(name, capacity)
    solver.add_constraint({"capacitySpec": limited(name, name, capacity)})


def add_eligibility(solver: ProblemSolver, instance: dict[str, Any]) -> None:
    """An indicator of tasks barred from a node, of which a node may hold none.

    The documentation advises this over `avoidAssignmentsSpec` where many pairs are barred: it
    takes an entry for each node and list of eligible nodes, not for each node and task.
    """
    groups = {labels: tasks for labels, tasks in eligibility(instance).items() if labels}
    if not groups:
        return
    names = {labels: f"group {number}" for number, labels in enumerate(groups)}
    solver.add_partition("eligibility", {names[labels]: groups[labels] for labels in groups})
    admitted = {name: set(hosts(instance, labels)) for labels, name in names.items()}
    barred = {
        node["id"]: {name: 1.0 for name, among in admitted.items() if i not in among}
        for i, node in enumerate(instance["nodes"])
    }
    solver.add_dynamic_object_dimension_by_partition(
        "barred", SCOPE, "eligibility", barred, default_value=0.0
    )
    none_at_all = {node["id"]: 0.0 for node in instance["nodes"]}
    solver.add_constraint({"capacitySpec": limited("eligible", "barred", none_at_all)})


def local_search(time_limit: float, seed: int) -> dict[str, Any]:
    """Single moves, and swaps where they find nothing, up to a local optimum.

    The swaps take the first task of a node that improves anything, and look at up to 100 tasks
    of each node: on 1,000 nodes this left less than half of the overload that full swaps do.
    """
    swap = {"greedyOnSrc": True, "sampleSize": {"defaultSampleSize": 100}}
    return {
        "localSearchSolverSpec": {
            "solveTime": max(1, math.floor(time_limit)),
            "allowedPlateauTime": max(1, math.floor(time_limit / 10)),
            "moveTypeList": [{"singleMoveTypeSpec": {}}, {"swapMoveTypeSpec": swap}],
            "randomSeed": seed,
        }
    }


def optimal_subset(instance: dict[str, Any], time_limit: float, nodes: int) -> dict[str, Any]:
    """HiGHS on random nodes at a time; what it cannot settle in its time is left as it was.

    "HOT" nodes are the same every time until they improve, and overran the limits in trials.
    """
    return {
        "optimalSubsetSolverSpec": {
            # A number up to 1 would be a share of the nodes.
            "containerChoice": {"RANDOM": float(max(2, min(nodes, len(instance["nodes"]))))},
            "overallTime": time_limit,
            "perSubsetTime": LEAST_SECONDS,
            # By default the second subset that fails ends the run with an exception.
            "maxSubproblemErrors": 1_000_000,
            "suppressLogs": True,
            "optimalConfig": {
                "solverPackage": HIGHS,
                "suppressLogs": True,
                "xpressArgs": {"mip_abs_gap": 0.99 * smallest_step(instance)},
            },
        }
    }


def subset_size(instance: dict[str, Any]) -> int:
    """As many nodes as hold some 15 tasks, but three at least: HiGHS settles most of those."""
    return max(3, round(15 * len(instance["nodes"]) / max(1, len(instance["tasks"]))))


def smallest_step(instance: dict[str, Any]) -> float:
    """The least difference between two values of the goal, 0 where the data are not integers."""
    amounts = [record["compute"] for record in instance["nodes"] + instance["tasks"]]
    prices = list(overload_prices(instance).values())
    if not all(float(value).is_integer() for value in (*amounts, *prices)):
        return 0.0
    step = math.gcd(*map(int, amounts)) * math.gcd(*map(int, prices))
    return step / (max(prices) * mean_capacity(instance)) if step else 0.0


def mean_capacity(instance: dict[str, Any]) -> float:
    """The mean of C_i, or 1 where all are 0."""
    return statistics.fmean(node["compute"] for node in instance["nodes"]) or 1.0


def overload_prices(instance: dict[str, Any]) -> dict[str, float]:
    """o_i of each node: its own, or else p_i, or else C_i."""
    prices = {}
    for node in instance["nodes"]:
        price = node["compute"] if node.get("price") is None else node["price"]
        own = node.get("overload_price")
        prices[node["id"]] = float(price if own is None else own)
    return prices


def hard_quantities(instance: dict[str, Any]) -> dict[str, tuple[list[float], list[float]]]:
    """What the nodes have and the tasks need of each quantity that is limited and needed."""
    nodes, tasks = instance["nodes"], instance["tasks"]
    found = {
        "storage": (
            [math.inf if node.get("storage") is None else node["storage"] for node in nodes],
            [task.get("storage") or 0 for task in tasks],
        )
    }
    if instance.get("max_load") is not None:
        most = [instance["max_load"] * node["compute"] for node in nodes]
        found["max_load"] = (most, [task["compute"] for task in tasks])
    for key in sorted({key for node in nodes for key in node.get("resources") or ()}):
        found[f"resource {key}"] = (
            [(node.get("resources") or {}).get(key, 0) for node in nodes],
            [(task.get("resources") or {}).get(key, 0) for task in tasks],
        )
    return {name: pair for name, pair in found.items() if any(pair[1]) and min(pair[0]) < math.inf}


def eligibility(instance: dict[str, Any]) -> dict[frozenset[str] | None, list[str]]:
    """The ids of the tasks of each distinct list of eligible nodes; None where all are."""
    groups: dict[frozenset[str] | None, list[str]] = {}
    for task in instance["tasks"]:
        labels = task.get("eligible")
        key = None if labels is None else frozenset(labels)
        groups.setdefault(key, []).append(task["id"])
    return groups


def hosts(instance: dict[str, Any], labels: frozenset[str] | None) -> list[int]:
    """Positions of the nodes that a list of eligible nodes and kinds admits."""
    return [
        i
        for i, node in enumerate(instance["nodes"])
        if labels is None or not labels.isdisjoint(labels_of(node))
    ]


def greedy(instance: dict[str, Any]) -> dict[str, str]:
    """Largest task first, to the node that has the most room left with it.

    Size and room are relative to capacity and of the scarcest hard quantity, or of compute where
    nothing is hard. A task that fits nowhere goes to the node it overfills the least.
    """
    nodes, tasks = instance["nodes"], instance["tasks"]
    compute = ([node["compute"] for node in nodes], [task["compute"] for task in tasks])
    pairs = list(hard_quantities(instance).values()) or [compute]
    have = np.array([pair[0] for pair in pairs], dtype=float)
    need = np.array([pair[1] for pair in pairs], dtype=float)
    scale = np.where((have > 0) & np.isfinite(have), have, 1.0)
    size = (need / scale.mean(axis=1, keepdims=True)).max(axis=0)
    groups = eligibility(instance)
    where = {task: np.array(hosts(instance, key)) for key in groups for task in groups[key]}
    left = have.copy()
    placed = {}
    for j in np.argsort(-size, kind="stable").tolist():
        task = tasks[j]["id"]
        among = where[task]
        after = left[:, among] - need[:, j, None]
        # A node without the quantity has all the room that a task without the need asks for.
        room = np.where((have[:, among] == 0) & (after == 0), np.inf, after / scale[:, among])
        i = int(among[np.argmax(room.min(axis=0))])
        left[:, i] -= need[:, j]
        placed[task] = nodes[i]["id"]
    return placed


@contextlib.contextmanager
def native_log() -> Iterator[list[str]]:
    """The lines that native code writes to standard error, filled in at the end."""
    lines: list[str] = []
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as stream:
        os.dup2(stream.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            stream.seek(0)
            lines += stream.read().decode("utf-8", "replace").splitlines()


def last_improvement(profile: dict[str, Any], log: list[str]) -> float:
    """Seconds into a stage at which its goal fell for the last time, infinity if it never did."""
    best, best_at, elapsed = math.inf, math.inf, profile["materializationSec"]
    for seconds, value in steps(profile, log):
        elapsed += seconds
        if value < best - 1e-9:
            best, best_at = value, elapsed
    return best_at


def steps(profile: dict[str, Any], log: list[str]) -> Iterator[tuple[float, float]]:
    """Seconds and resulting goal of each step: local search profiles them, the subsets log them."""
    for run in profile["localSearchProfiles"]:
        for event in run["moveTypeEvents"]:
            yield event["duration"], event["finalValue"]
    for line in log:
        if found := _ITERATION.search(line):
            yield float(found[2]), float(found[1])


if __name__ == "__main__":
    serve(run)
