"""A worker that measures for others: it announces what this machine is, and runs a test at a time."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import BenchmartError, InputError
from pipelines.measure.conditions import alone_on_this_machine
from pipelines.measure.planned import case_of, why_not
from pipelines.measure.processes import Processes
from pipelines.measure.processor import hardware_name
from pipelines.measure.session import Session

PATIENCE = "30s"


def resource(hardware: str) -> str:
    """What a worker announces to run tests of a device."""
    return f"hardware={hardware}"


def work(scheduler: str, threads: Sequence[int]) -> None:
    """Measure for whoever asks, until the scheduler is gone.

    Parameters
    ----------
    threads
        Thread counts that this machine is announced with, all that it has if there are none.

    Raises
    ------
    InputError
        Where it has fewer cores, or Dask is not installed.
    BenchmartError
        Where no scheduler answers.
    """
    try:
        from distributed import Worker
    except ImportError:
        raise InputError("Dask is not installed: `pip install -e '.[dask]'`") from None
    cores = os.cpu_count() or 1
    if too_many := [count for count in threads if count > cores]:
        raise InputError(f"--threads {too_many[0]}: this machine has {cores} cores")
    names = map(hardware_name, threads or range(1, cores + 1))

    async def run(folder: str) -> None:
        worker = Worker(
            scheduler,
            nthreads=1,
            resources={resource(name): 1 for name in names},
            local_directory=folder,
            memory_limit=0,
            dashboard=False,
            death_timeout=PATIENCE,
        )
        async with worker:
            await worker.finished()

    with tempfile.TemporaryDirectory() as folder:
        try:
            asyncio.run(run(folder))
        except (OSError, TimeoutError):
            raise BenchmartError(f"--scheduler {scheduler}: no answer") from None


def measure_test(test: dict, timeout_s: float) -> dict | str:
    """On a worker: the row of a test, or why there is none."""
    if reason := why_not(test):
        return reason
    with alone_on_this_machine(), tempfile.TemporaryDirectory() as folder:
        processes = Processes(Path(folder), timeout_s)
        processes.check()
        ((_, row),) = Session(processes).rows([case_of(test)])
    return row
