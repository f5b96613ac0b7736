"""Is the recommended hardware the best, and are the stated odds what they say?

    python benchmarks/hardware_choice.py [--data ../shared/data] [--seeds 900 ...] [--odds-seeds 905 ...]
        [--plot FILE.svg]

LLM-Inference-Bench: workloads with two or more measured platforms, of which a share of the
configurations is known, or all but those of one model. A known option counts with its measured value
for every method. Top-1: the recommended platform is the best one; regret: what it is slower by. Prints
means over workloads with a 95 % confidence interval over seeds (over models, where those are left out).

Odds: how often the recommendation was the best, and how often what was to be kept was kept, by the
probability that had been stated. To be kept: a latency (LLM-Inference-Bench), or a latency and a time
between tokens together (ML.ENERGY), at a random quantile of what the options of the workload reach.
Most requirements are kept surely or not at all: `--odds-seeds` adds cases for the odds alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from comparison import with_interval
from methods import Answer, Split, bag, label_encoded, process_of_residual, small_data
from public_tables import DATA, SEEDS, read_rows, split
from threadpoolctl import threadpool_limits

from models_py.constraints import Constraints
from models_py.hardware_recommender import HardwareRecommender
from models_py.measured import newest_measurements
from models_py.predict import PerformancePredictor
from models_py.requirements import Requirement

METRIC = "throughput"
SHARES = (0.05, 0.2)
ODDS_SEEDS = tuple(range(905, 920))
PROMISED = {"llm_inference_bench": ("latency_ms",), "ml_energy": ("latency_ms", "itl_ms")}
UNSEEN = "one model unknown"
BANDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
COLOURS = {"is the best": "#1b6ca8", "keeps what was asked": "#d98324"}
MODELS: dict[str, Callable[[Split], Answer]] = {
    "gradient boosting, label-encoded": label_encoded,
    "LightGBM, small-data parameters, median": small_data,
    "Gaussian process alone, median": process_of_residual,
    "bag of boosters alone, median": bag,
}


class Case(NamedTuple):
    """What is known of a table, and what is asked."""

    title: str
    seed: int
    known: pd.DataFrame
    others: pd.DataFrame
    odds_alone: bool = False

    @property
    def source(self) -> str:
        """The table."""
        return self.known["source"].iloc[0]


def main() -> None:
    """Print two Markdown tables, and draw the second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--odds-seeds", type=int, nargs="*", default=ODDS_SEEDS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--plot", type=Path, help="SVG file of the reliability.")
    options = parser.parse_args()
    rows = read_rows(options.data)
    every = [*cases(rows, options.seeds)]
    every += [
        each._replace(odds_alone=True) for each in cases(rows, options.odds_seeds, unseen=False)
    ]
    with ProcessPoolExecutor(options.processes) as pool:
        found = [*pool.map(answered, every)]
    print(choices_as_markdown(pd.concat([choices for choices, _ in found])), "\n")
    stated = pd.concat([promises for _, promises in found])
    print(odds_as_markdown(stated))
    if options.plot:
        draw(stated, options.plot)


def cases(rows: pd.DataFrame, seeds: list[int], unseen: bool = True) -> Iterator[Case]:
    """All cases of both tables, those of unknown models on request."""
    for source in PROMISED:
        frame = rows[(rows["source"] == source) & rows[METRIC].notna()]
        for seed in seeds:
            for share in SHARES if source == "llm_inference_bench" else SHARES[1:]:
                known, others = split(frame, share, seed, len(frame))
                yield Case(f"{share:.0%} known", seed, known, others)
        if unseen and source == "llm_inference_bench":
            for name in sorted(frame["model_name"].unique()):
                unknown = frame["model_name"] == name
                yield Case(UNSEEN, seeds[0], frame[~unknown], frame[unknown])


def answered(case: Case) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What every method chooses, and what was promised."""
    promised = PROMISED[case.source]
    with threadpool_limits(1):
        predictor = PerformancePredictor((METRIC, *promised), seed=case.seed).fit(case.known)
        options, truth = _options(case)
        if options.empty:
            return pd.DataFrame(), pd.DataFrame()
        ours = recommended(predictor, options)
        promises = [_stated(case, "is the best", ours["prob_best"], _lost(ours, truth) <= 0)]
        promises.append(_kept(case, predictor, options, promised))
        if case.odds_alone or case.source != "llm_inference_bench":
            return pd.DataFrame(), pd.concat(promises)
        choices = {"benchmart": ours, **_rivals(case, options)}
    return pd.concat(
        pd.DataFrame(
            {
                "case": case.title,
                "repeat": case.seed if case.title != UNSEEN else case.others["model_name"].iloc[0],
                "method": method,
                "top-1 %": 100.0 * (lost <= 0),
                "regret %": 100 * lost,
            }
        )
        for method, lost in ((name, _lost(chosen, truth)) for name, chosen in choices.items())
    ), pd.concat(promises)


def _options(case: Case) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of workloads with a choice that is open, and what each configuration truly reaches.

    Known rows with their metrics, the others without.
    """
    truth = newest_measurements(pd.concat([case.known, case.others]), METRIC)
    workloads = truth.groupby("workload_id")
    truth["best"] = workloads["measured_value"].transform("max")
    counts = workloads["config_id"].nunique()
    asked = truth.loc[~truth["config_id"].isin(case.known["config_id"]), "workload_id"].unique()
    wanted = counts.index[(counts > 1) & counts.index.isin(asked)]
    metrics = {METRIC, *PROMISED[case.source]}
    others = case.others[~case.others["config_id"].isin(case.known["config_id"])]
    bare = others.drop(columns=list(metrics)).drop_duplicates("config_id")
    both = pd.concat([case.known, bare], ignore_index=True)
    return both[both["workload_id"].isin(wanted)].reset_index(drop=True), truth.set_index(
        "config_id"
    )


def recommended(predictor: PerformancePredictor, options: pd.DataFrame) -> pd.DataFrame:
    """What benchmart recommends for every workload."""
    recommender = HardwareRecommender(predictor, options=options)
    answers = recommender.batch_recommend(
        [{"model_name": name} for name in sorted(options["model_name"].unique())], METRIC
    )
    every = pd.concat([answer.options for answer in answers], ignore_index=True)
    return every[every["rank"] == 1]


def _rivals(case: Case, options: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What other methods recommend: the option of the largest predicted or measured value."""
    each = options.drop_duplicates("config_id", keep="last").reset_index(drop=True)
    known = newest_measurements(case.known, METRIC).set_index("config_id")["measured_value"]
    measured = each["config_id"].map(known).to_numpy(float)
    asked = np.isnan(measured)
    found = {}
    for name, method in MODELS.items():
        value = measured.copy()
        test = each[asked].assign(**{METRIC: 1.0})  # not read
        quantiles = method(Split(case.known, test, METRIC, case.seed)).quantiles
        value[asked] = np.exp(quantiles[:, quantiles.shape[1] // 2])
        found[name] = _largest(each, value)
    size = each["memory_bandwidth_gbs"] * each["device_count"]
    found["always the biggest (memory bandwidth)"] = _largest(each, size.to_numpy(float))
    found["always the fastest roofline"] = _largest(each, each["bound_throughput"].to_numpy(float))
    return found


def _largest(options: pd.DataFrame, value: np.ndarray) -> pd.DataFrame:
    order = options.assign(value=np.nan_to_num(value)).sort_values("value", ascending=False)
    return order.drop_duplicates("workload_id")


def _lost(chosen: pd.DataFrame, truth: pd.DataFrame) -> np.ndarray:
    """Relative loss of the chosen options against the best of their workload."""
    here = truth.loc[chosen["config_id"]]
    return 1 - (here["measured_value"] / here["best"]).to_numpy()


def _kept(
    case: Case, predictor: PerformancePredictor, options: pd.DataFrame, metrics: tuple[str, ...]
) -> pd.DataFrame:
    """Of recommendations under requirements: what was stated, and whether they were kept."""
    every = pd.concat([case.known, case.others])
    truth = {
        metric: newest_measurements(every, metric).set_index("config_id")["measured_value"]
        for metric in metrics
    }
    generator = np.random.default_rng(case.seed)
    stated, kept = [], []
    for _, rows in options.groupby("workload_id"):
        level = generator.uniform(0.2, 0.8)
        reached = {metric: rows["config_id"].map(truth[metric]) for metric in metrics}
        slo = [Requirement(metric, reached[metric].quantile(level), True) for metric in metrics]
        if not all(np.isfinite(each.limit) for each in slo):
            continue
        try:
            answer = HardwareRecommender(predictor, options=rows).recommend_hardware(
                METRIC,
                Constraints(requirements=slo, confidence=BANDS[0]),
                model_name=rows["model_name"].iloc[0],
            )
        except LookupError:  # a metric that does not apply to this workload
            continue
        for _, option in answer.options[answer.options["rank"] == 1].iterrows():
            actual = [truth[each.metric].get(option["config_id"], np.nan) for each in slo]
            if option["config_id"] in set(case.known["config_id"]) or np.isnan(actual).any():
                continue
            stated.append(option["prob_meets"])
            kept.append(all(value <= each.limit for value, each in zip(actual, slo, strict=True)))
    return _stated(case, "keeps what was asked", stated, kept)


def _stated(case: Case, event: str, probability: object, happened: object) -> pd.DataFrame:
    rows = pd.DataFrame({"probability": list(probability), "happened": list(happened)})
    return rows.assign(event=event, case=f"{case.source}, {case.title}")


def choices_as_markdown(choices: pd.DataFrame) -> str:
    """A row per case and method."""
    figures = ["top-1 %", "regret %"]
    means = choices.groupby(["case", "method", "repeat"], sort=False)[figures].mean()
    lines = ["| case | method | top-1 % | regret % |", "|---|---|---|---|"]
    for (case, method), rows in means.groupby(["case", "method"], sort=False):
        cells = [
            with_interval(rows[name], digits) for name, digits in zip(figures, (1, 2), strict=True)
        ]
        lines.append(f"| {case} | {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def odds_as_markdown(stated: pd.DataFrame) -> str:
    """A row per event and band of stated probability."""
    lines = ["| event | stated | cases | mean stated % | happened % |", "|---|---|---|---|---|"]
    for (event, band), rows in _banded(stated):
        if len(rows):
            lines.append(
                f"| {event} | {100 * band.left:.0f}-{100 * band.right:.0f} % | {len(rows)}"
                f" | {100 * rows['probability'].mean():.1f} | {100 * rows['happened'].mean():.1f} |"
            )
    return "\n".join(lines)


def _banded(stated: pd.DataFrame) -> Iterator[tuple[tuple[str, pd.Interval], pd.DataFrame]]:
    bands = pd.cut(stated["probability"], BANDS, include_lowest=True)
    yield from stated.groupby([stated["event"], bands], observed=True)


def draw(stated: pd.DataFrame, path: Path) -> None:
    """The share that happened against what was stated, with a 95 % interval of the share."""
    mpl.rcParams |= {"svg.hashsalt": "benchmart", "font.size": 9, "figure.dpi": 100}
    figure, axes = plt.subplots(figsize=(4, 3.2), layout="constrained")
    axes.plot([50, 100], [50, 100], color="#999999", linewidth=1)
    for (event, _), rows in _banded(stated):
        share = rows["happened"].mean()
        half = 1.96 * np.sqrt(share * (1 - share) / len(rows))
        middle, colour = 100 * rows["probability"].mean(), COLOURS[event]
        axes.errorbar(middle, 100 * share, 100 * half, fmt="o", color=colour, markersize=4)
    for event, colour in COLOURS.items():
        axes.plot([], [], "o", color=colour, label=event)
    axes.set_xlabel("stated probability, %")
    axes.set_ylabel("happened, %")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    main()
