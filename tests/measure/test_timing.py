"""Warm-up, repeats, and whether intervals hold what they promise."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipelines.measure import timing
from pipelines.measure.conditions import Others, pin, reference_seconds, usable_cores
from pipelines.measure.timing import (
    MINIMUM_REPEATS,
    REPEAT_SECONDS,
    Repeat,
    interval_of_another,
    medians_of,
    time_repeats,
    typical,
    warm_up,
)
from pipelines.measure.together import time_together


def asleep(seconds: float) -> tuple[float, ...]:
    started = time.perf_counter()
    time.sleep(seconds)
    return (time.perf_counter() - started,)


def test_warming_up_ends_when_nothing_gets_faster(monkeypatch):
    now, runs = 0.0, []

    def run(*seconds: float) -> None:
        nonlocal now
        runs.append(seconds[len(runs)])
        now += runs[-1]

    monkeypatch.setattr(timing.time, "perf_counter", lambda: now)
    for seconds in ((0.3, 0.1, 0.02, 0.0199), (1.1,), (0.5, 0.4, 0.3)):
        runs.clear()
        warm_up(lambda told=seconds: run(*told, 9.9))
        assert runs == list(seconds)


def test_long_runs_are_repeated_thrice_and_short_ones_for_a_while():
    assert len(time_repeats(lambda: asleep(0.2))) == MINIMUM_REPEATS
    repeats = time_repeats(lambda: asleep(0.01))
    assert len(repeats) > MINIMUM_REPEATS
    assert sum(each.marks[-1] for each in repeats) >= REPEAT_SECONDS


def test_the_median_is_that_of_every_moment():
    repeats = [Repeat((first, last), False) for first, last in ((1, 5), (2, 9), (9, 7))]
    assert medians_of(repeats) == (2, 7)


@pytest.mark.parametrize("spread", [0.001, 0.05, 0.3])
@pytest.mark.parametrize("executions", [2, 3, 5])
def test_another_measurement_is_inside_as_often_as_is_said(spread: float, executions: int):
    rng = np.random.default_rng(7)
    logs = rng.normal(3.0, spread, size=(2000, 2, executions))
    inside = 0
    for first, second in np.exp(logs):
        low, high = interval_of_another(first)
        assert low <= typical(first) <= high
        inside += low <= typical(second) <= high
    assert inside / 2000 == pytest.approx(0.95, abs=0.02)


def test_work_of_others_is_seen_and_our_own_is_not():
    def work() -> None:
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            pass

    others, began, before = Others(), others_of_all(), sum(os.times()[:2])
    work()
    seen, ours = others.cores(), sum(os.times()[:2]) - before
    # whatever runs beside this test counts, the work here, of a second at most, does not
    assert seen == pytest.approx(others_of_all(began) - ours, abs=0.3)
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        others = Others()
        time.sleep(1.0)
        assert others.cores() > 0.3
    finally:
        busy.kill()
        busy.wait()


def others_of_all(began: tuple[float, float] | None = None) -> object:
    """Now; or how many cores were busy since then, whoever kept them so."""
    words = Path("/proc/stat").read_text(encoding="ascii").split()[1:9]
    busy = sum(int(word) for place, word in enumerate(words) if place not in (3, 4)) / 100
    now = (time.monotonic(), busy)
    return now if began is None else (now[1] - began[1]) / (now[0] - began[0])


def test_requests_at_a_time_are_counted_while_all_are_at_work():
    repeats, rate = time_together([lambda: asleep(0.05), lambda: asleep(0.2)])
    # 20 a second and 5 a second, until the slow one has three
    assert 12 < rate < 25
    assert len(repeats) >= 2 * MINIMUM_REPEATS
    # by each other
    assert {repeat.interrupted for repeat in repeats} == {None}


@pytest.mark.parametrize("runs_before", [0, 5])
def test_a_request_that_fails_ends_all_that_run_with_it(runs_before: int):
    times = 0

    def fails() -> tuple[float, ...]:
        nonlocal times
        times += 1
        if times > runs_before:
            raise MemoryError("no room")
        return asleep(0.01)

    with pytest.raises(MemoryError, match="no room"):
        time_together([lambda: asleep(0.01), fails, lambda: asleep(0.01)])


def test_a_process_is_pinned_to_the_last_cores_that_it_may_use():
    cores = usable_cores()
    try:
        pin(1)
        assert usable_cores() == cores[-1:]
        with pytest.raises(ValueError, match="2 threads on 1 cores"):
            pin(2)
        os.sched_setaffinity(0, cores)
        pin(1, after=1)
        assert usable_cores() == (cores[-2:-1] or cores[-1:])
    finally:
        os.sched_setaffinity(0, cores)


def test_the_reference_work_is_the_same_every_time():
    found = [reference_seconds() for _ in range(20)]
    assert 0 < min(found) <= np.median(found) < 20 * min(found)
