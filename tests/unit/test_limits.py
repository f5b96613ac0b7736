"""What a batch may hold: caps, budgets, distance."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_py.limits import Allowance, Limits

OPTIONS = pd.DataFrame(
    {
        "hardware": ["a", "a", "b", "b", "c"],
        "is_candidate": [True, True, True, False, True],
        "minutes": [10.0, 20.0, 30.0, 5.0, np.nan],
    }
)


def test_what_may_be_chosen_first():
    assert Allowance(Limits(5), OPTIONS).free.tolist() == [True, True, True, False, True]
    without_a = Allowance(Limits(5, {"a": 0}), OPTIONS)
    assert without_a.free.tolist() == [False, False, True, False, True]
    cheap = Allowance(Limits(5, budgets={"minutes": 20}), OPTIONS)
    assert cheap.free.tolist() == [True, True, False, False, False]


def test_a_cap_is_used_up():
    allowance = Allowance(Limits(5, {"a": 1}), OPTIONS)
    allowance.take(1)
    assert allowance.free.tolist() == [False, False, True, False, True]


def test_overspending_is_said_or_prevented():
    limits = Limits(5, budgets={"minutes": 35})
    lenient, strict = (Allowance(limits, OPTIONS, strict=strict) for strict in (False, True))
    for allowance in (lenient, strict):
        allowance.take(0)
    assert lenient.free[2] and not strict.free[2]
    lenient.take(2)
    assert lenient.overspent and not strict.overspent


@given(st.integers(1, 200), st.floats(0.01, 100))
def test_a_budget_of_so_many_tests_pays_for_them(count, cost):
    options = pd.DataFrame({"hardware": ["a"] * count, "is_candidate": True, "cost": cost})
    allowance = Allowance(Limits(count, budgets={"cost": count * cost}), options, strict=True)
    for option in range(count):
        assert allowance.free[option]
        allowance.take(option)
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
