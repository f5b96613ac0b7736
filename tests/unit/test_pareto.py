"""Pareto fronts: what no other option beats in every objective."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models_py.pareto import prob_on_front

VALUES = st.integers(1, 4).flatmap(
    lambda objectives: arrays(
        float, (objectives, 5, 3), elements=st.integers(0, 4).map(float), unique=False
    )
)


@given(VALUES)
def test_a_front_is_what_pairs_say(utility):
    found = prob_on_front(utility)
    for draw in range(utility.shape[2]):
        points = utility[:, :, draw].T
        beaten = [
            any((other >= own).all() and (other > own).any() for other in points) for own in points
        ]
        assert not all(beaten)
        np.testing.assert_array_equal(prob_on_front(utility[:, :, [draw]]), ~np.array(beaten))
    assert ((found >= 0) & (found <= 1)).all()


@given(arrays(float, (1, 6, 4), elements=st.floats(-5, 5)))
def test_by_one_objective_the_front_is_the_best(utility):
    best = (utility[0] == utility[0].max(axis=0)).mean(axis=1)
    np.testing.assert_allclose(prob_on_front(utility), best)
