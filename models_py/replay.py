"""Replaying a policy on measurements that are known: what it would have paid for, and learned.

A fifth of the configurations is held out and never asked for; the others are the pool. A policy sees
what it has paid for, and the pool without its values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models_py.active_learning import ActiveLearningSystem
from models_py.measured import newest_measurements
from models_py.objectives import DEFAULT_DIRECTIONS, sign
from models_py.predict import PerformancePredictor
from models_py.scores import median_ape

HELD_OUT = 0.2
START = 40


@dataclass(frozen=True)
class State:
    """What a policy may see.

    Attributes
    ----------
    predictor
        Fitted on what was paid for.
    measured
        Rows that were paid for, with the metric.
    candidates
        The others of the pool, without it.
    """

    metric: str
    predictor: PerformancePredictor
    measured: pd.DataFrame
    candidates: pd.DataFrame
    directions: Mapping[str, str]
    generator: np.random.Generator
    seed: int


# so many positions among the candidates, in the order in which to run them
Policy = Callable[[State, int], np.ndarray]


def at_random(state: State, count: int) -> np.ndarray:
    """Tests at random: what every policy is compared with."""
    return state.generator.choice(len(state.candidates), count, replace=False)


def chosen_jointly(decision_share: float) -> Policy:
    """The policy of `ActiveLearningSystem`, with a share of the tests for decisions."""

    def policy(state: State, count: int) -> np.ndarray:
        system = ActiveLearningSystem(
            state.predictor,
            state.candidates,
            state.measured,
            decision_share=decision_share,
            directions=state.directions,
            seed=state.seed,
        )
        batch = system.recommend_configurations(count, state.metric)
        return pd.Index(state.candidates["config_id"]).get_indexer(batch["config_id"])

    return policy


def twenty(spent: int) -> int:
    """Twenty tests a round."""
    return 20


def light_predictor(metric: str, seed: int) -> PerformancePredictor:
    """The predictor of every round."""
    return PerformancePredictor((metric,), seed=seed, light=True)


def replay(
    runs: pd.DataFrame,
    metric: str,
    policy: Policy,
    budget: int,
    seed: int,
    start: int = START,
    batch: Callable[[int], int] = twenty,
    directions: Mapping[str, str] = DEFAULT_DIRECTIONS,
    make_predictor: Callable[[str, int], PerformancePredictor] = light_predictor,
) -> pd.DataFrame:
    """Let a policy spend a budget; its predictor is refitted after every batch.

    Parameters
    ----------
    runs
        Rows of the training frame, of one comparable group.
    start
        Tests at random that every policy of a seed begins with.
    batch
        Tests of the next round, by those that were paid for.
    make_predictor
        An unfitted predictor of a metric, for a seed.

    Returns
    -------
    pandas.DataFrame
        One row per round: `tests` (paid for), `rmse` (of the logarithm, held-out configurations),
        `median_ape` (percent, the same) and `regret` (mean relative loss of the predicted best option
        of each workload with a choice, in the pool; NaN without any).
    """
    known = newest_measurements(runs, metric).reset_index(drop=True)
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(known))
    split = round(HELD_OUT * len(known))
    held, pool = known.iloc[order[:split]], known.iloc[np.sort(order[split:])]
    pool = pool.reset_index(drop=True)
    unpaid = pool.drop(columns=["measured_value", metric])
    paid = np.zeros(len(pool), bool)
    paid[generator.choice(len(pool), min(start, len(pool)), replace=False)] = True
    rows = []
    while True:
        measured = pool[paid]
        predictor = make_predictor(metric, seed).fit(measured)
        figures = evaluate(predictor, metric, held, pool, paid, sign(metric, directions))
        rows.append({"tests": int(paid.sum()), **figures})
        spent = int(paid.sum())
        count = min(batch(spent), budget - spent, int((~paid).sum()))
        if count <= 0:
            return pd.DataFrame(rows)
        free = np.flatnonzero(~paid)
        candidates = unpaid.iloc[free].reset_index(drop=True)
        state = State(metric, predictor, measured, candidates, directions, generator, seed)
        chosen = policy(state, count)
        if len(chosen) == 0:
            return pd.DataFrame(rows)
        paid[free[chosen]] = True


def evaluate(
    predictor: PerformancePredictor,
    metric: str,
    held: pd.DataFrame,
    pool: pd.DataFrame,
    paid: np.ndarray,
    direction: int,
) -> dict[str, float]:
    """Figures of one round; see `replay`."""
    actual = np.log(held["measured_value"].to_numpy(float))
    error = np.log(predictor.predict(held, metric)["p50"].to_numpy()) - actual
    truth = np.log(pool["measured_value"].to_numpy(float))
    believed = np.where(paid, truth, np.log(predictor.predict(pool, metric)["p50"].to_numpy()))
    return {
        "rmse": float(np.sqrt(np.mean(error**2))),
        "median_ape": median_ape(actual, actual + error),
        "regret": _regret(pool["workload_id"], direction * believed, direction * truth),
    }


def _regret(workload: pd.Series, believed: np.ndarray, truth: np.ndarray) -> float:
    options = pd.DataFrame({"workload": workload.to_numpy(), "believed": believed, "truth": truth})
    by_workload = options.groupby("workload")
    contested = options[by_workload["truth"].transform("size") > 1]
    if contested.empty:
        return float("nan")
    chosen = contested.loc[contested.groupby("workload")["believed"].idxmax()]
    best = by_workload["truth"].max().reindex(chosen["workload"]).to_numpy()
    return float(np.mean(1 - np.exp(chosen["truth"].to_numpy() - best)))
