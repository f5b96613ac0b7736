"""What a batch may hold: caps, budgets, distance."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_py.limits import Allowance, Limits

CANDIDATES = pd.DataFrame(
    {
        "hardware": ["a", "a", "b", "c"],
        "minutes": [10.0, 20.0, 30.0, np.nan],
    }
)


def test_what_may_be_chosen_first():
    assert Allowance(Limits(5), CANDIDATES).free.tolist() == [True, True, True, True]
    without_a = Allowance(Limits(5, {"a": 0}), CANDIDATES)
    assert without_a.free.tolist() == [False, False, True, True]
    cheap = Allowance(Limits(5, budgets={"minutes": 20}), CANDIDATES)
    assert cheap.free.tolist() == [True, True, False, False]


def test_a_cap_is_used_up():
    allowance = Allowance(Limits(5, {"a": 1}), CANDIDATES)
    allowance.take(1)
    assert allowance.free.tolist() == [False, False, True, True]


def test_overspending_is_said_or_prevented():
    limits = Limits(5, budgets={"minutes": 35})
    lenient, strict = (Allowance(limits, CANDIDATES, strict=strict) for strict in (False, True))
    for allowance in (lenient, strict):
        allowance.take(0)
    assert lenient.free[2] and not strict.free[2]
    lenient.take(2)
    assert lenient.overspent and not strict.overspent


@given(st.integers(1, 200), st.floats(0.01, 100))
def test_a_budget_of_so_many_tests_pays_for_them(count, cost):
    candidates = pd.DataFrame({"hardware": ["a"] * count, "cost": cost})
    allowance = Allowance(Limits(count, budgets={"cost": count * cost}), candidates, strict=True)
    for candidate in range(count):
        assert allowance.free[candidate]
        allowance.take(candidate)
    assert not allowance.overspent


@pytest.mark.parametrize(
    "wrong",
    [
        {"tests": -1},
        {"tests": 1, "per_hardware": {"a": -1}},
        {"tests": 1, "budgets": {"minutes": 0}},
        {"tests": 1, "minimum_distance": 2},
    ],
)
def test_limits_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        Limits(**wrong)
