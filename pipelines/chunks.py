"""Options in chunks of whole workloads: any number of them is scored in the same memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.rescoring import earlier_predictions

OPTIONS = 12_000
WORKLOADS = """
with options as (

    select workload_id from features.measured_configurations
    union all
    select workload_id from features.candidate_features

),

workloads as (

    select workload_id, count(*) as options from options group by all

),

placed as (

    select
        workload_id,
        cast(sum(options) over (order by workload_id) - options as bigint) // $options as chunk,
    from workloads

)

select min(workload_id), max(workload_id) from placed group by chunk order by chunk
"""
OF_WORKLOADS = """
select * from features.{} where workload_id between $first and $last order by workload_id, config_id
"""


class Packed:
    """Arrow tables that are sent to other processes as Parquet, a tenth of the size."""

    def __reduce__(self) -> tuple:
        tables = {
            name: _as_parquet(table) for name, table in vars(self).items() if table is not None
        }
        return _unpacked, (type(self), tables)


@dataclass
class Chunk(Packed):
    """All options of some workloads.

    Attributes
    ----------
    measured, candidates
        Rows of `features.measured_configurations` and of `features.candidate_features`.
    earlier
        What the build before predicted of them.
    """

    measured: pa.Table
    candidates: pa.Table
    earlier: pa.Table


def ends_of_chunks(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """First and last workload of each chunk, in the order of workloads, which is that of the tables."""
    return con.execute(WORKLOADS, {"options": OPTIONS}).fetchall()


def chunks(con: duckdb.DuckDBPyConnection, ends: Iterable[tuple[str, str]]) -> Iterator[Chunk]:
    """Options of the workloads between ends."""
    for first, last in ends:
        within = {"first": first, "last": last}
        measured, candidates = (
            con.sql(OF_WORKLOADS.format(table), params=within).to_arrow_table()
            for table in ("measured_configurations", "candidate_features")
        )
        yield Chunk(measured, candidates, earlier_predictions(con, first, last))


def _as_parquet(table: pa.Table) -> bytes:
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _unpacked(kind: type, tables: dict[str, bytes]) -> Packed:
    return kind(**{name: pq.read_table(BytesIO(table)) for name, table in tables.items()})
