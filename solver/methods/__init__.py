"""The methods: one function each, `(Problem, Options) -> Outcome`, in a dict by name.

It imports `bounds`, `columns`, `search` and what lies below.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec

from .auto import auto
from .base import Method, Options, Outcome
from .best import warm_started
from .column_generation import column_generation
from .cp_sat import cp_sat
from .fit import best_fit, first_fit
from .greedy import greedy
from .local_search import local_search
from .mip import mip
from .round_robin import blocks, round_robin
from .whole.features import FEATURES, features_of

__all__ = ["FEATURES", "MethodInfo", "Options", "Outcome", "features_of", "methods"]


@dataclass(frozen=True)
class MethodInfo:
    """A method and what it needs.

    Attributes
    ----------
    name, description : str
    run : callable
    exact : bool
        Whether it can prove an optimum on its own.
    balances : bool
        Whether of equally cheap allocations the better balanced one is wanted.
    requires : tuple of str
        Packages that it loads.
    supports : tuple of str
        The fields and rules of `FEATURES` that it takes.
    """

    name: str
    description: str
    run: Method
    exact: bool = False
    balances: bool = False
    requires: tuple[str, ...] = ()
    supports: tuple[str, ...] = FEATURES

    @property
    def missing(self) -> tuple[str, ...]:
        """Required packages that are not installed."""
        return tuple(package for package in self.requires if find_spec(package) is None)

    @property
    def available(self) -> bool:
        """Whether everything the method needs is installed."""
        return not self.missing

    @property
    def why_not(self) -> str | None:
        """Why the method is not available, with the remedy; None if it is."""
        if self.available:
            return None
        return f"{', '.join(self.missing)} not installed: pip install {' '.join(self.missing)}"

    def lacks(self, features: Iterable[str]) -> tuple[str, ...]:
        """Those of some features that the method does not take."""
        return tuple(feature for feature in features if feature not in self.supports)


_ALL = (
    MethodInfo(
        "auto",
        "baselines, bounds, local search and exact methods, as each pays",
        auto,
        exact=True,
        balances=True,
    ),
    MethodInfo(
        "cp-sat",
        "exact, by OR-Tools CP-SAT",
        warm_started(cp_sat),
        exact=True,
        balances=True,
        requires=("ortools",),
    ),
    MethodInfo(
        "mip",
        "exact, by HiGHS, CBC or another solver through PuLP",
        warm_started(mip),
        exact=True,
        balances=True,
        requires=("pulp", "highsbox", "cbcbox"),
    ),
    MethodInfo(
        "column-generation",
        "bound by whole-node columns, proof by enumeration",
        column_generation,
        exact=True,
        balances=True,
        requires=("ortools", "numba", "joblib"),
    ),
    MethodInfo(
        "local-search",
        "exchanges, chains and small exact problems, at any size",
        local_search,
        balances=True,
        requires=("numba", "joblib"),
    ),
    MethodInfo("greedy", "largest demand first, where it costs least", greedy),
    MethodInfo("first-fit", "largest demand first, first node with room", first_fit),
    MethodInfo("best-fit", "largest demand first, tightest node with room", best_fit),
    MethodInfo("round-robin", "tasks dealt out in turn", round_robin),
    MethodInfo("blocks", "consecutive blocks of tasks", blocks),
)


def methods() -> dict[str, MethodInfo]:
    """All methods by name, in the order of preference.

    Examples
    --------
    >>> methods()["greedy"].available
    True
    """
    return {info.name: info for info in _ALL}
