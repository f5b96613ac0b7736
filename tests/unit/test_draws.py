"""Draws from predictive distributions: their margins, what they have in common, and odds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models_py import draws
from models_py.batches import whole_groups
from models_py.boosting import LEVELS
from models_py.draws import (
    Sampler,
    metric_correlation,
    probability_below,
    value_at,
)
from models_py.metric_model import quantile_names
from models_py.predict import PerformancePredictor
from models_py.ranking import known_values, rank_options

METRICS = ("throughput", "latency_ms")
STRANGER = "bert-mini"
STEPS = arrays(float, (1, len(LEVELS)), elements=st.floats(0.01, 10))


@pytest.fixture(scope="module")
def predictor(frames) -> PerformancePredictor:
    """Of all bundled models but one."""
    training, _ = frames
    return PerformancePredictor(METRICS, light=True).fit(
        training[training["model_name"] != STRANGER]
    )


@pytest.fixture(scope="module")
def options(frames) -> pd.DataFrame:
    training, _ = frames
    return training[training["model_name"] == STRANGER].drop_duplicates("config_id").head(60)


def margins(predictor, options, measured) -> dict[str, pd.DataFrame]:
    return {
        metric: predictor.predict(options, metric).assign(measured_value=measured)
        for metric in METRICS
    }


@given(STEPS, arrays(float, (1, 20), elements=st.floats(0.001, 0.999)))
def test_quantiles_and_probabilities_are_inverse(steps, probability):
    quantiles = np.cumsum(steps, axis=1) - 5
    values = value_at(quantiles, LEVELS, probability)
    found = [probability_below(quantiles, LEVELS, value) for value in values.T]
    np.testing.assert_allclose(np.concatenate(found), probability[0], atol=1e-9)


def test_nothing_lies_beyond_the_outermost_values():
    quantiles = np.array([[0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
    assert probability_below(quantiles, LEVELS, np.array([-9.0, 0.5])).tolist() == [0, 0]
    assert probability_below(quantiles, LEVELS, np.array([9.0, 1.5])).tolist() == [1, 1]


@given(st.lists(st.integers(0, 6), max_size=60), st.integers(1, 20))
def test_batches_hold_every_group_whole(codes, size):
    codes = np.array(codes, dtype=int)
    batches = list(whole_groups(codes, size))
    rows = np.concatenate(batches) if batches else np.array([])
    assert sorted(rows) == list(range(len(codes)))
    assert sum(len(set(codes[batch])) for batch in batches) == len(set(codes))
    assert all(len(batch) < size + np.bincount(codes).max() for batch in batches)


def test_draws_follow_their_quantiles(predictor, options):
    found = margins(predictor, options, np.nan)
    draws = Sampler(options, predictor.models, found, 20_000).draw(np.arange(len(options)))
    for metric, values in draws.items():
        expected = np.log(found[metric][quantile_names(LEVELS)].to_numpy())
        spread = expected[:, -1:] - expected[:, :1]
        reached = np.quantile(values, LEVELS, axis=1).T
        assert (np.abs(reached - expected) < 0.03 * spread).all()


def test_options_of_an_unknown_model_are_off_together_unless_measured(predictor, options):
    measured = np.where(np.arange(len(options)) < 5, 100.0, np.nan)
    sampler = Sampler(options, predictor.models, margins(predictor, options, measured), 2_000)
    draws = sampler.draw(np.arange(len(options)))["throughput"]
    together = np.corrcoef(draws)
    assert np.median(together[5:, 5:]) > 0.5
    assert np.abs(together[:5, 5:]).max() < 0.15


def test_latency_that_mirrors_throughput_is_drawn_as_its_mirror(frames):
    """Little's law in every single draw, not only in the quantiles."""
    training = frames[0].assign(
        latency_ms=lambda runs: 1000 * runs["batch_work"] / runs["throughput"],
        latency_ms_is_derived=True,
    )
    predictor = PerformancePredictor(METRICS, light=True).fit(training)
    correlation = metric_correlation(predictor.models)
    assert correlation[0, 1] < -0.9999
    asked = training[training["concurrency"] == 1].drop_duplicates("config_id").head(40)
    sampler = Sampler(asked, predictor.models, margins(predictor, asked, np.nan), 500)
    draws = sampler.draw(np.arange(len(asked)))
    products = draws["throughput"] + draws["latency_ms"]
    work = np.log(1000 * asked["batch_work"].to_numpy(float))
    assert np.abs(products - work[:, None]).mean() < 0.01 * draws["throughput"].std(axis=1).mean()


def test_ranking_knows_which_way_is_better():
    values = np.log([[1.0], [2.0], [3.0]]) + np.zeros((3, 4))
    workloads = pd.Series(["w", "w", "v"])
    assert rank_options(workloads, lambda rows: values[rows])["rank"].tolist() == [2, 1, 1]
    lower = rank_options(workloads, lambda rows: -values[rows])
    assert lower["rank"].tolist() == [1, 2, 1]
    assert lower["expected_regret"].tolist() == pytest.approx([0, 0.5, 0])
    assert lower["prob_best"].tolist() == [1, 0, 1]


def test_a_measured_value_replaces_what_was_predicted():
    predicted = pd.DataFrame(np.full((2, 5), 7.0), columns=quantile_names(LEVELS))
    known = known_values(predicted, pd.Series([np.nan, 50.0]), 0.1, LEVELS)
    assert (known.iloc[0] == 7).all()
    assert known["p50"][1] == 50
    assert np.log(known["p95"][1] / known["p05"][1]) == pytest.approx(2 * 1.6449 * 0.1, rel=1e-3)


def test_what_is_drawn_of_a_group_does_not_depend_on_the_others(predictor, options):
    shuffled = options.sample(frac=1, random_state=1)
    some = options[options["workload_id"].isin(options["workload_id"].unique()[::3])]
    drawn = {}
    for name, asked in (("all", options), ("shuffled", shuffled), ("some", some)):
        asked = asked.sort_values("config_id") if name != "shuffled" else asked
        own = margins(predictor, asked, np.nan)
        sampler = Sampler(asked, predictor.models, own, 64, groups=asked["workload_id"])
        values = sampler.draw(np.arange(len(asked)))["latency_ms"]
        drawn[name] = pd.DataFrame(values, index=asked["config_id"])
    both = drawn["all"].loc[drawn["some"].index]
    np.testing.assert_allclose(both, drawn["some"], atol=1e-9)
    assert not np.allclose(drawn["all"].loc[drawn["shuffled"].index], drawn["shuffled"])


def test_groups_are_drawn_independently_and_options_of_one_together(predictor, options):
    found = margins(predictor, options, np.nan)
    sampler = Sampler(options, predictor.models, found, 2_000, groups=options["workload_id"])
    together = np.corrcoef(sampler.draw(np.arange(len(options)))["throughput"])
    same = sampler.groups[:, None] == sampler.groups
    assert np.abs(together[~same]).max() < 0.15
    assert np.median(together[same & ~np.eye(len(options), dtype=bool)]) > 0.5


def test_what_has_no_quantiles_has_no_draws(predictor, options):
    found = margins(predictor, options, np.nan)
    names = quantile_names(LEVELS)
    found["latency_ms"].loc[options.index[:7], names] = np.nan
    drawn = Sampler(options, predictor.models, found, 16).draw(np.arange(len(options)))
    assert np.isnan(drawn["latency_ms"][:7]).all()
    assert not np.isnan(drawn["latency_ms"][7:]).any()
    assert not np.isnan(drawn["throughput"]).any()


def test_large_groups_are_cut_where_they_would_be_alone(predictor, options, monkeypatch):
    monkeypatch.setattr(draws, "MOST_TOGETHER", 25)
    names = np.where(np.arange(len(options)) < 10, "small", "large")
    both = options.assign(group=names)
    alone = both[both["group"] == "large"]
    drawn = {}
    for name, asked in (("both", both), ("alone", alone)):
        own = margins(predictor, asked, np.nan)
        sampler = Sampler(asked, predictor.models, own, 32, groups=asked["group"])
        drawn[name] = sampler.draw(np.arange(len(asked)))["throughput"]
    np.testing.assert_allclose(drawn["both"][10:], drawn["alone"], atol=1e-9)
