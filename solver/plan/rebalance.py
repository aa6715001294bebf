"""`rebalance`: what to move, what that saves, and the most that any plan could save."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from ..bounds.moves import moves_bound
from ..errors import MethodError, OptionError
from ..files.text import tidy
from ..judge.check import check
from ..judge.cost import as_allocation, cost_in_units, in_user_units
from ..judge.moves import count_moves
from ..judge.replay import check_plan
from ..model.allocation import Allocation
from ..model.exact import Array
from ..model.instance import Instance, Number
from ..model.plans.plan import DURING, Plan, PlanStatus
from ..model.result import Progress, ProgressCallback, Result, Status, Termination
from ..solve import processors, solve
from ..time_limits import LONGEST, is_time_limit
from ..whole_settings import REBALANCING
from .order import order_moves
from .present import Present, states_after
from .saving.fallback import orderable
from .saving.guided import Guide, is_guided, mended_start
from .saving.outcome import said, with_allocation, with_history, with_savings

__all__ = ["rebalance"]

_INTERRUPTED = "interrupted before the moves had an order"


def rebalance(
    instance: Instance,
    current: Any = None,
    *,
    move_price: Number | None = None,
    max_moves: int | None = None,
    drain: Iterable[str] | str = (),
    cordon: Iterable[str] | str = (),
    min_saving: Number | str = 0,
    during: str = "both",
    max_moving: Mapping[str, int] | None = None,
    moves_per_node: int | None = None,
    **solve_options: Any,
) -> Result:
    """Find what to move from where tasks are now, and prove how much any plan could save.

    Parameters
    ----------
    instance : Instance
    current : mapping, Allocation or (W,) node positions, optional
        Where tasks are now, as `Instance` takes it; default: the instance's own. It may be
        partial, and it may break limits: the plan mends that. Tasks that are nowhere are placed
        and do not count as moves.
    move_price : number, optional
        Price of a part that moves, where its task names none; default: the instance's own.
    max_moves : int, optional
        The most parts that move; default: the instance's own.
    drain, cordon : ids of nodes, kinds, or label values such as "zone=a"
        Nodes that must end empty, as failed ones, and nodes that take nothing new.
    min_saving : number or str
        An amount of cost, or a share of the cost now such as "2%". Below it nothing moves, where
        staying breaks no rule.
    during : {"both", "target"}
        What a moving part takes up during its wave: its old place and its new one, or only the
        new one.
    max_moving : mapping of group to int, optional
        The most parts of a group that may be moving in one wave; default: the instance's own.
    moves_per_node : int, optional
        The most moves from or to one node in a wave.
    **solve_options
        As in `solve`: `method`, `time_limit` (seconds for everything), `seed`, `num_workers`,
        `rel_gap`, `initial`, `on_progress`, ...

    Returns
    -------
    Result
        That of `solve` for the instance with these settings, with `plan`, `cost_now`, `saving`,
        `saving_bound` and `broken_now`. It is never worse than staying, where staying breaks no
        rule.

    Raises
    ------
    OptionError
        If it is not known where tasks are now, or an option is out of its range.
    InstanceError
        If `current`, `move_price` or `max_moves` breaks a rule.
    MethodError
        As in `solve`, or if a plan breaks a rule.

    Examples
    --------
    >>> from solver import Node, Task
    >>> instance = Instance(
    ...     [Node("a", 8, fixed_cost=24), Node("b", 8, fixed_cost=24)],
    ...     [Task("x", 3), Task("y", 4)],
    ...     max_load=1, power_off=True, current={"x": "a", "y": "b"},
    ... )
    >>> result = rebalance(instance)
    >>> result.cost_now, result.cost, result.saving, result.saving_bound, result.moves
    (48, 24, 24, 24, 1)
    """
    settings = {"move_price": move_price, "max_moves": max_moves, "max_moving": max_moving}
    planned = _planned(instance, current, settings, drain, cordon)
    present = Present(planned)
    least = present.least_saving(min_saving)
    ordering: dict[str, Any] = {"during": during, "moves_per_node": moves_per_node}
    order_moves(planned, planned.current, planned.current, **ordering)  # they are refused early
    return _Run(present, ordering, solve_options).result(least)


def _planned(
    instance: Instance,
    current: Any,
    settings: Mapping[str, Any],
    drain: Iterable[str] | str,
    cordon: Iterable[str] | str,
) -> Instance:
    """The instance whose optimum is the best placement to go to."""
    changes = {name: value for name, value in settings.items() if value is not None}
    if current is not None:
        changes["current"] = current
    elif instance.current is None:
        raise OptionError(
            "it is not known where tasks are now: give `current`, a mapping of task id to node "
            "id, or {} if nothing runs yet"
        )
    states = states_after(instance, drain, cordon)
    if states is not None:
        changes["node_state"] = states
    return instance.replace(**changes) if changes else instance


@dataclass
class _Run:
    """One re-planning: a start, searches with priced moves, the solve, the order of the moves.

    Attributes
    ----------
    begun, deadline : float
        Readings of `time.monotonic`.
    history : list of Progress
        What was found before the solve.
    """

    present: Present
    ordering: dict[str, Any]
    options: dict[str, Any]
    begun: float = field(default_factory=time.monotonic)
    history: list[Progress] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.options = dict(self.options)
        self.initial = self.options.pop("initial", None)
        self.on_progress: ProgressCallback | None = self.options.pop("on_progress", None)
        limit = self.options.pop("time_limit", 60.0)
        # What is no time limit goes to `solve`, which says so.
        self.limit = min(limit, LONGEST) if is_time_limit(limit) else limit
        self.seconds = float(self.limit) if is_time_limit(limit) else 0.0
        self.deadline = self.begun + self.seconds
        reserve = min(REBALANCING.order_share * self.seconds, REBALANCING.most_order)
        self.solve_by = self.deadline - reserve
        self.interrupted = False
        self.base: Array | None = None

    @property
    def planned(self) -> Instance:
        return self.present.instance

    def result(self, least: Fraction) -> Result:
        """The result, with a plan, for a least saving."""
        present = self.present
        result = self._solved()
        if result.allocation is None:
            return _without_allocation(result)
        if present.can_stay and self._saves_less(result, least):
            return self._staying(result, least)
        try:
            result = self._ordered(result)
        except KeyboardInterrupt:
            return self._without_order(result)
        if present.can_stay and self._saves_less(result, least):
            result = self._staying(result, least)
        return result

    def _without_order(self, result: Result) -> Result:
        """The result of a run that was interrupted while its moves were being ordered."""
        during = self.ordering["during"]
        plan = Plan(self.planned, PlanStatus.UNKNOWN, during=during, reason=_INTERRUPTED)
        if result.termination is not Termination.PROVEN:
            result = replace(result, termination=Termination.INTERRUPTED)
        return said(replace(result, plan=plan), _INTERRUPTED)

    def _solved(self) -> Result:
        """The best allocation, whatever the order of its moves, and what it saves."""
        start = self._start()
        guide, few = self._guide(start), start
        if guide is not None and start is not None:
            share = time.monotonic() + REBALANCING.share * (self.solve_by - time.monotonic())
            try:
                start = few = guide.within_cap(start, share)
            except KeyboardInterrupt:
                guide.interrupted = True
            self.interrupted |= guide.interrupted
        late = time.monotonic() - self.begun
        fewer = self.planned.max_moves is None and guide is not None
        reserve = REBALANCING.fewer_share * self.seconds if fewer else 0.0
        left = 0.0 if self.interrupted else self.solve_by - reserve - time.monotonic()
        result = solve(
            self.planned,
            time_limit=max(0.0, left) if self.seconds else self.limit,
            initial=self.initial if start is None else start,
            on_progress=None if self.on_progress is None else self._later(self.on_progress, late),
            **self.options,
        )
        self.interrupted |= result.termination is Termination.INTERRUPTED
        if self.interrupted and result.termination is not Termination.PROVEN:
            result = replace(result, termination=Termination.INTERRUPTED)
        result = with_savings(with_history(result, self.history, late), self.present)
        if self.interrupted or not fewer or result.allocation is None:
            return result
        if guide is not None and few is not None:
            found = result.allocation.node_index
            try:
                found = guide.fewer_moves(found, few, self.solve_by)
            except KeyboardInterrupt:
                self.interrupted = True
            result = self._with_fewer(with_allocation(result, self.present, found), few)
        return result

    def _with_fewer(self, result: Result, few: Array) -> Result:
        """The result, and of an allocation that saves nearly as much by far fewer moves a word."""
        moves = count_moves(Allocation(self.planned, few))
        saved = self.present.saving_of(cost_in_units(self.planned, few))
        assert result.moves is not None
        assert result.saving is not None
        if moves > REBALANCING.far_fewer * result.moves:
            return result
        if not saved >= REBALANCING.most_of_saving * result.saving > 0:
            return result
        return said(result, f"{moves:,} moves would save {tidy(saved):,}: max_moves caps them")

    def _start(self) -> Array | None:
        """The cheapest known: staying or what mends it, or what was given to begin from."""
        planned, present, given = self.planned, self.present, self.initial
        start = present.node_index if present.can_stay else None
        if start is None and self.seconds:
            share = REBALANCING.mending_share * self.seconds
            start = mended_start(planned, time.monotonic() + share)
        self.base = start
        if given is not None:
            if isinstance(given, Allocation):  # of another cap, it belongs to another instance
                given = self.initial = given.to_mapping()
            allocation = as_allocation(planned, given)
            if check(planned, allocation):
                return None  # `solve` says what it breaks
            mine = allocation.node_index
            if start is None or cost_in_units(planned, mine) < cost_in_units(planned, start):
                start = mine
        if start is not None:
            self._tell(start)
        return start

    def _guide(self, start: Array | None) -> Guide | None:
        """Searches with a price of moves, where the instance is large and no method is named."""
        named = self.options.get("method", "auto") != "auto"
        if start is None or named or self.options.get("round_limit") is not None:
            return None
        if not self.seconds or not is_guided(self.planned):
            return None
        bound = moves_bound(self.planned)
        if bound is not None and cost_in_units(self.planned, start) <= bound:
            return None
        seed, workers = self.options.get("seed", 0), self.options.get("num_workers")
        return Guide(self.planned, seed, workers or processors(), self._tell)

    def _tell(self, node_index: Array) -> None:
        """Note a better allocation found before the solve, and pass it on."""
        cost = in_user_units(self.planned, cost_in_units(self.planned, node_index))
        point = Progress(seconds=time.monotonic() - self.begun, cost=cost, bound=None)
        self.history.append(point)
        if self.on_progress is not None:
            self.on_progress(point)

    @staticmethod
    def _later(on_progress: ProgressCallback, seconds: float) -> ProgressCallback:
        return lambda point: on_progress(replace(point, seconds=point.seconds + seconds))

    def _order(self, node_index: Array, deadline: float) -> Plan:
        """The moves to an allocation in order; a plan that the judge refutes is an error."""
        plan = order_moves(
            self.planned,
            self.present.node_index,
            node_index,
            time_limit=max(0.0, deadline - time.monotonic()),
            **self.ordering,
        )
        if plan.status is PlanStatus.ORDERED:
            allocation = Allocation(self.planned, node_index)
            per_node = self.ordering["moves_per_node"]
            wrong = check_plan(self.planned, allocation, plan, moves_per_node=per_node)
            if wrong:
                raise MethodError(
                    f"a plan has {len(wrong)} violations, the first: {wrong[0]}", allocation
                )
        return plan

    def _ordered(self, result: Result) -> Result:
        """The result with its plan; another allocation where its moves have no safe order."""
        assert result.allocation is not None
        left = max(self.deadline - time.monotonic(), 2 * REBALANCING.least_order)
        plan = self._order(result.allocation.node_index, time.monotonic() + left / 2)
        if plan.status is PlanStatus.ORDERED:
            return replace(result, plan=plan)
        best = result.allocation.node_index
        found = orderable(self.present, best, self.base, self._order, self._fewer, self.deadline)
        known = "proved" if plan.status is PlanStatus.NONE else "none was found"
        because = (
            "the moves to the best allocation found, which would save "
            f"{tidy(result.saving):,}, have no safe order ({known}: {plan.reason})"
        )
        if found is None:
            return said(
                replace(result, plan=plan),
                because,
                "nor has any other that was found" + self._hint(result),
            )
        changed = replace(with_allocation(result, self.present, found[0]), plan=found[1])
        what = "these others have one" if changed.moves else "so nothing moves"
        return said(changed, because, what + self._hint(result))

    def _hint(self, result: Result) -> str:
        """Whether stopping tasks before they start elsewhere would help."""
        assert result.allocation is not None
        if self.ordering["during"] == DURING[1]:
            return ""
        options = {**self.ordering, "during": DURING[1], "time_limit": 1.0}
        now, then = self.present.node_index, result.allocation.node_index
        plan = order_moves(self.planned, now, then, **options)
        if plan.status is not PlanStatus.ORDERED:
            return ""
        return "; where tasks may stop before they start (during='target'), the first have one too"

    def _fewer(self, most: int, deadline: float) -> Array | None:
        """The cheapest allocation of at most so many moves that is found until then."""
        result = solve(
            self.planned.replace(max_moves=most),
            time_limit=max(0.0, deadline - time.monotonic()),
            **self.options,
        )
        return None if result.allocation is None else result.allocation.node_index

    def _saves_less(self, result: Result, least: Fraction) -> bool:
        assert result.allocation is not None
        saved = self.present.units - cost_in_units(self.planned, result.allocation.node_index)
        return Fraction(saved, self.planned.exact.cost_scale) < least

    def _staying(self, result: Result, least: Fraction) -> Result:
        """Nothing moves, as the best plan saves too little; the message says what is proved."""
        most = result.saving_bound
        proved = "" if most is None else f"; no plan saves more than {tidy(most):,}: proved"
        sentence = (
            f"nothing moves: the best plan found saves {tidy(result.saving):,}, less than the "
        )
        sentence += f"{float(least):,g} asked for{proved}"
        if not result.moves:
            sentence = f"nothing moves: nothing better than staying was found{proved}"
        stay = self.present.node_index
        changed = with_allocation(result, self.present, stay)
        return said(replace(changed, plan=self._order(stay, self.deadline)), sentence)


def _without_allocation(result: Result) -> Result:
    """Where nothing was found, what is there stays as it is; the message says so."""
    if result.status is Status.INFEASIBLE:
        return said(
            result, "nothing moves: no plan within the caps mends what is broken or places the rest"
        )
    return said(result, "nothing moves: no plan was found in the time")
