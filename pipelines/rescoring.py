"""Predictions of the build before, which hold where neither the model nor what it reads has changed."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pandas as pd

from models_py.derived import DerivedModel
from models_py.metric_model import MetricModel
from pipelines.learned_rows import hashes_of_features
from pipelines.write_back import tables

QUANTILES = ["p05", "p10", "p50", "p90", "p95"]
PREDICTED = [*QUANTILES, "epistemic", "aleatoric", "in_domain", "domain_reason"]
EARLIER = """
select config_id, inputs, columns(lambda name: list_contains($predicted, name))
from ml.previous_predictions
where metric = $metric and model = $model
"""


class Rescoring:
    """Predicts what has to be predicted anew.

    Parameters
    ----------
    con
        Where `ml.previous_predictions` has what the build before predicted, if there was one.
    models
        Names of the models that serve, which tell them from all others: by metric, those that have one.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, models: Mapping[str, str]) -> None:
        self.earlier = {metric: _earlier(con, metric, name) for metric, name in models.items()}

    def predict(self, model: MetricModel | DerivedModel, frame: pd.DataFrame) -> pd.DataFrame:
        """What the model predicts of the rows of a feature frame, one for each configuration.

        Returns
        -------
        pandas.DataFrame
            What `PerformancePredictor.predict` gives, and `inputs`, a hash of what the model reads.
        """
        inputs = hashes_of_features(frame, model.inputs).astype("UInt64")
        earlier = self.earlier.get(model.metric)
        if earlier is None:
            return model.predict(frame).assign(inputs=inputs)
        known = earlier.reindex(frame["config_id"]).set_axis(frame.index)
        same = (known["inputs"] == inputs).to_numpy(bool, na_value=False)
        anew = model.predict(frame[~same])
        kept = known.loc[same, list(anew)].astype(anew.dtypes)
        return pd.concat([kept, anew]).reindex(frame.index).assign(inputs=inputs)


def _earlier(con: duckdb.DuckDBPyConnection, metric: str, model: str) -> pd.DataFrame | None:
    if "previous_predictions" not in tables(con):
        return None
    if "inputs" not in con.table("ml.previous_predictions").columns:
        return None  # of an older version
    asked = {"metric": metric, "model": model, "predicted": PREDICTED}
    return con.execute(EARLIER, asked).df().set_index("config_id")
