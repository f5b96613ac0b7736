"""Runs a suite: a process per model, framework, precision and thread count; a row per case at once."""

from __future__ import annotations

import csv
import importlib.util
import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from multiprocessing.connection import Connection
from pathlib import Path

from pipelines.errors import BenchmartError, InputError
from pipelines.measure.processor import hardware_name, memory_bytes, processor_name
from pipelines.measure.suite import SUITES, Case
from pipelines.suggest import did_you_mean

NEEDED = ("torch", "transformers", "onnxruntime", "onnx")
MEMORY_SHARE = 0.8
CASE_SECONDS = 180
START_SECONDS = 300
KEY = (
    "model_name",
    "hardware",
    "framework",
    "precision",
    "batch_size",
    "input_length",
    "output_length",
    "image_size",
)
COLUMNS = (
    "run_id",
    "model_name",
    "model_type",
    "hardware",
    "framework",
    "framework_version",
    "precision",
    "batch_size",
    "input_length",
    "output_length",
    "image_size",
    "status",
    "throughput",
    "throughput_unit",
    "latency_ms",
    "latency_p99_ms",
    "ttft_ms",
    "itl_ms",
    "memory_mb",
    "repeats",
    "latency_relative_iqr",
    "interrupted_repeats",
    "threads",
    "processor",
    "operating_system",
    "python_version",
    "torch_version",
    "transformers_version",
    "measured_at",
    "notes",
)


@dataclass
class Summary:
    """What a run of a suite did: rows written by status, cases that were there already or left."""

    ok: int = 0
    oom: int = 0
    error: int = 0
    known: int = 0
    left: int = 0

    def __str__(self) -> str:
        return (
            f"{self.ok} measured, {self.oom} out of memory, {self.error} failed or unsupported,"
            f" {self.known} already there, {self.left} left"
        )


def run_suite(
    suite: str,
    output: Path,
    time_limit_s: float | None = None,
    on_event: Callable[[str], None] = print,
) -> Summary:
    """Time every case of a suite that the output does not hold yet.

    Each row is on disk before the next case starts, so a run that was stopped is continued by
    running it again. `hardware.csv` and `models.csv` are written beside the output.

    Parameters
    ----------
    output
        CSV file in the native format; created or appended to.
    time_limit_s
        No case is started after so many seconds.

    Raises
    ------
    InputError
        For an unknown suite, or an output that is not such a file.
    BenchmartError
        Where the extra `measure` is not installed.
    """
    if suite not in SUITES:
        raise InputError(f"--suite: unknown suite '{suite}'{did_you_mean(suite, SUITES, 5)}")
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise BenchmartError(
            f"measuring needs {', '.join(missing)}: pip install 'benchmart[measure]'"
        )
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    cases = list(SUITES[suite]())
    done = _known_cases(output)
    wanted = [case for case in cases if _named(_identity(case), KEY) not in done]
    summary = Summary(known=len(cases) - len(wanted))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pipelines.measure.worker"])
    output.parent.mkdir(parents=True, exist_ok=True)
    if wanted:
        _write_facts(context, cases, output.parent)
    ends = float("inf") if time_limit_s is None else time.monotonic() + time_limit_s
    for group, members in groupby(wanted, key=lambda case: case.group):
        todo = sorted(members, key=lambda case: case.size)
        if time.monotonic() < ends:
            on_event(f"{' '.join(map(str, group))} thread(s): {len(todo)} cases")
        for case, result in _time_group(context, todo, ends):
            _append(output, _identity(case) | result)
            setattr(summary, result["status"], getattr(summary, result["status"]) + 1)
        summary.left += len(todo)
    return summary


def _time_group(context, cases: list[Case], ends: float) -> Iterator[tuple[Case, dict]]:
    """Results of a group, taken off `cases` one by one until the clock reads `ends`.

    A process that dies fails its case, and a new one goes on.
    """
    from pipelines.measure.worker import time_cases

    limit = int(MEMORY_SHARE * memory_bytes())
    while cases and time.monotonic() < ends:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=time_cases, args=(theirs, cases, limit), daemon=True)
        process.start()
        theirs.close()
        wait = START_SECONDS
        while cases and time.monotonic() < ends and (result := _receive(ours, wait)):
            yield cases.pop(0), result
            wait = CASE_SECONDS
        if cases and time.monotonic() < ends:
            timed_out = result is None
            if timed_out:
                process.kill()
            process.join(timeout=10)
            yield cases.pop(0), _died(process.exitcode, wait if timed_out else None)
        process.kill()
        process.join()
        ours.close()


def _receive(pipe: Connection, wait: float) -> dict | None:
    """The next result, `None` when it takes too long, `{}` when the process ended."""
    try:
        return pipe.recv() if pipe.poll(wait) else None
    except EOFError:
        return {}


def _died(exitcode: int | None, waited: float | None) -> dict:
    if waited is not None:
        return {"status": "error", "notes": f"took longer than {waited:.0f} s"}
    if exitcode == -9:
        return {"status": "oom", "notes": "killed by the system, as it does for memory"}
    return {"status": "error", "notes": f"the process ended with code {exitcode}"}


def _identity(case: Case) -> dict:
    """Columns that do not depend on how the case went."""
    return {
        "model_name": case.model_name,
        "hardware": hardware_name(case.threads),
        "framework": case.framework,
        "precision": case.precision,
        "batch_size": case.batch_size,
        "input_length": case.input_length,
        "output_length": case.output_length,
        "image_size": case.image_size,
        "threads": case.threads,
        "processor": processor_name(),
        "operating_system": f"{platform.system()} {platform.release()}",
        "python_version": platform.python_version(),
        "torch_version": version("torch"),
        "transformers_version": version("transformers"),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _known_cases(output: Path) -> set[tuple[str, ...]]:
    if not output.exists():
        return set()
    with output.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise InputError(f"{output}: its header is not that of measurements; name another file")
        return {_named(row, KEY) for row in reader}


def _append(output: Path, row: dict) -> None:
    fresh = not output.exists()
    with output.open("a", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow(row | {"run_id": f"{row['measured_at']} {os.getpid()}"})
        handle.flush()
        os.fsync(handle.fileno())


def _write_facts(context, cases: list[Case], folder: Path) -> None:
    """Write `models.csv` and `hardware.csv`; rows of other machines and models are kept."""
    from pipelines.measure.worker import collect_facts

    sizes: dict[str, tuple] = {}
    for case in cases:
        known = sizes.get(case.model_name, ())
        if case.image_size not in known:
            sizes[case.model_name] = (*known, case.image_size)
    ours, theirs = context.Pipe(duplex=False)
    threads = sorted({case.threads for case in cases})
    process = context.Process(target=collect_facts, args=(theirs, sizes, threads), daemon=True)
    process.start()
    theirs.close()
    try:
        models, hardware = ours.recv()
    except EOFError:
        process.join()
        raise BenchmartError(f"describing the models failed (code {process.exitcode})") from None
    _merge(folder / "models.csv", models, ("model_name", "image_size"))
    _merge(folder / "hardware.csv", hardware, ("hardware",))


def _merge(path: Path, rows: list[dict], key: tuple[str, ...]) -> None:
    known: dict[tuple[str, ...], dict] = {}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as handle:
            known = {_named(row, key): row for row in csv.DictReader(handle)}
    for row in rows:
        # a repeated run does not change the ceilings that earlier rows are judged by
        known.setdefault(_named(row, key), row)
    columns = list(dict.fromkeys(name for row in known.values() for name in row))
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(known.values())
    part.replace(path)


def _named(row: dict, key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("" if row.get(name) is None else str(row[name]) for name in key)
