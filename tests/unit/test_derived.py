"""Latency that a table worked out from throughput is not learned a second time."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models_py.derived import DerivedModel, derived_rows
from models_py.predict import PerformancePredictor

METRICS = ("latency_ms", "throughput")
QUANTILES = ["p05", "p10", "p50", "p90", "p95"]


@pytest.fixture(scope="module")
def embedding(frames) -> pd.DataFrame:
    """Bundled runs of text embeddings: their latency is a batch over the throughput."""
    training, _ = frames
    runs = training[training["model_type"] == "text_embedding"]
    return runs.sample(120, random_state=4).reset_index(drop=True)


@pytest.fixture(scope="module")
def fitted(embedding) -> PerformancePredictor:
    return PerformancePredictor(METRICS, seed=1).fit(embedding)


def test_derived_latency_mirrors_throughput(fitted, embedding):
    assert derived_rows(embedding, "latency_ms").all()
    model = fitted.models["latency_ms"]
    assert isinstance(model, DerivedModel) and model.learned is None
    latency = fitted.predict(embedding, "latency_ms")
    throughput = fitted.predict(embedding, "throughput")
    in_flight = 1000 * embedding["batch_work"] * embedding["concurrency"]
    for low, high in (("p05", "p95"), ("p10", "p90"), ("p50", "p50")):
        product = latency[low].to_numpy() * throughput[high].to_numpy()
        np.testing.assert_allclose(product, in_flight.to_numpy(float), rtol=1e-9)
    held = model.held_out
    assert len(held) == len(embedding)
    assert 0.8 <= held["log_value"].between(held["p05"], held["p95"]).mean() <= 0.99


def test_runs_of_unknown_work_tell_nothing_of_a_mirror(embedding):
    unknown = embedding["measurement_id"].isin(embedding["measurement_id"].head(5))
    rows = embedding.assign(batch_work=embedding["batch_work"].astype(float).mask(unknown))
    predictor = PerformancePredictor(METRICS, light=True).fit(rows)
    held = predictor.models["latency_ms"].held_out
    assert held[QUANTILES].notna().all(axis=None)
    assert set(held["measurement_id"]) == set(rows.loc[~unknown, "measurement_id"])


@pytest.fixture(scope="module")
def both(embedding) -> pd.DataFrame:
    """Derived runs, and runs of other devices that took three times as long, measured."""
    measured = embedding.assign(
        hardware="other " + embedding["hardware"],
        latency_ms_is_derived=False,
        measurement_id="other " + embedding["measurement_id"],
        config_id="other " + embedding["config_id"],
        latency_ms=3 * embedding["latency_ms"],
    )
    return pd.concat([embedding, measured], ignore_index=True).sample(frac=1, random_state=2)


@pytest.fixture(scope="module")
def mixed(both) -> PerformancePredictor:
    return PerformancePredictor(METRICS).fit(both)


def test_what_is_learned_beside_a_mirror_is_fitted_as_the_rest(both, mixed):
    light = PerformancePredictor(METRICS, light=True).fit(both).models["latency_ms"]
    assert not light.predict(both)["in_domain"].any()
    assert mixed.predict(both, "latency_ms")["in_domain"].any()


def test_measured_latency_is_learned_beside_derived_on_other_devices(both, mixed):
    model = mixed.models["latency_ms"]
    predicted = model.predict(both)
    pd.testing.assert_index_equal(predicted.index, both.index)
    error = np.log(predicted["p50"] / both["latency_ms"])
    derived = both["latency_ms_is_derived"]
    assert error.abs().groupby(derived).median().max() < 0.2
    assert predicted["in_domain"].all() and model.applies(both).all()
    # what is reported of a row was said by the model that serves it
    held = model.held_out.merge(both, on="measurement_id")
    assert len(held) == len(both)
    assert np.abs(held["p50"] - held["log_value"]).groupby(held["hardware_x"]).median().max() < 0.3


def test_rows_of_one_kind_are_predicted_as_among_others(both, mixed):
    whole = mixed.predict(both, "latency_ms")
    for kind in (True, False):
        rows = both[both["latency_ms_is_derived"] == kind]
        pd.testing.assert_frame_equal(mixed.predict(rows, "latency_ms"), whole.loc[rows.index])


def test_rows_of_one_kind_are_explained_as_among_others(both, mixed):
    model = mixed.models["latency_ms"]
    whole = model.contributions(both).fillna(0.0)
    assert len(whole) == len(both)
    for kind in (True, False):
        rows = both[both["latency_ms_is_derived"] == kind]
        alone = model.contributions(rows)
        pd.testing.assert_frame_equal(alone, whole.loc[rows.index, alone.columns])


def test_too_few_measured_rows_leave_latency_open_where_it_was_measured(both):
    few = both[both["latency_ms_is_derived"] | (np.arange(len(both)) % 8 == 0)]
    predictor = PerformancePredictor(("throughput", "latency_ms")).fit(few)
    measured = few[~few["latency_ms_is_derived"]]
    predicted = predictor.predict(measured, "latency_ms")
    assert predicted[QUANTILES].isna().all(axis=None) and not predicted["in_domain"].any()
    assert "too few measured rows" in predicted["domain_reason"].iloc[0]
    assert not predictor.models["latency_ms"].applies(measured).any()


def test_saving_and_loading_changes_no_prediction(fitted, embedding, tmp_path):
    fitted.save(tmp_path)
    loaded = PerformancePredictor.load(tmp_path)
    pd.testing.assert_frame_equal(
        fitted.predict(embedding, "latency_ms"), loaded.predict(embedding, "latency_ms")
    )
    same, model = loaded.models["latency_ms"], fitted.models["latency_ms"]
    assert same.identity == model.identity != model.digest
    assert replace(model, mirrors={}).identity != model.identity


def test_work_that_is_not_known_leaves_latency_open(fitted, embedding):
    unknown = embedding.head(3).assign(batch_work=np.nan)
    predicted = fitted.predict(unknown, "latency_ms")
    assert predicted[QUANTILES].isna().all(axis=None)
    assert not predicted["in_domain"].any()
    assert "the work of a batch is not known" in predicted["domain_reason"].iloc[0]
    applies = fitted.models["latency_ms"].applies
    assert applies(embedding).all() and not applies(unknown).any()


def test_what_the_source_is_known_to_predict_is_not_predicted_again(both, mixed, monkeypatch):
    model = mixed.models["latency_ms"]
    expected = model.predict(both)
    known = model.source.predict(both)
    monkeypatch.setattr(type(model.source), "predict", _asked_of(model.learned))
    pd.testing.assert_frame_equal(model.predict(both, known), expected, rtol=1e-9)


def _asked_of(learned):
    usual = type(learned).predict

    def predict(self, frame):
        assert self is learned
        return usual(self, frame)

    return predict
