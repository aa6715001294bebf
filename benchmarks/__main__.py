"""The command line of the benchmarks: `python -m benchmarks --help`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import joblib
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from solver import BackendUnavailableError, NodewiseError

from . import suites
from .best_known import TABLE, read_table
from .competitors import COMPETITORS, require
from .judge import best_of, refuted
from .record import Record, read_records
from .run import RECORDS, Plan, Task, pending, run_all, update_table

app = typer.Typer(
    help="Compare methods over suites of instances, and report what was measured.",
    no_args_is_help=True,
    add_completion=False,
)
console = Console(stderr=True, highlight=False, markup=False)

DEFAULT_METHODS = "auto,cp-sat,mip:HiGHS,mip:CBC,column-generation,local-search,greedy,round-robin"
DataFolder = Annotated[
    Path | None,
    typer.Option("--data", help="Folder with the openb trace, for the suite `trace`."),
]


@app.command()
def run(
    suite: Annotated[str, typer.Argument(help="A suite by name, or a .json file of one.")],
    methods: Annotated[str, typer.Option(help="By comma; `all` for all installed.")] = (
        DEFAULT_METHODS
    ),
    time_limit: Annotated[float, typer.Option(help="Seconds for each run.")] = 30.0,
    seeds: Annotated[int, typer.Option(help="Runs of each method that is random.")] = 1,
    workers: Annotated[int, typer.Option(help="Threads for each run.")] = 1,
    memory_limit: Annotated[float, typer.Option(help="GiB for each run.")] = 8.0,
    jobs: Annotated[int, typer.Option(help="Runs at a time.")] = 1,
    output: Annotated[Path | None, typer.Option("-o", help="Folder of the results.")] = None,
    data: DataFolder = None,
    best_known: Annotated[
        Path, typer.Option(help="Table of best known costs and bounds, to be improved.")
    ] = TABLE,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, to run on its cluster.")
    ] = None,
) -> None:
    """Run methods on a suite; started again, it goes on where it was."""
    chosen = suites.load_suite(suite)
    names = [one.strip() for one in methods.split(",") if one.strip()]
    if names == ["all"]:
        names = [one.name for one in COMPETITORS.values() if one.missing is None]
        _tell_missing()
    plan = Plan(
        suite=chosen,
        methods=tuple(require(names)),
        time_limit=time_limit,
        seeds=seeds,
        workers=workers,
        memory_limit=memory_limit,
        data=data,
    )
    folder = output or Path("results") / chosen.name
    tasks = pending(plan, folder)
    total = sum(1 for _ in plan.tasks())
    if total > len(tasks):
        console.print(f"{total - len(tasks)} of {total} runs are done already")
    _compile(plan)
    try:
        with _cluster(scheduler):
            done = _with_progress(tasks, folder, jobs)
    except KeyboardInterrupt:
        console.print("interrupted; the same command goes on from here")
        raise typer.Exit(130) from None
    improved, wrong = update_table(read_records(folder / RECORDS), best_known)
    counts = Counter(str(record.outcome) for record in done)
    console.print(f"{len(done)} runs: " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    console.print(f"{improved} rows of {best_known} improved; records in {folder / RECORDS}")
    for record in wrong:
        console.print(f"wrong: {record.method} on {record.instance}: {record.verdict}", style="red")
    if wrong:
        raise typer.Exit(2)


@contextmanager
def _cluster(scheduler: str | None) -> Iterator[None]:
    """Send the runs to a cluster, where there is one."""
    if scheduler is None:
        yield
        return
    try:
        from dask.distributed import Client
    except ImportError:
        raise BackendUnavailableError("--scheduler needs Dask: pip install distributed") from None
    with Client(scheduler), joblib.parallel_config(backend="dask"):
        yield


def _tell_missing() -> None:
    for one in COMPETITORS.values():
        if one.missing is not None:
            console.print(f"left out: {one.missing}", style="yellow")


def _compile(plan: Plan) -> None:
    """Compile the search beforehand, so that no run pays for it."""
    if any(one.exact_bound and one.random for one in plan.methods):
        from solver.kernels.build.ready import compile_ahead

        with console.status("compiling the local search, once for an installation"):
            compile_ahead(lambda: False)


def _with_progress(tasks: list[Task], folder: Path, jobs: int) -> list[Record]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    done: list[Record] = []
    left = {task.key: task for task in tasks}

    def running() -> str:
        # Runs begin in order, so those that run are about the first that have no record.
        names = [f"{task.method} on {task.entry.name}" for task in list(left.values())[:jobs]]
        return names[0] if len(names) == 1 else ", ".join(name.split()[0] for name in names)

    with Progress(*columns, console=console) as bar:
        row = bar.add_task(running(), total=len(tasks))
        for record in run_all(tasks, folder, jobs=jobs):
            done.append(record)
            del left[record.key]
            bar.console.print(_line(record), soft_wrap=True)
            bar.update(row, advance=1, description=running() or "done")
    return done


def _line(record: Record) -> str:
    cost = "" if record.cost is None else f", cost {record.cost:,}"
    seconds = "" if record.seconds is None else f", {record.seconds:.2f} s"
    return (
        f"{record.outcome:<11} {record.method:<17} {record.status}{cost}{seconds}  "
        f"{record.instance}"
    )


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of the results.")],
    best_known: Annotated[Path, typer.Option(help="Table of best known values.")] = TABLE,
) -> None:
    """Write runs.csv, summary.csv, report.md and report.html into a folder of results."""
    from .report import write_report

    table = read_table(best_known)
    judged = refuted(read_records(folder / RECORDS), table)
    for path in write_report(folder, judged, best_of(judged, table)):
        print(path)


@app.command()
def export(
    suite: Annotated[str, typer.Argument(help="A suite by name.")],
    folder: Annotated[Path, typer.Argument(help="Where to write.")],
    data: DataFolder = None,
) -> None:
    """Write the instances of a suite as JSON files, with an index."""
    written = suites.export(suites.load_suite(suite), folder, data)
    console.print(f"{len(written) - 1} instances and {written[-1]}")


@app.command("suites")
def list_suites() -> None:
    """List the suites."""
    table = Table("suite", "instances", "about", box=None)
    for name in suites.suite_names():
        try:
            suite = suites.load_suite(name)
            table.add_row(name, str(len(suite.entries)), suite.about)
        except NodewiseError as reason:
            table.add_row(name, "0", str(reason))
    Console(markup=False).print(table)


@app.command("methods")
def list_methods() -> None:
    """List the methods, and what those need that are not installed."""
    table = Table("method", "available", box=None)
    for one in COMPETITORS.values():
        table.add_row(one.name, Text(one.missing or "yes"))
    Console(markup=False).print(table)


@app.command()
def rehash(
    suite: Annotated[str, typer.Argument(help="A suite by name.")], data: DataFolder = None
) -> None:
    """Write the content hashes into a suite's file, after it was edited."""
    console.print(f"{suites.rehash(suite, data)} hashes are new")


def main() -> None:
    """Run the command line; an error of ours is one line, and its exit code 1."""
    try:
        app()
    except NodewiseError as error:
        console.print(f"error: {error}", style="red", soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
