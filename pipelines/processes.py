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
from multiprocessing.reduction import ForkingPickler
from signal import SIGKILL
from threading import local
from traceback import format_exc
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

    def __init__(self, values: list[object]) -> None:
        self.pipe, its = Pipe()
        with its:  # in a session of its own: an interrupt is for the process that asks
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(its.fileno()), *sys.path],
                pass_fds=[its.fileno()],
                start_new_session=True,
            )
        self._unsent: list[object] = [values]

    def call(self, function: Callable[..., Result], arguments: tuple) -> Result:
        """What the function returns or raises there.

        Raises
        ------
        BenchmartError
            Where the process has ended.
        """
        try:
            for message in (*self._unsent, (function, arguments)):
                self.pipe.send(message)
            self._unsent = []
            result, error = self.pipe.recv()
        except (EOFError, OSError):
            code = self.process.wait()
            why = f"has ended with exit code {code}"
            if code == -SIGKILL:
                why = "was killed, as by a system out of memory: fewer `threads` need less"
            raise BenchmartError(f"a process that shared the work {why}") from None
        if error is not None:
            raise error
        return result


class Processes:
    """An `Engine` of so many processes, which start when they are needed."""

    def __init__(self, side_by_side: int) -> None:
        self.side_by_side = side_by_side
        self.workers: list[Worker] = []
        self._values: list[object] = []
        self._threads, self._own = ThreadPoolExecutor(side_by_side), local()
        self._begun, self._over = False, False

    def share(self, value: object) -> Shared:
        """See `Engine`; before anything is submitted."""
        if self._begun:
            raise RuntimeError("processes are at work that would not know the value")
        self._values.append(value)
        return Shared(len(self._values) - 1)

    def submit(self, function: Callable[..., Result], *arguments: object) -> Future[Result]:
        """See `Engine`."""
        self._begun = True
        return self._threads.submit(self._ask, function, arguments)

    def _ask(self, function: Callable[..., Result], arguments: tuple) -> Result:
        if not hasattr(self._own, "worker"):
            self._own.worker = Worker(self._values)
            self.workers.append(self._own.worker)
        if self._over:
            self._own.worker.process.kill()
        return self._own.worker.call(function, arguments)

    def end(self) -> None:
        """End all processes, and with them what is not done."""
        self._over = True  # first: also one that is just starting ends
        for worker in self.workers:
            worker.process.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in self.workers:
            worker.pipe.close()
            worker.process.wait()


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
    with Connection(descriptor) as pipe, suppress(EOFError, ConnectionError):
        values = pipe.recv()
        while True:
            function, arguments = pipe.recv()
            known = [
                values[each.number] if isinstance(each, Shared) else each for each in arguments
            ]
            pipe.send_bytes(_answer(function, known))


def _answer(function: Callable[..., object], arguments: list[object]) -> bytes:
    """Result and error, pickled; errors that are faults of ours with where they were raised."""
    try:
        return ForkingPickler.dumps((function(*arguments), None))
    except BenchmartError as error:
        return ForkingPickler.dumps((None, error))
    except Exception:
        return ForkingPickler.dumps((None, RuntimeError(format_exc())))
