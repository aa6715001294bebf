"""What users are told where the digits of the whole model do not fit."""

import pytest

from solver import Instance, Node, Task, Variant
from solver.problem.problem import Problem
from solver.problem.rounding import what_to_round

LONG = 0.7142857142857143


def advice(task, **settings):
    node = Node("a", 1, price=0.5714285714285714, overload_price=LONG, use_price=0.4)
    return what_to_round(Problem(Instance([node], [task], power_off=True, **settings)))


def test_figures_of_variants_are_looked_at():
    sentence = advice(Task("x", variants=[Variant("small", LONG), Variant("large", 2)]))
    assert sentence.startswith("task or variant compute has up to 16 decimals (such as 0.71428571")
    assert advice(Task("x", LONG)).startswith("task compute has up to 16 decimals")


@pytest.mark.parametrize(
    ("fields", "settings"),
    [
        ({"variants": [Variant("small", 1, price=1e-30)]}, {}),
        ({"variants": [Variant("small", 1, loss=1e-30)]}, {"quality_price": 1}),
        ({"compute": 1, "skip_price": 1e-30}, {}),
        ({"compute": 1}, {"move_price": 1e-30, "current": {"x": "a"}}),
    ],
)
def test_prices_of_choices_are_looked_at(fields, settings):
    names = ("variant price", "variant loss", "task skip_price", "move_price")
    sentence = advice(Task("x", **fields), **settings)
    assert sentence.split(" has ")[0] in names
