"""What processes say of options jointly: the same as models say of them one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models_py import joint
from models_py.joint import Joint
from models_py.predict import PerformancePredictor

METRICS = ("throughput", "memory_mb")


@pytest.fixture(scope="module")
def models(frames):
    """Models that know neither one model nor one device."""
    runs = frames[0]
    known = runs[(runs["model_name"] != "bert-mini") & (runs["hardware"] != runs["hardware"][0])]
    return PerformancePredictor(METRICS, light=True).fit(known).models


@pytest.fixture(scope="module")
def options(frames):
    every = pd.concat(frames).drop_duplicates("config_id")
    return every.sample(400, random_state=2).reset_index(drop=True)


def test_options_are_believed_and_correlate_as_the_model_says(models, options):
    known = Joint(options, options["workload_id"], models.values())
    some = options.sample(150, random_state=3)
    for model in models.values():
        belief = known.belief(model, some)
        expected = model.predict(some)
        found = model.predict(some, belief)
        np.testing.assert_allclose(found["p50"], expected["p50"], rtol=1e-9)
        np.testing.assert_allclose(found["epistemic"], expected["epistemic"], rtol=1e-6)
        whole = model.correlation(some)
        alike = some["workload_id"].to_numpy()[:, None] == some["workload_id"].to_numpy()
        assert len(some) < alike.sum() < len(some) ** 2
        correlation = known.correlation(model, some["config_id"])
        np.testing.assert_allclose(correlation, np.where(alike, whole, 0), rtol=1e-6, atol=1e-9)


def test_large_groups_are_cut(models, options, monkeypatch):
    monkeypatch.setattr(joint, "MOST_TOGETHER", 7)
    together = options.assign(group="")["group"]
    known = Joint(options, together, models.values())
    model = models["throughput"]
    correlation = known.correlation(model, options["config_id"])
    cut = np.arange(len(options)) // 7
    expected = np.where(cut[:, None] == cut, model.correlation(options), 0)
    np.testing.assert_allclose(correlation, expected, rtol=1e-6, atol=1e-9)


def test_a_process_is_asked_once_and_of_what_its_metrics_apply_to(models, options, monkeypatch):
    model = models["throughput"]
    groups = dict.fromkeys(options["comparable_group"].iloc[:1], 9)
    monkeypatch.setattr(model, "groups", groups)
    applies = model.applies(options)
    assert 0 < applies.sum() < len(options)
    known = Joint(options, options["workload_id"], [model])
    for _ in range(2):
        assert len(known.belief(model, options[applies]).mean) == applies.sum()
    ((_, found),) = known._known.items()
    assert len(found.options) == applies.sum()


def test_of_other_options_the_model_is_asked_and_nothing_is_made_up(models, options):
    model, few = models["throughput"], options.head(100)
    known = Joint(few, few["workload_id"], models.values())
    expected = model.belief(options)
    for asked in (options, options.tail(50)):
        found = known.belief(model, asked)
        np.testing.assert_allclose(found.mean, expected.mean[asked.index], rtol=1e-9)
        np.testing.assert_allclose(found.epistemic, expected.epistemic[asked.index], rtol=1e-6)
    with pytest.raises(KeyError, match="300 options are not among"):
        known.correlation(model, options["config_id"])
