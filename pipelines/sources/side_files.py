"""Files beside the runs: a cell of theirs that cannot be read is told, never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models_py.features import CATEGORICAL, NUMERIC
from models_py.objectives import DERIVED, SHORT_NAMES
from models_py.plan import COUNTS
from pipelines.errors import InputError
from pipelines.readers.tables import Row, Table, table_of
from pipelines.suggest import did_you_mean

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
DIRECTIONS = ("higher", "lower")
# as the macro `filled` has it
NOTHING = frozenset({"", "n/a", "na", "nan", "null", "none", "-", "/"})
NUMBERS = {
    "benchmart_hardware": (
        "memory_gb",
        "memory_bandwidth_gbs",
        "fp32_tflops",
        "fp16_tflops",
        "int8_tops",
        "fp4_tops",
        "tdp_w",
        "interconnect_gbs",
        "cache_mb",
    ),
    "benchmart_models": (
        "parameters_million",
        "active_parameters_million",
        "embedding_parameters_million",
        "layers",
        "hidden_size",
        "heads",
        "kv_heads",
        "vocabulary_size",
        "image_size",
        "gmacs",
        "activations_million",
    ),
    "benchmart_prices": ("device_count", "price_per_hour"),
    "benchmart_candidates": (*COUNTS, "cost_minutes"),
    "benchmart_deployments": (*COUNTS, "requests_per_second"),
}
# what costs nothing or takes no device cannot be compared
ABOVE_ZERO = frozenset({"price_per_hour", "device_count"})
# columns of frames and files that a metric would collide with
RESERVED = (
    frozenset(NUMERIC)
    | frozenset(CATEGORICAL)
    | frozenset(DERIVED)
    | {
        "batch_size",
        "config_id",
        "framework_version",
        "measured_at",
        "measurement_id",
        "metric",
        "notes",
        "platform",
        "rank",
        "run_id",
        "source",
        "status",
        "task",
        "throughput_unit",
        "unit",
        "workload",
        "workload_id",
    }
)


def checked(landing_table: str, table: Table, file: str) -> Table:
    """The table of a side file, as long as what it states can be read.

    Raises
    ------
    InputError
        Naming line and column, when the rows are read.
    """
    if landing_table == "benchmart_metrics":
        return table_of(_checked_metrics(table.rows, file), table.columns)
    rows = _checked_numbers(table.rows, file, NUMBERS[landing_table])
    return table_of(rows, table.columns)


def _checked_numbers(rows: Iterator[Row], file: str, columns: tuple[str, ...]) -> Iterator[Row]:
    for row in rows:
        for name in columns:
            text = (row.payload.get(name) or "").strip()
            if text.lower() in NOTHING:
                continue
            where = f"{file}: line {row.line}, column {name}"
            if not _is_number(text):
                raise InputError(f"{where}: expected a number of at least 0, got {text!r}")
            if name in ABOVE_ZERO and float(text) == 0:
                raise InputError(f"{where}: expected a number above 0, got {text!r}")
        yield row


def _is_number(text: str) -> bool:
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return False


def _checked_metrics(rows: Iterator[Row], file: str) -> Iterator[Row]:
    for row in rows:
        where = f"{file}: line {row.line}, column"
        name = (row.payload.get("metric") or "").strip()
        if not NAME.fullmatch(name):
            raise InputError(
                f"{where} metric: expected lower-case letters, digits and _, got {name!r}"
            )
        if name in RESERVED or (name in SHORT_NAMES and SHORT_NAMES[name] != name):
            raise InputError(f"{where} metric: '{name}' has another meaning already")
        direction = (row.payload.get("direction") or "").strip().lower()
        if direction not in ("", *DIRECTIONS):
            hint = did_you_mean(direction, DIRECTIONS, listed=2)
            raise InputError(f"{where} direction: unknown direction '{direction}'{hint}")
        yield row
