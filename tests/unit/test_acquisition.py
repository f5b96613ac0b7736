import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_py.acquisition import (
    Clusters,
    Ensemble,
    best_alternative,
    embed,
    knowledge_gradient,
    variance_removed,
)

seeds = st.integers(0, 2**31 - 1)


@given(seeds)
@settings(max_examples=30)
def test_observing_conditions_a_gaussian(seed):
    members = np.random.default_rng(seed).normal(size=(6, 9))
    noise = 0.1
    ensemble = Ensemble(members, noise)
    for option in (2, 5, 2):
        ensemble.observe(option)
    prior = np.cov(members.T)
    seen = [2, 5, 2]
    gain = prior[:, seen] @ np.linalg.inv(prior[np.ix_(seen, seen)] + noise * np.eye(3))
    expected = np.diag(prior - gain @ prior[seen])
    np.testing.assert_allclose(ensemble.variance, expected, atol=1e-8)


@given(seeds)
@settings(max_examples=30)
def test_variance_removed_is_what_observing_removes_in_the_own_group(seed):
    generator = np.random.default_rng(seed)
    members, groups = generator.normal(size=(5, 12)), np.repeat(["a", "b"], 6)
    share = variance_removed(members, groups, noise=0.05)
    own, everything = Ensemble(members[:, :6], 0.05), Ensemble(members, 0.05)
    before = own.variance.sum()
    own.observe(3)
    removed = before - own.variance.sum()
    assert share[3] == pytest.approx(removed / everything.variance.sum())
    assert ((share >= 0) & (share <= 1)).all()


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
    gain = knowledge_gradient(utility, variance, 0.01, workload)
    assert gain.argmax() == 1
    assert gain[0] == 0 and gain[3] == 0
    assert gain[2] < 1e-6


@given(seeds, st.integers(0, 5))
@settings(max_examples=30)
def test_clusters_pick_what_is_free_and_come_to_cover_everything(seed, known):
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(20, 3)).astype(np.float32)
    clusters = Clusters(points, np.arange(known))
    free = np.ones(20, bool)
    free[:known] = False
    widest = clusters.distance.max()
    for _ in range(20 - known):
        pick = clusters.pick(free)
        assert free[pick]
        free[pick] = False
        clusters.add(pick)
    assert clusters.distance.max() <= widest
    assert clusters.distance.max() < 1e-3


def test_clusters_pick_what_is_free_also_among_copies_of_what_is_measured():
    points = np.zeros((6, 2), np.float32)
    clusters = Clusters(points, np.array([0, 1]))
    free = np.array([False, False, False, True, False, True])
    clusters.nearest[:] = [0, 1, 0, 1, 0, 1]
    assert clusters.pick(free) in (3, 5)


def test_embedding_keeps_apart_what_the_models_treat_apart():
    generator = np.random.default_rng(0)
    members = generator.normal(size=(4, 6))
    members[:, 1] = members[:, 0]
    leaves = generator.integers(0, 5, size=(6, 30))
    leaves[1] = leaves[0]
    points = embed(members, leaves, seed=0)
    assert np.allclose(points[0], points[1])
    assert np.linalg.norm(points[0] - points[2]) > 0.1
