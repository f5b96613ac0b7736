"""A worker that measures for others: it announces what this machine is, and runs a test at a time."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pipelines.engine import require_address
from pipelines.errors import BenchmartError, InputError
from pipelines.fingerprint import digest_of_code
from pipelines.measure.architectures import ARCHITECTURES
from pipelines.measure.conditions import alone_on_this_machine, require_cores, usable_cores
from pipelines.measure.planned import Here, Models
from pipelines.measure.processes import Processes
from pipelines.measure.processor import hardware_name
from pipelines.measure.runner import accelerator_here, try_own_models
from pipelines.measure.session import rows

PATIENCE = "30s"


def resource(hardware: str) -> str:
    """What a worker announces to run tests of a device."""
    return f"hardware={hardware}"


def model_resource(model: str) -> str:
    """What a worker announces to run tests of a model of the user's."""
    return f"model={model}"


def needs(test: dict) -> frozenset[str]:
    """What a worker has to announce to run a test."""
    own = set() if test["model_name"] in ARCHITECTURES else {model_resource(test["model_name"])}
    return frozenset({resource(test["hardware"]), *own})


def work(
    scheduler: str,
    threads: Sequence[int],
    models: Models = ARCHITECTURES,
    on_event: Callable[[str], None] = print,
) -> None:
    """Measure for whoever asks, until the scheduler is gone.

    Parameters
    ----------
    threads
        Thread counts that this machine is announced with, all that it has if there are none.
    models
        What can be timed here, by name.

    Raises
    ------
    InputError
        Where it has fewer cores, the address is none, or Dask is not installed.
    BenchmartError
        Where no scheduler answers, or the extra `measure` is not installed.
    """
    require_address(scheduler)
    require_cores(threads)
    accelerator = accelerator_here(on_event)
    names = list(map(hardware_name, threads or range(1, len(usable_cores()) + 1)))
    names += [accelerator.name] if accelerator else []
    here = Here(accelerator, models)
    own = models.keys() - ARCHITECTURES.keys()
    announced = [*map(resource, names), *map(model_resource, sorted(own))]
    asyncio.run(_work(scheduler, dict.fromkeys(announced, 1), here))


async def _work(scheduler: str, resources: dict[str, float], here: Here) -> None:
    import dask
    from distributed import Worker

    dask.config.set({"distributed.worker.profile.enabled": False})  # it would look in all the time
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(
            scheduler,
            nthreads=1,
            resources=resources,
            local_directory=folder,
            memory_limit=0,
            dashboard=False,
            death_timeout=PATIENCE,
        )
        worker.measures = here
        try:
            await worker
        except (OSError, TimeoutError):
            raise BenchmartError(f"--scheduler {scheduler}: no answer") from None
        await worker.finished()


def measure_test(test: dict, timeout_s: float, code: str) -> dict | str:
    """On a worker: the row of a test, or why there is none.

    Parameters
    ----------
    code
        Digest of the code of whoever asks.
    """
    from distributed import get_worker

    if digest_of_code() != code:
        return "the worker runs another version of benchmart"
    here = get_worker().measures
    if reason := here.why_not(test):
        return reason
    case = here.case_of(test)
    with alone_on_this_machine(), tempfile.TemporaryDirectory() as folder:
        processes = Processes(Path(folder), timeout_s)
        processes.check()
        try:
            try_own_models(processes, [case])
        except InputError as error:
            return str(error)
        ((_, row),) = rows([case], processes)
    return row
