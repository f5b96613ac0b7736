"""Landing: raw files into `raw.*`, one row per source row, as published, with file, line and hash."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.errors import InputError
from pipelines.readers import READERS, RawFile, Row, open_raw
from pipelines.side_files import checked
from pipelines.sources import LANDING_TABLES, recognise

BATCH_ROWS = 20_000
ROW_SCHEMA = pa.schema(
    {
        "file": pa.string(),
        "file_hash": pa.string(),
        "line": pa.int64(),
        "row_hash": pa.string(),
        "payload": pa.map_(pa.string(), pa.string()),
    }
)
ROW_COLUMNS = (
    "file varchar, file_hash varchar, line bigint, row_hash varchar, payload map(varchar, varchar)"
)


@dataclass(frozen=True)
class InputFile:
    """A raw file found on disk.

    Attributes
    ----------
    name
        `<raw directory>/<path below it>`: what users are shown, and the key of its rows.
    hash
        SHA-256 of its bytes.
    """

    name: str
    path: Path
    hash: str


@dataclass(frozen=True)
class Landing:
    """What landing changed: file names, loaded (new or changed), unchanged and unrecognised."""

    loaded: tuple[str, ...]
    unchanged: tuple[str, ...]
    unrecognised: tuple[str, ...]

    @property
    def warnings(self) -> list[str]:
        """A line for each file that was skipped."""
        return [
            f"{name}: not a benchmark table that is known, skipped" for name in self.unrecognised
        ]


def find_files(directories: Sequence[Path]) -> list[InputFile]:
    """Every readable raw file below the directories, in the order of their names.

    Raises
    ------
    InputError
        For a missing directory, none that holds a readable file, or two different files of one name.
    """
    found: dict[str, InputFile] = {}
    for directory in directories:
        if not directory.exists():
            raise InputError(f"--raw {directory}: no such file or directory")
        root = directory if directory.is_dir() else directory.parent
        paths = sorted(directory.rglob("*")) if directory.is_dir() else [directory]
        for path in paths:
            if path.suffix not in READERS or not path.is_file():
                continue
            name = f"{root.resolve().name}/{path.relative_to(root).as_posix()}"
            with path.open("rb") as handle:
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
            if name in found and found[name].hash != digest:
                raise InputError(f"{name}: two raw directories hold different files of this name")
            found[name] = InputFile(name, path, digest)
    if not found:
        wanted = ", ".join(sorted(READERS))
        raise InputError(f"--raw {' '.join(map(str, directories))}: no file ({wanted}) found")
    return list(found.values())


def land(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> Landing:
    """Load new and changed files; a file whose content is already there is left alone.

    Raises
    ------
    InputError
        For a file that cannot be read; the connection's transaction is rolled back.
    """
    create_landing(con)
    query = "select file, file_hash, directory from raw.files"
    known = {name: (digest, place) for name, digest, place in con.sql(query).fetchall()}
    loaded, unchanged, unrecognised = [], [], []
    con.begin()
    try:
        for file in files:
            digest, place = known.get(file.name, (None, None))
            if digest == file.hash:
                unchanged.append(file.name)
                continue
            if place not in (None, _directory(file)) and Path(place, file.path.name).exists():
                raise InputError(
                    f"{file.name}: the warehouse holds another file of this name, from {place};"
                    " rename one of the directories, or use --full-refresh"
                )
            table = _land_file(con, file)
            (loaded if table else unrecognised).append(file.name)
        con.commit()
    except BaseException:
        con.rollback()
        raise
    return Landing(tuple(loaded), tuple(unchanged), tuple(unrecognised))


def create_landing(con: duckdb.DuckDBPyConnection) -> None:
    """Create the landing tables that are not there yet: dbt reads all of them, also when empty."""
    con.execute("create schema if not exists raw")
    con.execute(
        "create table if not exists raw.files (file varchar primary key, landing_table varchar,"
        " file_hash varchar, rows_read bigint, directory varchar, loaded_at timestamptz)"
    )
    for table in LANDING_TABLES:
        con.execute(f"create table if not exists raw.{table} ({ROW_COLUMNS})")


def _land_file(con: duckdb.DuckDBPyConnection, file: InputFile) -> str | None:
    raw = open_raw(file.path, file.name)
    table = recognise(file.name, raw.columns)
    if table is None:
        return None
    for name in LANDING_TABLES:
        con.execute(f"delete from raw.{name} where file = ?", [file.name])
    raw = raw._replace(rows=checked(table, raw.rows, file.name))
    rows_read = 0
    for batch in _batches(file, raw):
        rows_read += batch.num_rows
        con.register("landing_batch", batch)
        con.execute(f"insert into raw.{table} select * from landing_batch")
        con.unregister("landing_batch")
    if rows_read == 0:
        raise InputError(f"{file.name}: the file has a header but no rows")
    con.execute(
        "insert or replace into raw.files values (?, ?, ?, ?, ?, now())",
        [file.name, table, file.hash, rows_read, _directory(file)],
    )
    return table


def _directory(file: InputFile) -> str:
    return str(file.path.resolve().parent)


def _batches(file: InputFile, raw: RawFile) -> Iterator[pa.Table]:
    for rows in _chunks(raw.rows):
        payloads = [list(row.payload.items()) for row in rows]
        yield pa.table(
            [
                [file.name] * len(rows),
                [file.hash] * len(rows),
                [row.line for row in rows],
                [_hash(row) for row in rows],
                pa.array(payloads, ROW_SCHEMA.field("payload").type),
            ],
            schema=ROW_SCHEMA,
        )


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, BATCH_ROWS)):
        yield chunk


def _hash(row: Row) -> str:
    text = json.dumps(row.payload, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
