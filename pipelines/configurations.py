"""Configurations that are asked about, and the features that the published build gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import pandas as pd

from models_py.plan import COUNTS

TEXTS = (
    "model_name",
    "model_type",
    "task",
    "hardware",
    "framework",
    "framework_version",
    "precision",
    "options",
    "throughput_unit",
)


def as_configurations(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Configurations as `describe` takes them; what a row does not say is missing."""
    frame = pd.DataFrame(rows, columns=[*TEXTS, *COUNTS])
    return frame.astype(dict.fromkeys(TEXTS, "string") | dict.fromkeys(COUNTS, "Int64"))


def describe(con: duckdb.DuckDBPyConnection, configurations: pd.DataFrame) -> pd.DataFrame:
    """Feature rows of configurations, in their order, by the macro of the published build."""
    con.register("asked", configurations.assign(asked_row=np.arange(len(configurations))))
    return con.sql(
        "select * from features.describe_configurations('asked') order by asked_row"
    ).df()
