"""Landing: raw files into `raw.*`, one row per source row, as published, with file, line and hash."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.digest import sha256
from pipelines.errors import InputError
from pipelines.fingerprint import digest_of_readers
from pipelines.readers import READERS, open_raw
from pipelines.readers.tables import LINE, Table
from pipelines.sources import LANDING_TABLES, RUN_TABLES, recognise

FILES = (
    "file varchar primary key, source varchar, file_hash varchar, rows_read bigint,"
    " runs_read bigint, directory varchar, loaded_at timestamptz, read_by varchar"
)
ROWS = (
    "file varchar, file_hash varchar, line bigint, row_hash varchar, payload map(varchar, varchar)"
)
PAYLOADS = pa.schema({"line": pa.int64(), "payload": pa.map_(pa.string(), pa.string())})
# may be anything: one that cannot be read, and was no source before, is somebody else's
DOCUMENTS = (".json", ".yaml", ".yml", ".md", ".db")
PROSE = (".md",)


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


@dataclass
class Landing:
    """What landing changed.

    Attributes
    ----------
    loaded, unchanged, unrecognised
        Names of files: new or changed, known already, not a benchmark table that is known.
    skipped
        What is wrong with files that were left out.
    shrunk
        Changed files with fewer rows than before: rows before and now.
    """

    loaded: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    unrecognised: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    shrunk: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def warnings(self) -> list[str]:
        """What a person should look at."""
        warnings = [
            f"{name}: had {before} rows and now has {now}; is it cut off?"
            for name, (before, now) in self.shrunk.items()
        ]
        warnings += self.skipped
        if self.unrecognised:
            names = ", ".join(self.unrecognised)
            warnings.append(f"{names}: not a benchmark table that is known, skipped")
        return warnings


def find_files(directories: Sequence[Path]) -> list[InputFile]:
    """Every readable raw file below the directories, in the order of their names.

    Raises
    ------
    InputError
        For a missing directory, none that holds a readable file, a link that leads out of it, or two
        different files of one name.
    """
    found: dict[str, InputFile] = {}
    for directory in directories:
        if not directory.exists():
            raise InputError(f"--raw {directory}: no such file or directory")
        root = directory if directory.is_dir() else directory.parent
        paths = sorted(directory.rglob("*")) if directory.is_dir() else [directory]
        for path in paths:
            if path.is_symlink() and path.is_dir():
                raise InputError(f"{path}: a link to a directory; give --raw where it leads")
            hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            if hidden or path.suffix not in READERS or not path.is_file():
                continue
            name = f"{root.resolve().name}/{path.relative_to(root).as_posix()}"
            if not path.resolve().is_relative_to(root.resolve()):
                raise InputError(
                    f"{name}: a link out of the raw directory; give --raw where it leads"
                )
            digest = sha256(path)
            if name in found and found[name].hash != digest:
                raise InputError(f"{name}: two raw directories hold different files of this name")
            found[name] = InputFile(name, path, digest)
    if not found:
        wanted = ", ".join(sorted(READERS))
        raise InputError(f"--raw {' '.join(map(str, directories))}: no file ({wanted}) found")
    return list(found.values())


def land(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> Landing:
    """Load new and changed files; what other code had read is read anew, all others are left alone.

    Raises
    ------
    InputError
        For a file that cannot be read; the database is then of no use, and a build drops it.
    """
    create_landing(con)
    query = "select file, file_hash, directory, rows_read, read_by from raw.files"
    known = {name: facts for name, *facts in con.sql(query).fetchall()}
    landing = Landing()
    for file in files:
        digest, place, before, read_by = known.get(file.name, (None, None, 0, None))
        if digest == file.hash and read_by == digest_of_readers():
            landing.unchanged.append(file.name)
            continue
        if place not in (None, _directory(file)) and Path(place, file.path.name).exists():
            raise InputError(
                f"{file.name}: the warehouse holds another file of this name, from {place};"
                " rename one of the directories, or use --full-refresh"
            )
        try:
            rows = _land_file(con, file, replace=digest is not None)
        except InputError as error:
            if digest is not None or file.path.suffix not in DOCUMENTS:
                raise
            landing.skipped.append(str(error))
            continue
        if rows:
            landing.loaded.append(file.name)
            if rows < before:
                landing.shrunk[file.name] = (before, rows)
        elif digest is not None:
            landing.skipped.append(
                f"{file.name}: is not the table any more that it was; its earlier rows stay"
            )
        elif file.path.suffix not in PROSE:
            landing.unrecognised.append(file.name)
    return landing


def create_landing(con: duckdb.DuckDBPyConnection) -> None:
    """Create the landing tables that are not there yet: dbt reads all of them, also when empty.

    Raises
    ------
    InputError
        Where another version of this program left its tables.
    """
    con.execute("create schema if not exists raw")
    con.execute(f"create table if not exists raw.files ({FILES})")
    for table in LANDING_TABLES:
        con.execute(f"create table if not exists raw.{table} ({ROWS})")
    if "runs_read" not in con.table("raw.files").columns:
        raise InputError("the warehouse was built by an older version; use --full-refresh")
    con.execute("alter table raw.files add column if not exists read_by varchar")


def _land_file(con: duckdb.DuckDBPyConnection, file: InputFile, replace: bool) -> int:
    """Rows that were loaded; none where the file is not of any source."""
    recognised = recognise(open_raw(file.path, file.name))
    if recognised is None:
        return 0
    source, landed = recognised
    for name in LANDING_TABLES if replace else ():
        con.execute(f"delete from raw.{name} where file = ?", [file.name])
    rows = {name: _insert(con, name, file, table) for name, table in landed.items()}
    total = sum(rows.values())
    if total == 0:
        raise InputError(f"{file.name}: the file has a header but no rows")
    runs = sum(count for name, count in rows.items() if name in RUN_TABLES)
    con.execute(
        "insert or replace into raw.files by name"
        " select $file as file, $source as source, $hash as file_hash, $rows as rows_read,"
        " $runs as runs_read, $directory as directory, $read_by as read_by,"
        # what is only read anew is as old as it was
        " coalesce((select loaded_at from raw.files where file = $file and file_hash = $hash), now())"
        " as loaded_at",
        {
            "file": file.name,
            "source": source.name,
            "hash": file.hash,
            "rows": total,
            "runs": runs,
            "directory": _directory(file),
            "read_by": digest_of_readers(),
        },
    )
    return total


def _directory(file: InputFile) -> str:
    return str(file.path.resolve().parent)


def _insert(
    con: duckdb.DuckDBPyConnection, landing_table: str, file: InputFile, table: Table
) -> int:
    """Rows of a table, streamed in one statement: many would keep what they insert in memory."""
    unreadable: list[InputError] = []

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            yield from map(_payloads, table.batches)
        except InputError as error:
            unreadable.append(error)
            raise
        except UnicodeError as error:
            unreadable.append(InputError(f"{file.name}: a text that is no Unicode: {error}"))
            raise

    reader = pa.RecordBatchReader.from_batches(PAYLOADS, batches())
    con.register("landing_rows", reader)
    try:
        con.execute(
            f"insert into raw.{landing_table} select ?, ?, line,"
            " md5(cast(list_sort(map_entries(payload)) as varchar)), payload from landing_rows",
            [file.name, file.hash],
        )
    except duckdb.Error:
        if unreadable:
            raise unreadable[0] from None
        raise
    finally:
        con.unregister("landing_rows")
    query = f"select count(*) from raw.{landing_table} where file = ?"
    return con.execute(query, [file.name]).fetchall()[0][0]


def _payloads(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Lines, and each row as a map from column name to text, without the cells that it lacks."""
    position = batch.schema.get_field_index(LINE)
    names = [name for name in batch.schema.names if name != LINE]
    cells = [batch.column(name) for name in names]
    filled = np.column_stack([cell.is_valid().to_numpy(zero_copy_only=False) for cell in cells])
    row, column = np.nonzero(filled)
    values = pa.concat_arrays(cells).take(pa.array(column * batch.num_rows + row))
    keys = pa.array(names, pa.string()).take(pa.array(column))
    offsets = np.concatenate([[0], np.cumsum(filled.sum(axis=1))]).astype(np.int32)
    payload = pa.MapArray.from_arrays(pa.array(offsets), keys, values)
    return pa.RecordBatch.from_arrays([batch.column(position), payload], schema=PAYLOADS)
