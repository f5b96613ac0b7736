"""What a reader makes of a raw file: tables of text cells, or a tree of mappings and lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

BATCH_ROWS = 20_000
BATCH_CELLS = 2_000_000
LINE = "__line"
# a cell that says why its row cannot be read: staging rejects the row with it
PROBLEM = "__problem"


class Row(NamedTuple):
    """One source row as published."""

    line: int
    payload: dict[str, str | None]


@dataclass(frozen=True)
class Table:
    """A table of a raw file.

    Attributes
    ----------
    columns
        Names in its header.
    batches
        Text columns, and `LINE`; read once, lazily.
    name
        What the file calls the table; empty where the file is the table.
    """

    columns: list[str]
    batches: Iterator[pa.RecordBatch]
    name: str = ""

    @property
    def rows(self) -> Iterator[Row]:
        """The rows one by one; cells that a row does not have are left out."""
        for batch in self.batches:
            for record in batch.to_pylist():
                line = record.pop(LINE)
                yield Row(line, {key: cell for key, cell in record.items() if cell is not None})


class Mapping(dict):
    """A mapping of a tree, with the line or record number where it starts."""

    line = 1


@dataclass(frozen=True)
class Raw:
    """A raw file that was opened: `tables`, or the `tree` of a JSON or YAML document."""

    file: str
    tables: tuple[Table, ...] = ()
    tree: object = None


def table_of(rows: Iterable[Row], columns: Iterable[str] = (), name: str = "") -> Table:
    """A table from rows; `columns` is what its header says, where it has one.

    Examples
    --------
    >>> table = table_of([Row(1, {"a": "x"}), Row(2, {"b": "y"})])
    >>> [row.payload for row in table.rows]
    [{'a': 'x'}, {'b': 'y'}]
    """
    return Table(list(columns), _batches(iter(rows)), name)


def _batches(rows: Iterator[Row]) -> Iterator[pa.RecordBatch]:
    chunk: list[Row] = []
    names: dict[str, None] = {}
    for row in rows:
        chunk.append(row)
        names |= dict.fromkeys(row.payload)
        if len(chunk) == BATCH_ROWS or len(chunk) * len(names) >= BATCH_CELLS:
            yield _batch(chunk, names)
            chunk, names = [], {}
    if chunk:
        yield _batch(chunk, names)


def _batch(rows: list[Row], names: Iterable[str]) -> pa.RecordBatch:
    cells = {name: [row.payload.get(name) for row in rows] for name in names}
    return text_batch([row.line for row in rows], cells)


def text_batch(lines: list[int], cells: dict[str, list[str | None]]) -> pa.RecordBatch:
    """A batch of text columns with the lines they come from."""
    arrays = [pa.array(lines, pa.int64()), *(pa.array(c, pa.string()) for c in cells.values())]
    return pa.RecordBatch.from_arrays(arrays, [LINE, *cells])
