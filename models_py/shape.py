"""The shape of what the base leaves over: quantile boosters on the standardised residual."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
from scipy.stats import norm

from models_py.boosting import (
    Profile,
    dataset,
    load_boosters,
    predictions,
    rearranged,
    save_boosters,
    train,
)
from models_py.features import Encoder

NORMAL = "normal.json"


@dataclass
class Shape:
    """Quantile boosters, one per level (Koenker & Bassett 1978; LightGBM: Ke et al. 2017)."""

    boosters: list[lgb.Booster]

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Standardised quantiles, shape (rows, levels), of `shape_inputs`."""
        levels = [predictions(booster, inputs) for booster in self.boosters]
        return rearranged(np.column_stack(levels))

    def save(self, directory: Path) -> None:
        """One file of LightGBM's text format per level."""
        save_boosters(self.boosters, directory, "shape")


@dataclass
class NormalShape:
    """The shape of a normal distribution, where there is no time to learn another."""

    levels: tuple[float, ...]

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """See `Shape.predict`."""
        return np.tile(norm.ppf(self.levels), (len(inputs), 1))

    def save(self, directory: Path) -> None:
        """Its levels."""
        (directory / NORMAL).write_text(json.dumps(self.levels), encoding="utf-8")


def load_shape(directory: Path) -> Shape | NormalShape:
    """What either kind of shape wrote."""
    normal = directory / NORMAL
    if normal.is_file():
        return NormalShape(tuple(json.loads(normal.read_text(encoding="utf-8"))))
    return Shape(load_boosters(directory, "shape"))


def shape_inputs(features: np.ndarray, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Features beside centre (residual to physics) and log spread, shape (rows, columns + 2)."""
    return np.column_stack([features, centre, np.log(spread)])


def fit_shape(
    inputs: np.ndarray,
    standardised: np.ndarray,
    encoder: Encoder,
    levels: tuple[float, ...],
    profile: Profile,
    seed: int,
) -> Shape:
    """Fit on held-out residuals in units of their spread.

    Parameters
    ----------
    inputs, standardised
        `shape_inputs`, and (value - centre) / spread, shape (rows,).
    """
    names = [*encoder.names, "centre", "log_spread"]
    data = dataset(inputs, standardised, names, encoder.categorical_positions)
    boosters = [
        train(
            data,
            profile.shape_rounds,
            profile.shape_leaves,
            profile.shape_rate,
            seed=seed + position,
            objective="quantile",
            alpha=level,
        )
        for position, level in enumerate(levels)
    ]
    return Shape(boosters)
