"""Nodes that are on have what must run on them at least: sum of Q_id u_i over a set of nodes.

So it is over all nodes, and over each domain of which a spread says how many parts it takes at
least. The other rows add up to these, which solvers that look for cuts row by row do not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..model.exact import Array
from ..problem.modes import Modes
from .linear_model import INFINITE, LinearModelBuilder

__all__ = ["Fewest", "add_covers"]


@dataclass(frozen=True)
class Fewest:
    """How many parts of some modes each domain must take.

    Attributes
    ----------
    key : str
        "node", "kind" or the key of a label.
    domain : (n,) int64
        The domain of each node, -1 for none.
    modes : (k,) int64
        All modes of some classes of tasks.
    count : (domains,) int64
    """

    key: str
    domain: Array
    modes: Array
    count: Array


def add_covers(
    modes: Modes,
    builder: LinearModelBuilder,
    on: Array,
    needs: Array,
    capacity: Array,
    fewest: Sequence[Fewest],
) -> None:
    """Add the rows.

    Parameters
    ----------
    modes : Modes
    builder : LinearModelBuilder
    on : (n,) int64
        The columns u.
    needs, capacity : (P, d), (n, d) int64
    fewest : sequence of Fewest
    """
    everywhere = np.zeros(on.size, dtype=np.int64)
    keys = {each.key: each.domain for each in fewest}
    for d in range(needs.shape[1]):
        need, have = needs[:, d].tolist(), capacity[:, d]
        _add_rows(builder, on, everywhere, have, [_least_need(modes, need)])
        for key, domain in keys.items():
            wanted = _wanted(modes, need, [each for each in fewest if each.key == key])
            _add_rows(builder, on, domain, have, wanted)


def _least_need(modes: Modes, need: list[int]) -> int:
    """What all tasks that must run need, each in the form that needs least."""
    of_form = [0] * modes.form_class.size
    for p, f in enumerate(modes.mode_form.tolist()):
        of_form[f] += int(modes.mode_parts[p]) * need[p]
    least: dict[int, int] = {}
    for f, k in enumerate(modes.form_class.tolist()):
        least[k] = min(of_form[f], least.get(k, of_form[f]))
    count = modes.task_count.tolist()
    return sum(count[k] * each for k, each in least.items() if modes.skip_cost[k] is None)


def _wanted(modes: Modes, need: list[int], fewest: list[Fewest]) -> list[int]:
    """What is needed in each domain; a class of tasks counts once."""
    found = [0] * fewest[0].count.size
    seen: set[int] = set()
    for each in fewest:
        classes = set(modes.mode_class[each.modes].tolist())
        if not classes or classes & seen:
            continue
        seen |= classes
        least = min(need[p] for p in each.modes.tolist())
        found = [a + least * b for a, b in zip(found, each.count.tolist(), strict=True)]
    return found


def _add_rows(
    builder: LinearModelBuilder, on: Array, domain: Array, have: Array, wanted: list[int]
) -> None:
    room = [0] * len(wanted)
    for place, held in zip(domain.tolist(), have.tolist(), strict=True):
        if place >= 0:
            room[place] += held
    needed = np.array(
        [least > 0 and most < INFINITE for least, most in zip(wanted, room, strict=True)],
        dtype=bool,
    )
    rows = np.full(needed.size, -1)
    limits = [each for each, is_needed in zip(wanted, needed.tolist(), strict=True) if is_needed]
    rows[needed] = builder.add_rows(len(limits), lower=np.array(limits, dtype=np.int64))
    mine = (domain >= 0) & np.append(needed, False)[domain]
    builder.add_entries(rows[domain[mine]], on[mine], have[mine])
