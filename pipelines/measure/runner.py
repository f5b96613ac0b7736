"""Measures what a file of measurements does not have yet."""

from __future__ import annotations

import importlib.util
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import BenchmartError, InputError
from pipelines.measure.accelerators import Accelerator, with_data_sheet
from pipelines.measure.cases import Case, identity
from pipelines.measure.conditions import Others, alone_on_this_machine
from pipelines.measure.output import append, merge, read, sole_writer, written
from pipelines.measure.own_models import smallest_of_own_models
from pipelines.measure.processes import Processes
from pipelines.measure.results import Failure
from pipelines.measure.session import rows

NEEDED = ("torch", "transformers", "onnxruntime", "onnx", "openvino")
TIMEOUT = 180.0
IDLE_CORES = 0.2
IDLE_PATIENCE = 30
DESCRIBED_BY = ("model_name", "image_size")


@dataclass
class Summary:
    """What a run did: rows written by status, cases that were there already or are left."""

    ok: int = 0
    oom: int = 0
    error: int = 0
    known: int = 0
    left: int = 0

    def count(self, status: str) -> None:
        """One of those that are left is done."""
        setattr(self, status, getattr(self, status) + 1)
        self.left -= 1

    def __str__(self) -> str:
        return (
            f"{self.ok} measured, {self.oom} out of memory, {self.error} failed or unsupported,"
            f" {self.known} already there, {self.left} left"
        )


def run_cases(
    cases: Mapping[Case, str | None],
    output: Path,
    time_limit_s: float | None = None,
    timeout_s: float = TIMEOUT,
    on_event: Callable[[str], None] = print,
    facts: bool = True,
) -> Summary:
    """Time every case that the output does not hold yet.

    Rows are on disk as soon as their processes are done, so a run that was stopped is continued by
    running it again.

    Parameters
    ----------
    cases
        And their `config_id`, where a plan gave them one.
    output
        CSV file in the native format; created or appended to.
    time_limit_s
        No case is started after so many seconds, without what describes models and devices.
    timeout_s
        A case that takes longer has failed.
    facts
        Whether to write `hardware.csv` and `models.csv` beside the output.

    Raises
    ------
    InputError
        For an output that is another's file, or a model of the user's that does not run.
    BenchmartError
        Where the extra `measure` is not installed or does not work, or somebody else is writing there.
    """
    require_installed()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with sole_writer(output), alone_on_this_machine(on_event):
        known = set(map(identity, written(output)))
        wanted = [case for case in cases if case.cells() not in known]
        summary = Summary(known=len(cases) - len(wanted), left=len(wanted))
        if not wanted:
            return summary
        _wait_until_idle(on_event)
        with tempfile.TemporaryDirectory() as folder:
            processes = Processes(Path(folder), timeout_s)
            processes.check()
            try_own_models(processes, wanted)
            if facts:
                _describe_models(processes, cases, output.with_name("models.csv"), on_event)
                _describe_devices(processes, cases, output.with_name("hardware.csv"))
            ends = math.inf if time_limit_s is None else time.monotonic() + time_limit_s
            for case, row in rows(wanted, processes, ends, on_event):
                append(output, row | {"config_id": cases[case]})
                summary.count(row["status"])
    return summary


def accelerator_here(on_event: Callable[[str], None] = print) -> Accelerator | None:
    """What PyTorch finds beside the processor; says what will not be known of it.

    Raises
    ------
    BenchmartError
        Where the extra `measure` is not installed or does not work.
    """
    require_installed()
    with alone_on_this_machine(on_event), tempfile.TemporaryDirectory() as folder:
        found, silent = Processes(Path(folder), TIMEOUT).accelerator()
    if silent:
        on_event(f"warning: power and energy of {found.name} are not known: {silent}")
    return found


def require_installed() -> None:
    """Raise a `BenchmartError` that names what of the extra `measure` is missing."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise BenchmartError(
            f"measuring needs {', '.join(missing)}: pip install 'benchmart[measure]'"
        )


def _wait_until_idle(on_event: Callable[[str], None]) -> None:
    """Give other work half a minute to end; what goes on is in the column `other_cores`."""
    for waited in range(IDLE_PATIENCE):
        others = Others()
        time.sleep(1)
        busy = others.cores()
        if busy <= IDLE_CORES:
            return
        if waited == 0:
            on_event(f"other processes keep {busy:.1f} cores busy: waiting for them")
    on_event("warning: the machine is not idle; the column other_cores says how busy it was")


def try_own_models(processes: Processes, cases: Iterable[Case]) -> None:
    """What is wrong with a model is said before a case is blamed for it."""
    for name, failure in processes.try_once(smallest_of_own_models(cases)).items():
        if failure.status == "error":
            raise InputError(f"--models: '{name}' does not run: {failure.notes}")


def _describe_models(
    processes: Processes, cases: Iterable[Case], path: Path, on_event: Callable[[str], None]
) -> None:
    """What the file does not say yet of what the cases run."""
    known = {identity(row, DESCRIBED_BY) for row in read(path, DESCRIBED_BY[:1])}
    for case in cases:
        key = case.cells(DESCRIBED_BY)
        if key in known:
            continue
        known.add(key)
        found = processes.model_facts(case.model, case.image_size)
        if isinstance(found, Failure):
            words = " ".join(filter(None, key))
            on_event(f"warning: {path.name} will not describe {words}: {found.notes}")
        else:
            merge(path, [found], DESCRIBED_BY)


def _describe_devices(processes: Processes, cases: Iterable[Case], path: Path) -> None:
    """What neither the file nor the warehouse says yet of what the cases run on."""
    known = {row["hardware"] for row in read(path, ("hardware",))} | with_data_sheet()
    missing = [case for case in cases if case.hardware not in known]
    threads = sorted({case.threads for case in missing if not case.accelerator})
    accelerator = next((case.accelerator for case in missing if case.accelerator), None)
    if missing:
        merge(path, processes.device_facts(threads, accelerator), ("hardware",))
