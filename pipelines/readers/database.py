"""The tables of a DuckDB file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.errors import InputError
from pipelines.readers.tables import BATCH_ROWS, LINE, Raw, Table
from pipelines.sql import identifier

MAGIC = b"DUCK"
CLOSED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
}


def read_database(path: Path, file: str) -> Raw:
    """Every table of the schema `main`; nothing outside the file is read, whatever its views say.

    A `.db` file of another make has no tables here.
    """
    with path.open("rb") as handle:
        if handle.read(12)[8:] != MAGIC and path.suffix == ".db":
            return Raw(file)
    try:
        with duckdb.connect(str(path), read_only=True, config=CLOSED) as con:
            found = con.execute(
                "select table_name, list(column_name order by ordinal_position)"
                " from information_schema.columns join information_schema.tables"
                " using (table_catalog, table_schema, table_name)"
                " where table_schema = 'main' and table_type = 'BASE TABLE'"
                " group by all order by all"
            ).fetchall()
    except duckdb.Error as error:
        raise InputError(f"{file}: not a DuckDB file: {error}") from None
    tables = (Table(columns, _batches(path, name, file), name) for name, columns in found)
    return Raw(file, tuple(tables))


def _batches(path: Path, table: str, file: str) -> Iterator[pa.RecordBatch]:
    every = f"select row_number() over () as {LINE}, cast(columns(*) as varchar)"
    query = f"{every} from {identifier(table)}"
    try:
        with duckdb.connect(str(path), read_only=True, config=CLOSED) as con:
            yield from con.sql(query).to_arrow_reader(BATCH_ROWS)
    except duckdb.Error as error:
        raise InputError(f"{file}: table {table}: {error}") from None
