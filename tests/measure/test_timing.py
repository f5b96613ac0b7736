"""Warm-up, repeats, and whether intervals hold what they promise."""

from __future__ import annotations

import time

import numpy as np
import pytest

from pipelines.measure.conditions import Others, reference_seconds
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


def asleep(seconds: float) -> tuple[float, ...]:
    started = time.perf_counter()
    time.sleep(seconds)
    return (time.perf_counter() - started,)


def test_warming_up_ends_when_nothing_gets_faster():
    seconds = iter([0.3, 0.1, 0.02, 0.02, 0.02])
    assert warm_up(lambda: asleep(next(seconds))) == 4
    assert warm_up(lambda: asleep(1.1)) == 1


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


def test_work_of_others_is_seen(tmp_path):
    import subprocess
    import sys

    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        others = Others()
        time.sleep(1.0)
        assert others.cores() > 0.3
    finally:
        busy.kill()
        busy.wait()


def test_the_reference_work_is_the_same_every_time():
    found = [reference_seconds() for _ in range(20)]
    assert 0 < min(found) <= np.median(found) < 20 * min(found)
