"""Reading the published build."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.digest import sha256
from pipelines.warehouse import DATABASE, Warehouse, read_manifest

if TYPE_CHECKING:
    import pandas as pd

# as in profiles.yml; more is spilled to disk, beside the database
MEMORY_LIMIT = "400MB"


def connect_published(warehouse: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the published build.

    Raises
    ------
    InputError
        Where nothing is published yet.
    """
    return connect(published_build(warehouse) / DATABASE, read_only=True)


def connect(database: Path, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection that fetches nothing from outside and keeps time in UTC."""
    settings = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": MEMORY_LIMIT,
    }
    con = duckdb.connect(str(database), read_only=read_only, config=settings)
    con.execute("set timezone = 'UTC'; set enable_progress_bar = false")
    return con


def why_damaged(build: Path) -> str | None:
    """What is wrong with the database of a build; None if it is what was published."""
    database = build / DATABASE
    stated = read_manifest(build).get("database")
    if stated is not None:
        return None if sha256(database) == stated else f"{database} is not what was published"
    try:  # a build of an older version
        with connect(database, read_only=True) as con:
            con.sql("select * from analytics.builds limit 1").fetchall()
    except duckdb.Error as error:
        return f"{database} cannot be read: {str(error).partition(chr(10))[0]}"
    return None


def published_build(warehouse: Path) -> Path:
    """Directory of the published build: what is read from it belongs together.

    Raises
    ------
    InputError
        Where nothing is published yet.
    """
    return Warehouse(warehouse).require_published()


def read_learning_inputs(build: Path) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Training features, candidate features and metric directions of a build."""
    with connect(build / DATABASE, read_only=True) as con:
        return *learning_frames(con), metric_directions(con)


def read_outcomes(build: Path) -> pd.DataFrame:
    """What ran and what failed, of a build."""
    with connect(build / DATABASE, read_only=True) as con:
        return outcome_frame(con)


def learning_frames(con: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and candidate features of an open database.

    Counts that may be missing are floats, whether or not one is missing.
    """
    return _features(con, "training_features"), _features(con, "candidate_features")


def outcome_frame(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """What ran and what failed, of an open database."""
    return _features(con, "feasibility_features")


def _features(con: duckdb.DuckDBPyConnection, table: str) -> pd.DataFrame:
    return as_features(con.table(f"features.{table}").df())


def as_features(frame: pd.DataFrame) -> pd.DataFrame:
    """With counts that may be missing as floats, as in `learning_frames`."""
    types = dict.fromkeys(("batch_size", "input_length", "output_length", "image_size"), float)
    return frame.astype(types)


def metric_directions(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """`higher` or `lower` by metric."""
    return dict(con.sql("select metric, direction from core.metric_definitions").fetchall())


def records(
    con: duckdb.DuckDBPyConnection, query: str, parameters: list | dict | None = None
) -> list[dict]:
    """Rows of a query as plain values."""
    cursor = con.execute(query, parameters or [])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
