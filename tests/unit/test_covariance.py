"""Exponentials that covariances are made of, against the C library's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models_py.covariance import SMALLEST, scale_exponentials

UNITS_IN_THE_LAST_PLACE = 2


@given(arrays(float, st.integers(0, 40), elements=st.floats(SMALLEST, -SMALLEST)))
def test_they_are_those_of_the_library(numbers):
    found = numbers.copy()
    scale_exponentials(found, 1.0)
    np.testing.assert_array_max_ulp(found, np.exp(numbers), UNITS_IN_THE_LAST_PLACE)


@given(st.floats(max_value=SMALLEST), st.floats(0, 10))
def test_what_is_too_small_is_next_to_nothing(number, scale):
    found = np.array([number])
    scale_exponentials(found, scale)
    assert 0 <= found[0] <= scale * 1e-303
