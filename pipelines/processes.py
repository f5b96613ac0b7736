"""Other processes of this machine, for work in which threads would wait for Python's lock.

Each has a pipe of its own, and a thread here that waits for it: where one is killed nothing hangs, as it
may with `concurrent.futures.ProcessPoolExecutor`. None of them imports the main module.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from threading import Lock, local
from typing import NamedTuple, TypeVar

from pipelines.errors import BenchmartError

Result = TypeVar("Result")
# modules are looked for where this process looks for them, not where it was called
SERVE = """
import sys
sys.path[:] = sys.argv[2:]
from pipelines.processes import serve
serve(int(sys.argv[1]))
"""


class Shared(NamedTuple):
    """Stands for a value that every process is given once."""

    number: int


class Worker:
    """A process that calls one function after another."""

    def __init__(self) -> None:
        self.pipe, its = Pipe()
        with its:  # in a session of its own: an interrupt is for the process that asks
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(its.fileno()), *sys.path],
                pass_fds=[its.fileno()],
                start_new_session=True,
            )

    def call(self, function: Callable[..., Result], arguments: tuple) -> Result:
        """What the function returns or raises there; `EOFError` or `OSError` where the process ends."""
        self.pipe.send((function, arguments))
        return self.pipe.recv()

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self.pipe.close()
        self.process.kill()
        self.process.wait()


class Processes:
    """An `Engine` of so many processes, which start when they are needed."""

    def __init__(self, side_by_side: int) -> None:
        self.side_by_side = side_by_side
        self.workers: list[Worker] = []
        self._values: list[object] = []
        self._threads, self._own = ThreadPoolExecutor(side_by_side), local()
        self._starting, self._over = Lock(), False

    def share(self, value: object) -> Shared:
        """See `Engine`; before anything is submitted."""
        if self.workers:
            raise RuntimeError("processes are at work that would not know the value")
        self._values.append(value)
        return Shared(len(self._values) - 1)

    def submit(self, function: Callable[..., Result], *arguments: object) -> Future[Result]:
        """See `Engine`."""
        return self._threads.submit(self._ask, function, arguments)

    def _ask(self, function: Callable[..., Result], arguments: tuple) -> Result:
        try:
            if not hasattr(self._own, "worker"):
                self._own.worker = self._started()
                self._own.worker.pipe.send(self._values)
            result, error = self._own.worker.call(function, arguments)
        except (EOFError, OSError):
            raise BenchmartError(
                f"one of {self.side_by_side} processes that shared the work has ended, as where a system"
                " is out of memory: fewer `threads` in benchmart.toml need less"
            ) from None
        if error is not None:
            raise error
        return result

    def _started(self) -> Worker:
        with self._starting:
            if self._over:
                raise EOFError  # nobody waits for it
            self.workers.append(Worker())
            return self.workers[-1]

    def end(self) -> None:
        """End all processes, and with them what is not done."""
        with self._starting:
            self._over = True
        for worker in self.workers:
            worker.process.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in self.workers:
            worker.end()


@contextmanager
def processes(count: int) -> Iterator[Processes]:
    """So many processes, which do not outlive what they are doing when this one ends."""
    found = Processes(count)
    try:
        yield found
    finally:
        found.end()


def serve(descriptor: int) -> None:
    """Call functions that come through a pipe until its other end is closed."""
    with Connection(descriptor) as pipe, suppress(EOFError, BrokenPipeError):
        values = pipe.recv()
        while True:
            function, arguments = pipe.recv()
            known = [
                values[each.number] if isinstance(each, Shared) else each for each in arguments
            ]
            try:
                answer = function(*known), None
            except Exception as error:
                answer = None, error
            pipe.send(answer)
