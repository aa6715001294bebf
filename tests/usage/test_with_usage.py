"""The figures of an instance from usage: which are changed, which are kept, and what is said."""

from __future__ import annotations

import io

import pytest

from solver import Instance, Usage, with_usage
from solver.errors import OptionError, UsageError
from solver.files.usage.samples import Series
from solver.usage.report import Note, dump_report
from tests.usage.usage_cases import small

MANY = 30


def figures(report):
    return {
        (figure.key.task or figure.key.model, figure.key.part, figure.key.field): figure
        for figure in report.figures
    }


def test_a_figure_is_the_percentile_and_the_margin():
    usage = Usage.of({"own": {"compute": [*range(1, 101)], "storage": [0.1] * MANY}})
    adjusted, report = with_usage(small(), usage)
    own = adjusted.tasks[0]
    assert (own.compute, own.storage, own.resources) == (103.5, 0.115, {"gpu": 1})
    assert figures(report)["own", None, "compute"].usage == 90
    assert figures(report)["own", None, "compute"].old == 6
    assert report.without_samples == ("rest", "m-0", "m-1", "v")
    assert adjusted.replace(task_compute=small().task_compute) != small()  # storage changed, too
    assert adjusted.current.tolist() == small().current.tolist()


def test_options_by_field():
    usage = Usage.of({"own": {"compute": [1, 2] * MANY, "storage": [1, 9] * MANY}})
    adjusted, _ = with_usage(
        small(), usage, percentile={"storage": 1, "": "50%"}, margin={"storage": "100%", "": 0}
    )
    assert (adjusted.tasks[0].compute, adjusted.tasks[0].storage) == (1, 18)


def test_too_few_samples_and_nothing_used_keep_what_was():
    usage = Usage.of({"own": {"compute": [1] * 29, "gpu": [0] * MANY}, "rest": {"compute": []}})
    adjusted, report = with_usage(small(), usage)
    assert adjusted == small()
    found = figures(report)
    assert found["own", None, "compute"].note is Note.FEW
    assert found["own", None, "gpu"].note is Note.IDLE
    assert "rest" in report.without_samples
    assert report.counts == {
        "not used, kept": 1,
        "too few samples, kept": 1,
        "tasks without samples": 4,
    }


def test_floors_are_said():
    usage = Usage.of({"own": {"compute": [1] * MANY, "gpu": [0] * MANY, "storage": [15] * MANY}})
    floor = {"compute": "50%", "gpu": 0.25, "storage": 3}
    adjusted, report = with_usage(small(), usage, floor=floor)
    own = adjusted.tasks[0]
    assert (own.compute, own.resources["gpu"], own.storage) == (3, 0.25, 17.25)
    assert [figure.note for figure in report.figures] == [Note.FLOOR, Note.FLOOR, Note.MEASURED]
    assert "2 figures at its floor: own compute, own gpu" in list(report.lines())
    adjusted, _ = with_usage(small(), usage, floor=0)
    assert adjusted.tasks[0].resources["gpu"] == 0  # who sets a floor says what nothing is


def test_whole_gpus_are_rounded_up_to():
    usage = Usage.of({"own": {"compute": [2] * MANY, "gpu": [0] * MANY, "storage": [0.1] * MANY}})
    adjusted, _ = with_usage(
        small(), usage, multiple={"compute": 1, "storage": 0.25}, floor={"gpu": 0.1}
    )
    own = adjusted.tasks[0]
    assert (own.compute, own.storage, own.resources["gpu"]) == (3, 0.25, 0.1)
    adjusted, report = with_usage(small(), usage, multiple=1, floor=0.5)
    assert adjusted.tasks[0].resources["gpu"] == 1
    assert [figure.new for figure in report.figures] == [3, 1, 1]


def test_equal_parts_share_what_is_measured_of_the_task():
    usage = Usage.of({"m-0": {"compute": [2] * MANY}, "m-1": {"compute": [4] * MANY}})
    adjusted, report = with_usage(small(), usage, margin=0)
    two, one = adjusted.models["m"]
    assert (two.compute, one.compute) == (2, 5)  # the larger task by its two parts; the other kept
    assert report.figures[0].tasks == 2
    assert adjusted.current.tolist() == small().current.tolist()


def part(task, number, values, field="compute"):
    return Series(
        (task,), field, number, number, None, Usage.of({"": {"": values}}).series[0].values
    )


def test_parts_are_measured_one_by_one():
    usage = Usage(
        (
            part("m-0", 1, [2] * MANY),
            part("m-0", 2, [3] * MANY),
            part("m-1", 3, [9] * MANY),
            part("v", 2, [7] * MANY),
            part("own", 2, [7] * MANY),
        )
    )
    adjusted, report = with_usage(small(), usage, margin=0)
    assert adjusted.models["m"][0].compute == 3
    listed = adjusted.tasks[4].variants[0]
    assert [each.compute for each in listed.parts] == [1, 7]
    assert [each.storage for each in listed.parts] == [2, 0]
    assert report.unattributed == {"with samples of a part they do not have": ("m-1", "own")}


def test_what_cannot_be_attributed_is_kept_and_said():
    instance = small().replace(current=None)
    usage = Usage.of({"m-0": {"compute": [9] * MANY}, "v": {"compute": [9] * MANY}})
    adjusted, report = with_usage(instance, usage)
    assert adjusted == instance
    assert report.unattributed == {
        "that run nowhere, or in which variant is not known": ("m-0", "v")
    }
    _, report = with_usage(small(), usage)
    assert report.unattributed == {
        "in parts that differ, of which samples do not say which": ("v",)
    }


def test_names_are_tried_in_order_and_unknown_ones_counted():
    series = [
        Series(("ml/own", "own"), "compute", None, 0, None, part("", 1, [1] * MANY).values),
        Series(("ml/gone", "gone"), "compute", None, 0, None, part("", 1, [1] * 3).values),
    ]
    adjusted, report = with_usage(small(), Usage(tuple(series)))
    assert adjusted.tasks[0].compute == 1.15
    assert report.unknown == {"ml/gone": 3}
    assert any("does not have: ml/gone" in line for line in report.lines())


def pods(*names):
    return Usage(
        tuple(
            Series((name, name.rpartition("/")[2]), "compute", None, name, None, values)
            for name in names
            for values in [part("", 1, [len(name)] * MANY).values]
        )
    )


def of_pods(ids, *names):
    instance = Instance.from_arrays(
        node_compute=[1], task_ids=list(ids), task_compute=[1] * len(ids)
    )
    adjusted, report = with_usage(instance, pods(*names), margin=0)
    return [task.compute for task in adjusted.tasks], report


def test_a_pod_of_another_namespace_is_not_taken_for_one_of_the_instance():
    figures, report = of_pods(["a", "ml/b"], "ml/b", "ml/a", "default/a")
    assert figures == [len("default/a"), len("ml/b")]
    assert report.unknown == {"ml/a": MANY}
    # An instance of one namespace, and samples of several that have a pod of that name.
    figures, report = of_pods(["a", "b"], "x/a", "yy/a", "x/b")
    assert figures == [1, len("x/b")]
    assert report.unattributed == {"of whose name several namespaces have a pod": ("a",)}


def test_a_field_that_the_instance_lacks():
    usage = Usage.of({"own": {"watts": [1] * MANY, "compute": [1] * MANY}})
    _, report = with_usage(small(), usage)
    assert report.unknown_fields == ("watts",)
    with pytest.raises(UsageError, match=r"nothing that was measured \(watts\).*map one"):
        with_usage(small(), Usage.of({"own": {"watts": [1] * MANY}}))


def test_nothing_measured_changes_nothing():
    adjusted, report = with_usage(small(), Usage())
    assert adjusted == small()
    assert len(report.without_samples) == 5


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"percentile": 0}, "percentile must be above 0"),
        ({"percentile": 1.01}, "percentile must be above 0"),
        ({"percentile": {"wats": 0.5}}, "the field 'wats' is none of"),
        ({"margin": -0.1}, "margin is -0.1"),
        ({"margin": "much"}, "margin is 'much'"),
        ({"margin": True}, "margin is True"),
        ({"margin": float("nan")}, "margin is nan"),
        ({"floor": "-1%"}, "floor is '-1%'"),
        ({"min_samples": 0}, "min_samples is 0"),
        ({"digits": 0}, "digits is 0"),
        ({"multiple": 0}, "multiple must be a number above 0"),
        ({"multiple": {"compute": "5%"}}, "multiple must be a number above 0"),
        ({"several": "mean"}, "several is 'mean'"),
        ({"step": 0}, "step is 0"),
        ({"window": "5%"}, "window is '5%'"),
    ],
)
def test_options_that_are_refused(options, problem):
    with pytest.raises(OptionError, match=problem):
        with_usage(small(), Usage(), **options)


def test_the_report_as_csv():
    usage = Usage.of({"own": {"compute": [1] * MANY}, "m-0": {"compute": [4] * MANY}})
    _, report = with_usage(small(), usage)
    stream = io.StringIO()
    dump_report(report, stream)
    assert stream.getvalue() == (
        "task_id,model,variant,part,field,tasks,samples,usage,old,new,note\n"
        "own,,,,compute,1,30,1,6,1.15,measured\n"
        ",m,two,,compute,1,30,2,3,2.3,measured\n"
    )


def test_a_million_numbers_are_not_needed_for_one_figure():
    instance = Instance.from_arrays(node_compute=[1], task_compute=[2**70, 0.5])
    usage = Usage.of({"task-1": {"compute": [0.25] * MANY}})
    adjusted, _ = with_usage(instance, usage)
    assert [task.compute for task in adjusted.tasks] == [2**70, 0.2875]
