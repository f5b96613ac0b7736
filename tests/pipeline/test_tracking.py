"""Who becomes champion, and how models get into a real MLflow registry."""

from __future__ import annotations

import subprocess
import sys
from copy import copy
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from models_py.boosting import LEVELS
from models_py.evaluation import summary
from models_py.metric_model import MetricModel
from models_py.promotion import judge
from pipelines.facts import BuildFacts
from pipelines.tracking import REQUIREMENTS, Tracker

# prints what other packages are imported by `models_py`, as MLflow loads it
IMPORTED = """
import builtins, sys
real, asked = builtins.__import__, set()
def noted(name, globals=None, *others):
    if (globals or {}).get("__name__", "").startswith("models_py"):
        asked.add(name.partition(".")[0])
    return real(name, globals, *others)
builtins.__import__ = noted
import models_py.derived
print(*asked - set(sys.stdlib_module_names) - {"models_py"})
"""


@pytest.fixture(scope="module")
def rows(frames) -> pd.DataFrame:
    training, _ = frames
    return training[training["model_type"] == "text_embedding"].iloc[::2].reset_index(drop=True)


def _fit(frame: pd.DataFrame) -> MetricModel:
    return MetricModel.fit(frame, "throughput", LEVELS, seed=0)


@pytest.fixture(scope="module")
def champion(rows) -> MetricModel:
    return _fit(rows)


def test_a_worse_model_does_not_replace_the_champion(rows, champion):
    values = np.random.default_rng(0).permutation(rows["throughput"].to_numpy())
    verdict = judge(_fit(rows.assign(throughput=values)), champion)
    assert not verdict.promoted
    assert "serves on" in verdict.warning


def test_a_refit_with_more_rows_replaces_the_champion(rows, champion):
    verdict = judge(champion, _fit(rows.iloc[::2]))
    assert verdict.promoted
    assert verdict.reason.startswith("interval score")
    assert "; least covered hardware amd-epyc-genoa" in verdict.reason


def test_a_champion_that_does_not_know_a_device_is_no_judge(rows, champion):
    verdict = judge(_fit(rows.assign(hardware="abacus")), champion)
    assert verdict.promoted
    assert verdict.reason == "no champion has seen the same devices, models and groups"
    assert judge(champion, None).promoted
    newcomer = copy(champion)
    newcomer.models = [*champion.models, "gpt-abacus"]
    assert judge(newcomer, champion).reason == verdict.reason


def test_a_score_has_to_be_worse_beyond_chance(champion):
    one, all_of_them = copy(champion), copy(champion)
    held = champion.held_out.reset_index(drop=True)
    one.held_out = held.assign(p95=held["p95"].where(held.index != 0, held["p95"] + 300))
    width = held["p95"] - held["p05"]
    all_of_them.held_out = held.assign(p95=held["p95"] + 0.6 * width)
    assert judge(one, champion).promoted
    verdict = judge(all_of_them, champion)
    assert not verdict.promoted and verdict.warning.startswith("the champion from before serves on")


def test_models_are_logged_and_named(rows, champion, tmp_path):
    tracker = Tracker(tmp_path / "mlruns")
    build = BuildFacts("build", datetime.now(UTC), "hash", "recipe")
    logged = tracker.log(champion, summary(champion), build, rows)
    client = MlflowClient()
    assert client.get_registered_model("benchmart-throughput").aliases == {}
    tracker.point("champion", logged.metric, logged.model_version)
    aliases = client.get_registered_model("benchmart-throughput").aliases
    assert {name: str(found) for name, found in aliases.items()} == {
        "champion": logged.model_version
    }
    run = client.get_run(logged.run_id)
    assert run.data.metrics == pytest.approx(summary(champion))
    assert run.data.tags["data_hash"] == "hash"

    def artifact(name: str) -> Path:
        return Path(tracker.mlflow.artifacts.download_artifacts(f"runs:/{logged.run_id}/{name}"))

    errors = pd.read_json(artifact("error_by_hardware.json"), orient="split")
    assert errors["rows"].sum() == len(champion.held_out)
    importance = pd.read_json(artifact("feature_importance.json"), orient="split")
    assert {"batch_size", "input_length"} <= set(importance["column"].head(12))
    assert importance["change"].is_monotonic_decreasing and importance["change"].min() >= 0
    assert artifact("calibration.png").read_bytes().startswith(b"\x89PNG")


def test_what_a_model_needs_is_logged_with_it():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], check=True, capture_output=True, text=True
    )
    assert {"numba", "numpy"} <= set(done.stdout.split()) <= set(REQUIREMENTS)
