"""An interior-point method for the relaxation over pools of tasks and classes of nodes.

Mehrotra's predictor and corrector (1992, "On the implementation of a primal-dual interior point
method", SIAM Journal on Optimization 2, 575-601). All but the rows of the pools, or all but those
of the nodes, are eliminated from the normal equations, whichever leaves the smaller system: what
a node has is joined to what another has by the pools alone. Runs in a child process, where
products of matrices are not divided between threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...model.exact import Array

__all__ = ["PooledProgram", "PooledSolution", "solve_pooled"]

_MOST_STEPS = 250
_FIRST_PRICE = 0.3
_TINY = 1e-9
_SHORTENED = 0.995  # of the way to the boundary
_REGULAR = 1e-13
_LEAST = 1e-300


@dataclass(frozen=True)
class PooledProgram:
    """The relaxation over B pools and G classes of nodes, in floats of similar size.

        minimise   sum_bg u_g a_b0 x_bg + sum_g o_g V_g + sum_b M_b z_b [+ sum_g i_g U_g]
        subject to sum_g x_bg + z_b = 1                               each pool
                   sum_b a_bd x_bg <= Q_gd [U_g] + [d = 0] V_g        each class of nodes
                   x, V, z >= 0 [0 <= U <= 1]

    with what stands in brackets where nodes may be off. Dimension 0 is the load.

    Attributes
    ----------
    amounts : (B, D) floats
        a, what a whole pool needs.
    rooms : (G, D) floats
        Q, what all nodes of a class have.
    overload_price, use_price : (G,) floats
        o and u.
    left_out : (B,) floats
        M, above what placing a pool costs: the program always has a solution.
    idle_cost : (G,) floats or None
        i, where nodes may be off.
    allowed : (G, B) bool or None
        Where pools may go; None: everywhere.
    """

    amounts: Array
    rooms: Array
    overload_price: Array
    use_price: Array
    left_out: Array
    idle_cost: Array | None = None
    allowed: Array | None = None


class PooledSolution(NamedTuple):
    """Prices (G, D) of the capacities, the values of primal and dual, and the steps taken."""

    prices: Array
    cost: float
    bound: float
    left_out: float
    steps: int


def solve_pooled(payload: dict[str, Any], _send: Callable[[Any], None]) -> PooledSolution:
    """Solve a program to a gap, or as far as the time goes.

    Parameters
    ----------
    payload : dict
        "program": PooledProgram; "time_limit": seconds; "tolerance": gap at which it ends.
    """
    deadline = time.monotonic() + payload["time_limit"]
    with np.errstate(all="ignore"):  # whatever is not finite ends the loop
        return _solve(payload["program"], payload["tolerance"], deadline)


def _solve(program: PooledProgram, tolerance: float, deadline: float) -> PooledSolution:
    point = _start(program)
    best = _solution(program, point, 0)
    for step in range(1, _MOST_STEPS):
        rest = _residuals(program, point)
        found = _solution(program, point, step)
        if not np.isfinite(found.cost + found.bound + rest.largest):
            break
        best = found
        near = rest.largest <= 10 * tolerance and abs(found.cost - found.bound) <= tolerance
        if near or time.monotonic() > deadline:
            break
        try:
            _advance(_Newton(program, point, rest))
        except (np.linalg.LinAlgError, ArithmeticError):
            break
    return best


@dataclass
class _Point:
    """Primal variables and, under the same names, the dual slacks; the prices of the pools.

    "place" (G, B), "skip" (B,), "over" (G,) and "spare" (G, D), what is left of a capacity, whose
    slack is its price; "on" and "rest" (G,), U and 1 - U, where nodes may be off.
    """

    x: dict[str, Array]
    s: dict[str, Array]
    v: Array


class _Residuals(NamedTuple):
    """What the rows and the reduced costs lack."""

    pools: Array
    rooms: Array
    reduced: dict[str, Array]
    on: Array | None
    largest: float


def _start(program: PooledProgram) -> _Point:
    """An interior point that keeps no row: low prices, and a little left out."""
    G, B = program.rooms.shape[0], program.amounts.shape[0]
    o, rooms = program.overload_price, program.rooms
    y = np.full_like(rooms, _FIRST_PRICE)
    y[:, 0] = np.minimum(_FIRST_PRICE, o / 2) + _TINY
    place = np.full((G, B), 1.0 / (G + 1))
    reduced = np.maximum(_charges(program, y), _TINY)
    if program.allowed is not None:
        reduced[~program.allowed] = np.inf
    least = reduced.min(axis=0)
    v = np.where(np.isfinite(least), least / 2, 0.0)
    reduced -= v
    if program.allowed is not None:
        place[~program.allowed] = 0.0
        reduced[~program.allowed] = 1.0
    left_out = program.left_out - v
    x = {
        "place": place,
        "skip": (place * reduced).sum() / (np.count_nonzero(place) + 1) / left_out,
        "over": np.full(G, rooms[:, 0].mean() + _TINY),
        "spare": np.maximum(rooms, rooms.mean(axis=0) / 10 + _TINY),
    }
    s = {
        "place": reduced,
        "skip": left_out,
        "over": np.maximum(o - y[:, 0], 1e-3 * o.max() + _TINY),
        "spare": y,
    }
    if program.idle_cost is not None:
        x |= {"on": np.full(G, 0.5), "rest": np.full(G, 0.5)}
        high = np.maximum(program.idle_cost, program.idle_cost.mean() + _TINY)
        s |= {"on": high, "rest": high.copy()}
    return _Point(x, s, v)


def _charges(program: PooledProgram, y: Array) -> Array:
    """(G, B) what pools cost on nodes at given prices of capacities."""
    prices = y.copy()
    prices[:, 0] += program.use_price
    found: Array = prices @ program.amounts.T
    return found


def _solution(program: PooledProgram, point: _Point, steps: int) -> PooledSolution:
    x, s = point.x, point.s
    used = x["place"] @ program.amounts[:, 0]
    cost = float(
        program.use_price @ used + program.overload_price @ x["over"] + program.left_out @ x["skip"]
    )
    bound = float(point.v.sum())
    if program.idle_cost is None:
        bound -= float((program.rooms * s["spare"]).sum())
    else:
        cost += float(program.idle_cost @ x["on"])
        bound -= float(s["rest"].sum())
    return PooledSolution(s["spare"].copy(), cost, bound, float(x["skip"].sum()), steps)


def _residuals(program: PooledProgram, point: _Point) -> _Residuals:
    x, s, v = point.x, point.s, point.v
    y = s["spare"]
    pools = 1.0 - x["place"].sum(axis=0) - x["skip"]
    rooms = -(x["place"] @ program.amounts) - x["spare"]
    rooms[:, 0] += x["over"]
    charges = _charges(program, y)
    size = charges.max() + 1e-300
    charges -= v
    charges -= s["place"]
    if program.allowed is not None:
        charges[~program.allowed] = 0.0
    reduced = {
        "place": charges,
        "skip": program.left_out - v - s["skip"],
        "over": program.overload_price - y[:, 0] - s["over"],
    }
    on = None
    if program.idle_cost is None:
        rooms += program.rooms
    else:
        rooms += program.rooms * x["on"][:, None]
        worth = (program.rooms * y).sum(axis=1)
        reduced["on"] = program.idle_cost - worth + s["rest"] - s["on"]
        on = 1.0 - x["on"] - x["rest"]
    largest = max(
        float(np.abs(pools).max(initial=0.0)),
        float(np.abs(rooms).max(initial=0.0) / (program.rooms.max() + 1e-300)),
        float(np.abs(charges).max(initial=0.0) / size),
    )
    return _Residuals(pools, rooms, reduced, on, largest)


class _Newton:
    """The normal equations at a point, eliminated and scaled, for several right sides."""

    def __init__(self, program: PooledProgram, point: _Point, rest: _Residuals) -> None:
        self.program, self.point, self.rest = program, point, rest
        x, s, a = point.x, point.s, program.amounts
        G, D = program.rooms.shape
        self.theta = {name: x[name] / s[name] for name in ("place", "skip", "over", "spare")}
        if program.idle_cost is not None:
            self.theta["on"] = 1.0 / (s["on"] / x["on"] + s["rest"] / x["rest"])
        self.pools = self.theta["place"].sum(axis=0) + self.theta["skip"]
        joint = np.empty((G, D, a.shape[0]))
        for d in range(D):
            np.multiply(self.theta["place"], a[:, d], out=joint[:, d])
        rooms = joint @ a
        rooms[:, 0, 0] += self.theta["over"]
        rooms[:, range(D), range(D)] += self.theta["spare"]
        if program.idle_cost is not None:
            held = program.rooms
            rooms += (self.theta["on"][:, None] * held)[:, :, None] * held[:, None, :]
        self.joint, self.rooms = joint.reshape(G * D, -1), rooms
        self.by_pools = a.shape[0] <= G * D
        if self.by_pools:
            factor = np.linalg.inv(np.linalg.cholesky(rooms))
            half = (factor @ joint).reshape(G * D, -1)
            system = -(half.T @ half)
            system[np.diag_indices_from(system)] += self.pools
        else:
            half = self.joint / np.sqrt(self.pools)
            system = -(half @ half.T)
            blocks = system.reshape(G, D, G, D)
            blocks[range(G), :, range(G), :] += rooms
        self.scale = 1.0 / np.sqrt(np.maximum(np.diagonal(system), _LEAST))
        system *= self.scale[:, None]
        system *= self.scale
        system[np.diag_indices_from(system)] += _REGULAR
        self.system = system

    def direction(self, aims: dict[str, Array]) -> _Point:
        """Steps of all variables, for which x ds + s dx is what is aimed at, by name."""
        program, rest, theta = self.program, self.rest, self.theta
        x, s = self.point.x, self.point.s
        free = {name: aims[name] / s[name] for name in ("place", "skip", "over", "spare")}
        for name in ("place", "skip", "over"):
            free[name] -= theta[name] * rest.reduced[name]
        if program.allowed is not None:
            free["place"][~program.allowed] = 0.0
        pools = rest.pools - free["place"].sum(axis=0) - free["skip"]
        rooms = free["place"] @ program.amounts + free["spare"] - rest.rooms
        rooms[:, 0] -= free["over"]
        if rest.on is not None:
            pull = (aims["rest"] - s["rest"] * rest.on) / x["rest"]
            free["on"] = theta["on"] * (aims["on"] / x["on"] - rest.reduced["on"] - pull)
            rooms -= program.rooms * free["on"][:, None]
        dv, dy = self._prices(pools, rooms)
        fall = dy @ program.amounts.T
        fall -= dv
        if program.allowed is not None:
            fall[~program.allowed] = 0.0
        dx = {
            "place": free["place"] - theta["place"] * fall,
            "skip": free["skip"] + theta["skip"] * dv,
            "over": free["over"] + theta["over"] * dy[:, 0],
            "spare": free["spare"] - theta["spare"] * dy,
        }
        fall += rest.reduced["place"]
        ds = {
            "place": fall,
            "skip": rest.reduced["skip"] - dv,
            "over": rest.reduced["over"] - dy[:, 0],
            "spare": dy,
        }
        if rest.on is not None:
            worth = (program.rooms * dy).sum(axis=1)
            dx["on"] = free["on"] + theta["on"] * worth
            dx["rest"] = rest.on - dx["on"]
            ds["rest"] = (aims["rest"] - s["rest"] * dx["rest"]) / x["rest"]
            ds["on"] = rest.reduced["on"] - worth + ds["rest"]
        return _Point(dx, ds, dv)

    def _prices(self, pools: Array, rooms: Array) -> tuple[Array, Array]:
        """Steps of the prices of pools and capacities."""
        if self.by_pools:
            alone = np.linalg.solve(self.rooms, rooms[..., None])[..., 0]
            dv = self._solve(pools + self.joint.T @ alone.ravel())
            rooms = rooms + (self.joint @ dv).reshape(rooms.shape)
            return dv, np.linalg.solve(self.rooms, rooms[..., None])[..., 0]
        flat = self._solve(rooms.ravel() + self.joint @ (pools / self.pools))
        return (pools + self.joint.T @ flat) / self.pools, flat.reshape(rooms.shape)

    def _solve(self, right: Array) -> Array:
        found: Array = self.scale * np.linalg.solve(self.system, self.scale * right)
        return found


def _advance(newton: _Newton) -> None:
    """Move the point: the predictor tells how far to centre, the corrector is the step."""
    x, s = newton.point.x, newton.point.s
    size = _variables(newton.program, newton.point)
    mu = sum(float((x[name] * s[name]).sum()) for name in x) / size
    first = newton.direction({name: -x[name] * s[name] for name in x})
    primal, dual = (min(1.0, _longest(*pair)) for pair in ((x, first.x), (s, first.s)))
    left = sum(
        float(((x[name] + primal * first.x[name]) * (s[name] + dual * first.s[name])).sum())
        for name in x
    )
    if not (mu > 0 and np.isfinite(left / mu)):
        raise np.linalg.LinAlgError
    centre = min(1.0, max(0.0, left / size / mu)) ** 3 * mu
    step = newton.direction(
        {name: centre - x[name] * s[name] - first.x[name] * first.s[name] for name in x}
    )
    primal = min(1.0, _SHORTENED * _longest(x, step.x))
    dual = min(1.0, _SHORTENED * _longest(s, step.s))
    for name in x:
        x[name] += primal * step.x[name]
        s[name] += dual * step.s[name]
    newton.point.v += dual * step.v


def _variables(program: PooledProgram, point: _Point) -> int:
    found = sum(each.size for each in point.x.values())
    return found if program.allowed is None else found - int((~program.allowed).sum())


def _longest(values: dict[str, Array], steps: dict[str, Array]) -> float:
    """How far all can go before one is negative; at most so far that a whole step is taken."""
    fastest = _SHORTENED
    for name, value in values.items():
        rate = np.divide(steps[name], value, out=np.zeros_like(value), where=value > 0)
        fastest = max(fastest, -float(rate.min(initial=0.0)))
    return 1.0 / fastest
