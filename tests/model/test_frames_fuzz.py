"""Data frames of anything at all make a valid instance or one clear error."""

from __future__ import annotations

import datetime
import math
import warnings
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from solver import Instance, InstanceError, NodewiseWarning
from solver.model.frames.making import instance_of_sources
from solver.model.frames.sources import source_of_frame
from tests.nightly import cases

CELLS: list[Any] = [
    *(
        None,
        math.nan,
        math.inf,
        -math.inf,
        0,
        1,
        2,
        8,
        -1,
        0.5,
        -0.0,
        1e308,
        5e-324,
        2**63,
        10**400,
    ),
    *(True, 1j, b"x", [], ["a"], ["a", 3], ("a", "b"), {"a"}, {}, {"a": 1}, object, "a", "b", "c"),
    *("", " ", "80GiB", "500m", "$3", "3 EUR", "1,024", "1e3", "inf", "nan", "-", "x|a", "zone=y"),
    *(
        "open",
        "drained",
        "\ud800",
        "\0",
        "9" * 400,
        "9" * 5000,
        "٣",
        "50%",
        "g",
        "1/3",
        "-1",
        "1e400",
    ),
    *(Decimal("0.1"), Decimal("NaN"), Decimal("-Infinity"), Decimal("1e999999"), Fraction(1, 3)),
    *(Fraction(7, 2), np.float32(0.1), np.int8(3), np.nan, np.bool_(True), np.str_("a")),
    *(datetime.date(2026, 1, 1), np.datetime64("2026-01-01")),
]
NAMES = (
    *(
        "id",
        "compute",
        "storage",
        "price",
        "fixed_cost",
        "kind",
        "state",
        "label_zone",
        "cpu",
        "ID",
    ),
    *(
        "eligible",
        "groups",
        "pinned",
        "node",
        "replicas",
        "skip_price",
        "max_loss",
        "model",
        "x",
        "",
    ),
    *("idle_watts", "use_price", "label_", "node_variant", "Over Load", "max_load", "kind"),
)
cells = st.sampled_from(CELLS)
sound = st.sampled_from([0, 1, 2, 3, 0.5, "1", "2"])


@st.composite
def frames(draw: st.DrawFn, owner: str) -> Any:
    rows = draw(st.sampled_from([1, 2, 3, 4, 0]))
    frame: dict[Any, Any] = {
        "id": [f"{owner[0]}{k}" for k in range(rows)],
        "compute": draw(st.lists(sound, min_size=rows, max_size=rows)),
    }
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=2)):
        odd_cells = draw(st.sampled_from([sound, sound, st.just("n0"), st.none(), cells]))
        values = draw(st.lists(odd_cells, min_size=rows, max_size=rows))
        frame[name] = values
        if draw(st.integers(0, 3)) == 3:
            numbers = draw(st.lists(st.floats(0, 9), min_size=rows, max_size=rows))
            frame[name] = np.array(numbers, dtype=draw(st.sampled_from(["f4", "f8", "i4", "u1"])))
    odd = draw(st.integers(0, 60))
    if odd == 0:
        frame[draw(cells.filter(lambda cell: not isinstance(cell, list | dict | set)))] = [1] * rows
    if odd == 1:
        frame["storage"] = draw(cells)
    if odd == 2:
        return [dict(zip(frame, row, strict=False)) for row in zip(*frame.values(), strict=False)]
    return frame


mappings = st.just({}) | st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES), max_size=1)


@settings(max_examples=cases(400, 20_000))
@given(
    nodes=frames("node"),
    tasks=frames("task"),
    columns=mappings,
    node_columns=mappings,
    units=st.sampled_from([{}, {}, {"storage": "GiB"}, {"cpu": "W"}, {}, {}, {"x": "q"}]),
    ignore=st.sampled_from([(), (), (), (), ["x"]]),
    decimal=st.sampled_from([".", ".", ".", ","]),
)
def test_any_frames(
    nodes: Any, tasks: Any, columns: Any, node_columns: Any, units: Any, ignore: Any, decimal: str
) -> None:
    options = {"columns": columns, "node_columns": node_columns, "units": units}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NodewiseWarning)  # of present places that are unknown
        try:
            instance = Instance.from_frames(
                nodes, tasks, **options, ignore=ignore, decimal=decimal, max_load=1, notes=[]
            )
        except InstanceError:
            return
        again = instance_of_sources(
            Instance.from_arrays,
            {"node": source_of_frame(nodes, "nodes"), "task": source_of_frame(tasks, "tasks")},
            {"both": columns, "node": node_columns},
            units=units, ignore=ignore, decimal=decimal, notes=None, settings={"max_load": 1},
        )  # fmt: skip
    assert again == instance
    assert instance.exact.task_compute.size == instance.rows.num_rows
