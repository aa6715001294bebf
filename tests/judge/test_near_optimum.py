"""Placements near the optimum: the judge says the same of their rows and of their names."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import whole_oracle
from whole_brute_force import brute_force
from whole_instances import random_placement, whole_instances

from solver.judge.check import check
from solver.judge.cost import cost_of
from solver.model.allocation import Allocation
from solver.model.rows.placement import placement_of
from tests.nightly import cases


@pytest.mark.parametrize("integers", [True, False])
def test_rows_and_names_get_the_verdict_of_the_oracle(integers):
    rng = np.random.default_rng(4)
    verdicts, broken = Counter(), Counter()
    for case in whole_instances(cases(30, 1000), seed=4, integers=integers):
        instance, homes = case
        best = brute_force(instance, homes)
        for seed in range(0 if best is None else 10):
            drawn = random_placement(instance, homes, seed)
            change = rng.random(len(drawn)) < 0.25
            pairs = zip(change.tolist(), drawn, best.placement, strict=True)
            placement = [new if changed else old for changed, new, old in pairs]
            allocation = Allocation(instance, whole_oracle.node_index_of(instance, placement))
            violations = check(instance, allocation)
            feasible = whole_oracle.feasible(instance, homes, placement)
            assert (not violations) == feasible, [str(violation) for violation in violations]
            verdicts[feasible] += 1
            broken.update({violation.rule for violation in violations})
            if any(violation.rule == "unassigned" for violation in violations):
                continue
            names = allocation.to_mapping()
            assert placement_of(instance, names).tolist() == allocation.node_index.tolist()
            assert set(map(str, check(instance, names))) == set(map(str, violations))
            assert cost_of(instance, names) == cost_of(instance, allocation)
    assert min(verdicts.values()) >= 50
    assert len(broken) >= 10  # kinds of rules
