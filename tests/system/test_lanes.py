"""Lanes: a flag that all the work of a thread looks at, in whatever thread that work is done."""

import threading
from concurrent.futures import ThreadPoolExecutor

from solver.system.lanes import Lane, current_lane, halted, in_same_lane, within


def test_outside_of_lanes_nothing_is_halted():
    assert current_lane() is None
    assert not halted()


def test_a_lane_is_halted_by_its_flag_or_called_off():
    halt = threading.Event()
    lane = Lane(halt)
    with within(lane):
        assert current_lane() is lane
        assert not halted()
        lane.called_off.set()
        assert halted()
        lane.called_off.clear()
        assert not halted()
        halt.set()
        assert halted()
    assert not halted()


def test_threads_of_a_lane_belong_to_it_only_where_that_is_asked_for():
    lane = Lane(threading.Event())
    with within(lane), ThreadPoolExecutor(2) as pool:
        plain = pool.submit(current_lane)
        same = [pool.submit(in_same_lane(current_lane)) for _ in range(2)]
        assert plain.result() is None
        assert [each.result() for each in same] == [lane, lane]
