"""What `benchmart build` publishes, as its readers see it."""

from __future__ import annotations

import json

import pandas as pd

from tests.support import Commands, all_bundled_rows

TABLES = {
    "builds",
    "calibration",
    "combined_rankings",
    "data_quality",
    "derived_metrics",
    "diagnostics",
    "drift",
    "held_out_predictions",
    "hardware_mismatches",
    "pareto_front",
    "feasibility_calibration",
    "hardware_recommendations",
    "learning_curve",
    "measurement_noise",
    "measurements",
    "model_comparison",
    "prediction_checks",
    "predictions",
    "quality_rules",
    "recommendation_changes",
    "rejected_measurements",
    "scored_candidates",
    "strategies",
    "strategy_rewards",
    "training_sample",
}
VIEWS = {"deployments_to_move", "hardware_overview", "next_tests", "recommended_platforms"}


def test_every_table_is_there_described_and_filled(published: Commands):
    found = published.query(
        "select table_name, comment from duckdb_tables() where schema_name = 'analytics'"
        " union all select view_name, comment from duckdb_views() where schema_name = 'analytics'"
    )
    assert set(found["table_name"]) == TABLES | VIEWS
    assert found["comment"].str.contains("One row per").all()
    undescribed = published.query(
        "select table_name, column_name from duckdb_columns()"
        " where schema_name = 'analytics' and comment is null"
    )
    assert undescribed.empty
    may_be_empty = {"derived_metrics", "drift", "learning_curve", "measurement_noise"}
    may_be_empty |= {"prediction_checks", "recommendation_changes", "strategy_rewards"}
    for table in TABLES - may_be_empty - {"rejected_measurements"}:
        assert published.query(f"select count(*) as n from analytics.{table}")["n"].item() > 0


def test_rows_are_accounted_for(bundled: Commands):
    quality = bundled.query("select * from analytics.data_quality")
    parts = quality[["rows_accepted", "rows_rejected", "rows_duplicate"]].sum(axis=1)
    assert (quality["rows_read"] == parts).all()
    rows = len(list(all_bundled_rows()))
    assert quality["rows_read"].sum() == rows
    # DuckDB 2.0.0 says otherwise
    assert f"{rows} runs = {rows} accepted + 0 rejected" in bundled.succeed("status").stdout


def test_nearly_every_bundled_row_is_plausible(bundled: Commands):
    counts = bundled.query(
        "select sum(rows_accepted) / sum(rows_read) as share from analytics.data_quality"
    )
    assert counts["share"].item() > 0.99
    accepted = bundled.query("select distinct model_type from analytics.measurements")
    assert len(accepted) == 5


def test_predictions_are_ordered_bounded_and_have_a_unit(published: Commands):
    crossing = published.query(
        "select count(*) as n from analytics.predictions"
        " where not (p05 <= p10 and p10 <= p50 and p50 <= p90 and p90 <= p95) or unit is null"
    )
    assert crossing["n"].item() == 0
    beyond = published.query(
        "select count(*) as n from analytics.predictions"
        " where metric = 'throughput' and p95 > bound * 1.000001"
        " or metric in ('latency_ms', 'memory_mb') and p05 < bound * 0.999999"
    )
    assert beyond["n"].item() == 0


def test_recommended_hardware_differs_between_workloads(bundled: Commands):
    best = bundled.query(
        "select distinct hardware, framework from analytics.hardware_recommendations"
        " where rank = 1 and objective = 'throughput'"
    )
    assert best["hardware"].nunique() > 1
    assert best["framework"].nunique() > 1


def test_rankings_hold_the_candidates_scores(published: Commands):
    rankings = published.query(
        "select * from analytics.combined_rankings where objective = 'throughput' order by rank"
    )
    assert rankings["rank"].tolist() == list(range(1, len(rankings) + 1))
    assert rankings["combined_score"].nunique() > 10
    measured = published.query("select distinct config_id from analytics.measurements")
    assert not rankings["config_id"].isin(measured["config_id"]).any()


def test_what_was_held_out_is_covered(bundled: Commands):
    overall = bundled.query(
        "select * from analytics.calibration where group_kind = 'overall' and nominal = 0.9"
    )
    assert set(overall["metric"]) == {"throughput", "latency_ms", "memory_mb"}
    assert overall["coverage"].between(0.85, 0.95).all()


def test_published_files_are_read_only(published: Commands):
    build = published.current
    files = [path for path in build.rglob("*") if path.is_file()]
    assert files
    assert not any(path.stat().st_mode & 0o222 for path in files)


def test_models_are_tracked_and_served_by_mlflow(published: Commands, frames):
    import mlflow
    from mlflow.tracking import MlflowClient

    from models_py.predict import PerformancePredictor

    mlflow.set_tracking_uri(f"sqlite:///{published.home / 'mlruns' / 'mlflow.db'}")
    client = MlflowClient()
    for metric in ("throughput", "latency_ms", "memory_mb"):
        experiment = client.get_experiment_by_name(f"benchmart/{metric}")
        runs = client.search_runs([experiment.experiment_id])
        assert len(runs) == 1
        assert 0 < len(runs[0].data.metrics) <= 8
        champion = client.get_model_version_by_alias(f"benchmart-{metric}", "champion")
        assert champion.run_id == runs[0].info.run_id
    rows = frames[0].head(20)
    served = mlflow.pyfunc.load_model("models:/benchmart-throughput@champion").predict(rows)
    loaded = PerformancePredictor.load(published.warehouse)
    ours = loaded.predict(rows, "throughput").drop(columns="domain_reason")
    pd.testing.assert_frame_equal(served, ours)
    artifacts = published.home / "mlruns" / "artifacts"
    assert not [path for path in artifacts.rglob("*") if path.suffix in {".pkl", ".pickle"}]


def test_what_failed_is_known_and_the_model_of_it_is_tracked(published: Commands):
    found = published.query("select * from analytics.feasibility_calibration")
    unlikely = found[found["probability_to"] <= 0.2]
    assert unlikely["configurations"].sum() >= 50 and (unlikely["share_that_ran"] == 0).all()
    likely = published.query("select min(prob_feasible) as least from analytics.combined_rankings")
    assert likely["least"].item() >= 0.5

    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{published.home / 'mlruns' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("benchmart/feasibility")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.metrics["brier"] < run.data.metrics["brier_of_share"]
    assert {"build_id", "data_hash"} <= set(run.data.tags)


def test_building_again_changes_nothing_and_says_so(bundled: Commands):
    before = bundled.current
    done = bundled.succeed("build")
    assert "nothing changed since build" in done.stderr
    assert bundled.current == before


def test_status_says_what_is_published(published: Commands):
    text = published.succeed("status").stdout
    assert "Next 5 tests for throughput" in text
    assert "benchmart.duckdb" in text
    found = json.loads(published.succeed("status", "--json").stdout)
    assert found["build_id"] == published.current.name
    assert len(found["next_tests"]) == 10
