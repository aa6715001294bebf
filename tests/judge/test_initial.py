"""What `solve` begins from is judged first: places by name, forms and rules."""

from __future__ import annotations

import pytest
from whole_cases import of_forms

from solver.errors import AllocationError
from solver.solve import solve


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ([0, -1, -1, -1, -1], "initial breaks 1 rules, the first: part 2 of task 'llm' has no"),
        ({"llm": "a"}, "task 'llm' has several variants; say"),
        ({"llm": {"node": "a", "variant": "int4"}}, "task 'llm' has no variant 'int4'"),
        ({}, "task 'llm' has no node; it has no skip_price, so it must run"),
    ],
)
def test_an_initial_that_breaks_a_rule_is_refused(initial, message):
    with pytest.raises(AllocationError, match=message):
        solve(of_forms(), initial=initial)


def test_the_result_is_never_worse_than_an_initial_given_by_names():
    instance = of_forms(quality_budget=0.5, power_off=True)
    start = {"llm": {"node": "c", "variant": "fp8"}}
    result = solve(instance, "cp-sat", initial=start, time_limit=10)
    assert result.allocation.to_mapping()["llm"]["variant"] == "fp8"
    assert (result.status.value, result.cost) == ("optimal", 102)
