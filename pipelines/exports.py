"""Parquet files of the published tables, for clients that cannot read the database."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.sql import identifier

FOLDER = "parquet"


def export_tables(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write every table and view of `analytics` as `<table>.parquet`."""
    folder.mkdir()
    query = "select table_name from information_schema.tables where table_schema = 'analytics'"
    for (name,) in con.sql(query).fetchall():
        relation = con.table(f"analytics.{identifier(name)}")
        relation.write_parquet(str(folder / f"{name}.parquet"), compression="zstd")
