"""CSV, JSON Lines and Parquet: files that are one table."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import pyarrow as pa

from pipelines.errors import InputError
from pipelines.readers.tables import (
    BATCH_CELLS,
    BATCH_ROWS,
    LINE,
    PROBLEM,
    Raw,
    Row,
    Table,
    table_of,
    text_batch,
)

UNREADABLE = (pa.ArrowException, OSError)


def read_csv(path: Path, file: str) -> Raw:
    """One table; the header is the first line that is not blank."""
    handle = path.open(encoding="utf-8-sig", newline="")
    reader = csv.reader(handle)
    try:
        header = next((row for row in reader if any(cell.strip() for cell in row)), None)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: line {reader.line_num + 1}: {error}") from None
    if header is None:
        raise InputError(f"{file}: the file is empty")
    columns = unique_names(header)
    return Raw(file, (Table(columns, _csv_batches(handle, reader, columns, file)),))


def unique_names(names: Sequence[str]) -> list[str]:
    """Column names, stripped, with empty and repeated ones made distinct.

    Examples
    --------
    >>> unique_names([" a ", "", "a"])
    ['a', 'column_2', 'a_3']
    """
    result: dict[str, None] = {}
    for position, name in enumerate(names, start=1):
        plain = name.strip() or f"column_{position}"
        result[plain if plain not in result else f"{plain}_{position}"] = None
    return list(result)


def _csv_batches(handle, reader, columns: list[str], file: str) -> Iterator[pa.RecordBatch]:
    with handle:
        lines: list[int] = []
        rows: list[list[str | None]] = []
        line = reader.line_num + 1
        most = max(1, min(BATCH_ROWS, BATCH_CELLS // len(columns)))
        try:
            for cells in reader:
                if cells:
                    lines.append(line)
                    rows.append(_fitted(cells, len(columns)))
                    if len(rows) == most:
                        yield _csv_batch(lines, rows, columns)
                        lines, rows = [], []
                line = reader.line_num + 1
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{file}: line {line}: {error}") from None
        if rows:
            yield _csv_batch(lines, rows, columns)


def _fitted(cells: list[str], width: int) -> list[str | None]:
    """Cells of a row and what is wrong with their number; blank ones beyond the header are nothing."""
    if len(cells) == width:
        return [*cells, None]
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        return [*cells[:width], None]
    problem = f"{len(cells)} fields where the header has {width}"
    return [*cells[:width], *[None] * (width - len(cells)), problem]


def _csv_batch(
    lines: list[int], rows: list[list[str | None]], columns: list[str]
) -> pa.RecordBatch:
    cells = [list(column) for column in zip(*rows, strict=True)]
    return text_batch(lines, dict(zip([*columns, PROBLEM], cells, strict=True)))


def read_jsonl(path: Path, file: str) -> Raw:
    """One table; its columns are the keys of all objects."""
    columns: dict[str, None] = {}
    for row in _jsonl_rows(path, file):
        columns.update(dict.fromkeys(row.payload))
    if not columns:
        raise InputError(f"{file}: the file is empty")
    return Raw(file, (table_of(_jsonl_rows(path, file), columns),))


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
            yield Row(line, {str(key): text_of(value) for key, value in record.items()})


def text_of(value: object) -> str | None:
    """A value as text: structures as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=str) if isinstance(value, (list, dict)) else str(value)


def read_parquet(path: Path, file: str) -> Raw:
    """One table; rows are counted from 1."""
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path)
        columns = unique_names(table.schema_arrow.names)
    except (*UNREADABLE, UnicodeError) as error:
        raise InputError(f"{file}: not a Parquet file: {error}") from None
    if table.metadata.num_rows == 0:
        raise InputError(f"{file}: the file is empty")
    return Raw(file, (Table(columns, _parquet_batches(table, columns, file)),))


def _parquet_batches(table, columns: list[str], file: str) -> Iterator[pa.RecordBatch]:
    row = 1
    batches = table.iter_batches(batch_size=BATCH_ROWS)
    for _ in count():
        try:
            batch = next(batches, None)
            if batch is None:
                return
            batch.validate(full=True)  # texts that are no Unicode too
        except UNREADABLE as error:
            raise InputError(f"{file}: row {row}: {error}") from None
        lines = pa.array(range(row, row + batch.num_rows), pa.int64())
        yield pa.RecordBatch.from_arrays(
            [lines, *map(_text_array, batch.columns)], [LINE, *columns]
        )
        row += batch.num_rows


def _text_array(array: pa.Array) -> pa.Array:
    try:
        return array.cast(pa.string())
    except pa.ArrowException:
        return pa.array([text_of(value) for value in array.to_pylist()], pa.string())
