"""`benchmart backtest` on real measurements, and what the next build publishes of it."""

from __future__ import annotations

import re

import pytest
from mlflow.tracking import MlflowClient

from tests.support import Commands


def test_a_backtest_says_what_would_have_been_saved_and_is_published(small: Commands):
    said = small.succeed("backtest", "--seeds", 2, "--tune").stdout
    assert "text_embedding/inference/samples/s\n  mostly-accuracy, error of predictions: " in said
    assert "  balanced, what recommendations lose: " in said
    assert re.search(r"\d of 9 figures need fewer tests, beyond chance", said)
    assert "analytics.learning_curve" in said
    assert (small.warehouse / "backtests" / "throughput.parquet").is_file()
    drawn = (small.warehouse / "backtests" / "throughput.svg").read_text(encoding="utf-8")
    assert drawn.lstrip().startswith("<?xml") and "tests paid for" in drawn
    assert small.query("select count(*) as n from analytics.learning_curve")["n"].item() == 0
    small.build()
    curve = small.query("select * from analytics.learning_curve")
    replayed = {"random", "mostly-accuracy", "balanced", "mostly-decisions"}
    assert set(curve["policy"]) == replayed and (curve["seeds"] == 2).all()
    start = curve[curve["tests"] == 40]
    assert start["rmse"].nunique() == 1, "all policies begin with the same tests"
    ends = curve[curve["tests"] == curve["tests"].max()]
    assert (ends["rmse"] < start["rmse"].iloc[0]).all()

    client = MlflowClient(f"sqlite:///{small.home / 'mlruns' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("benchmart/backtest/throughput")
    runs = client.search_runs([experiment.experiment_id])
    assert {run.data.params["policy"] for run in runs} == replayed
    history = client.get_metric_history(runs[0].info.run_id, "rmse")
    assert sorted(point.step for point in history) == sorted(curve["tests"].unique())

    strategies = small.query("select * from analytics.strategies where objective = 'throughput'")
    assert strategies["prior"].mean() == pytest.approx(1) and strategies["prior"].nunique() == 3
    chosen = strategies[strategies["chosen"]].iloc[0]
    assert chosen["prior"] == strategies["prior"].max()
    assert chosen["hardware_weight"] == chosen["decision_share"]
    assert chosen["weights_reason"].startswith(f"as the shares of {chosen['strategy']}: worth ")


def test_what_cannot_be_replayed_is_named(small: Commands):
    said = small.refused("backtest", "--policy", "balansed")
    assert "unknown policy 'balansed'; did you mean 'balanced'?" in said
    said = small.refused("backtest", "--metric", "energy")
    assert "nothing to replay; no run states it" in said


@pytest.mark.slow
def test_derived_latency_is_replayed_as_well(small: Commands):
    said = small.succeed("backtest", "--metric", "latency", "--seeds", 2).stdout
    assert "  balanced, error of predictions: " in said
    assert (small.warehouse / "backtests" / "latency_ms.parquet").is_file()


def test_curves_that_cannot_be_read_stop_a_build_with_one_line(small: Commands):
    published = small.current
    path = small.warehouse / "backtests" / "throughput.parquet"
    path.parent.mkdir()
    path.write_bytes(b"no parquet")
    done = small.run("build", "--raw", small.home / "raw")
    assert done.returncode == 1
    assert "throughput.parquet: no curves of this version" in done.stderr
    assert "Traceback" not in done.stderr and small.current == published
