import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from solver.engines import mip
from solver.engines.process import EngineCrash, HardLimitReached, run_job
from solver.errors import BackendUnavailableError
from solver.programs.linear_model import INFINITE, LinearModelBuilder

JOBS = "engine_jobs"
GLOP = "solver.engines.glop"
CP_SAT = "solver.engines.cp_sat"
PULP = "solver.engines.mip"


def wait_until_gone(pid, rounds=1_200):
    """Whether a process ends within so many short waits."""
    for _ in range(rounds):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        with open(f"/proc/{pid}/stat") as stat:
            if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        time.sleep(0.05)
    return False


def test_a_job_returns_its_result_and_its_news_in_order():
    news = []
    assert run_job(
        JOBS, "echo", {"x": np.arange(3).tolist()}, hard_limit=30, on_news=news.append
    ) == {"x": [0, 1, 2]}
    assert news == ["first", "second"]


def test_a_child_is_used_again():
    assert run_job(JOBS, "pid", None, hard_limit=30) == run_job(JOBS, "pid", None, hard_limit=30)


def test_what_a_solver_prints_does_not_disturb_the_frames(capfd):
    assert run_job(JOBS, "shout", 5, hard_limit=30) == 5
    assert capfd.readouterr().out == ""


def test_a_job_that_overruns_is_killed_after_its_news_came():
    pids = []
    with pytest.raises(HardLimitReached):
        run_job(JOBS, "hang", None, hard_limit=2.0, on_news=pids.append)
    assert len(pids) == 1
    assert wait_until_gone(pids[0])
    assert run_job(JOBS, "echo", 1, hard_limit=30) == 1


def test_a_child_that_dies_is_reported_with_its_last_words():
    with pytest.raises(EngineCrash, match=r"died \(7\): out of luck"):
        run_job(JOBS, "die", None, hard_limit=30)


def test_a_job_that_raises_is_reported():
    with pytest.raises(EngineCrash, match="ValueError: no such thing"):
        run_job(JOBS, "fail", None, hard_limit=30)


def test_a_missing_back_end_is_named():
    with pytest.raises(BackendUnavailableError, match="no_such_engine"):
        run_job("no_such_engine", "solve", None, hard_limit=30)


def test_children_end_with_their_parent():
    code = """
        from solver.engines.process import run_job
        show = lambda pid: print(pid, flush=True)
        run_job("engine_jobs", "hang", None, hard_limit=60, on_news=show)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert wait_until_gone(pid)


def small_model():
    """Minimise 2a + 3b + c with a + b + c = 1, b >= a, c <= 0: the optimum is b = 1."""
    builder = LinearModelBuilder()
    a, b, c = builder.add_columns(3, cost=[2, 3, 1])
    rows = builder.add_rows(3, lower=[1, 0, -INFINITE], upper=[1, INFINITE, 0])
    builder.add_entries(rows[[0, 0, 0, 1, 1, 2]], [a, b, c, b, a, c], [1, 1, 1, 1, -1, 1])
    return builder.build()


def cp_sat_payload(model, **changes):
    payload = {
        "model": model,
        "hint": None,
        "objective_lower": None,
        "objective_upper": None,
        "time_limit": 20.0,
        "seed": 0,
        "num_workers": 1,
        "rel_gap": 0.0,
        "deterministic_limit": None,
    }
    return {**payload, **changes}


def test_glop_gives_the_value_and_the_duals_of_a_relaxation():
    answer = run_job(
        GLOP, "solve_relaxation", {"model": small_model(), "time_limit": 9}, hard_limit=30
    )
    assert answer["status"] == "optimal"
    assert np.allclose(answer["values"], [0.5, 0.5, 0.0])
    assert answer["duals"][0] == pytest.approx(2.5)


def test_cp_sat_proves_a_small_model():
    answer = run_job(CP_SAT, "solve_model", cp_sat_payload(small_model()), hard_limit=30)
    assert (answer["status"], answer["bound"]) == ("optimal", 3)
    assert answer["values"].tolist() == [0, 1, 0]


def test_cp_sat_says_infeasible_and_gives_no_bound():
    builder = LinearModelBuilder()
    x = builder.add_columns(2, cost=1)
    builder.add_entries(builder.add_rows(1, lower=3), x, 1)
    answer = run_job(CP_SAT, "solve_model", cp_sat_payload(builder.build()), hard_limit=30)
    assert (answer["status"], answer["values"], answer["bound"]) == ("infeasible", None, None)


@pytest.mark.parametrize("solver", ["HiGHS", "CBC"])
@pytest.mark.parametrize("hint", [None, np.array([0, 1, 0])])
def test_mip_solvers_prove_a_small_model(solver, hint, tmp_path):
    payload = {
        "solver": solver,
        "model": small_model(),
        "hint": hint,
        "time_limit": 20.0,
        "seed": 3,
        "num_workers": 1,
        "rel_gap": 0.0,
        "folder": str(tmp_path),
    }
    answer = run_job(PULP, "solve_model", payload, hard_limit=30)
    assert answer["status"] == "optimal"
    assert np.allclose(answer["values"], [0, 1, 0])
    assert answer["objective"] == pytest.approx(3)


def test_cp_sat_models_are_the_same_however_many_booleans_there_are():
    """Long runs of Booleans are copied in blocks: count and bounds must come out right."""
    code = """
        import numpy as np
        from solver.engines.cp_sat import build
        from solver.programs.linear_model import LinearModelBuilder
        for count in (0, 1, 4095, 4096, 4097, 9000):
            builder = LinearModelBuilder()
            builder.add_columns(2, upper=7, cost=1)
            builder.add_columns(count)
            builder.add_columns(1, lower=2, upper=5)
            proto = build(builder.build(), 0, 10).proto
            limits = [tuple(variable.domain) for variable in proto.variables]
            assert limits == [(0, 7)] * 2 + [(0, 1)] * count + [(2, 5)], count
            assert list(proto.objective.domain) == [0, 10]
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


HIGHS_LOG = """
        Nodes      |    B&B Tree     |            Objective Bounds              |  Dynamic
Src  Proc. InQueue |  Leaves   Expl. | BestBound       BestSol              Gap |   Cuts

 J       0       0         0   0.00%   -inf            10920              Large        0
         0       0         0   0.00%   2               10920             99.98%        0
 L    2907     788       961  51.56%   17.5            124               98.39%     1806

Solving report
  Status            Time limit reached
  Primal bound      124
  Dual bound        {}
"""

CBC_LOG = """
     54898    21040     56             127                                2   98.43%      11.0
     64012    21530      1              79                             12.5   97.47%      12.4

Result - Stopped on time limit
Objective value:                79
Lower bound:                    {}
"""

LOGS = [("HiGHS", HIGHS_LOG, 10), ("CBC", CBC_LOG, 6)]


@pytest.mark.parametrize(("solver", "log", "digits"), LOGS)
@pytest.mark.parametrize("shown", ["2", "0", "-3.5", "123456", "1.23457e+06", "99.9999"])
def test_bounds_read_off_a_log_are_lowered_by_what_printing_may_hide(solver, log, digits, shown):
    bound = mip._reported_bound(log.format(shown), solver)
    value = float(shown)
    size = len(str(int(abs(value))))
    assert bound < value
    assert value - bound == pytest.approx(10.0 ** (size - digits), rel=1e-3, abs=1e-9)


def test_the_last_row_of_a_progress_table_gives_the_bound():
    assert mip._table_bound(HIGHS_LOG, "HiGHS") == pytest.approx(17.5)
    assert mip._table_bound(CBC_LOG, "CBC") == pytest.approx(12.5, abs=1e-3)


def test_no_other_column_of_a_log_is_taken_for_the_bound():
    """A row of CBC's table ends in a time, which once was read as a bound of HiGHS's."""
    assert mip._table_bound(CBC_LOG, "HiGHS") is None
    assert mip._table_bound(HIGHS_LOG, "CBC") is None


@pytest.mark.parametrize("solver", ["HiGHS", "CBC", "SCIP_CMD"])
def test_a_log_without_a_bound_gives_none(solver):
    assert mip._reported_bound("nothing here", solver) is None
    assert mip._reported_bound(HIGHS_LOG.format("-inf"), solver) is None
    assert mip._table_bound("", solver) is None
