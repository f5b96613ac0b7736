"""Replays on bundled measurements: nothing is known before it was paid for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models_py.replay import State, at_random, chosen_jointly, replay
from models_py.savings import needed_tests, saving


@pytest.fixture(scope="module")
def runs(frames) -> pd.DataFrame:
    training, _ = frames
    return training[training["comparable_group"] == "text_embedding/inference/samples/s"]


def test_a_policy_sees_what_it_paid_for_and_no_other_value(runs):
    seen: list[State] = []

    def spying(state: State, count: int) -> np.ndarray:
        seen.append(state)
        return at_random(state, count)

    curve = replay(runs, "throughput", spying, budget=70, seed=3, batch=lambda spent: 15)
    assert curve["tests"].tolist() == [40, 55, 70]
    configurations = runs["config_id"].nunique()
    for state, spent in zip(seen, (40, 55), strict=True):
        paid, free = set(state.measured["config_id"]), set(state.candidates["config_id"])
        assert len(paid) == len(state.measured) == spent
        assert not paid & free
        # a fifth is never asked for
        assert len(paid | free) == configurations - round(0.2 * configurations)
        assert not {"throughput", "measured_value"} & set(state.candidates)
    assert set(seen[0].measured["config_id"]) < set(seen[1].measured["config_id"])


def test_policies_of_a_seed_begin_alike_and_tests_pay(runs):
    chance, ours = (
        replay(runs, "throughput", policy, budget=160, seed=5, batch=lambda spent: 40)
        for policy in (at_random, chosen_jointly(0.5))
    )
    pd.testing.assert_series_equal(chance.iloc[0], ours.iloc[0])
    for curve in (chance, ours):
        assert curve["tests"].iloc[-1] == 160
        assert curve["rmse"].iloc[-1] < curve["rmse"].iloc[0]
        assert curve["regret"].between(0, 1).all()
    assert ours["regret"].iloc[-1] <= chance["regret"].iloc[-1]


def test_less_is_better_has_regret_as_well(runs):
    measured = runs.drop(columns=["throughput"]).assign(latency_ms_is_derived=False)
    curve = replay(measured, "latency_ms", at_random, budget=60, seed=1)
    assert curve["regret"].between(0, 0.9).all()


@pytest.mark.parametrize(
    ("values", "goal", "expected"),
    [
        ([0.4, 0.2, 0.1], 0.05, np.nan),
        ([0.4, 0.2, 0.1], 0.5, 40),
        # what does not stay below the goal has not reached it
        ([0.4, 0.1, 0.3, 0.1], 0.2, 90),
    ],
)
def test_a_goal_is_reached_when_it_is_kept(values, goal, expected):
    curve = pd.DataFrame({"tests": 40 + 20 * np.arange(len(values)), "rmse": values})
    assert needed_tests(curve, "rmse", goal) == pytest.approx(expected, nan_ok=True)


def _curves(rates: list[float]) -> pd.DataFrame:
    """A seed per rate at which the error falls with every test."""
    tests = np.arange(40, 241, 20)
    return pd.concat(
        pd.DataFrame({"tests": tests, "rmse": np.exp(-rate * tests), "seed": seed})
        for seed, rate in enumerate(rates)
    )


def test_twice_the_speed_is_half_the_tests():
    slow, fast = _curves([0.01, 0.011, 0.009]), _curves([0.02, 0.022, 0.018])
    found = saving(fast, slow, "rmse", goal=0.15)
    assert found.percent == pytest.approx(50, abs=3)
    assert found.low <= found.percent <= found.high
    assert saving(slow, slow, "rmse").percent == pytest.approx(0, abs=1e-9)
    assert saving(slow, fast, "rmse", goal=0.15).percent == pytest.approx(-100, abs=8)
    assert np.isnan(saving(slow, fast, "rmse", goal=0.02).percent)
