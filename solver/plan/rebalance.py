"""`rebalance`: what to move, what that saves, and the most that any plan could save."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from ..errors import OptionError
from ..judge.check import check
from ..judge.cost import as_allocation, cost_in_units, cost_parts, energy_of, in_user_units
from ..judge.moves import count_moves
from ..model.allocation import Allocation
from ..model.exact import Array
from ..model.instance import Instance, Number
from ..model.result import Result, Status, Termination
from ..solve import solve
from .present import Present, states_after

__all__ = ["rebalance"]


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
    initial = _better_start(present, solve_options.pop("initial", None))
    result = solve(planned, initial=initial, **solve_options)
    result = _with_savings(result, present)
    if result.allocation is None:
        return _without_allocation(result, present)
    if present.can_stay and _saves_less(result, present, least):
        result = _staying(result, present, least)
    return result


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


def _better_start(present: Present, initial: Any) -> Any:
    """The cheaper of staying, where that breaks no rule, and an allocation given to begin from."""
    if not present.can_stay:
        return initial
    if initial is None:
        return present.node_index
    given = as_allocation(present.instance, initial)
    if check(present.instance, given):
        return given  # `solve` says what it breaks
    is_cheaper = cost_in_units(present.instance, given.node_index) < present.units
    return given if is_cheaper else present.node_index


def _with_savings(result: Result, present: Present) -> Result:
    """The result, and what its allocation saves against what runs now."""
    saving = bound = None
    if result.allocation is not None:
        saving = present.saving_of(cost_in_units(present.instance, result.allocation.node_index))
    if result.bound is not None:
        bound = saving if result.bound == result.cost else present.saving_bound(result.bound)
    return replace(
        result,
        cost_now=present.cost,
        saving=saving,
        saving_bound=bound,
        broken_now=present.broken,
    )


def _saves_less(result: Result, present: Present, least: Fraction) -> bool:
    assert result.allocation is not None
    instance = present.instance
    saved = present.units - cost_in_units(instance, result.allocation.node_index)
    return Fraction(saved, instance.exact.cost_scale) < least


def _staying(result: Result, present: Present, least: Fraction) -> Result:
    """Nothing moves, as the best plan saves too little; the message says what is proved."""
    most = result.saving_bound
    proved = "" if most is None else f"; no plan saves more than {most:,}: proved"
    wanted = f"{float(least):,g}"
    message = (
        f"nothing moves: the best plan found saves {result.saving:,}, less than the {wanted} "
        f"asked for{proved}"
    )
    return with_allocation(result, present, present.node_index, message)


def with_allocation(result: Result, present: Present, node_index: Array, message: str) -> Result:
    """The result with another allocation of its instance, checked, and what follows from it."""
    instance = present.instance
    units = cost_in_units(instance, node_index)
    allocation = Allocation(instance, node_index)
    cost = in_user_units(instance, units)
    is_best = result.status is Status.OPTIMAL and cost == result.cost
    termination = result.termination
    if not is_best and termination is Termination.PROVEN:
        termination = Termination.FINISHED
    changed = replace(
        result,
        status=Status.OPTIMAL if is_best else Status.FEASIBLE,
        termination=termination,
        allocation=allocation,
        cost=cost,
        cost_parts=cost_parts(instance, node_index),
        energy=energy_of(instance, node_index),
        moves=count_moves(allocation),
        left_out=allocation.left_out,
        message="; ".join(filter(None, [message, result.message])),
    )
    return _with_savings(changed, present)


def _without_allocation(result: Result, present: Present) -> Result:
    """Where nothing was found, what is there stays as it is; the message says so."""
    if result.status is Status.INFEASIBLE:
        said = "nothing moves: no plan within the caps mends what is broken or places what is not"
    else:
        said = "nothing moves: no plan was found in the time"
    return replace(result, message="; ".join(filter(None, [said, result.message])))
