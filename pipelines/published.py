"""Reading the published build."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb
from duckdb import ColumnExpression, ConstantExpression, StarExpression

from pipelines.digest import place, sha256
from pipelines.errors import InputError
from pipelines.memory import DEFAULT_LIMIT, in_words, of_tables
from pipelines.warehouse import DATABASE, Warehouse, read_manifest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def connect_published(warehouse: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the published build.

    Raises
    ------
    InputError
        Where nothing is published yet.
    """
    return connect(published_build(warehouse) / DATABASE, read_only=True)


def connect(
    database: Path, read_only: bool = False, memory: int = of_tables(DEFAULT_LIMIT)
) -> duckdb.DuckDBPyConnection:
    """A connection that fetches nothing from outside and keeps time in UTC.

    What takes more than so many bytes of memory is spilled to disk: beside the database, or among
    temporary files where who reads may not write there.
    """
    settings = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": in_words(memory),
    }
    if read_only:
        settings["temp_directory"] = str(_spilling(database))
    con = duckdb.connect(str(database), read_only=read_only, config=settings)
    con.execute("set timezone = 'UTC'; set enable_progress_bar = false")
    return con


def _spilling(database: Path) -> Path:
    """A directory of a file and this process alone: connections to one file have to agree on it."""
    return Path(tempfile.gettempdir()) / f"benchmart-{os.getpid()}-{place(database)}"


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


class Features(NamedTuple):
    """What `ActiveLearningSystem` reads of a build."""

    training: pd.DataFrame
    measured: pd.DataFrame
    candidates: pd.DataFrame
    outcomes: pd.DataFrame
    directions: dict[str, str]


def read_features(build: Path) -> Features:
    """Everything that models learn from and are asked about, of a build."""
    with connect(build / DATABASE, read_only=True) as con:
        frames = (training_frame(con), measured_frame(con), candidate_frame(con))
        return Features(*frames, outcome_frame(con), metric_directions(con))


def training_frame(
    con: duckdb.DuckDBPyConnection, most_rows: int | None = None, without: Sequence[str] = ()
) -> pd.DataFrame:
    """Measurements to learn from: the first so many by `sample_rank`, or what a build learned from.

    Parameters
    ----------
    without
        Columns that are not read.
    """
    every = con.table("features.training_features").select(StarExpression(exclude=without))
    if most_rows is None:
        sample = _of_this_version(con, "ml.training_sample")
        most_rows = sample.sum("measurements_learned").fetchall()[0][0]
    rows = every.filter(ColumnExpression("sample_rank") <= ConstantExpression(most_rows))
    return _as_frame(rows.order("measurement_id"))


def _of_this_version(con: duckdb.DuckDBPyConnection, table: str) -> duckdb.DuckDBPyRelation:
    try:
        return con.table(table)
    except duckdb.CatalogException:
        raise InputError(f"the build has no {table}: run `benchmart build`") from None


def measured_frame(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """What is known of every measured configuration."""
    return _as_frame(
        _of_this_version(con, "features.measured_configurations").order("measurement_id")
    )


def candidate_frame(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Configurations that could be measured next."""
    return _as_frame(con.table("features.candidate_features").order("config_id"))


def outcome_frame(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """What ran and what failed."""
    return _as_frame(con.table("features.feasibility_features").order("config_id, outcome"))


def _as_frame(rows: duckdb.DuckDBPyRelation) -> pd.DataFrame:
    return as_frame(rows.to_arrow_table())


def as_frame(table: pa.Table) -> pd.DataFrame:
    """A frame with the columns of `features.*`."""
    return as_features(compact(table))


def compact(table: pa.Table) -> pd.DataFrame:
    """A frame of an Arrow table, which cannot be used any more."""
    # through objects of Python, or in small pieces, texts take twice the memory
    return table.combine_chunks().to_pandas(split_blocks=True, self_destruct=True)


def as_features(frame: pd.DataFrame) -> pd.DataFrame:
    """With counts that may be missing as floats, whether or not one is missing."""
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
