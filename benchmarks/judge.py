"""What an answer is worth: checked alone, then held against what all others found.

An allocation goes through `solver.judge.check` and `solver.cost_of`, which share nothing with any
solver. Bounds and proofs cannot be recomputed, but they can be refuted: by a cheaper allocation,
by a known bound, or by any allocation where none was said to exist. Costs of nodewise's methods
and their bounds are compared exactly; floating-point solvers' claims with a relative tolerance of
1e-6, that of their own feasibility.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from solver import Instance, check, cost_of

from .best_known import Known
from .competitors import is_exact
from .record import Number, Outcome, Record

__all__ = ["Verdict", "best_of", "judge", "refuted"]

TOLERANCE = Fraction(1, 10**6)
_SHOWN = 3


@dataclass(frozen=True)
class Verdict:
    """What became of an answer, and the cost as recomputed, None if it breaks a rule."""

    outcome: Outcome
    text: str
    cost: Number | None = None


def judge(instance: Instance, answer: Mapping[str, Any], *, exact: bool) -> Verdict:
    """Check one answer by itself.

    Parameters
    ----------
    instance : Instance
    answer : mapping
        `peers.protocol.Answer` as JSON data.
    exact : bool
        Whether its numbers are to be compared without tolerance.
    """
    status, allocation = answer["status"], answer["allocation"]
    if allocation is None:
        if status in ("optimal", "feasible"):
            return Verdict(Outcome.WRONG, f"says {status!r}, but gives no allocation")
        if status == "infeasible":
            return Verdict(Outcome.INFEASIBLE, "no allocation to check")
        return Verdict(Outcome.NOTHING, "no allocation to check")
    violations = check(instance, allocation)
    if violations:
        shown = "; ".join(str(violation) for violation in violations[:_SHOWN])
        more = f" and {len(violations) - _SHOWN} more" if len(violations) > _SHOWN else ""
        return Verdict(Outcome.WRONG, f"breaks {len(violations)} rules: {shown}{more}")
    cost = cost_of(instance, allocation)
    if status == "infeasible":
        return Verdict(Outcome.WRONG, "says 'infeasible', and gives an allocation", cost)
    slack = _slack(cost, exact)
    claimed = answer["cost"]
    if claimed is not None and abs(Fraction(claimed) - Fraction(cost)) > slack:
        return Verdict(Outcome.WRONG, f"says it costs {claimed:,}; it costs {cost:,}", cost)
    bound = answer["bound"]
    if bound is not None and Fraction(bound) > Fraction(cost) + slack:
        text = f"claims a bound of {bound:,} above the cost {cost:,} of its own allocation"
        return Verdict(Outcome.WRONG, text, cost)
    if status == "optimal" and exact and bound != cost:
        return Verdict(Outcome.WRONG, f"says 'optimal' with bound {bound} and cost {cost}", cost)
    return Verdict(Outcome.ANSWERED, "clean", cost)


def best_of(records: Iterable[Record], known: Mapping[str, Known]) -> dict[str, Known]:
    """Best costs and bounds of the table and of the records, by hash.

    Costs of all clean answers count, bounds only where they are exact.
    """
    best = dict(known)
    for record in records:
        found = best.get(record.hash, Known()).with_record(record)
        if found != Known():
            best[record.hash] = found
    return best


def refuted(records: Iterable[Record], known: Mapping[str, Known]) -> list[Record]:
    """The records, with those that others refute turned into "wrong".

    A bound above an allocation's cost is wrong, as is "optimal" where there is a cheaper one and
    "infeasible" where there is any. An allocation below a bound of the table refutes that bound,
    unless it is the checker that fails: it is shown as wrong until the table is mended.
    """
    records = list(records)
    cheapest: dict[str, tuple[Number, str]] = {
        key: (one.cost, one.cost_by) for key, one in known.items() if one.cost is not None
    }
    for record in records:
        if record.outcome is Outcome.ANSWERED and record.cost is not None:
            least = cheapest.get(record.hash)
            if least is None or record.cost < least[0]:
                cheapest[record.hash] = (record.cost, record.method)
    return [_held_against(record, cheapest.get(record.hash), known) for record in records]


def _held_against(
    record: Record, cheapest: tuple[Number, str] | None, known: Mapping[str, Known]
) -> Record:
    if record.outcome is Outcome.WRONG:
        return record
    text = ""
    if cheapest is not None:
        text = _refutation(record, *cheapest)
    table = known.get(record.hash)
    if not text and table is not None and record.outcome is Outcome.ANSWERED:
        if table.infeasible:
            text = f"an allocation, where {table.bound_by} had proved that there is none"
        elif table.bound is not None and record.cost is not None and record.cost < table.bound:
            text = f"costs {record.cost:,}, below the known bound {table.bound:,} of "
            text += table.bound_by
    return replace(record, outcome=Outcome.WRONG, verdict=text) if text else record


def _refutation(record: Record, cost: Number, method: str) -> str:
    slack = _slack(cost, is_exact(record.method))
    if record.status == "infeasible":
        return f"says 'infeasible', but {method} found an allocation of cost {cost:,}"
    if record.bound is not None and Fraction(record.bound) > Fraction(cost) + slack:
        return f"claims a bound of {record.bound:,}, but {method} found one of cost {cost:,}"
    optimal = record.status == "optimal" and record.cost is not None
    if optimal and Fraction(record.cost or 0) > Fraction(cost) + slack:
        return f"says {record.cost:,} is optimal, but {method} found one of cost {cost:,}"
    return ""


def _slack(cost: Number, exact: bool) -> Fraction:
    return Fraction(0) if exact else TOLERANCE * max(1, abs(Fraction(cost)))
