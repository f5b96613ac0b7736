"""What the machine did while something was timed: who else worked, and how fast its cores were."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import InputError
from pipelines.locks import held, lock_of_user

REFERENCE_SIZE = 384
REFERENCE_REPEATS = 5


def interruptions() -> tuple[int, int]:
    """Involuntary context switches of this process, and time stolen from the virtual machine."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw, _jiffies()[7]


def usable_cores() -> list[int]:
    """Cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def require_cores(threads: Sequence[int]) -> None:
    """Raise an `InputError` for a number of threads that this machine has no cores for."""
    cores = len(usable_cores())
    if too_many := [count for count in threads if count > cores]:
        raise InputError(f"--threads {too_many[0]}: this machine has {cores} cores")


def pin(threads: int, after: int = 0) -> None:
    """Keep this process on so many cores, the last ones that it may use but for `after` others.

    The first core serves most interrupts of a machine. Where there are not enough for both, cores are
    shared.

    Raises
    ------
    ValueError
        Where there are fewer cores than threads.
    """
    cores = usable_cores()
    if len(cores) < threads:
        raise ValueError(f"{threads} threads on {len(cores)} cores")
    end = max(len(cores) - after, threads)
    os.sched_setaffinity(0, cores[end - threads : end])


@contextmanager
def alone_on_this_machine(on_event: Callable[[str], None] = lambda text: None) -> Iterator[None]:
    """One measurement at a time, whoever of this user asks for it; others wait for their turn."""
    told = "another measurement is running here: waiting for it"
    with held(lock_of_user("measure"), lambda: on_event(told)):
        yield


class Others:
    """How many cores other processes keep busy, from its making on."""

    def __init__(self) -> None:
        self.began, self.ours = time.monotonic(), time.process_time()
        self.busy = _busy()

    def cores(self) -> float:
        """Cores on average."""
        seconds = max(time.monotonic() - self.began, 1e-9)
        ours = time.process_time() - self.ours
        return max(0.0, (_busy() - self.busy - ours) / seconds)


def reference_seconds() -> float:
    """The fastest of a few products of small matrices on one thread: what the clock of a core allows.

    The same work at every call: it takes longer while the processor is throttled, or shared.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    values = np.ones((REFERENCE_SIZE, REFERENCE_SIZE), dtype=np.float32)
    seconds = []
    with threadpool_limits(1, "blas"):
        for _ in range(REFERENCE_REPEATS):
            started = time.perf_counter()
            values @ values
            seconds.append(time.perf_counter() - started)
    return min(seconds)


def _busy() -> float:
    """Seconds that all cores worked since the machine started, or were taken from it."""
    user, nice, system, _, _, interrupt, soft, stolen = _jiffies()
    return (user + nice + system + interrupt + soft + stolen) / os.sysconf("SC_CLK_TCK")


def _jiffies() -> Sequence[int]:
    words = Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=9)[1:9]
    return [int(word) for word in words]
