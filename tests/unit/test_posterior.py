"""The joint belief about options, against refitting and plain formulas."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models_py.belief import Rows
from models_py.boosting import LEVELS
from models_py.features import Encoder
from models_py.gaussian_process import JITTER, GaussianProcess
from models_py.metric_model import MetricModel
from models_py.posterior import Posterior


@pytest.fixture(scope="module")
def runs(frames) -> pd.DataFrame:
    training, _ = frames
    known = training[training["throughput"].notna()].drop_duplicates("config_id")
    return known.sample(90, random_state=8).reset_index(drop=True)


@pytest.fixture(scope="module")
def rows(runs) -> Rows:
    encoder = Encoder.fit(runs)
    log_value = np.log(runs["throughput"].to_numpy(float))
    anchor = np.full(len(runs), log_value.mean())
    return Rows(encoder.transform(runs), anchor, encoder, log_value, np.arange(len(runs)))


@pytest.fixture(scope="module")
def known(rows) -> np.ndarray:
    return np.arange(len(rows)) < 40


@pytest.fixture(scope="module")
def process(rows, known) -> GaussianProcess:
    own = rows.take(known)
    return GaussianProcess.fit(own.features, own.log_value, own.encoder, seed=0)


@pytest.fixture
def posterior(process, rows, known) -> Posterior:
    options = rows.take(~known)
    return Posterior(process, options, np.arange(len(options)), noise=0.01)


def test_variances_are_those_of_predictions(posterior, process, rows, known):
    options = rows.take(~known)
    _, deviation = process.predict(options.features, options.encoder)
    np.testing.assert_allclose(posterior.variance, deviation**2, rtol=1e-3, atol=1e-4)
    assert (posterior.variance <= posterior.prior + 1e-6).all()


def test_an_observed_option_leaves_what_a_refit_leaves(process, rows, known):
    """Observing is the same as conditioning the process on one more row, whatever its value."""
    options = rows.take(~known)
    posterior = Posterior(process, options, np.arange(len(options)), process.noise + JITTER)
    for option in (3, 17, 3):
        posterior.observe(option)
    more = process.structure.points(options.features[[3, 17, 3]], options.encoder)
    longer = replace(
        process,
        points=type(process.points)(
            *(np.concatenate(pair) for pair in zip(process.points, more, strict=True))
        ),
        target=np.concatenate([process.target, [9.0, -9.0, 4.0]]),
    )
    _, deviation = longer.predict(options.features, options.encoder)
    np.testing.assert_allclose(posterior.variance, deviation**2, rtol=5e-3, atol=1e-4)


def test_the_gain_is_what_observing_removes(posterior):
    for option in (0, 7, 30, 7, 0, 30):  # also of what is partly known
        gain = posterior.gain()[option]
        before = posterior.variance.sum()
        posterior.observe(option)
        assert before - posterior.variance.sum() == pytest.approx(gain, rel=1e-3, abs=1e-6)


def test_a_copy_goes_on_from_where_it_was_made(posterior):
    posterior.observe(3)
    before = copy(posterior)
    expected = before.gain()
    posterior.observe(17)
    np.testing.assert_array_equal(before.gain(), expected)
    before.observe(17)
    np.testing.assert_array_equal(before.gain(), posterior.gain())


def test_a_missing_category_is_like_itself(process, rows, known):
    options = rows.take(~known)
    options.features[:, len(options.encoder.numeric) :] = np.nan
    posterior = Posterior(process, options, np.arange(len(options)), noise=0.01)
    before = posterior.variance[5]
    posterior.observe(5)
    assert posterior.variance[5] < before / 5
    assert np.isfinite(posterior.gain()).all()


def test_a_test_of_a_new_device_tells_of_its_other_rows(runs):
    """Whatever its name says, rows of a device that nobody has seen share it."""
    names = {"hardware": "abacus", "hardware_framework": "pytorch on abacus"}
    model = MetricModel.fit(runs.head(40), "throughput", LEVELS, seed=0, light=True)
    new = runs.tail(20).assign(**names)
    one = model.posterior(new, np.arange(len(new)))
    # the same rows, were every one of them on a device of its own
    apart = [f"abacus {number}" for number in range(len(new))]
    others = model.posterior(
        new.assign(hardware=apart, hardware_framework=apart), np.arange(len(new))
    )
    np.testing.assert_allclose(one.variance, others.variance, rtol=1e-3)
    assert (one.gain() > 1.1 * others.gain()).all()


def test_unseen_categories_are_told_apart_only_when_asked(runs):
    encoder = Encoder.fit(runs.head(40))
    new = runs.head(4).assign(hardware=["abacus", "quipu", "abacus", None])
    position = encoder.names.index("hardware")
    assert np.isnan(encoder.transform(new)[:, position]).all()
    one, other, same, missing = encoder.transform(new, tell_unseen_apart=True)[:, position]
    assert one == same >= len(encoder.categories["hardware"])
    assert other not in (*range(len(encoder.categories["hardware"])), one)
    assert np.isnan(missing)
