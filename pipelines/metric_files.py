"""`metrics.csv`: what a user may call a metric."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models_py.features import CATEGORICAL, NUMERIC
from models_py.objectives import SHORT_NAMES
from pipelines.errors import InputError
from pipelines.readers import Row
from pipelines.suggest import did_you_mean

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
DIRECTIONS = ("higher", "lower")
# columns of frames and files that a metric would collide with
RESERVED = (
    frozenset(NUMERIC)
    | frozenset(CATEGORICAL)
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


def checked_metrics(rows: Iterator[Row], file: str) -> Iterator[Row]:
    """The rows, as long as they define metrics.

    Raises
    ------
    InputError
        Naming line and column.
    """
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
