"""What is predicted of a model that was never run, and of a device with a handful of runs.

    python benchmarks/cold_start.py [--data ../shared/data] [--seeds 900 901 902]

LLM-Inference-Bench. Every model in turn is left out, and predicted from 450 rows of the others. Every
device in turn is new: 400 rows of the others are known, and 0, 5 or 20 of its own, chosen by expected
variance reduction over its grid, or at random. Prints the median over models (devices) of the median
absolute percentage error, the coverage of the 90 % interval and how much of it is flagged as out of
domain: mean over seeds with a 95 % confidence interval.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from comparison import with_interval
from public_tables import DATA, TABLES, read_rows, rows_of
from threadpoolctl import threadpool_limits

from models_py.metric_model import MetricModel
from models_py.posterior import Posterior
from models_py.predict import PerformancePredictor
from models_py.scores import covered, interval_score, median_ape

SEEDS = (900, 901, 902)
OTHERS = {"model_name": 450, "hardware": 400}
LARGEST_TEST = 500
LARGEST_GRID = 400
FEWEST_TEST = 20
DECIMALS = {
    "median APE %": 1,
    "coverage %": 1,
    "interval score": 2,
    "flagged %": 0,
}


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args()
    frame = rows_of(read_rows(options.data), TABLES[0])
    with threadpool_limits(1):
        results = pd.DataFrame(
            found
            for seed in options.seeds
            for found in (*unknown_models(frame, seed), *new_devices(frame, seed))
        )
    each = results.groupby(["case", "seed", "name"], sort=False)[list(DECIMALS)].mean()
    typical = each.groupby(["case", "seed"], sort=False).agg(
        {
            "median APE %": "median",
            "coverage %": "mean",
            "interval score": "median",
            "flagged %": "mean",
        }
    )
    print(f"| case | {' | '.join(DECIMALS)} |\n|{'---|' * (len(DECIMALS) + 1)}")
    for case, rows in typical.groupby("case", sort=False):
        cells = [with_interval(rows[name], digits) for name, digits in DECIMALS.items()]
        print(f"| {case} | {' | '.join(cells)} |")


def unknown_models(frame: pd.DataFrame, seed: int) -> Iterator[dict[str, object]]:
    """Each model, predicted from others."""
    for name, own, others in _left_out(frame, "model_name", seed):
        test = own.sample(min(LARGEST_TEST, len(own)), random_state=seed)
        yield {"case": "unknown model", "name": name, "seed": seed, **evaluate(others, test, seed)}


def new_devices(frame: pd.DataFrame, seed: int) -> Iterator[dict[str, object]]:
    """Each device, predicted from others and some rows of its own."""
    for name, own, others in _left_out(frame, "hardware", seed):
        grid = own.sample(min(LARGEST_GRID, len(own)), random_state=seed)
        model = MetricModel.fit(others, "throughput", PerformancePredictor().levels, seed)
        order = most_informative(model.posterior(grid, np.arange(len(grid))), 20)
        choices: dict[str, Callable[[int], pd.DataFrame]] = {
            "at random": lambda count, own=own: own.sample(count, random_state=seed),
            "chosen": lambda count, grid=grid, order=order: grid.iloc[order[:count]],
        }
        for count in (0, 5, 20):
            for way, choose in choices.items() if count else (("", choices["at random"]),):
                known = choose(count)
                rest = own[~own["config_id"].isin(known["config_id"])]
                if len(rest) < FEWEST_TEST:
                    continue
                test = rest.sample(min(LARGEST_TEST, len(rest)), random_state=seed)
                figures = evaluate(pd.concat([others, known]), test, seed)
                case = f"new device, {count} rows {way}".rstrip()
                yield {"case": case, "name": name, "seed": seed, **figures}


def most_informative(posterior: Posterior, count: int) -> list[int]:
    """Options that together remove most of the variance of all, chosen one after the other."""
    chosen: list[int] = []
    for _ in range(min(count, len(posterior.variance))):
        gain = posterior.gain()
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
        posterior.observe(chosen[-1])
    return chosen


def _left_out(
    frame: pd.DataFrame, column: str, seed: int
) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Each name with its rows, and some rows of the others."""
    for name, own in frame.groupby(column):
        yield name, own, frame[frame[column] != name].sample(OTHERS[column], random_state=seed)


def evaluate(training: pd.DataFrame, test: pd.DataFrame, seed: int) -> dict[str, float]:
    """Figures of one split."""
    predicted = PerformancePredictor(("throughput",), seed=seed).fit(training).predict(test)
    low, middle, high = (np.log(predicted[name].to_numpy()) for name in ("p05", "p50", "p95"))
    actual = np.log(test["throughput"].to_numpy(float))
    return {
        "median APE %": median_ape(actual, middle),
        "coverage %": 100 * covered(actual, low, high).mean(),
        "interval score": interval_score(actual, low, high),
        "flagged %": 100 * (~predicted["in_domain"]).mean(),
    }


if __name__ == "__main__":
    main()
