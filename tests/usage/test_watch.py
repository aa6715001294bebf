"""Watching round by round: what is proposed when, what goes wrong, and what is remembered."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

import solver.usage.watching as watching
from solver import (
    Instance,
    Node,
    PlanStatus,
    Task,
    Usage,
    check,
    check_plan,
    read_allocation,
    read_instance,
    read_plan,
    read_usage,
    rebalance,
)
from solver.errors import InstanceError, OptionError
from solver.plan.order import order_moves
from solver.system.interrupts import interrupted_once
from solver.system.scratch import Scratch
from solver.usage.state import State, append_record, mended_log, read_state, write_state
from solver.usage.watching import Clock, Outputs, Watch

MANY = 30


class FakeClock(Clock):
    """Time passes only where somebody waits."""

    def __init__(self, at: float = 1_000_000.0) -> None:
        self.at = at
        self.waited: list[float] = []

    def now(self) -> float:
        return self.at

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += seconds


def cluster(**figures: float) -> Instance:
    """Two rented servers; on each a task that, as asked for, leaves no room for the other."""
    return Instance(
        [Node("a", 10, fixed_cost=24), Node("b", 10, fixed_cost=24)],
        [Task(name, figures.get(name, 8)) for name in ("x", "y")],
        max_load=1,
        power_off=True,
        current={"x": "a", "y": "b"},
        currency="USD",
    )


def used(**samples: float) -> Usage:
    return Usage.of({task: {"compute": [value] * MANY} for task, value in samples.items()})


@pytest.fixture
def watch(tmp_path: Path):
    records: list[dict] = []

    def make(usages=(lambda: used(x=4, y=4),), instance=cluster, **options) -> Watch:
        made = Watch(
            instance=instance,
            usages=usages,
            state=tmp_path / "state.json",
            log=tmp_path / "log.jsonl",
            outputs=Outputs(tmp_path / "new.csv", adjusted=tmp_path / "adjusted.json"),
            tell=records.append,
            cooldown=1800,
            rebalancing={"time_limit": 5, "num_workers": 1},
            clock=FakeClock(),
        )
        for name, value in options.items():
            setattr(made, name, value)
        return made

    make.records = records
    make.folder = tmp_path
    return make


def log_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def statuses(records) -> list[str]:
    return [record["status"] for record in records]


def test_it_proposes_cools_down_and_proposes_again(watch):
    made = watch()
    made.run(every=600, rounds=5)
    assert statuses(watch.records) == [
        "proposed",
        *["cooling down"] * 2,
        "proposed",
        "cooling down",
    ]
    assert made.clock.waited == [600.0] * 4
    first = watch.records[0]
    assert (first["cost_now"], first["cost"], first["saving"], first["saving_bound"]) == (
        48,
        24,
        24,
        24,
    )
    assert first["usage"] == {"measured": 2}
    adjusted = read_instance(watch.folder / "adjusted.json")
    assert [task.compute for task in adjusted.tasks] == [4.6, 4.6]
    allocation = read_allocation(adjusted, watch.folder / "new.csv")
    assert check(adjusted, allocation) == []
    assert len(set(dict(allocation.node_of).values())) == 1
    assert log_of(watch.folder) == watch.records


def test_it_stays_where_too_little_is_saved(watch):
    watch(min_saving="51%").run(every=1, rounds=1)
    assert statuses(watch.records) == ["staying"]
    assert watch.records[0]["saving_bound"] == 24
    assert not (watch.folder / "new.csv").exists()


def test_what_is_there_now_is_followed(watch):
    watch().run(every=1, rounds=1)
    moved = cluster().replace(current={"x": "a", "y": "a"})
    watch(instance=lambda: moved, cooldown=0).run(every=1, rounds=1)
    assert statuses(watch.records) == ["proposed", "staying"]
    assert watch.records[-1]["cost_now"] == 24


def test_files_that_are_missing_or_half_written_leave_the_figures_as_they_were(watch):
    path = watch.folder / "usage.csv"
    rows = "".join(f"x,{k},4\ny,{k},4\n" for k in range(MANY))
    made = watch(usages=[lambda: read_usage(path), lambda: used(z=1)], cooldown=0)
    made.run(every=1, rounds=1)
    assert watch.records[-1]["cost_now"] == 48
    assert "there is no such file; its figures stay" in watch.records[-1]["problems"][0]
    assert statuses(watch.records) == ["staying"]
    path.write_text("task_id,time,compute\n" + rows)
    made.run(every=1, rounds=1)
    assert statuses(watch.records)[-1] == "proposed"
    path.write_text("task_id,time,compute\n" + rows + "x,99")
    made.run(every=1, rounds=1)  # the figures of the round before hold
    assert statuses(watch.records)[-1] == "proposed"
    assert "2 cells for 3 columns" in watch.records[-1]["problems"][0]
    assert [record["round"] for record in log_of(watch.folder)] == [1, 2, 3]


def test_figures_that_were_measured_hold_until_the_instance_says_otherwise(watch):
    figures = {"x": 8.0}
    made = watch(instance=lambda: cluster(**figures), cooldown=0)
    made.run(every=1, rounds=1)
    made = watch(usages=[Usage], instance=lambda: cluster(**figures), cooldown=0)
    made.run(every=1, rounds=1)
    assert statuses(watch.records) == ["proposed", "proposed"]
    figures["x"] = 7.0  # somebody asks for another figure: the old measurement is of another time
    made.run(every=1, rounds=1)
    assert statuses(watch.records)[-1] == "staying"


def test_a_share_as_floor_is_of_what_the_instance_says(watch):
    made = watch(usages=[lambda: used(x=0.1)], measuring={"floor": "50%"}, cooldown=0)
    made.run(every=1, rounds=3)
    assert read_state(made.state).figures
    assert {measured for _, measured in read_state(made.state).figures.values()} == {4}


def test_an_instance_that_cannot_be_read_stays_as_it_was(watch):
    given = [cluster(), cluster()]

    def instance():
        if not given:
            raise InstanceError("cluster.json: cut short")
        return given.pop()

    watch(instance=instance).run(every=1, rounds=2)
    assert watch.records[1]["problems"] == ["cluster.json: cut short; the instance stays as it was"]
    assert watch.records[1]["cost_now"] == 48
    with pytest.raises(InstanceError, match="cut short"):
        watch(instance=instance).run(every=1, rounds=1)


def test_an_instance_without_places_and_wrong_options_end_it(watch):
    with pytest.raises(OptionError, match="not known where tasks are now"):
        watch(instance=lambda: cluster().replace(current=None)).run(1, 1)
    with pytest.raises(OptionError, match="percentile must be"):
        watch(measuring={"percentile": 7}).run(1, 1)
    with pytest.raises(OptionError, match="min_saving is 'much'"):
        watch(min_saving="much").run(1, 1)
    assert watch.records == []


def test_no_plan_is_said(watch):
    watch(usages=[lambda: used(x=40)]).run(1, 1)
    record = watch.records[0]
    assert (record["status"], record["num_broken"]) == ("no plan", 1)
    assert record["message"]


def test_a_proposal_that_cannot_be_written_is_told_and_made_again(watch):
    made = watch(outputs=Outputs(watch.folder / "gone" / "new.csv"))
    made.run(every=1, rounds=1)
    assert statuses(watch.records) == ["failed"]
    assert "gone" in watch.records[0]["problems"][0]
    (watch.folder / "gone").mkdir()
    made.run(every=1, rounds=1)
    assert statuses(watch.records)[-1] == "proposed"


def test_a_clock_that_was_set_back_does_not_stop_proposals(watch):
    made = watch()
    made.run(every=1, rounds=1)
    made.clock.at -= 1e6
    made.run(every=1, rounds=1)
    assert statuses(watch.records) == ["proposed", "proposed"]


@pytest.mark.parametrize("status", [PlanStatus.ORDERED, PlanStatus.UNKNOWN])
def test_a_plan_is_written_and_without_an_order_nothing_is_proposed(watch, monkeypatch, status):
    def ordered(instance, **options):
        result = rebalance(instance, **options)
        after = result.allocation.node_index
        plan = order_moves(instance, instance.current, after)
        return replace(result, plan=replace(plan, status=status), message="why not")

    monkeypatch.setattr(watching, "rebalance", ordered)
    outputs = Outputs(watch.folder / "new.csv", watch.folder / "plan.csv", watch.folder / "a.json")
    watch(outputs=outputs).run(every=1, rounds=1)
    record = watch.records[0]
    assert (record["waves"], record["bypasses"]) == (1, 0)
    if status is not PlanStatus.ORDERED:
        assert (record["status"], record["message"]) == ("no plan", "why not")
        assert not (watch.folder / "new.csv").exists()
        return
    instance = read_instance(watch.folder / "a.json")
    plan = read_plan(instance, watch.folder / "plan.csv")
    allocation = read_allocation(instance, watch.folder / "new.csv")
    assert (record["status"], plan.num_moves) == ("proposed", 1)
    assert check_plan(instance, allocation, plan) == []


def test_an_interrupted_search_ends_it_and_leaves_no_trace(watch, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "rebalance", interrupted)
    made = watch()
    with pytest.raises(KeyboardInterrupt):
        made.run(every=1, rounds=1)
    assert not made.state.exists()
    assert watch.records == []


class Crash(BaseException):
    """The process ends here, as by a kill."""


def test_an_interrupt_that_a_solve_keeps_to_itself_ends_it_after_the_round(watch, monkeypatch):
    def about_to_end(*arguments, **options):
        with interrupted_once() as finish:
            finish()
            signal.raise_signal(signal.SIGINT)
        return rebalance(*arguments, **options)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(watching, "rebalance", about_to_end)
    watcher = watch()
    try:
        with pytest.raises(KeyboardInterrupt):
            watcher.run(0.0, 3)
    finally:
        signal.signal(signal.SIGINT, before)
    assert read_state(watcher.state).round == 1


@pytest.mark.parametrize("at", range(9))
@pytest.mark.parametrize("half", [False, True])
def test_a_crash_at_any_write_is_mended_by_the_next_start(watch, monkeypatch, at, half):
    count = 0

    def crashing(original):
        def write(*arguments):
            nonlocal count
            count += 1
            if count - 1 == at:
                if half:
                    original(*arguments)
                raise Crash
            return original(*arguments)

        return write

    def half_a_line(path, record):
        nonlocal count
        count += 1
        if count - 1 == at:
            with path.open("ab") as stream:
                stream.write(json.dumps(record).encode()[: 40 if half else None])
            raise Crash
        append_record(path, record)

    made = watch(cooldown=1)
    with monkeypatch.context() as patched:
        patched.setattr(Scratch, "commit", crashing(Scratch.commit))
        patched.setattr(watching, "append_record", half_a_line)
        try:
            made.run(every=1, rounds=2)
        except Crash:
            pass
        else:
            assert at == 2 * 4
    made.run(every=1, rounds=2)
    rounds = [record["round"] for record in log_of(watch.folder)]
    assert rounds == list(range(1, len(rounds) + 1))
    state = read_state(made.state)
    assert state.last == log_of(watch.folder)[-1]
    adjusted = read_instance(watch.folder / "adjusted.json")
    assert check(adjusted, read_allocation(adjusted, watch.folder / "new.csv")) == []


def test_two_do_not_watch_by_one_state(watch):
    def second(record):
        with pytest.raises(OptionError, match="another watch has this state"):
            watch().run(every=1, rounds=1)

    watch(tell=second).run(every=1, rounds=1)
    watch().run(every=1, rounds=1)
    assert statuses(watch.records) == ["cooling down"]


def test_the_state_reads_back_exactly(tmp_path):
    key = watching.Key("t", None, "v", 2, "gpu")
    state = State(7, 1.5, {key: (2**70, 0.1)}, {"round": 7})
    write_state(state, tmp_path / "state")
    assert read_state(tmp_path / "state") == state
    assert read_state(tmp_path / "none") == State()


GOOD = {
    "schema": "nodewise-watch/1",
    "round": 1,
    "proposed_at": None,
    "last": None,
    "figures": [["t", None, None, None, "compute", 1, 2]],
}
BAD = [
    {"schema": "nodewise-watch/2"},
    {"round": -1},
    {"round": True},
    {"proposed_at": float("nan")},
    {"last": []},
    {"last": {"round": "1"}},
    {"figures": [1]},
    {"figures": [["t", None, None, None, "compute", 1, -1]]},
    {"figures": [["t", None, None, "1", "compute", 1, 1]]},
    {"figures": [[1, None, None, None, "compute", 1, 1]]},
    {"figures": [["t", None, None, "compute", 1, 1]]},
]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "\ud800", *(json.dumps({**GOOD, **bad}) for bad in BAD)]
)
def test_a_state_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "state").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(OptionError, match="not the state of a watch"):
        read_state(tmp_path / "state")
    (tmp_path / "state").write_text(json.dumps(GOOD))
    assert read_state(tmp_path / "state").round == 1


def test_a_log_is_mended_whatever_its_last_line(tmp_path):
    log, state = tmp_path / "log", State(2, None, {}, {"round": 2})
    whole = '{"round": 1}\n{"round": 2}\n'
    for before in (
        "",
        '{"round": 1}\n',
        '{"round": 1}\n{"rou',
        whole,
        whole + '{"x',
        '{"round": 1',
    ):
        log.write_text(before)
        mended_log(log, state)
        assert log.read_text().endswith('{"round": 2}\n')
        assert log.read_text() in (whole, '{"round": 2}\n')
    long = json.dumps({"round": 1, "text": "x" * 300_000}) + "\n"
    log.write_text(long + long + "x" * 200_000)
    mended_log(log, State(1, None, {}, {"round": 1}))
    assert log.read_text() == long + long
