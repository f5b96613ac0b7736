"""The Gaussian process against scikit-learn's, and its shortcuts against the long way."""

import numpy as np
import pandas as pd
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from models_py.features import Encoder
from models_py.gaussian_process import JITTER, GaussianProcess
from models_py.kernel import covariance, variance

NOTHING = -40.0


@pytest.fixture(scope="module")
def rows(frames) -> tuple[np.ndarray, np.ndarray, np.ndarray, Encoder]:
    """Features, log throughput and configurations of bundled runs, two of them repeated."""
    training, _ = frames
    runs = training[training["throughput"].notna()].sample(60, random_state=1)
    runs = pd.concat([runs, runs.head(2).assign(throughput=runs["throughput"].head(2) * 1.1)])
    encoder = Encoder.fit(runs)
    codes = pd.factorize(runs["config_id"])[0]
    return encoder.transform(runs), np.log(runs["throughput"].to_numpy()), codes, encoder


@pytest.fixture(scope="module")
def process(rows) -> GaussianProcess:
    features, target, configurations, encoder = rows
    return GaussianProcess.fit(features, target, configurations, encoder, 1_000, seed=0)


def _conditioned(process: GaussianProcess, chosen: np.ndarray) -> GaussianProcess:
    """The long way: the same kernel with other rows."""
    return GaussianProcess(
        process.structure,
        process.points.take(chosen),
        process.target[chosen],
        np.flatnonzero(chosen),
        process.logarithms,
        process.centre,
    )


def test_a_single_smooth_kernel_is_that_of_scikit_learn(process, rows):
    features, target, _, encoder = rows
    structure = process.structure
    logarithms = np.full(structure.size, NOTHING)
    numbers, read = len(structure.numbers), int(structure.of_workload.sum())
    logarithms[read : read + numbers] = np.linspace(-3, 0, numbers)
    amplitude = read + len(structure.of_workload) + 1
    logarithms[amplitude], logarithms[-1] = np.log(2.0), np.log(0.05)
    ours = GaussianProcess(
        structure, process.points, target, process.kept, logarithms, process.centre
    )
    scales = np.exp(-0.5 * np.linspace(-3, 0, numbers))
    theirs = GaussianProcessRegressor(
        ConstantKernel(2.0) * RBF(scales), alpha=0.05 + JITTER, optimizer=None
    ).fit(process.points.numbers, target - process.centre)
    asked = features[::3] * 1.01
    mean, deviation = ours.predict(asked, encoder)
    expected, spread = theirs.predict(structure.points(asked, encoder).numbers, return_std=True)
    np.testing.assert_allclose(mean, expected + process.centre, rtol=1e-6)
    np.testing.assert_allclose(deviation, spread, rtol=1e-4, atol=2e-3)


def test_held_out_is_what_the_others_predict(process, rows):
    features, _, configurations, encoder = rows
    mean, deviation = process.held_out(configurations)
    for configuration in (0, 7, 31):
        here = configurations == configuration
        expected = _conditioned(process, ~here).predict(features[here], encoder)
        np.testing.assert_allclose(mean[here], expected[0], rtol=1e-6)
        np.testing.assert_allclose(deviation[here], expected[1], rtol=1e-4)


def test_a_process_without_rows_is_one_that_never_knew_them(process, rows):
    features, _, _, encoder = rows
    held = np.arange(len(features)) % 3 == 0
    smaller, expected = process.without(held), _conditioned(process, ~held)
    for ours, theirs in zip(
        smaller.predict(features[held], encoder),
        expected.predict(features[held], encoder),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_the_covariance_of_any_rows_has_no_negative_eigenvalue(process, rows):
    features, _, _, encoder = rows
    odd = features.copy()
    odd[::2, -1] = np.nan  # a category that was never seen is like no other
    points = process.structure.points(odd, encoder)
    parameters = process.structure.unpack(process.logarithms)
    matrix = covariance(points, points, parameters)
    np.fill_diagonal(matrix, variance(points, parameters))
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-9)
    assert np.linalg.eigvalsh(matrix).min() > -1e-8


def test_large_tables_are_conditioned_on_whole_configurations(rows):
    features, target, configurations, encoder = rows
    process = GaussianProcess.fit(features, target, configurations, encoder, 30, seed=0)
    assert 30 <= len(process.kept) < 34
    others = np.setdiff1d(np.arange(len(target)), process.kept)
    assert not set(configurations[process.kept]) & set(configurations[others])


def test_an_unknown_device_is_less_certain(process, rows):
    features, _, _, encoder = rows
    column = encoder.names.index("hardware")
    stranger = features.copy()
    stranger[:, column] = np.nan
    assert (process.predict(stranger, encoder)[1] > process.predict(features, encoder)[1]).all()
