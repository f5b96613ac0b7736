"""Recommendations as tables: costs, alternatives, fronts, and what runs elsewhere than it should."""

from __future__ import annotations

import pandas as pd
import pytest

from pipelines.published import connect

MONEY = ["money_per_hour_p05", "money_per_hour_p50", "money_per_hour_p95"]


@pytest.fixture(scope="module")
def tables(template) -> dict[str, pd.DataFrame]:
    names = ("hardware_mismatches", "hardware_recommendations", "scored_candidates")
    names += ("pareto_front",)
    database = template / "warehouse" / "current" / "benchmart.duckdb"
    with connect(database, read_only=True) as con:
        return {name: con.table(f"analytics.{name}").df() for name in names}


@pytest.fixture(scope="module")
def deployed(tables) -> pd.DataFrame:
    rows = tables["hardware_mismatches"]
    return rows[rows["kind"] == "deployment"].set_index(["line", "objective"])


def test_staying_with_what_was_measured_costs_what_the_measurements_say(tables, deployed):
    options = tables["hardware_recommendations"].set_index(["objective", "config_id"])
    stays = deployed.loc[(2, "throughput")]
    here = options.loc[("throughput", stays["config_id"])]
    every = options.loc["throughput"]
    best = every[(every["workload_id"] == here["workload_id"]) & (every["rank"] == 1)].iloc[0]
    assert here["measured"] and best["measured"]
    assert stays["recommended_configuration"] == best["configuration"]
    assert stays["loss_percent_p50"] == pytest.approx(100 * (1 - here["p50"] / best["p50"]), abs=2)
    assert stays["prob_loss"] == 1


def test_money_is_what_the_demand_costs_beyond_the_cheapest(tables, deployed):
    cost = deployed.xs("cost", level="objective")
    options = tables["hardware_recommendations"]
    options = options[options["objective"] == "cost"].set_index("config_id")
    for line in (2, 3):
        spent = options["p50"][cost["config_id"][line]] / 1e6 * 500 * 3600
        assert cost["money_per_hour_p50"][line] == pytest.approx(
            spent * cost["loss_percent_p50"][line] / 100
        )
        assert cost.loc[line, MONEY].is_monotonic_increasing
    assert deployed.drop(index="cost", level="objective")[MONEY].isna().all(axis=None)
    assert cost.loc[4, MONEY].isna().all()  # of an unstated demand


def test_a_deployed_workload_that_nobody_measured_is_answered_with_an_interval(deployed):
    stays = deployed.loc[(3, "throughput")]
    assert stays["loss_percent_p05"] < stays["loss_percent_p50"] < stays["loss_percent_p95"]
    assert 0 < stays["prob_loss"] <= 1


def test_what_runs_where_it_should_is_no_mismatch_and_what_is_not_known_is_said(deployed):
    assert (4, "throughput") not in deployed.index
    unknown = deployed.reset_index().set_index("line").loc[5]
    assert unknown["objective"] is None or pd.isna(unknown["objective"])
    assert unknown["note"].startswith("nothing is predicted of it")


def test_candidates_on_another_device_than_recommended_are_listed(tables):
    rows = tables["hardware_mismatches"]
    candidates = rows[rows["kind"] == "candidate"]
    scored = tables["scored_candidates"]
    assert len(candidates) == (~scored["hardware_match"]).sum() > 0
    assert (candidates["hardware"] != candidates["recommended_hardware"]).all()


def test_every_workload_has_its_cheapest_platform_and_alternatives_within_the_margin(tables):
    rows = tables["hardware_recommendations"]
    assert {"throughput", "latency", "cost", "balanced"} <= set(rows["objective"])
    cost = rows[rows["objective"] == "cost"]
    assert cost["p50"].equals(cost["cost_per_million"])
    assert set(cost["unit"]) == {"USD per million samples"}
    others = rows[rows["is_alternative"]]
    assert len(others)
    assert (others["rank"] > 1).all()
    assert (others["expected_regret"] <= 0.1).all()
    assert not others.duplicated(["workload_id", "objective", "hardware"]).any()


def test_the_best_by_any_objective_is_on_the_front_unless_another_is_as_good(tables):
    front, rows = tables["pareto_front"], tables["hardware_recommendations"]
    assert {tuple(names) for names in front["objectives"]} == {("throughput", "latency", "cost")}
    assert set(front["workload_id"]) == set(rows["workload_id"])
    best = rows[(rows["rank"] == 1) & rows["objective"].isin(["throughput", "cost"])]
    sure = best[best["prob_best"] > 0.95]
    assert len(sure)
    on_front = front.set_index("config_id")["prob_on_front"]
    assert (on_front.reindex(sure["config_id"]) > 0.9).all()
    sample = front.iloc[0]
    assert dict(sample["medians"]).keys() >= {"throughput", "latency", "cost", "balanced"}
