"""MLflow: one experiment per metric, one logged model per run, aliases in the registry."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import time
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from models_py.evaluation import feasibility_figures
from pipelines import model_report
from pipelines.backtest_report import learning_figure
from pipelines.errors import BenchmartError
from pipelines.mlflow_errors import telling

if TYPE_CHECKING:
    import pandas as pd

    from models_py.derived import DerivedModel
    from models_py.feasibility import FeasibilityModel
    from models_py.metric_model import MetricModel
    from pipelines.facts import BuildFacts

REGISTRY_PREFIX = "benchmart"
DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"
SAMPLE_ROWS = 5
REQUIREMENTS = ("lightgbm", "pandas", "numpy", "scipy", "numba", "pyarrow")


@dataclass(frozen=True)
class Logged:
    """A model in the registry."""

    metric: str
    run_id: str
    model_version: str


class Tracker:
    """Logs fitted models to the MLflow database below `mlruns`.

    Raises
    ------
    BenchmartError
        Where `mlruns` was moved: artifacts would go to the place that it came from.
    """

    @telling
    def __init__(self, mlruns: Path) -> None:
        os.environ.setdefault("DO_NOT_TRACK", "true")
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        import mlflow
        from mlflow.tracking import MlflowClient

        self.root = mlruns.resolve()
        self.root.mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(f"sqlite:///{self.root / DATABASE}")
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        self.mlflow = mlflow
        self.client = MlflowClient()
        self.artifacts = (self.root / ARTIFACTS).as_uri()
        ours = self.client.search_experiments(filter_string=f"name LIKE '{REGISTRY_PREFIX}/%'")
        if any(experiment.artifact_location != self.artifacts for experiment in ours):
            raise BenchmartError(f"{self.root} was moved here; run `benchmart models relocate`")

    @telling
    def log(
        self,
        model: MetricModel,
        figures: dict[str, float],
        build: BuildFacts,
        measured: pd.DataFrame,
    ) -> Logged:
        """Log one metric's model and register it.

        Parameters
        ----------
        figures
            `evaluation.summary` of the model.
        measured
            Rows of the training frame that state the metric: for feature importance, and for the
            input part of the signature.
        """
        run_name = f"{model.rows} rows, {build.build_id}"
        with self.mlflow.start_run(
            experiment_id=self._experiment(model.metric), run_name=run_name
        ) as run:
            self.mlflow.log_params({**model.parameters, "levels": model.levels})
            self.mlflow.log_metrics(figures)
            self.mlflow.set_tags(_tags(build))
            for name, table in model_report.tables(model, measured).items():
                self.mlflow.log_table(table, name)
            self.mlflow.log_figure(model_report.calibration_figure(model), "calibration.png")
            logged_version = self._log_model(model, measured)
        return Logged(model.metric, run.info.run_id, logged_version)

    @telling
    def log_feasibility(self, model: FeasibilityModel, build: BuildFacts) -> None:
        """Log the model of failures: figures, trees, held-out probabilities."""
        run_name = f"{model.configurations} configurations, {build.build_id}"
        with self.mlflow.start_run(
            experiment_id=self._experiment("feasibility"), run_name=run_name
        ):
            self.mlflow.log_metrics(feasibility_figures(model))
            self.mlflow.set_tags(_tags(build))
            self.mlflow.log_figure(model_report.feasibility_figure(model), "calibration.png")
            with TemporaryDirectory() as folder:
                model.save(Path(folder))
                self.mlflow.log_artifacts(folder, "model")

    @telling
    def log_backtest(self, metric: str, curves: pd.DataFrame, savings: pd.DataFrame) -> None:
        """Log replays: a run per comparable group and policy, mean figures by number of tests."""
        experiment = self._experiment(f"backtest/{metric}")
        drawn = {group: learning_figure(rows) for group, rows in curves.groupby("comparable_group")}
        for (group, policy), rows in curves.groupby(["comparable_group", "policy"], sort=False):
            own = savings[savings["comparable_group"].eq(group) & savings["policy"].eq(policy)]
            with self.mlflow.start_run(
                experiment_id=experiment, run_name=f"{policy}, {group}"
            ) as run:
                self.mlflow.log_params({"policy": policy, "comparable_group": group})
                self.mlflow.log_table(own, "tests_saved.json")
                self.mlflow.log_figure(drawn[group], "learning_curves.svg")
                mean = rows.groupby("tests")[["rmse", "median_ape", "regret"]].mean()
                now = int(time.time() * 1000)
                points = [
                    self.mlflow.entities.Metric(name, float(value), now, int(tests))
                    for tests, figures in mean.iterrows()
                    for name, value in figures.items()
                ]
                self.client.log_batch(run.info.run_id, metrics=points)

    @telling
    def point(self, alias: str, metric: str, version: str) -> None:
        """Let an alias, `champion` or `challenger`, name a version of a metric's model."""
        self.client.set_registered_model_alias(registered(metric), alias, version)

    @telling
    def versions(self, metric: str) -> list[str]:
        """Registered versions of a metric's model, oldest first."""
        found = self.client.search_model_versions(f"name = '{registered(metric)}'")
        return sorted((str(entry.version) for entry in found), key=int)

    def load(self, metric: str, version: str) -> MetricModel | DerivedModel:
        """A registered version of a metric's model.

        Raises
        ------
        BenchmartError
            Where the registry or its artifacts do not have it.
        """
        from models_py.derived import load_model

        uri = f"models:/{registered(metric)}/{version}"
        try:
            folder = self.mlflow.artifacts.download_artifacts(uri)
            return load_model(Path(folder) / "artifacts" / "model")
        except (self.mlflow.MlflowException, OSError) as error:
            raise BenchmartError(
                f"{metric}: version {version} cannot be loaded from {self.root}"
                f" ({type(error).__name__}); if mlruns was moved: benchmart models relocate"
            ) from None
        except (KeyError, TypeError, ValueError):
            raise BenchmartError(
                f"{metric}: version {version} was saved by another version of benchmart;"
                f" if it is pinned: benchmart models release {metric}"
            ) from None

    def _experiment(self, metric: str) -> str:
        name = f"{REGISTRY_PREFIX}/{metric}"
        known = self.client.get_experiment_by_name(name)
        return known.experiment_id if known else self.client.create_experiment(name, self.artifacts)

    def _log_model(self, model: MetricModel, measured: pd.DataFrame) -> str:
        from mlflow.models import infer_signature

        rows = measured.head(SAMPLE_ROWS)
        inputs = rows[[name for name in model.inputs if name in rows]]
        outputs = model.predict(rows).drop(columns=["domain_reason"])
        with warnings.catch_warnings():
            # counts that may be missing are floats in every feature frame already
            warnings.filterwarnings("ignore", message="Hint: Inferred schema contains integer")
            signature = infer_signature(inputs, outputs)
        silent = contextlib.redirect_stderr(io.StringIO())  # registering prints
        with TemporaryDirectory() as folder, warnings.catch_warnings(), silent:
            # the signature is inferred from real rows; an example stored with it would copy data
            warnings.filterwarnings("ignore", message=".*input example was not provided.*")
            model.save(Path(folder) / "model")
            logged = self.mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("mlflow_model.py")),
                artifacts={"model": str(Path(folder) / "model")},
                signature=signature,
                pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
                code_paths=[str(Path(__file__).parent.parent / "models_py")],
                registered_model_name=registered(model.metric),
            )
        return str(logged.registered_model_version)


def _tags(build: BuildFacts) -> dict[str, str]:
    return {"build_id": build.build_id, "data_hash": build.fingerprint}


def registered(metric: str) -> str:
    """Name of a metric's model in MLflow's registry."""
    return f"{REGISTRY_PREFIX}-{metric}"
