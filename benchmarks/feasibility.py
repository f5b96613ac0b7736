"""Whether it is known what fails: probabilities of running, beside what one would do otherwise.

    python benchmarks/feasibility.py [--data ../shared/data] [--seeds 900 901 902 903 904]

A fifth of the configurations is held out (or of the models: all configurations of models that were
never run) of timm (batches that were lowered until they fitted), rknn_model_zoo (operators that are
missing) and the bundled measurements (both). Prints Brier score and logarithmic loss (lower is better),
the area under the ROC curve, of the configurations that were given 20 to 80 % how many ran, and how many
failures (and runs) would be neither proposed nor recommended: mean over seeds with a 95 % confidence
interval.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from comparison import with_interval
from methods import LABELS, NUMBERS
from public_tables import DATA, SEEDS, read_outcomes
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models_py.feasibility import DIRECTIONS, MINIMUM_FEASIBILITY, FeasibilityModel

SOURCES = ("timm", "rknn_model_zoo", "benchmart")
HELD_OUT = 0.2
CERTAIN = 1e-4  # logarithmic loss knows no certainty
DECIMALS = {
    "Brier score": 4,
    "log loss": 3,
    "AUC": 3,
    "given %": 0,
    "ran %": 0,
    "failures left out %": 1,
    "runs left out %": 1,
    "CPU s": 1,
}


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args()
    outcomes = read_outcomes(options.data)
    results = pd.DataFrame(
        found
        for source in SOURCES
        for held in ("config_id", "model_name")
        for found in compare(outcomes[outcomes["source"] == source], source, held, options.seeds)
    )
    print(f"| source | held out | method | {' | '.join(DECIMALS)} |")
    print(f"|{'---|' * (len(DECIMALS) + 3)}")
    for names, rows in results.groupby(["source", "held", "method"], sort=False):
        cells = [with_interval(rows[name].dropna(), digits) for name, digits in DECIMALS.items()]
        print(f"| {' | '.join(names)} | {' | '.join(cells)} |")


def compare(
    outcomes: pd.DataFrame, source: str, held: str, seeds: list[int]
) -> Iterator[dict[str, object]]:
    """Figures of every method on every split of one source."""
    for seed in seeds:
        names = np.random.default_rng(seed).permutation(outcomes[held].unique())
        out = outcomes[held].isin(names[: round(HELD_OUT * len(names))])
        asked = outcomes[out].drop_duplicates(["config_id", "ran"])
        for method, predict in METHODS.items():
            started = time.process_time()
            probability = np.clip(predict(outcomes[~out], asked, seed), CERTAIN, 1 - CERTAIN)
            figures = evaluate(asked["ran"].to_numpy(bool), probability)
            kind = "configurations" if held == "config_id" else "models"
            seconds = time.process_time() - started
            yield {"source": source, "held": kind, "method": method, "CPU s": seconds, **figures}


def evaluate(ran: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """Figures of one method on one split."""
    unsure = (probability > 0.2) & (probability < 0.8)
    both = 0 < ran.mean() < 1
    return {
        "Brier score": brier_score_loss(ran, probability),
        "log loss": log_loss(ran, probability, labels=[False, True]),
        "AUC": roc_auc_score(ran, probability) if both else np.nan,
        "given %": 100 * probability[unsure].mean() if unsure.sum() >= 20 else np.nan,
        "ran %": 100 * ran[unsure].mean() if unsure.sum() >= 20 else np.nan,
        "failures left out %": 100 * (probability[~ran] < MINIMUM_FEASIBILITY).mean()
        if both
        else np.nan,
        "runs left out %": 100 * (probability[ran] < MINIMUM_FEASIBILITY).mean(),
    }


def benchmart(known: pd.DataFrame, asked: pd.DataFrame, seed: int) -> np.ndarray:
    """This project's model."""
    return FeasibilityModel.fit(known, seed).predict(asked)


def share(known: pd.DataFrame, asked: pd.DataFrame, seed: int) -> np.ndarray:
    """The share of known configurations that ran."""
    return np.full(len(asked), known["ran"].mean())


def arithmetic(known: pd.DataFrame, asked: pd.DataFrame, seed: int) -> np.ndarray:
    """Whether weights and cache fit into memory."""
    return asked["fits_in_memory"].ne(False).to_numpy(float)


def logistic(known: pd.DataFrame, asked: pd.DataFrame, seed: int) -> np.ndarray:
    """Logistic regression on the logarithms of sizes and memory shares."""
    names = [name for name in DIRECTIONS if known[name].nunique() > 1]
    inputs, questions = (
        np.log(frame[names].astype(float).fillna(0).clip(lower=1e-6)) for frame in (known, asked)
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return model.fit(inputs, known["ran"]).predict_proba(questions)[:, 1]


def boosting(known: pd.DataFrame, asked: pd.DataFrame, seed: int) -> np.ndarray:
    """Gradient boosting on label-encoded columns as published."""
    both = pd.concat([known, asked])
    coded = {name: pd.factorize(both[name], use_na_sentinel=False)[0] for name in LABELS}
    matrix = both[NUMBERS].astype(float).assign(**coded)
    matrix = matrix.loc[:, matrix.iloc[: len(known)].nunique() > 1]
    model = HistGradientBoostingClassifier(random_state=seed)
    model.fit(matrix.iloc[: len(known)], known["ran"])
    return model.predict_proba(matrix.iloc[len(known) :])[:, 1]


METHODS: dict[str, Callable[[pd.DataFrame, pd.DataFrame, int], np.ndarray]] = {
    "share that ran": share,
    "memory arithmetic": arithmetic,
    "logistic regression on sizes": logistic,
    "gradient boosting, label-encoded": boosting,
    "benchmart": benchmart,
}


if __name__ == "__main__":
    main()
