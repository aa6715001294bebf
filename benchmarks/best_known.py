"""The table of the best known costs and bounds, `instances/best_known.csv`.

    hash,instance,cost,bound,proved,cost_by,bound_by

`proved` is "optimal" where cost and bound meet, "infeasible" where no allocation exists, else
empty. `cost_by` and `bound_by` name method and version. Only checked improvements enter: costs of
clean allocations by any method, bounds and proofs by methods whose bounds are exact.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from solver import InstanceError
from solver.system.whole_files import atomic_text, write_csv

from .competitors import ROOT, is_exact
from .record import Number, Outcome, Record

__all__ = ["TABLE", "Known", "read_table", "write_table"]

TABLE = ROOT / "instances" / "best_known.csv"
_COLUMNS = ("hash", "instance", "cost", "bound", "proved", "cost_by", "bound_by")


@dataclass(frozen=True)
class Known:
    """What is known of one instance.

    Attributes
    ----------
    cost, bound : int, float or None
    infeasible : bool
        Whether it is proved that there is no allocation.
    cost_by, bound_by : str
        Method and version, "auto 0.1.0".
    instance : str
        Its name, for readers.
    """

    cost: Number | None = None
    bound: Number | None = None
    infeasible: bool = False
    cost_by: str = ""
    bound_by: str = ""
    instance: str = ""

    @property
    def proved(self) -> str:
        """ "optimal", "infeasible" or ""."""
        if self.infeasible:
            return "infeasible"
        return "optimal" if self.cost is not None and self.cost == self.bound else ""

    def with_record(self, record: Record) -> Known:
        """With what a record adds; the same object if it adds nothing.

        Only for records that are not refuted; see `judge.refuted`.
        """
        known, by = self, f"{record.method} {_version(record)}"
        exact = is_exact(record.method)
        if record.outcome is Outcome.INFEASIBLE and exact and not known.infeasible:
            known = replace(known, infeasible=True, bound_by=by)
        if record.outcome is Outcome.ANSWERED and _better(record.cost, known.cost, -1):
            known = replace(known, cost=record.cost, cost_by=by)
        bounded = record.outcome in (Outcome.ANSWERED, Outcome.NOTHING)
        if bounded and exact and _better(record.bound, known.bound, 1):
            known = replace(known, bound=record.bound, bound_by=by)
        if known is not self and not known.instance:
            known = replace(known, instance=record.instance)
        return known


def _better(new: Number | None, old: Number | None, sign: int) -> bool:
    return new is not None and (old is None or sign * new > sign * old)


def _version(record: Record) -> str:
    """That of nodewise, or else of the solver that the method is named after."""
    others = [f"{name} {text}" for name, text in record.versions.items() if name != "python"]
    return (
        record.versions.get("nodewise", "") if is_exact(record.method) else f"({', '.join(others)})"
    )


def read_table(path: Path = TABLE) -> dict[str, Known]:
    """The table by hash; empty where there is no such file.

    Raises
    ------
    InstanceError
        If a row is malformed, or its bound lies above its cost.
    """
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {row["hash"]: _row(path, number, row) for number, row in enumerate(rows, start=2)}


def _row(path: Path, line: int, row: Mapping[str, str]) -> Known:
    try:
        known = Known(
            cost=_number(row["cost"]),
            bound=_number(row["bound"]),
            infeasible=row["proved"] == "infeasible",
            cost_by=row["cost_by"],
            bound_by=row["bound_by"],
            instance=row["instance"],
        )
        consistent = known.proved == row["proved"]
    except (KeyError, TypeError, ValueError) as error:
        raise InstanceError(f"{path}, line {line}: malformed ({error!r})") from None
    if known.cost is not None and known.bound is not None and known.bound > known.cost:
        raise InstanceError(f"{path}, line {line}: the bound lies above the cost")
    if not consistent or (known.infeasible and known.cost is not None):
        raise InstanceError(f"{path}, line {line}: 'proved' does not agree with cost and bound")
    return known


def write_table(table: Mapping[str, Known], path: Path = TABLE) -> None:
    """Write the table whole, ordered by instance and hash."""
    rows = [
        (
            key,
            one.instance,
            *("" if value is None else repr(value) for value in (one.cost, one.bound)),
            *(one.proved, one.cost_by, one.bound_by),
        )
        for key, one in sorted(table.items(), key=lambda item: (item[1].instance, item[0]))
    ]
    with atomic_text(path) as stream:
        write_csv(stream, _COLUMNS, rows)


def _number(text: str) -> Number | None:
    if not text:
        return None
    return float(text) if any(mark in text for mark in ".einf") else int(text)
