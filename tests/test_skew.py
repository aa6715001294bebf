"""Fewest moves that bring an app's pods to a skew: 1, 2, 4, 6, 8, 9 pods in six zones."""

import pytest

from solver import Instance, Node, Spread, Status, Task, check, solve

HELD = (1, 2, 4, 6, 8, 9)


def uneven(max_skew, **settings):
    """Six zones of one node each; a move costs 1, and nothing else costs."""
    places = [f"n{i}" for i, held in enumerate(HELD) for _ in range(held)]
    return Instance(
        nodes=[
            Node(f"n{i}", 100, price=0, overload_price=0, labels={"zone": f"z{i}"})
            for i in range(len(HELD))
        ],
        tasks=[Task(f"pod-{k}", 1, groups=("app",)) for k in range(len(places))],
        rules=[Spread("app", "zone", max_skew)],
        current={f"pod-{k}": node for k, node in enumerate(places)},
        move_price=1,
        **settings,
    )


@pytest.mark.parametrize("method", ["auto", "cp-sat", "mip"])
@pytest.mark.parametrize(("max_skew", "fewest"), [(2, 5), (1, 8), (8, 0)])
def test_fewest_moves_are_proved(max_skew, fewest, method):
    instance = uneven(max_skew)
    result = solve(instance, method, time_limit=60)
    assert (result.status, result.cost, result.bound) == (Status.OPTIMAL, fewest, fewest)
    assert check(instance, result.allocation) == []
    held = result.allocation.tasks_per_node().tolist()
    assert sum(held) == sum(HELD)
    assert max(held) - min(held) <= max_skew
    moved = sum(max(0, before - now) for before, now in zip(HELD, held, strict=True))
    assert moved == result.cost_parts["moves"] == fewest


@pytest.mark.parametrize(("max_skew", "fewest"), [(2, 5), (1, 8)])
def test_one_move_fewer_is_not_enough(max_skew, fewest):
    assert solve(uneven(max_skew, max_moves=fewest)).cost == fewest
    assert solve(uneven(max_skew, max_moves=fewest - 1)).status is Status.INFEASIBLE
