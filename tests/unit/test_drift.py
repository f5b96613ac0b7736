"""New measurements against what was predicted of them, and what a champion's age and rows call for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models_py.boosting import LEVELS
from models_py.drift import Drift, as_held_out, compare, judge_drift
from models_py.metric_model import MetricModel
from models_py.promotion import judge
from models_py.retraining import Policy, reason_to_refit

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


def test_honest_predictions_raise_no_alarm(model, halves):
    alarms = 0
    for seed in range(20):
        drift = judge_drift(compare(model, halves[1].sample(40, random_state=seed)))
        assert drift.configurations <= 40
        alarms += drift.drifted()
    assert alarms <= 2


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_a_machine_that_became_slower_or_faster_does(model, halves, factor):
    changed = halves[1].sample(40, random_state=0)
    changed = changed.assign(throughput=changed["throughput"] * factor)
    drift = judge_drift(compare(model, changed))
    assert drift.drifted()
    assert drift.outside > 15
    assert drift.median_ratio == pytest.approx(factor, rel=0.1)


def test_repeats_of_a_configuration_are_one_witness(model, halves):
    one = halves[1].head(1)
    repeats = pd.concat([one.assign(throughput=one["throughput"] * 3)] * 30)
    drift = judge_drift(compare(model, repeats))
    assert drift[:2] == (1, 1)
    assert not drift.drifted()


def test_nothing_is_said_of_what_was_not_promised(model, halves):
    strangers = halves[1].head(20).assign(hardware="abacus")
    compared = compare(model, strangers)
    assert len(compared) == 20 and not compared["in_domain"].any()
    assert judge_drift(compared)[:2] == (0, 0)
    assert judge_drift(compare(model, halves[1].iloc[:0])).p_value == 1


def test_the_form_of_held_out_predictions_is_theirs(model, halves):
    held_out = as_held_out(compare(model, halves[1].head(9)), model.levels)
    assert set(held_out) == set(model.held_out)
    np.testing.assert_allclose(np.exp(held_out["log_value"]), halves[1]["throughput"].head(9))


def test_a_champion_that_drifted_is_judged_by_the_newest_measurements(model, halves):
    # everything became twice as fast: earlier measurements speak for the champion, new ones do not
    faster = halves[1].assign(throughput=halves[1]["throughput"] * 2)
    everything = pd.concat([halves[0], faster.head(150)])
    newcomer = MetricModel.fit(everything, "throughput", LEVELS, seed=1)
    newest = as_held_out(compare(model, faster.head(150)), LEVELS)
    verdict = judge(newcomer, model, newest)
    assert verdict.promoted, verdict.reason


def _reason(model, rows, changed=0, drift=CALM, age=0.0, **policy) -> str:
    return reason_to_refit(model, rows, changed, drift, age, Policy(**policy))


def test_what_calls_for_a_new_fit(model, halves):
    known = halves[0]
    large = {"always_below": 0, "growth": 0.05}
    assert _reason(model, known) == ""
    assert _reason(model, known, changed=3).startswith("3 rows came or went")
    assert _reason(model, known, changed=3, **large) == ""
    assert _reason(model, known, changed=3, age=8, **large).startswith("8 days old")
    assert _reason(model, known, age=8, **large) == ""
    grown = pd.concat([known, halves[1].head(30)])
    assert _reason(model, grown, changed=3, **large).startswith("30 rows came or went")
    assert _reason(model, known, changed=3, drift=WILD, **large).startswith("drift: 8 of 10")
    strangers = known.assign(hardware=["abacus", *known["hardware"].iloc[1:]])
    assert _reason(model, strangers, **large) == "never seen: abacus"
