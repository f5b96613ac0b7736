"""What is known of a configuration because it was measured."""

from __future__ import annotations

import numpy as np
import pandas as pd


def newest_measurements(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """One row per configuration with its measured value, of the newest framework version.

    Parameters
    ----------
    frame
        Columns of `features.training_features`.

    Returns
    -------
    pandas.DataFrame
        Feature columns, and `measured_value`: the geometric mean of the repeats.

    Examples
    --------
    >>> runs = pd.DataFrame({
    ...     "config_id": ["a", "a", "a"],
    ...     "framework_version_number": [2.0, 2.1, 2.1],
    ...     "throughput": [1.0, 10.0, 40.0],
    ... })
    >>> newest_measurements(runs, "throughput")["measured_value"].round(6).tolist()
    [20.0]
    """
    seen = frame[frame[metric].notna()]
    version = seen["framework_version_number"].astype(float).fillna(-np.inf)
    seen = seen[version == version.groupby(seen["config_id"]).transform("max")]
    values = np.exp(np.log(seen[metric].astype(float)).groupby(seen["config_id"]).mean())
    known = seen.drop_duplicates("config_id", keep="last")
    return known.assign(measured_value=known["config_id"].map(values))
