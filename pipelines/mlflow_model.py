"""The model that MLflow serves: feature rows in, all quantiles out. Loaded as code, never pickled."""

from pathlib import Path

import mlflow
import pandas as pd

from models_py.derived import load_model


class QuantileModel(mlflow.pyfunc.PythonModel):
    """One metric's `MetricModel` behind MLflow's interface."""

    def load_context(self, context) -> None:
        """Read boosters and calibration from the logged artifact."""
        self.model = load_model(Path(context.artifacts["model"]))

    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        """See `MetricModel.predict`."""
        return self.model.predict(model_input).drop(columns=["domain_reason"])


mlflow.models.set_model(QuantileModel())
