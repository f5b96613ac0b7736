"""Curves of backtests, kept beside the builds until the next one publishes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import BenchmartError
from pipelines.warehouse import replace_file
from pipelines.write_back import replace

CURVES = pa.schema(
    {
        "metric": pa.string(),
        "comparable_group": pa.string(),
        "policy": pa.string(),
        "seed": pa.int64(),
        "tests": pa.int64(),
        "rmse": pa.float64(),
        "median_ape": pa.float64(),
        "regret": pa.float64(),
    }
)


def read_curves(path: Path) -> pa.Table:
    """Curves of a file.

    Raises
    ------
    BenchmartError
        For a file that is none, or of another version.
    """
    try:
        return pq.read_table(path).select(CURVES.names).cast(CURVES)
    except (pa.ArrowException, KeyError):
        raise BenchmartError(
            f"{path}: no curves of this version; run `benchmart backtest` again, or remove it"
        ) from None


def keep_curves(path: Path, curves: pd.DataFrame) -> None:
    """Write curves; those of other policies in the file stay, where it can be read."""
    try:
        earlier = read_curves(path).to_pandas() if path.is_file() else curves.head(0)
    except BenchmartError:
        earlier = curves.head(0)
    others = earlier[~earlier["policy"].isin(curves["policy"])]
    table = pa.Table.from_pandas(
        pd.concat([curves, others])[CURVES.names], CURVES, preserve_index=False
    )
    replace_file(path, lambda part: pq.write_table(table, part))


def load_curves(con: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    """Make the curves of files the content of `ml.learning_curve`; see `read_curves`."""
    replace(
        con, "learning_curve", pa.concat_tables([CURVES.empty_table(), *map(read_curves, files)])
    )
