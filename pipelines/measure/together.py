"""Several requests at a time, served by one copy of a model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from pipelines.measure.timing import Repeat, Run, is_enough, warm_up


def time_together(runs: Sequence[Run]) -> tuple[list[Repeat], float]:
    """Repeats that were done while all runs were at work, and how many a second that were.

    All are warmed up, begin together, and go on until each has enough, or one fails. Nothing is asked
    of the system between two runs, as it would slow all of them.

    Raises
    ------
    Exception
        What the first one that failed raised.
    """
    done: list[list[tuple[float, Repeat]]] = [[] for _ in runs]
    spent = [0.0 for _ in runs]
    ready = Barrier(len(runs))
    failures: list[BaseException] = []

    def is_over() -> bool:
        return bool(failures) or all(map(is_enough, map(len, done), spent))

    def work(place: int) -> tuple[float, float]:
        warm_up(runs[place])
        ready.wait()
        began = time.perf_counter()
        while not is_over():
            marks = runs[place]()
            done[place].append((time.perf_counter(), Repeat(marks, None)))
            spent[place] += marks[-1]
        return began, time.perf_counter()

    def work_or_stop_all(place: int) -> tuple[float, float] | None:
        try:
            return work(place)
        except BaseException as error:  # the others would wait for it for ever
            failures.append(error)
            ready.abort()
            return None

    with ThreadPoolExecutor(len(runs)) as pool:
        spans = list(pool.map(work_or_stop_all, range(len(runs))))
    if failures:
        raise failures[0]
    first, last = max(began for began, _ in spans), min(ended for _, ended in spans)
    within = [repeat for own in done for moment, repeat in own if moment <= last]
    return within, len(within) / (last - first)
