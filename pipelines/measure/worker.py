"""One process: prepares a model once and times its cases, reporting each over a pipe."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import resource
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path

# preloaded by the fork server, so that workers start at once
import torch
import transformers

from pipelines.measure.architectures import ARCHITECTURES
from pipelines.measure.backends import OnnxBackend, TorchBackend, Unsupported
from pipelines.measure.facts import model_facts
from pipelines.measure.processor import describe
from pipelines.measure.suite import Case
from pipelines.measure.timing import summarise, time_repeats

MEGABYTE = 1e6
OUT_OF_MEMORY = (
    "can't allocate memory",
    "bad_alloc",
    "Failed to allocate",
    "Cannot allocate memory",
)
UNITS = {"text_generation": "output_tokens/s", "vision": "images/s"}


def time_cases(pipe: Connection, cases: Sequence[Case], memory_limit: int) -> None:
    """Time the cases of one group, in order; sends a dictionary of results for each."""
    _quieten()
    resource.setrlimit(resource.RLIMIT_DATA, (memory_limit, memory_limit))
    torch.set_num_threads(cases[0].threads)
    baseline = _memory("VmRSS")
    try:
        backend = _backend(cases[0])
    except Exception as error:
        for case in cases:
            pipe.send(_failure(case, error))
        return
    for case in cases:
        try:
            pipe.send(_time_case(backend, case, baseline))
        except Exception as error:
            pipe.send(_failure(case, error))


def collect_facts(pipe: Connection, models: dict[str, tuple], threads: Sequence[int]) -> None:
    """Send rows of `models.csv` and of `hardware.csv`."""
    _quieten()
    rows = [
        row for name, sizes in models.items() for row in model_facts(ARCHITECTURES[name], sizes)
    ]
    pipe.send((rows, [describe(count) for count in threads]))


def _backend(case: Case) -> TorchBackend | OnnxBackend:
    architecture = ARCHITECTURES[case.model_name]
    if case.framework == "onnxruntime":
        return OnnxBackend(architecture, case)
    return TorchBackend(architecture, case.precision, case.framework == "torch.compile")


def _time_case(backend: TorchBackend | OnnxBackend, case: Case, baseline: float) -> dict:
    _release_memory()
    # resets the high-water mark of resident memory
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    repeats = time_repeats(backend.prepare(case))
    whole = summarise(repeats)
    work = case.batch_size * (case.output_length or 1)
    row = {
        "status": "ok",
        "throughput": work / whole["median"],
        "latency_ms": 1e3 * whole["median"],
        "latency_p99_ms": 1e3 * whole["p99"],
        "memory_mb": _memory("VmHWM") - baseline,
        "repeats": len(repeats),
        "latency_relative_iqr": round(whole["relative_iqr"], 4),
        "interrupted_repeats": sum(repeat.interrupted for repeat in repeats),
    }
    if case.output_length:
        first = summarise(repeats, mark=0)["median"]
        row["ttft_ms"] = 1e3 * first
        row["itl_ms"] = 1e3 * (whole["median"] - first) / (case.output_length - 1)
    return _described(case) | {
        name: float(f"{value:.6g}") if isinstance(value, float) else value
        for name, value in row.items()
    }


def _failure(case: Case, error: Exception) -> dict:
    text = " ".join(str(error).split())[:200]
    memory = isinstance(error, MemoryError) or any(mark in text for mark in OUT_OF_MEMORY)
    kind = "not supported: " if isinstance(error, Unsupported) else f"{type(error).__name__}: "
    return _described(case) | {"status": "oom" if memory else "error", "notes": kind + text}


def _described(case: Case) -> dict:
    kind = ARCHITECTURES[case.model_name].model_type
    package = "onnxruntime" if case.framework == "onnxruntime" else "torch"
    return {
        "model_type": kind,
        "throughput_unit": UNITS.get(kind, "samples/s"),
        "framework_version": version(package),
    }


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
