"""The best so far, and the baselines that every method begins with."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from ..engines.process import EngineCrash
from ..errors import MethodError, NodewiseWarning
from ..judge.check import check
from ..judge.cost import cost_in_units, in_user_units
from ..model.allocation import Allocation
from ..model.exact import Array
from ..model.instance import Instance
from ..model.proofs import Proof
from ..model.result import Termination
from ..problem.problem import Problem
from ..programs.assignment import require_buildable
from ..settings import AUTO, PLACING
from ..system.lanes import Lane, current_lane
from .base import Method, Options, Outcome
from .fit import best_fit, first_fit
from .greedy import greedy
from .placing.construction import is_large

__all__ = ["Best", "run_baselines", "warm_started"]


class Best:
    """The best allocation and bound so far: the one place where they are compared and kept.

    A method that runs within another shares its object, see `of`; then each better allocation is
    costed, checked and passed on once. Several threads may share it.

    Parameters
    ----------
    instance : Instance
    start : (m,) int64 or None
        A feasible allocation to begin from.
    bound : int or None
        A proven bound, in exact units of cost.
    rel_gap : float
        The gap at which it counts as settled.
    on_incumbent, on_bound : callable
        Told of every better allocation, and of every better bound, also of one that is refuted.
    on_partial : callable
        Told of ever more tasks placed within all limits, while there is no allocation.
    judged : bool
        Whether each better allocation is checked, and wrong claims are warned of: so it is in
        `solve`, which trusts no method.

    Attributes
    ----------
    claims : list of (bound, Proof or None)
        The bounds that nothing refutes, the best last.
    refuted : dict
        From a source of wrong claims to the sentence about them.
    trail : list of arrays or None
        Where it is a list, every allocation that is offered is added to it, up to a number.
    relay : callable or None
        What has the callbacks called in the right thread, while several work side by side.
    lock : threading.RLock
        Held where something is changed.
    partial : (m,) int64 or None
        The most tasks that were placed within all limits, -1 for the others.
    """

    def __init__(
        self,
        instance: Instance,
        *,
        start: Array | None = None,
        bound: int | None = None,
        rel_gap: float = 0.0,
        on_incumbent: Callable[[Array], None] = lambda _: None,
        on_bound: Callable[[int, Proof], None] = lambda *_: None,
        on_partial: Callable[[Array], None] = lambda _: None,
        judged: bool = False,
    ) -> None:
        self.instance = instance
        # One value, because an interrupt may come in between.
        self.found = None if start is None else (start, cost_in_units(instance, start))
        self.claims: list[tuple[int, Proof | None]] = [] if bound is None else [(bound, None)]
        self.refuted: dict[Proof, str] = {}
        self.trail: list[Array] | None = None
        self.relay: Callable[[Callable[[], None]], None] | None = None
        self.lock = threading.RLock()
        self.partial: Array | None = None
        self._rel_gap = Fraction(rel_gap)
        self._on_incumbent, self._on_bound = on_incumbent, on_bound
        self._on_partial = on_partial
        self._judged = judged

    @classmethod
    def of(cls, problem: Problem, options: Options) -> Best:
        """That of the method around this one, or one that tells what the options name.

        One of its own has a method that is to begin from nothing although there is one.
        """
        outer = options.best
        if (
            isinstance(outer, cls)
            and (options.start is not None or outer.node_index is None)
            and options.on_incumbent == outer.incumbent
        ):
            return outer
        return cls(
            problem.instance,
            start=options.start,
            bound=options.bound,
            rel_gap=options.rel_gap,
            on_incumbent=options.on_incumbent,
            on_bound=options.on_bound,
            on_partial=options.on_partial,
        )

    @property
    def node_index(self) -> Array | None:
        """The best allocation."""
        return None if self.found is None else self.found[0]

    @property
    def cost(self) -> int | None:
        """Its cost in exact units."""
        return None if self.found is None else self.found[1]

    @property
    def bound(self) -> int | None:
        """The best bound that nothing refutes, in exact units of cost."""
        claims = self.claims  # replaced as a whole where one is dropped
        return claims[-1][0] if claims else None

    def taken_trail(self) -> list[Array]:
        """What was offered since this was asked last."""
        with self.lock:
            taken, self.trail = self.trail, None if self.trail is None else []
        return taken or []

    def incumbent(self, node_index: Array) -> None:
        """Keep and pass on an allocation if it is better.

        Raises
        ------
        MethodError
            If it breaks a rule and is judged.
        """
        cost = cost_in_units(self.instance, node_index)
        with self.lock:
            if self.trail is not None and len(self.trail) < AUTO.trail:
                self.trail.append(node_index.copy())
        if self.cost is not None and cost >= self.cost:
            return
        if self._judged:
            self._require_valid(node_index)
        found = node_index.copy()
        with self.lock:
            lane = current_lane()
            if (self.cost is not None and cost >= self.cost) or _is_over(lane):
                return
            self._credit(lane, (2 * cost if self.cost is None else self.cost) - cost)
            self.found = found, cost
            for bound, proof in [claim for claim in self.claims if claim[0] > cost]:
                self._refute_bound(bound, proof)
        self._tell(lambda: self._on_incumbent(found))

    def partially(self, node_index: Array) -> None:
        """Keep node positions of some of the tasks if they are more than before."""
        count, kept = np.count_nonzero(node_index >= 0), node_index.copy()
        with self.lock:
            if self.found is not None or (
                self.partial is not None and count <= np.count_nonzero(self.partial >= 0)
            ):
                return
            self.partial = kept
        self._on_partial(kept)

    def bounded(self, bound: int, proof: Proof) -> None:
        """Keep and pass on a bound if it is better.

        One above the cost of an allocation is refuted: it is passed on, to be reported, but
        nothing is concluded from it.
        """
        with self.lock:
            lane = current_lane()
            known = proof in self.refuted or (self.bound is not None and bound <= self.bound)
            if known or _is_over(lane):
                return
            if self.cost is not None and bound > self.cost:
                self._refute_bound(bound, proof)
            else:
                self._credit(lane, bound - (self.bound or 0))
                self.claims.append((bound, proof))
        self._tell(lambda: self._on_bound(bound, proof))

    def _tell(self, action: Callable[[], None]) -> None:
        """Call back, in the thread that the callbacks belong to."""
        if self.relay is None:
            action()
        else:
            self.relay(action)

    def _credit(self, lane: Lane | None, gained: int) -> None:
        """Note to whom a gain is due, where several work side by side."""
        if lane is not None and self.relay is not None:
            lane.gained += gained

    def _refute_bound(self, bound: int, proof: Proof | None) -> None:
        if proof is None:
            self.claims = [kept for kept in self.claims if kept[0] != bound]
        else:
            self.refute(f"a bound of {in_user_units(self.instance, bound)}", proof)

    def refute(self, claim: str, proof: Proof) -> None:
        """Drop a claim that the best allocation contradicts, and all else of the same source."""
        self.claims = [kept for kept in self.claims if kept[1] is not proof]
        if proof in self.refuted:
            return
        self.refuted[proof] = (
            f"{claim} was claimed ({proof.value}), but an allocation of cost "
            f"{in_user_units(self.instance, self.cost)} exists: the claim is wrong and was "
            "dropped; please report it"
        )
        if self._judged:
            warnings.warn(self.refuted[proof], NodewiseWarning, stacklevel=2)

    def rebalance(self, node_index: Array) -> None:
        """Take another allocation of at most the same cost, if it is valid."""
        self.incumbent(node_index)
        cost = cost_in_units(self.instance, node_index)
        if cost == self.cost and not check(self.instance, node_index):
            self.found = node_index, cost

    def _require_valid(self, node_index: Array) -> None:
        violations = check(self.instance, node_index)
        if violations:
            best = None if self.found is None else Allocation(self.instance, self.found[0])
            claim = f"a method returned an allocation with {len(violations)} violations"
            raise MethodError(
                f"{claim}, the first: {violations[0]}",
                best,
                (claim, *map(str, violations[:10])),
            )

    def within(self, options: Options) -> Options:
        """The options for a method whose finds are to go through this."""
        return replace(
            options,
            start=self.node_index,
            bound=self.bound,
            best=self,
            on_incumbent=self.incumbent,
            on_bound=self.bounded,
            on_partial=self.partially,
        )

    def settled(self) -> bool:
        """Whether the gap is closed, or as small as was asked for."""
        if self.cost is None or self.bound is None:
            return False
        return self.cost - self.bound <= self._rel_gap * self.cost

    def outcome(self, otherwise: Termination) -> Outcome:
        """How the run ended."""
        if self.cost is not None and self.cost == self.bound:
            return Outcome(Termination.PROVEN)
        return Outcome(Termination.GAP_REACHED if self.settled() else otherwise)


def _is_over(lane: Lane | None) -> bool:
    return lane is not None and lane.over


def run_baselines(
    best: Best, problem: Problem, options: Options, repair_share: float = 1.0
) -> Outcome:
    """Run greedy, best fit and first fit until one meets the bound; only greedy if large.

    In whole models each has a small share of the time, since repairs may take all there is.

    Parameters
    ----------
    repair_share : float
        The share of the time that each repair may take in a plain model.

    Returns
    -------
    Outcome
        That of the last one that ran.
    """
    within = best.within(options)
    outcome = Outcome(Termination.FINISHED)
    for heuristic in (greedy,) if is_large(problem) else (greedy, best_fit, first_fit):
        if best.settled() or options.seconds_left() <= 0:
            break
        if problem.modes is not None:
            share = PLACING.large_share if is_large(problem) else PLACING.baseline_share
            seconds = max(1.0, share * options.seconds_left())
            deadline = min(options.deadline, time.monotonic() + seconds)
            within = replace(within, deadline=deadline)
        elif repair_share < 1:
            seconds = repair_share * options.seconds_left()
            within = replace(within, repair_deadline=time.monotonic() + seconds)
        outcome = heuristic(problem, within)
    return outcome


def warm_started(exact: Method) -> Method:
    """An exact method that begins from the best baseline, and stops where that is optimal."""

    def run(problem: Problem, options: Options) -> Outcome:
        require_buildable(problem)
        best = Best.of(problem, options)
        run_baselines(best, problem, options)
        if best.settled():
            return best.outcome(Termination.FINISHED)
        try:
            outcome = exact(problem, best.within(options))
        except EngineCrash as error:
            return Outcome(Termination.FINISHED, message=str(error).splitlines()[0])
        if outcome.infeasible_because is not None:
            return outcome
        return replace(best.outcome(outcome.termination), message=outcome.message)

    run.__doc__ = exact.__doc__
    return run
