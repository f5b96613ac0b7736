"""The files that measurements are written to: rows at once, facts of models and devices beside them."""

from __future__ import annotations

import csv
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from pipelines.digest import place
from pipelines.errors import BenchmartError, InputError
from pipelines.locks import held, lock_of_user
from pipelines.measure.cases import CONFIGURED, IDENTITY, Case, identity
from pipelines.measure.processor import processor_name

COLUMNS = (
    "run_id",
    "config_id",
    *IDENTITY,
    "model_type",
    "framework_version",
    "status",
    "throughput",
    "throughput_unit",
    "latency_ms",
    "latency_low_ms",
    "latency_high_ms",
    "latency_p99_ms",
    "ttft_ms",
    "itl_ms",
    "itl_p99_ms",
    "memory_mb",
    "host_memory_mb",
    "power_w",
    "energy_j",
    "executions",
    "repeats",
    "latency_relative_iqr",
    "interrupted_repeats",
    "reference_ms",
    "other_cores",
    "slowed_by",
    "threads",
    "processor",
    "operating_system",
    "python_version",
    "torch_version",
    "transformers_version",
    "measured_at",
    "notes",
)
PACKAGES = {"onnxruntime": "onnxruntime", "openvino": "openvino"}


def described(case: Case) -> dict:
    """Columns that do not depend on how the case went."""
    measured_at = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "run_id": f"{measured_at} {os.getpid()}",
        "model_name": case.model_name,
        **{name: getattr(case, name) for name in CONFIGURED},
        "options": case.options,
        "hardware": case.hardware,
        "model_type": case.model.model_type,
        "throughput_unit": case.model.throughput_unit,
        "framework_version": version(PACKAGES.get(case.framework, "torch")),
        "threads": case.threads,
        "processor": processor_name(),
        "operating_system": f"{platform.system()} {platform.release()}",
        "python_version": platform.python_version(),
        "torch_version": version("torch"),
        "transformers_version": version("transformers"),
        "measured_at": measured_at,
    }


@contextmanager
def sole_writer(output: Path) -> Iterator[None]:
    """Nobody else of this user reads what is missing there, or adds to it, meanwhile.

    Raises
    ------
    BenchmartError
        Where somebody does.
    """

    def refuse() -> None:
        raise BenchmartError(f"{output}: another command is writing there") from None

    with held(lock_of_user(place(output)), refuse):
        yield


def written(output: Path) -> list[dict[str, str]]:
    """Rows that the file has; a line that was cut off is taken away.

    Raises
    ------
    InputError
        Where the file is another's.
    """
    if not output.exists():
        return []
    content = output.read_bytes()
    first, ends, _ = content.partition(b"\n")
    header = ",".join(COLUMNS).encode()
    if first.rstrip(b"\r") != header and (ends or not header.startswith(first)):
        raise InputError(f"{output}: its header is not that of measurements; name another file")
    _drop_half_a_line(output, content)
    return read(output)


def append(output: Path, row: dict) -> None:
    """Write a row; when this returns, it is on the disk."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("a", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        if handle.tell() == 0:
            writer.writeheader()
        writer.writerow(row)
        handle.flush()
        os.fsync(handle.fileno())


def read(path: Path, key: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """Rows of a file; none where there is none.

    Raises
    ------
    InputError
        Where a column of `key` is missing, or a row has more cells than there are columns.
    """
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: no table of text: {error}") from None
    for name in key:
        if name not in (reader.fieldnames or ()):
            raise InputError(f"{path}: there is no column {name}")
    for number, row in enumerate(rows, start=1):
        if None in row:
            raise InputError(f"{path}: row {number} has more cells than there are columns")
    return rows


def merge(path: Path, rows: Sequence[dict], key: tuple[str, ...]) -> None:
    """Add rows to a file of facts, if there are any; those of other machines and models are kept."""
    if not rows:
        return
    known: dict[tuple[str, ...], dict] = {identity(row, key): row for row in read(path, key)}
    for row in rows:
        # a repeated run does not change the ceilings that earlier rows are judged by
        known.setdefault(identity(row, key), row)
    columns = list(dict.fromkeys(name for row in known.values() for name in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(known.values())
    part.replace(path)


def _drop_half_a_line(output: Path, content: bytes) -> None:
    """A process that was killed while it wrote leaves a line without an end."""
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with output.open("r+b") as handle:
            handle.truncate(whole)
