"""Timefold Solver (PyPI `timefold`, needs Java 17), as a user of its Python interface would.

A task is a planning entity, its node the planning variable, with a value range of its own: the
nodes it may run on. Constraint streams sum demand and needs by node; limits are hard, the price
of overload, and with power_off that of every node in use, is soft. The constant of the cost stays
out of the score. Default construction heuristic and local search, one thread: more are not in the
community edition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Any

from timefold.solver import SolverFactory
from timefold.solver.config import (
    Duration,
    EnvironmentMode,
    ScoreDirectorFactoryConfig,
    SolverConfig,
    TerminationConfig,
)
from timefold.solver.domain import (
    PlanningEntityCollectionProperty,
    PlanningId,
    PlanningScore,
    PlanningVariable,
    ProblemFactCollectionProperty,
    ValueRangeProvider,
    planning_entity,
    planning_solution,
)
from timefold.solver.score import (
    Constraint,
    ConstraintCollectors,
    ConstraintFactory,
    HardSoftScore,
    constraint_provider,
)

from .plain import Plain, integers_only, plain
from .protocol import Answer, Job, Unsupported, serve, version_of

_WIDEST = 2**62
_UNLIMITED = 2**62
_MOST_LIMITS = 4


@dataclass
class Node:
    """A node; limits that are missing are never reached."""

    id: Annotated[int, PlanningId]
    capacity: int
    overload_price: int
    fixed: int
    have0: int
    have1: int
    have2: int
    have3: int


@planning_entity
@dataclass
class Task:
    """A task, the nodes it may run on, and the one it runs on."""

    id: Annotated[int, PlanningId]
    demand: int
    need0: int
    need1: int
    need2: int
    need3: int
    hosts: Annotated[list[Node], ValueRangeProvider(id="hosts")]
    node: Annotated[Node | None, PlanningVariable(value_range_provider_refs=["hosts"])] = field(
        default=None
    )


@planning_solution
@dataclass
class Plan:
    """All of it."""

    nodes: Annotated[list[Node], ProblemFactCollectionProperty]
    tasks: Annotated[list[Task], PlanningEntityCollectionProperty]
    score: Annotated[HardSoftScore | None, PlanningScore] = field(default=None)


@constraint_provider
def constraints(factory: ConstraintFactory) -> list[Constraint]:
    """The cost, and the limits; one constraint each, as constraint streams cannot loop."""
    return [
        overload(factory),
        power(factory),
        limit(factory, "limit 0", lambda task: task.need0, lambda node, used: used - node.have0),
        limit(factory, "limit 1", lambda task: task.need1, lambda node, used: used - node.have1),
        limit(factory, "limit 2", lambda task: task.need2, lambda node, used: used - node.have2),
        limit(factory, "limit 3", lambda task: task.need3, lambda node, used: used - node.have3),
    ]


def overload(factory: ConstraintFactory) -> Constraint:
    """o_i times the load above capacity."""
    return (
        factory.for_each(Task)
        .group_by(lambda task: task.node, ConstraintCollectors.sum(lambda task: task.demand))
        .filter(lambda node, load: load > node.capacity)
        .penalize(
            HardSoftScore.ONE_SOFT,
            lambda node, load: node.overload_price * (load - node.capacity),
        )
        .as_constraint("overload")
    )


def power(factory: ConstraintFactory) -> Constraint:
    """With power_off, p_i C_i for a node in use."""
    return (
        factory.for_each(Task)
        .group_by(lambda task: task.node)
        .filter(lambda node: node.fixed > 0)
        .penalize(HardSoftScore.ONE_SOFT, lambda node: node.fixed)
        .as_constraint("power")
    )


def limit(factory: ConstraintFactory, name: str, need: Any, excess: Any) -> Constraint:
    """A hard capacity."""
    return (
        factory.for_each(Task)
        .group_by(lambda task: task.node, ConstraintCollectors.sum(need))
        .filter(lambda node, used: excess(node, used) > 0)
        .penalize(HardSoftScore.ONE_HARD, excess)
        .as_constraint(name)
    )


def solve(job: Job) -> Answer:
    """Build the problem, search until the time limit, and give the best solution."""
    data = integers_only(plain(job.instance()))
    problem = _problem(data)
    config = SolverConfig(
        solution_class=Plan,
        entity_class_list=[Task],
        environment_mode=EnvironmentMode.NO_ASSERT,
        random_seed=job.seed,
        score_director_factory_config=ScoreDirectorFactoryConfig(
            constraint_provider_function=constraints
        ),
        termination_config=TerminationConfig(
            spent_limit=Duration(milliseconds=max(1, round(1000 * job.left())))
        ),
    )
    solver = SolverFactory.create(config).build_solver()
    built = job.elapsed()
    answer = Answer(build_seconds=built, versions={"timefold": version_of("timefold")})
    base = (
        0 if data.power_off else sum(p * C for p, C in zip(data.price, data.capacity, strict=True))
    )

    def improved(event: Any) -> None:
        score = event.new_best_score
        if event.is_new_best_solution_initialized and score.hard_score == 0:
            answer.history.append((job.elapsed(), base - score.soft_score, None))

    solver.add_event_listener(improved)
    found = solver.solve(problem)
    answer.solve_seconds = job.elapsed() - built
    answer.termination = "time limit"
    if found.score.is_feasible and all(task.node is not None for task in found.tasks):
        answer.status = "feasible"
        node_of = {task.id: task.node.id for task in found.tasks}
        answer.allocation = data.allocation([node_of[j] for j in range(len(data.task_ids))])
        answer.cost = base - found.score.soft_score
    return answer


def _problem(data: Plain) -> Plan:
    if len(data.limits) > _MOST_LIMITS:
        raise Unsupported(f"more than {_MOST_LIMITS} hard capacities")
    if not all(data.hosts):
        raise Unsupported("a task that no node may host")
    total = sum(data.demand)
    if max(data.overload_price) * total + sum(data.price) * sum(data.capacity) > _WIDEST:
        raise Unsupported("costs pass 64 bits")
    columns = [
        [_UNLIMITED if math.isinf(C) else int(C) for C in limit.have] for limit in data.limits
    ]
    needs = [limit.need for limit in data.limits]
    none = _MOST_LIMITS - len(data.limits)
    columns += [[_UNLIMITED] * len(data.node_ids)] * none
    needs += [[0] * len(data.task_ids)] * none
    nodes = [
        Node(i, C, o, p * C if data.power_off else 0, *(column[i] for column in columns))
        for i, (C, p, o) in enumerate(
            zip(data.capacity, data.price, data.overload_price, strict=True)
        )
    ]
    ranges: dict[int, list[Node]] = {}
    for among in data.hosts:
        ranges.setdefault(id(among), [nodes[i] for i in among])
    tasks = [
        Task(j, D, *(need[j] for need in needs), ranges[id(data.hosts[j])])
        for j, D in enumerate(data.demand)
    ]
    return Plan(nodes, tasks)


if __name__ == "__main__":
    serve(solve)
