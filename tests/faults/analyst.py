"""A user who may read a warehouse and not write it: reads every table, and tries to do harm.

    python analyst.py WAREHOUSE

Prints how many tables were read, and how many of the attempts were refused: to change a row, to open the
file for writing, to make it writable, to remove it, to point `current` elsewhere, and to hold the lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb


def read_all(database: Path) -> int:
    with duckdb.connect(str(database), read_only=True) as con:
        tables = con.sql("select schema_name, table_name from duckdb_tables()").fetchall()
        for schema, table in tables:
            con.table(f'"{schema}"."{table}"').fetchall()
        for (path,) in con.execute(
            "select file from glob(?)", [str(database.parent / "parquet/*")]
        ).fetchall():
            con.read_parquet(path).fetchall()
    return len(tables)


def change(database: Path) -> None:
    with duckdb.connect(str(database)) as con:
        con.execute("delete from analytics.measurements")


def hold_lock(warehouse: Path) -> None:
    with (warehouse / "build.lock").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)


def refusals(warehouse: Path) -> int:
    database = warehouse / "current" / "benchmart.duckdb"
    attempts: list[Callable[[], object]] = [
        lambda: change(database),
        lambda: database.open("r+b"),
        lambda: database.chmod(0o666),
        lambda: database.resolve().unlink(),
        lambda: (warehouse / "current").rename(warehouse / "elsewhere"),
        lambda: hold_lock(warehouse),
    ]
    refused = 0
    for attempt in attempts:
        with contextlib.suppress(Exception):
            attempt()
            continue
        refused += 1
    return refused


if __name__ == "__main__":
    root = Path(sys.argv[1])
    print(read_all(root / "current" / "benchmart.duckdb"), refusals(root))
