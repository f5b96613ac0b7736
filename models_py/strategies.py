"""Which strategy chooses the next batch: a bandit over shares of tests that serve decisions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

BALANCED = "balanced"
# each of them serves both ends: what serves one alone cannot be seen to fail at the other
DECISION_SHARES = {"mostly-accuracy": 0.25, BALANCED: 0.5, "mostly-decisions": 0.75}
PRIOR_ROUNDS = 5
EXPLORATION = 0.5
# a smaller regret matters to nobody: no share of it is to be won
NO_REGRET = 0.001
MOST_REMOVED = 0.99


class Strategy(NamedTuple):
    """A strategy, what is known of it, and whether it is the one to use.

    Attributes
    ----------
    prior
        Worth in replays, in units of the mean over strategies; 1 without replays.
    rounds
        Rounds that it was used in and that brought results.
    worth
        Mean of `prior`, which counts as `PRIOR_ROUNDS` rounds, and of what the rounds were worth.
    bound
        `worth` plus what is added for being seldom used.
    """

    strategy: str
    decision_share: float
    prior: float
    rounds: int
    worth: float
    bound: float
    chosen: bool
    reason: str


def replayed_worth(curves: pd.DataFrame) -> dict[str, float]:
    """Worth of each strategy in replays, in units of their mean.

    A round removes a share of the squared error that it found, and one of the regret: half of the
    worth each, geometric mean over the rounds of a replay, mean over groups and seeds. Groups without a
    choice of hardware count with the error alone.

    Parameters
    ----------
    curves
        See `models_py.replay.replay`, with `comparable_group`, `policy` and `seed`.

    Returns
    -------
    dict
        Empty unless all strategies were replayed.
    """
    known = curves[curves["policy"].isin(DECISION_SHARES)].sort_values("tests")
    if set(known["policy"]) != set(DECISION_SHARES):
        return {}
    replays = known.groupby(["policy", "comparable_group", "seed"])
    first, last, rounds = replays.first(), replays.last(), replays.size() - 1
    left = {
        "error": (last["rmse"] / first["rmse"]) ** 2,
        "regret": (last["regret"] + NO_REGRET) / (first["regret"] + NO_REGRET),
    }
    shares = 1 - pd.DataFrame(left).pow(1 / rounds, axis=0)
    worth = shares.mean(axis=1).groupby("policy").mean().clip(lower=0)
    return (worth / worth.mean()).to_dict() if worth.mean() > 0 else {}


def reward_per_test(shares: Iterable[float], tests: int) -> float:
    """Mean share that each of some tests removed of what it found, geometric over the tests.

    Parameters
    ----------
    shares
        What all of them removed, of several things, each in [0, 1].

    Examples
    --------
    >>> round(reward_per_test([0.75, 0.19], tests=2), 3)
    0.3
    """
    left = [1 - min(share, MOST_REMOVED) for share in shares]
    return float(np.mean([1 - rest ** (1 / tests) for rest in left]))


def choose_strategy(
    prior: Mapping[str, float], rewards: Sequence[tuple[str, float]]
) -> list[Strategy]:
    """All strategies, one of them chosen: the one that may well be the best.

    Upper confidence bounds (UCB1; Auer, Cesa-Bianchi & Fischer 2002) on rewards in units of their mean,
    with the replays as pseudo-observations. Of equals the balanced one is taken.

    Parameters
    ----------
    prior
        See `replayed_worth`.
    rewards
        Strategy and reward of every round so far; strategies that are none of these do not count.

    Examples
    --------
    >>> [entry.strategy for entry in choose_strategy({}, []) if entry.chosen]
    ['balanced']
    """
    rewards = [(name, reward) for name, reward in rewards if name in DECISION_SHARES]
    scale = float(np.mean([reward for _, reward in rewards])) if rewards else 0.0
    found = []
    for name, share in DECISION_SHARES.items():
        own = [reward / scale if scale > 0 else 0.0 for used, reward in rewards if used == name]
        expected = prior.get(name, 1.0)
        weight = PRIOR_ROUNDS + len(own)
        worth = (PRIOR_ROUNDS * expected + sum(own)) / weight
        bonus = EXPLORATION * math.sqrt(2 * math.log(1 + len(rewards)) / weight)
        found.append(Strategy(name, share, expected, len(own), worth, worth + bonus, False, ""))
    best = max(found, key=lambda entry: (round(entry.bound, 12), entry.strategy == BALANCED))
    return [entry._replace(chosen=entry is best, reason=_reason(entry, prior)) for entry in found]


def _reason(entry: Strategy, prior: Mapping[str, float]) -> str:
    replays = (
        f"worth {entry.prior:.2f} times the mean strategy in replays" if prior else "not replayed"
    )
    bonus = entry.bound - entry.worth
    return (
        f"{replays}; {entry.rounds} rounds with results; {entry.worth:.2f} in all, and"
        f" {bonus:.2f} more for what is not known of it"
    )
