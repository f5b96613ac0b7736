"""Timing a callable: warm-up, repeats, and which repeats were interrupted."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

WARM_UP = 2
MINIMUM_REPEATS = 7
MAXIMUM_REPEATS = 200
TARGET_SECONDS = 0.5


@dataclass(frozen=True)
class Repeat:
    """One timed run.

    Attributes
    ----------
    marks
        Seconds from the start to each moment that the run reports; the last is its end.
    interrupted
        Whether another process took a core from this one meanwhile.
    """

    marks: tuple[float, ...]
    interrupted: bool


def time_repeats(run: Callable[[], tuple[float, ...]]) -> list[Repeat]:
    """Warm up, then repeat for at least 7 times and 0.5 seconds.

    Parameters
    ----------
    run
        Returns readings of `time.perf_counter` taken during the run.
    """
    for _ in range(WARM_UP):
        run()
    repeats: list[Repeat] = []
    total = 0.0
    while len(repeats) < MINIMUM_REPEATS or (
        total < TARGET_SECONDS and len(repeats) < MAXIMUM_REPEATS
    ):
        before = _interruptions()
        started = time.perf_counter()
        marks = tuple(mark - started for mark in run())
        repeats.append(Repeat(marks, _interruptions() != before))
        total += marks[-1]
    return repeats


def summarise(repeats: list[Repeat], mark: int = -1) -> dict[str, float]:
    """Median, 99th percentile and relative interquartile range of a mark, in seconds.

    With fewer than 100 repeats the 99th percentile is close to their maximum.

    Examples
    --------
    >>> summarise([Repeat((second,), False) for second in (1.0, 2.0, 3.0)])
    {'median': 2.0, 'p99': 2.98, 'relative_iqr': 0.5}
    """
    seconds = [repeat.marks[mark] for repeat in repeats]
    middle = median(seconds)
    low, _, high = quantiles(seconds, n=4, method="inclusive")
    p99 = quantiles(seconds, n=100, method="inclusive")[-1]
    return {"median": middle, "p99": round(p99, 9), "relative_iqr": (high - low) / middle}


def _interruptions() -> tuple[int, str]:
    """Involuntary context switches of this process, and time stolen from the virtual machine."""
    stolen = Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=9)[8]
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw, stolen
