"""What a function takes in a process of its own: CPU seconds and the most memory (Linux)."""

from __future__ import annotations

import ctypes
import re
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple, TypeVar

import psutil

Result = TypeVar("Result")


class Cost(NamedTuple):
    """CPU seconds, of children too, and the most memory that the process or a child held, in MiB.

    Libraries and what the function is given are part of the memory, but not of the time.
    """

    cpu: float
    peak: float


def apart(work: Callable[..., Result], *asked: object) -> Result:
    """Call a function in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *asked).result()


def cost_of(work: Callable[[], Result]) -> tuple[Cost, Result]:
    """What a call takes, and its result. What went before must not have started larger children."""
    forget()
    before = _cpu()
    result = work()
    return Cost(_cpu() - before, peak_memory()), result


def forget() -> None:
    """Give back what was freed, and count the most memory from here on."""
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory() -> float:
    """The most memory that this process or a child of it held, MiB.

    A child counts what this process held when it was started (Linux: `ru_maxrss`).
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(int(re.search(r"VmHWM:\s+(\d+)", status)[1]), children) / 1024


@contextmanager
def memory_of(pid: int) -> Iterator[list[float]]:
    """What a process and its children hold, MiB, twice a second; what they share counts once."""
    found, over, process = [0.0], Event(), psutil.Process(pid)

    def sample() -> None:
        while not over.wait(0.5):
            with suppress(psutil.Error):  # one of them has just ended
                family = [process, *process.children(recursive=True)]
                found.append(sum(each.memory_full_info().pss for each in family) / 2**20)

    sampling = Thread(target=sample)
    sampling.start()
    try:
        yield found
    finally:
        over.set()
        sampling.join()


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
