"""A report of records written by hand, with every figure computed by hand."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import replace

import pytest

from benchmarks import browser
from benchmarks.best_known import Known
from benchmarks.competitors import COMPETITORS
from benchmarks.judge import best_of, refuted
from benchmarks.plots import drawings, style_of
from benchmarks.record import Outcome, Record, append, read_records
from benchmarks.report import HEADINGS, percent, write_report
from benchmarks.summary import cases_of, runs_of, summarise

HOSTILE = '<script>alert("x")</script>'


def record(method: str, key: str = "h1", **more) -> Record:
    base = Record(
        suite="s",
        instance=f"instance {key}",
        hash=key,
        nodes=2,
        tasks=4,
        method=method,
        seed=0,
        time_limit=10.0,
        workers=1,
        memory_limit=4.0,
        outcome=Outcome.ANSWERED,
        verdict="clean",
        status="feasible",
        build_seconds=0.0,
        solve_seconds=10.0,
        versions={"nodewise": "9"},
        machine={"processor": "P", "cores": "2", "memory": "4 GiB", "system": "S"},
        commit="abc",
        started="2026-01-02T03:04:05+00:00",
    )
    return replace(base, **more)


def failed(method: str, outcome: Outcome, key: str = "h1") -> Record:
    return record(
        method, key, outcome=outcome, status="unknown", build_seconds=None, solve_seconds=None
    )


def proved(method: str, cost: int, seconds: float, key: str = "h1", **more) -> Record:
    history = ((seconds / 2, 2 * cost, 0), (seconds, cost, cost))
    return record(method, key, cost=cost, bound=cost, status="optimal", solve_seconds=seconds,
                  history=history, **more)  # fmt: skip


RECORDS = [
    proved("auto", 100, 2.0),
    proved("auto", 100, 4.0, seed=1),
    proved("auto", 200, 7.0, "h2"),
    record("local-search", cost=125, history=((5.0, 125, None),)),
    failed("local-search", Outcome.CRASHED, "h2"),
    record("round-robin", cost=200, solve_seconds=0.0),
    record("round-robin", "h2", cost=400, solve_seconds=0.0),
    failed("textbook-CBC", Outcome.TIMEOUT),
    record("textbook-CBC", "h2", cost=150, verdict="breaks a rule", outcome=Outcome.WRONG),
    failed("prtpy", Outcome.UNSUPPORTED),
    failed("prtpy", Outcome.UNSUPPORTED, "h2"),
    record("auto", "h3", outcome=Outcome.INFEASIBLE, status="infeasible", solve_seconds=1.0),
    record("local-search", "h3", outcome=Outcome.NOTHING, status="unknown"),
]


def rows():
    judged = refuted(RECORDS, {})
    return {row.method: row for row in summarise(cases_of(runs_of(judged, best_of(judged, {}))))}


def test_counts():
    auto, search, cbc, prtpy = (
        rows()[name] for name in ("auto", "local-search", "textbook-CBC", "prtpy")
    )
    assert (auto.instances, auto.runs, auto.answered, auto.proved, auto.best) == (3, 4, 4, 4, 4)
    assert (search.runs, search.answered, search.failed, search.nothing) == (3, 1, 1, 1)
    assert (cbc.failed, cbc.wrong, cbc.answered, cbc.proved) == (1, 1, 0, 0)
    assert (prtpy.instances, prtpy.runs, prtpy.unsupported, prtpy.seconds) == (0, 0, 2, None)


def test_gaps_are_to_the_best_known_bound_and_count_what_is_missing():
    search, robin = rows()["local-search"], rows()["round-robin"]
    assert search.mean_gap == pytest.approx((0.2 + 1.0) / 2)  # (125-100)/125, and nothing on h2
    assert search.worst_gap == 1.0
    assert robin.mean_gap == pytest.approx(0.5)
    assert rows()["auto"].mean_gap == 0


def test_times_are_means_of_seeds_first_and_twice_the_limit_without_a_proof():
    # auto: h1 (2+4)/2, h2 7, h3 1; local-search: 20 three times.
    expected = math.exp((math.log(4) + math.log(8) + math.log(2)) / 3) - 1
    assert rows()["auto"].seconds == pytest.approx(expected)
    assert rows()["local-search"].seconds == pytest.approx(20)


def test_ratios_and_integrals():
    assert rows()["auto"].ratio == pytest.approx(0.5)
    assert rows()["local-search"].ratio == pytest.approx(0.625)
    # auto on h1: 100 % for half the time and 50 % for the other half of 2 s and of 4 s, of 10 s.
    h1 = ((1 + 0.5) / 10 + (2 + 1.0) / 10) / 2
    h2 = (3.5 + 1.75) / 10
    assert rows()["auto"].integral == pytest.approx((h1 + h2) / 2)


def test_every_row_names_its_records():
    assert rows()["auto"].lines == (1, 2, 3, 12)
    assert rows()["prtpy"].lines == (10, 11)


def test_infeasible_instances_have_no_costs():
    runs = runs_of(RECORDS, {"h3": Known(infeasible=True)})
    assert runs[11].gap is runs[11].primal_gap is runs[12].integral is None
    assert (runs[11].proved, runs[12].proved) == (True, False)


def written(folder, records=RECORDS):
    for one in records:
        append(folder / "records.jsonl", one)
    judged = refuted(read_records(folder / "records.jsonl"), {})
    return write_report(folder, judged, best_of(judged, {}))


def test_the_files(tmp_path):
    runs, summary, markdown, page = written(tmp_path)
    with runs.open() as stream:
        table = list(csv.DictReader(stream))
    assert len(table) == len(RECORDS)
    assert [row["line"] for row in table][:2] == ["1", "2"]
    assert (table[3]["cost"], table[3]["gap"], table[3]["best_known_bound"]) == (
        "125",
        "0.2",
        "100",
    )
    with summary.open() as stream:
        by_method = {row["method"]: row for row in csv.DictReader(stream)}
    assert by_method["auto"]["proved"] == "4"
    assert by_method["auto"]["lines"] == "1-3, 12"
    text = markdown.read_text()
    assert "| auto | 4 of 4 | 4 | 4 | 0 % | 0 % |" in text
    assert "**1 wrong**" in text
    for fact in ("P, 2 cores, 4 GiB", "commit: abc", "time limit: 10 s", "date: 2026-01-02"):
        assert fact in text
    html = page.read_text()
    assert html.count('<tr id="run-') == len(RECORDS)
    for name in set(re.findall(r'href="#([^"]+)"', html)):
        assert f'id="{name}"' in html


def test_a_lie_is_shown_as_wrong(tmp_path):
    liar = record("greedy", cost=90, bound=None, outcome=Outcome.WRONG, verdict="it costs 190")
    believed = record("mip:CBC", cost=300, bound=250)  # refuted by the 100 of auto
    *_, markdown, page = written(tmp_path, [*RECORDS, liar, believed])
    html = page.read_text()
    assert "3 wrong" in html
    assert 'greedy</a> on instance h1: <span class="wrong">wrong</span>: it costs 190' in html
    assert "claims a bound of 250, but auto found one of cost 100" in html
    assert markdown.read_text().count("**1 wrong**") == 3


def test_methods_stand_in_one_order_everywhere(tmp_path):
    *_, markdown, page = written(tmp_path, RECORDS[::-1])
    order = [name for name in COMPETITORS if name in {one.method for one in RECORDS}]
    in_markdown = [line.split(" | ")[0].strip("| ") for line in markdown.read_text().splitlines()]
    assert [name for name in in_markdown if name in COMPETITORS] == order
    heads = re.findall(r'<th scope="col">([^<]+)</th>', page.read_text())
    assert [name for name in heads if name in COMPETITORS] == order
    assert len({tuple(map(str, style_of(name).values())) for name in COMPETITORS}) == len(
        COMPETITORS
    )


def test_the_page_needs_no_network_and_escapes_names(tmp_path):
    evil = replace(RECORDS[0], instance=HOSTILE, hash="h9", verdict=HOSTILE)
    html = written(tmp_path, [*RECORDS, evil])[-1].read_text()
    assert HOSTILE not in html
    assert "&lt;script&gt;" in html
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', html)
    assert "<script" not in html


def test_mixed_conditions_are_told(tmp_path):
    other = replace(RECORDS[0], commit="def+changes", seed=5)
    text = written(tmp_path, [*RECORDS, other])[2].read_text()
    assert "The runs differ in commit: abc; def+changes." in text
    assert "changes that are in no commit" in text


def test_a_figure_without_data_says_so():
    only = [failed("auto", Outcome.CRASHED)]
    drawn = {one.name: one for one in drawings(cases_of(runs_of(only, {})))}
    assert drawn["profile-proof"].svg == ""
    assert "no run gives a figure to draw" in drawn["profile-proof"].text
    assert drawn["outcomes"].svg.startswith("<?xml")


def test_figures_are_the_same_every_time():
    cases = cases_of(runs_of(RECORDS, best_of(RECORDS, {})))
    first, second = ([one.svg for one in drawings(cases)] for _ in range(2))
    assert first == second
    assert all(first)


def test_an_empty_folder_gives_an_empty_report(tmp_path):
    assert all(path.exists() for path in write_report(tmp_path, [], {}))


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, "-"), (0, "0 %"), (1e-9, "< 0.0001 %"), (5e-5, "0.0050 %"), (0.2, "20.00 %")],
)
def test_percentages(share, text):
    assert percent(share) == text


def test_the_headings_are_those_of_the_cells():
    row = rows()["auto"]
    from benchmarks.report import cells_of

    assert list(cells_of(row)) == list(HEADINGS)


@pytest.mark.skipif(browser.missing() is not None, reason=str(browser.missing()))
def test_the_page_in_a_browser(tmp_path):
    assert browser.problems(written(tmp_path)[-1]) == []


@pytest.mark.skipif(browser.missing() is not None, reason=str(browser.missing()))
def test_the_browser_sees_what_is_wrong(tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        '<body><figure><img alt="lost" src="nowhere.png"></figure><a href="#gone">x</a>'
        '<div style="width: 3000px">x</div><script>undefinedName()</script></body>'
    )
    found = "\n".join(browser.problems(page))
    for sign in ("undefinedName", "'lost' is not visible", "wider than the window", "#gone"):
        assert sign in found
