"""The Gaussian process against scikit-learn's, plain formulas and the long way."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from models_py.covariance import BLOCK, covariance, lower_covariance, variance
from models_py.evidence import JITTER, implausibility
from models_py.features import Encoder
from models_py.gaussian_process import GaussianProcess

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
    features, target, _, encoder = rows
    return GaussianProcess.fit(features, target, encoder, seed=0)


def test_a_single_smooth_kernel_is_that_of_scikit_learn(process, rows):
    features, target, _, encoder = rows
    structure = process.structure
    logarithms = np.full(structure.size, NOTHING)
    numbers, read = len(structure.numbers), int(structure.of_workload.sum())
    logarithms[read : read + numbers] = np.linspace(-3, 0, numbers)
    amplitude = read + len(structure.of_workload) + 1
    logarithms[amplitude], logarithms[-1] = np.log(2.0), np.log(0.05)
    ours = GaussianProcess(structure, process.points, target, logarithms, process.centre)
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
        expected = process.without(here).predict(features[here], encoder)
        np.testing.assert_allclose(mean[here], expected[0], rtol=1e-6)
        np.testing.assert_allclose(deviation[here], expected[1], rtol=1e-4)


def test_points_among_themselves_are_as_like_as_any_but_wholly_like_themselves(process):
    points = process.points.take(np.arange(2 * BLOCK + 7) % len(process.target))
    points.codes[5] = -1
    found = lower_covariance(points, process.parameters)
    expected = covariance(points, points, process.parameters)
    np.testing.assert_array_equal(np.tril(found, -1), np.tril(expected, -1))
    np.testing.assert_array_equal(found.diagonal(), variance(points, process.parameters))
    assert found[5, 5] > expected[5, 5]
    apart = covariance(points, points.take(slice(BLOCK, None)), process.parameters)
    np.testing.assert_array_equal(expected[:, BLOCK:], apart)


def test_the_covariance_is_the_sum_that_it_says(process):
    points, structure = process.points, process.structure
    numbers = points.numbers.shape[1]
    generator = np.random.default_rng(5)
    parameters = structure.unpack(generator.normal(-1, 0.5, structure.size))
    found = covariance(points.take(slice(12)), points.take(slice(12)), parameters)
    for i, j in ((0, 1), (2, 2), (4, 9), (11, 3)):
        away = (points.numbers[i] - points.numbers[j]) ** 2
        other = (points.codes[i] != points.codes[j]) | (points.codes[i] < 0)
        apart = np.r_[away, other]
        expected = (
            parameters.amplitudes[0] * np.exp(-0.5 * parameters.workload @ apart)
            + parameters.amplitudes[1] * np.exp(-0.5 * parameters.everything @ apart)
            + parameters.effects @ ~other
            + parameters.linear * points.numbers[i] @ points.numbers[j] / numbers
        )
        assert found[i, j] == pytest.approx(expected)


def test_the_evidence_is_that_of_the_covariance(process, rows):
    features, target, _, encoder = rows
    odd = np.tile(features, (3, 1))  # more than are worked on together
    odd[::2, -1] = np.nan
    points, values = process.structure.points(odd, encoder), np.tile(target, 3) - process.centre
    parameters = process.structure.unpack(process.logarithms)
    matrix = covariance(points, points, parameters)
    np.fill_diagonal(matrix, variance(points, parameters) + parameters.noise + JITTER)
    sign, logarithm = np.linalg.slogdet(matrix)
    expected = 0.5 * values @ np.linalg.solve(matrix, values) + 0.5 * sign * logarithm
    loss = implausibility(process.structure, points, values, process.logarithms)
    np.testing.assert_allclose(loss(process.logarithms)[0], expected, rtol=1e-9)


def test_the_gradient_of_the_evidence_is_that_of_its_value(process):
    several = np.tile(np.arange(len(process.target)), 2)  # more than are worked on together
    points, centred = process.points.take(several), process.target[several] - process.centre
    expected = np.zeros(process.structure.size)
    loss = implausibility(process.structure, points, centred, expected)
    for seed in range(3):
        at = np.random.default_rng(seed).normal(-1, 0.5, process.structure.size)
        gradient = approx_fprime(at, lambda x: loss(x)[0], 1e-6)
        np.testing.assert_allclose(loss(at)[1], gradient, rtol=1e-3, atol=1e-3)


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


def test_the_posterior_covariance_agrees_with_what_is_predicted_one_by_one(process, rows):
    features, _, _, encoder = rows
    odd = features[:40].copy()
    odd[::3, -1] = np.nan
    matrix = process.covariance(odd, encoder)
    deviation = process.predict(odd, encoder)[1]
    np.testing.assert_allclose(np.sqrt(matrix.diagonal()), deviation, rtol=1e-6)
    assert np.linalg.eigvalsh(matrix).min() > -1e-8


def test_what_is_said_jointly_is_what_is_said_apart(process, rows):
    features, _, _, encoder = rows
    odd = features[:250].copy()  # more than are worked on together
    odd[::3, -1] = np.nan
    groups = np.sort(np.random.default_rng(1).integers(0, 12, len(odd)))
    groups = np.unique(groups, return_inverse=True)[1]
    mean, deviation, covariances = process.jointly(odd, encoder, groups)
    expected = process.predict(odd, encoder)
    np.testing.assert_allclose((mean, deviation), expected, rtol=1e-7)
    whole = process.covariance(odd, encoder)
    for group, found in enumerate(covariances):
        here = groups == group
        np.testing.assert_allclose(found, whole[np.ix_(here, here)], rtol=1e-6, atol=1e-12)


def test_an_unknown_device_is_less_certain(process, rows):
    features, _, _, encoder = rows
    column = encoder.names.index("hardware")
    stranger = features.copy()
    stranger[:, column] = np.nan
    assert (process.predict(stranger, encoder)[1] > process.predict(features, encoder)[1]).all()
