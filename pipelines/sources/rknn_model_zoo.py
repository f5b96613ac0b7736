"""airockchip/rknn_model_zoo: the performance table of its README, a column for each processor."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from pipelines.readers.tables import Raw, Row, Table, table_of
from pipelines.sources.source import Landed, Source

TABLE = "rknn_model_zoo"
KEYS = ("demo", "model_name", "inputs_shape", "dtype")


def recognise(raw: Raw) -> Landed | None:
    """The tables of a document with these key columns; their headings state the unit."""
    tables = [table for table in raw.tables if set(KEYS[1:]) <= set(table.columns)]
    return {TABLE: table_of(chain.from_iterable(map(_cells, tables)))} if tables else None


def _cells(table: Table) -> Iterator[Row]:
    """One row per measurement: a model on one processor. A blank demo is the one above."""
    platforms = [name for name in table.columns if name not in KEYS]
    demo = ""
    for line, payload in table.rows:
        demo = payload.get("demo") or demo
        keys = {name: payload.get(name) for name in KEYS} | {"demo": demo, "heading": table.name}
        for platform in platforms:
            yield Row(line, {**keys, "platform": platform, "result": payload.get(platform)})


SOURCE = Source(name=TABLE, runs=(TABLE,), facts=(), recognise=recognise)
