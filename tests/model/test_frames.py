"""Instances from data frames of any make, and results as data frames."""

from __future__ import annotations

import logging
import math
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from solver import BackendUnavailableError, Instance, InstanceError, Node, Task, Variant, solve
from solver.errors import OptionError

NODES = {
    "host": ["a", "b"],
    "gpus": [8, 4],
    "mem": ["1.5TB", None],
    "usd": ["$98.32", "$49"],
    "cores": [64, 32],
    "zone": ["x", "y"],
    "kind": ["H100", None],
}
TASKS = {
    "id": ["train", "serve"],
    "gpus": [4, 0.5],
    "mem": ["80GB", "512 MB"],
    "cores": [8, None],
    "owner": ["me", "you"],
    "eligible": ["H100|zone=y", None],
    "groups": [["web", "prod"], []],
    "skip_price": [None, 3],
    "node": ["a", None],
}
NAMES = {"compute": "gpus", "storage": "mem", "cpu": "cores"}
NODE_NAMES = {"id": "host", "fixed_cost": "usd", "label_zone": "zone"}

EXPECTED = Instance(
    [
        Node(
            "a", 8, 1500, fixed_cost=98.32, resources={"cpu": 64}, kind="H100", labels={"zone": "x"}
        ),
        Node("b", 4, fixed_cost=49, resources={"cpu": 32}, labels={"zone": "y"}),
    ],
    [
        Task("train", 4, 80, ["H100", "zone=y"], {"cpu": 8}, groups=["prod", "web"]),
        Task("serve", 0.5, Fraction(512, 1000), skip_price=3),
    ],
    max_load=1,
    currency="USD",
    current={"train": "a"},
)


def made(nodes: Any = NODES, tasks: Any = TASKS, **options: Any) -> Instance:
    given = {"columns": NAMES, "node_columns": NODE_NAMES, "units": {"storage": "GB"}}
    return Instance.from_frames(nodes, tasks, **{**given, "max_load": 1, **options})


def frame(library: str, columns: dict[str, list[Any]]) -> Any:
    module = pytest.importorskip(library, reason=f"{library} is not installed")
    if library == "polars":
        return module.DataFrame(columns, strict=False)
    return module.DataFrame(columns)


def records(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_from_columns_and_records() -> None:
    assert made() == EXPECTED
    assert made(records(NODES), records(TASKS)) == EXPECTED


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_from_data_frames(library: str) -> None:
    assert made(frame(library, NODES), frame(library, TASKS)) == EXPECTED


def test_from_lazy_frames_and_odd_columns_of_polars() -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    nodes = polars.DataFrame(
        {"id": ["a", "b"], "compute": [Decimal("1.5"), None], "kind": ["x", "y"]},
        schema_overrides={"kind": polars.Categorical},
    )
    tasks = polars.LazyFrame({"id": ["t"], "compute": [1], "eligible": [["x", "b"]]})
    instance = Instance.from_frames(nodes.with_columns(polars.col("compute").fill_null(2)), tasks)
    expected = [Node("a", 1.5, kind="x"), Node("b", 2, kind="y")]
    assert instance == Instance(expected, [Task("t", 1, eligible=["b", "x"])])


def test_from_arrow() -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    assert made(arrow.table(NODES), arrow.table(TASKS)) == EXPECTED


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_result_as_a_data_frame(library: str) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed")
    instance = Instance([Node("a", 4)], [Task("t", 2), Task("u", 9, skip_price=1)], max_load=1)
    table = solve(instance, time_limit=5, num_workers=1).to_frame(library)
    assert type(table).__module__.split(".")[0] == library
    assert list(table.columns) == ["task_id", "node_id", "variant", "part"]
    assert table["task_id"].to_list() == ["t", "u"]
    assert table["node_id"].to_list()[0] == "a"
    missing = table["node_id"].is_null() if library == "polars" else table["node_id"].isna()
    assert missing.to_list() == [False, True]


def test_a_frame_of_a_library_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    result = solve(Instance([Node("a", 4)], [Task("t", 2)]), time_limit=5, num_workers=1)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(BackendUnavailableError, match="pip install polars"):
        result.to_frame("polars")
    with pytest.raises(OptionError, match="one of: pandas, polars"):
        result.to_frame("excel")
    nowhere = solve(Instance([Node("a", 4)], [Task("t", 9)], max_load=1), time_limit=5)
    with pytest.raises(ValueError, match="no allocation"):
        nowhere.to_frame()


def test_pandas_is_not_loaded_unless_given() -> None:
    known = {name for name in ("pandas", "polars") if name in sys.modules}
    made()
    assert {name for name in ("pandas", "polars") if name in sys.modules} == known


@pytest.mark.parametrize("missing", [None, math.nan, np.nan, "", " ", "n/a", "-", "NULL"])
def test_missing_cells_are_defaults(missing: Any) -> None:
    nodes = {"id": ["a", "b"], "compute": [8, 4], "storage": [missing, 3], "price": [missing, 2]}
    tasks = {"id": ["t", "u"], "compute": [1, 2], "storage": [missing, 1]}
    instance = Instance.from_frames(nodes, tasks)
    assert instance == Instance([Node("a", 8), Node("b", 4, 3, 2)], [Task("t", 1), Task("u", 2, 1)])


def test_missing_values_of_pandas() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    nodes = pandas.DataFrame({"id": [1, 2], "compute": [8, 4]})
    storage = pandas.array([None, 3], dtype="Int64")
    tasks = pandas.DataFrame({"id": ["t", "u"], "compute": [1.5, 2.0], "storage": storage})
    instance = Instance.from_frames(nodes, tasks)
    assert instance == Instance([Node("1", 8), Node("2", 4)], [Task("t", 1.5), Task("u", 2, 3)])


def test_numbers_are_exact_whatever_holds_them() -> None:
    values = [0.1, Decimal("0.1"), Fraction(1, 10), "0.1", "100m", np.float32(0.1), np.float64(0.1)]
    nodes = {"id": list("abcdefg"), "compute": values}
    instance = Instance.from_frames(nodes, {"id": ["t"], "compute": [2**70]})
    assert instance.node_compute.tolist() == [0.1] * 7
    assert instance.task_compute.tolist() == [2**70]
    wide = {"id": ["a"], "compute": np.array([0.1], dtype=np.float32)}
    assert Instance.from_frames(wide, {"id": ["t"], "compute": [1]}).node_compute.tolist() == [0.1]


def test_every_error_is_told_at_once() -> None:
    nodes = {"id": ["a", "a", None], "compute": ["x", -1, 3], "state": ["open", "odd", None]}
    tasks = {"id": ["t", "u"], "compute": [None, 1], "eligible": ["a|q", "q"], "replicas": [1.5, 2]}
    with pytest.raises(InstanceError) as caught:
        Instance.from_frames(nodes, tasks, columns={"storage": "mem"}, ignore=["odd"])
    said = str(caught.value).split("\n  ")
    assert said[0] == "10 errors:"
    for part in (
        "nodes: there is no column mem for storage",
        "nodes: there is no column odd to ignore",
        "nodes, row 0, column compute: 'x': write a number",
        "nodes, row 1, column id: 'a' stands twice (first in row 0)",
        "nodes, row 1, column compute: -1: a quantity is not negative",
        "nodes, row 1, column state: 'odd' is none of: open, cordoned, drained",
        "nodes, row 2, column id: the cell is empty",
        "tasks, row 0, column compute: the cell is empty",
        "tasks, row 0, column eligible: 'q' is no id",
        "tasks, row 0, column replicas: 1.5 is no whole number",
    ):
        assert sum(line.startswith(part) for line in said) == 1, (part, said)


def test_many_errors_are_counted() -> None:
    with pytest.raises(InstanceError, match=r"(?s)^5,000 errors:.*and 4,980 more$"):
        Instance.from_frames(
            {"id": ["a"], "compute": [1]}, {"id": range(5000), "compute": ["x"] * 5000}
        )


@pytest.mark.parametrize(
    ("nodes", "tasks", "said"),
    [
        ({"id": ["a"]}, {"id": ["t"], "compute": [1]}, "there is no column compute"),
        ({"id": ["a"], "compute": [1]}, {"id": ["t"]}, "there is no column compute"),
        ({"name": ["a"], "compute": [1]}, {"id": ["t"], "compute": [1]}, "there is no column id"),
        ({"id": [], "compute": []}, {"id": ["t"], "compute": [1]}, "nodes: there are no rows"),
        ({"id": ["a"], "compute": [1, 2]}, {}, "differ in length"),
        ({"id": 3}, {}, "no column of cells"),
        ({3: ["a"]}, {}, "has no name"),
        (7, {}, "nodes is int"),
        ("abc", {}, "nodes is str"),
        ([1], {}, "no mapping"),
        ({"id": ["a"], "compute": [True]}, {"id": ["t"], "compute": [1]}, "True: it is no number"),
        ({"id": ["a"], "compute": [math.inf]}, {"id": ["t"], "compute": [1]}, "unlimited"),
        ({"id": [1.5], "compute": [1]}, {"id": ["t"], "compute": [1]}, "1.5 is no text"),
        ({"id": ["a"], "compute": ["$3"]}, {"id": ["t"], "compute": [1]}, "compute is no money"),
        ({"id": ["a"], "compute": ["1/3"]}, {"id": ["t"], "compute": [1]}, "is not known"),
        ({"id": ["a"], "compute": [Fraction(1, 3)]}, {"id": ["t"], "compute": [1]}, "more digits"),
        ({"id": ["a"], "compute": ["3 TB"]}, {"id": ["t"], "compute": [1]}, "it has no unit"),
        ({"id": ["a"], "compute": ["3 TB"]}, {"id": ["t"], "compute": ["1 W"]}, "it counts W, but"),
        (
            {"id": ["a", "b"], "compute": [1, 1], "price": ["$1", "€1"]},
            {"id": ["t"], "compute": [1]},
            "it is in EUR, but others are in USD",
        ),
        ({"id": ["a"], "compute": [1]}, {"id": ["t"], "compute": [1], "node": [{}]}, "no list of"),
    ],
)
def test_what_is_refused(nodes: Any, tasks: Any, said: str) -> None:
    with pytest.raises(InstanceError, match=said):
        Instance.from_frames(nodes, tasks)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"units": {"storage": "parsec"}}, "'parsec' is not known"),
        ({"decimal": ";"}, "decimal is ';'"),
        ({"task_columns": {"price": "gpus"}}, "price is no field of a task"),
        ({"columns": {**NAMES, "disk": "ssd"}}, "there is no column ssd for disk"),
        ({"task_columns": {"disk": "gpus"}}, "the nodes have no column for the resource disk"),
        ({"node_columns": {**NODE_NAMES, "label_": "zone"}}, "the label has no key"),
    ],
)
def test_wrong_options(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InstanceError, match=said):
        made(**options)


def test_what_is_left_aside_is_told(caplog: pytest.LogCaptureFixture) -> None:
    notes: list[str] = []
    tasks = {**TASKS, "priority": [1, 2], "model": ["m", "m"], "eligible": [None, "H100"]}
    nodes = {**NODES, "rack": [3, 4], "Price": [1, 2]}
    made(nodes, tasks, notes=notes, node_columns={"id": "host"})
    aside = "left aside: text that means nothing here"
    price = "is read as the price of a unit of compute; that of a whole node is fixed_cost"
    assert notes == [
        "nodes: column usd left aside: no tasks need it",
        f"nodes: column zone {aside}; name it label_zone to have a label",
        "nodes: column rack left aside: no tasks need it",
        f"tasks: column owner {aside}",
        "tasks: column priority left aside: no nodes have it",
        "tasks: column model left aside: no models given",
        f"nodes: column Price {price}",
    ]
    with caplog.at_level(logging.INFO, logger="solver"):
        made()
    assert "column owner left aside" in caplog.text


def test_models_replicas_and_variants() -> None:
    nodes = {"id": ["a", "b"], "compute": [9, 9]}
    tasks = {"id": ["s", "own"], "model": ["m", None], "compute": [None, 2], "replicas": [2, None]}
    models = {"m": [Variant("x", 3), Variant("y", 2)]}
    instance = Instance.from_frames(nodes, tasks, models=models, max_load=1)
    expected = [Task("s", model="m", replicas=2), Task("own", 2)]
    assert instance == Instance([Node("a", 9), Node("b", 9)], expected, models=models, max_load=1)


def test_large_columns_stay_arrays() -> None:
    nodes = {"id": ["a"], "compute": np.array([1.5]), "storage": np.array([np.nan])}
    tasks = {"id": np.arange(50_000), "compute": np.arange(50_000), "gb": np.ones(50_000)}
    instance = Instance.from_frames(nodes, tasks, notes=[])
    assert instance.task_compute.tolist() == list(range(50_000))
    assert instance.node_storage.tolist() == [math.inf]
    assert instance.task_ids[7] == "7"
