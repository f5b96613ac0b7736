"""How options of workloads compare, against what it says of each draw."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models_py.ranking import odds

CODES = np.array([0, 0, 0, 1, 2, 2])


@given(arrays(float, (len(CODES), 4), elements=st.integers(-2, 2).map(float)))
def test_the_best_of_a_draw_share_it_and_others_lose(utility):
    found = odds(utility, CODES)
    for option, code in enumerate(CODES):
        rivals = utility[code == CODES]
        best = rivals.max(axis=0)
        wins = (utility[option] == best) / (rivals == best).sum(axis=0)
        np.testing.assert_allclose(found.prob_best[option], wins.mean())
        regret = 1 - np.exp(utility[option] - best)
        np.testing.assert_allclose(found.expected_regret[option], regret.mean(), atol=1e-15)
