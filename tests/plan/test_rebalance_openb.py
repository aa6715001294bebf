"""The openb trace with a twentieth of its demands changed: plan, gap, savings by moves."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rebalancing import CAPS, drifted, savings
from instances.readers import read_openb
from solver import PlanStatus, Status, check, check_plan
from tests.nightly import NIGHTLY

NODES = 1_213 if NIGHTLY else 260
OPTIONS = {"num_workers": 2, "time_limit": 30 if NIGHTLY else 5}


@pytest.fixture(scope="module")
def cluster(data_dir):
    """The trace; in CI some of its nodes, with what runs there."""
    files = ("openb_node_list_gpu_node.csv", "openb_pod_list_default.csv")
    whole = read_openb([data_dir / "openb" / name for name in files])
    changed = drifted(whole, 0.05, 0, time_limit=20, num_workers=2)
    if not NIGHTLY:
        rng = np.random.default_rng(0)
        nodes = np.sort(rng.choice(changed.num_nodes, NODES, replace=False))
        changed = changed.restrict(nodes, np.flatnonzero(np.isin(changed.current, nodes)))
    return changed


@pytest.mark.data
def test_more_moves_never_save_less_and_every_plan_replays_clean(cluster):
    saved = [0]
    caps = CAPS if NIGHTLY else (0, 20, None)
    for cap, result, _ in savings(cluster, caps, **OPTIONS):
        assert check(result.instance, result.allocation) == []
        assert result.plan.status is PlanStatus.ORDERED
        assert check_plan(result.instance, result.allocation, result.plan) == []
        assert result.moves <= (cluster.num_tasks if cap is None else cap)
        assert saved[-1] <= result.saving <= result.saving_bound
        assert result.gap < 0.005
        saved.append(result.saving)
    assert saved[1] == 0
    if NIGHTLY:
        assert saved[2] > 0
        assert result.status is Status.OPTIMAL
