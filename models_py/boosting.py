"""LightGBM with parameters for small benchmark tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np

from models_py.grid import predict_rows

MANY_ROWS = 10_000  # fewer than LightGBM predicts before its trees are taken apart
LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)
COMMON = {
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "extra_trees": True,
    "cat_smooth": 2,
    "cat_l2": 2,
    "min_data_per_group": 3,
    "min_data_in_bin": 1,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


@dataclass(frozen=True)
class Profile:
    """How much to fit: grows with the number of rows.

    Attributes
    ----------
    folds
        Folds of the calibration.
    process_rows
        Rows that the Gaussian process is conditioned on; where there are more, the bag boosts it.
    members
        Boosters in the bag.
    mean_rounds, mean_leaves, mean_rate
        Trees, leaves and learning rate of a member.
    shape_rounds, shape_leaves, shape_rate
        The same of a quantile booster.
    """

    folds: int
    process_rows: int
    members: int
    mean_rounds: int
    mean_leaves: int
    mean_rate: float
    shape_rounds: int
    shape_leaves: int
    shape_rate: float


def profile_for(rows: int) -> Profile:
    """Few, small trees on few rows; fewer folds where rows are plenty."""
    if rows < 400:
        return Profile(8, rows, 8, 150, 8, 0.1, 50, 6, 0.03)
    if rows < 2_000:
        return Profile(5, rows, 8, 250, 16, 0.1, 100, 12, 0.04)
    if rows < 6_500:
        return Profile(5, rows, 6, 250, 24, 0.1, 80, 12, 0.05)
    return Profile(5, 3_000, 5, 120, 128, 0.3, 60, 12, 0.07)


def train(
    data: lgb.Dataset, rounds: int, leaves: int, rate: float, seed: int, **parameters: object
) -> lgb.Booster:
    """Fit one booster; `parameters` say the objective and whatever differs from `COMMON`."""
    settings = {
        **COMMON,
        "num_leaves": leaves,
        "learning_rate": rate,
        "min_data_in_leaf": 3 if leaves <= 8 else 5,
        "seed": seed,
        **parameters,
    }
    return lgb.train(settings, data, rounds)


def dataset(
    features: np.ndarray, target: np.ndarray, names: list[str], categorical: list[int]
) -> lgb.Dataset:
    """A LightGBM dataset, binned once, from which members take their subsets.

    Parameters
    ----------
    features
        Matrix (rows, columns).
    target
        Vector (rows,).
    """
    return lgb.Dataset(
        features,
        target,
        feature_name=names,
        categorical_feature=categorical,
        params={**COMMON, "min_data_in_leaf": 3},
        free_raw_data=False,
    ).construct()


def predictions(booster: lgb.Booster, features: np.ndarray) -> np.ndarray:
    """What a booster of means or quantiles says of rows, shape (rows,); the same of few and of many."""
    if len(features) < MANY_ROWS:
        return booster.predict(features, num_threads=1)
    return predict_rows(booster, features)


def rearranged(quantiles: np.ndarray) -> np.ndarray:
    """Quantiles (rows, levels) sorted per row, which never worsens them (Chernozhukov et al. 2010)."""
    return np.sort(quantiles, axis=1)


def save_boosters(boosters: list[lgb.Booster], directory: Path, kind: str) -> None:
    """One text file per booster."""
    for position, booster in enumerate(boosters):
        booster.save_model(directory / f"{kind}_{position}.txt")


def load_boosters(directory: Path, kind: str) -> list[lgb.Booster]:
    """What `save_boosters` wrote, in its order."""
    count = len(list(directory.glob(f"{kind}_*.txt")))
    return [lgb.Booster(model_file=directory / f"{kind}_{i}.txt") for i in range(count)]
