"""Reading the published build."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from pipelines.warehouse import DATABASE, Warehouse

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


def learning_frames(con: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and candidate features of an open database.

    Counts that may be missing are floats, whether or not one is missing.
    """
    types = dict.fromkeys(("batch_size", "input_length", "output_length", "image_size"), float)
    training = con.sql("select * from features.training_features").df()
    candidates = con.sql("select * from features.candidate_features").df()
    return training.astype(types), candidates.astype(types)


def metric_directions(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """`higher` or `lower` by metric."""
    return dict(con.sql("select metric, direction from core.metric_definitions").fetchall())
