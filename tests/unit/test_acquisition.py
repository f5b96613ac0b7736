import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial.hermite_e import hermegauss

from models_py.acquisition import best_alternative, knowledge_gradient


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(-5, 5)), min_size=1, max_size=30))
def test_best_alternative_is_the_best_of_the_others(options):
    workload = np.unique([kind for kind, _ in options], return_inverse=True)[1]
    utility = np.array([value for _, value in options])
    for position, found in enumerate(best_alternative(utility, workload)):
        others = (workload == workload[position]) & (np.arange(len(options)) != position)
        assert found == (utility[others].max() if others.any() else -np.inf)


def test_knowledge_gradient_asks_for_the_contested_not_for_the_uncertain():
    utility = np.array([1.0, 0.98, -9.0, 5.0])
    variance = np.array([0.0, 0.1, 0.5, 9.0])
    workload = np.array([0, 0, 0, 1])
    gain = knowledge_gradient(utility, variance, best_alternative(utility, workload), 0.01)
    assert gain.argmax() == 1
    assert gain[0] == 0 and gain[3] == 0
    assert gain[2] < 1e-6


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.01, 4), st.floats(0.01, 4))
def test_knowledge_gradient_is_what_the_best_is_expected_to_gain(mean, other, variance, noise):
    """Over what a measurement may say: the mean after it moves with the variance that it removes."""
    points, weights = hermegauss(200)
    moved = mean + variance / np.sqrt(variance + noise) * points
    after = weights @ np.maximum(moved, other) / weights.sum()
    known = (np.array([value]) for value in (mean, variance, other))
    gain = knowledge_gradient(*known, noise)[0]
    np.testing.assert_allclose(gain, after - max(mean, other), atol=0.03 * np.sqrt(variance))
