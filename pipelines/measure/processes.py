"""Cases in processes of their own: one that dies, or never ends, fails its case alone."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from pipelines.errors import BenchmartError
from pipelines.measure.accelerators import Accelerator
from pipelines.measure.architectures import Architecture
from pipelines.measure.cases import Case
from pipelines.measure.processor import memory_bytes
from pipelines.measure.results import Execution, Failure

MEMORY_SHARE = 0.8
PREPARATION_SECONDS = 300
Result = Execution | Failure


class Processes:
    """Starts processes that have PyTorch loaded already.

    Parameters
    ----------
    folder
        Where they leave what the next ones may use.
    timeout
        Seconds that a case may take; the preparation of a model has `PREPARATION_SECONDS`.
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
        self._require("do_nothing")

    def try_once(self, cases: Sequence[Case]) -> dict[str, Failure]:
        """What of the cases does not run at all, by the name of its model."""
        found = ((case.model_name, self._ask("try_once", case, self.folder)) for case in cases)
        return {name: answer for name, answer in found if isinstance(answer, Failure)}

    def accelerator(self) -> tuple[Accelerator | None, str]:
        """What there is beside the processor, and why its power is not known if it is not."""
        return self._require("tell_accelerator")

    def model_facts(self, model: Architecture, image_size: int | None) -> dict | Failure:
        """A row of `models.csv`."""
        return self._ask("describe_model", model, image_size)

    def device_facts(self, threads: Sequence[int], accelerator: Accelerator | None) -> list[dict]:
        """Rows of `hardware.csv`."""
        return self._require("describe_devices", threads, accelerator)

    def execute(self, cases: Sequence[Case], ends: float) -> Iterator[tuple[Case, Result]]:
        """Time cases of one group, in order, once each; none is started after the clock reads `ends`.

        Results are given when their process has ended: what is done with them disturbs none of it.
        """
        waiting = list(cases)
        while waiting and time.monotonic() < ends:
            with self._beside(waiting[0]) as at_work:
                results = list(self._in_one_process(waiting, ends)) if at_work() else []
                if not at_work():
                    idle = Failure("error", "what runs beside it does not")
                    results = [idle] * (len(results) or len(waiting))
            done, waiting = waiting[: len(results)], waiting[len(results) :]
            yield from zip(done, results, strict=True)

    def _in_one_process(self, cases: Sequence[Case], ends: float) -> Iterator[Result]:
        """Results of the first cases, until the process ends; what it died of fails one of them."""
        limit = int(MEMORY_SHARE * memory_bytes())
        with self._started("time_cases", list(cases), limit, self.folder) as (process, pipe):
            prepared = _receive(process, pipe, PREPARATION_SECONDS)
            if isinstance(prepared, Failure):
                yield from [prepared] * len(cases)
                return
            for _ in cases:
                if time.monotonic() >= ends:
                    return
                result = _receive(process, pipe, self.timeout)
                yield result
                if isinstance(result, Failure) and result.ended:
                    return

    @contextmanager
    def _beside(self, case: Case) -> Iterator[Callable[[], bool]]:
        """With what is to run meanwhile, if anything; tells whether it is at work."""
        if case.beside is None:
            yield lambda: True
            return
        with self._started("run_beside", case.beside, case.threads, self.folder) as (process, pipe):
            began = _receive(process, pipe, PREPARATION_SECONDS)
            yield lambda: began is True and process.is_alive()

    def _require(self, function: str, *arguments: object) -> object:
        """What a process answers that no model can keep from it."""
        answer = self._ask(function, *arguments)
        if isinstance(answer, Failure):
            said = f"{self.worker}.{function}: {answer.notes}"
            raise BenchmartError(f"processes that time models do not work: {said}")
        return answer

    def _ask(self, function: str, *arguments: object) -> object:
        """What a process answers, or a `Failure` where it ends or takes too long."""
        with self._started(function, *arguments) as (process, pipe):
            return _receive(process, pipe, PREPARATION_SECONDS)

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


def _receive(process: BaseProcess, pipe: Connection, patience: float) -> object:
    """What the process says next, or a `Failure` where it says nothing any more."""
    try:
        if pipe.poll(patience):
            return pipe.recv()
    except (EOFError, OSError):
        process.join(timeout=10)
        return _died(process.exitcode)
    return Failure("error", f"took longer than {patience:.0f} s", ended=True)


def _died(exitcode: int | None) -> Failure:
    if exitcode == -9:
        return Failure("oom", "killed by the system, as it does for memory", ended=True)
    return Failure("error", f"the process ended with code {exitcode}", ended=True)
