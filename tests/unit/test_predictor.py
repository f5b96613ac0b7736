"""The predictor on the bundled measurements."""

import numpy as np
import pandas as pd
import pytest

from models_py.evaluation import summary
from models_py.predict import PerformancePredictor, TooFewRows
from models_py.scores import covered, median_ape

QUANTILES = ["p05", "p10", "p50", "p90", "p95"]


@pytest.fixture(scope="module")
def halves(frames) -> tuple[pd.DataFrame, pd.DataFrame]:
    training, _ = frames
    usable = training[training["throughput"].notna()]
    configurations = np.random.default_rng(11).permutation(usable["config_id"].unique())
    chosen = usable["config_id"].isin(configurations[: len(configurations) // 2])
    return usable[chosen], usable[~chosen]


@pytest.fixture(scope="module")
def fitted(halves) -> PerformancePredictor:
    return PerformancePredictor(("throughput",), seed=3).fit(halves[0])


def test_intervals_cover_what_was_held_out(fitted, halves):
    test = halves[1]
    predicted = np.log(fitted.predict(test)[QUANTILES])
    actual = np.log(test["throughput"].to_numpy(float))
    assert 0.86 <= covered(actual, predicted["p05"], predicted["p95"]).mean() <= 0.96
    assert median_ape(actual, predicted["p50"].to_numpy()) < 12


def test_quantiles_ascend_and_stay_below_the_roofline(fitted, frames):
    candidates = frames[1]
    predicted = fitted.predict(candidates)
    assert (np.diff(predicted[QUANTILES], axis=1) >= 0).all()
    known = candidates["bound_throughput"].notna()
    bound = candidates["bound_throughput"][known]
    assert (predicted["p95"][known] <= bound * (1 + 1e-9)).all()


def test_fits_are_deterministic_for_a_seed_and_do_not_depend_on_the_index(fitted, halves):
    training, test = halves
    again = PerformancePredictor(("throughput",), seed=3).fit(training.reset_index(drop=True))
    pd.testing.assert_frame_equal(fitted.predict(test), again.predict(test))


def test_saving_and_loading_changes_no_prediction(fitted, halves, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = PerformancePredictor.load(tmp_path / "model")
    pd.testing.assert_frame_equal(fitted.predict(halves[1]), loaded.predict(halves[1]))
    identity = fitted.models["throughput"].identity
    assert loaded.models["throughput"].identity == identity
    other = PerformancePredictor(("throughput",), light=True).fit(halves[0].head(60))
    assert other.models["throughput"].identity != identity


def test_an_unknown_device_is_predicted_with_a_reason_not_to_trust_it(fitted, halves):
    stranger = halves[1].head(3).assign(hardware="abacus", hardware_framework="pytorch on abacus")
    predicted = fitted.predict(stranger)
    assert np.isfinite(predicted[QUANTILES]).all(axis=None)
    assert not predicted["in_domain"].any()
    assert "calibrated on 0 configurations of abacus" in predicted["domain_reason"].iloc[0]


def test_update_replaces_a_measurement_that_is_known(fitted, halves):
    training = halves[0].head(60)
    predictor = PerformancePredictor(("throughput",)).fit(training)
    again = training.head(5).assign(throughput=training["throughput"].head(5) * 2)
    predictor.update_models(again)
    assert len(predictor.training_frame) == 60
    newest = predictor.training_frame.set_index("measurement_id")["throughput"]
    assert newest[again["measurement_id"]].tolist() == again["throughput"].tolist()


def test_a_light_fit_is_as_right_and_promises_nothing(fitted, halves):
    training, test = halves
    light = PerformancePredictor(("throughput",), seed=3, light=True).fit(training)
    actual = np.log(test["throughput"].to_numpy(float))
    errors = [
        median_ape(actual, np.log(predictor.predict(test)["p50"].to_numpy()))
        for predictor in (light, fitted)
    ]
    assert errors[0] < 1.2 * errors[1] + 0.5
    predicted = light.predict(test)
    assert not predicted["in_domain"].any()
    inside = covered(actual, np.log(predicted["p05"]), np.log(predicted["p95"]))
    assert 0.75 <= inside.mean() <= 0.97


def test_a_light_fit_is_saved(halves, tmp_path):
    light = PerformancePredictor(("throughput",), light=True).fit(halves[0].head(60))
    light.save(tmp_path)
    loaded = PerformancePredictor.load(tmp_path)
    pd.testing.assert_frame_equal(loaded.predict(halves[1]), light.predict(halves[1]))


def test_too_few_rows_are_refused(halves):
    predictor = PerformancePredictor(("throughput", "power_w"))
    with pytest.raises(TooFewRows, match="throughput has 29 measured rows, 30 are needed"):
        predictor.fit(halves[0].head(29))
    predictor.fit(halves[0].head(40))
    with pytest.raises(KeyError, match="power_w has 0 measured rows"):
        predictor.predict(halves[1], "power_w")


@pytest.mark.parametrize("value", [0.0, -1.0, np.inf])
def test_values_without_a_logarithm_are_refused(halves, value):
    training = halves[0].head(60).copy()
    training.iloc[7, training.columns.get_loc("throughput")] = value
    with pytest.raises(ValueError, match="throughput: values must be positive and finite"):
        PerformancePredictor(("throughput",)).fit(training)


def test_saving_where_another_predictor_lies_replaces_it(halves, tmp_path):
    training, test = halves
    PerformancePredictor(("latency_ms", "throughput")).fit(training).save(tmp_path)
    measured = training.assign(latency_ms_is_derived=False).head(80)
    predictor = PerformancePredictor(("latency_ms",)).fit(measured)
    predictor.save(tmp_path)
    loaded = PerformancePredictor.load(tmp_path)
    pd.testing.assert_frame_equal(
        predictor.predict(test, "latency_ms"), loaded.predict(test, "latency_ms")
    )


def test_a_loaded_predictor_is_not_refitted_on_a_few_new_rows_alone(fitted, halves, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = PerformancePredictor.load(tmp_path / "model")
    with pytest.raises(ValueError, match="no rows to refit with"):
        loaded.update_models(halves[1])
    assert loaded.models


def test_a_constant_metric_and_many_repeats_are_learned_or_refused(halves):
    training = halves[0].head(60).assign(throughput=512.0)
    model = PerformancePredictor(("throughput",)).fit(training).models["throughput"]
    assert np.isnan(summary(model)["skill_90"])
    predicted = model.predict(halves[1])[["p05", "p95"]]
    possible = halves[1]["bound_throughput"].clip(upper=512.0)
    np.testing.assert_allclose(predicted, np.tile(possible, (2, 1)).T, rtol=0.01)
    repeated = pd.concat([halves[0].head(5)] * 10)
    with pytest.raises(TooFewRows, match="5 measured configurations, 16 are needed"):
        PerformancePredictor(("throughput",)).fit(repeated)


@pytest.mark.parametrize("levels", [(0.1, 0.9), (0.9, 0.5, 0.1), (0.1, 0.5, 0.8)])
def test_levels_must_ascend_and_be_symmetric(levels):
    with pytest.raises(ValueError, match="symmetric"):
        PerformancePredictor(levels=levels)
