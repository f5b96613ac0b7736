"""Results that come back: what they are of, what they measured, and which of them failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

FAILURES = ("oom", "error")
DESCRIPTION = ("model_name", "hardware", "comparable_group", "workload_id")


class Results(NamedTuple):
    """Described rows by what they tell; rows that tell nothing are in neither.

    Attributes
    ----------
    measured
        Rows of the training frame's columns that state a metric.
    failed
        Rows of runs that failed.
    """

    measured: pd.DataFrame
    failed: pd.DataFrame


def read_results(
    results: pd.DataFrame, candidates: pd.DataFrame, metrics: Sequence[str]
) -> Results:
    """Results with the features of their candidates, where they do not state their own.

    Parameters
    ----------
    results
        Rows of the training frame's columns; of candidates `config_id` and metrics are enough.
        `status` is `ok`, `oom` or `error`, and `ok` where it is missing.

    Raises
    ------
    ValueError
        For a status that is none, or a configuration that is neither described nor a candidate.
    """
    rows = results.reset_index(drop=True)
    if "status" not in rows:
        rows = rows.assign(status="ok")
    strange = set(rows["status"].dropna()) - {"ok", *FAILURES}
    if strange:
        raise ValueError(
            f"status must be ok, oom or error, got {', '.join(sorted(map(str, strange)))}"
        )
    rows = _described(rows, candidates)
    failed = rows["status"].isin(FAILURES)
    stated = rows[[name for name in metrics if name in rows]].notna().any(axis=1)
    rows = rows.drop(columns="status")
    return Results(rows[stated & ~failed], rows[failed])


def _described(rows: pd.DataFrame, candidates: pd.DataFrame) -> pd.DataFrame:
    described = rows.reindex(columns=list(DESCRIPTION)).notna().all(axis=1)
    if described.all():
        return rows
    known = candidates.set_index("config_id")
    strange = set(rows["config_id"][~described]) - set(known.index)
    if strange:
        raise ValueError(
            f"{len(strange)} results are of no candidate, and not described: {min(strange)}"
        )
    return rows.combine_first(known.reindex(rows["config_id"]).reset_index(drop=True))
