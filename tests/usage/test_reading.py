"""Reading usage: CSV, and JSON as Prometheus answers queries; what is dropped, and refused."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from solver import Usage, read_usage
from solver.errors import OptionError, UsageError
from tests.usage.usage_cases import answer, series


@pytest.fixture
def file(tmp_path: Path):
    def make(text: str, name: str = "usage.csv") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


def told(usage: Usage):
    """Task, field, part and values of each series."""
    return [
        (each.names[0], each.field, each.part, [str(value) for value in each.values])
        for each in usage.series
    ]


def test_csv_in_long_form(file):
    usage = read_usage(file("task_id,time,compute,storage\na,0,1.50,7\nb,0,2,\na,60,1e1,8\n"))
    assert told(usage) == [
        ("a", "compute", None, ["1.50", "1E+1"]),
        ("b", "compute", None, ["2"]),
        ("a", "storage", None, ["7", "8"]),
    ]
    assert usage.series[0].times == [0, 60]


def test_csv_without_times_and_with_parts(file):
    usage = read_usage(file("task_id,part,compute\na,1,3\na,2,4\na,1,5\n"))
    assert told(usage) == [("a", "compute", 1, ["3", "5"]), ("a", "compute", 2, ["4"])]
    assert usage.series[0].times is None


def test_rows_of_one_task_and_time_are_several_series(file):
    usage = read_usage(file("task_id,time,compute\na,0,1\na,0,2\na,60,3\na,60,4\n"))
    assert told(usage) == [
        ("a", "compute", None, ["1", "3"]),
        ("a", "compute", None, ["2", "4"]),
    ]


def test_any_number_of_rows_of_one_time_takes_time_in_proportion(file):
    usage = read_usage(file("task_id,time,compute\n" + "a,0,1\n" * 50_000))
    assert len(usage.series) == 50_000


def test_dates_are_seconds(file):
    text = "task_id,timestamp,compute\na,1970-01-01T00:01:00Z,1\na,1970-01-01T01:01:00.5+01:00,2\n"
    assert read_usage(file(text)).series[0].times == [60, Decimal("60.5")]


def test_columns_are_mapped_with_factors(file):
    path = file("container,at,value\nx,5,2048\n", "memory.csv")
    usage = read_usage(path, fields=["storage=memory:value/1024"], task="container", time="at")
    assert told(usage) == [("x", "storage", None, ["2048"])]
    assert usage.factors == {"storage": Fraction(1, 1024)}
    assert usage.series[0].times == [5]


def test_what_is_not_measured_is_dropped_and_counted(file):
    cells = ["nan", "NaN", "inf", "-inf", "9223372036854775794", "9.223372036854776e+18", "1"]
    cells += ["140737488355330", "2147483634.0", "2147483648", ""]
    usage = read_usage(file("task_id,compute\n" + "".join(f"a,{cell}\n" for cell in cells)))
    assert told(usage) == [("a", "compute", None, ["1", "2147483648"])]
    assert usage.dropped == {"not a number": 2, "infinite": 2, "not available (DCGM)": 4}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("task_id,compute\na,-1\n", "line 2, column compute: '-1' is no sample"),
        ("task_id,compute\na,1\na,1_0\n", "line 3, column compute: '1_0' is no sample"),
        ("task_id,compute,host\na,1,h\n", "'h' is no sample.*map those that are"),
        ("task_id,compute\n,1\n", "line 2, column task_id: the cell is empty"),
        ("task_id,time,compute\na,noon,1\n", "'noon' is no time"),
        ("task_id,part,compute\na,0,1\n", "'0' is no part"),
        ("tsk_id,compute\na,1\n", "column task_id is missing"),
        ("task_id,time\na,1\n", "there is no field among the columns"),
        ("task_id,compute\na,1,2\n", "line 2: 3 cells for 2 columns"),
        ("", "the file is empty"),
    ],
)
def test_csv_that_is_refused(file, text, problem):
    with pytest.raises(UsageError, match=problem) as caught:
        read_usage(file(text))
    assert "usage.csv" in str(caught.value)


PODS = {"__name__": "gpu", "namespace": "ml", "pod": "a-0", "gpu": "0"}


def test_an_answer_of_prometheus(file):
    text = answer(
        series(PODS, [(1.5, "1"), (2.5, "NaN"), (3.5, "+Inf"), (4.5, "0.250")]),
        series({**PODS, "gpu": "1"}, [(1.5, "3")]),
        series({"__name__": "other", "pod": "a-0"}, [(1, "1")]),
        series({"__name__": "gpu"}, [(1, "1")]),
        warnings=["too many points"],
    )
    usage = read_usage(file(text, "p.json"), fields={"compute": "gpu*100"})
    assert told(usage) == [
        ("ml/a-0", "compute", None, ["1", "0.250"]),
        ("ml/a-0", "compute", None, ["3"]),
    ]
    assert usage.series[0].names == ("ml/a-0", "a-0")
    assert usage.series[0].times == [Decimal("1.5"), Decimal("4.5")]
    assert usage.dropped == {"not a number": 1, "infinite": 1}
    notes = " ".join(usage.notes)
    assert "1 series of metrics that no field is mapped to (other)" in notes
    assert "1 series do not tell their task" in notes
    assert "too many points" in notes


def test_the_shapes_of_an_answer(file):
    one = {"metric": {"task": "a", "part": "2"}, "value": [1, "3"]}
    whole = json.loads(answer(one, kind="vector"))
    wanted = [("a", "compute", 2, ["3"])]
    for shape in (whole, whole["data"], whole["data"]["result"]):
        # A series without a name is called as the file.
        assert told(read_usage(file(json.dumps(shape), "compute.json"))) == wanted


def test_behind_an_exporter_the_pod_measured_is_meant(file):
    labels = {"pod": "exporter", "namespace": "gpu", "exported_pod": "a", "exported_namespace": "n"}
    text = answer(series(labels, [(1, "1")]))
    usage = read_usage(file(text, "compute.json"))
    assert usage.series[0].names == ("n/a", "a")
    usage = read_usage(file(text, "compute.json"), task="{exported_namespace}.{exported_pod}")
    assert usage.series[0].names == ("n.a",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"status": "error", "errorType": "bad_data", "error": "oops"}', "failed: bad_data: oops"),
        (answer(kind="scalar"), "resultType is 'scalar'"),
        ('{"status": "success"}', "the result is a JSON constant"),
        ('{"nodes": []}', "no answer of Prometheus"),
        (
            answer(series({"pod": "a"}, [(1, "-1")])),
            r"result\[0\], sample 0: .*clamp_min",
        ),
        (answer(series({"pod": "a"}, [("x", "1")])), "the time must be a number"),
        (answer({"metric": {"pod": 1}, "values": []}), "metric must be an object of labels"),
        (answer({"metric": {"pod": "a"}}), "neither value nor values"),
        (answer(series({"pod": "a"}, [(1, "1")]))[:-9], "cut short"),
        ("[" * 100_000, "nested too deeply|cut short"),
        ("[NaN]", "NaN is not a number in JSON"),
    ],
)
def test_json_that_is_refused(file, text, problem):
    with pytest.raises(UsageError, match=problem) as caught:
        read_usage(file(text, "compute.json"))
    assert "compute.json" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"fields": ["compute"]}, "write FIELD=COLUMN"),
        ({"fields": ["=gpu"]}, "write FIELD=COLUMN"),
        ({"fields": ["compute=a", "compute=b"]}, "'compute' stands twice"),
        ({"fields": ["compute=a", "storage=a"]}, "'a' stands twice"),
        ({"fields": ["compute=a*0"]}, "give a number above 0"),
        ({"fields": ["compute=a*1e"]}, "is no number"),
        ({"task": "{pod"}, "write labels in braces"),
        ({"task": "x}{"}, "write labels in braces"),
        ({"task": ""}, "name a column or label"),
    ],
)
def test_options_that_are_refused(file, options, problem):
    with pytest.raises(OptionError, match=problem):
        read_usage(file("task_id,a\nx,1\n"), **options)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="there is no such file"):
        read_usage(tmp_path / "none.csv")


def test_usage_from_numbers_at_hand():
    usage = Usage.of({"a": {"compute": [1, 0.5, float("nan")]}})
    assert told(usage) == [("a", "compute", None, ["1", "0.5"])]
    assert usage.dropped == {"not a number": 1}
    with pytest.raises(UsageError, match="task 'a', compute: -1 is no sample"):
        Usage.of({"a": {"compute": [-1]}})
