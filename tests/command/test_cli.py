"""The command line: exit codes, messages, and what is and is not written."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solver.command import display, listing, solving
from solver.errors import MethodError
from solver.files.allocation import read_allocation
from solver.files.instance import read_instance, write_instance
from solver.model.allocation import Allocation
from solver.model.instance import Instance, Node, Task
from solver.model.records import Variant
from solver.model.result import Progress, Result, Status, Termination
from solver.model.rules import Limit, Spread
from solver.versions import __version__

ROOT = Path(__file__).resolve().parents[2]
SPEC = "uniform:nodes=3,tasks=9,seed=1"
ON_NODE_A = "task_id,node_id\nt0,a\nt1,a\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


Run = Callable[..., tuple[int, str, str]]


def small_instance() -> Instance:
    return Instance(
        nodes=[Node("a", 10, storage=4), Node("b", 8, storage=2)],
        tasks=[Task("t0", 9, storage=2), Task("t1", 5, storage=2)],
        name="small",
    )


def impossible() -> Instance:
    return Instance([Node("a", 10, storage=1)], [Task("t0", 9, storage=2)])


@pytest.fixture
def small(folder: Path) -> str:
    write_instance(small_instance(), folder / "small.json")
    return "small.json"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_solve_writes_what_is_asked_for(run: Run, folder: Path, small: str) -> None:
    code, out, err = run(
        "solve", small, "-o", "allocation.csv", "--loads", "loads.csv", "--json", "result.json"
    )
    assert (code, out) == (0, "")
    instance = small_instance()
    allocation = read_allocation(instance, "allocation.csv")
    assert dict(allocation.node_of) == {"t0": "a", "t1": "b"}
    with (folder / "loads.csv").open() as stream:
        rows = {row["node_id"]: row for row in csv.DictReader(stream)}
    assert rows["a"]["load"] == "9"
    assert rows["b"]["utilisation"] == "0.625"
    result = json.loads((folder / "result.json").read_text())
    assert result["status"] == "optimal"
    assert result["cost"] == result["bound"] == 164
    assert result["allocation"] == {"t0": "a", "t1": "b"}
    assert result["seconds"] > 0
    for text in ("small: 2 nodes, 2 tasks", "optimal", "164", "0.000%", "allocation.csv"):
        assert text in err
    assert "\x1b" not in err
    assert files(folder) == ["allocation.csv", "loads.csv", "result.json", "small.json"]


def test_solve_without_outputs_only_shows_the_summary(run: Run, folder: Path) -> None:
    code, out, err = run("solve", SPEC)
    assert (code, out) == (0, "")
    assert "3 nodes, 9 tasks" in err
    assert files(folder) == []


def test_solve_writes_to_stdout(run: Run, small: str) -> None:
    code, out, _ = run("solve", small, "-o", "-")
    assert (code, out) == (0, "task_id,node_id\nt0,a\nt1,b\n")
    code, out, _ = run("solve", small, "--json", "-")
    assert code == 0
    assert json.loads(out)["allocation"] == {"t0": "a", "t1": "b"}


@pytest.mark.parametrize("form", ["data.json", "data.zip", "data"])
def test_solve_reads_every_form(run: Run, form: str) -> None:
    code, _, err = run("generate", "uniform", "nodes=3", "tasks=9", "seed=1", "-o", form)
    assert code == 0, err
    code, _, err = run("solve", form, "--method", "greedy", "-o", "allocation.csv")
    assert code == 0, err
    code, out, _ = run("check", form, "allocation.csv")
    assert code == 0
    assert out.endswith("feasible\n")


def test_a_path_wins_over_a_name(run: Run, folder: Path) -> None:
    write_instance(small_instance(), folder / "uniform")
    code, _, err = run("solve", "uniform")
    assert code == 0
    assert "small: 2 nodes, 2 tasks" in err


def test_every_named_instance_can_be_written(run: Run, folder: Path) -> None:
    from instances.catalog import named

    for name, make in named().items():
        assert run("generate", name, "-o", f"{name}.json")[0] == 0
        assert read_instance(folder / f"{name}.json") == make()


def test_solve_begins_from_an_allocation(run: Run, folder: Path, small: str) -> None:
    (folder / "start.csv").write_text("task_id,node_id\nt0,b\nt1,a\n")
    code, _, err = run(
        "solve", small, "--initial", "start.csv", "--method", "greedy", "--json", "result.json"
    )
    assert code == 0, err
    assert json.loads((folder / "result.json").read_text())["cost"] <= 172


def test_solve_says_why_nothing_is_possible(run: Run, folder: Path) -> None:
    write_instance(impossible(), folder / "none.json")
    code, out, err = run("solve", "none.json", "-o", "allocation.csv", "--json", "result.json")
    assert (code, out) == (2, "")
    assert "infeasible" in err
    assert "'t0'" in err
    assert "not written  allocation.csv" in err
    result = json.loads((folder / "result.json").read_text())
    assert result["allocation"] is None
    assert "t0" in result["infeasible_because"]
    assert files(folder) == ["none.json", "result.json"]


def stub(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Let `solve` return a result of our own."""

    def solve(instance: Instance, method: str, **options: Any) -> Result:
        fields: dict[str, Any] = {
            "status": Status.UNKNOWN,
            "termination": Termination.TIME_LIMIT,
            "allocation": None,
            "cost": None,
            "bound": 140,
        }
        fields |= changes
        if fields["allocation"] is not None:
            fields["allocation"] = Allocation(instance, fields["allocation"])
        given = {"instance": instance, "method": method, "seed": options["seed"]}
        return Result(**given, seconds=1.5, num_workers=1, **fields)

    monkeypatch.setattr(solving, "solve", solve)


INTERRUPTED = {"termination": Termination.INTERRUPTED}
FOUND = {"allocation": [0, 1], "cost": 164, "status": Status.FEASIBLE}


@pytest.mark.parametrize(
    ("changes", "code", "written"),
    [
        ({}, 3, False),
        (INTERRUPTED, 130, False),
        (INTERRUPTED | FOUND, 0, True),
        (FOUND, 0, True),
        ({"status": Status.INFEASIBLE, "infeasible_because": "no room", "bound": None}, 2, False),
    ],
)
def test_exit_codes_of_solve(
    run: Run,
    folder: Path,
    small: str,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    code: int,
    written: bool,
) -> None:
    stub(monkeypatch, **changes)
    assert run("solve", small, "-o", "allocation.csv")[0] == code
    assert (folder / "allocation.csv").exists() is written


def test_summary_names_what_is_known(run: Run, small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = FOUND | {"allocation": [1, 0], "cost": 172, "message": "stopped early"}
    stub(monkeypatch, **changes)
    err = run("solve", small)[2]
    lines = dict(line.split(maxsplit=1) for line in err.splitlines())
    assert lines["status"] == "feasible (time limit)"
    assert (lines["cost"], lines["bound"], lines["gap"]) == ("172", "140", "18.605%")
    assert lines["overload"] == "7.14% of the load, on 1 of 2 nodes"
    assert lines["utilisation"] == "77.8% overall, 112.5% at most"
    assert lines["stopped"] == "early"
    stub(monkeypatch, unplaced=tuple(f"t{j}" for j in range(7)))
    err = run("solve", small)[2]
    assert "no node was found for: t0, t1, t2, t3, t4 and 2 more" in err
    assert "cost " not in err


def test_options_reach_solve(run: Run, small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def solve(instance: Instance, method: str, **options: Any) -> Result:
        seen.update(options, method=method)
        raise MethodError("stop here")

    monkeypatch.setattr(solving, "solve", solve)
    code, _, err = run(
        *("solve", small, "--method", "mip", "--time-limit", "2.5", "--workers", "3"),
        *("--seed", "7", "--rel-gap", "0.01", "--mip-solver", "CBC", "--round-limit", "9"),
    )
    assert (code, err) == (1, "error: stop here\n")
    assert seen == {
        "method": "mip",
        "time_limit": 2.5,
        "num_workers": 3,
        "seed": 7,
        "rel_gap": 0.01,
        "initial": None,
        "on_progress": None,
        "mip_solver": "CBC",
        "round_limit": 9,
    }


@pytest.mark.parametrize("when", ["reading", "solving"])
def test_ctrl_c_before_anything_is_found(
    run: Run, folder: Path, small: str, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(solving, "instance_of" if when == "reading" else "solve", interrupted)
    code, out, _ = run("solve", small, "-o", "allocation.csv")
    assert (code, out) == (130, "")
    assert files(folder) == [small]


BAD_INSTANCES: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "truncated JSON": ({"i.json": '{"nodes": [{"id": "a",'}, "i.json", ["i.json, line 1", "JSON"]),
    "missing column": (
        {"i/nodes.csv": "id,storage\na,1\n", "i/tasks.csv": "id,compute\nt0,1\n"},
        "i",
        ["nodes.csv, line 1", "column compute"],
    ),
    "negative storage": (
        {"i.json": '{"nodes": [{"id": "a", "compute": 1, "storage": -2}], "tasks": []}'},
        "i.json",
        ["node 'a'", "storage", "-2"],
    ),
    "NaN storage": (
        {"i/nodes.csv": "id,compute,storage\na,1,nan\n", "i/tasks.csv": "id,compute\nt0,1\n"},
        "i",
        ["nodes.csv, line 2", "storage", "'nan'"],
    ),
    "NaN storage in JSON": (
        {"i.json": '{"nodes": [{"id": "a", "compute": 1, "storage": NaN}], "tasks": []}'},
        "i.json",
        ["i.json", "NaN", "storage"],
    ),
    "duplicate id": (
        {"i/nodes.csv": "id,compute\na,1\na,2\n", "i/tasks.csv": "id,compute\nt0,1\n"},
        "i",
        ["nodes.csv, line 3", "column id", "'a'"],
    ),
    "unknown node in eligible": (
        {"i/nodes.csv": "id,compute\na,1\n", "i/tasks.csv": "id,compute,eligible\nt0,1,b\n"},
        "i",
        ["tasks.csv, line 2", "eligible", "'b'"],
    ),
    "empty JSON": ({"i.json": ""}, "i.json", ["i.json", "empty"]),
    "empty table": (
        {"i/nodes.csv": "id,compute\na,1\n", "i/tasks.csv": ""},
        "i",
        ["tasks.csv", "empty"],
    ),
    "no such file": ({}, "i.json", ["i.json", "no such file"]),
    "no such name": ({}, "exampel", ["'exampel'", "did you mean 'example'", "uniform"]),
    "no such family": ({}, "unifrm:nodes=3", ["'unifrm:nodes=3'", "did you mean 'uniform'"]),
    "no such parameter": ({}, "uniform:nods=3", ["'nods'", "did you mean 'nodes'"]),
}


@pytest.mark.parametrize("case", BAD_INSTANCES)
def test_bad_instances_write_nothing(run: Run, folder: Path, case: str) -> None:
    given, argument, wanted = BAD_INSTANCES[case]
    for name, text in given.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    for command in (
        ("solve", argument, "-o", "out.csv", "--loads", "loads.csv", "--json", "out.json"),
        ("bound", argument),
        ("check", argument, "allocation.csv"),
    ):
        code, out, err = run(*command)
        assert (code, out) == (1, "")
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        for part in wanted:
            assert part in err
    assert files(folder) == sorted(given)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_unreadable_encoding_writes_nothing(run: Run, folder: Path, encoding: str) -> None:
    (folder / "i.json").write_bytes('{"name": "für"}'.encode(encoding))
    code, out, err = run("solve", "i.json", "-o", "out.csv")
    assert (code, out) == (1, "")
    assert "i.json, line 1" in err
    assert "UTF-8" in err
    assert files(folder) == ["i.json"]


BAD_ALLOCATIONS = {
    "unknown task": (ON_NODE_A + "t9,a\n", ["line 4", "task_id", "'t9'"]),
    "unknown node": ("task_id,node_id\nt0,a\nt1,z\n", ["line 3", "node_id", "'z'"]),
    "missing column": ("task,node_id\nt0,a\n", ["line 1", "task_id"]),
    "missing task": ("task_id,node_id\nt0,a\n", ["'t1'"]),
    "empty": ("", ["empty"]),
}


@pytest.mark.parametrize("case", BAD_ALLOCATIONS)
def test_bad_allocations_write_nothing(run: Run, folder: Path, small: str, case: str) -> None:
    text, wanted = BAD_ALLOCATIONS[case]
    (folder / "bad.csv").write_text(text)
    for command in (
        ("check", small, "bad.csv"),
        ("solve", small, "--initial", "bad.csv", "-o", "out.csv"),
    ):
        code, out, err = run(*command)
        assert (code, out) == (1, "")
        for part in ["error: bad.csv", *wanted]:
            assert part in err
    assert files(folder) == ["bad.csv", small]


def test_an_infeasible_start_is_refused(run: Run, folder: Path, small: str) -> None:
    (folder / "bad.csv").write_text("task_id,node_id\nt0,b\nt1,b\n")
    code, _, err = run("solve", small, "--initial", "bad.csv", "-o", "out.csv")
    assert code == 1
    assert "'b'" in err
    assert files(folder) == ["bad.csv", small]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["-o", "none/out.csv"], ["--output none/out.csv", "none does not exist"]),
        (["--loads", "none/out.csv"], ["--loads", "none does not exist"]),
        (["--json", "none/out.json"], ["--json", "none does not exist"]),
        (["-o", "."], ["--output", "folder"]),
        (["-o", "x.csv", "--loads", "./x.csv"], ["--output", "--loads", "x.csv"]),
        (["-o", "-", "--json", "-"], ["--output", "--json"]),
        (["-o", "small.json"], ["--output small.json", "overwrite"]),
    ],
)
def test_outputs_are_checked_before_solving(
    run: Run,
    folder: Path,
    small: str,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    wanted: list[str],
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("solve was called")

    monkeypatch.setattr(solving, "solve", never)
    code, out, err = run("solve", small, *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    for part in wanted:
        assert part in err
    assert files(folder) == [small]
    assert read_instance(small) == small_instance()


def test_outputs_do_not_overwrite_the_tables(run: Run, folder: Path) -> None:
    write_instance(small_instance(), folder / "data")
    code, _, err = run("solve", "data", "-o", "data/tasks.csv")
    assert code == 1
    assert "overwrite" in err
    assert run("solve", "data", "-o", "data/allocation.csv")[0] == 0
    assert read_instance("data") == small_instance()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["solve"],
        ["slove", SPEC],
        ["solve", SPEC, "--metod", "greedy"],
        ["solve", SPEC, "--seed", "x"],
        ["solve", SPEC, "--seed", "-1"],
        ["solve", SPEC, "--time-limit", "nan"],
        ["solve", SPEC, "--workers", "0"],
        ["solve", SPEC, "--method", "gredy"],
        ["bound", SPEC, "--method", "gredy"],
        ["check", SPEC],
        ["generate"],
        ["generate", "uniform"],
        ["generate", "unifrm", "-o", "x.json"],
        ["generate", "uniform", "nodes", "-o", "x.json"],
        ["generate", "uniform", "nodes=many", "-o", "x.json"],
        ["generate", "uniform", "-o", "none/x.json"],
        ["generate", "uniform", "-o", "x.csv"],
        ["convert", "opnb", "a.csv", "b.csv", "-o", "x.json"],
        ["convert", "openb", "a.csv", "b.csv", "-o", "x.json"],
        ["convert", "openb", "a.csv", "b.csv"],
    ],
)
def test_wrong_usage_is_exit_code_1(run: Run, folder: Path, arguments: list[str]) -> None:
    code, _, err = run(*arguments)
    assert code == 1
    assert "Traceback" not in err
    assert files(folder) == []


def test_check_lists_violations(run: Run, folder: Path, small: str) -> None:
    (folder / "full.csv").write_text("task_id,node_id\nt0,b\nt1,b\n")
    code, out, _ = run("check", small, "full.csv")
    assert (code, out) == (1, "cost 212\nnode 'b' lacks 2 of storage\n")
    (folder / "fine.csv").write_text(ON_NODE_A)
    code, out, _ = run("check", small, "fine.csv")
    assert (code, out) == (0, "cost 204\nfeasible\n")


def test_check_shows_counts_where_a_rule_breaks(run: Run, folder: Path) -> None:
    variants = [Variant("bf16", compute=1, parts=2), Variant("fp8", compute=1, loss=0.5)]
    instance = Instance(
        [Node(f"n{i}", 10, labels={"zone": "ab"[i // 2]}) for i in range(4)],
        [
            Task("web", variants=variants, groups=["g"]),
            Task("db", 1, groups=["g"]),
            Task("opt", 1, skip_price=3),
        ],
        rules=[Limit("g", "zone", 2), Spread("g", "zone", 1)],
        quality_budget=2,
        current={"web": {"node": ["n0", "n1"], "variant": "bf16"}, "db": "n2"},
        max_moves=1,
    )
    write_instance(instance, folder / "i.json")
    header = "task_id,node_id,variant,part\n"
    (folder / "x.csv").write_text(f"{header}web,n0,bf16,1\nweb,n1,bf16,2\ndb,n1,,\nopt,,,\n")
    code, out, _ = run("check", "i.json", "x.csv")
    assert code == 1
    assert out.splitlines() == [
        "cost 403",
        "left out 1 of 3 tasks",
        "moves 1 of at most 1",
        "loss 0 of a budget of 2",
        "group 'g' has 3 parts in zone 'a', 1 above the limit",
        "group 'g' is uneven over zone: 3 in zone 'a', 0 in zone 'b', 2 above max_skew",
    ]
    (folder / "y.csv").write_text(f"{header}web,n0,fp8,1\ndb,n2,,\nopt,n3,,\n")
    code, out, _ = run("check", "i.json", "y.csv")
    assert code == 0
    assert out.splitlines()[1:] == [
        "left out 0 of 3 tasks",
        "moves 1 of at most 1",
        "loss 0.5 of a budget of 2",
        "feasible",
    ]


def test_check_cuts_a_long_list(run: Run, folder: Path) -> None:
    instance = Instance(
        [Node("a", 1), Node("b", 1)], [Task(f"t{j}", 1, eligible=["a"]) for j in range(60)]
    )
    write_instance(instance, folder / "i.json")
    (folder / "x.csv").write_text("task_id,node_id\n" + "".join(f"t{j},b\n" for j in range(60)))
    code, out, _ = run("check", "i.json", "x.csv")
    assert code == 1
    assert len(out.splitlines()) == 52
    assert out.endswith("... and 10 more\n")


def test_bound_prints_the_number_only(run: Run, folder: Path, small: str) -> None:
    code, out, err = run("bound", small)
    assert (code, out) == (0, "164\n")
    assert "small" in err
    assert run("bound", small, "--method", "closed-form")[1] == "164\n"
    write_instance(impossible(), folder / "none.json")
    code, out, _ = run("bound", "none.json")
    assert (code, out) == (2, "none\n")


def test_generate_lists_families(run: Run) -> None:
    from instances import FAMILIES
    from instances.catalog import named

    code, out, _ = run("generate", "--list")
    assert code == 0
    for name in [*FAMILIES, *named()]:
        assert f"{name}: " in out
    assert "    nodes=" in out
    assert "    balanced=true" in out


def test_convert_openb(run: Run, folder: Path) -> None:
    (folder / "nodes.csv").write_text("sn,cpu_milli,memory_mib,gpu,model\nn0,64000,262144,2,V100\n")
    (folder / "pods.csv").write_text(
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\np0,4000,8192,1,500,V100\n"
    )
    code, _, err = run("convert", "openb", "nodes.csv", "pods.csv", "-o", "openb.json")
    assert code == 0, err
    instance = read_instance("openb.json")
    assert (instance.num_nodes, instance.task_compute.tolist()) == (1, [500])
    code, _, err = run("convert", "openb", "nodes.csv", "pods.csv", "-o", "pods.csv")
    assert code == 1
    assert "overwrite" in err


def test_convert_writes_nothing_on_bad_input(run: Run, folder: Path) -> None:
    (folder / "nodes.csv").write_text("sn,cpu_milli,memory_mib,gpu\nn0,64000,262144,2\n")
    (folder / "pods.csv").write_text("name\n")
    code, _, err = run("convert", "openb", "nodes.csv", "pods.csv", "-o", "openb.json")
    assert code == 1
    assert "model" in err
    assert files(folder) == ["nodes.csv", "pods.csv"]


def test_methods_and_versions(run: Run) -> None:
    from solver.methods import methods

    code, out, _ = run("methods")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(methods())
    code, out, _ = run("versions")
    assert code == 0
    assert f"nodewise {__version__}\n" in out
    assert run("--version")[1] == f"nodewise {__version__}\n"


def test_a_method_that_cannot_run_is_listed_with_its_remedy(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from solver.methods import methods

    missing = replace(methods()["cp-sat"], requires=("no_such_package",))
    monkeypatch.setattr(listing, "methods", lambda: {"cp-sat": missing})
    out = run("methods")[1]
    assert "unavailable" in out
    assert "pip install no_such_package" in out


@pytest.mark.parametrize("command", ["solve", "check", "bound", "generate", "convert"])
def test_every_command_has_help(run: Run, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert command in out


def test_operating_system_errors_are_one_line(
    run: Run, small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device", "allocation.csv")

    monkeypatch.setattr(solving, "solve", full)
    code, _, err = run("solve", small)
    assert (code, err) == (1, "error: allocation.csv: No space left on device\n")


def test_live_line_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        display, "console", lambda: display.Console(stderr=True, force_terminal=True, width=90)
    )
    with display.live_progress() as on_progress:
        assert on_progress is not None
        on_progress(Progress(0.1, None, 150))
        on_progress(Progress(0.2, 200, 150))
    assert "cost 200   bound 150   gap 25.000%" in capsys.readouterr().err


def test_nothing_is_live_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with display.live_progress() as on_progress:
        assert on_progress is None
    assert capsys.readouterr().err == ""


def command(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start the command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "solver", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **options,
    )


def test_python_m_solver_has_the_exit_codes(folder: Path) -> None:
    write_instance(impossible(), folder / "none.json")
    for arguments, code in [
        (["solve", SPEC, "--method", "greedy"], 0),
        (["solve", "none.json"], 2),
        (["solve", "missing.json"], 1),
        (["solve"], 1),
        (["--version"], 0),
    ]:
        process = command(*arguments)
        err = process.communicate()[1]
        assert process.returncode == code, err
        assert "Traceback" not in err


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_ctrl_c_keeps_the_best_allocation(folder: Path) -> None:
    # Hard, but a method that proves it before the signal comes is no failure.
    spec = "few_per_node:nodes=20,seed=3"
    for patience in (4, 15, 45):  # seconds until something is found, on a machine that is busy
        process = command(
            *("solve", spec, "--time-limit", "60", "-o", "allocation.csv", "--json", "result.json")
        )
        time.sleep(patience)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
        if process.returncode != 130:
            break
    assert process.returncode == 0, err
    termination = json.loads((folder / "result.json").read_text())["termination"]
    assert termination in ("interrupted", "proven")
    from instances import from_spec

    assert read_allocation(from_spec(spec), "allocation.csv").instance.num_tasks == 60
