"""The methods of a comparison: nodewise's own, the textbook model, and other libraries.

The order here is the order in every table and figure. What a method needs is looked for before
a run begins, and its absence is told with the remedy.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from solver.errors import BackendUnavailableError, OptionError
from solver.files.text import did_you_mean

__all__ = ["BASELINE", "COMPETITORS", "ROOT", "Competitor", "is_exact", "require"]

BASELINE = "round-robin"
_PEERS = "benchmarks.peers"
ROOT = Path(__file__).parents[1]
"""Has to be on the path of a peer."""


@dataclass(frozen=True)
class Competitor:
    """A method by name.

    Attributes
    ----------
    name : str
    peer : str
        The module that runs it; see `benchmarks.peers.protocol`.
    package : str
        What that imports, to see whether it is there.
    extra : str
        The optional extra of nodewise that installs it.
    exact_bound : bool
        Whether its bounds and proofs are exact. Others are floating-point; they are compared
        with a tolerance and are no news to the table of best known bounds.
    random : bool
        Whether a seed changes what it does.
    """

    name: str
    peer: str
    package: str = "solver"
    extra: str = "bench"
    exact_bound: bool = False
    random: bool = True

    @property
    def python(self) -> str:
        """The interpreter: its own environment's where NODEWISE_PYTHON_NAME names one."""
        return os.environ.get(self._variable, sys.executable)

    @property
    def command(self) -> list[str]:
        """What to run, without arguments."""
        return [self.python, "-m", self.peer]

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, with the remedy; None if it can."""
        if _imports(self.python, self.package):
            return None
        return (
            f"{self.name} needs the package {self.package!r}: pip install -e '.[{self.extra}]', "
            f"or set {self._variable} to the python of an environment that has it"
        )

    @property
    def _variable(self) -> str:
        return "NODEWISE_PYTHON_" + self.name.upper().replace("-", "_").replace(":", "_")


def _own(name: str, *, random: bool = True) -> Competitor:
    return Competitor(name, f"{_PEERS}.nodewise", exact_bound=True, random=random)


COMPETITORS: dict[str, Competitor] = {
    one.name: one
    for one in (
        _own("auto"),
        _own("column-generation"),
        _own("cp-sat"),
        _own("mip:HiGHS"),
        _own("mip:CBC"),
        _own("local-search"),
        _own("greedy", random=False),
        _own("first-fit", random=False),
        _own("best-fit", random=False),
        _own("round-robin", random=False),
        _own("blocks", random=False),
        Competitor("textbook-cp-sat", f"{_PEERS}.textbook_cp_sat", "ortools"),
        Competitor("textbook-HiGHS", f"{_PEERS}.textbook_pulp", "highsbox"),
        Competitor("textbook-CBC", f"{_PEERS}.textbook_pulp", "cbcbox"),
        Competitor("textbook-SCIP", f"{_PEERS}.textbook_scip", "pyscipopt", "scip"),
        Competitor("rebalancer", f"{_PEERS}.rebalancer_peer", "rebalancer", "rebalancer"),
        Competitor("timefold", f"{_PEERS}.timefold_peer", "timefold", "timefold"),
        Competitor("prtpy", f"{_PEERS}.prtpy_peer", "prtpy", "prtpy", random=False),
    )
}
"""Every method by name, in the order of the tables."""


def is_exact(method: str) -> bool:
    """Whether a method's bounds are exact; not those of one that is no longer known."""
    return method in COMPETITORS and COMPETITORS[method].exact_bound


def require(names: list[str]) -> list[Competitor]:
    """The methods by name, in the order of the tables.

    Raises
    ------
    OptionError
        If a name is unknown.
    BackendUnavailableError
        If what a method needs is not installed.
    """
    for name in names:
        if name not in COMPETITORS:
            raise OptionError(
                f"method {name!r} is none of: {', '.join(COMPETITORS)}"
                f"{did_you_mean(name, list(COMPETITORS))}"
            )
    chosen = [one for one in COMPETITORS.values() if one.name in names]
    missing = [text for one in chosen if (text := one.missing)]
    if missing:
        raise BackendUnavailableError("; ".join(missing))
    return chosen


@cache
def _imports(python: str, package: str) -> bool:
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({package!r}) is None)"
    return subprocess.run([python, "-c", code], cwd=ROOT, check=False).returncode == 0
