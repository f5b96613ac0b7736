"""Whether a configuration runs at all: memory may be short, an operator may be missing.

A classifier of what ran and what failed. Failure never becomes less likely as the work grows or the
memory shrinks: its trees are monotone. Its scores become probabilities by Platt's method (1999), on
configurations that it had not seen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import lightgbm as lgb
import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from models_py.boosting import dataset, train
from models_py.features import CATEGORICAL, Encoder

# +1: more of it never makes a run likelier to succeed, -1: never less likely
DIRECTIONS = {
    "batch_size": 1,
    "input_length": 1,
    "output_length": 1,
    "image_size": 1,
    "concurrency": 1,
    "device_count": -1,
    "parameters_million": 1,
    "activations_million": 1,
    "memory_gb": -1,
    "kv_cache_mb": 1,
    "weights_mb_per_device": 1,
    "memory_share": 1,
    "activation_share": 1,
    "framework_version_number": 0,
}
MINIMUM_FEASIBILITY = 0.5
FEWEST_CONFIGURATIONS = 10
FOLDS = 5
ROUNDS, LEAVES, RATE = 200, 16, 0.1
BOOSTER, DESCRIPTION, HELD_OUT = "feasibility.txt", "feasibility.json", "feasibility.parquet"


class Platt(NamedTuple):
    """From scores of failure to its log odds."""

    slope: float
    intercept: float

    @classmethod
    def fit(cls, scores: np.ndarray, failed: np.ndarray) -> Platt:
        """From held-out scores, shape (rows,), and whether these rows failed.

        Scores that say nothing, or the contrary, leave the share that failed: by Laplace's rule of
        succession, so that nothing is certain.
        """
        if 0 < failed.sum() < len(failed):
            found = LogisticRegression().fit(scores[:, None], failed)
            if found.coef_[0, 0] > 0:
                return cls(float(found.coef_[0, 0]), float(found.intercept_[0]))
        return cls(0.0, float(np.log((failed.sum() + 1) / ((~failed).sum() + 1))))

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Probability of success, shape (rows,)."""
        return expit(-(self.slope * scores + self.intercept))


@dataclass
class FeasibilityModel:
    """Probability that a configuration runs.

    Attributes
    ----------
    booster
        Scores of failure; None where too few configurations failed (or ran) to learn from.
    seen, unseen
        Calibration of configurations of models that were run, and of models that never were.
    models
        Names of the models that were run.
    configurations, failed
        Configurations known, and those of them that never ran.
    held_out
        One row per configuration and outcome: `config_id, hardware, ran, probability`, predicted
        without it.
    """

    encoder: Encoder
    booster: lgb.Booster | None
    seen: Platt
    unseen: Platt
    models: frozenset[str]
    configurations: int
    failed: int
    held_out: pd.DataFrame

    @classmethod
    def fit(cls, outcomes: pd.DataFrame, seed: int) -> FeasibilityModel:
        """Learn from a frame with the columns of `features.feasibility_features`.

        Where fewer than `FEWEST_CONFIGURATIONS` failed (or ran), every configuration that fits in
        memory gets the same probability, by Laplace's rule of succession.
        """
        known = outcomes.drop_duplicates(["config_id", "ran"], keep="last")
        ever = outcomes.groupby("config_id")["ran"].any()
        failed = int((~ever).sum())
        encoder = Encoder.fit(known, DIRECTIONS, CATEGORICAL)
        models = frozenset(known["model_name"])
        if FEWEST_CONFIGURATIONS <= failed <= len(ever) - FEWEST_CONFIGURATIONS:
            features, target = encoder.transform(known), ~known["ran"].to_numpy(bool)
            booster = _boosted(encoder, features, target, seed)
            folds = _folds(known["config_id"], seed)
            scores = _held_out_scores(encoder, features, target, folds, seed)
            seen, probability = Platt.fit(scores, target), np.empty(len(known))
            for fold in range(FOLDS):
                held = folds == fold
                others = Platt.fit(scores[~held], target[~held])
                probability[held] = others.probability(scores[held])
            by_model = _folds(known["model_name"], seed)
            unseen = Platt.fit(_held_out_scores(encoder, features, target, by_model, seed), target)
        else:
            booster = None
            seen = unseen = Platt.fit(np.zeros(len(ever)), ~ever.to_numpy(bool))
            probability = seen.probability(np.zeros(len(known)))
        held_out = known[["config_id", "hardware", "ran"]].assign(probability=probability)
        return cls(encoder, booster, seen, unseen, models, len(ever), failed, held_out)

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Probability that each row of a feature frame runs, shape (rows,).

        Zero where weights and cache alone take more memory than there is.
        """
        scores = np.zeros(len(frame))
        if self.booster is not None:
            features = self.encoder.transform(frame)
            scores = self.booster.predict(features, raw_score=True, num_threads=1)
        seen = frame["model_name"].isin(self.models).to_numpy()
        probability = np.where(seen, self.seen.probability(scores), self.unseen.probability(scores))
        if "fits_in_memory" in frame:
            probability[frame["fits_in_memory"].eq(False).to_numpy(bool, na_value=False)] = 0
        return probability

    def save(self, directory: Path) -> None:
        """Trees as LightGBM text, held-out probabilities as Parquet, the rest as JSON."""
        directory.mkdir(parents=True, exist_ok=True)
        if self.booster is not None:
            self.booster.save_model(directory / BOOSTER)
        description = {
            "encoder": self.encoder.to_dict(),
            "seen": self.seen,
            "unseen": self.unseen,
            "models": sorted(self.models),
            "configurations": self.configurations,
            "failed": self.failed,
        }
        (directory / DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")
        self.held_out.to_parquet(directory / HELD_OUT)

    @classmethod
    def load(cls, directory: Path) -> FeasibilityModel:
        """What `save` wrote."""
        saved = json.loads((directory / DESCRIPTION).read_text(encoding="utf-8"))
        booster = directory / BOOSTER
        return cls(
            encoder=Encoder(**saved["encoder"]),
            booster=lgb.Booster(model_file=booster) if booster.is_file() else None,
            seen=Platt(*saved["seen"]),
            unseen=Platt(*saved["unseen"]),
            models=frozenset(saved["models"]),
            configurations=saved["configurations"],
            failed=saved["failed"],
            held_out=pd.read_parquet(directory / HELD_OUT),
        )


def likely_to_run(probability: pd.Series, minimum: float) -> pd.Series:
    """Whether options may be proposed: those of unknown probability may."""
    return ~(probability < minimum)


def _folds(names: pd.Series, seed: int) -> np.ndarray:
    """Folds that hold all rows of a name, shape (rows,)."""
    codes = pd.factorize(names)[0]
    return (np.random.default_rng(seed).permutation(codes.max() + 1) % FOLDS)[codes]


def _held_out_scores(
    encoder: Encoder, features: np.ndarray, target: np.ndarray, folds: np.ndarray, seed: int
) -> np.ndarray:
    """Scores of each fold by boosters that do not know it, shape (rows,).

    All zero where some fold holds all that failed (or ran): a booster that knows one outcome only
    gives scores of another kind.
    """
    scores = np.zeros(len(target))
    for fold in range(FOLDS):
        held = folds == fold
        if len(np.unique(target[~held])) < 2:
            return np.zeros(len(target))
        booster = _boosted(encoder, features[~held], target[~held], seed)
        scores[held] = booster.predict(features[held], raw_score=True, num_threads=1)
    return scores


def _boosted(encoder: Encoder, features: np.ndarray, target: np.ndarray, seed: int) -> lgb.Booster:
    data = dataset(features, target.astype(float), encoder.names, encoder.categorical_positions)
    numeric = [DIRECTIONS[name] for name in encoder.numeric]
    return train(
        data,
        ROUNDS,
        LEAVES,
        RATE,
        seed,
        objective="binary",
        monotone_constraints=[*numeric, *[0] * len(encoder.categories)],
    )
