"""Cases in processes of their own: one that dies, or never ends, fails its case alone."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from pipelines.errors import BenchmartError
from pipelines.measure.cases import Case
from pipelines.measure.processor import memory_bytes
from pipelines.measure.results import Execution, Failure

MEMORY_SHARE = 0.8
START_SECONDS = 300


class Processes:
    """Starts processes that have PyTorch loaded already.

    Parameters
    ----------
    folder
        Where they leave what the next ones may use.
    timeout
        Seconds that a case may take, and the preparation of a model at least `START_SECONDS`.
    worker
        Module of what runs in them.
    """

    def __init__(
        self, folder: Path, timeout: float, worker: str = "pipelines.measure.worker"
    ) -> None:
        self.folder, self.timeout, self.worker = folder, timeout, worker
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([worker])

    def check(self) -> None:
        """Start one that has nothing to do.

        Raises
        ------
        BenchmartError
            Where that fails: no case would be to blame.
        """
        self._ask("do_nothing")

    def execute(
        self, cases: Sequence[Case], ends: float
    ) -> Iterator[tuple[Case, Execution | Failure]]:
        """Time cases of one group, in order, once each; none is started after the clock reads `ends`."""
        waiting = list(cases)
        while waiting and time.monotonic() < ends:
            with self._beside(waiting[0]):
                yield from self._in_one_process(waiting, ends)

    def facts(self, models: dict[str, tuple], threads: Sequence[int]) -> tuple[list, list]:
        """Rows of `models.csv` and of `hardware.csv`."""
        return self._ask("collect_facts", models, threads)

    def _ask(self, function: str, *arguments: object) -> object:
        with self._started(function, *arguments) as (process, pipe):
            try:
                return pipe.recv()
            except EOFError:
                process.join()
                said = f"{self.worker}.{function} ended with code {process.exitcode}"
                raise BenchmartError(f"processes that time models do not work: {said}") from None

    def _in_one_process(
        self, waiting: list[Case], ends: float
    ) -> Iterator[tuple[Case, Execution | Failure]]:
        """Results taken off `waiting`, until the process ends; what it died of fails one case."""
        limit = int(MEMORY_SHARE * memory_bytes())
        with self._started("time_cases", list(waiting), limit, self.folder) as (process, pipe):
            patience = max(START_SECONDS, self.timeout)
            ended = False
            while waiting and not ended and time.monotonic() < ends:
                result, ended = _receive(process, pipe, patience)
                yield waiting.pop(0), result
                patience = self.timeout

    @contextmanager
    def _beside(self, case: Case) -> Iterator[None]:
        """With what is to run meanwhile, if anything, at work."""
        if case.beside is None:
            yield
            return
        cores = case.threads * case.concurrency
        with self._started("run_beside", case.beside, cores, self.folder) as (_, pipe):
            try:
                begun = pipe.poll(START_SECONDS) and pipe.recv()
            except EOFError:
                begun = False
            if not begun:
                raise BenchmartError(f"{case.beside}: does not run, nothing can run beside it")
            yield

    @contextmanager
    def _started(
        self, function: str, *arguments: object
    ) -> Iterator[tuple[BaseProcess, Connection]]:
        ours, theirs = self.context.Pipe()
        called = (self.worker, function, theirs, *arguments)
        process = self.context.Process(target=_call, args=called, daemon=True)
        process.start()
        theirs.close()
        try:
            yield process, ours
        finally:
            process.kill()
            process.join()
            ours.close()


def _call(module: str, function: str, *arguments: object) -> None:
    """In the new process: PyTorch is loaded there, and not where it is started from."""
    pipe = arguments[0]
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    getattr(import_module(module), function)(*arguments)


def _end_with(pipe: Connection) -> None:
    """Nobody is told of what goes on when the other end is gone: it would only be in the way."""
    with contextlib.suppress(EOFError, OSError):
        pipe.recv()
    os._exit(1)


def _receive(
    process: BaseProcess, pipe: Connection, patience: float
) -> tuple[Execution | Failure, bool]:
    """The next result, and whether the process can give no other."""
    try:
        if pipe.poll(patience):
            return pipe.recv(), False
    except EOFError:
        process.join(timeout=10)
        return _died(process.exitcode), True
    return Failure("error", f"took longer than {patience:.0f} s"), True


def _died(exitcode: int | None) -> Failure:
    if exitcode == -9:
        return Failure("oom", "killed by the system, as it does for memory")
    return Failure("error", f"the process ended with code {exitcode}")
