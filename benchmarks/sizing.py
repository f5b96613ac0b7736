"""Sizing for models that were never measured: is the demand met, and what is overspent?

    python benchmarks/sizing.py [--data ../shared/data] [--seeds 900 901 902]

LLM-Inference-Bench, every model in turn left out. For each of its lengths random demands (requests a
second) under a random limit of latency, which some measured platform and batch can keep. Sized from the
predictions alone, at several confidences. Success: the chosen platform, batch and number of replicas
carry the demand within the limit, by what was measured; no answer counts as a failure. Overspend: the
share of the cost of a success that the cheapest sizing would have saved. Score: the harmonic mean of
success s and thrift 1 - o, 2 s (1 - o) / (s + 1 - o). Beside it, the same rule on point predictions
(every draw is the median), and always the biggest device.

Prices are assumed: in the order of what clouds ask for an hour of a device, no offers.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from public_tables import DATA, LLM_THROUGHPUT, read_rows, rows_of
from threadpoolctl import threadpool_limits

from models_py.draws import Sampler
from models_py.measured import newest_measurements
from models_py.options import predicted_options
from models_py.predict import PerformancePredictor
from models_py.requirements import Requirement
from models_py.sizing import Demand, rent, size_platforms

SEEDS = (900, 901, 902)
CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
METRICS = ("throughput", "latency_ms")
DEMANDS = 6
DRAWS = 1_000
PRICES = {
    "nvidia-a100-40gb": 1.3,
    "nvidia-h100-80gb": 2.5,
    "nvidia-gh200-96gb": 1.8,
    "amd-mi250-128gb": 1.2,
    "amd-mi300x-192gb": 2.2,
    "intel-gaudi2-96gb": 1.1,
    "intel-max-1550-128gb": 1.0,
    "sambanova-sn40l": 3.0,
}
OFFERS = pd.DataFrame(
    [(name, count, count * price) for name, price in PRICES.items() for count in (1, 2, 4, 8)],
    columns=["hardware", "device_count", "price_per_hour"],
)
POINT, BIGGEST = "median alone", "always the biggest"


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    rows = rows_of(read_rows(options.data), LLM_THROUGHPUT)
    names = sorted(rows["model_name"].unique())
    with ProcessPoolExecutor(options.processes) as pool:
        found = pool.map(partial(unknown_model, rows, options.seeds), names)
        print(as_markdown(pd.concat(found, ignore_index=True)))


def unknown_model(rows: pd.DataFrame, seeds: list[int], name: str) -> pd.DataFrame:
    """Decisions for a model that is left out."""
    with threadpool_limits(1):
        known, own = rows[rows["model_name"] != name], rows[rows["model_name"] == name]
        predictor = PerformancePredictor(METRICS, seed=seeds[0]).fit(known)
        truth = newest_measurements(own, "throughput")
        bare = truth.drop(columns=list(METRICS))
        options, margins = predicted_options(predictor, bare, METRICS)
        actual = truth.set_index("config_id")["measured_value"].loc[options["config_id"]]
        rate = actual.to_numpy() / options["batch_work"] * options["batch_size"]
        options = options.assign(
            true_rate=rate, true_latency_ms=1000 * options["batch_size"] / rate
        )
        return pd.DataFrame(
            decision
            for seed in seeds
            for decision in decisions(predictor, options, margins, np.random.default_rng(seed))
        )


def decisions(
    predictor: PerformancePredictor,
    options: pd.DataFrame,
    margins: dict[str, pd.DataFrame],
    generator: np.random.Generator,
) -> Iterator[dict]:
    """Random demands of every length, and what each rule makes of them."""
    for rows in options.groupby(["throughput_unit", "input_length"]).indices.values():
        points = options.iloc[rows].reset_index(drop=True)
        if points["platform_id"].nunique() < 2:
            continue
        part = {name: each.iloc[rows].reset_index(drop=True) for name, each in margins.items()}
        drawn = Sampler(points, predictor.models, part, DRAWS).draw(np.arange(len(points)))
        medians = {name: np.log(each[["p50"]].to_numpy(float)) for name, each in part.items()}
        for _ in range(DEMANDS):
            limit = points["true_latency_ms"].quantile(generator.uniform(0.2, 0.8))
            demand = 10 ** generator.uniform(0, 2) * points["true_rate"].median()
            slo, wanted = [Requirement("latency_ms", limit, True)], Demand(demand)
            cheapest = _cheapest(points, limit, demand)
            rules = {
                f"{100 * share:.0f} % confidence": size_platforms(
                    points, drawn, wanted, slo, share, OFFERS
                )
                for share in CONFIDENCES
            }
            rules[POINT] = size_platforms(points, medians, wanted, slo, 0.5, OFFERS)
            size = points["memory_bandwidth_gbs"] * points["device_count"]
            biggest = points["platform_id"] == points["platform_id"][size.idxmax()]
            rules[BIGGEST] = size_platforms(
                points[biggest].reset_index(drop=True),
                {name: each[biggest.to_numpy()] for name, each in medians.items()},
                wanted,
                slo,
                0.5,
                OFFERS,
            )
            for rule, sized in rules.items():
                yield {
                    "rule": rule,
                    "model": points["model_name"][0],
                    **_judged(sized, limit, demand, cheapest),
                }


def _cheapest(points: pd.DataFrame, limit: float, demand: float) -> float:
    """What the cheapest sizing costs by what was measured."""
    able = points[points["true_latency_ms"] <= limit]
    replicas = np.ceil(demand / able["true_rate"] - 1e-9)
    return min(
        rent(hardware, count, number, OFFERS)
        for hardware, count, number in zip(
            able["hardware"], able["device_count"], replicas, strict=True
        )
    )


def _judged(sized: pd.DataFrame, limit: float, demand: float, cheapest: float) -> dict:
    """Whether the first answer succeeds, and what it overspends."""
    if sized.empty:
        return {"answered": False, "success": False, "overspend": np.nan}
    first = sized.iloc[0]
    carried = first["replicas"] * first["true_rate"] >= demand - 1e-9
    success = bool(carried and first["true_latency_ms"] <= limit)
    overspend = 1 - cheapest / first["cost_per_hour"] if success else np.nan
    return {"answered": True, "success": success, "overspend": overspend}


def as_markdown(found: pd.DataFrame) -> str:
    """A row per rule; means over decisions, and the score with models weighed alike."""
    lines = ["| rule | decisions | answered % | success % | overspend % | score | score by model |"]
    lines.append("|---|---|---|---|---|---|---|")
    for rule, rows in found.groupby("rule", sort=False):
        success, overspend = rows["success"].mean(), rows["overspend"].mean()
        each = rows.groupby("model")[["success", "overspend"]].mean().mean()
        lines.append(
            f"| {rule} | {len(rows)} | {100 * rows['answered'].mean():.1f} | {100 * success:.1f}"
            f" | {100 * overspend:.1f} | {_score(success, overspend):.3f}"
            f" | {_score(each['success'], each['overspend']):.3f} |"
        )
    return "\n".join(lines)


def _score(success: float, overspend: float) -> float:
    """Harmonic mean of success and thrift."""
    return 2 * success * (1 - overspend) / (success + 1 - overspend)


if __name__ == "__main__":
    main()
