"""Accuracy and honesty of predictions from few measurements, beside baselines.

    python benchmarks/accuracy.py [--data ../shared/data] [--seeds 900 901 902 903 904]

Trains on a share of the configurations of public tables and predicts the others. Prints median
absolute percentage error, coverage of the 90 % interval, its worst coverage by hardware, the
interval score (log units, lower is better) and the rank correlation of width and error: mean over
seeds with a 95 % confidence interval.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import lightgbm as lgb
import numpy as np
import pandas as pd
from scipy import stats
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from models_py.predict import PerformancePredictor
from models_py.scores import covered, interval_score, median_ape
from pipelines.build import build_marts
from pipelines.console import Reporter
from pipelines.dbt import Dbt
from pipelines.ingest import find_files
from pipelines.published import connect, learning_frames

SEEDS = (900, 901, 902, 903, 904)
LARGEST_TEST = 4_000
FEWEST_ROWS = 30
LABELS = ["model_name", "hardware", "framework", "precision", "options", "task", "throughput_unit"]
NUMBERS = ["batch_size", "device_count", "input_length", "output_length", "image_size"]
Z_95 = float(stats.norm.ppf(0.95))
Interval = tuple[np.ndarray, np.ndarray, np.ndarray]


class Table(NamedTuple):
    """One metric of one public table, and the shares of its configurations to train on."""

    source: str
    metric: str
    shares: tuple[float, ...]


TABLES = (
    Table("llm_inference_bench", "throughput", (0.02, 0.05, 0.20)),
    Table("timm", "throughput", (0.02, 0.05, 0.20)),
    Table("qualcomm_ai_hub", "throughput", (0.05, 0.20)),
    Table("qualcomm_ai_hub", "profiled_memory_mb", (0.05, 0.20)),
    Table("ml_energy", "energy_per_sample_j", (0.05, 0.20)),
    Table("mlperf_inference", "throughput", (0.05, 0.20)),
    Table("rknn_model_zoo", "throughput", (0.20,)),
    Table("aws_neuron", "throughput", (0.20,)),
)


def main() -> None:
    """Run every table, share, seed and method; print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args()
    rows = read_rows(options.data)
    results = []
    for table in TABLES:
        frame = rows[(rows["source"] == table.source) & rows[table.metric].notna()]
        for share in table.shares:
            for seed in options.seeds:
                training, test = split(frame, share, seed)
                if len(training) < FEWEST_ROWS:
                    continue
                for name, method in METHODS.items():
                    figures = evaluate(method, training, test, table.metric, seed)
                    title = f"{table.source} {table.metric}"
                    results.append({"table": title, "share": share, "method": name, **figures})
    print(as_markdown(pd.DataFrame(results), len(options.seeds)))


def read_rows(folder: Path) -> pd.DataFrame:
    """Accepted rows of all public tables, as the warehouse describes them."""
    with tempfile.TemporaryDirectory() as place:
        dbt = Dbt(Path(place), Path(place) / "dbt")
        build_marts(dbt, find_files([folder]), Reporter())
        with connect(dbt.database, read_only=True) as con:
            return learning_frames(con)[0]


def split(frame: pd.DataFrame, share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training rows of a share of the configurations, and test rows of the others."""
    generator = np.random.default_rng(seed)
    known = generator.permutation(frame["config_id"].unique())
    chosen = frame["config_id"].isin(known[: round(share * len(known))])
    others = frame[~chosen]
    return frame[chosen], others.sample(min(len(others), LARGEST_TEST), random_state=seed)


def evaluate(
    method: Callable[[pd.DataFrame, pd.DataFrame, str, int], Interval],
    training: pd.DataFrame,
    test: pd.DataFrame,
    metric: str,
    seed: int,
) -> dict[str, float]:
    """Figures of one method on one split."""
    started = time.process_time()
    low, middle, high = method(training, test, metric, seed)
    seconds = time.process_time() - started
    actual = np.log(test[metric].to_numpy(float))
    inside = pd.Series(covered(actual, low, high)).groupby(test["hardware"].to_numpy())
    enough = inside.mean()[inside.size() >= 20]
    return {
        "rows": len(training),
        "median APE %": median_ape(actual, middle),
        "coverage %": 100 * covered(actual, low, high).mean(),
        "worst hardware %": 100 * enough.min(),
        "interval score": interval_score(actual, low, high),
        "width and error": stats.spearmanr(high - low, np.abs(middle - actual)).statistic,
        "seconds": seconds,
    }


def benchmart(training: pd.DataFrame, test: pd.DataFrame, metric: str, seed: int) -> Interval:
    """This project's predictor."""
    predictor = PerformancePredictor((metric,), seed=seed).fit(training)
    predicted = np.log(predictor.predict(test, metric)[["p05", "p10", "p50", "p90", "p95"]])
    if not (np.diff(predicted, axis=1) >= 0).all():
        raise ValueError("quantiles cross")
    return tuple(predicted[name].to_numpy() for name in ("p05", "p50", "p95"))


def label_encoded(training: pd.DataFrame, test: pd.DataFrame, metric: str, seed: int) -> Interval:
    """Gradient boosting on label-encoded columns and the raw target, quantile loss for intervals."""
    inputs, asked = _labels(training, test)
    target = training[metric]
    predicted = []
    for level in (0.05, None, 0.95):
        loss = {"loss": "quantile", "quantile": level} if level else {}
        model = HistGradientBoostingRegressor(random_state=seed, **loss).fit(inputs, target)
        predicted.append(np.log(np.maximum(model.predict(asked), 1e-3)))
    return tuple(predicted)


def _boosted(training, test, metric: str, seed: int, **parameters: object) -> Interval:
    inputs, asked = _labels(training, test)
    target = np.log(training[metric])
    predicted = []
    for level in (0.05, None, 0.95):
        loss = {"objective": "quantile", "alpha": level} if level else {}
        model = lgb.LGBMRegressor(random_state=seed, n_jobs=1, verbose=-1, **loss, **parameters)
        model.fit(inputs, target, categorical_feature=[name for name in LABELS if name in inputs])
        predicted.append(model.predict(asked))
    return tuple(predicted)


def log_target(training: pd.DataFrame, test: pd.DataFrame, metric: str, seed: int) -> Interval:
    """LightGBM with library defaults on the same columns and the log target."""
    return _boosted(training, test, metric, seed)


def small_data(training: pd.DataFrame, test: pd.DataFrame, metric: str, seed: int) -> Interval:
    """The same with parameters for small tables."""
    return _boosted(
        training,
        test,
        metric,
        seed,
        n_estimators=400,
        learning_rate=0.05,
        num_leaves=8,
        min_child_samples=3,
        colsample_bytree=0.6,
        reg_lambda=1.0,
        cat_smooth=2,
        cat_l2=2,
        min_data_per_group=3,
    )


def ridge(training: pd.DataFrame, test: pd.DataFrame, metric: str, seed: int) -> Interval:
    """Ridge on one-hot columns and hardware-framework pairs, log target; normal intervals."""
    names = [name for name in LABELS if training[name].nunique() > 1] + ["hardware_framework"]
    numbers = [name for name in NUMBERS if training[name].nunique() > 1]
    inputs, asked = (
        frame[names].astype(str).join(np.log(frame[numbers].astype(float).fillna(1)))
        for frame in (training, test)
    )
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), names),
            (StandardScaler(), numbers),
        ),
        RidgeCV(alphas=np.logspace(-2, 1, 7), store_cv_results=True),
    )
    target = np.log(training[metric].to_numpy(float))
    model.fit(inputs, target)
    last = model[-1]
    errors = last.cv_results_[:, list(last.alphas).index(last.alpha_)]
    middle, width = model.predict(asked), Z_95 * float(np.sqrt(errors.mean()))
    return middle - width, middle, middle + width


METHODS = {
    "label-encoded gradient boosting": label_encoded,
    "LightGBM, log target, defaults": log_target,
    "LightGBM, log target, small-data parameters": small_data,
    "one-hot ridge with pairs, log target": ridge,
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
    decimals = {
        "median APE %": 1,
        "coverage %": 1,
        "worst hardware %": 1,
        "interval score": 2,
        "width and error": 2,
    }
    lines = [f"| table | trained on | rows | method | {' | '.join(decimals)} | CPU s |"]
    lines.append("|" + "---|" * (len(decimals) + 5))
    width = stats.t.ppf(0.975, seeds - 1) / np.sqrt(seeds) if seeds > 1 else float("nan")
    for (table, share, method), rows in results.groupby(["table", "share", "method"], sort=False):
        cells = [
            f"{rows[name].mean():.{digits}f} ± {width * rows[name].std():.{digits}f}"
            for name, digits in decimals.items()
        ]
        lines.append(
            f"| {table} | {share:.0%} | {rows['rows'].mean():.0f} | {method} | {' | '.join(cells)}"
            f" | {rows['seconds'].mean():.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
