"""Timing a callable: warm-up until steady, repeats, and the interval of their median."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, stdev

from scipy import stats

from pipelines.measure.conditions import interruptions

Run = Callable[[], tuple[float, ...]]
STEADY = 0.95  # a run that is not faster than this share of the fastest before it
WARM_UP_SECONDS = 1.0
MINIMUM_REPEATS = 3
MAXIMUM_REPEATS = 100
REPEAT_SECONDS = 0.25
LEVEL = 0.95


@dataclass(frozen=True)
class Repeat:
    """One timed run.

    Attributes
    ----------
    marks
        Seconds from the start to each moment that the run reports; the last is its end.
    interrupted
        Whether another process took a core from this one meanwhile; `None` where that is not known.
    """

    marks: tuple[float, ...]
    interrupted: bool | None


def warm_up(run: Run) -> None:
    """Run until it gets no faster, or for a second."""
    fastest, spent = math.inf, 0.0
    while spent < WARM_UP_SECONDS:
        started = time.perf_counter()
        run()
        seconds = time.perf_counter() - started
        spent += seconds
        if seconds > STEADY * fastest:
            return
        fastest = min(fastest, seconds)


def time_repeats(run: Run) -> list[Repeat]:
    """Repeat at least three times and for a quarter of a second.

    Parameters
    ----------
    run
        Returns seconds since it began, at each moment that it reports.
    """
    repeats: list[Repeat] = []
    spent = 0.0
    while not is_enough(len(repeats), spent):
        before = interruptions()
        marks = run()
        repeats.append(Repeat(marks, interruptions() != before))
        spent += marks[-1]
    return repeats


def is_enough(repeats: int, seconds: float) -> bool:
    """Whether so many repeats, which took so long in all, are enough of one process."""
    return repeats >= (MINIMUM_REPEATS if seconds >= REPEAT_SECONDS else MAXIMUM_REPEATS)


def interval_of_another(medians: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """Where the median of another measurement of the same kind will lie.

    Repeats within a process agree better than processes do. So a measurement is several processes, one
    after another, and its interval comes of what differs between them (Kalibera and Jones, Rigorous
    benchmarking in reasonable time, 2013): the prediction interval of the mean of as many log medians
    more, by Student's t. It knows nothing of what is alike in all of them and another day is not.

    Parameters
    ----------
    medians
        One of each process, at least two, above zero.

    Examples
    --------
    >>> low, high = interval_of_another([1.00, 1.02, 0.99])
    >>> round(low, 2), round(high, 2)
    (0.95, 1.06)
    """
    logs = [math.log(each) for each in medians]
    centre, number = sum(logs) / len(logs), len(logs)
    half = stats.t.ppf((1 + level) / 2, number - 1) * stdev(logs) * math.sqrt(2 / number)
    return math.exp(centre - half), math.exp(centre + half)


def typical(medians: Sequence[float]) -> float:
    """The geometric mean, which the interval is around."""
    return math.exp(sum(map(math.log, medians)) / len(medians))


def medians_of(repeats: Sequence[Repeat]) -> tuple[float, ...]:
    """The median of each moment, in seconds."""
    return tuple(median(marks) for marks in zip(*(each.marks for each in repeats), strict=True))
