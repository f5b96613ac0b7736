"""Accuracy and honesty of throughput predictions from few measurements, beside two baselines.

    python benchmarks/accuracy.py [--data ../shared/data] [--seeds 900 901 902 903]

Trains on 2, 5 and 20 % of the configurations of two public tables and predicts the others. Prints
median absolute percentage error, coverage of the 90 % interval, its worst coverage by hardware, and
the interval score (log units, lower is better): mean over seeds with a 95 % confidence interval.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import HistGradientBoostingRegressor

from models_py.predict import PerformancePredictor
from models_py.scores import covered, interval_score, median_ape
from pipelines.build import build_marts
from pipelines.console import Reporter
from pipelines.dbt import Dbt
from pipelines.ingest import find_files
from pipelines.published import connect, learning_frames

SHARES = (0.02, 0.05, 0.20)
SEEDS = (900, 901, 902, 903)
TABLES = {"llm_inference_bench": "LLM-Inference-Bench", "timm": "timm"}
LARGEST_TEST = 4_000
LABELS = ["model_name", "hardware", "framework", "precision", "options", "task", "throughput_unit"]
NUMBERS = ["batch_size", "device_count", "input_length", "output_length", "image_size"]
Interval = tuple[np.ndarray, np.ndarray, np.ndarray]


def main() -> None:
    """Run every table, share, seed and method; print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args()
    results = []
    for folder, title in TABLES.items():
        frame = read_table(options.data / folder)
        for share in SHARES:
            for seed in options.seeds:
                training, test = split(frame, share, seed)
                for name, method in METHODS.items():
                    figures = evaluate(method, training, test, seed)
                    results.append({"table": title, "share": share, "method": name, **figures})
    print(as_markdown(pd.DataFrame(results), len(options.seeds)))


def read_table(folder: Path) -> pd.DataFrame:
    """Accepted rows of a public table that state throughput, as the warehouse describes them."""
    with tempfile.TemporaryDirectory() as place:
        dbt = Dbt(Path(place), Path(place) / "dbt")
        build_marts(dbt, find_files([folder]), Reporter())
        with connect(dbt.database, read_only=True) as con:
            training, _ = learning_frames(con)
    return training[training["throughput"].notna()].reset_index(drop=True)


def split(frame: pd.DataFrame, share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training rows of a share of the configurations, and test rows of the others."""
    generator = np.random.default_rng(seed)
    known = generator.permutation(frame["config_id"].unique())
    chosen = frame["config_id"].isin(known[: round(share * len(known))])
    others = frame[~chosen]
    return frame[chosen], others.sample(min(len(others), LARGEST_TEST), random_state=seed)


def evaluate(
    method: Callable[[pd.DataFrame, pd.DataFrame, int], Interval],
    training: pd.DataFrame,
    test: pd.DataFrame,
    seed: int,
) -> dict[str, float]:
    """Figures of one method on one split."""
    started = time.perf_counter()
    low, middle, high = method(training, test, seed)
    seconds = time.perf_counter() - started
    actual = np.log(test["throughput"].to_numpy(float))
    inside = pd.Series(covered(actual, low, high)).groupby(test["hardware"].to_numpy())
    enough = inside.mean()[inside.size() >= 20]
    return {
        "rows": len(training),
        "median APE %": median_ape(actual, middle),
        "coverage %": 100 * covered(actual, low, high).mean(),
        "worst hardware %": 100 * enough.min(),
        "interval score": interval_score(actual, low, high),
        "seconds": seconds,
    }


def benchmart(training: pd.DataFrame, test: pd.DataFrame, seed: int) -> Interval:
    """This project's predictor."""
    predictor = PerformancePredictor(("throughput",), seed=seed).fit(training)
    predicted = predictor.predict(test, "throughput")
    return tuple(np.log(predicted[name].to_numpy()) for name in ("p05", "p50", "p95"))


def label_encoded(training: pd.DataFrame, test: pd.DataFrame, seed: int) -> Interval:
    """Gradient boosting on label-encoded columns and the raw target, quantile loss for intervals."""
    inputs, asked = _labels(training, test)
    target = training["throughput"]
    predicted = []
    for level in (0.05, None, 0.95):
        loss = {"loss": "quantile", "quantile": level} if level else {}
        model = HistGradientBoostingRegressor(random_state=seed, **loss).fit(inputs, target)
        predicted.append(np.log(np.maximum(model.predict(asked), 1e-3)))
    return tuple(predicted)


def log_target(training: pd.DataFrame, test: pd.DataFrame, seed: int) -> Interval:
    """LightGBM with library defaults on the same columns and the log target."""
    inputs, asked = _labels(training, test)
    target = np.log(training["throughput"])
    predicted = []
    for level in (0.05, None, 0.95):
        loss = {"objective": "quantile", "alpha": level} if level else {}
        model = lgb.LGBMRegressor(random_state=seed, n_jobs=1, verbose=-1, **loss)
        model.fit(inputs, target, categorical_feature=[name for name in LABELS if name in inputs])
        predicted.append(model.predict(asked))
    return tuple(predicted)


METHODS = {
    "label-encoded gradient boosting": label_encoded,
    "LightGBM, log target, defaults": log_target,
    "benchmart": benchmart,
}


def _labels(training: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Columns as published that vary, names as integer codes."""
    both = pd.concat([training, test])
    coded = {name: pd.factorize(both[name], use_na_sentinel=False)[0] for name in LABELS}
    matrix = both[NUMBERS].astype(float).assign(**coded)
    matrix = matrix.loc[:, matrix.iloc[: len(training)].nunique() > 1]
    return matrix.iloc[: len(training)], matrix.iloc[len(training) :]


def as_markdown(results: pd.DataFrame, seeds: int) -> str:
    """A table of means with confidence intervals (Student's t over the seeds)."""
    figures = ["median APE %", "coverage %", "worst hardware %", "interval score"]
    lines = [f"| table | trained on | rows | method | {' | '.join(figures)} | fit and predict s |"]
    lines.append("|" + "---|" * (len(figures) + 5))
    width = stats.t.ppf(0.975, seeds - 1) / np.sqrt(seeds) if seeds > 1 else float("nan")
    for (table, share, method), rows in results.groupby(["table", "share", "method"], sort=False):
        cells = [
            f"{rows[name].mean():.{2 if name == 'interval score' else 1}f}"
            f" ± {width * rows[name].std():.{2 if name == 'interval score' else 1}f}"
            for name in figures
        ]
        lines.append(
            f"| {table} | {share:.0%} | {rows['rows'].mean():.0f} | {method} | {' | '.join(cells)}"
            f" | {rows['seconds'].mean():.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
