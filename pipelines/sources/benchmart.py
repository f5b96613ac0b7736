"""The native format, and the files beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from pipelines.errors import InputError
from pipelines.readers import TABULAR
from pipelines.readers.tables import Raw
from pipelines.sources.side_files import checked
from pipelines.sources.source import Landed, Source
from pipelines.suggest import did_you_mean

REQUIRED = ("model_name", "hardware", "batch_size")
SIDE_FILES = {
    "hardware": ("hardware",),
    "models": ("model_name",),
    "metrics": ("metric",),
    "prices": ("hardware", "device_count"),
    "deployments": REQUIRED,
    "candidates": REQUIRED,
}


def recognise(raw: Raw) -> Landed | None:
    """Runs, or one of the side files by its name.

    Raises
    ------
    InputError
        When the file is of the native format but lacks a required column.
    """
    path = PurePosixPath(raw.file)
    if path.suffix not in TABULAR:
        return None
    (table,) = raw.tables
    if path.stem in SIDE_FILES and path.suffix == ".csv":
        require(raw.file, table.columns, SIDE_FILES[path.stem])
        landing_table = f"benchmart_{path.stem}"
        return {landing_table: checked(landing_table, table, raw.file)}
    if path.parent.name == "benchmart" or len(set(table.columns) & set(REQUIRED)) >= 2:
        require(raw.file, table.columns, REQUIRED)
        return {"benchmart_runs": table}
    return None


def require(file: str, columns: Sequence[str], required: Sequence[str]) -> None:
    """Check that a header has the required columns.

    Raises
    ------
    InputError
        Naming the first that is missing, and the column that may be meant.
    """
    for name in required:
        if name not in columns:
            hint = did_you_mean(name, [column for column in columns if column not in required])
            raise InputError(f"{file}: header lacks the required column '{name}'{hint}")


SOURCE = Source(
    name="benchmart",
    runs=("benchmart_runs",),
    facts=tuple(f"benchmart_{name}" for name in SIDE_FILES),
    recognise=recognise,
)
