"""Records as tidy CSV, Markdown and one self-contained page.

Every figure of a summary can be traced: a row names its lines in records.jsonl, and the page links
each to the run.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jinja2

from solver.system.whole_files import atomic_text, write_csv

from .best_known import Known
from .competitors import BASELINE
from .plots import Drawing, drawings
from .record import Outcome, Record
from .summary import Case, Row, Run, cases_of, runs_of, summarise

__all__ = ["conditions", "markdown", "warnings_of", "write_report"]

_TEMPLATES = Path(__file__).parent / "templates"
_RUN_COLUMNS = (
    *("line", "suite", "instance", "hash", "nodes", "tasks", "method", "seed", "outcome"),
    *("status", "termination", "cost", "bound", "best_known_cost", "best_known_bound", "gap"),
    *("primal_gap", "primal_integral", "ratio", "proved", "build_seconds", "solve_seconds"),
    *("wall_seconds", "peak_memory_gib", "time_limit", "workers", "memory_limit_gib"),
    *("verdict", "commit", "started"),
)
NONE = "-"
HEADINGS = {
    "method": "method",
    "answered": "answered",
    "proved": "proved",
    "best": "best cost",
    "mean_gap": "mean gap",
    "worst_gap": "worst gap",
    "integral": "primal integral",
    "seconds": "time to proof",
    "ratio": f"cost / {BASELINE}",
    "failed": "failed",
    "wrong": "wrong",
    "unsupported": "cannot express",
}


@dataclass(frozen=True)
class Section:
    """All of one suite: its rows, its figures, and its instances by methods."""

    suite: str
    rows: list[Row]
    figures: list[Drawing]
    methods: list[str]
    instances: list[tuple[str, str, Known, list[Case | None]]]


def write_report(folder: Path, records: Sequence[Record], best: Mapping[str, Known]) -> list[Path]:
    """Write runs.csv, summary.csv, report.md and report.html into a folder.

    Parameters
    ----------
    folder : Path
    records : sequence of Record
        All lines of records.jsonl, lies turned into "wrong".
    best : mapping of hash to Known

    Returns
    -------
    list of Path
        The files written.
    """
    runs = runs_of(records, best)
    cases = cases_of(runs)
    rows = summarise(cases)
    paths = [folder / name for name in ("runs.csv", "summary.csv", "report.md", "report.html")]
    with atomic_text(paths[0]) as stream:
        write_csv(stream, _RUN_COLUMNS, (_run_row(run) for run in runs))
    with atomic_text(paths[1]) as stream:
        names = list(asdict(rows[0])) if rows else ["suite"]
        write_csv(stream, names, (_summary_row(row) for row in rows))
    with atomic_text(paths[2]) as stream:
        stream.write(markdown(records, rows))
    with atomic_text(paths[3]) as stream:
        stream.write(_page(records, runs, cases, rows))
    return paths


def conditions(records: Sequence[Record]) -> dict[str, list[str]]:
    """What the runs were made with: every value that occurs, by name."""

    def values(found: Iterable[str]) -> list[str]:
        return sorted(set(found))

    machines = values(
        f"{one.machine.get('processor', 'unknown')}, {one.machine.get('cores', '?')} cores, "
        f"{one.machine.get('memory', '?')}, {one.machine.get('system', '')}"
        for one in records
    )
    versions = values(
        f"{name} {text}"
        for one in records
        for name, text in one.versions.items()
        if name not in ("platform",)
    )
    dates = values(one.started[:10] for one in records if one.started)
    return {
        "machine": machines,
        "commit": values(one.commit for one in records),
        "time limit": values(f"{one.time_limit:g} s" for one in records),
        "threads a run": values(str(one.workers) for one in records),
        "memory limit": values(f"{one.memory_limit:g} GiB" for one in records),
        "date": dates,
        "versions": versions,
    }


def warnings_of(records: Sequence[Record]) -> list[str]:
    """What makes the runs less than comparable."""
    found = conditions(records)
    mixed = ("machine", "commit", "time limit", "threads a run", "memory limit")
    texts = [
        f"The runs differ in {name}: {'; '.join(found[name])}."
        for name in mixed
        if len(found[name]) > 1
    ]
    if any("+changes" in commit for commit in found["commit"]):
        texts.append("The code had changes that are in no commit.")
    return texts


def markdown(records: Sequence[Record], rows: Sequence[Row]) -> str:
    """The summary tables, with the conditions above them."""
    lines = ["# Benchmark report", ""]
    lines += [f"- {name}: {'; '.join(values)}" for name, values in conditions(records).items()]
    lines += [f"- **{text}**" for text in warnings_of(records)]
    for suite in dict.fromkeys(row.suite for row in rows):
        chosen = [row for row in rows if row.suite == suite]
        lines += ["", f"## {suite}", "", "| " + " | ".join(HEADINGS.values()) + " | records |"]
        lines.append("|---" * (len(HEADINGS) + 1) + "|")
        for row in chosen:
            cells = [*cells_of(row).values(), _ranges(row.lines)]
            lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *(f"- {text}" for text in DEFINITIONS), ""]
    return "\n".join(lines)


def cells_of(row: Row) -> dict[str, str]:
    """The texts of a row of the summary table, by heading."""
    return {
        "method": row.method,
        "answered": f"{row.answered} of {row.runs}",
        "proved": str(row.proved),
        "best": str(row.best),
        "mean_gap": percent(row.mean_gap),
        "worst_gap": percent(row.worst_gap),
        "integral": percent(row.integral),
        "seconds": NONE if row.seconds is None else f"{row.seconds:.2f} s",
        "ratio": NONE if row.ratio is None else f"{row.ratio:.4f}",
        "failed": str(row.failed),
        "wrong": f"**{row.wrong} wrong**" if row.wrong else "0",
        "unsupported": str(row.unsupported),
    }


DEFINITIONS = tuple(
    " ".join(text.split())
    for text in f"""
answered: runs with a checked allocation, or the verdict that there is none. The measures count
    every run of instances that a method can express, answered or not.
best cost: runs whose cost is the best known, or whose verdict "infeasible" stands.
gap: (cost - best known bound) / cost, 100 % without an allocation; mean of the seeds first, then
    of the instances.
primal integral: mean over the time limit of (cost - best known cost) / cost, 100 % before the
    first allocation (Berthold 2013). The costs on the way are the methods' own, the last one is
    recomputed. Rebalancer tells only when it reached its last cost, and
    what it had before counts as nothing.
time to proof: shifted geometric mean (1 s) over the instances; twice the limit where there is no
    proof (PAR-2). Building a model counts, loading a library does not.
cost / {BASELINE}: geometric mean over the instances where both have an allocation.
failed: crashed, or ended from outside at the limits of time or memory.
wrong: refuted by the checker, or by what another method found.
cannot express: runs that the method refused.
""".replace("\n    ", " ")
    .strip()
    .splitlines()
)


def percent(share: float | None) -> str:
    """A share in per cent, with as many digits as it needs."""
    if share is None:
        return NONE
    if share == 0:
        return "0 %"
    if abs(share) < 1e-6:
        return "< 0.0001 %"
    digits = 4 if abs(share) < 1e-3 else 3 if abs(share) < 1e-2 else 2
    return f"{100 * share:.{digits}f} %"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:,}"


def _ranges(lines: Sequence[int]) -> str:
    """ "1-3, 7" for 1, 2, 3, 7."""
    parts: list[list[int]] = []
    for line in sorted(lines):
        if parts and line == parts[-1][1] + 1:
            parts[-1][1] = line
        else:
            parts.append([line, line])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in parts)


def _run_row(run: Run) -> list[Any]:
    one = run.record
    cells: list[Any] = [
        *(run.line, one.suite, one.instance, one.hash, one.nodes, one.tasks, one.method),
        *(one.seed, str(one.outcome), one.status, one.termination, one.cost, one.bound),
        *(run.known.cost, run.known.bound, run.gap, run.primal_gap, run.integral, run.ratio),
        *(run.proved, one.build_seconds, one.solve_seconds, one.wall_seconds, one.peak_memory),
        *(one.time_limit, one.workers, one.memory_limit, one.verdict, one.commit, one.started),
    ]
    return ["" if cell is None else cell for cell in cells]


def _summary_row(row: Row) -> list[Any]:
    values = {**asdict(row), "lines": _ranges(row.lines)}
    return ["" if value is None else value for value in values.values()]


def _sections(cases: Sequence[Case], rows: Sequence[Row]) -> list[Section]:
    sections = []
    for suite in dict.fromkeys(row.suite for row in rows):
        chosen = [case for case in cases if case.suite == suite]
        methods = list(dict.fromkeys(case.method for case in chosen))
        by_place = {(case.hash, case.method): case for case in chosen}
        named = {case.hash: case for case in chosen}
        order = sorted(named.values(), key=lambda case: min(run.line for run in case.runs))
        sections.append(
            Section(
                suite=suite,
                rows=[row for row in rows if row.suite == suite],
                figures=list(drawings(chosen)),
                methods=methods,
                instances=[
                    (
                        case.instance,
                        case.hash,
                        case.runs[0].known,
                        [by_place.get((case.hash, method)) for method in methods],
                    )
                    for case in order
                ],
            )
        )
    return sections


def _page(
    records: Sequence[Record], runs: Sequence[Run], cases: Sequence[Case], rows: Sequence[Row]
) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        percent=percent, number=_number, cells=cells_of, ranges=_ranges, image=_image
    )
    return environment.get_template("report.html.j2").render(
        title="nodewise benchmark: " + ", ".join(dict.fromkeys(row.suite for row in rows)),
        conditions=conditions(records),
        warnings=warnings_of(records),
        sections=_sections(cases, rows),
        runs=runs,
        wrong=[run for run in runs if run.record.outcome is Outcome.WRONG],
        headings=HEADINGS,
        definitions=DEFINITIONS,
    )


def _image(svg: str) -> str:
    """The figure as a data URI, which no other figure's identifiers can disturb."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
