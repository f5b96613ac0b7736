"""Which rows a build learned from: what the next one has to know to tell what is new to the models.

Rows are known by what they say: a file that was renamed, or got a column more, brings nothing new.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.util import hash_pandas_object

from models_py.features import CATEGORICAL, NUMERIC
from models_py.retraining import Changes
from pipelines.write_back import tables

SCHEMA = pa.schema({"metric": pa.string(), "content": pa.uint64(), "facts": pa.uint64()})
IDENTITY = ["config_id", "framework_version"]


def write_learned_rows(
    con: duckdb.DuckDBPyConnection, training: pd.DataFrame, metrics: Sequence[str]
) -> None:
    """Make `ml.learned_rows` say which rows of each metric there are, by hashes of values and facts."""
    tables = [SCHEMA.empty_table()]
    for metric in metrics:
        rows = _hashed(training, metric).assign(metric=metric)
        tables.append(pa.Table.from_pandas(rows[SCHEMA.names], SCHEMA, preserve_index=False))
    con.register("hashed_rows", pa.concat_tables(tables))
    con.execute("create or replace table ml.learned_rows as select * from hashed_rows")
    con.unregister("hashed_rows")


class LearnedRows:
    """What `write_learned_rows` left, of the build before; nothing before the first one."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        there = "learned_rows" in tables(con)
        self.rows = (
            con.sql("from ml.learned_rows").df() if there else SCHEMA.empty_table().to_pandas()
        )

    def changes(self, training: pd.DataFrame, metric: str) -> tuple[Changes, pd.DataFrame]:
        """What came, went and is described otherwise, and the rows that came.

        Nothing can be called new where nothing is known of the metric in the build before.
        """
        now = _hashed(training, metric)
        known = self.rows[self.rows["metric"] == metric].drop_duplicates("content")
        if known.empty:
            return Changes(), training.loc[now.index[:0]]
        fresh = ~now["content"].isin(known["content"])
        gone = int((~known["content"].isin(now["content"])).sum())
        both = now[~fresh].merge(known, on="content", suffixes=("", "_before"))
        altered = int((both["facts"] != both["facts_before"]).sum())
        return Changes(int(fresh.sum()), gone, altered), training.loc[now.index[fresh]]


def _hashed(training: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Hashes of what the rows of a metric say, and of what is known of their configuration."""
    if metric not in training:
        return pd.DataFrame({"content": [], "facts": []}, dtype=np.uint64)
    rows = training[training[metric].notna()]
    described = [*NUMERIC, *CATEGORICAL, f"bound_{metric}", "batch_work", f"{metric}_is_derived"]
    return pd.DataFrame(
        {
            "content": hash_pandas_object(rows[[*IDENTITY, metric]], index=False),
            "facts": hashes_of_features(rows, described),
        }
    )


def hashes_of_features(frame: pd.DataFrame, names: Iterable[str]) -> pd.Series:
    """A hash of each row by those of the columns that are there."""
    there = [name for name in names if name in frame]
    # a column of counts is one of floats as soon as a value is missing
    numbers = {name: float for name in there if name not in CATEGORICAL}
    return hash_pandas_object(frame[there].astype(numbers), index=False)
