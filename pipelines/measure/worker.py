"""One process: prepares a model once and times its cases, reporting each over a pipe."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import re
import resource
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

# preloaded by the fork server, so that workers start at once
import torch
import transformers

from pipelines.measure.accelerators import Accelerator, describe_accelerator, find_accelerator
from pipelines.measure.architectures import Architecture
from pipelines.measure.cases import Case
from pipelines.measure.conditions import Others, pin, reference_seconds
from pipelines.measure.facts import model_facts
from pipelines.measure.graph_backends import GraphBackend, OnnxBackend, OpenVinoBackend
from pipelines.measure.models import Unsupported
from pipelines.measure.power import Meter
from pipelines.measure.processor import describe
from pipelines.measure.results import Execution, Failure
from pipelines.measure.timing import Repeat, Run, time_repeats, warm_up
from pipelines.measure.together import time_together
from pipelines.measure.torch_backend import TorchBackend

Backend = TorchBackend | GraphBackend
GRAPHS = {"onnxruntime": OnnxBackend, "openvino": OpenVinoBackend}
MEGABYTE = 1e6
LONGEST_NOTE = 200
WHERE = re.compile(r"(Caught exception: )?Exception from \S+:\d+: ")  # OpenVINO's own code
OUT_OF_MEMORY = (
    "can't allocate memory",
    "bad_alloc",
    "Failed to allocate",
    "Cannot allocate memory",
    "out of memory",
    "ALLOC_FAILED",  # libraries of accelerators
    "ALLOCATION_FAILED",
)


def do_nothing(pipe: Connection) -> None:
    """Say that this process has come so far."""
    pipe.send(True)


def time_cases(pipe: Connection, cases: Sequence[Case], memory_limit: int, folder: Path) -> None:
    """Time the cases of one group once, in order; sends an `Execution` or a `Failure` for each.

    Before them it says that the model is prepared, or sends the `Failure` of that alone.

    Parameters
    ----------
    folder
        Where processes leave graphs for those that come after them.
    """
    _quieten()
    if not cases[0].accelerator:  # whose driver reserves more than there is
        resource.setrlimit(resource.RLIMIT_DATA, (memory_limit, memory_limit))
    baseline = _memory("VmRSS")
    try:
        backend = _backend(cases[0], folder)
    except Exception as error:
        pipe.send(failure_of(error))
        return
    pipe.send(True)
    for case in cases:
        found = _found(partial(_execution, backend, case, baseline))
        if case.accelerator and isinstance(found, Failure) and found.status == "error":
            found = found._replace(ended=True)  # its driver may answer every later case with it
        pipe.send(found)


def run_beside(pipe: Connection, case: Case, after: int, folder: Path) -> None:
    """Run a case again and again until this process is ended; says when it began."""
    _quieten()
    run = _backend(case, folder, after).prepare(case)
    warm_up(run)
    pipe.send(True)
    while True:
        run()


def try_once(pipe: Connection, case: Case, folder: Path) -> None:
    """Send what it takes, or its `Failure` where it does not run."""
    _quieten()
    pipe.send(_found(lambda: _backend(case, folder).prepare(case)()))


def tell_accelerator(pipe: Connection) -> None:
    """Send what there is beside the processor, and why its power is not known if it is not."""
    _quieten()
    accelerator, silent = find_accelerator(), ""
    if accelerator:
        try:
            Meter()
        except OSError as error:
            silent = str(error)
    pipe.send((accelerator, silent))


def describe_model(pipe: Connection, model: Architecture, image_size: int | None) -> None:
    """Send its row of `models.csv`, or the `Failure` to find it."""
    _quieten()
    pipe.send(_found(partial(model_facts, model, image_size)))


def describe_devices(
    pipe: Connection, threads: Sequence[int], accelerator: Accelerator | None
) -> None:
    """Send rows of `hardware.csv`."""
    _quieten()
    devices = [describe(count) for count in threads]
    pipe.send(devices + ([describe_accelerator(accelerator)] if accelerator else []))


def _found(find: Callable[[], object]) -> object:
    """What is found, or the `Failure` to find it."""
    try:
        return find()
    except Exception as error:
        return failure_of(error)


def _backend(case: Case, folder: Path, after: int = 0) -> Backend:
    if not case.accelerator:  # whose driver has threads of its own, and not all cores are near it
        pin(case.threads, after)
    torch.set_num_threads(case.threads)
    if case.framework in GRAPHS:
        return GRAPHS[case.framework](case, folder)
    return TorchBackend(case)


def _execution(backend: Backend, case: Case, baseline: float) -> Execution:
    _release_memory()
    if case.accelerator:
        torch.accelerator.empty_cache()
    reference = reference_seconds()
    # resets the high-water mark of resident memory
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    runs = [backend.prepare(case) for _ in range(case.concurrency)]
    if case.accelerator:  # inputs were larger before they had their precision
        torch.accelerator.reset_peak_memory_stats()
    others = Others()
    repeats, rate = _alone(runs[0]) if len(runs) == 1 else time_together(runs)
    found = Execution(
        repeats=repeats,
        rate=rate,
        memory_mb=_memory("VmHWM") - baseline,
        other_cores=None if case.beside else others.cores(),
        reference_s=reference,
    )
    return _on_accelerator(found, runs) if case.accelerator else found


def _on_accelerator(found: Execution, runs: Sequence[Run]) -> Execution:
    """What was found, with what the device says of itself."""
    used = torch.accelerator.max_memory_allocated() / MEGABYTE
    found = found._replace(memory_mb=used, host_memory_mb=found.memory_mb)
    try:
        meter = Meter()
    except OSError:  # said when it was found
        return found
    # several requests would have to be run together
    power = meter.measure(runs[0]) if len(runs) == 1 else None
    return found._replace(power=power, slowed_by=meter.slowed_by())


def _alone(run: Run) -> tuple[list[Repeat], None]:
    warm_up(run)
    return time_repeats(run), None


def failure_of(error: Exception) -> Failure:
    """What is said of a case that raised it."""
    text = WHERE.sub("", " ".join(str(error).split()))
    memory = isinstance(error, MemoryError) or any(mark in text for mark in OUT_OF_MEMORY)
    kind = "not supported: " if isinstance(error, Unsupported) else f"{type(error).__name__}: "
    return Failure("oom" if memory else "error", (kind + text)[:LONGEST_NOTE])


def _release_memory() -> None:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def _memory(field: str) -> float:
    """A field of this process's status, in MB."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in text.splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024 / MEGABYTE


def _quieten() -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    transformers.logging.set_verbosity_error()
