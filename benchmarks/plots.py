"""The figures of a report, as SVG text: one style for each method, in grey as in colour.

The colours are those of Okabe and Ito (2008), which colour-blind readers can tell apart; line
styles and markers tell the methods apart without any.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from solver.model.exact import Array

from .competitors import BASELINE, COMPETITORS
from .record import Outcome
from .stats import mean_gap_over_time, performance_profile
from .summary import TARGET, Case

__all__ = ["Drawing", "drawings", "style_of"]

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C8C00")
_LINES = ("-", "--", "-.", ":")
_MARKERS = "osD^v<>PX*hpd8H1234"
_SETTINGS = {
    "svg.hashsalt": "nodewise",
    "svg.fonttype": "path",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
}
_EARLIEST = 0.01


@dataclass(frozen=True)
class Drawing:
    """A figure, or why there is none.

    Attributes
    ----------
    name, title : str
    text : str
        What it shows, for readers who do not see it.
    svg : str
        Empty where there was nothing to draw; `text` then says why.
    """

    name: str
    title: str
    text: str
    svg: str


def style_of(method: str) -> dict[str, Any]:
    """Colour, line style and marker of a method, the same in all figures."""
    place = list(COMPETITORS).index(method) if method in COMPETITORS else len(COMPETITORS)
    return {
        "color": _COLOURS[place % len(_COLOURS)],
        "linestyle": _LINES[place // len(_COLOURS) % len(_LINES)],
        "marker": _MARKERS[place % len(_MARKERS)],
        "markersize": 4.5,
        "linewidth": 1.4,
    }


def drawings(cases: Sequence[Case]) -> Iterator[Drawing]:
    """All figures of one suite."""
    usual = [case for case in cases if case.supported]
    costed = [case for case in usual if case.mean("primal_gap") is not None]
    target = f"within {100 * TARGET:g} % of the best known cost"
    yield _drawing(
        "profile-target",
        f"Performance profile: {target}",
        "Share of the instances solved against the factor of the fastest method's time "
        f"(Dolan and Moré 2002); solved means a cost {target}.",
        _profile(costed, "to_target"),
    )
    yield _drawing(
        "profile-proof",
        "Performance profile: proof",
        "Share of the instances proved optimal or infeasible against the factor of the fastest "
        "method's time (Dolan and Moré 2002).",
        _profile(usual, "to_proof"),
    )
    yield _drawing(
        "gap-over-time",
        "Gap over time",
        "Mean primal gap to the best known cost over the instances, as the runs went on "
        "(Berthold 2013); 100 % until the first allocation.",
        _gap_over_time(costed),
    )
    yield _drawing(
        "cost-ratio",
        f"Cost against {BASELINE}",
        f"Cost divided by that of {BASELINE} on the same instance: a dot for each instance, a "
        "bar at the median.",
        _ratios(costed),
    )
    yield _drawing(
        "outcomes", "Outcomes", "What became of the runs of each method.", _outcomes(cases)
    )


def _drawing(name: str, title: str, text: str, draw: Callable[[Axes], bool]) -> Drawing:
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        axes = figure.add_subplot()
        if not draw(axes):
            return Drawing(name, title, f"{title}: no run gives a figure to draw.", "")
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return Drawing(name, title, text, stream.getvalue())


def _methods(cases: Sequence[Case]) -> list[str]:
    return list(dict.fromkeys(case.method for case in cases))


def _profile(cases: Sequence[Case], measure: str) -> Callable[[Axes], bool]:
    hashes = list(dict.fromkeys(case.hash for case in cases))
    times = {method: [math.inf] * len(hashes) for method in _methods(cases)}
    for case in cases:
        seconds = [getattr(run, measure) for run in case.runs]
        times[case.method][hashes.index(case.hash)] = float(np.mean(seconds))
    solving = {name: row for name, row in times.items() if min(row) < math.inf}

    def draw(axes: Axes) -> bool:
        if not solving:
            return False
        profile = performance_profile(times)
        most = max(factors[-1] for factors, _ in profile.values())
        for method in solving:
            factors, shares = profile[method]
            right = 1.3 * most
            axes.step(
                [*factors, right],
                [*(100 * shares), 100 * shares[-1]],
                where="post",
                label=method,
                markevery=_marks(len(factors) + 1),
                **style_of(method),
            )
        axes.set_xscale("log")
        axes.set(xlabel="time / time of the fastest", ylabel="instances solved, %", ylim=(-2, 103))
        never = [name for name in times if name not in solving]
        _legend(axes, f"none solved: {', '.join(never)}" if never else None)
        return True

    return draw


def _gap_over_time(cases: Sequence[Case]) -> Callable[[Axes], bool]:
    def draw(axes: Axes) -> bool:
        if not cases:
            return False
        limit = max(run.record.time_limit for case in cases for run in case.runs)
        grid = np.geomspace(_EARLIEST, limit, 240)
        for method in _methods(cases):
            curves = [_curve(case, grid) for case in cases if case.method == method]
            mean = 100 * np.mean(curves, axis=0)
            axes.plot(grid, mean, label=method, markevery=_marks(len(grid)), **style_of(method))
        axes.set_xscale("log")
        axes.set_yscale("symlog", linthresh=0.001)
        axes.set(xlabel="seconds", ylabel="mean primal gap, %", ylim=(0, 130))
        _legend(axes)
        return True

    return draw


def _curve(case: Case, grid: Array) -> Array:
    """Mean over the seeds; a run without a checked allocation stays at 100 %."""
    histories = []
    for run in case.runs:
        assert run.known.cost is not None
        answered = run.record.outcome is Outcome.ANSWERED
        final = (run.record.seconds or math.inf, run.record.cost, None)
        history = (*run.record.history, final) if answered else ()
        histories.append((history, run.known.cost))
    return mean_gap_over_time(histories, grid)


def _ratios(cases: Sequence[Case]) -> Callable[[Axes], bool]:
    ratios = {
        method: [r for case in cases if case.method == method and (r := case.mean("ratio"))]
        for method in _methods(cases)
    }
    ratios = {method: found for method, found in ratios.items() if found}

    def draw(axes: Axes) -> bool:
        if not ratios:
            return False
        names = list(ratios)[::-1]
        for place, method in enumerate(names):
            style = {**style_of(method), "linestyle": "none", "alpha": 0.75}
            axes.plot(ratios[method], [place] * len(ratios[method]), **style)
            median = float(np.median(ratios[method]))
            axes.plot([median] * 2, [place - 0.35, place + 0.35], color="black", linewidth=1.6)
        axes.axvline(1, color="#777777", linewidth=0.8)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel(f"cost / cost of {BASELINE}")
        return True

    return draw


_KINDS: tuple[tuple[str, str, str], ...] = (
    ("proved", "#0072B2", ""),
    ("answered, not proved", "#56B4E9", "//"),
    ("nothing", "#E5E5E5", ""),
    ("crashed, timeout or memory", "#E69F00", "xx"),
    ("wrong", "#D55E00", "**"),
    ("unsupported", "#FFFFFF", ".."),
)


def _outcomes(cases: Sequence[Case]) -> Callable[[Axes], bool]:
    names = _methods(cases)[::-1]
    counts = np.zeros((len(_KINDS), len(names)))
    for case in cases:
        for run in case.runs:
            counts[_kind(run.record.outcome, run.proved), names.index(case.method)] += 1

    def draw(axes: Axes) -> bool:
        if not names:
            return False
        left = np.zeros(len(names))
        for (label, colour, hatch), row in zip(_KINDS, counts, strict=True):
            if row.any():
                look = {"color": colour, "hatch": hatch, "edgecolor": "#333333", "linewidth": 0.5}
                axes.barh(names, row, left=left, label=label, **look)
            left += row
        axes.set_xlabel("runs")
        axes.grid(visible=False, axis="y")
        _legend(axes)
        return True

    return draw


def _kind(outcome: Outcome, proved: bool) -> int:
    if proved:
        return 0
    kinds = {
        Outcome.ANSWERED: 1,
        Outcome.NOTHING: 2,
        Outcome.WRONG: 4,
        Outcome.UNSUPPORTED: 5,
    }
    return kinds.get(outcome, 3)


def _marks(points: int) -> int:
    return max(1, points // 8)


def _legend(axes: Axes, title: str | None = None) -> None:
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        fontsize=8,
        title=None if title is None else _wrapped(title),
        title_fontsize=7,
        handlelength=3.2,
    )


def _wrapped(text: str, width: int = 26) -> str:
    return "\n".join(textwrap.wrap(text, width))
