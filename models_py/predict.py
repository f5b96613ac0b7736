"""`PerformancePredictor`: benchmark results in, calibrated quantiles of any configuration out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from models_py.boosting import LEVELS
from models_py.derived import DERIVED_FROM, DerivedModel, derived_rows, load_model
from models_py.feasibility import FeasibilityModel
from models_py.measured import TooFewRows
from models_py.metric_model import MetricModel

FORMAT = 5
FEASIBILITY = "feasibility"


class PerformancePredictor:
    """Predicts benchmark metrics with intervals that hold.

    Parameters
    ----------
    metrics
        Metrics to learn: columns of the training frame.
    levels
        Quantile levels, symmetric around 0.5; at least the default ones.
    seed
        Fits are deterministic for a seed.
    light
        Fit within seconds, with intervals near their promise: see `MetricModel.fit`.

    Attributes
    ----------
    models : dict of str to MetricModel or DerivedModel
        One fitted model per metric.
    feasibility : FeasibilityModel or None
        What is known of failures, after `fit_feasibility`.
    training_frame : pandas.DataFrame or None
        Rows of the last fit; a loaded predictor has none.
    refused : dict of str to str
        Metrics that could not be learned, and why.

    Examples
    --------
    >>> predictor = PerformancePredictor(metrics=("throughput",))
    >>> predictor.levels
    (0.05, 0.1, 0.5, 0.9, 0.95)
    """

    def __init__(
        self,
        metrics: Sequence[str] = ("throughput", "latency_ms"),
        levels: Sequence[float] = LEVELS,
        seed: int = 0,
        light: bool = False,
    ) -> None:
        levels = tuple(levels)
        symmetric = np.allclose(np.array(levels) + np.array(levels)[::-1], 1)
        if sorted(levels) != list(levels) or not set(LEVELS) <= set(levels) or not symmetric:
            raise ValueError(f"levels must ascend, be symmetric and include {LEVELS}, got {levels}")
        self.metrics = tuple(metrics)
        self.levels = levels
        self.seed = seed
        self.light = light
        self.models: dict[str, MetricModel | DerivedModel] = {}
        self.feasibility: FeasibilityModel | None = None
        self.refused: dict[str, str] = {}
        self.training_frame: pd.DataFrame | None = None

    def fit(self, frame: pd.DataFrame) -> PerformancePredictor:
        """Learn every metric from a frame with the columns of `features.training_features`.

        A metric with fewer than 30 measured rows is refused: see `refused`.

        Raises
        ------
        TooFewRows
            When no metric can be learned.
        """
        fresh = PerformancePredictor(self.metrics, self.levels, self.seed, self.light)
        for metric in sorted(self.metrics, key=DERIVED_FROM.__contains__):
            fresh.fit_metric(frame, metric)
        if not fresh.models:
            raise TooFewRows("; ".join(fresh.refused.values()))
        self.models, self.refused, self.training_frame = fresh.models, fresh.refused, frame
        return self

    def fit_metric(self, frame: pd.DataFrame, metric: str) -> None:
        """Learn one metric, or note in `refused` why not.

        A metric that its table derived from another is not learned a second time: fit that one first.
        """
        try:
            if not derived_rows(frame, metric).any():
                self.models[metric] = self._fitted(frame, metric)
                return
            source = DERIVED_FROM[metric]
            known = self.models.get(source) or self._fitted(frame, source)
            fitting = self.levels, self.seed, known, self.light
            self.models[metric] = DerivedModel.fit(frame, metric, *fitting)
        except TooFewRows as error:
            self.refused[metric] = str(error)

    def _fitted(self, frame: pd.DataFrame, metric: str) -> MetricModel:
        return MetricModel.fit(frame, metric, self.levels, self.seed, self.light)

    def predict(self, frame: pd.DataFrame, metric: str = "throughput") -> pd.DataFrame:
        """Quantiles of a metric for each row of a feature frame, in the metric's unit.

        Returns
        -------
        pandas.DataFrame
            With the index of `frame`: `p05 p10 p50 p90 p95` (one column per level), `epistemic` and
            `aleatoric` (standard deviations of the logarithm; aleatoric is NaN where no
            configuration was measured twice), `in_domain` and, where it is false, a `domain_reason`.
            Quantiles never cross and never exceed the physical bound.

        Raises
        ------
        KeyError
            For a metric that was not learned; the message says why.
        """
        return self._model(metric).predict(frame)

    def fit_feasibility(self, outcomes: pd.DataFrame) -> PerformancePredictor:
        """Learn what fails from a frame with the columns of `features.feasibility_features`."""
        self.feasibility = FeasibilityModel.fit(outcomes, self.seed)
        return self

    def prob_feasible(self, frame: pd.DataFrame) -> np.ndarray:
        """Probability that each row of a feature frame runs, shape (rows,); NaN where unknown."""
        if self.feasibility is None:
            return np.full(len(frame), np.nan)
        return self.feasibility.predict(frame)

    def update_models(self, results: pd.DataFrame) -> PerformancePredictor:
        """Refit with further rows of the training frame's columns.

        A row whose `measurement_id` is known replaces the earlier one.
        """
        if self.training_frame is None:
            if self.models:
                raise ValueError("a loaded predictor has no rows to refit with: set training_frame")
            return self.fit(results)
        frame = pd.concat([self.training_frame, results], ignore_index=True)
        if "measurement_id" in frame:
            repeated = (
                frame["measurement_id"].duplicated(keep="last") & frame["measurement_id"].notna()
            )
            frame = frame[~repeated]
        return self.fit(frame)

    def save(self, directory: Path) -> None:
        """Write the models: LightGBM's own text, JSON, arrays and Parquet, no pickle.

        What an earlier call left in the directory is replaced.
        """
        directory.mkdir(parents=True, exist_ok=True)
        for earlier in (*directory.glob("metric_*"), *directory.glob(FEASIBILITY)):
            shutil.rmtree(earlier)
        description = {
            "format": FORMAT,
            "metrics": list(self.metrics),
            "levels": list(self.levels),
            "seed": self.seed,
            "light": self.light,
            "learned": list(self.models),
            "refused": self.refused,
        }
        for position, model in enumerate(self.models.values()):
            model.save(directory / f"metric_{position}")
        if self.feasibility is not None:
            self.feasibility.save(directory / FEASIBILITY)
        text = json.dumps(description, indent=2)
        (directory / "predictor.json").write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, warehouse: Path | str) -> PerformancePredictor:
        """The champion models of a warehouse's published build, or of a directory that `save` wrote.

        Raises
        ------
        FileNotFoundError
            Where neither is found.
        """
        root = Path(warehouse)
        candidates = (root, root / "current" / "models")
        # resolved, so that a build published meanwhile does not mix in
        found = (path.resolve() for path in candidates)
        directory = next((path for path in found if (path / "predictor.json").is_file()), None)
        if directory is None:
            raise FileNotFoundError(f"{root}: no published build and no saved predictor here")
        saved = json.loads((directory / "predictor.json").read_text(encoding="utf-8"))
        if saved["format"] != FORMAT:
            raise ValueError(f"{directory}: saved by another version (format {saved['format']})")
        predictor = cls(saved["metrics"], saved["levels"], saved["seed"], saved.get("light", False))
        predictor.refused = saved["refused"]
        for position, metric in enumerate(saved["learned"]):
            predictor.models[metric] = load_model(directory / f"metric_{position}")
        if (directory / FEASIBILITY).is_dir():
            predictor.feasibility = FeasibilityModel.load(directory / FEASIBILITY)
        return predictor

    def _model(self, metric: str) -> MetricModel | DerivedModel:
        if metric not in self.models:
            reason = self.refused.get(
                metric, f"learned metrics: {', '.join(self.models) or 'none'}"
            )
            raise KeyError(f"metric '{metric}' is not learned: {reason}")
        return self.models[metric]


__all__ = ["PerformancePredictor", "TooFewRows"]
