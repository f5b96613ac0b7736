"""Writing what the models made into the `ml` schema, by Arrow."""

from __future__ import annotations

import duckdb
import pandas as pd
import pyarrow as pa


def replace(con: duckdb.DuckDBPyConnection, table: str, rows: pd.DataFrame | pa.Table) -> None:
    """Make a frame, or an Arrow table, the content of a table of `ml`."""
    _create(con, table, rows if isinstance(rows, pa.Table) else as_arrow(rows), "")


def append(con: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    """Add rows to a table of `ml`, or create it; columns may come and go between versions."""
    known = f" union all by name select * from ml.{table}" if table in tables(con) else ""
    _create(con, table, rows, known)


def add(con: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    """Add rows to a table of `ml` with the same columns, or create it."""
    con.execute("create schema if not exists ml")
    con.register("fresh_rows", rows)
    con.execute(f"create table if not exists ml.{table} as select * from fresh_rows limit 0")
    con.execute(f"insert into ml.{table} by name select * from fresh_rows")
    con.unregister("fresh_rows")


def drop(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drop a table of `ml`, if it is there."""
    con.execute(f"drop table if exists ml.{table}")


def tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Tables of `ml` that are there."""
    query = "select table_name from duckdb_tables() where schema_name = 'ml'"
    return {name for (name,) in con.execute(query).fetchall()}


def as_arrow(frame: pd.DataFrame) -> pa.Table:
    """An Arrow table in which text stays text, also where a column is empty throughout."""
    text = frame.select_dtypes("object").columns
    return pa.Table.from_pandas(frame.astype(dict.fromkeys(text, "string")), preserve_index=False)


def _create(con: duckdb.DuckDBPyConnection, table: str, rows: pa.Table, earlier: str) -> None:
    con.execute("create schema if not exists ml")
    con.register("fresh_rows", rows)
    con.execute(f"create or replace table ml.{table} as select * from fresh_rows{earlier}")
    con.unregister("fresh_rows")
