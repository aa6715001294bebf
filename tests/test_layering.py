"""Imports go down the floors of the design only, or sideways without cycles."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("solver", "instances", "benchmarks")

# The floor of every room of `solver` and of the modules beside them; "" is the package itself.
FLOORS = {
    **dict.fromkeys(["errors", "plot", "settings", "time_limits", "versions", "whole_settings"], 0),
    **dict.fromkeys(["system", "model"], 0),
    **dict.fromkeys(["judge", "files", "problem"], 1),
    **dict.fromkeys(["programs", "engines", "kernels"], 2),
    **dict.fromkeys(["bounds", "columns", "search"], 3),
    "methods": 4,
    "solve": 5,
    **dict.fromkeys(["plan", "explain", "usage", "view", ""], 6),
    **dict.fromkeys(["command", "__main__"], 7),
}
COMMAND = FLOORS["command"]
MOST_FOR_INSTANCES = FLOORS["files"]
HEAVY = (
    "ortools",
    "pulp",
    "highspy",
    "pandas",
    "polars",
    "networkx",
    "matplotlib",
    "rich",
    "typer",
    "numba",
    "joblib",
)


def modules() -> dict[str, Path]:
    """Every module of our packages by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(source: str, name: str, is_package: bool, known: set[str]) -> Iterator[str]:
    """Modules that a source imports anywhere: at the top, in functions, for type checking."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name.split(".")
                parents = parts[: len(parts) - node.level + is_package]
                base = ".".join([*parents, base] if base else parents)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in known else base


def import_graph() -> networkx.DiGraph:
    """An edge from each of our modules to each of our modules that it imports."""
    sources = modules()
    graph = networkx.DiGraph()
    graph.add_nodes_from(sources)
    for name, path in sources.items():
        is_package = path.name == "__init__.py"
        for target in imports(path.read_text(encoding="utf-8"), name, is_package, set(sources)):
            if target.split(".")[0] in PACKAGES:
                graph.add_edge(name, target)
    return graph


def floor(module: str) -> int:
    """The floor of a module of `solver`."""
    key = module.split(".")[1] if "." in module else ""
    if key not in FLOORS:
        raise LookupError(f"{module} has no floor: add {key!r} to FLOORS in {Path(__file__).name}")
    return FLOORS[key]


def breach(importer: str, imported: str) -> str | None:
    """Why one module may not import the other, or None if it may."""
    package, target = importer.split(".")[0], imported.split(".")[0]
    if package == target == "solver" and floor(imported) > floor(importer):
        return f"{importer} (floor {floor(importer)}) imports {imported} (floor {floor(imported)})"
    if package == "solver" and target == "instances" and floor(importer) < COMMAND:
        return f"{importer} imports {imported}: only the command line may"
    if package == "instances" and target == "solver" and floor(imported) > MOST_FOR_INSTANCES:
        return f"{importer} imports {imported} (floor {floor(imported)}): only floors 0 and 1"
    if package != "benchmarks" and target == "benchmarks":
        return f"{importer} imports {imported}: nobody may"
    return None


def test_every_module_of_solver_has_a_floor():
    assert [floor(name) for name in modules() if name.split(".")[0] == "solver"]


def test_imports_go_down_only():
    assert [text for edge in import_graph().edges if (text := breach(*edge))] == []


def test_imports_have_no_cycles():
    assert list(networkx.simple_cycles(import_graph())) == []


def test_every_imported_module_of_ours_exists():
    graph, known = import_graph(), modules()
    assert [(a, b) for a, b in graph.edges if b not in known] == []


def test_the_graph_sees_the_packages():
    graph = import_graph()
    assert graph.has_edge("solver.judge.check", "solver.model.instance")
    assert graph.has_edge("solver.model.result", "solver.plot")


def room(module: str) -> str:
    """The folder of `solver` that a module is in, or the module itself where it is in none."""
    return ".".join(module.split(".")[:2])


def test_rooms_have_no_cycles():
    rooms = networkx.DiGraph((room(a), room(b)) for a, b in import_graph().edges)
    rooms.remove_edges_from(list(networkx.selfloop_edges(rooms)))
    assert list(networkx.simple_cycles(rooms)) == []


def test_the_judge_imports_the_model_and_nothing_that_solves():
    graph = import_graph()
    judge = [name for name in graph if room(name) == "solver.judge"]
    assert {name.split(".")[-1] for name in judge} >= {"check", "cost"}
    imported = {room(target) for name in judge for target in graph.successors(name)}
    assert imported <= {"solver.errors", "solver.model", "solver.judge"}


MOST_FILES, MOST_LINES, MOST_LINES_OF_A_FUNCTION = 12, 400, 80


def sources_of_ours() -> list[Path]:
    return [path for name, path in modules().items() if not name.startswith("benchmarks")]


def test_no_room_is_crowded():
    count = Counter(path.parent for path in sources_of_ours())
    assert [str(folder) for folder, files in count.items() if files > MOST_FILES] == []


def test_no_file_and_no_function_is_long():
    long = []
    for path in sources_of_ours():
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > MOST_LINES:
            long.append(str(path))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and lines_of(node) > MOST_LINES_OF_A_FUNCTION:
                long.append(f"{path}: {node.name}")
    assert long == []


def lines_of(function: ast.FunctionDef) -> int:
    """How many lines a function has, its docstring left out."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    counted = [function, first] if documented else [function]
    whole, *docstring = [(node.end_lineno or 0) - node.lineno + 1 for node in counted]
    return whole - sum(docstring)


def test_every_folder_says_what_lives_there():
    packages = [path for path in sources_of_ours() if path.name == "__init__.py"]
    silent = []
    for path in packages:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        room = path.parent.relative_to(ROOT).as_posix()
        if not text or (room.startswith("solver/") and "import" not in text):
            silent.append(room)
    assert silent == []


def test_the_folders_of_the_tests_are_those_of_the_code():
    folders = {path.name for path in (ROOT / "tests").iterdir() if any(path.glob("test_*.py"))}
    rooms = {path.name for path in (ROOT / "solver").iterdir() if path.is_dir()}
    assert folders <= rooms | {"instances", "benchmarks"}


def test_importing_solver_loads_no_heavy_library():
    code = "import json, sys, solver; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    loaded = set(json.loads(done.stdout))
    assert "solver" in loaded
    assert sorted(loaded.intersection(HEAVY)) == []


KNOWN = {"solver", "solver.model", "solver.methods", "solver.methods.greedy", "solver.solve"}


@pytest.mark.parametrize(
    ("source", "name", "is_package", "expected"),
    [
        ("import solver.model", "x", False, {"solver.model"}),
        ("import solver.model as m, os", "x", False, {"solver.model", "os"}),
        ("from solver import model", "x", False, {"solver.model"}),
        ("from solver import Instance", "x", False, {"solver"}),
        ("from .model import Instance", "solver.solve", False, {"solver.model"}),
        ("from . import model", "solver.solve", False, {"solver.model"}),
        ("from . import __version__", "solver.solve", False, {"solver"}),
        ("from .solve import solve", "solver", True, {"solver.solve"}),
        ("from .greedy import run", "solver.methods", True, {"solver.methods.greedy"}),
        ("from ..model import Task", "solver.methods", True, {"solver.model"}),
        ("from ..model import Task", "solver.methods.greedy", False, {"solver.model"}),
        ("from .. import model", "solver.methods.greedy", False, {"solver.model"}),
        ("def f():\n    from .solve import solve", "solver.model", False, {"solver.solve"}),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import solve",
            "solver.model",
            False,
            {"typing", "solver.solve"},
        ),
    ],
)
def test_imports_are_resolved(source, name, is_package, expected):
    assert set(imports(source, name, is_package, KNOWN)) == expected


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("solver.model.instance", "solver.model.exact", True),
        ("solver.model.instance", "solver.judge.cost", False),
        ("solver.bounds.lower_bound", "solver.engines.process", True),
        ("solver.engines.process", "solver.methods", False),
        ("solver.methods.greedy", "solver.solve", False),
        ("solver.solve", "solver.methods", True),
        ("solver", "solver.command.cli", False),
        ("solver.command.cli", "solver", True),
        ("solver.command.cli", "instances.catalog", True),
        ("solver.files.instance", "instances.readers.openb", False),
        ("solver.solve", "benchmarks.run", False),
        ("solver.command.cli", "benchmarks.run", False),
        ("instances.families", "solver.model.instance", True),
        ("instances.families", "solver.files.instance", True),
        ("instances.families", "solver.methods.greedy", False),
        ("instances.families", "solver", False),
        ("instances.families", "benchmarks.suites", False),
        ("benchmarks.run", "solver", True),
        ("benchmarks.run", "instances.catalog", True),
        ("benchmarks.run", "benchmarks.record", True),
    ],
)
def test_who_may_import_whom(importer, imported, allowed):
    assert (breach(importer, imported) is None) == allowed


def test_an_unlisted_module_is_refused_with_what_to_do():
    with pytest.raises(LookupError, match=r"add 'quantum' to FLOORS in test_layering\.py"):
        floor("solver.quantum")
