"""Nested folds: what is said of held-out rows was said without them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models_py import base, metric_model, stage
from models_py.bag import fit_bag
from models_py.boosting import LEVELS, profile_for
from models_py.metric_model import MetricModel

QUANTILES = ["p05", "p10", "p50", "p90", "p95"]


@pytest.fixture(scope="module")
def runs(frames) -> pd.DataFrame:
    training, _ = frames
    known = training[training["throughput"].notna()]
    return known.sample(150, random_state=6).reset_index(drop=True)


def _small(rows: int, process_rows: int | None = None):
    profile = profile_for(100)
    return replace(
        profile,
        folds=3,
        members=3,
        mean_rounds=20,
        shape_rounds=5,
        process_rows=process_rows or rows,
    )


def test_what_is_said_of_a_fold_does_not_know_its_values(runs, monkeypatch):
    """Other values in one fold change what is said of the others, and nothing of itself."""
    monkeypatch.setattr(metric_model, "profile_for", _small)
    nested = []

    def spied(*arguments):
        nested.append(stage.fit_nested(*arguments))
        return nested[-1]

    monkeypatch.setattr(metric_model, "fit_nested", spied)
    MetricModel.fit(runs, "throughput", LEVELS, seed=1)
    fold = nested[0].folds == 1
    # what physics leaves over on average is known to every fold: it stays as it was
    generator = np.random.default_rng(0)
    values = np.log(runs["throughput"].to_numpy(float))
    residual = values - np.log(runs["bound_throughput"].to_numpy(float))
    swapped = residual.copy()
    swapped[fold] = generator.permutation(residual[fold])
    altered = runs.assign(throughput=np.exp(values - residual + swapped))
    MetricModel.fit(altered, "throughput", LEVELS, seed=1)
    before, after = (found.held_out for found in nested)
    np.testing.assert_allclose(after.centre[fold], before.centre[fold], rtol=1e-6)
    np.testing.assert_allclose(after.quantiles[fold], before.quantiles[fold], rtol=1e-6)
    assert np.abs(after.centre[~fold] - before.centre[~fold]).max() > 0.01


def test_a_bag_boosts_a_process_that_knows_some_configurations(runs, monkeypatch):
    monkeypatch.setattr(metric_model, "profile_for", lambda rows: _small(rows, process_rows=60))
    model = MetricModel.fit(runs, "throughput", LEVELS, seed=1)
    assert model.stage.base.boosts
    known = model.conditioned_rows
    assert 60 <= known < 70 and len(model.held_out) == len(runs) - known
    held = model.held_out.merge(runs, on="measurement_id")
    # as many rows as the others have: no configuration is known by one repeat and asked by another
    others = runs[~runs["config_id"].isin(held["config_id"])]
    assert len(others) == known
    error = np.abs(held["p50"] - held["log_value"]).median()
    assert error < 0.5
    predicted = model.predict(runs)
    assert np.isfinite(predicted[QUANTILES]).all(axis=None)
    # every device that was measured is known, and is trusted for what calibrates it alone
    calibrating = held.groupby("hardware_x")["config_id"].nunique()
    assert {name: model.devices[name] for name in calibrating.index} == calibrating.to_dict()


def test_a_light_fit_knows_a_sample_of_many_rows(runs, monkeypatch):
    monkeypatch.setattr(metric_model, "profile_for", lambda rows: _small(rows, process_rows=60))
    model = MetricModel.fit(runs, "throughput", LEVELS, seed=1, light=True)
    assert 60 <= model.conditioned_rows < 70 and not model.stage.base.boosts
    assert set(model.models) == set(runs["model_name"])
    assert np.isfinite(model.predict(runs)[QUANTILES]).all(axis=None)


def test_many_repeats_of_one_configuration_do_not_crowd_out_the_others(runs, monkeypatch):
    monkeypatch.setattr(metric_model, "profile_for", lambda rows: _small(rows, process_rows=60))
    many = pd.concat([runs, *[runs.head(1)] * 300], ignore_index=True)
    many["measurement_id"] = [f"{row}" for row in range(len(many))]
    model = MetricModel.fit(many, "throughput", LEVELS, seed=1)
    assert model.rows == len(many)
    asked = []
    monkeypatch.setattr(
        metric_model, "profile_for", lambda rows: asked.append(rows) or _small(rows)
    )
    assert model.parameters and asked == [len(runs) + 19]  # of so many rows it was fitted
    assert len(model.stage.base.process.remainder.target) + len(model.held_out) == len(runs) + 19


@pytest.mark.parametrize(("least_gain", "members"), [(-1.0, 3), (1.0, 0)])
def test_a_bag_that_hardly_helps_is_left_out_also_of_the_folds(
    runs, monkeypatch, tmp_path, least_gain, members
):
    monkeypatch.setattr(metric_model, "profile_for", _small)
    monkeypatch.setattr(base, "LEAST_GAIN", least_gain)
    fitted = []

    def spied(*arguments):
        fitted.append(fit_bag(*arguments))
        return fitted[-1]

    monkeypatch.setattr(base, "fit_bag", spied)
    monkeypatch.setattr(base, "best_share", lambda *errors: 0.2 if errors[2] < 0 else 0.0)
    model = MetricModel.fit(runs, "throughput", LEVELS, seed=1)
    assert len(fitted) == (4 if members else 1)  # of the folds and of all rows
    model.save(tmp_path)
    assert len(list(tmp_path.glob("member_*.txt"))) == members
    loaded = MetricModel.load(tmp_path)
    pd.testing.assert_frame_equal(loaded.predict(runs), model.predict(runs))
    assert model.contributions(runs).to_numpy().any() == bool(members)
