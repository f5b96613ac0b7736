"""What builds say of new measurements, and which models they fit anew for them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.support import Commands, bundled_rows, write_csv

# as in a table of thousands of rows, where a handful does not call for a new fit
LARGE = {"BENCHMART_RETRAINING__ALWAYS_BELOW": "0", "BENCHMART_RETRAINING__GROWTH": "0.5"}


def _held_back(commands: Commands, slower: float = 1.0) -> Path:
    """Measurements of the bundled model that the published build lacks."""
    new = [
        row for number, row in enumerate(bundled_rows(model_name="bert-mini")) if number % 5 == 0
    ]
    for row in new:
        if row["status"] == "ok":
            row["throughput"] = str(float(row["throughput"]) / slower)
            row["latency_ms"] = str(float(row["latency_ms"]) * slower)
    return write_csv(commands.home / "raw" / "benchmart" / "more.csv", new)


def _drift(commands: Commands) -> dict[str, dict]:
    found = commands.query(
        "select * from analytics.drift"
        " where build_id = (select max(build_id) from analytics.builds)"
    )
    return found.set_index("metric").to_dict("index")


def test_what_was_predicted_well_needs_no_new_model(small: Commands):
    _held_back(small)
    served = small.query("select metric, serving_version from analytics.model_comparison")
    done = small.build(**LARGE)
    assert "throughput: the champion serves on" in done.stderr
    drift = _drift(small)["throughput"]
    assert not drift["drifted"] and not drift["refitted"] and drift["reason"] == ""
    assert drift["new_measurements"] >= 10
    checks = small.query("select * from analytics.prediction_checks where metric = 'throughput'")
    assert len(checks) == drift["new_measurements"]
    assert checks["covered"].mean() >= 0.7
    assert checks["ratio"].between(0.5, 2).all()
    assert set(checks["model_version"]) == {"1"} and checks["configuration"].notna().all()
    # no new version, yet the new measurements are known
    again = small.query("select metric, serving_version from analytics.model_comparison")
    assert again.equals(served)
    known = small.query(
        "select count(*) as n from analytics.predictions as p join analytics.prediction_checks as c"
        " using (config_id, metric) where p.measured_value is null"
    )
    assert known["n"].item() == 0


def test_a_machine_that_became_slower_calls_for_a_new_model(small: Commands):
    _held_back(small, slower=3.0)
    done = small.build(**LARGE)
    drift = _drift(small)["throughput"]
    assert drift["drifted"] and drift["refitted"]
    assert drift["reason"].startswith("drift: ")
    assert drift["median_ratio"] == pytest.approx(1 / 3, rel=0.2)
    assert drift["outside"] > drift["expected_outside"]
    assert "throughput: fitted anew, drift: " in done.stderr
    fitted = small.query(
        "select metric from analytics.model_comparison"
        " where build_id = (select max(build_id) from analytics.builds)"
    )
    # latency that mirrors throughput is never older than it
    assert _drift(small)["latency_ms"]["refitted"]
    assert {"throughput", "latency_ms"} <= set(fitted["metric"])


@pytest.mark.slow
def test_a_small_table_is_learned_anew_for_every_row_and_any_for_other_facts(small: Commands):
    _held_back(small)
    small.build()
    drift = _drift(small)
    assert all(entry["refitted"] for entry in drift.values())
    assert "rows came or went" in drift["throughput"]["reason"]
    before = len(small.query("select * from analytics.prediction_checks"))
    (small.home / "raw" / "benchmart" / "more.csv").rename(small.home / "raw" / "renamed.csv")
    path = small.home / "raw" / "benchmart" / "hardware.csv"
    rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    for row in rows:
        row["memory_bandwidth_gbs"] = str(2 * float(row["memory_bandwidth_gbs"]))
    write_csv(path, rows)
    small.build(**LARGE)
    # a renamed file says nothing new; facts that changed make other rows of all that were learned
    for entry in _drift(small).values():
        assert entry["new_measurements"] == 0
        assert entry["refitted"] and entry["reason"].startswith("the facts of 1")
    assert len(small.query("select * from analytics.prediction_checks")) == before > 0
    newest = small.query(
        "select distinct reason, is_champion from analytics.model_comparison"
        " where build_id = (select max(build_id) from analytics.builds)"
    )
    assert newest.values.tolist() == [["the champion learned other facts", True]]


def test_a_policy_that_is_none_is_named(commands: Commands):
    said = commands.refused("build", BENCHMART_RETRAINING__WHEN="never")
    assert "retraining.when" in said and "'never'" in said
