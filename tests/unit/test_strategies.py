"""The bandit over strategies: what it starts from, learns, and never does."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_py.strategies import BALANCED, DECISION_SHARES, choose_strategy, replayed_worth

NAMES = st.sampled_from([*DECISION_SHARES, "pinned"])
ROUNDS = st.lists(st.tuples(NAMES, st.floats(0, 1)), max_size=40)


def _chosen(prior, rewards) -> str:
    (found,) = [entry for entry in choose_strategy(prior, rewards) if entry.chosen]
    return found.strategy


def _curves(**ends: tuple[float, float]) -> pd.DataFrame:
    rows = [
        {
            "policy": policy,
            "comparable_group": "g",
            "seed": 0,
            "tests": 40 + 10 * number,
            "rmse": 0.5 * error ** (number / 2),
            "regret": 0.1 * regret ** (number / 2),
        }
        for policy, (error, regret) in ends.items()
        for number in range(3)
    ]
    return pd.DataFrame(rows)


@given(ROUNDS)
def test_one_strategy_is_chosen_whatever_happened(rewards):
    found = choose_strategy({}, rewards)
    assert sum(entry.chosen for entry in found) == 1
    assert [entry.decision_share for entry in found] == [*DECISION_SHARES.values()]
    best = max(entry.bound for entry in found)
    assert all(entry.bound == pytest.approx(best) for entry in found if entry.chosen)
    assert sum(entry.rounds for entry in found) == sum(name != "pinned" for name, _ in rewards)
    assert found == choose_strategy({}, [pair for pair in rewards if pair[0] != "pinned"])


def test_without_evidence_it_is_balanced_and_with_replays_the_best_of_them():
    assert _chosen({}, []) == BALANCED
    worth = replayed_worth(
        _curves(
            **{
                "mostly-accuracy": (0.5, 0.2),
                "balanced": (0.6, 0.2),
                "mostly-decisions": (0.7, 0.2),
            }
        )
    )
    assert sum(worth.values()) == pytest.approx(3)
    assert worth["mostly-accuracy"] > worth["balanced"] > worth["mostly-decisions"]
    assert _chosen(worth, []) == "mostly-accuracy"


def test_replays_of_some_strategies_say_nothing():
    assert replayed_worth(_curves(balanced=(0.5, 0.5), random=(0.9, 0.9))) == {}


@pytest.mark.parametrize("best", DECISION_SHARES)
def test_it_settles_on_what_pays_and_tries_the_others(best):
    rewards: list[tuple[str, float]] = []
    for _ in range(200):
        name = _chosen({}, rewards)
        rewards.append((name, 0.02 if name == best else 0.01))
    used = pd.Series([name for name, _ in rewards]).value_counts()
    assert set(used.index) == set(DECISION_SHARES)
    assert used[best] > 100
