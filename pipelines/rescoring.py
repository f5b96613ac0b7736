"""Predictions of the build before, which hold where neither the model nor what it reads has changed."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pandas as pd
import pyarrow as pa
from duckdb import ColumnExpression, ConstantExpression

from models_py.derived import DerivedModel
from models_py.joint import Joint
from models_py.metric_model import MetricModel
from pipelines.learned_rows import hashes_of_features
from pipelines.write_back import tables

QUANTILES = ["p05", "p10", "p50", "p90", "p95"]
PREDICTED = [*QUANTILES, "epistemic", "aleatoric", "in_domain", "domain_reason"]
KEYS = {"metric", "model", "workload_id", "config_id", "inputs"}
EARLIER_SCHEMA = pa.schema(
    {
        **dict.fromkeys(("metric", "model", "config_id"), pa.string()),
        "inputs": pa.uint64(),
        **dict.fromkeys((*QUANTILES, "epistemic", "aleatoric"), pa.float64()),
        "in_domain": pa.bool_(),
        "domain_reason": pa.string(),
    }
)


class Rescoring:
    """Predicts what has to be predicted anew.

    Parameters
    ----------
    models
        Names of the models that serve, which tell them from all others: by metric, those that have one.
    earlier
        See `earlier_predictions`, of all configurations that are asked about.
    joint
        What processes say of configurations; without it models are asked.
    """

    def __init__(
        self, models: Mapping[str, str], earlier: pd.DataFrame, joint: Joint | None = None
    ) -> None:
        self.models = models
        self.earlier = earlier
        self.joint = joint
        self._found: dict[str, pd.DataFrame] = {}

    def predict(self, model: MetricModel | DerivedModel, frame: pd.DataFrame) -> pd.DataFrame:
        """What the model predicts of the rows of a feature frame, one for each configuration.

        Returns
        -------
        pandas.DataFrame
            What `PerformancePredictor.predict` gives, and `inputs`, a hash of what the model reads.
        """
        inputs = hashes_of_features(frame, model.inputs).astype("UInt64")
        served = self.earlier["model"].eq(self.models.get(model.metric))
        earlier = self.earlier[served & self.earlier["metric"].eq(model.metric)]
        known = earlier.set_index("config_id").reindex(frame["config_id"]).set_axis(frame.index)
        same = (known["inputs"] == inputs).to_numpy(bool, na_value=False)
        found = self._anew(model, frame[~same])
        if same.any():
            kept = known.loc[same, list(found)].astype(found.dtypes)
            found = pd.concat([kept, found]).reindex(frame.index)
        if not isinstance(model, DerivedModel):
            self._found[model.digest] = found.set_axis(frame["config_id"])
        return found.assign(inputs=inputs)

    def _anew(self, model: MetricModel | DerivedModel, frame: pd.DataFrame) -> pd.DataFrame:
        """Predictions; of a metric that mirrors another by what was found of that one before."""
        if not isinstance(model, DerivedModel):
            if self.joint is None or frame.empty:
                return model.predict(frame)
            return model.predict(frame, self.joint.belief(model, frame))
        of_source = self._found.get(model.digest)
        if of_source is None:
            return model.predict(frame)
        rows = of_source.index.get_indexer(frame["config_id"])
        if (rows < 0).any():
            return model.predict(frame)
        return model.predict(frame, of_source.iloc[rows].set_axis(frame.index))


def earlier_predictions(con: duckdb.DuckDBPyConnection, first: str, last: str) -> pa.Table:
    """What the build before predicted of the workloads between two; nothing where there was none."""
    there = "previous_predictions" in tables(con)
    if not there or not set(con.table("ml.previous_predictions").columns) >= KEYS:
        return EARLIER_SCHEMA.empty_table()  # also after an older version
    workload = ColumnExpression("workload_id")
    here = (workload >= ConstantExpression(first)) & (workload <= ConstantExpression(last))
    rows = con.table("ml.previous_predictions").filter(here).select(*EARLIER_SCHEMA.names)
    return rows.to_arrow_table().cast(EARLIER_SCHEMA)
