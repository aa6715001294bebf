"""What nodes cost: a table of prices by instance type and by any label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from solver.errors import InstanceError
from solver.files.table import read_table
from solver.files.text import read_bytes
from solver.model.records import Number

from .cluster import INSTANCE_TYPES, ClusterNode

__all__ = ["node_prices"]

_TYPE, _PRICE = "instance_type", "price"


def node_prices(path: Path, nodes: Sequence[ClusterNode]) -> list[Number]:
    """The price of each node while it is on.

    Parameters
    ----------
    path : Path
        A CSV file with the columns ``instance_type,price`` and, if wanted, keys of labels, such as
        ``karpenter.sh/capacity-type``. A row is for the nodes with all that it names; an empty
        cell goes with everything. Of several rows the first counts. Nodes without a label of their
        instance type go by their kind, the GPU model.
    nodes : sequence of ClusterNode

    Returns
    -------
    list of numbers
        In the unit of the table, such as dollars an hour.

    Raises
    ------
    InstanceError
        If the table is wrong, or has no price for a node: names the types that it lacks.
    """
    table = read_table(read_bytes(path, InstanceError), str(path), InstanceError)
    table.require(_TYPE, _PRICE)
    prices = table.numbers(_PRICE, required=True)
    keys = [key for key in table.columns if key != _PRICE]
    rows = [
        {key: cell.strip() for key, cell in zip(keys, cells, strict=True) if cell.strip()}
        for cells in zip(*(table.columns[key] for key in keys), strict=True)
    ]
    found: list[Number] = []
    lacking: dict[str, int] = {}
    for node in nodes:
        named = next(
            (node.labels[key] for key in INSTANCE_TYPES if node.labels.get(key)), node.kind
        )
        labels: dict[str, str | None] = {**node.labels, _TYPE: named}
        at = next(
            (k for k, row in enumerate(rows) if all(labels.get(x) == y for x, y in row.items())),
            None,
        )
        if at is None:
            lacking[named or "(no type)"] = lacking.get(named or "(no type)", 0) + 1
        else:
            price = prices[at]
            found.append(price.item() if hasattr(price, "item") else price)
    if lacking:
        listed = ", ".join(f"{name} ({count:,} nodes)" for name, count in sorted(lacking.items()))
        raise InstanceError(f"{path}: no row has a price for: {listed}; add a row a type")
    return found
