"""The facts of a problem with modes; numba is not needed for them."""

from __future__ import annotations

import numpy as np

from ...errors import ModelTooLargeError
from ...model.exact import Array
from ...model.rules import Affinity, AntiAffinity, Limit, Spread
from ...problem.classes import group_rows
from ...problem.modes import DomainRule, Modes
from ...problem.problem import Problem
from .facts import (
    AFFINITY,
    ANTI_AFFINITY,
    FIRST_FORM,
    FORM_COST,
    LIMIT,
    MODE,
    MOVE_COST,
    SKIP_COST,
    SPREAD,
    TOGETHER,
    UNIT,
    Facts,
)

__all__ = ["make_facts"]

_MOST_HOSTS = 2**26
_MOST_COST = 2**62
_MOST_LOSS = 2**60


def make_facts(problem: Problem) -> Facts:
    """The facts of a problem with modes.

    Raises
    ------
    ModelTooLargeError
        If sums of costs might pass 64 bits.
    """
    instance, grid, modes = problem.instance, problem.grid, problem.modes
    assert modes is not None
    costs, classes, fits = problem.mode_costs(grid), problem.classes, problem.fits
    node = np.stack(
        [
            grid.node_compute,
            grid.overload_price,
            grid.use_price,
            grid.idle_cost,
            classes.node_class,
            np.asarray(modes.node_open, dtype=np.int64)[classes.node_class],
        ],
        axis=1,
    )
    entries, entry_start, rule, domain = _rules(problem, modes)
    host, host_first = group_rows([np.packbits(fits, axis=1)])
    allowed = fits[host_first] if host_first.size else fits[:0]
    host_start, hosts = _hosts(allowed[:, classes.node_class])
    mode = np.stack(
        [problem.table.demand, costs.move_cost, host, entry_start[:-1], entry_start[1:]], axis=1
    )
    row, home_nodes, known = _rows_and_homes(problem)
    form, losses, budget = _forms(problem, modes, costs.form_cost)
    rows = instance.rows
    row_mode = row[:, 0]
    never = np.isin(row_mode, _in_both(modes)) | (row_mode < 0)
    form[instance.rows.form[never], 2] = -1
    skip = np.asarray(costs.skip_cost, dtype=np.int64)[modes.task_class]
    task = np.stack(
        [rows.task_form[:-1], rows.task_form[1:], skip, known, modes.task_class], axis=1
    )
    needs = problem.table.needs
    mean = np.maximum(1.0, needs.mean(axis=0, dtype=float)) if needs.size else np.ones(0)
    weight = np.append(np.ones(needs.shape[1]) * UNIT / (mean if mean.size else 1.0), [0.0, 0.0])
    weight[-2], weight[-1] = UNIT / max(1.0, float(np.mean(losses))), UNIT
    facts = Facts(
        node=node,
        capacity=grid.capacity,
        mode=mode,
        needs=needs,
        host_start=host_start,
        hosts=hosts,
        allowed=allowed,
        row=row,
        home_nodes=home_nodes,
        form=form,
        task=task,
        entries=entries,
        rule=rule,
        domain=domain,
        weight=weight,
        most=np.array([budget, -1 if modes.most_moves is None else modes.most_moves]),
    ).own()
    _require_room(problem, facts)
    return facts


def _in_both(modes: Modes) -> Array:
    """The modes that no node can take, since they are on both sides of an anti-affinity."""
    both = [
        np.intersect1d(rule.modes, rule.other_modes)
        for rule in modes.rules
        if isinstance(rule.rule, AntiAffinity)
    ]
    return np.concatenate([*both, np.zeros(0)]).astype(np.int64)


def _require_room(problem: Problem, facts: Facts) -> None:
    """See that no sum of costs passes 64 bits: of nodes at their worst, forms and moves."""
    grid = problem.grid
    load = int(grid.task_compute.sum(dtype=object)) if grid.task_compute.size else 0
    dearest = int(grid.overload_price.max()) + int(grid.use_price.max())
    most = dearest * load + int(grid.idle_cost.sum(dtype=object))
    dearest_form = np.maximum.reduceat(facts.form[:, FORM_COST], facts.task[:, FIRST_FORM])
    choices = np.maximum(0, np.maximum(dearest_form, facts.task[:, SKIP_COST]))
    moved = np.append(facts.mode[:, MOVE_COST], 0)[facts.row[:, MODE]]
    most += int(choices.sum(dtype=object)) + int(moved.sum(dtype=object))
    if most >= _MOST_COST:
        raise ModelTooLargeError(
            "sums of costs pass 64 bits, which the compiled search computes in; measure prices in "
            "a larger unit"
        )


def _hosts(allowed: Array) -> tuple[Array, Array]:
    """The hosts of each set as lists; of very many, some."""
    if allowed.sum() > _MOST_HOSTS:
        keep = np.zeros(allowed.shape[1], dtype=bool)
        step = int(allowed.sum() // _MOST_HOSTS) + 1
        keep[::step] = True
        allowed = allowed & (keep | (allowed.sum(axis=1) <= step)[:, None])
    start = np.concatenate(([0], np.cumsum(allowed.sum(axis=1)))).astype(np.int64)
    return start, np.nonzero(allowed)[1].astype(np.int64)


def _rows_and_homes(problem: Problem) -> tuple[Array, Array, Array]:
    """The table of rows, the nodes where rows are now, and which tasks are anywhere now."""
    instance, rows = problem.instance, problem.instance.rows
    W, m = rows.num_rows, instance.num_tasks
    mode = np.asarray(problem.classes.task_class, dtype=np.int64)
    current = np.full(W, -1) if instance.current is None else instance.current
    here = current >= 0
    seen = np.concatenate(([0], np.cumsum(here)))
    alike = np.array(
        [True, *(isinstance(variant.parts, int) for variant in rows.all_variants)], dtype=bool
    )[rows.form_source + 1]
    first, behind = rows.form_start[:-1][rows.form], rows.form_start[1:][rows.form]
    of_form = alike[rows.form]
    at = np.arange(W)
    known = np.zeros(m, dtype=np.int64)
    known[rows.task[here]] = 1
    table = np.stack(
        [
            mode,
            rows.task,
            seen[np.where(of_form, first, at)],
            seen[np.where(of_form, behind, at + 1)],
        ],
        axis=1,
    )
    return table, current[here].astype(np.int64), known


def _forms(problem: Problem, modes: Modes, form_cost: Array) -> tuple[Array, Array, int]:
    """The table of forms, the losses of those that are allowed, and the budget in their unit."""
    rows = problem.instance.rows
    wide = 1 + int(rows.form_variant.max(initial=0))
    number = np.full(wide * modes.task_count.size, -1, dtype=np.int64)
    number[np.asarray(modes.form_class) * wide + np.asarray(modes.form_variant)] = np.arange(
        len(modes.form_loss)
    )
    of_form = number[modes.task_class[rows.form_task] * wide + rows.form_variant]
    unit = 1 + problem.instance.num_tasks * max(modes.form_loss, default=0) // _MOST_LOSS
    loss = np.array([-(-each // unit) for each in modes.form_loss] or [0], dtype=np.int64)
    cost = np.append(np.asarray(form_cost, dtype=np.int64), -1)
    table = np.stack(
        [rows.form_start[:-1], rows.form_start[1:], cost[of_form], np.append(loss, 0)[of_form]],
        axis=1,
    )
    budget = -1 if modes.budget is None else min(modes.budget // unit, _MOST_LOSS)
    return table, loss, budget


def _rules(problem: Problem, modes: Modes) -> tuple[Array, Array, Array, Array]:
    """Entries of the modes and where each mode's begin, the table of rules, the domains."""
    classes, n = problem.classes, problem.instance.num_nodes
    P = int(modes.mode_form.size)
    table = np.zeros((len(modes.rules), 6), dtype=np.int64)
    found: dict[bytes, int] = {}
    domains: list[Array] = []
    owners, numbers, roles = [], [], []
    cells = 0
    for q, rule in enumerate(modes.rules):
        kind, most, counts = _terms(rule, classes.node_count)
        where, count = -1, n
        if rule.domain is not None:
            of_nodes = np.asarray(rule.domain, dtype=np.int64)[classes.node_class]
            where = found.setdefault(of_nodes.tobytes(), len(found))
            if where == len(domains):
                domains.append(of_nodes)
            count = rule.num_domains
        table[q] = kind, most, cells, count, where, counts
        cells += count * (2 if kind in (AFFINITY, ANTI_AFFINITY) else 1)
        mine, others = rule.modes, rule.other_modes
        if kind == AFFINITY:  # where a mode of both groups is, the other group is
            mine = np.setdiff1d(mine, others)
        for role, members in enumerate((mine, others) if kind >= AFFINITY else (mine,)):
            owners.append(np.asarray(members, dtype=np.int64))
            numbers.append(np.full(len(members), q))
            roles.append(np.full(len(members), role))
    owner = np.concatenate([*owners, np.zeros(0, dtype=np.int64)])
    pairs = np.stack([np.concatenate([*part, np.zeros(0)]) for part in (numbers, roles)], axis=1)
    order = np.argsort(owner, kind="stable")
    start = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=P))))
    domain = np.stack(domains) if domains else np.zeros((0, n), dtype=np.int64)
    return pairs[order].astype(np.int64), start, table, domain


def _terms(rule: DomainRule, node_count: Array) -> tuple[int, int, int]:
    """The kind of a rule, its most, and of how many domains a spread takes the least."""
    record = rule.rule
    if isinstance(record, Limit):
        return LIMIT, int(record.max), 0
    if isinstance(record, Spread):
        counted = np.asarray(rule.counted, dtype=bool)
        many = int(counted.sum() if rule.domain is not None else node_count[counted].sum())
        return SPREAD, int(record.max_skew), 0 if many < record.min_domains else many
    if isinstance(record, Affinity):
        return (TOGETHER if record.with_ is None else AFFINITY), 0, 0
    return ANTI_AFFINITY, 0, 0
