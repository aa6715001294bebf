"""Allocations and results: what a user reads off them."""

from __future__ import annotations

import csv
import math
import pickle
import sys
from fractions import Fraction

import numpy as np
import oracle
import pytest
from random_instances import random_instances

from solver.errors import BackendUnavailableError
from solver.model.allocation import Allocation
from solver.model.instance import Instance, Node, Task
from solver.model.result import Result, Status, Termination, relative_gap


def instance():
    return Instance(
        nodes=[
            Node("a", 10, storage=8, resources={"gpu": 4}),
            Node("b", 4),
            Node("c", 20),
        ],
        tasks=[
            Task("t", 6, storage=5, resources={"gpu": 2}),
            Task("u", 7, storage=2.5, resources={"gpu": 1}),
            Task("v", 1),
        ],
    )


def allocation():
    return Allocation(instance(), [0, 0, 2])


def test_node_of_is_a_mapping_of_ids():
    node_of = allocation().node_of
    assert dict(node_of) == {"t": "a", "u": "a", "v": "c"}
    assert (node_of["v"], len(node_of), list(node_of)) == ("c", 3, ["t", "u", "v"])
    assert type(node_of["v"]) is str
    assert "w" not in node_of
    with pytest.raises(KeyError, match="w"):
        node_of["w"]


def test_node_of_cannot_be_changed():
    with pytest.raises(TypeError, match="does not support item assignment"):
        allocation().node_of["t"] = "b"


def test_node_index_is_a_read_only_copy():
    given = np.array([0, 0, 2])
    placed = Allocation(instance(), given)
    given[0] = 1
    assert placed.node_index.tolist() == [0, 0, 2]
    with pytest.raises(ValueError, match="read-only"):
        placed.node_index[0] = 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([0, 0], "node_index has 2 entries for 3 tasks"),
        ([0, 0, 3], r"node_index must hold positions 0\.\.2"),
        ([0, -1, 0], r"node_index must hold positions 0\.\.2"),
        ([0, 0.5, 1], "node_index must hold integer positions, not float64"),
    ],
)
def test_node_index_must_hold_one_position_a_task(given, message):
    with pytest.raises(ValueError, match=message):
        Allocation(instance(), given)


def test_loads_tasks_and_amounts_used_by_node():
    placed = allocation()
    assert placed.loads().tolist() == [13, 0, 1]
    assert placed.tasks_per_node().tolist() == [2, 0, 1]
    assert placed.used("storage").tolist() == [7.5, 0, 0]
    assert placed.used("gpu").tolist() == [3, 0, 0]


def test_storage_used_is_known_where_no_node_limits_it():
    free = Instance([Node("a", 1), Node("b", 1)], [Task("t", 1, storage=0.1)] * 1)
    assert Allocation(free, [1]).used("storage").tolist() == [0, 0.1]


def test_an_unknown_dimension_is_refused_with_the_choices():
    with pytest.raises(KeyError, match="'cpu' is none of: storage, gpu"):
        allocation().used("cpu")


def test_amounts_are_added_before_they_are_rounded():
    tenths = Instance.from_arrays(node_compute=[1], task_compute=[0.1] * 3, task_storage=[0.1] * 3)
    assert Allocation(tenths, [0, 0, 0]).loads().tolist() == [0.3]
    assert Allocation(tenths, [0, 0, 0]).used("storage").tolist() == [0.3]


def test_loads_beyond_64_bits_are_exact():
    huge = Instance.from_arrays(node_compute=[1], task_compute=[2**62] * 4)
    assert Allocation(huge, [0] * 4).loads().tolist() == [2**64]


@pytest.mark.parametrize("integers", [True, False])
def test_loads_equal_sums_of_fractions(integers):
    rng = np.random.default_rng(0)
    for case in random_instances(40, seed=41, integers=integers):
        where = rng.integers(case.num_nodes, size=case.num_tasks)
        loads = [Fraction(0)] * case.num_nodes
        for i, task in zip(where.tolist(), case.tasks, strict=True):
            loads[i] += oracle.exact(task.compute)
        assert Allocation(case, where).loads().tolist() == [float(load) for load in loads]


def test_allocations_are_equal_where_instance_and_nodes_are():
    assert allocation() == Allocation(instance(), (0, 0, 2))
    assert allocation() != Allocation(instance(), [0, 0, 1])
    assert allocation() != [0, 0, 2]
    smaller = Instance.from_arrays(node_compute=[1], task_compute=[1])
    assert allocation() != Allocation(smaller, [0])
    same_shape = Instance.from_arrays(node_compute=[1, 1, 1], task_compute=[1, 1, 1])
    assert allocation() != Allocation(same_shape, [0, 0, 2])


def test_an_allocation_is_pickled_with_its_views():
    placed = allocation()
    assert placed.node_of["t"] == "a"
    again = pickle.loads(pickle.dumps(placed))
    assert again == placed
    assert again.node_of["t"] == "a"


def test_an_allocation_of_no_tasks():
    empty = Allocation(Instance([Node("a", 1)], []), [])
    assert (empty.loads().tolist(), dict(empty.node_of)) == ([0], {})


def test_to_csv_writes_ids_in_the_order_of_the_instance(tmp_path):
    allocation().to_csv(tmp_path / "allocation.csv")
    text = (tmp_path / "allocation.csv").read_bytes()
    assert text == b"task_id,node_id\nt,a\nu,a\nv,c\n"


def test_to_csv_quotes_what_must_be_quoted(tmp_path):
    odd = ['a,b "c"', "ü\n2", " x"]
    placed = Allocation(
        Instance([Node(odd[0], 1)], [Task(name, 1) for name in odd]), [0] * len(odd)
    )
    placed.to_csv(tmp_path / "allocation.csv")
    with (tmp_path / "allocation.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == [["task_id", "node_id"], *([name, odd[0]] for name in odd)]


def test_to_csv_into_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        allocation().to_csv(tmp_path / "nowhere" / "allocation.csv")


def result(**fields):
    defaults = {
        "instance": instance(),
        "method": "greedy",
        "status": Status.FEASIBLE,
        "termination": Termination.FINISHED,
        "allocation": allocation(),
        "cost": 546,
        "bound": 516,
        "seconds": 0.5,
        "seed": 0,
        "num_workers": 1,
    }
    return Result(**{**defaults, **fields})


def nothing_found():
    return result(
        status=Status.UNKNOWN,
        termination=Termination.TIME_LIMIT,
        allocation=None,
        cost=None,
        bound=None,
    )


@pytest.mark.parametrize(
    ("cost", "bound", "gap"),
    [
        (200, 150, 0.25),
        (200, 200, 0.0),
        (0, 0, 0.0),
        (7, 0, 1.0),
        (None, 5, None),
        (5, None, None),
        (None, None, None),
        (0.3, 0.15, 0.5),
        (10**30, 10**30 - 10**15, 1e-15),
        (10**400, 10**400 // 2, 0.5),
    ],
)
def test_gap_is_relative_to_the_cost_and_none_where_unknown(cost, bound, gap):
    assert relative_gap(cost, bound) == gap
    assert result(cost=cost, bound=bound).gap == gap


def test_a_gap_smaller_than_float_resolution_of_the_cost_is_not_zero():
    assert 0 < relative_gap(10**20, 10**20 - 1) < 1e-19
    assert float(10**20) == float(10**20 - 1)


def test_status_and_termination_have_the_words_of_the_json_result():
    assert [status.value for status in Status] == ["optimal", "feasible", "infeasible", "unknown"]
    assert Termination("time limit") is Termination.TIME_LIMIT


def test_the_repr_shows_what_is_known():
    assert repr(result()) == "<Result feasible, cost 546, gap 5.495%>"
    assert repr(nothing_found()) == "<Result unknown>"


def test_a_result_cannot_be_changed():
    with pytest.raises(AttributeError, match="cannot assign to field 'cost'"):
        result().cost = 1


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def heights(ax, label):
    (bars,) = [bars for bars in ax.containers if bars.get_label() == label]
    return [float(bar.get_height()) for bar in bars]


def test_plot_draws_load_within_and_above_capacity_from_the_largest_node_down(pyplot, tmp_path):
    ax = result().plot()
    assert heights(ax, "idle capacity") == [20, 10, 4]
    assert heights(ax, "load within capacity") == [1, 10, 0]
    assert heights(ax, "overload") == [0, 3, 0]
    assert ax.get_title() == "feasible, cost 546, gap 5.495%"
    ax.figure.savefig(tmp_path / "loads.png")
    assert (tmp_path / "loads.png").read_bytes().startswith(b"\x89PNG")


def test_plot_draws_into_axes_that_are_given(pyplot):
    _, ax = pyplot.subplots()
    assert result().plot(ax) is ax
    assert len(pyplot.get_fignums()) == 1


def test_plot_of_many_nodes_and_wide_integers(pyplot):
    n = 200
    wide = Instance.from_arrays(node_compute=[2**70] * n, task_compute=[2**71])
    placed = Allocation(wide, [3])
    ax = result(instance=wide, allocation=placed, cost=1, bound=1).plot()
    assert sum(height > 0 for height in heights(ax, "overload")) == 1
    assert math.isclose(max(heights(ax, "overload")), 2**70)


def test_plot_without_an_allocation_is_refused():
    with pytest.raises(ValueError, match="no allocation to plot: the status is unknown"):
        nothing_found().plot()


def test_plot_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(BackendUnavailableError, match=r"pip install 'nodewise\[plot\]'"):
        result().plot()
