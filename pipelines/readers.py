"""Raw files as batches of text rows: one reader per file format."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import InputError

RAGGED = "__ragged"


class Row(NamedTuple):
    """One source row as published."""

    line: int
    payload: dict[str, str | None]


class RawFile(NamedTuple):
    """Header and rows of a raw file; `rows` is read once."""

    columns: list[str]
    rows: Iterator[Row]


def open_raw(path: Path, file: str) -> RawFile:
    """Open a raw file; rows are read lazily.

    Raises
    ------
    InputError
        For an empty file, or one that is not of the format its name says.
    """
    if path.stat().st_size == 0:
        raise InputError(f"{file}: the file is empty")
    return READERS[path.suffix](path, file)


def _unique(names: Sequence[str]) -> list[str]:
    """Column names, stripped, with empty and repeated ones made distinct."""
    result: list[str] = []
    for position, name in enumerate(names, start=1):
        plain = name.strip() or f"column_{position}"
        result.append(plain if plain not in result else f"{plain}_{position}")
    return result


def _read_csv(path: Path, file: str) -> RawFile:
    handle = path.open(encoding="utf-8-sig", newline="")
    reader = csv.reader(handle)
    try:
        header = next((row for row in reader if any(cell.strip() for cell in row)), None)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: line {reader.line_num + 1}: {error}") from None
    if header is None:
        raise InputError(f"{file}: the file is empty")
    columns = _unique(header)
    return RawFile(columns, _csv_rows(handle, reader, columns, file))


def _csv_rows(handle, reader, columns: list[str], file: str) -> Iterator[Row]:
    with handle:
        line = reader.line_num + 1
        try:
            for cells in reader:
                if cells:
                    payload: dict[str, str | None] = dict(zip(columns, cells, strict=False))
                    if len(cells) != len(columns):
                        payload[RAGGED] = f"{len(cells)} fields where the header has {len(columns)}"
                    yield Row(line, payload)
                line = reader.line_num + 1
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{file}: line {line}: {error}") from None


def _read_jsonl(path: Path, file: str) -> RawFile:
    columns: dict[str, None] = {}
    for row in _jsonl_rows(path, file):
        columns.update(dict.fromkeys(row.payload))
    if not columns:
        raise InputError(f"{file}: the file is empty")
    return RawFile(list(columns), _jsonl_rows(path, file))


def _jsonl_rows(path: Path, file: str) -> Iterator[Row]:
    with path.open("rb") as handle:
        for line, text in enumerate(handle, start=1):
            if not text.strip():
                continue
            try:
                record = json.loads(text.decode("utf-8-sig"))
            # also bad UTF-8, endless digits and endless nesting
            except (ValueError, RecursionError) as error:
                raise InputError(f"{file}: line {line}: not JSON: {error}") from None
            if not isinstance(record, dict):
                raise InputError(f"{file}: line {line}: expected an object, found {text[:40]!r}")
            yield Row(line, {str(key): _text(value) for key, value in record.items()})


def _read_parquet(path: Path, file: str) -> RawFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file}: not a Parquet file: {error}") from None
    if table.metadata.num_rows == 0:
        raise InputError(f"{file}: the file is empty")
    return RawFile(list(table.schema_arrow.names), _parquet_rows(table, file))


def _parquet_rows(table, file: str) -> Iterator[Row]:
    import pyarrow as pa

    line = 0
    batches = table.iter_batches(batch_size=20_000)
    while True:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{file}: row {line + 1}: {error}") from None
        if batch is None:
            return
        for record in batch.to_pylist():
            line += 1
            yield Row(line, {key: _text(value) for key, value in record.items()})


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=str) if isinstance(value, (list, dict)) else str(value)


READERS = {".csv": _read_csv, ".jsonl": _read_jsonl, ".parquet": _read_parquet}
