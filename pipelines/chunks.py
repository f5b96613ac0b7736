"""Options in chunks of whole workloads: any number of them is scored in the same memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from itertools import islice
from typing import NamedTuple, TypeVar

import duckdb
import pandas as pd

from pipelines.published import as_frame
from pipelines.rescoring import earlier_predictions

OPTIONS = 24_000
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

Item, Result = TypeVar("Item"), TypeVar("Result")


class Chunk(NamedTuple):
    """All options of some workloads.

    Attributes
    ----------
    measured, candidates
        See `measured_frame` and `candidate_frame`.
    earlier
        What the build before predicted of them.
    """

    measured: pd.DataFrame
    candidates: pd.DataFrame
    earlier: pd.DataFrame


def chunks(con: duckdb.DuckDBPyConnection) -> Iterator[Chunk]:
    """All options, in the order of their workloads, which is that of the tables."""
    for first, last in con.execute(WORKLOADS, {"options": OPTIONS}).fetchall():
        within = {"first": first, "last": last}
        measured, candidates = (
            as_frame(con.sql(OF_WORKLOADS.format(table), params=within))
            for table in ("measured_configurations", "candidate_features")
        )
        yield Chunk(measured, candidates, earlier_predictions(con, first, last))


def in_turn(
    pool: Executor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Results in the order of the items, of which no more than so many are taken ahead."""
    items, waiting = iter(items), deque()
    waiting.extend(pool.submit(work, item) for item in islice(items, ahead))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(work, item) for item in islice(items, 1))
