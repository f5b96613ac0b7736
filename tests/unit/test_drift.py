"""New measurements against what was predicted of them, and what a champion's age and rows call for."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

from models_py.boosting import LEVELS
from models_py.drift import Drift, as_held_out, compare, judge_drift, not_known
from models_py.metric_model import MetricModel
from models_py.promotion import judge
from models_py.retraining import Changes, Policy, reason_to_refit
from pipelines.learned_rows import LearnedRows, write_learned_rows

SIGNIFICANCE = 0.01
UNCHANGED = Changes()
CALM = Drift(10, 1, 1.0, 0.9)
WILD = Drift(10, 8, 2.0, 1e-6)


@pytest.fixture(scope="module")
def halves(frames) -> tuple[pd.DataFrame, pd.DataFrame]:
    training, _ = frames
    names = np.random.default_rng(7).permutation(training["config_id"].unique())
    known = training["config_id"].isin(names[: len(names) // 3])
    return training[known], training[~known]


@pytest.fixture(scope="module")
def model(halves) -> MetricModel:
    return MetricModel.fit(halves[0], "throughput", LEVELS, seed=0)


def _drift(model: MetricModel, rows: pd.DataFrame) -> Drift:
    return judge_drift(compare(model, rows), model.models)


def test_honest_predictions_raise_no_alarm(model, halves):
    alarms = 0
    for seed in range(20):
        drift = _drift(model, halves[1].sample(60, random_state=seed))
        assert drift.configurations <= 60
        alarms += drift.p_value < SIGNIFICANCE
    assert alarms <= 1


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_a_machine_that_became_slower_or_faster_does(model, halves, factor):
    changed = halves[1].sample(60, random_state=0)
    changed = changed.assign(throughput=changed["throughput"] * factor)
    drift = _drift(model, changed)
    assert drift.p_value < SIGNIFICANCE
    assert drift.outside > 20
    assert drift.median_ratio == pytest.approx(factor, rel=0.1)


def test_runs_of_one_model_on_one_device_are_one_witness(model, halves):
    test = halves[1]
    kin = test[
        test["model_name"].eq("bert-mini")
        & test["hardware"].eq("amd-epyc-genoa-1-thread")
        & test["framework"].eq("pytorch")
    ]
    assert len(kin) > 5
    drift = _drift(model, pd.concat([kin.assign(throughput=kin["throughput"] * 3)] * 5))
    assert drift.configurations == kin["config_id"].nunique()
    assert drift.outside > 5
    assert drift.p_value > SIGNIFICANCE


def test_a_model_that_was_never_seen_is_no_drift(frames, halves):
    training = frames[0]
    without = halves[0][halves[0]["model_name"] != "minilm-l6"]
    model = MetricModel.fit(without, "throughput", LEVELS, seed=0)
    strangers = training[training["model_name"] == "minilm-l6"]
    assert len(compare(model, strangers)) == len(strangers)
    assert _drift(model, strangers)[:2] == (0, 0)
    rows = pd.concat([without, strangers])
    assert _reason(model, rows, always_below=0, growth=0.9) == "never seen: minilm-l6"


def test_nothing_is_said_of_what_was_not_promised(model, halves):
    strangers = halves[1].head(20).assign(hardware="abacus")
    compared = compare(model, strangers)
    assert len(compared) == 20 and not compared["in_domain"].any()
    assert judge_drift(compared, model.models)[:2] == (0, 0)
    assert _drift(model, halves[1].iloc[:0]).p_value == 1


def test_the_form_of_held_out_predictions_is_theirs(model, halves):
    held_out = as_held_out(compare(model, halves[1].head(9)), model.levels)
    assert set(held_out) == set(model.held_out)
    np.testing.assert_allclose(np.exp(held_out["log_value"]), halves[1]["throughput"].head(9))


def test_repeats_of_what_a_champion_had_learned_are_no_test_of_it(model, halves):
    again = halves[0].head(30).assign(measurement_id=lambda rows: "again " + rows["measurement_id"])
    measured = pd.concat([halves[0], again, halves[1].head(20)])
    compared = compare(model, measured.iloc[len(halves[0]) :])
    assert len(compared) == 50
    unknown = not_known(compared, measured)
    assert unknown["measurement_id"].tolist() == halves[1]["measurement_id"].head(20).tolist()


def test_a_champion_that_drifted_is_judged_by_the_newest_measurements(model, halves):
    # everything became twice as fast: earlier measurements speak for the champion, new ones do not
    faster = halves[1].assign(throughput=halves[1]["throughput"] * 2).head(150)
    newcomer = MetricModel.fit(pd.concat([halves[0], faster]), "throughput", LEVELS, seed=1)
    newest = as_held_out(compare(model, faster), LEVELS)
    assert judge(newcomer, model, newest).promoted
    # whatever its coverage is: that of a champion that misses everything new is no better
    unsure = newcomer.held_out.assign(p05=lambda held: held["p50"], p95=lambda held: held["p50"])
    newcomer.held_out = unsure
    verdict = judge(newcomer, model, newest)
    assert "serves on" not in verdict.warning or "coverage" not in verdict.reason


def _reason(model, rows, changes=UNCHANGED, drift=CALM, age=0.0, **policy) -> str:
    usual = {"always_below": 2_000, "growth": 0.01, "days": 7, "significance": SIGNIFICANCE}
    return reason_to_refit(model, rows, changes, drift, age, Policy(**(usual | policy)))


def test_what_calls_for_a_new_fit(model, halves):
    known, three = halves[0], Changes(new=2, gone=1)
    large = {"always_below": 0, "growth": 0.05}
    assert _reason(model, known) == ""
    assert _reason(model, known, three).startswith("3 rows came or went")
    assert _reason(model, known, three, **large) == ""
    assert _reason(model, known, three, age=8, **large).startswith("8 days old")
    assert _reason(model, known, age=8, **large) == ""
    grown = pd.concat([known, halves[1].head(30)])
    assert _reason(model, grown, three, **large).startswith("30 rows came or went")
    assert _reason(model, known, three, drift=WILD, **large).startswith("drift: 8 of 10")
    strangers = known.assign(hardware=["abacus", *known["hardware"].iloc[1:]])
    assert _reason(model, strangers, **large) == "never seen: abacus"
    assert _reason(model, known, Changes(altered=4), **large).startswith("the facts of 4 measured")


def test_rows_are_known_by_what_they_say(halves):
    known, other = halves[0].head(40), halves[1].head(7)
    with duckdb.connect() as con:
        con.execute("create schema ml")
        nothing, new = LearnedRows(con).changes(known, "throughput")
        assert nothing == Changes() and new.empty
        write_learned_rows(con, known, ["throughput", "memory_mb"])
        learned = LearnedRows(con)
    renamed = known.assign(measurement_id=[f"m{number}" for number in range(40)], source="other")
    assert learned.changes(renamed, "throughput")[0] == Changes()
    changes, new = learned.changes(pd.concat([renamed, other]), "throughput")
    assert changes == Changes(new=7)
    assert new["measurement_id"].tolist() == other["measurement_id"].tolist()
    # a value that is gone for one metric is not gone for another
    fewer = known.assign(memory_mb=known["memory_mb"].where(np.arange(40) >= 4))
    assert learned.changes(fewer, "memory_mb")[0] == Changes(gone=4)
    assert learned.changes(fewer, "throughput")[0] == Changes()
    described = known.assign(memory_bandwidth_gbs=known["memory_bandwidth_gbs"] * 10)
    assert learned.changes(described, "throughput")[0] == Changes(altered=40)
    # a count that is missing somewhere makes floats of the others, and other facts of none
    missing = other.assign(batch_work=np.nan)
    counts = known.assign(batch_work=known["batch_work"].astype("int64"))
    with duckdb.connect() as con:
        con.execute("create schema ml")
        write_learned_rows(con, counts, ["throughput"])
        both = pd.concat([counts, missing])
        assert LearnedRows(con).changes(both, "throughput")[0] == Changes(new=7)
        # of a metric that the build before did not learn, nothing can be called new
        assert LearnedRows(con).changes(known, "memory_mb")[0] == Changes()
